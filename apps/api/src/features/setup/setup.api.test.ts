import { PROPOSED_ROLE_SETTINGS, type Plan, type Run } from '@gatehouse/contracts';
import { countWaiting } from '@gatehouse/db/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyNow, updatedAtOf } from '../../../../../testing/setup-runs.ts';
import { ANA, BEN, INES, MAYA, startPortal, type Client, type JournalEntry, type Reply, type TestPortal } from '../../testing.ts';

const NAME = 'FinReport-SeniorAnalyst-SecureAccess';

interface Named { readonly id: string; readonly displayName: string }
/** A group as the emulated tenant holds it. */
interface TenantGroup extends Named { readonly groupTypes: readonly string[]; readonly mailEnabled: boolean; readonly onPremisesSyncEnabled: boolean | null }

/** A portal with Maya signed in, and a setup that takes a new group, two people and an application. */
async function prepared() {
  const portal = await startPortal();
  const maya = await portal.as(MAYA);
  const people = await Promise.all([ANA, BEN].map(async (upn) => (await maya.get(`/api/directory/principals?kind=user&text=${upn.split('.')[0]}`)).body.principals.find((one: { detail: string }) => one.detail === upn) as Named));
  const applications = (await maya.get('/api/directory/applications')).body.applications as (Named & { kind: string })[];
  const finance = applications.find((one) => one.displayName === 'Finance reports');
  if (!finance) throw new Error('the seed has no Finance reports');
  const definition = {
    group: { kind: 'new' as const, displayName: NAME, mailNickname: NAME, description: 'Finance reports for senior analysts' },
    roleSettings: PROPOSED_ROLE_SETTINGS,
    eligible: people.map(({ id, displayName }) => ({ principalId: id, kind: 'user' as const, displayName, days: 180 })),
    applications: [{ kind: 'existing' as const, servicePrincipalId: finance.id, displayName: finance.displayName, applicationKind: finance.kind }] as unknown[],
  };
  await portal.emulator.clearJournal();
  return { portal, maya, people, finance, definition, [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose]() };
}

/** A new application beside the one that exists. */
async function withNewApplication(maya: Client, applications: readonly unknown[]): Promise<unknown[]> {
  const connectors = ((await maya.get('/api/directory/connector-groups')).body.connectorGroups as Named[]).find((one) => one.displayName === 'EU-1');
  return [...applications, { kind: 'new', displayName: 'Ledger', connectorGroupId: connectors?.id, connectorGroupName: 'EU-1', segments: [{ host: 'ledger.corp.contoso.example', ports: '443, 8000-8010', protocol: 'tcp' }, { host: '10.99.0.0/24', ports: '22', protocol: 'tcp' }] }];
}

async function planOf(maya: Client, definition: unknown): Promise<Plan> {
  const answer = await maya.post('/api/setup-plans', { definition });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as Plan;
}

const create = async (maya: Client, definition: unknown, digest?: string): Promise<Reply> => maya.post('/api/setups', { definition, digest: digest ?? (await planOf(maya, definition)).digest, irreversibleUnderstood: true });

/** Creates, and follows the run until it rests: whenever it waits for Entra, some of the tenant's time passes. */
async function applied(portal: TestPortal, maya: Client, definition: unknown): Promise<Run> {
  const answer = await create(maya, definition);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return atRest(portal, maya, answer.body.id);
}

async function atRest(portal: TestPortal, maya: Client, runId: string): Promise<Run> {
  const run = await follow(portal, maya, runId, (one) => one.status !== 'running');
  await portal.settle();
  return run;
}

async function follow(portal: TestPortal, maya: Client, runId: string, until: (run: Run) => boolean): Promise<Run> {
  let waits = 0;
  for (;;) {
    const { body: run } = await maya.get(`/api/runs/${runId}`) as { body: Run };
    if (until(run)) return run;
    const waiting = run.steps.filter((step) => step.status === 'waiting').length > 0;
    if (waiting && waits < 100) {
      waits += 1;
      await portal.advance('PT2S');
    }
  }
}

const writesIn = (journal: readonly JournalEntry[]): string[] => journal
  .filter((call) => call.method !== 'GET' && !/getByIds|\$batch/.test(call.url))
  .map((call) => `${call.method} ${new URL(call.url, 'http://graph.example').pathname.replace(/^\/(v1\.0|beta)/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '{id}').replace(/Group_[^/]*/, '{policy}')} ${call.status}`);
