import { PROPOSED_ROLE_SETTINGS, type Plan, type Run } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';
import { otherAdmin } from '../../../../../testing/out-of-band.ts';
import { applyNow } from '../../../../../testing/setup-runs.ts';
import { canonical } from './steps.rules.ts';

/** Taking back what a run made: the tenant is then as it was before, but for what cannot be undone and what others put there. */

interface Named { readonly id: string; readonly displayName: string }
const NAME = 'Ledger-Clerk-SecureAccess';

async function prepared(more: Record<string, unknown> = {}) {
  const portal = await startPortal();
  const maya = await portal.as(MAYA);
  const find = async (text: string): Promise<Named> => ((await maya.get(`/api/directory/principals?kind=user&text=${encodeURIComponent(text)}`)).body.principals as Named[])[0] as Named;
  const [ana, ben, omar] = [await find('ana costa'), await find('ben novak'), await find('omar haddad')];
  const applications = (await maya.get('/api/directory/applications')).body.applications as (Named & { kind: string })[];
  const finance = applications.find((one) => one.displayName === 'Finance reports') as Named & { kind: string };
  const connectors = ((await maya.get('/api/directory/connector-groups')).body.connectorGroups as Named[]).find((one) => one.displayName === 'EU-1') as Named;
  const definition = {
    group: { kind: 'new', displayName: NAME, mailNickname: NAME }, roleSettings: PROPOSED_ROLE_SETTINGS,
    eligible: [ana, ben].map(({ id, displayName }) => ({ principalId: id, kind: 'user', displayName, days: 90 })),
    applications: [
      { kind: 'existing', servicePrincipalId: finance.id, displayName: finance.displayName, applicationKind: finance.kind },
      { kind: 'new', displayName: 'Ledger', connectorGroupId: connectors.id, connectorGroupName: 'EU-1', segments: [{ host: 'ledger.corp.contoso.example', ports: '443', protocol: 'tcp' }] },
    ],
    ...more,
  };
  return { portal, maya, ana, ben, omar, finance, definition, [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose]() };
}

/** Follows a run to its rest; while it waits for Entra the tenant's time passes. */
async function atRest(portal: TestPortal, maya: Client, runId: string): Promise<Run> {
  for (;;) {
    const { body: run } = await maya.get(`/api/runs/${runId}`) as { body: Run };
    if (run.status !== 'running') {
      await portal.settle();
      return run;
    }
    if (run.steps.some(({ status }) => status === 'waiting')) await portal.advance('PT20S');
  }
}

async function applied(portal: TestPortal, maya: Client, definition: unknown, setupId?: string): Promise<Run> {
  const begun = await applyNow(maya, definition, setupId);
  expect(begun.status, JSON.stringify(begun.body)).toBe(202);
  const run = await atRest(portal, maya, begun.body.id);
  expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
  return run;
}

async function undone(portal: TestPortal, maya: Client, runId: string): Promise<{ readonly plan: Plan; readonly run: Run }> {
  const { body: plan } = await maya.post(`/api/runs/${runId}/undo-plans`, {}) as { body: Plan };
  const begun = await maya.post(`/api/runs/${runId}/undo`, { digest: plan.digest, irreversibleUnderstood: true });
  expect(begun.status, JSON.stringify(begun.body)).toBe(202);
  return { plan, run: await atRest(portal, maya, begun.body.id) };
}

/** What an admin calls the configuration of the tenant, in an order of its own. */
async function configuration(portal: TestPortal): Promise<unknown> {
  const { groups, pim, applications, servicePrincipals, appRoleAssignments } = await portal.emulator.state();
  const sorted = (list: readonly object[]): string[] => list.map((one) => canonical(one)).sort();
  return {
    groups: sorted(groups), eligible: sorted(pim.schedules.map(({ kind, principalId, groupId, accessId, endsAt }: Record<string, unknown>) => ({ kind, principalId, groupId, accessId, endsAt }))),
    policies: sorted(pim.policies.map(({ groupId, accessId, rules }: Record<string, unknown>) => ({ groupId, accessId, rules }))),
    applications: sorted(applications), servicePrincipals: sorted(servicePrincipals), assignments: sorted(appRoleAssignments),
  };
}

