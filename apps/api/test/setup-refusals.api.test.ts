import { PROPOSED_ROLE_SETTINGS, type Plan, type Run } from '@gatehouse/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MAYA, startPortal, type Client, type Reply, type TestPortal } from '../src/testing.ts';
import { fingerprint, UNKNOWN } from './samples.ts';

/** A setup that stands, whose group Entra shows as another kind of group from one moment on: at each way in, nothing is written. */
let portal: TestPortal;
let maya: Client;
let setup: { id: string; updatedAt: string; groupId: string; definition: ReturnType<typeof wish>; group: Record<string, unknown> };

interface Named { readonly id: string; readonly displayName: string }
const wish = (name: string, person: Named, application: Named & { kind: string }) => ({
  group: { kind: 'new', displayName: name, mailNickname: name, description: '' } as Record<string, unknown>, roleSettings: PROPOSED_ROLE_SETTINGS,
  eligible: [{ principalId: person.id, kind: 'user', displayName: person.displayName, days: 30 }],
  applications: [{ kind: 'existing', servicePrincipalId: application.id, displayName: application.displayName, applicationKind: application.kind }],
});

let another: (name: string) => ReturnType<typeof wish>;

beforeAll(async () => {
  portal = await startPortal();
  maya = await portal.as(MAYA);
  const [person] = (await maya.get('/api/directory/principals?kind=user&text=ana')).body.principals as Named[];
  const [application] = (await maya.get('/api/directory/applications')).body.applications as (Named & { kind: string })[];
  if (!person || !application) throw new Error('the seed has nobody and nothing to set up');
  another = (name) => wish(name, person, application);
  const definition = another('Refusals-Reader-SecureAccess');
  const { digest } = await planOf(definition);
  const run = await atRest((await maya.post('/api/setups', { definition, digest, irreversibleUnderstood: true })).body.id);
  expect(run.status).toBe('succeeded');
  const { groups } = await portal.emulator.state() as { groups: (Named & Record<string, unknown>)[] };
  const group = groups.find(({ displayName }) => displayName === definition.group['displayName']);
  if (!group) throw new Error('the setup made no group');
  const { id, displayName, mailNickname, securityEnabled } = group;
  setup = { id: run.setupId, updatedAt: (await maya.get(`/api/setups/${run.setupId}`)).body.updatedAt, groupId: id, definition, group: { id, displayName, mailNickname, securityEnabled, mailEnabled: false, groupTypes: [], onPremisesSyncEnabled: null, isAssignableToRole: false } };
});
afterEach(async () => { await portal.emulator.faults([]); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

async function planOf(definition: unknown): Promise<Plan> {
  const reply = await maya.post('/api/setup-plans', { definition });
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply.body;
}

/** Follows the run; whenever it waits for Entra, some of the tenant's time passes. */
async function atRest(runId: string): Promise<Run> {
  for (let waits = 0; waits < 100;) {
    const run = (await maya.get(`/api/runs/${runId}`)).body as Run;
    if (run.status !== 'running') {
      await portal.settle();
      return run;
    }
    if (!run.steps.some(({ status }) => status === 'waiting')) continue;
    waits += 1;
    await portal.advance('PT2S');
  }
  throw new Error('the run did not come to rest');
}

/** The tenant shows every group that is read by its key like this. */
const shown = (change: object): Promise<void> => portal.emulator.faults(['**/groups/*', '**/groups(*)'].map((path) => ({ match: { method: 'GET', path }, times: null, fault: { kind: 'status', status: 200, body: JSON.stringify({ ...setup.group, ...change }) } })));
/** A batch is written down by its envelope, too: what counts is what is in it. */
const writes = async (): Promise<string[]> => (await portal.emulator.journal()).filter(({ method, url }) => method !== 'GET' && !url.includes('getByIds') && !url.endsWith('$batch')).map(({ method, url }) => `${method} ${url}`);

async function untouched(act: () => Promise<Reply>): Promise<Reply> {
  await portal.emulator.clearJournal();
  const before = await fingerprint(portal.db);
  const reply = await act();
  expect(await writes()).toEqual([]);
  expect(await fingerprint(portal.db)).toBe(before);
  return reply;
}

const KINDS: readonly (readonly [what: string, change: object, word: RegExp])[] = [
  ['dynamic', { groupTypes: ['DynamicMembership'] }, /dynamic membership/],
  ['synchronised from on-premises', { onPremisesSyncEnabled: true }, /synchronised from an on-premises directory/],
  ['mail-enabled', { mailEnabled: true }, /mail-enabled/],
  ['a Microsoft 365 group', { mailEnabled: true, groupTypes: ['Unified'], securityEnabled: false }, /mail-enabled/],
  ['no security group', { securityEnabled: false }, /not a security group/],
];

describe.each(KINDS)('a group that is %s', (_what, change, word) => {
  const ways: readonly (readonly [way: string, definition: () => unknown, path: () => string])[] = [
    ['taken by a new setup', () => ({ ...setup.definition, group: { kind: 'existing', groupId: setup.groupId, displayName: 'Refusals-Reader-SecureAccess' } }), () => '/api/setups'],
    ['found under the natural key of a new one', () => another('Refusals-Second-SecureAccess'), () => '/api/setups'],
    ['of a setup that is changed', () => setup.definition, () => `/api/setups/${setup.id}/runs`],
  ];
  test.each(ways)('%s: refused at its step, and by apply', async (way, makeDefinition, path) => {
    const definition = makeDefinition();
    const { digest: fit } = await planOf(definition);
    const isFound = way.startsWith('found');
    await shown({ ...change, ...(isFound && { mailNickname: 'Refusals-Second-SecureAccess', displayName: 'Refusals-Second-SecureAccess' }) });
    const body = (digest: string) => ({ definition, digest, irreversibleUnderstood: true, ...(path() !== '/api/setups' && { unchangedSince: setup.updatedAt }) });
    // What was reviewed while the group was fit is not what stands now.
    expect((await untouched(() => maya.post(path(), body(fit)))).body.code).toBe('plan-changed');
    const { steps, digest } = await planOf(definition);
    expect(steps.find(({ kind }) => kind === 'create-group')).toMatchObject({ verdict: 'blocked', calls: [], blocked: { reason: expect.stringMatching(word) as string, mend: expect.stringMatching(/^Choose a/) as string } });
    const refused = await untouched(() => maya.post(path(), body(digest)));
    expect([refused.status, refused.body.code]).toEqual([409, 'plan-blocked']);
    expect(refused.body.detail).toMatch(word);
  });
});

test.each(KINDS.slice(0, 3).map(([what, change, word], index) => ({ what, change, word, name: `Refusals-Late${index}-SecureAccess` })))('a group that is $what as soon as it is made stops the run there, and continuing refuses too', async ({ change, word, name }) => {
  const definition = another(name);
  const { digest } = await planOf(definition);
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/groups/*' }, times: null, fault: { kind: 'status', status: 200, body: JSON.stringify({ ...setup.group, ...change }) } }]);
  await portal.emulator.clearJournal();
  const begun = await maya.post('/api/setups', { definition, digest, irreversibleUnderstood: true });
  expect(begun.status, JSON.stringify(begun.body)).toBe(202);
  const run = await atRest(begun.body.id);
  expect([run.status, ...run.steps.map(({ status }) => status)]).toEqual(['failed', 'failed', ...run.steps.slice(1).map(() => 'pending')]);
  expect(run.steps[0]?.detail).toMatch(word);
  expect((await writes()).map((write) => write.split(' ')[0])).toEqual(['PATCH']);

  await shown({ ...change, displayName: name, mailNickname: name });
  const continued = await untouched(() => maya.post(`/api/runs/${run.id}/continue`));
  expect([continued.status, continued.body.code]).toEqual([409, 'plan-blocked']);
  expect(continued.body.detail).toMatch(word);

  await portal.emulator.faults([]);
  const again = await maya.post(`/api/runs/${run.id}/continue`);
  expect(again.status, JSON.stringify(again.body)).toBe(202);
  expect((await atRest(run.id)).status).toBe('succeeded');
});

describe('a change of a setup is read as strictly as a new one', () => {
  test.each([
    ['a name of 257 characters', { group: { displayName: 'x'.repeat(257) } }, 'group.displayName'], ['no name', { group: { displayName: '' } }, 'group.displayName'],
    ['a nickname with @', { group: { mailNickname: 'Fin@Report' } }, 'group.mailNickname'], ['no nickname', { group: { mailNickname: '' } }, 'group.mailNickname'],
    ['a group id that is none', { group: { kind: 'existing', groupId: 'x', mailNickname: undefined, description: undefined } }, 'group.groupId'],
    ['nobody eligible', { eligible: [] }, 'eligible'], ['no application', { applications: [] }, 'applications'],
  ])('%s', async (_what, { group, ...rest }: Record<string, object>, field) => {
    const definition = { ...setup.definition, ...rest, group: { ...setup.definition.group, ...group } };
    for (const path of ['/api/setup-plans', '/api/setups', `/api/setups/${setup.id}/runs`]) {
      const reply = await untouched(() => maya.post(path, path === '/api/setup-plans' ? { definition } : { definition, digest: 'x', irreversibleUnderstood: true, ...(path !== '/api/setups' && { unchangedSince: setup.updatedAt }) }));
      expect([reply.status, reply.body.issues?.map((issue: { path: string }) => issue.path)], JSON.stringify(reply.body)).toEqual([400, [`body.definition.${field}`]]);
    }
  });

  test('another group than its own', async () => {
    const definition = { ...setup.definition, group: { kind: 'existing', groupId: UNKNOWN, displayName: 'Another' } };
    const reply = await untouched(() => maya.post(`/api/setups/${setup.id}/runs`, { definition, digest: 'x', irreversibleUnderstood: true, unchangedSince: setup.updatedAt }));
    expect([reply.status, reply.body.issues[0].path]).toEqual([400, 'body.definition.group']);
  });
});

test('what cannot be undone and was not in the plan of a run is not done by continuing it', async () => {
  const definition = { ...setup.definition, roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 60 } };
  const { digest } = await planOf(definition);
  await portal.emulator.faults([{ match: { method: 'PATCH', path: '**/roleManagementPolicies/*' }, times: null, fault: { kind: 'status', status: 503 } }]);
  const run = await atRest((await maya.post(`/api/setups/${setup.id}/runs`, { definition, digest, irreversibleUnderstood: false, unchangedSince: setup.updatedAt })).body.id);
  expect([run.status, run.steps.find(({ plan }) => plan.kind === 'onboard')?.plan.verdict]).toEqual(['failed', 'nothing']);

  // The group is deleted meanwhile: another one would have to be made, and onboarded.
  await portal.emulator.faults([
    { match: { method: 'GET', path: '**/groups(*)' }, times: null, fault: { kind: 'status', status: 404, code: 'Request_ResourceNotFound' } },
    { match: { method: 'GET', path: '**/groups' }, times: null, fault: { kind: 'status', status: 200, body: '{"value":[]}' } },
  ]);
  const refused = await untouched(() => maya.post(`/api/runs/${run.id}/continue`));
  expect([refused.status, refused.body.code], JSON.stringify(refused.body)).toEqual([409, 'plan-changed']);
});