const times = (writes: readonly string[], pattern: RegExp): number => writes.filter((write) => pattern.test(write)).length;
const outline = (run: Run): string[] => run.steps.map((step) => `${step.plan.kind} ${step.status}`);
const told = async (portal: TestPortal): Promise<string[]> => (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', kind: 'portal-setup' }, orderBy: [{ activityAt: 'asc' }] })).map((event) => event.activity);

test('the whole setup is done as its plan said, proved step by step, and on record', async () => {
  await using all = await prepared();
  const { portal, maya, people, finance } = all;
  const definition = { ...all.definition, applications: await withNewApplication(maya, all.definition.applications) };
  const plan = await planOf(maya, definition);
  expect(plan.steps.map((step) => `${step.verdict} ${step.kind}`)).toEqual([
    'create create-group', 'create onboard', 'change role-settings', 'create create-application', 'create publish-application', 'create add-segment', 'create add-segment',
    'create assign-eligible', 'create assign-eligible', 'create assign-application', 'create assign-application',
  ]);
  expect(plan.warnings).toEqual([]);
  expect(plan.checked).toEqual([
    'The tenant has licences for PIM and for Private Access.', 'Your directory roles allow every step.', 'The Private Access traffic profile is on.',
    'Every application lets in only who is assigned.', 'MFA and an authentication context do not meet in the role settings.',
  ]);
  expect(writesIn(await portal.emulator.journal())).toEqual([]);

  const run = await applied(portal, maya, definition);

  expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
  expect(run.steps.map((step) => step.plan)).toEqual(plan.steps);
  for (const step of run.steps) expect(step).toMatchObject({ status: 'done', detail: expect.stringContaining('verified by reading back') as string });

  const tenant = await portal.emulator.state();
  const group = tenant.groups.find((one: Named) => one.displayName === NAME);
  expect(group).toMatchObject({ securityEnabled: true, mailEnabled: false, groupTypes: [], memberIds: [] });
  expect(group.onboardedToPimAt).not.toBeNull();
  const rules = tenant.pim.policies.find((policy: { groupId: string; accessId: string }) => policy.groupId === group.id && policy.accessId === 'member').rules as { id: string }[];
  expect(rules.find((rule) => rule.id === 'Expiration_EndUser_Assignment')).toMatchObject({ maximumDuration: 'PT30M' });
  expect(rules.find((rule) => rule.id === 'Enablement_EndUser_Assignment')).toMatchObject({ enabledRules: ['MultiFactorAuthentication', 'Justification'] });
  const schedules = tenant.pim.schedules.filter((one: { groupId: string; kind: string }) => one.groupId === group.id && one.kind === 'eligibility');
  expect(schedules.map((one: { principalId: string }) => one.principalId).sort()).toEqual(people.map((one) => one.id).sort());
  const ledger = tenant.applications.find((one: Named) => one.displayName === 'Ledger');
  expect(ledger.onPremisesPublishing).toMatchObject({ applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true });
  expect(tenant.connectorGroups.find((one: { id: string }) => one.id === ledger.connectorGroupId).name).toBe('EU-1');
  expect(ledger.segments.map((one: { destinationHost: string; ports: string[] }) => `${one.destinationHost} ${one.ports.join(' ')}`)).toEqual(['ledger.corp.contoso.example 443-443 8000-8010', '10.99.0.0/24 22-22']);
  const opened = tenant.appRoleAssignments.filter((one: { principalId: string }) => one.principalId === group.id).map((one: { resourceId: string }) => one.resourceId);
  expect(opened.sort()).toEqual([finance.id, tenant.servicePrincipals.find((one: Named) => one.displayName === 'Ledger').id].sort());

  const writes = writesIn(await portal.emulator.journal());
  expect(times(writes, /PATCH \/groups\(/)).toBe(1);
  expect(times(writes, /instantiate/)).toBe(1);
  // Onboarding and role settings are one write.
  expect(times(writes, /PATCH \/policies.* 2/)).toBe(1);
  expect(times(writes, /eligibilityScheduleRequests 2/)).toBe(2);
  expect(times(writes, /appRoleAssignedTo 2/)).toBe(2);

  // Where several happen in the same instant of a standing clock, their order is not on record.
  expect((await told(portal)).toSorted()).toEqual(['setup.run-finished', 'setup.run-started', ...Array.from({ length: 11 }, () => 'setup.step-applied')]);
  const { body: setup } = await maya.get(`/api/setups/${run.setupId}`);
  expect(setup).toMatchObject({ name: NAME, groupId: group.id, eligibleCount: 2, applications: ['Finance reports', 'Ledger'], lastRun: { id: run.id, status: 'succeeded' } });
  expect((await maya.get('/api/setups')).body.setups).toMatchObject([{ id: run.setupId, name: NAME }]);
});

test('owners and the settings of the role Owner are part of a setup', async () => {
  await using all = await prepared();
  const { portal, maya, people, definition } = all;
  const [omar] = (await maya.get('/api/directory/principals?kind=user&text=omar%20haddad')).body.principals as Named[];
  const owned = { ...definition, owners: [{ principalId: people[0]?.id, displayName: people[0]?.displayName }], ownerRoleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 60, requireTicket: true } };
  const plan = await planOf(maya, owned);
  expect(plan.steps[0]?.changes).toContainEqual({ field: 'Owner', from: null, to: people[0]?.displayName });
  expect(plan.steps.find(({ kind }) => kind === 'owner-role-settings')).toMatchObject({ verdict: 'change', dependsOn: ['onboard'] });
  const run = await applied(portal, maya, owned);
  expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
  const state = await portal.emulator.state();
  const group = state.groups.find((one: Named) => one.displayName === NAME);
  expect(group.ownerIds).toEqual([people[0]?.id]);
  const ruleOf = (accessId: string, id: string) => state.pim.policies.find((one: { groupId: string; accessId: string }) => one.groupId === group.id && one.accessId === accessId).rules.find((rule: { id: string }) => rule.id === id);
  expect([ruleOf('member', 'Expiration_EndUser_Assignment').maximumDuration, ruleOf('owner', 'Expiration_EndUser_Assignment').maximumDuration]).toEqual(['PT30M', 'PT1H']);
  expect(ruleOf('owner', 'Enablement_EndUser_Assignment').enabledRules).toContain('Ticketing');
  expect((await planOf(maya, owned)).changes).toBe(0);

  // An owner who is missing is added to the group that exists; one more stays.
  const more = { ...owned, owners: [{ principalId: omar?.id, displayName: omar?.displayName }] };
  expect((await planOf(maya, more)).steps.filter(({ verdict }) => verdict !== 'nothing')).toMatchObject([{ kind: 'add-owner', verdict: 'create', title: 'Make Omar Haddad an owner of the group' }]);
  const { body: second } = await applyNow(maya, more, run.setupId);
  expect((await atRest(portal, maya, second.id)).status).toBe('succeeded');
  expect((await portal.emulator.state()).groups.find((one: Named) => one.id === group.id).ownerIds.toSorted()).toEqual([people[0]?.id, omar?.id].sort());
  const nobody = { ...owned, owners: [{ principalId: '99999999-9999-4999-8999-999999999999', displayName: 'Nobody' }] };
  expect((await planOf(maya, nobody)).steps.find(({ kind }) => kind === 'add-owner')).toMatchObject({ verdict: 'blocked', blocked: { reason: 'Nobody cannot own the group: Entra knows no such person, or not any more.' } });
});

test('a setup of P people and one application takes P + 3 writes', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  expect((await applied(portal, maya, definition)).status).toBe('succeeded');
  const writes = writesIn(await portal.emulator.journal()).filter((write) => / 2\d\d$/.test(write));
  expect(definition.applications).toHaveLength(1);
  expect(writes).toHaveLength(definition.eligible.length + 3);
});

