import { beforeAll, afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ANA, INES, MAYA, OMAR, startPortal, type Client, type TestPortal } from '../../testing.ts';
import { settleRevocation } from './residual.store.ts';

let portal: TestPortal;
let ana: Client;
let maya: Client;
let build: string;
let anaId: string;

interface State { groups: { id: string; displayName: string; memberIds: string[] }[]; users: { id: string; userPrincipalName: string; signInSessionsValidFromDateTime: string }[] }
const state = async (): Promise<State> => (await portal.emulator.state()) as State;
const person = async (upn: string) => {
  const found = (await state()).users.find(({ userPrincipalName }) => userPrincipalName === upn);
  if (!found) throw new Error(`the seed has no ${upn}`);
  return found;
};
/** In a browser of its own: a sign-in that was revoked is gone for good. */
async function signedIn(upn: string): Promise<Client> {
  const client = portal.anonymous();
  await client.signIn(upn);
  return client;
}

/** Graph writes that the journal has, in order. */
const writes = async (): Promise<string[]> => (await portal.emulator.journal()).filter(({ method }) => method !== 'GET').map(({ url, body }) => (url.includes('revokeSignInSessions') ? 'revoke' : String((body as { action?: string } | undefined)?.action)));
const listed = async (client: Client, path: string) => (await client.get(path)).body.items.filter((item: { groupId: string }) => item.groupId === build);

beforeAll(async () => {
  portal = await startPortal({ timePasses: true });
  await portal.syncNow();
  maya = await signedIn(MAYA);
  build = (await state()).groups.find(({ displayName }) => displayName.startsWith('Build-'))?.id ?? '';
  anaId = (await person(ANA)).id;
});
afterAll(() => portal[Symbol.asyncDispose]());

beforeEach(async () => {
  // Each begins where nothing is open to Ana, and with a sign-in that counts.
  await portal.advance('PT3H');
  ana = await signedIn(ANA);
  await portal.product.tasks.settleRequests();
  const asked = await ana.post('/api/access/activations', { groupId: build, minutes: 60, justification: 'Pipeline repair' });
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
  await portal.advance('PT10S');
  expect((await ana.get(`/api/access/requests/${asked.body.id}`)).body.state).toBe('active');
});

const deactivated = async (): Promise<void> => {
  await portal.advance('PT6M');
  expect((await ana.post('/api/access/deactivations', { groupId: build })).status).toBe(200);
  await portal.advance('PT10S');
  await portal.emulator.clearJournal();
};

