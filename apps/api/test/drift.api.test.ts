import type { Difference, Plan, SetupDefinition } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { definitionFor, EDITS, otherAdmin, type Edit, type OtherAdmin, type Site } from '../../../testing/out-of-band.ts';
import { begin, toItsRest, type Named } from '../../../testing/setup-runs.ts';
import { MAYA, startPortal, type Client, type TestPortal } from '../src/testing.ts';

/** Setups that an administrator changes past the portal: one for each kind of change, and some that nobody touches. */

const UNTOUCHED = 3;

interface Stage {
  readonly portal: TestPortal;
  readonly maya: Client;
  readonly erik: OtherAdmin;
  readonly people: Site['people'];
  /** One for each edit, and then those that nobody touches. */
  readonly setups: readonly { readonly id: string; readonly definition: SetupDefinition; readonly site: Omit<Site, 'now'> }[];
}

async function staged(): Promise<Stage> {
  const portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const [{ users, groups }, { body: { connectorGroups } }] = await Promise.all([portal.emulator.state(), maya.get('/api/directory/connector-groups')]);
  const idOf = (name: string): string => (users as Named[]).find(({ displayName }) => displayName === name)?.id ?? '';
  const people = { ana: idOf('Ana Costa'), ben: idOf('Ben Novak'), omar: idOf('Omar Haddad'), ines: idOf('Ines Moreau'), rachel: idOf('Rachel Stein') };
  const eu = (connectorGroups as Named[]).find(({ displayName }) => displayName === 'EU-1') as Named;
  const definitions = [...EDITS, ...Array.from({ length: UNTOUCHED }, () => ({}))].map((edit, index) => definitionFor(edit, index + 1, people, eu));
  const ids: string[] = [];
  for (const definition of definitions) {
    const run = await begin(maya, definition);
    const { status, steps } = await toItsRest(portal, maya, run.id);
    expect(status, JSON.stringify(steps.filter((one) => one.status !== 'done'))).toBe('succeeded');
    ids.push(run.setupId);
  }
  const state = await portal.emulator.state();
  const setups = definitions.map((definition, index) => {
    const nameOf = definition.applications[0]?.displayName;
    const application = state.applications.find((one: Named) => one.displayName === nameOf);
    const principal = state.servicePrincipals.find((one: Named) => one.displayName === nameOf);
    const group = state.groups.find((one: Named) => one.displayName === definition.group.displayName);
    return { id: ids[index] ?? '', definition, site: { groupId: group.id, servicePrincipalId: principal.id, applicationObjectId: application.id, people, otherGroupId: groups[0].id } };
  });
  // What the runs did is in the log by then.
  await portal.advance('PT2M');
  await portal.syncNow();
  await portal.advance('PT1S');
  return { portal, maya, erik: await otherAdmin(portal.emulator.url), people, setups };
}

/** Ten minutes later, past what PIM does not take back at once, everything is changed. */
async function edited({ portal, erik, setups }: Stage): Promise<void> {
  await portal.advance('PT10M');
  for (const [index, edit] of EDITS.entries()) {
    const { site } = setups[index] as Stage['setups'][number];
    await edit.do(erik, { ...site, now: portal.now() });
  }
  // The log shows them some time later.
  await portal.advance('PT2M');
  await portal.syncNow();
}

const differencesOf = async ({ maya, setups }: Stage, index: number): Promise<readonly Difference[]> => (await maya.get(`/api/setups/${setups[index]?.id ?? ''}/drift`)).body.differences;

let stage: Stage;
beforeAll(async () => { stage = await staged(); }, 180_000);
afterAll(async () => { await stage.portal[Symbol.asyncDispose](); });