test('a second plan finds nothing to do, and applying it writes nothing', async () => {
  await using all = await prepared();
  const { portal, maya } = all;
  const definition = { ...all.definition, applications: await withNewApplication(maya, all.definition.applications) };
  const first = await applied(portal, maya, definition);
  await portal.advance('P20D');
  await portal.emulator.clearJournal();

  const plan = await planOf(maya, definition);
  expect(plan.steps.map((step) => step.verdict)).toEqual(plan.steps.map(() => 'nothing'));
  expect(plan).toMatchObject({ changes: 0, calls: 0 });

  const again = await applyNow(maya, definition, first.setupId, false);
  expect(again.status).toBe(202);
  const run = await atRest(portal, maya, again.body.id);
  expect(run.status).toBe('succeeded');
  expect(run.steps.map((step) => step.status)).toEqual(run.steps.map(() => 'skipped'));
  expect(writesIn(await portal.emulator.journal())).toEqual([]);
});

test('a setup that is changed changes what differs, and nothing else', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const first = await applied(portal, maya, definition);
  const changed = { ...definition, roleSettings: { ...definition.roleSettings, activationMaxMinutes: 60, requireTicket: true }, eligible: definition.eligible.map((one, index) => (index === 0 ? { ...one, days: 365 } : one)) };
  const plan = await planOf(maya, changed);
  expect(plan.steps.filter((step) => step.verdict !== 'nothing').map(({ kind, changes }) => ({ kind, changes }))).toEqual([
    { kind: 'role-settings', changes: [{ field: 'Activation lasts at most', from: '30 min', to: '1 h' }, { field: 'Ticket at activation', from: 'not required', to: 'required' }] },
    { kind: 'assign-eligible', changes: [{ field: 'Eligible', from: expect.stringMatching(/^until \d{4}-\d\d-\d\d$/) as string, to: 'for 365 days' }] },
  ]);

  const answer = await applyNow(maya, changed, first.setupId, false);
  const run = await atRest(portal, maya, answer.body.id);
  expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
  expect((await planOf(maya, changed)).changes).toBe(0);
  expect((await maya.get(`/api/setups/${first.setupId}`)).body.definition.roleSettings.activationMaxMinutes).toBe(60);
});