describe('one’s own', () => {
  test('after the end the network may stay open for 90 min; it is closed by revoking, and Entra shows it', async () => {
    expect(await listed(ana, '/api/access/residual')).toEqual([]);
    await deactivated();
    const before = (await person(ANA)).signInSessionsValidFromDateTime;
    expect(await listed(ana, '/api/access/residual')).toMatchObject([{ principalId: anaId, ended: { at: expect.any(String) }, revocation: null }]);

    const cut = await ana.post('/api/access/residual/end', { groupId: build });
    expect(cut.status, JSON.stringify(cut.body)).toBe(200);
    expect(cut.body.revocation).toMatchObject({ state: 'revoked', askedBy: 'Ana Costa', failure: null });
    expect(Date.parse(cut.body.revocation.takesEffectBy) - Date.parse(cut.body.revocation.revokedAt)).toBe(15 * 60_000);
    expect(await writes()).toEqual(['revoke']);
    expect(Date.parse((await person(ANA)).signInSessionsValidFromDateTime)).toBeGreaterThan(Date.parse(before));
    const events = await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', requestId: { not: null }, activity: { startsWith: 'revocation.' } }, orderBy: { activityAt: 'asc' } });
    expect(events.slice(-2).map(({ activity, actorName }) => `${activity} ${actorName ?? ''}`)).toEqual(['revocation.requested Ana Costa', 'revocation.granted Ana Costa']);
  });

  test('the tail is there after the end, and cut by revoking', async () => {
    const host = `ci.build.corp.contoso.example:22`;
    const opens = async (): Promise<boolean> => (await ana.visit(`${portal.emulator.url}/private/${host}`, ANA)).status === 200;
    // A client whose token lives as long as Microsoft says, and that knows continuous access evaluation.
    await portal.emulator.settings({ delays: { clientToken: { min: 75 * 60_000, max: 75 * 60_000 }, universalCae: 6 * 60_000 } });
    expect(await opens()).toBe(true);
    await deactivated();
    await portal.advance('PT20M');
    expect(await opens()).toBe(true);
    const cut = await ana.post('/api/access/residual/end', { groupId: build });
    await portal.advance('PT7M');
    expect(portal.now() < new Date(cut.body.revocation.takesEffectBy)).toBe(true);
    expect(await opens()).toBe(false);
    await portal.emulator.settings({ delays: { clientToken: { min: 0, max: 0 } } });
  });

  test('while the membership is there nothing is revoked: it would let the person in again', async () => {
    await portal.advance('PT6M');
    await portal.emulator.clearJournal();
    const refused = await ana.post('/api/access/residual/end', { groupId: build });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ code: 'revocation-refused', detail: expect.stringContaining('Deactivate first') });
    expect(await writes()).toEqual([]);
  });

  test('where nothing ended lately nobody’s sign-ins are revoked', async () => {
    await deactivated();
    await portal.advance('PT91M');
    const again = await signedIn(ANA);
    expect((await again.post('/api/access/residual/end', { groupId: build })).body).toMatchObject({ code: 'revocation-refused', detail: expect.stringContaining('nothing is open') });
    expect(await writes()).toEqual([]);
  });

  test('two at once are one revocation', async () => {
    await deactivated();
    const statuses = (await Promise.all([1, 2].map(() => ana.post('/api/access/residual/end', { groupId: build })))).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 409]);
    expect(await writes()).toEqual(['revoke']);
  });

  test('nobody sees another’s', async () => {
    await deactivated();
    expect((await (await signedIn(OMAR)).get('/api/access/residual')).body.items).toEqual([]);
  });
});