describe('what is changed past the portal is found in one pass', () => {
  test('before it, no setup differs, and another pass asks Graph nothing', async () => {
    await stage.portal.product.tasks.watch();
    const { body: { setups } } = await stage.maya.get('/api/drift');
    expect(setups).toHaveLength(EDITS.length + UNTOUCHED);
    expect(setups.flatMap(({ name, differences }: { name: string; differences: Difference[] }) => differences.map(({ title }) => `${name}: ${title}`))).toEqual([]);
    expect(setups.every(({ lookedAt }: { lookedAt: string | null }) => lookedAt !== null)).toBe(true);
    await stage.portal.emulator.clearJournal();
    await stage.portal.product.tasks.watch();
    expect(await stage.portal.emulator.journal()).toEqual([]);
  });

  test('one pass', async () => {
    await edited(stage);
    await stage.portal.emulator.clearJournal();
    await stage.portal.product.tasks.watch();
    // Nobody touched the last ones, and nothing is asked about them.
    const urls = JSON.stringify((await stage.portal.emulator.journal()).map(({ url }) => url));
    for (const { site } of stage.setups.slice(EDITS.length)) expect(urls).not.toContain(site.groupId);
    for (const { site } of stage.setups.slice(0, EDITS.length)) expect(urls).toContain(site.groupId);
  });

  test.each(EDITS.map((edit, index) => ({ ...edit, index })))('$name', async ({ kind, severity, index }) => {
    const differences = await differencesOf(stage, index);
    expect(differences.map((one) => ({ kind: one.kind, severity: one.severity, by: one.by?.name }))).toEqual([{ kind, severity, by: 'Erik Sandberg' }]);
  });

  test('those that nobody touched are as designed', async () => {
    for (let index = EDITS.length; index < stage.setups.length; index += 1) expect(await differencesOf(stage, index)).toEqual([]);
    const { body: { setups } } = await stage.maya.get('/api/setups');
    expect(setups.find(({ id }: { id: string }) => id === stage.setups.at(-1)?.id).drift).toMatchObject({ differences: 0, bypasses: 0 });
    expect(setups.find(({ id }: { id: string }) => id === stage.setups[0]?.id).drift).toMatchObject({ differences: 1, bypasses: 1 });
  });

  test('the history tells that it was found', async () => {
    const { rows } = await stage.portal.db.pool.query(`SELECT count(*)::int AS count, count(DISTINCT group_id)::int AS groups FROM audit_event WHERE activity = 'setup.drift-found' AND actor_name = 'Gatehouse'`);
    expect(rows).toEqual([{ count: EDITS.length, groups: EDITS.length }]);
  });
});

/** No plan of ours brings these back, and the page says what does. */
const BY_HAND = ['application-disabled', 'group-renamed'];

describe('restored, the tenant is as the setup says', () => {
  test.each(EDITS.map((edit, index) => ({ ...edit, index })).filter(({ kind }) => !BY_HAND.includes(kind)))('$name', async ({ index }) => {
    const { portal, maya, setups } = stage;
    const { id } = setups[index] as Stage['setups'][number];
    const keys = (await differencesOf(stage, index)).map(({ key }) => key);
    const { body: plan } = await maya.post(`/api/setups/${id}/restore-plans`, { keys }) as { body: Plan };
    expect(plan.changes, JSON.stringify(plan)).toBeGreaterThan(0);
    const begun = await maya.post(`/api/setups/${id}/restore`, { keys, digest: plan.digest, irreversibleUnderstood: true });
    expect(begun.status, JSON.stringify(begun.body)).toBe(202);
    const run = await toItsRest(portal, maya, begun.body.id);
    expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
    expect(run.restores).toBe(true);
    await portal.settle();
    const { body } = await maya.post(`/api/setups/${id}/drift`, {});
    expect(body.differences).toEqual([]);
  });

  test.each(EDITS.map((edit, index) => ({ ...edit, index })).filter(({ kind }) => BY_HAND.includes(kind)))('$name: said to be mended in Entra', async ({ index }) => {
    const [difference] = await differencesOf(stage, index);
    expect(difference).toMatchObject({ restorable: false });
    expect(difference?.mend).toMatch(/in Entra/);
    const { body: plan } = await stage.maya.post(`/api/setups/${stage.setups[index]?.id ?? ''}/restore-plans`, { keys: [difference?.key] });
    expect(plan).toMatchObject({ changes: 0, warnings: [{ code: 'not-restorable' }] });
  });
});

/** Of these the setup says what must be. */
const NEVER_TAKEN = ['assignment-not-required', 'application-disabled', 'group-gone'];
/** The setup would open nothing then. */
const LAST = ['application-unassigned', 'application-gone'];
const isTaken = ({ kind, besides }: Edit): boolean => besides !== true && ![...NEVER_TAKEN, ...LAST].includes(kind);
/** Done once already, and not done again. */
const STANDING = ['application-disabled', 'group-renamed'];