describe('what is refused changes nothing', () => {
  async function refusedWithoutTrace({ portal, maya }: { portal: TestPortal; maya: Client }, body: unknown, code: string): Promise<Reply> {
    await portal.emulator.clearJournal();
    const rows = await portal.db.prisma.setup.count();
    const answer = await maya.post('/api/setups', body);
    expect(answer.body).toMatchObject({ code });
    expect(await portal.db.prisma.setup.count()).toBe(rows);
    expect(writesIn(await portal.emulator.journal())).toEqual([]);
    return answer;
  }

  test('a plan that is not the tenant’s any more', async () => {
    await using all = await prepared();
    const { digest } = await planOf(all.maya, all.definition);
    // Somebody makes a group of the same nickname's natural key meanwhile: here, another admin's setup of the same name.
    await applied(all.portal, all.maya, all.definition);
    const answer = await refusedWithoutTrace(all, { definition: all.definition, digest, irreversibleUnderstood: true }, 'plan-changed');
    // The new plan comes with the refusal, whole, to be looked at in place of the old one.
    const now = await planOf(all.maya, all.definition);
    expect(answer.body.plan).toEqual({ ...now, readAt: answer.body.plan.readAt });
    expect(now.changes).toBe(0);
    const { digest: other } = await planOf(all.maya, { ...all.definition, roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 45 } });
    await refusedWithoutTrace(all, { definition: all.definition, digest: other, irreversibleUnderstood: true }, 'plan-changed');
  });

  test('onboarding that nobody said they understood', async () => {
    await using all = await prepared();
    const { digest } = await planOf(all.maya, all.definition);
    const answer = await refusedWithoutTrace(all, { definition: all.definition, digest, irreversibleUnderstood: false }, 'invalid-request');
    expect(answer.body.issues).toMatchObject([{ path: 'body.irreversibleUnderstood' }]);
  });

  test.each([
    ['dynamic membership', 'dynamic membership', (one: TenantGroup) => one.groupTypes.includes('DynamicMembership')],
    ['synchronised from on-premises', 'synchronised', (one: TenantGroup) => one.onPremisesSyncEnabled === true],
    ['mail-enabled', 'mail', (one: TenantGroup) => one.mailEnabled && !one.groupTypes.includes('Unified')],
  ])('a group that is %s, named with its reason in the list and in the plan', async (_kind, word, isIt) => {
    await using all = await prepared();
    const { groups } = await all.portal.emulator.state() as { groups: TenantGroup[] };
    const unfit = groups.find(isIt);
    if (!unfit) throw new Error('the demo tenant has no such group');
    const definition = { ...all.definition, group: { kind: 'existing', groupId: unfit.id, displayName: unfit.displayName } };
    const found = (await all.maya.get(`/api/directory/groups?text=${encodeURIComponent(unfit.displayName)}`)).body.groups.find((one: Named) => one.id === unfit.id);
    expect(found.unfit).toContain(word);
    const plan = await planOf(all.maya, definition);
    expect(plan.steps[0]).toMatchObject({ verdict: 'blocked', blocked: { reason: found.unfit } });
    const answer = await refusedWithoutTrace(all, { definition, digest: plan.digest, irreversibleUnderstood: true }, 'plan-blocked');
    expect(answer.body.detail).toContain(word);
  });

  test('a second setup of the same group', async () => {
    await using all = await prepared();
    await applied(all.portal, all.maya, all.definition);
    const { digest } = await planOf(all.maya, all.definition);
    const answer = await refusedWithoutTrace(all, { definition: all.definition, digest, irreversibleUnderstood: true }, 'conflict');
    expect(answer.body.detail).toContain('under a setup already');
    const { groups } = await all.portal.emulator.state();
    const existing = { ...all.definition, group: { kind: 'existing', groupId: groups.find((one: Named) => one.displayName === NAME).id, displayName: NAME } };
    await refusedWithoutTrace(all, { definition: existing, digest: (await planOf(all.maya, existing)).digest, irreversibleUnderstood: true }, 'conflict');
  });

  describe('a group that Entra would not take', () => {
    let all: Awaited<ReturnType<typeof prepared>>;
    beforeAll(async () => { all = await prepared(); });
    afterAll(async () => { await all[Symbol.asyncDispose](); });

    test.each<[string, Record<string, string>, string]>([
      ['a name of 257 characters', { displayName: 'x'.repeat(257) }, 'displayName'],
      ['a name of spaces', { displayName: '   ' }, 'displayName'],
      ['a nickname of 65 characters', { mailNickname: 'x'.repeat(65) }, 'mailNickname'],
      ['a nickname outside ASCII', { mailNickname: 'Zürich' }, 'mailNickname'],
      ...[...'@()\\[]";:.<>, '].map((sign): [string, Record<string, string>, string] => [`a nickname with ${sign}`, { mailNickname: `Fin${sign}Report` }, 'mailNickname']),
      ['a description of 1,025 characters', { description: 'x'.repeat(1_025) }, 'description'],
    ])('%s, refused by the plan and by the setup', async (_what, wrong, field) => {
      const definition = { ...all.definition, group: { ...all.definition.group, ...wrong } };
      const path = `body.definition.group.${field}`;
      expect((await refusedWithoutTrace(all, { definition, digest: 'x', irreversibleUnderstood: true }, 'invalid-request')).body.issues[0].path).toBe(path);
      const planned = await all.maya.post('/api/setup-plans', { definition });
      expect([planned.status, planned.body.issues?.[0].path]).toEqual([400, path]);
    });
  });
});