describe('somebody else’s', () => {
  const end = (client: Client, more: object = {}) => client.post('/api/current-access/end', { principalId: anaId, groupId: build, justification: 'Laptop stolen', ...more });

  test('setup admins and auditors see who is in, others do not', async () => {
    for (const upn of [MAYA, INES]) expect(await listed(await signedIn(upn), '/api/current-access')).toMatchObject([{ principalName: 'Ana Costa', ended: null, endsAt: expect.any(String) }]);
    expect((await ana.get('/api/current-access')).status).toBe(403);
    expect((await end(await signedIn(INES))).status).toBe(403);
    expect((await end(ana)).status).toBe(403);
  });

  test('the membership goes first, is seen to be gone, and then the sign-ins are revoked', async () => {
    await portal.advance('PT6M');
    await portal.emulator.clearJournal();
    const ended = await end(maya);
    expect(ended.status, JSON.stringify(ended.body)).toBe(200);
    expect(await writes()).toEqual(['adminRemove', 'revoke']);
    expect((await state()).groups.find(({ id }) => id === build)?.memberIds).not.toContain(anaId);
    expect(ended.body).toMatchObject({ ended: { at: expect.any(String) }, revocation: { state: 'revoked', askedBy: 'Maya Lindqvist' } });
    expect(await listed(maya, '/api/current-access')).toMatchObject([{ ended: { at: ended.body.ended.at }, revocation: { state: 'revoked' } }]);
    // Whoever signs in again is no member then.
    const entries = (await (await signedIn(ANA)).get('/api/access')).body.entries;
    expect(entries.find(({ groupId }: { groupId: string }) => groupId === build)).toMatchObject({ active: null });
  });

  test('in PIM’s first five minutes it is refused with when it may be', async () => {
    await portal.emulator.clearJournal();
    expect((await end(maya)).body).toMatchObject({ code: 'revocation-refused', detail: expect.stringMatching(/from \d\d:\d\d:\d\d UTC on/) });
    expect(await writes()).toEqual([]);
  });

  test('as long as the directory shows the membership nothing is revoked, and that is said', async () => {
    await portal.advance('PT6M');
    await portal.emulator.clearJournal();
    await portal.emulator.settings({ delays: { membership: 10 * 60_000 } });
    const refused = await end(maya);
    await portal.emulator.settings({ delays: { membership: 800 } });
    expect(refused.body).toMatchObject({ code: 'revocation-refused', detail: expect.stringContaining('still shows the membership') });
    expect(await writes()).toEqual(['adminRemove']);
    expect(await listed(maya, '/api/current-access')).toMatchObject([{ revocation: { state: 'failed', failure: expect.stringContaining('still shows') } }]);
  });

  const outcomes = async () => (await portal.db.prisma.auditEvent.findMany({ where: { activity: { in: ['revocation.granted', 'revocation.failed'] } }, orderBy: { activityAt: 'asc' } })).map(({ activity, actorName }) => `${activity} ${actorName ?? ''}`);

  test('one that a stopped portal left open stands in nobody’s way after five minutes, with a word in the history', async () => {
    await portal.advance('PT6M');
    await portal.db.prisma.revocation.create({ data: { tenantId: portal.tenantId, id: crypto.randomUUID(), principalId: anaId, principalName: 'Ana Costa', groupId: build, askedById: anaId, askedBy: 'Ana Costa', status: 'asked', createdAt: new Date(portal.now().getTime() - 4 * 60_000) } });
    await portal.product.tasks.settleRequests();
    expect((await end(maya)).status).toBe(409);
    await portal.advance('PT2M');
    await portal.product.tasks.settleRequests();
    expect((await outcomes()).at(-1)).toBe('revocation.failed Gatehouse');
    expect(await listed(maya, '/api/current-access')).toMatchObject([{ revocation: { state: 'failed', failure: expect.stringContaining('does no harm') } }]);
    expect((await end(maya)).status).toBe(200);
  });

  test('the answer is lost after Entra revoked: it has not failed, and Entra shows what became of it', async () => {
    await portal.advance('PT6M');
    const before = await outcomes();
    await portal.emulator.faults([{ match: { method: 'POST', path: '**/revokeSignInSessions' }, times: null, fault: { kind: 'reset', effect: 'after' } }]);
    expect((await end(maya)).status).toBe(503);
    await portal.emulator.faults([]);
    expect(await listed(maya, '/api/current-access')).toMatchObject([{ ended: { at: expect.any(String) }, revocation: { state: 'asked' } }]);
    expect(await outcomes()).toEqual(before);
    await portal.advance('PT2M');
    await portal.product.tasks.settleRequests();
    expect(await listed(maya, '/api/current-access')).toMatchObject([{ revocation: { state: 'revoked', failure: null } }]);
    expect(await outcomes()).toEqual([...before, 'revocation.granted Gatehouse']);
  });

  test('that it took effect counts, whatever was thought of it before; and nothing counts after that', async () => {
    const at = portal.now();
    const row = await portal.db.prisma.revocation.create({ data: { tenantId: portal.tenantId, id: crypto.randomUUID(), principalId: anaId, principalName: 'Ana Costa', groupId: build, askedById: anaId, askedBy: 'Ana Costa', status: 'failed', failure: 'Lost', createdAt: at, goneAt: at, settledAt: at } });
    const settled = (status: 'revoked' | 'failed') => settleRevocation(portal.db.prisma, row, { status, failure: null, revokedAt: status === 'revoked' ? at : null, settledAt: at });
    expect([await settled('failed'), await settled('revoked'), await settled('revoked'), await settled('failed')]).toEqual([false, true, false, false]);
  });
});