describe('accepted, the setup is as the tenant is', () => {
  beforeAll(async () => {
    const { portal, erik, setups } = stage;
    await portal.advance('PT10M');
    for (const [index, edit] of EDITS.entries()) {
      const one = setups[index] as Stage['setups'][number];
      if (STANDING.includes(edit.kind) || edit.kind === 'group-gone') continue;
      const state = await portal.emulator.state();
      const principal = state.servicePrincipals.find(({ displayName }: Named) => displayName === one.definition.applications[0]?.displayName);
      const application = state.applications.find(({ displayName }: Named) => displayName === one.definition.applications[0]?.displayName);
      await edit.do(erik, { ...one.site, servicePrincipalId: principal.id, applicationObjectId: application.id, now: portal.now() });
    }
    // PIM puts somebody in a moment later.
    await portal.advance('PT1M');
  }, 60_000);

  test.each(EDITS.map((edit, index) => ({ ...edit, index })).filter((edit) => isTaken(edit)))('$name', async ({ index, kind }) => {
    const { maya, setups } = stage;
    const { id } = setups[index] as Stage['setups'][number];
    const { body: before } = await maya.post(`/api/setups/${id}/drift`, {});
    expect(before.differences).toMatchObject([{ kind }]);
    const { status, body: after } = await maya.post(`/api/setups/${id}/accept`, { keys: [before.differences[0].key] });
    expect(status, JSON.stringify(after)).toBe(200);
    expect(after.differences).toEqual([]);
    // A look of another time sees none either, and the setup as it is now has nothing to do.
    expect((await maya.post(`/api/setups/${id}/drift`, {})).body.differences).toEqual([]);
    const { definition } = (await maya.get(`/api/setups/${id}`)).body;
    expect((await maya.post('/api/setup-plans', { definition })).body).toMatchObject({ changes: 0 });
  });

  test.each(EDITS.map((edit, index) => ({ ...edit, index })).filter((edit) => !isTaken(edit) && edit.kind !== 'group-gone'))('$name: refused, and the setup stays as it is', async ({ index }) => {
    const { maya, setups } = stage;
    const { id } = setups[index] as Stage['setups'][number];
    const { body: { differences: [difference] } } = await maya.post(`/api/setups/${id}/drift`, {});
    const { body: setup } = await maya.get(`/api/setups/${id}`);
    const refused = await maya.post(`/api/setups/${id}/accept`, { keys: [difference.key] });
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(refused.body.detail).toMatch(/restore it|wizard/);
    expect((await maya.get(`/api/setups/${id}`)).body.definition).toEqual(setup.definition);
  });

  test('what differs no more cannot be taken', async () => {
    const { id } = stage.setups.at(-1) as Stage['setups'][number];
    expect(await stage.maya.post(`/api/setups/${id}/accept`, { keys: ['member-added:nobody'] })).toMatchObject({ status: 409, body: { detail: expect.stringMatching(/does not differ/) } });
  });
});