test('of two that are applied at once one runs, and Entra makes one group', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const { digest } = await planOf(maya, definition);
  const answers = await Promise.all([1, 2, 3].map(() => create(maya, definition, digest)));
  expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409, 409]);
  const first = answers.find((answer) => answer.status === 202)?.body as Run;
  for (const { status, body } of answers) {
    if (status !== 409) continue;
    expect(body).toMatchObject({ code: 'run-in-progress', run: { id: first.id, setupId: first.setupId, actorName: 'Maya Lindqvist', startedAt: first.createdAt } });
    expect(body.detail).toBe('Maya Lindqvist is at it since 2026-03-02 09:00 UTC. Nothing of yours was begun. Follow that run, and look again when it rests.');
  }
  expect(await portal.db.prisma.setup.count()).toBe(1);
  expect(await portal.db.prisma.setupRun.count()).toBe(1);
  const run = await atRest(portal, maya, answers.find((answer) => answer.status === 202)?.body.id);
  expect(run.status).toBe('succeeded');

  const changed = { ...definition, roleSettings: { ...definition.roleSettings, activationMaxMinutes: 60 } };
  const plan = await planOf(maya, changed);
  const unchangedSince = await updatedAtOf(maya, run.setupId);
  const again = await Promise.all([1, 2, 3].map(() => maya.post(`/api/setups/${run.setupId}/runs`, { definition: changed, digest: plan.digest, irreversibleUnderstood: true, unchangedSince })));
  expect(again.map((answer) => answer.body.code ?? 'begun').sort()).toEqual(['begun', 'run-in-progress', 'run-in-progress']);
  expect(await portal.db.prisma.setupRun.count()).toBe(2);
  await atRest(portal, maya, again.find((answer) => answer.status === 202)?.body.id);
});