test('a run that made everything is taken back to the last object', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const before = await configuration(portal);
  const run = await applied(portal, maya, definition);
  expect(await configuration(portal)).not.toEqual(before);

  const { plan, run: undo } = await undone(portal, maya, run.id);
  expect(plan.steps.map(({ verdict, kind }) => `${verdict} ${kind}`)).toEqual(['delete unassign-application', 'delete unassign-application', 'delete delete-application', 'delete delete-group']);
  expect(undo.status, JSON.stringify(undo.steps)).toBe('succeeded');
  for (const step of undo.steps) expect(step).toMatchObject({ status: 'done', detail: expect.stringContaining('verified by reading back') as string });
  expect(await configuration(portal)).toEqual(before);

  expect(undo).toMatchObject({ undoes: run.id, undoneBy: null });
  expect((await maya.get(`/api/runs/${run.id}`)).body).toMatchObject({ undoes: null, undoneBy: undo.id });
  expect((await maya.get(`/api/setups/${run.setupId}`)).body).toMatchObject({ retiredAt: portal.now().toISOString(), groupId: null });
  const told = (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', kind: 'portal-setup' } })).map(({ activity }) => activity);
  expect(told.filter((activity) => activity.startsWith('setup.undo')).sort()).toEqual(['setup.undo-finished', 'setup.undo-started']);

  // What was taken back can be had again, by the same setup or by another.
  const again = await applied(portal, maya, definition, run.setupId);
  expect((await maya.get(`/api/setups/${run.setupId}`)).body).toMatchObject({ retiredAt: null, groupId: expect.any(String) });
  await undone(portal, maya, again.id);
  expect((await applied(portal, maya, definition)).setupId).not.toBe(run.setupId);
});

test('a change is taken back to what stood before it, and the setup with it', async () => {
  await using all = await prepared();
  const { portal, maya, omar, ana, definition } = all;
  const first = await applied(portal, maya, definition);
  const before = await configuration(portal);
  const changed = {
    ...definition, owners: [{ principalId: omar.id, displayName: omar.displayName }],
    roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 60, requireTicket: true }, ownerRoleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 45 },
    eligible: [...definition.eligible.map((one) => (one.principalId === ana.id ? { ...one, days: 180 } : one)), { principalId: omar.id, kind: 'user', displayName: omar.displayName, days: 30 }],
  };
  const second = await applied(portal, maya, changed, first.setupId);
  expect(await configuration(portal)).not.toEqual(before);

  const { plan, run: undo } = await undone(portal, maya, second.id);
  expect(plan.steps.map(({ verdict, kind }) => `${verdict} ${kind}`).sort()).toEqual(['change restore-eligible', 'change restore-owner-role-settings', 'change restore-role-settings', 'delete remove-eligible', 'delete remove-owner']);
  expect(plan.steps.find(({ kind }) => kind === 'restore-role-settings')?.changes).toEqual([{ field: 'Activation lasts at most', from: '1 h', to: '30 min' }, { field: 'Ticket at activation', from: 'required', to: 'not required' }]);
  expect(undo.status, JSON.stringify(undo.steps)).toBe('succeeded');
  expect(await configuration(portal)).toEqual(before);
  expect((await maya.get(`/api/setups/${first.setupId}`)).body).toMatchObject({ retiredAt: null, definition: { roleSettings: { activationMaxMinutes: 30 }, owners: [], ownerRoleSettings: null } });
  // Then the one before it can go as well.
  expect((await undone(portal, maya, first.id)).run.status).toBe('succeeded');
});