describe('together', () => {
  test('of acceptances at once none is lost: each is in the setup, or was refused', async () => {
    const { portal, maya, erik, people, setups } = stage;
    const { id, site } = setups.at(-2) as Stage['setups'][number];
    for (const owner of [people.rachel, people.ana, people.ben]) await erik.graph('POST', `/v1.0/groups/${site.groupId}/owners/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${owner}` });
    const { body: { differences } } = await maya.post(`/api/setups/${id}/drift`, {}) as { body: { differences: Difference[] } };
    expect(differences.map(({ kind }) => kind)).toEqual(['owner-added', 'owner-added', 'owner-added']);
    const replies = await Promise.all(differences.map(async ({ key }) => ({ key, status: (await maya.post(`/api/setups/${id}/accept`, { keys: [key] })).status })));
    expect(replies.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const owners = (await maya.get(`/api/setups/${id}`)).body.definition.owners.map(({ principalId }: { principalId: string }) => `owner-added:${principalId}`);
    const taken = replies.filter(({ status }) => status === 200).map(({ key }) => key);
    expect(taken.length).toBeGreaterThan(0);
    for (const { key, status } of replies) expect(owners.includes(key), key).toBe(status === 200);
    await portal.settle();
  });

  test('what was taken into a setup is not taken back by a batch that was planned, or a run that was begun, before', async () => {
    const { portal, maya, erik, people, setups } = stage;
    const { id, site } = setups.at(-3) as Stage['setups'][number];
    const { body: { definition } } = await maya.get(`/api/setups/${id}`);
    const takeOwner = async (owner: string): Promise<void> => {
      await portal.advance('PT1S');
      await erik.graph('POST', `/v1.0/groups/${site.groupId}/owners/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${owner}` });
      await maya.post(`/api/setups/${id}/drift`, {});
      expect((await maya.post(`/api/setups/${id}/accept`, { keys: [`owner-added:${owner}`] })).status).toBe(200);
    };

    const { body: batch } = await maya.post('/api/setup-changes', { setupIds: [id], change: { requireTicket: true } });
    await portal.settle();
    await takeOwner(people.rachel);
    expect((await maya.post(`/api/setup-batches/${batch.id}/apply`, { irreversibleUnderstood: true })).status).toBe(202);
    await portal.settle();
    expect((await maya.get(`/api/setup-batches/${batch.id}`)).body.rows).toMatchObject([{ status: 'failed', detail: expect.stringMatching(/changed since this was planned/) }]);

    const kept = (await maya.get(`/api/setups/${id}`)).body.definition;
    expect(kept.owners).toHaveLength(definition.owners.length + 1);
    await portal.emulator.faults([{ match: { method: 'PATCH', path: '**/roleManagementPolicies/*' }, times: null, fault: { kind: 'status', status: 503 } }]);
    const run = await begin(maya, { ...kept, roleSettings: { ...kept.roleSettings, requireTicket: true } }, id);
    expect((await toItsRest(portal, maya, run.id)).status).toBe('failed');
    await portal.emulator.faults([]);
    await portal.settle();
    await takeOwner(people.ana);
    expect(await maya.post(`/api/runs/${run.id}/continue`, {})).toMatchObject({ status: 409, body: { code: 'plan-changed', detail: expect.stringMatching(/since this run began/) } });
    expect((await maya.get(`/api/setups/${id}`)).body.definition.owners).toHaveLength(definition.owners.length + 2);
  });

  test('several differences of one setup are restored by one run', async () => {
    const { portal, maya, setups } = stage;
    const { id } = setups.at(-2) as Stage['setups'][number];
    const { body: setup } = await maya.get(`/api/setups/${id}`);
    const { erik, people } = stage;
    const { site } = setups.at(-2) as Stage['setups'][number];
    await erik.graph('POST', `/v1.0/groups/${site.groupId}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${people.rachel}` });
    await erik.graph('PATCH', `/v1.0/servicePrincipals/${site.servicePrincipalId}`, { appRoleAssignmentRequired: false });
    const { body: { differences } } = await maya.post(`/api/setups/${id}/drift`, {}) as { body: { differences: Difference[] } };
    const keys = differences.map(({ key }) => key);
    expect(keys.length).toBeGreaterThanOrEqual(2);
    const { body: plan } = await maya.post(`/api/setups/${id}/restore-plans`, { keys });
    expect((await maya.post(`/api/setups/${id}/restore`, { keys, digest: 'another', irreversibleUnderstood: true }))).toMatchObject({ status: 409, body: { code: 'plan-changed' } });
    const begun = await maya.post(`/api/setups/${id}/restore`, { keys, digest: plan.digest, irreversibleUnderstood: true });
    expect((await toItsRest(portal, maya, begun.body.id)).status).toBe('succeeded');
    await portal.settle();
    expect((await maya.post(`/api/setups/${id}/drift`, {})).body.differences).toEqual([]);
    expect((await maya.get(`/api/setups/${id}`)).body.definition).toEqual(setup.definition);
    // It is not undone: to have it otherwise, the setup is changed.
    expect(await maya.post(`/api/runs/${begun.body.id}/undo-plans`, {})).toMatchObject({ status: 409, body: { code: 'undo-refused' } });
  });
});