describe('of two who change one setup, each as they opened it', () => {
  const withHour = <D extends { roleSettings: object }>(definition: D): D => ({ ...definition, roleSettings: { ...definition.roleSettings, activationMaxMinutes: 60 } });
  const REFUSED = { status: 409, code: 'conflict', detail: 'The setup itself was changed since this was planned. Nothing was done. Look at what it says now, and plan the change again from there.' };

  test('the second is refused, though the tenant is as they reviewed it, and what the first decided stands', async () => {
    await using all = await prepared();
    const { portal, maya, definition } = all;
    const { setupId } = await applied(portal, maya, definition);
    const [ines] = (await maya.get('/api/directory/principals?kind=user&text=ines')).body.principals as Named[];
    const opened = await updatedAtOf(maya, setupId);
    // Whom the first makes eligible is no step of the second's plan.
    const changed = withHour(definition);
    const { digest } = await planOf(maya, changed);
    const more = { ...definition, eligible: [...definition.eligible, { principalId: ines?.id, kind: 'user', displayName: ines?.displayName, days: 30 }] };
    await atRest(portal, maya, (await applyNow(maya, more, setupId)).body.id);
    expect((await planOf(maya, changed)).digest).toBe(digest);

    await portal.emulator.clearJournal();
    const wish = { definition: changed, digest, irreversibleUnderstood: true };
    expect((await maya.post(`/api/setups/${setupId}/runs`, { ...wish, unchangedSince: opened })).body).toMatchObject(REFUSED);
    expect(writesIn(await portal.emulator.journal())).toEqual([]);
    expect((await maya.get(`/api/setups/${setupId}`)).body).toMatchObject({ definition: { eligible: more.eligible }, runs: [{}, {}] });

    // From what it says now it is changed, though the tenant's clock stands.
    expect((await applyNow(maya, withHour(more), setupId)).status).toBe(202);
  });

  test('a change that comes while the tenant is read for another is seen', async () => {
    await using all = await prepared();
    const { portal, maya, definition } = all;
    const { setupId } = await applied(portal, maya, definition);
    const first = await portal.db.owner.connect();
    await first.query('BEGIN');
    await first.query(`UPDATE setup SET name = 'As the first says', updated_at = updated_at + interval '1 second' WHERE id = $1`, [setupId]);
    const second = applyNow(maya, withHour(definition), setupId);
    while (await countWaiting(portal.db) === 0);
    await first.query('COMMIT');
    first.release();
    expect((await second).body).toMatchObject(REFUSED);
    expect((await maya.get(`/api/setups/${setupId}`)).body).toMatchObject({ name: 'As the first says', lastRun: { status: 'succeeded' }, runs: [{}] });
  });
});

