import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { callSample } from '../../test/samples.ts';
import { ENDPOINTS } from '@gatehouse/contracts';
import { record } from '../features/audit/audit.ts';
import { ANA, MAYA, startPortal, type Client, type TestPortal } from '../testing.ts';
import { PENDING_MAX_AN_ADDRESS } from './device.ts';
import { IDLE_MINUTES } from './sessions.ts';

/** A portal behind one proxy, that logs all it ever logs. */
const logged: string[] = [];
let portal: TestPortal;
let maya: Client;
let personId: string;
beforeAll(async () => {
  portal = await startPortal({ trustProxy: 1, log: pino({ level: 'trace' }, { write: (line: string) => { logged.push(line); } }) });
});
beforeEach(async () => {
  maya = await browser(MAYA);
  personId = (await maya.get('/api/session')).body.person.id;
});
afterEach(async () => { await portal.db.pool.query('DELETE FROM session; DELETE FROM device_sign_in; DELETE FROM device_code_attempt'); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

async function browser(upn: string): Promise<Client> {
  const client = portal.anonymous();
  await client.signIn(upn);
  return client;
}

const from = (address: string) => ({ 'x-forwarded-for': address });
const begun = async (deviceName = 'build-7', headers = from('203.0.113.7')) => (await portal.anonymous().post('/api/device/authorizations', { deviceName }, headers));

/** A command line that the person of the client allowed: its token, and codes that let it in. */
async function device(client = maya, deviceName = 'build-7'): Promise<{ token: string; userCode: string; deviceCode: string }> {
  const { userCode, deviceCode } = (await begun(deviceName)).body;
  expect((await client.post(`/api/device/authorizations/${userCode}`, { decision: 'allow', personId })).status).toBe(200);
  const { token } = (await portal.anonymous().post('/api/device/sessions', { deviceCode })).body;
  return { token, userCode, deviceCode };
}

const list = async (client: Client) => (await client.get('/api/sessions')).body.sessions as { id: string; kind: string; name: string | null; isCurrent: boolean }[];
const bearer = async (path: string, token: string, body?: unknown) => fetch(`${portal.url}${path}`, { method: body === undefined ? 'GET' : 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body !== undefined && { body: JSON.stringify(body) }) });
const stands = async (token: string) => (await bearer('/api/setups', token)).status === 200;
const isSignedIn = async (client: Client) => (await client.get('/api/session')).body.person !== null;
const events = async (activity: string) => (await portal.db.prisma.auditEvent.findMany({ where: { activity }, orderBy: { ingestedAt: 'asc' } })).map(({ raw, resultReason }) => ({ reason: resultReason, data: (JSON.parse(raw) as { data?: Record<string, unknown> }).data }));

describe('one’s own sessions', () => {
  test('are listed, the one that asks first, with what tells them apart and no secret', async () => {
    const [other, { token }] = [await browser(MAYA), await device()];
    await browser(ANA);
    const reply = await maya.get('/api/sessions');
    const [first, ...rest] = reply.body.sessions;
    expect(first).toMatchObject({ kind: 'browser', name: null, address: '127.0.0.1', isCurrent: true });
    expect(rest).toHaveLength(2);
    expect(rest).toEqual(expect.arrayContaining([
      expect.objectContaining({ kind: 'browser', name: null, address: '127.0.0.1', isCurrent: false }),
      expect.objectContaining({ kind: 'command line', name: 'build-7', address: '203.0.113.7', isCurrent: false }),
    ]));
    // By the portal's clock, which stands in a test.
    for (const { since, lastUsedAt } of reply.body.sessions) for (const at of [since, lastUsedAt]) expect(Math.abs(Date.parse(at) - portal.now().getTime())).toBeLessThan(60_000);
    const secret = (await maya.jar.getCookieString(portal.url)).split('gatehouse=')[1] ?? '';
    for (const hidden of [token, secret]) expect(JSON.stringify(reply.body)).not.toContain(hidden);
    expect((await list(other)).find(({ isCurrent }) => isCurrent)?.id).not.toBe(reply.body.sessions[0].id);
  });

  test('that are over are not listed, and cannot be ended', async () => {
    await browser(MAYA);
    const [, other] = await list(maya);
    await portal.db.pool.query('UPDATE session SET last_seen_at = $2 WHERE handle = $1', [other?.id, new Date(Date.now() - IDLE_MINUTES * 60_000)]);
    expect(await list(maya)).toHaveLength(1);
    expect((await maya.post(`/api/sessions/${other?.id}/end`)).status).toBe(404);
  });

  test('end one by one: a command line alone', async () => {
    const before = (await events('session.other-ended')).length;
    const [one, two] = [await device(maya, 'one'), await device(maya, 'two')];
    const id = (await list(maya)).find(({ name }) => name === 'one')?.id;
    expect((await maya.post(`/api/sessions/${id}/end`)).body).toEqual({ ended: 1 });
    expect([await stands(one.token), await stands(two.token), await isSignedIn(maya)]).toEqual([false, true, true]);
    expect((await events('session.other-ended')).slice(before)).toMatchObject([{ reason: 'one', data: { device: 'one', address: '203.0.113.7', client: { kind: 'browser' } } }]);
    expect((await maya.post(`/api/sessions/${id}/end`)).status, 'a second time').toBe(404);
  });

  test('of a browser takes the command lines along, as signing out there would', async () => {
    const other = await browser(MAYA);
    const { token } = await device(other);
    const id = (await list(other)).find(({ isCurrent }) => isCurrent)?.id;
    expect((await maya.post(`/api/sessions/${id}/end`)).body).toEqual({ ended: 2 });
    expect([await stands(token), await isSignedIn(other), await isSignedIn(maya)]).toEqual([false, false, true]);
  });

  test('the one that asks is ended by signing out, and by nothing else', async () => {
    const [current] = await list(maya);
    expect((await maya.post(`/api/sessions/${current?.id}/end`)).status).toBe(404);
    expect(await isSignedIn(maya)).toBe(true);
  });

  test('all others end at once, with a device that was allowed and did not come yet, and nobody else’s', async () => {
    const before = (await events('session.other-ended')).length;
    const [other, ana, { token }] = [await browser(MAYA), await browser(ANA), await device()];
    const { userCode, deviceCode } = (await begun()).body;
    await maya.post(`/api/device/authorizations/${userCode}`, { decision: 'allow', personId });
    expect((await maya.post('/api/sessions/end-others')).body).toEqual({ ended: 2 });
    expect([await isSignedIn(maya), await isSignedIn(other), await isSignedIn(ana), await stands(token)]).toEqual([true, false, true, false]);
    expect((await portal.anonymous().post('/api/device/sessions', { deviceCode })).body).toEqual({ state: 'expired' });
    expect((await events('session.other-ended')).slice(before).map(({ reason }) => reason).toSorted()).toEqual(['Browser', 'build-7']);
    expect((await maya.get('/api/directory/principals?text=ana')).status, 'the person’s tokens stay').toBe(200);
    expect((await maya.post('/api/sessions/end-others')).body).toEqual({ ended: 0 });
  });

  test('somebody else’s is as one that is not there', async () => {
    const ana = await browser(ANA);
    const [foreign] = await list(ana);
    const answers = [await maya.post(`/api/sessions/${foreign?.id}/end`), await maya.post(`/api/sessions/${randomUUID()}/end`)].map(({ status, body: { requestId: _, ...body } }) => ({ status, body }));
    expect(answers[0]?.status).toBe(404);
    expect(answers[0]).toEqual(answers[1]);
    expect(await isSignedIn(ana)).toBe(true);
  });

  test('a device sees and ends none', async () => {
    const { token } = await device();
    const [current] = await list(maya);
    const replies = [await bearer('/api/sessions', token), await bearer(`/api/sessions/${current?.id}/end`, token, {}), await bearer('/api/sessions/end-others', token, {})];
    expect(replies.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await isSignedIn(maya)).toBe(true);
  });
});

test('a role that Entra does not name when the person signs in is gone from their other sessions', async () => {
  const { token } = await device();
  await portal.db.pool.query("UPDATE session SET roles = '{SetupAdmin,Auditor}'");
  expect((await maya.get('/api/history/events')).status).toBe(200);
  await browser(MAYA);
  expect((await maya.get('/api/history/events')).status).toBe(403);
  expect((await (await bearer('/api/session', token)).json()).person.roles).toEqual(['SetupAdmin']);
});

describe('behind one proxy', () => {
  test('the address is the one that the proxy added, whatever the request came with', async () => {
    const { body } = await begun('build-7', from('198.51.100.1, 203.0.113.9'));
    expect((await maya.get(`/api/device/authorizations/${body.userCode}`)).body.address).toBe('203.0.113.9');
  });

  test('each address has its own limit, and a forged one before it changes nothing', async () => {
    const statuses = await Promise.all(Array.from({ length: PENDING_MAX_AN_ADDRESS + 2 }, async (_, index) => (await begun('build-7', from(`198.51.100.${index}, 203.0.113.9`))).status));
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    expect((await begun('build-7', from('203.0.113.10'))).status).toBe(200);
  });
});

describe('the record', () => {
  test('says of each act whether it came from a browser or from a command line, and from which', async () => {
    const { token } = await device();
    const sample = ENDPOINTS['CreateBatch'];
    if (!sample) throw new Error('there is CreateBatch');
    await callSample(maya, 'CreateBatch', sample);
    await callSample({ ...maya, post: async (path, body) => {
      const answer = await bearer(path, token, body);
      return { status: answer.status, headers: answer.headers, body: await answer.json() };
    } }, 'CreateBatch', sample);
    await portal.settle();
    const clients = [{ kind: 'browser' }, { kind: 'command line', name: 'build-7' }];
    expect((await events('batch.created')).map(({ data }) => data?.['client'])).toEqual(clients);
    // What goes on in the background is by who began it.
    expect((await events('batch.planned')).map(({ data }) => data?.['client'])).toEqual(expect.arrayContaining(clients));
    expect((await events('device.allowed')).at(-1)?.data).toMatchObject({ device: 'build-7', client: { kind: 'browser' } });
    await bearer('/auth/sign-out', token, {});
    expect((await events('session.ended')).at(-1)?.data).toMatchObject({ client: { kind: 'command line', name: 'build-7' } });
  });

  test('says nothing of it where the portal itself acts', async () => {
    await portal.db.prisma.$transaction((tx) => record(tx, { id: randomUUID(), at: portal.now(), actor: { tenantId: portal.tenantId, principalId: randomUUID(), name: 'Gatehouse' }, type: 'activation.ended', kind: 'portal-access', result: 'success' }));
    expect(await events('activation.ended')).toEqual([{ reason: null, data: undefined }]);
  });
});

describe('what an attacker tries', () => {
  test('the page that allows is shown in no frame', async () => {
    for (const path of ['/device?code=WDJB-MJHT', '/api/sessions', '/api/device/authorizations/WDJBMJHT']) {
      const { headers } = await maya.get(path);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-frame-options')).toBe('DENY');
    }
  });

  test('another site’s page allows nothing with the person’s cookie', async () => {
    const { userCode, deviceCode } = (await begun()).body;
    const cookie = await maya.jar.getCookieString(portal.url);
    for (const headers of [{ 'content-type': 'application/json' }, { 'content-type': 'text/plain', origin: 'https://evil.example' }, { 'content-type': 'application/json', origin: portal.url, 'x-requested-with': 'gatehouse', 'sec-fetch-site': 'cross-site' }]) {
      expect((await fetch(`${portal.url}/api/device/authorizations/${userCode}`, { method: 'POST', headers: { ...headers, cookie }, body: JSON.stringify({ decision: 'allow', personId }) })).status).toBe(403);
    }
    // A link allows nothing either.
    await maya.get(`/device?code=${userCode}&decision=allow`);
    expect((await portal.anonymous().post('/api/device/sessions', { deviceCode })).body.state).toBe('authorization-pending');
  });

  test('a code is no session, and neither code is good for the other’s purpose', async () => {
    const { userCode, deviceCode } = (await begun()).body;
    await maya.post(`/api/device/authorizations/${userCode}`, { decision: 'allow', personId });
    for (const code of [deviceCode, userCode, userCode.replace('-', '')]) expect(await stands(code)).toBe(false);
    for (const code of [userCode, userCode.replace('-', '')]) expect((await portal.anonymous().post('/api/device/sessions', { deviceCode: code })).body).toEqual({ state: 'expired' });
    const { token } = (await portal.anonymous().post('/api/device/sessions', { deviceCode })).body;
    expect(token).not.toBe(deviceCode);
    expect((await portal.anonymous().post('/api/device/sessions', { deviceCode })).body, 'replayed').toEqual({ state: 'expired' });
    expect((await portal.anonymous().post('/api/device/sessions', { deviceCode: token })).body).toEqual({ state: 'expired' });
  });

  test('the log holds no code and no secret, whatever goes wrong with them', async () => {
    const { token, userCode, deviceCode } = await device();
    const bare = userCode.replace('-', '');
    // Used, unknown, malformed, not permitted, and with the database in the way.
    await maya.post(`/api/device/authorizations/${userCode}`, { decision: 'allow', personId });
    await maya.get(`/api/device/authorizations/${bare}`);
    await maya.get(`/API/Device/Authorizations/${bare}?code=${userCode}`);
    await (await browser(ANA)).get(`/api/device/authorizations/${userCode}`);
    for (const body of [`{"deviceCode":"${deviceCode}"`, `${deviceCode}`, `["${deviceCode}]`]) await fetch(`${portal.url}/api/device/sessions`, { method: 'POST', headers: { origin: portal.url, 'x-requested-with': 'gatehouse', 'content-type': 'application/json' }, body });
    await portal.db.owner.query('ALTER TABLE device_sign_in RENAME TO gone');
    try {
      expect((await maya.get(`/api/device/authorizations/${userCode}`)).status).toBe(500);
      expect((await portal.anonymous().post('/api/device/sessions', { deviceCode })).status).toBe(500);
    } finally {
      await portal.db.owner.query('ALTER TABLE gone RENAME TO device_sign_in');
    }
    await bearer('/api/setups', token);
    const text = logged.join('');
    expect(text).toContain('/api/device/authorizations/…');
    const secret = (await maya.jar.getCookieString(portal.url)).split('gatehouse=')[1] ?? '?';
    // Of what was malformed not even a piece.
    for (const hidden of [userCode, bare, deviceCode, deviceCode.slice(0, 8), token, secret]) expect(text.includes(hidden), hidden).toBe(false);
  });
});