test('what others have put there since stays, and is named', async () => {
  await using all = await prepared();
  const { portal, maya, omar, definition } = all;
  const run = await applied(portal, maya, definition);
  // Somebody makes another person eligible, past this setup's run: here by a second run.
  const later = await applied(portal, maya, { ...definition, eligible: [...definition.eligible, { principalId: omar.id, kind: 'user', displayName: omar.displayName, days: 30 }] }, run.setupId);
  const refused = await maya.post(`/api/runs/${run.id}/undo-plans`, {});
  expect(refused.body).toMatchObject({ status: 409, code: 'undo-refused', detail: 'A later run of this setup stands. Undo that one first.', run: { id: later.id, setupId: run.setupId, actorName: 'Maya Lindqvist', startedAt: later.createdAt } });

  await portal.db.pool.query(`DELETE FROM setup_run WHERE id <> $1`, [run.id]);
  const { body: plan } = await maya.post(`/api/runs/${run.id}/undo-plans`, {}) as { body: Plan };
  expect(plan.warnings.map(({ code }) => code).sort()).toEqual(['group-kept', 'stays-onboarded']);
  expect(plan.steps.map(({ kind }) => kind)).not.toContain('delete-group');
  const { run: undo } = await undone(portal, maya, run.id);
  expect(undo.status, JSON.stringify(undo.steps)).toBe('succeeded');
  const { groups, pim } = await portal.emulator.state();
  const group = groups.find((one: Named) => one.displayName === NAME);
  expect(pim.schedules.filter((one: { groupId: string; kind: string }) => one.groupId === group.id && one.kind === 'eligibility').map(({ principalId }: { principalId: string }) => principalId)).toEqual([omar.id]);
});

test('an eligibility that has just begun is waited for: PIM takes none back within five minutes', async () => {
  await using all = await prepared();
  const { portal, maya, omar, definition } = all;
  const first = await applied(portal, maya, definition);
  const second = await applied(portal, maya, { ...definition, eligible: [...definition.eligible, { principalId: omar.id, kind: 'user', displayName: omar.displayName, days: 30 }] }, first.setupId);
  const { body: plan } = await maya.post(`/api/runs/${second.id}/undo-plans`, {}) as { body: Plan };
  const { body: begun } = await maya.post(`/api/runs/${second.id}/undo`, { digest: plan.digest, irreversibleUnderstood: true }) as { body: Run };
  let seen = begun;
  while (!seen.steps.some(({ status }) => status === 'waiting')) ({ body: seen } = await maya.get(`/api/runs/${begun.id}`));
  expect(seen.steps.find(({ status }) => status === 'waiting')?.detail).toMatch(/^PIM ends no eligibility within five minutes of its beginning: it goes on in \d+ min\.$/);
  await portal.advance('PT5M');
  expect((await atRest(portal, maya, begun.id)).status).toBe('succeeded');
});

test('an undo that is cut off is continued, and what it takes back is taken back once', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const before = await configuration(portal);
  const run = await applied(portal, maya, definition);
  await portal.emulator.faults([{ match: { method: 'DELETE', path: '/v1.0/groups/*' }, times: null, fault: { kind: 'status', status: 503 } }]);
  const { run: failed } = await undone(portal, maya, run.id);
  expect([failed.status, failed.steps.at(-1)?.status]).toEqual(['failed', 'failed']);
  await portal.emulator.faults([]);
  expect((await maya.post(`/api/runs/${failed.id}/continue`, {})).status).toBe(202);
  const finished = await atRest(portal, maya, failed.id);
  expect(finished.status, JSON.stringify(finished.steps)).toBe('succeeded');
  expect(finished.steps.map(({ status }) => status)).toEqual(finished.steps.map(() => 'done'));
  expect(await configuration(portal)).toEqual(before);
  expect((await maya.get(`/api/setups/${run.setupId}`)).body.retiredAt).not.toBeNull();
});