test('a run whose worker is gone is interrupted, and whoever continues it makes nothing twice', async () => {
  await using all = await prepared();
  const { portal, maya } = all;
  const definition = { ...all.definition, applications: await withNewApplication(maya, all.definition.applications) };
  const { body: begun } = await create(maya, definition);
  // The tenant's clock stands: PIM does not know the new group, and the run waits there; the application needs no group, and goes on.
  let { body: stuck } = await maya.get(`/api/runs/${begun.id}`) as { body: Run };
  while (!stuck.steps.some((step) => step.status === 'waiting') || stuck.steps.some((step) => step.plan.kind === 'add-segment' && step.status !== 'done')) ({ body: stuck } = await maya.get(`/api/runs/${begun.id}`));
  expect(outline(stuck)).toEqual(['create-group done', 'onboard waiting', 'role-settings running', 'create-application done', 'publish-application done', 'add-segment done', 'add-segment done', 'assign-eligible running', 'assign-eligible running', 'assign-application running', 'assign-application pending']);
  const refused = await maya.post(`/api/runs/${begun.id}/continue`, {});
  expect(refused.body).toMatchObject({ code: 'run-in-progress' });

  // What kill -9 does to the worker's connection: its lock is gone, and its rows still say that it runs.
  await portal.db.owner.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()`);
  // Another replica finds the lock free; the clock goes on standing, so the old worker does nothing in between.
  const other = await portal.onReplica(MAYA);
  let { body: interrupted } = await other.get(`/api/runs/${begun.id}`);
  while (interrupted.status === 'running') ({ body: interrupted } = await other.get(`/api/runs/${begun.id}`));
  expect(interrupted.status).toBe('interrupted');
  expect(outline(interrupted)).toEqual(outline(stuck).map((one) => one.replace(/waiting|running/, 'interrupted')));
  expect(await told(portal)).toContain('setup.run-interrupted');
  // The rest of the old worker sees that the run is not its own any more, and stops.
  await portal.advance('PT30S');
  await portal.settle();
  expect(outline((await maya.get(`/api/runs/${begun.id}`)).body)).toEqual(outline(interrupted));

  const continued = await other.post(`/api/runs/${begun.id}/continue`, {});
  expect(continued.status, JSON.stringify(continued.body)).toBe(202);
  const run = await atRest(portal, other, begun.id);
  expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
  expect(run.steps.map((step) => step.status)).toEqual(run.steps.map(() => 'done'));

  const writes = writesIn(await portal.emulator.journal());
  expect(times(writes, /PATCH \/groups\(/)).toBe(1);
  expect(times(writes, /instantiate/)).toBe(1);
  expect(times(writes, /eligibilityScheduleRequests 2/)).toBe(2);
  expect((await portal.emulator.state()).groups.filter((one: Named) => one.displayName === NAME)).toHaveLength(1);
  expect((await maya.post(`/api/runs/${begun.id}/continue`, {})).body).toMatchObject({ code: 'conflict' });
});

test('whoever comes while a run is under way is told of the run, though the tenant has changed by then', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const plan = await planOf(maya, definition);
  const { body: begun } = await create(maya, definition, plan.digest);
  await follow(portal, maya, begun.id, ({ steps }) => steps.some(({ status }) => status === 'waiting'));
  const wish = { definition, digest: plan.digest, irreversibleUnderstood: true };
  for (const [path, body] of [['/api/setups', wish], [`/api/setups/${begun.setupId}/runs`, { ...wish, unchangedSince: await updatedAtOf(maya, begun.setupId) }], [`/api/runs/${begun.id}/undo-plans`, {}]] as const) {
    expect((await maya.post(path, body)).body, path).toMatchObject({ status: 409, code: 'run-in-progress', run: { id: begun.id } });
  }
  await atRest(portal, maya, begun.id);
});

test('of a run that failed, and a later one of its setup, the earlier is not continued', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  await portal.emulator.faults([{ match: { method: 'POST', path: '**/eligibilityScheduleRequests' }, times: null, fault: { kind: 'status', status: 503 } }]);
  const failed = await applied(portal, maya, definition);
  await portal.emulator.faults([]);
  const { body: later } = await applyNow(maya, definition, failed.setupId);
  expect([failed.status, (await atRest(portal, maya, later.id)).status]).toEqual(['failed', 'succeeded']);
  expect((await maya.post(`/api/runs/${failed.id}/continue`, {})).body).toMatchObject({ code: 'conflict', detail: 'A later run of this setup exists. Continue that one.' });
});

test('when Entra stops answering the run fails with a sentence, and finishes when it is continued', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  await portal.emulator.faults([{ match: { method: 'POST', path: '**/eligibilityScheduleRequests' }, times: null, fault: { kind: 'status', status: 503 } }]);
  const failed = await applied(portal, maya, definition);
  expect(failed.status).toBe('failed');
  expect(outline(failed)).toEqual(['create-group done', 'onboard done', 'role-settings done', 'assign-eligible failed', 'assign-eligible pending', 'assign-application pending']);
  expect(failed.steps[3]?.detail).toBe('Microsoft Entra did not answer, so whether this took effect is not known. Continue the run: it looks first, and repeats nothing that is done.');
  expect(await told(portal)).toContain('setup.step-failed');

  await portal.emulator.faults([]);
  expect((await maya.post(`/api/runs/${failed.id}/continue`, {})).status).toBe(202);
  const run = await atRest(portal, maya, failed.id);
  expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
  expect(times(writesIn(await portal.emulator.journal()), /PATCH \/groups\(/)).toBe(1);
  expect((await planOf(maya, definition)).changes).toBe(0);
});

test('a run that is asked to stop writes nothing more, on another replica too, and is continued', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const begun = (await create(maya, definition)).body as Run;
  // Onboarding waits for PIM to know the group: there is time to ask.
  await follow(portal, maya, begun.id, (one) => one.steps.some((step) => step.status === 'waiting'));
  const elsewhere = await portal.onReplica(MAYA);
  const asked = await elsewhere.post(`/api/runs/${begun.id}/stop`, {});
  expect([asked.status, asked.body.status, asked.body.stopAskedBy]).toEqual([202, 'running', 'Maya Lindqvist']);
  expect((await maya.post(`/api/runs/${begun.id}/stop`, {})).status, 'twice is once').toBe(202);

  const stopped = await atRest(portal, maya, begun.id);
  expect(stopped.status).toBe('stopped');
  expect(outline(stopped).slice(0, 2)).toEqual(['create-group done', 'onboard pending']);
  expect(new Set(outline(stopped).slice(1).map((one) => one.split(' ')[1]))).toEqual(new Set(['pending']));
  expect((await told(portal)).filter((activity) => activity.includes('stop'))).toEqual(['setup.run-stop-asked', 'setup.run-stopped']);
  const late = await maya.post(`/api/runs/${begun.id}/stop`, {});
  expect([late.status, late.body.detail]).toEqual([409, 'The run rests already: there is nothing to stop.']);

  expect((await maya.post(`/api/runs/${begun.id}/continue`, {})).status).toBe(202);
  const finished = await atRest(portal, maya, begun.id);
  expect([finished.status, finished.stopAskedBy]).toEqual(['succeeded', null]);
  expect(times(writesIn(await portal.emulator.journal()), /uniqueName.* 201$/)).toBe(1);
});

test('a run that is asked to stop while its only step in hand ends well rests as stopped', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/groups/*' }, times: null, fault: { kind: 'status', status: 404, code: 'Request_ResourceNotFound' } }]);
  const { body: begun } = await create(maya, definition);
  await follow(portal, maya, begun.id, ({ steps }) => steps[0]?.status === 'waiting');
  expect((await maya.post(`/api/runs/${begun.id}/stop`, {})).status).toBe(202);
  await portal.emulator.faults([]);
  const run = await atRest(portal, maya, begun.id);
  expect([run.status, ...run.steps.map(({ status }) => status)]).toEqual(['stopped', 'done', ...run.steps.slice(1).map(() => 'pending')]);
});

test('a portal that stops waits for no waiting, and leaves the run to be continued', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const begun = (await create(maya, definition)).body as Run;
  let { body: stuck } = await maya.get(`/api/runs/${begun.id}`) as { body: Run };
  while (!stuck.steps.some((step) => step.status === 'waiting')) ({ body: stuck } = await maya.get(`/api/runs/${begun.id}`));
  const elsewhere = await portal.onReplica(MAYA);
  await portal.product.stop();
  const { body: left } = await elsewhere.get(`/api/runs/${begun.id}`);
  expect(left.status).toBe('interrupted');
  expect(outline(left)).toEqual(outline(stuck).map((one) => one.replace(/waiting|running/, 'interrupted')));
  expect((await elsewhere.post(`/api/runs/${begun.id}/continue`, {})).status).toBe(202);
  expect((await follow(portal, elsewhere, begun.id, (one) => one.status !== 'running')).status).toBe('succeeded');
});

test('what Entra does not know after minutes is a failure that says how long it waited', async () => {
  await using portal = await startPortal({ timePasses: true });
  await portal.emulator.settings({ delays: { directoryToPim: 10 * 60_000 } });
  const maya = await portal.as(MAYA);
  const [ben] = (await maya.get('/api/directory/principals?kind=user&text=ben%20novak')).body.principals;
  const finance = (await maya.get('/api/directory/applications')).body.applications.find((one: Named) => one.displayName === 'Finance reports');
  const definition = {
    group: { kind: 'new', displayName: NAME, mailNickname: NAME }, roleSettings: PROPOSED_ROLE_SETTINGS, eligible: [{ principalId: ben.id, kind: 'user', displayName: ben.displayName, days: 90 }],
    applications: [{ kind: 'existing', servicePrincipalId: finance.id, displayName: finance.displayName, applicationKind: finance.kind }],
  };
  const run = await atRest(portal, maya, (await create(maya, definition)).body.id);
  expect(run.steps[1]).toMatchObject({ status: 'failed', detail: 'Waited 142 s for PIM to know the new group, in vain. Continue the run in some minutes: it looks first.' });
  expect(outline(run).slice(2)).toEqual(['role-settings pending', 'assign-eligible pending', 'assign-application pending']);
});

test('a run can be watched to its rest, from any moment on', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const { body: begun } = await create(maya, definition);
  const watching = maya.get(`/api/runs/${begun.id}/events`);
  await atRest(portal, maya, begun.id);
  const stream = await watching;
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  const seen = String(stream.body).split('\n\n').filter((part) => part.startsWith('data: ')).map((part) => JSON.parse(part.slice(6)) as Run);
  expect(seen[0]?.status).toBe('running');
  expect(seen.at(-1)).toEqual((await maya.get(`/api/runs/${begun.id}`)).body);
  expect(seen.at(-1)?.status).toBe('succeeded');
  // Who comes late sees how it ended, and nothing more.
  expect(String((await maya.get(`/api/runs/${begun.id}/events`)).body).match(/^data: /gm)).toHaveLength(1);
});

test('nobody but a setup admin plans, applies or watches', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const run = await applied(portal, maya, definition);
  await portal.emulator.clearJournal();
  for (const upn of [ANA, INES]) {
    const client = await portal.as(upn);
    for (const answer of [await client.post('/api/setup-plans', { definition }), await client.get('/api/setups'), await client.get(`/api/runs/${run.id}`), await client.get(`/api/runs/${run.id}/events`), await client.post(`/api/runs/${run.id}/continue`, {}), await client.post(`/api/runs/${run.id}/stop`, {})]) {
      expect(answer.body).toMatchObject({ code: 'not-permitted' });
    }
  }
  expect(await portal.emulator.journal()).toEqual([]);
});
