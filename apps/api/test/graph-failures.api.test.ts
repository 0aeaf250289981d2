import { PROPOSED_ROLE_SETTINGS } from '@gatehouse/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ANA, MAYA, OMAR, startPortal, type Client, type Reply, type TestPortal } from '../src/testing.ts';

/** What a person sees while Graph is down, busy or talks nonsense: what is known, what is not, and nothing done that is not. */
let portal: TestPortal;
let ana: Client;
let maya: Client;
let omar: Client;
let buildGroup: string;
let definition: unknown;

beforeAll(async () => {
  portal = await startPortal();
  [ana, maya, omar] = [await portal.as(ANA), await portal.as(MAYA), await portal.as(OMAR)];
  await portal.syncNow();
  buildGroup = (await ana.get('/api/access')).body.entries.find(({ groupName }: { groupName: string }) => groupName.startsWith('Build-')).groupId;
  const [person] = (await maya.get('/api/directory/principals?kind=user&text=ana')).body.principals;
  const [application] = (await maya.get('/api/directory/applications')).body.applications;
  definition = {
    group: { kind: 'new', displayName: 'Faults-Reader-SecureAccess', mailNickname: 'Faults-Reader-SecureAccess', description: '' }, roleSettings: PROPOSED_ROLE_SETTINGS,
    eligible: [{ principalId: person.id, kind: 'user', displayName: person.displayName, days: 30 }],
    applications: [{ kind: 'existing', servicePrincipalId: application.id, displayName: application.displayName, applicationKind: application.kind }],
  };
  // Every person has asked once: the scopes are there, and what fails below is Graph.
  await omar.get('/api/approvals');
});
afterEach(async () => { await portal.emulator.faults([]); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

const everywhere = (fault: unknown): Promise<void> => portal.emulator.faults([{ match: { path: '**' }, times: null, fault }]);

const FAILURES: readonly (readonly [what: string, fault: unknown, status: number, code: string])[] = [
  ['down', { kind: 'status', status: 503 }, 503, 'directory-unavailable'],
  ['failing', { kind: 'status', status: 500 }, 503, 'directory-unavailable'],
  ['cut', { kind: 'reset', effect: 'before' }, 503, 'directory-unavailable'],
  ['ending in the middle', { kind: 'truncate' }, 503, 'directory-unavailable'],
  ['busy', { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: 7 }, 503, 'directory-busy'],
  ['busy without saying for how long', { kind: 'status', status: 429, code: 'TooManyRequests' }, 503, 'directory-busy'],
  ['a page of somebody else', { kind: 'status', status: 200, body: '<html>Sign in to the hotel</html>' }, 502, 'directory-unexpected'],
  ['null', { kind: 'status', status: 200, body: 'null' }, 502, 'directory-unexpected'],
  ['an object without what is in it', { kind: 'status', status: 200, body: '{}' }, 502, 'directory-unexpected'],
  ['a page with half of its items and an error', { kind: 'splice' }, 503, 'directory-unavailable'],
  ['refusing', { kind: 'status', status: 403, code: 'Authorization_RequestDenied' }, 502, 'directory-forbidden'],
];

/** Nothing of anybody's own access is kept, as before their first view. */
const forget = () => portal.db.prisma.ownAccess.deleteMany({});

const READS: readonly (readonly [what: string, read: () => Promise<Reply>])[] = [
  ['my access', async () => {
    await forget();
    return ana.get('/api/access');
  }],
  ['approvals', () => omar.get('/api/approvals')],
  ['people', () => maya.get('/api/directory/principals?text=ben')],
  ['groups', () => maya.get('/api/directory/groups?text=fin')],
  ['applications', () => maya.get('/api/directory/applications')],
  ['the plan of a setup', () => maya.post('/api/setup-plans', { definition })],
];

describe.each(READS)('%s', (_what, read) => {
  test.each(FAILURES)('while Graph is %s', async (_how, fault, status, code) => {
    await everywhere(fault);
    const reply = await read();
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([status, code]);
    // A sentence for the person, and nothing of Graph's own text, ids or addresses.
    expect(reply.body.detail).toMatch(/\w+ .+\.$/);
    expect(JSON.stringify(reply.body)).not.toMatch(/127\.0\.0\.1|hotel|privilegedAccess|Bearer|stack/);
    if ('retryAfter' in (fault as object)) expect([reply.body.retryAfterSeconds, reply.headers.get('retry-after')]).toEqual([7, '7']);
    await portal.emulator.faults([]);
    expect((await read()).status, 'as soon as Graph answers again').toBeLessThan(300);
  });
});

test('a refusal has Graph’s own id of the call, to quote to Microsoft', async () => {
  await portal.emulator.faults([{ match: { method: 'GET', path: '/v1.0/users' }, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied', headers: { 'request-id': '5a0a4d7e-0000-4000-8000-123456789abc' } } }]);
  const { body } = await maya.get('/api/directory/principals?text=ben&kind=user');
  expect(body).toMatchObject({ code: 'directory-forbidden', graphRequestId: '5a0a4d7e-0000-4000-8000-123456789abc' });
});

test('what one call does not tell is named, and the rest is shown', async () => {
  await portal.emulator.faults([{ match: { path: '**/assignmentScheduleInstances/**' }, times: null, fault: { kind: 'status', status: 503 } }]);
  await forget();
  const { status, body } = await ana.get('/api/access');
  expect(status).toBe(200);
  expect(body.entries.map(({ groupId }: { groupId: string }) => groupId)).toContain(buildGroup);
  expect(body.notKnown).toHaveLength(1);
});

test.each(FAILURES)('what is kept of my access is shown while Graph is %s, with when it was read, and asked for anew it is told that nothing could be read', async (_how, fault) => {
  await portal.emulator.faults([]);
  await forget();
  const before = (await ana.get('/api/access')).body;
  await everywhere(fault);
  expect((await ana.get('/api/access')).body).toMatchObject({ readAt: before.readAt, notKnown: [] });
  await portal.advance('PT1M');
  const { status, body } = await ana.get('/api/access?fresh=yes');
  expect([status, body.readAt]).toEqual([200, before.readAt]);
  expect(body.notKnown).toEqual([expect.stringContaining('shown is what the portal read last'), expect.stringContaining('saw last'), expect.stringContaining('saw them last')]);
  expect(body.entries.map(({ groupId }: { groupId: string }) => groupId)).toContain(buildGroup);
});

test('status words that nobody knows never make somebody active', async () => {
  const before = (await ana.get('/api/access')).body.entries.filter(({ active }: { active: unknown }) => active !== null).length;
  await everywhere({ kind: 'unknownEnum' });
  const { body } = await ana.get('/api/access');
  expect(body.entries.filter(({ active, request }: { active: unknown; request: { state: string } | null }) => active !== null || request?.state === 'active').length).toBeLessThanOrEqual(before);
});

describe('a write is never called done before Entra shows it', () => {
  const made = async (): Promise<number> => (await portal.emulator.state()).pim.requests.filter(({ action, groupId, status }: { action: string; groupId: string; status: string }) => action === 'selfActivate' && groupId === buildGroup && status !== 'Canceled').length;
  test.each([
    ['down before the effect', { kind: 'status', status: 503 }, 0], ['cut before the effect', { kind: 'reset', effect: 'before' }, 0], ['cut after the effect', { kind: 'reset', effect: 'after' }, 1],
    ['failing after the effect', { kind: 'status', status: 500, effect: 'after' }, 1], ['answering a page of somebody else', { kind: 'status', status: 201, body: '<html>' }, 0],
  ])('activating, Graph %s', async (_how, fault, effect) => {
    const earlier = await made();
    await portal.emulator.faults([{ match: { method: 'POST', path: '**/assignmentScheduleRequests' }, times: null, fault }]);
    const reply = await ana.post('/api/access/activations', { groupId: buildGroup, minutes: 30, justification: 'Pipeline repair' });
    if (reply.status === 201) expect(reply.body.state).not.toBe('active');
    else expect(reply.status, JSON.stringify(reply.body)).toBeGreaterThanOrEqual(500);
    expect((await made()) - earlier, 'Entra was asked once at the most').toBe(effect);

    // Entra answers again: what was lost is found, and what never arrived is not said to have.
    await portal.emulator.faults([]);
    const entry = (await ana.get('/api/access')).body.entries.find(({ groupId }: { groupId: string }) => groupId === buildGroup);
    if (effect === 1) expect(entry.active ?? entry.request, JSON.stringify(entry)).not.toBeNull();
    else expect(entry.active).toBeNull();
    await portal.advance('PT35M');
    await portal.product.tasks.settleRequests();
  });
});