test('each run is taken back once, by a plan that was seen, with a tick for what does not come back', async () => {
  await using all = await prepared();
  const { portal, maya, definition } = all;
  const run = await applied(portal, maya, definition);
  const { body: plan } = await maya.post(`/api/runs/${run.id}/undo-plans`, {}) as { body: Plan };
  const unticked = await maya.post(`/api/runs/${run.id}/undo`, { digest: plan.digest, irreversibleUnderstood: false });
  expect([unticked.status, unticked.body.issues?.[0].path]).toEqual([400, 'body.irreversibleUnderstood']);
  const other = await maya.post(`/api/runs/${run.id}/undo`, { digest: 'another', irreversibleUnderstood: true });
  expect([other.status, other.body.code, other.body.plan?.digest]).toEqual([409, 'plan-changed', plan.digest]);

  const answers = await Promise.all([1, 2, 3].map(() => maya.post(`/api/runs/${run.id}/undo`, { digest: plan.digest, irreversibleUnderstood: true })));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  const undo = answers.find(({ status }) => status === 202)?.body as Run;
  expect((await atRest(portal, maya, undo.id)).status).toBe('succeeded');
  expect((await maya.post(`/api/runs/${run.id}/undo-plans`, {})).status).toBe(409);
  expect((await maya.post(`/api/runs/${undo.id}/undo-plans`, {})).status).toBe(409);
});

test('what was taken into the setup since stays in it, unless the run changed the same: the plan says that', async () => {
  await using all = await prepared();
  const { portal, maya, ana, omar, definition } = all;
  const first = await applied(portal, maya, definition);
  const second = await applied(portal, maya, { ...definition, eligible: [...definition.eligible, { principalId: omar.id, kind: 'user', displayName: omar.displayName, days: 30 }] }, first.setupId);
  await portal.advance('PT6M');
  expect((await maya.post(`/api/setups/${first.setupId}/drift`, {})).body.differences).toEqual([]);
  const erik = await otherAdmin(portal.emulator.url);
  const { groupId } = (await maya.get(`/api/setups/${first.setupId}`)).body;
  const longer = async (principalId: string): Promise<void> => {
    await erik.graph('POST', '/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleRequests', {
      accessId: 'member', principalId, groupId, action: 'adminUpdate', justification: 'Past the portal', scheduleInfo: { startDateTime: portal.now().toISOString(), expiration: { type: 'afterDateTime', endDateTime: new Date(portal.now().getTime() + 200 * 24 * 60 * 60_000).toISOString() } },
    });
  };
  await erik.graph('POST', `/v1.0/groups/${groupId}/owners/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${omar.id}` });
  await longer(ana.id);
  await longer(omar.id);
  await portal.advance('PT1M');
  const { body: { differences } } = await maya.post(`/api/setups/${first.setupId}/drift`, {}) as { body: { differences: { key: string }[] } };
  const accepted = await maya.post(`/api/setups/${first.setupId}/accept`, { keys: differences.map(({ key }) => key) });
  expect(accepted, JSON.stringify(accepted.body)).toMatchObject({ status: 200, body: { differences: [] } });

  await portal.advance('PT6M');
  const { plan, run: undo } = await undone(portal, maya, second.id);
  expect(plan.warnings).toMatchObject([{ code: 'change-lost', message: expect.stringMatching(/^The eligibility of Omar Haddad: the run changed it as well/) }]);
  expect(undo.status, JSON.stringify(undo.steps)).toBe('succeeded');
  const { body: { definition: after } } = await maya.get(`/api/setups/${first.setupId}`);
  expect(after.owners.map(({ principalId }: { principalId: string }) => principalId)).toEqual([omar.id]);
  expect(after.eligible.map(({ principalId, days }: { principalId: string; days: number }) => [principalId, days])).toEqual([[ana.id, 200], [definition.eligible[1]?.principalId, 90]]);
  expect((await maya.post(`/api/setups/${first.setupId}/drift`, {})).body.differences).toEqual([]);
});