describe('connectors, which Graph shows to people alone', () => {
  const CONNECTORS = ['ber-conn-01', 'ber-conn-02'];
  const turn = (status: 'active' | 'inactive'): Promise<void> => stage.portal.emulator.settings({ connectors: Object.fromEntries(CONNECTORS.map((name) => [name, status])) });
  const lastSetup = () => stage.setups.at(-1) as Stage['setups'][number];
  const seen = async () => (await stage.maya.get(`/api/setups/${lastSetup().id}/drift`)).body;
  const look = async () => (await stage.maya.post(`/api/setups/${lastSetup().id}/drift`, {})).body;
  /** One pass that looks at everything, as the portal itself. */
  const pass = async (): Promise<void> => {
    await stage.portal.advance('PT1M');
    expect((await stage.maya.post('/api/drift', {})).status).toBe(202);
    await stage.portal.advance('PT1S');
    await stage.portal.emulator.clearJournal();
    await stage.portal.product.tasks.watch();
    expect((await stage.portal.emulator.journal()).filter(({ url }) => url.includes('connectorGroup'))).toEqual([]);
  };

  test('a connector group without a live one is found by a person, kept by a pass that cannot see it, and ends when a person sees one live', async () => {
    expect(await look()).toMatchObject({ differences: [], notSeen: [] });
    await turn('inactive');
    await pass();
    expect(await seen()).toMatchObject({ differences: [], notSeen: [expect.stringMatching(/^Connectors/)] });
    const { name } = lastSetup().definition.applications.map(({ displayName }) => ({ name: displayName }))[0] ?? { name: '' };
    const dead = { kind: 'connector-group-dead', severity: 'broken', title: `No connector of EU-1 is live, so nobody reaches ${name}`, found: '0 of 2 live', restorable: false, acceptable: false, mend: expect.stringMatching(/^Start a connector/) };
    expect((await look()).differences).toMatchObject([dead]);
    const { firstSeenAt } = (await seen()).differences[0];
    await pass();
    expect(await seen()).toMatchObject({ differences: [{ ...dead, firstSeenAt }], notSeen: [expect.stringMatching(/^Connectors/)] });
    await turn('active');
    await pass();
    // It may live by now: the pass does not know, and says so.
    expect(await seen()).toMatchObject({ differences: [{ ...dead, firstSeenAt }], notSeen: [expect.stringMatching(/^Connectors/)] });
    expect(await look()).toMatchObject({ differences: [], notSeen: [] });
  });

  test('the wizard’s plan warns of a connector group without a live one', async () => {
    const { definition } = (await stage.maya.get(`/api/setups/${lastSetup().id}`)).body;
    const warnings = async (): Promise<string[]> => (await stage.maya.post('/api/setup-plans', { definition })).body.warnings.map(({ code }: { code: string }) => code);
    const groups = async () => (await stage.maya.get('/api/directory/connector-groups')).body.connectorGroups.find(({ displayName }: Named) => displayName === 'EU-1');
    expect(await warnings()).not.toContain('no-live-connector');
    await turn('inactive');
    expect(await warnings()).toContain('no-live-connector');
    expect(await groups()).toMatchObject({ live: 0, total: 2 });
    await turn('active');
    expect(await warnings()).not.toContain('no-live-connector');
  });

  test('an application that is reached through another connector group is found by a person, kept by a pass, restored, or taken', async () => {
    const { portal, maya, erik } = stage;
    const { id, site, definition } = lastSetup();
    const { body: { connectorGroups } } = await maya.get('/api/directory/connector-groups');
    const america = (connectorGroups as Named[]).find(({ displayName }) => displayName === 'US-1') as Named;
    const move = (): Promise<unknown> => erik.graph('PUT', `/beta/applications/${site.applicationObjectId}/connectorGroup/$ref`, { '@odata.id': `https://graph.microsoft.com/beta/onPremisesPublishingProfiles/applicationproxy/connectorGroups/${america.id}` });
    await move();
    await portal.advance('PT2M');
    await portal.syncNow();
    const moved = { key: `connector-group-changed:new:${definition.applications[0]?.displayName.toLowerCase() ?? ''}`, severity: 'changed', expected: 'EU-1', found: 'US-1', by: { name: 'Erik Sandberg' } };
    expect((await look()).differences).toMatchObject([moved]);
    await pass();
    expect((await seen()).differences).toMatchObject([moved]);

    const keys = [moved.key];
    const { body: plan } = await maya.post(`/api/setups/${id}/restore-plans`, { keys }) as { body: Plan };
    expect(plan.steps.filter(({ verdict }) => verdict !== 'nothing')).toMatchObject([{ kind: 'publish-application', verdict: 'change', changes: [{ from: 'US-1', to: 'EU-1' }] }]);
    const begun = await maya.post(`/api/setups/${id}/restore`, { keys, digest: plan.digest, irreversibleUnderstood: true });
    expect((await toItsRest(portal, maya, begun.body.id)).status).toBe('succeeded');
    await portal.settle();
    expect((await look()).differences).toEqual([]);

    await move();
    expect((await look()).differences).toMatchObject([{ key: moved.key }]);
    expect((await maya.post(`/api/setups/${id}/accept`, { keys })).body).toMatchObject({ differences: [] });
    const { body: { definition: taken } } = await maya.get(`/api/setups/${id}`);
    expect(taken.applications).toMatchObject([{ connectorGroupId: america.id, connectorGroupName: 'US-1' }]);
    expect((await look()).differences).toEqual([]);
    expect((await maya.post('/api/setup-plans', { definition: taken })).body).toMatchObject({ changes: 0 });
  });
});
