import { randomBytes, randomUUID } from 'node:crypto';
import { countWaiting, testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { ENDPOINTS } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callSample, fingerprint, SAMPLES } from '../../test/samples.ts';
import type { Actor } from '../core/actor.ts';
import { ANA, MAYA, startPortal, type Client, type Reply, type TestPortal } from '../testing.ts';
import { createDeviceSignIn, INTERVAL_SECONDS, PENDING_MAX, PENDING_MAX_AN_ADDRESS, PENDING_MINUTES, WRONG_CODES_MAX } from './device.ts';
import { ABSOLUTE_MINUTES, createSessions, IDLE_MINUTES } from './sessions.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
const outcomes = (all: readonly PromiseSettledResult<unknown>[]): string[] => all.map((one) => (one.status === 'fulfilled' ? 'done' : String((one.reason as { code: string }).code))).toSorted();

/** The flow on a real database, and a clock that a test moves. */
async function prepared() {
  const db = await testDatabase();
  let now = START;
  const tenantId = randomUUID();
  const keys = [randomBytes(32)] as const;
  const clock = { now: () => new Date(now) };
  const sessions = createSessions({ tenantId, db, systemClock: clock, keys });
  const maya: Actor = { tenantId, principalId: randomUUID(), name: 'Maya Lindqvist', upn: MAYA, roles: ['SetupAdmin'], accountId: 'maya.account', device: null };
  const browser = () => db.prisma.$transaction((tx) => sessions.begin(tx, maya, { amr: ['pwd'], address: '10.1.1.1' }));
  const secret = await browser();
  const devices = createDeviceSignIn({ tenantId, db, clock, systemClock: clock, keys, sessions });
  const begin = async (address = '10.1.2.3') => {
    const { deviceCode, userCode } = await devices.begin({ deviceName: 'build-7', address });
    return { deviceCode, userCode, code: userCode.replace('-', '') };
  };
  return {
    db, tenantId, keys, clock, sessions, devices, maya, secret, browser, begin,
    find: (code: string, by = secret) => devices.find({ actor: maya, secret: by }, code),
    decide: (code: string, decision: 'allow' | 'deny', by = secret) => devices.decide({ actor: maya, secret: by }, code, { decision, personId: maya.principalId }),
    after(seconds: number): void { now = START + seconds * 1000; },
    wait(seconds: number): void { now += seconds * 1000; },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

/** Until so many statements on this database wait for a lock. */
const blocked = (db: TestDatabase, count: number) => expect.poll(() => countWaiting(db)).toBe(count);

const granted = async (all: Awaited<ReturnType<typeof prepared>>): Promise<string> => {
  const { deviceCode, code } = await all.begin();
  await all.decide(code, 'allow');
  const answer = await all.devices.claim(deviceCode);
  if (answer.state !== 'granted') throw new Error(answer.state);
  return answer.token;
};

describe('the code of a device', () => {
  test('is one that no database holds, with a short one to type', async () => {
    await using all = await prepared();
    const { deviceCode, userCode, code } = await all.begin();
    expect(deviceCode).toMatch(/^[\w-]{43}$/);
    expect(userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    const { rows } = await all.db.pool.query("SELECT d::text AS text, encode(device_hash, 'escape') AS device, encode(user_hash, 'escape') AS code FROM device_sign_in d");
    for (const secret of [deviceCode, userCode, code]) expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test('waits, answers the person’s session once, and never again', async () => {
    await using all = await prepared();
    const { deviceCode, code } = await all.begin();
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'authorization-pending' });
    expect(await all.find(code)).toMatchObject({ deviceName: 'build-7', address: '10.1.2.3', askedAt: '2026-03-02T09:00:00.000Z', expiresAt: '2026-03-02T09:10:00.000Z' });
    await all.decide(code, 'allow');
    const answer = await all.devices.claim(deviceCode);
    expect(answer).toMatchObject({ state: 'granted', expiresAt: '2026-03-02T17:00:00.000Z', person: { displayName: 'Maya Lindqvist', userPrincipalName: MAYA } });
    expect(await all.sessions.find({ by: 'bearer', secret: answer.state === 'granted' ? answer.token : '' })).toEqual({ ...all.maya, device: 'build-7' });
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'expired' });
    expect(await all.db.prisma.session.count({ where: { device: { not: null } } })).toBe(1);
  });

  test('of ten claims at once one gets a session', async () => {
    await using all = await prepared();
    const { deviceCode, code } = await all.begin();
    await all.decide(code, 'allow');
    const answers = await Promise.all(Array.from({ length: 10 }, () => all.devices.claim(deviceCode)));
    expect(answers.map(({ state }) => state).toSorted()).toEqual([...Array.from({ length: 9 }, () => 'expired'), 'granted']);
    expect(await all.db.prisma.session.count({ where: { device: { not: null } } })).toBe(1);
    expect(await all.db.prisma.auditEvent.count({ where: { activity: 'session.begun' } })).toBe(1);
  });

  test('of ten decisions at once one holds, and is on record', async () => {
    await using all = await prepared();
    const { code } = await all.begin();
    // Fewer than the tries that a person has: each is a right code, and they are all under way together.
    const all5 = await Promise.allSettled(Array.from({ length: WRONG_CODES_MAX }, (_, index) => all.decide(code, index % 2 === 0 ? 'allow' : 'deny')));
    expect(outcomes(all5)).toEqual(['already-decided', 'already-decided', 'already-decided', 'already-decided', 'done']);
    expect(await all.db.prisma.auditEvent.findMany()).toMatchObject([{ activity: expect.stringMatching(/^device\.(allowed|denied)$/), kind: 'portal-sign-in', resultReason: 'build-7 (10.1.2.3)', actorName: 'Maya Lindqvist' }]);
  });

  test('that was denied gets nothing, however often it asks', async () => {
    await using all = await prepared();
    const { deviceCode, code } = await all.begin();
    await all.decide(code, 'deny');
    for (let times = 0; times < 3; times += 1) expect(await all.devices.claim(deviceCode)).toEqual({ state: 'access-denied' });
    await expect(all.decide(code, 'allow')).rejects.toMatchObject({ code: 'already-decided' });
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'access-denied' });
    expect(await all.db.prisma.session.count({ where: { device: { not: null } } })).toBe(0);
  });

  test('is over after ten minutes: to its person, and to the device that was allowed and did not come', async () => {
    await using all = await prepared();
    const [late, slow] = [await all.begin(), await all.begin()];
    all.after(PENDING_MINUTES * 60 - 1);
    await all.decide(slow.code, 'allow');
    expect(await all.devices.claim(late.deviceCode)).toEqual({ state: 'authorization-pending' });
    all.after(PENDING_MINUTES * 60);
    expect(await all.devices.claim(late.deviceCode)).toEqual({ state: 'expired' });
    expect(await all.devices.claim(slow.deviceCode)).toEqual({ state: 'expired' });
    await expect(all.find(late.code)).rejects.toMatchObject({ code: 'not-found' });
    await expect(all.decide(late.code, 'allow')).rejects.toMatchObject({ code: 'not-found' });
    await all.sessions.sweep();
    expect(await all.db.prisma.deviceSignIn.count()).toBe(0);
  });

  test('that asks too often is told to slow down, and waits longer from then on', async () => {
    await using all = await prepared();
    const { deviceCode } = await all.begin();
    const pending = { state: 'authorization-pending' };
    expect(await all.devices.claim(deviceCode)).toEqual(pending);
    all.wait(INTERVAL_SECONDS - 1);
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'slow-down', intervalSeconds: 10 });
    all.wait(9);
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'slow-down', intervalSeconds: 15 });
    all.wait(15);
    expect(await all.devices.claim(deviceCode)).toEqual(pending);
    all.wait(15);
    expect(await all.devices.claim(deviceCode)).toEqual(pending);
  });

  test('that nobody was given is as one that is over', async () => {
    await using all = await prepared();
    expect(await all.devices.claim('made-up')).toEqual({ state: 'expired' });
  });
});

describe('who may decide', () => {
  test('is the person whom the page named, and nobody who took their place in another tab', async () => {
    await using all = await prepared();
    const { deviceCode, code } = await all.begin();
    await expect(all.devices.decide({ actor: all.maya, secret: all.secret }, code, { decision: 'allow', personId: randomUUID() })).rejects.toMatchObject({ code: 'conflict', details: { detail: expect.stringContaining('signed in as Maya Lindqvist') } });
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'authorization-pending' });
    expect(await all.db.prisma.auditEvent.count()).toBe(0);
  });

  test('is nobody whose own session has ended, also while they decide', async () => {
    await using all = await prepared();
    const { deviceCode, code } = await all.begin();
    const signingOut = await all.db.pool.connect();
    await signingOut.query('BEGIN; DELETE FROM session');
    const deciding = all.decide(code, 'allow').then(() => 'done', (error: { code: string }) => error.code);
    await blocked(all.db, 1);
    await signingOut.query('COMMIT');
    signingOut.release();
    expect(await deciding).toBe('not-signed-in');
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'authorization-pending' });
    await expect(all.find(code)).rejects.toMatchObject({ code: 'not-signed-in' });
  });
});

describe('guessing', () => {
  const WRONG = 'BBBBCCCC';

  test('ends after five wrong codes, for ten minutes, also for the right one', async () => {
    await using all = await prepared();
    const { code } = await all.begin();
    for (let times = 0; times < WRONG_CODES_MAX; times += 1) await expect(all.find(WRONG)).rejects.toMatchObject({ code: 'not-found' });
    await expect(all.find(WRONG)).rejects.toMatchObject({ code: 'too-many-attempts' });
    await expect(all.decide(code, 'allow')).rejects.toMatchObject({ code: 'too-many-attempts' });
    all.wait(10 * 60 - 1);
    await expect(all.find(WRONG)).rejects.toMatchObject({ code: 'too-many-attempts' });
    all.wait(1);
    expect(await all.find((await all.begin()).code)).toMatchObject({ deviceName: 'build-7' });
  });

  test('at once or from a second browser gets no more tries', async () => {
    await using all = await prepared();
    await all.browser();
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => all.find(WRONG)));
    expect(outcomes(tries).filter((code) => code === 'not-found')).toHaveLength(WRONG_CODES_MAX);
  });

  test('gets no more tries at another replica, nor by signing out and in again', async () => {
    await using all = await prepared();
    const replica = createDeviceSignIn({ ...all, systemClock: all.clock });
    for (let times = 0; times < WRONG_CODES_MAX; times += 1) await expect((times % 2 === 0 ? all.devices : replica).find({ actor: all.maya, secret: all.secret }, WRONG)).rejects.toMatchObject({ code: 'not-found' });
    await all.db.prisma.$transaction((tx) => all.sessions.end(tx, all.secret));
    const again = await all.browser();
    for (const one of [all.devices, replica]) await expect(one.find({ actor: all.maya, secret: again }, WRONG)).rejects.toMatchObject({ code: 'too-many-attempts' });
    await all.sessions.sweep();
    await expect(all.find(WRONG, again), 'swept').rejects.toMatchObject({ code: 'too-many-attempts' });
  });

  test('of one person does not pause another', async () => {
    await using all = await prepared();
    for (let times = 0; times <= WRONG_CODES_MAX; times += 1) await expect(all.find(WRONG)).rejects.toThrow();
    await expect(all.devices.find({ actor: { ...all.maya, principalId: randomUUID() }, secret: all.secret }, WRONG)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is not what somebody does who enters right codes', async () => {
    await using all = await prepared();
    for (let times = 0; times < 2 * WRONG_CODES_MAX; times += 1) await all.find((await all.begin(`10.0.0.${times}`)).code);
  });
});

describe('at most so many wait at once', () => {
  test('from one address', async () => {
    await using all = await prepared();
    for (let times = 1; times < PENDING_MAX_AN_ADDRESS; times += 1) await all.begin();
    // One place is left, and they come together, each by a connection that stands already.
    await Promise.all(Array.from({ length: 8 }, () => all.db.pool.query('SELECT pg_sleep(0.05)')));
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => all.begin()));
    expect(outcomes(asked).filter((code) => code === 'done')).toHaveLength(1);
    await all.begin('10.9.9.9');
    all.after(PENDING_MINUTES * 60);
    await all.begin();
  });

  test('from one network of IPv6, whose every address one computer may take', async () => {
    await using all = await prepared();
    for (let times = 0; times < PENDING_MAX_AN_ADDRESS; times += 1) await all.begin(`2001:db8:0:1::${times.toString(16)}`);
    await expect(all.begin('2001:db8:0:1:ffff::1')).rejects.toMatchObject({ code: 'too-many-attempts' });
    await all.begin('2001:db8:0:2::1');
    await all.begin('10.1.2.3');
  });

  test('in all, and those that are decided do not count', async () => {
    await using all = await prepared();
    for (let index = 0; index < PENDING_MAX - 1; index += 1) await all.begin(`10.0.${index}.1`);
    const { code } = await all.begin('10.8.8.8');
    await expect(all.begin('10.9.9.9')).rejects.toMatchObject({ code: 'too-many-attempts', details: { retryAfterSeconds: 600 } });
    await all.decide(code, 'deny');
    await all.begin('10.9.9.9');
  });
});

describe('the session of a device', () => {
  test('ends after half an hour without a request, and after eight hours whatever is done', async () => {
    await using all = await prepared();
    const [idle, busy] = [await granted(all), await granted(all)];
    const find = (secret: string) => all.sessions.find({ by: 'bearer', secret });
    for (let minutes = 20; minutes < ABSOLUTE_MINUTES; minutes += 20) {
      all.after(minutes * 60);
      expect(await find(busy), `${minutes} min`).toBeDefined();
      if (minutes === 40) expect(await find(idle)).toBeUndefined();
    }
    all.after(ABSOLUTE_MINUTES * 60);
    expect(await find(busy)).toBeUndefined();
    expect(IDLE_MINUTES).toBe(30);
  });

  test('does not outlast the one that allowed it, and says so from the start', async () => {
    await using all = await prepared();
    all.after((ABSOLUTE_MINUTES - 20) * 60);
    const { deviceCode, code } = await all.begin();
    expect(await all.find(code)).toMatchObject({ sessionEndsAt: '2026-03-02T17:00:00.000Z' });
    await all.decide(code, 'allow');
    const answer = await all.devices.claim(deviceCode);
    expect(answer).toMatchObject({ state: 'granted', expiresAt: '2026-03-02T17:00:00.000Z' });
    const find = () => all.sessions.find({ by: 'bearer', secret: answer.state === 'granted' ? answer.token : '' });
    all.after(ABSOLUTE_MINUTES * 60 - 1);
    expect(await find()).toBeDefined();
    all.after(ABSOLUTE_MINUTES * 60);
    expect(await find()).toBeUndefined();
  });

  test('is not begun any more when the one has ended that allowed it', async () => {
    await using all = await prepared();
    all.after((ABSOLUTE_MINUTES - 1) * 60);
    const { deviceCode, code } = await all.begin();
    await all.decide(code, 'allow');
    all.after(ABSOLUTE_MINUTES * 60);
    expect(await all.devices.claim(deviceCode)).toEqual({ state: 'expired' });
    expect(await all.db.prisma.session.count({ where: { device: { not: null } } })).toBe(0);
  });

  test('loses the roles that Entra no longer names when its person signs in again, and gets none', async () => {
    await using all = await prepared();
    const both = { principalId: all.maya.principalId, roles: ['SetupAdmin', 'Auditor'] as const };
    const narrow = (roles: Actor['roles']) => all.db.prisma.$transaction((tx) => all.sessions.narrow(tx, { ...both, roles }));
    const token = await granted(all);
    const rolesNow = async () => [(await all.sessions.find({ by: 'bearer', secret: token }))?.roles, (await all.sessions.find({ by: 'cookie', secret: all.secret }))?.roles];
    const { deviceCode, code } = await all.begin();
    await all.decide(code, 'allow');
    await narrow(both.roles);
    expect(await rolesNow(), 'none is added').toEqual([['SetupAdmin'], ['SetupAdmin']]);
    await narrow(['Auditor']);
    expect(await rolesNow()).toEqual([[], []]);
    const answer = await all.devices.claim(deviceCode);
    expect((await all.sessions.find({ by: 'bearer', secret: answer.state === 'granted' ? answer.token : '' }))?.roles, 'allowed before, claimed after').toEqual([]);
  });

  test('that begins while its person signs out ends with the others', async () => {
    await using all = await prepared();
    const { deviceCode, code } = await all.begin();
    await all.decide(code, 'allow');
    // Holds the claim between its two writes.
    const gate = await all.db.pool.connect();
    await gate.query('BEGIN; LOCK TABLE session IN SHARE MODE');
    const claiming = all.devices.claim(deviceCode);
    await blocked(all.db, 1);
    const ending = all.db.prisma.$transaction((tx) => all.sessions.endDevices(tx, all.maya.principalId));
    await blocked(all.db, 2);
    await gate.query('COMMIT');
    gate.release();
    expect((await claiming).state).toBe('granted');
    expect(await ending).toMatchObject([{ device: 'build-7', address: '10.1.2.3' }]);
    expect(await all.db.prisma.session.count({ where: { device: { not: null } } })).toBe(0);
  });

  test('is none in a cookie, and a browser’s is none in a bearer token', async () => {
    await using all = await prepared();
    const [device, browser] = [await granted(all), await all.browser()];
    expect(await all.sessions.find({ by: 'cookie', secret: device })).toBeUndefined();
    expect(await all.sessions.find({ by: 'bearer', secret: browser })).toBeUndefined();
    expect(await all.sessions.find({ by: 'bearer', secret: '' })).toBeUndefined();
  });

  test('keeps the person’s tokens, from the moment that it is allowed', async () => {
    await using all = await prepared();
    await all.db.pool.query('DELETE FROM session');
    await all.db.pool.query('INSERT INTO token_partition (tenant_id, partition, sealed, updated_at) VALUES ($1, $2, $3, $4)', [all.tenantId, all.maya.accountId, Buffer.from('x'), new Date(START - 2 * 60 * 60_000)]);
    const kept = () => all.db.prisma.tokenPartition.count();
    const others = () => all.db.prisma.$transaction((tx) => all.sessions.others(tx, all.maya.principalId));
    const browser = await all.browser();
    const { deviceCode, code } = await all.begin();
    await all.decide(code, 'allow', browser);
    await all.db.prisma.$transaction((tx) => all.sessions.end(tx, browser));
    expect(await others(), 'allowed').toBe(1);
    await all.sessions.sweep();
    expect(await kept(), 'allowed').toBe(1);
    await all.devices.claim(deviceCode);
    expect(await others(), 'claimed').toBe(1);
    await all.sessions.sweep();
    expect(await kept(), 'claimed').toBe(1);
    all.after(IDLE_MINUTES * 60);
    await all.sessions.sweep();
    expect([await others(), await kept()], 'over').toEqual([0, 0]);
  });
});

describe('over HTTP', () => {
  let portal: TestPortal;
  let maya: Client;
  let token: string;
  let personId: string;
  beforeAll(async () => {
    portal = await startPortal();
    maya = await portal.as(MAYA);
    personId = (await maya.get('/api/session')).body.person.id;
    token = await signedIn();
  });
  afterAll(async () => { await portal[Symbol.asyncDispose](); });

  const allow = () => ({ decision: 'allow', personId });
  const begun = async (headers: Record<string, string> = {}): Promise<Reply> => portal.anonymous().post('/api/device/authorizations', { deviceName: 'build-7' }, headers);
  async function signedIn(): Promise<string> {
    const { body } = await begun();
    expect((await maya.post(`/api/device/authorizations/${body.userCode}`, allow())).status).toBe(200);
    const claimed = await portal.anonymous().post('/api/device/sessions', { deviceCode: body.deviceCode });
    expect(claimed.body.state).toBe('granted');
    return claimed.body.token;
  }
  const send = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
    const answer = await fetch(`${portal.url}${path}`, { method, headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text };
  };
  const bearer = { get authorization() { return `Bearer ${token}`; } };
  /** A client of the samples with a bearer token in place of a cookie. */
  const device = (): Pick<Client, 'get' | 'post'> => ({ get: (path) => send('GET', path, { ...bearer }), post: (path, body = {}) => send('POST', path, { ...bearer }, body) });

  test('the answer names the page, and the page’s calls say what asks and from where', async () => {
    const { body } = await begun();
    expect(body).toMatchObject({ verificationUri: `${portal.url}/device`, verificationUriComplete: `${portal.url}/device?code=${body.userCode}`, expiresInSeconds: 600, intervalSeconds: 5 });
    // As people type it.
    const found = await maya.get(`/api/device/authorizations/${encodeURIComponent(` ${body.userCode.toLowerCase().replace('-', ' ')}`)}`);
    expect(found.body).toMatchObject({ userCode: body.userCode, deviceName: 'build-7', address: '127.0.0.1' });
  });

  test('nobody names the address that is shown, nor gets past the limit by naming others', async () => {
    const { body } = await begun({ 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7', 'x-real-ip': '203.0.113.7' });
    expect((await maya.get(`/api/device/authorizations/${body.userCode}`)).body.address).toBe('127.0.0.1');
    await portal.db.prisma.deviceSignIn.deleteMany({ where: { status: 'pending' } });
    const statuses = await Promise.all(Array.from({ length: PENDING_MAX_AN_ADDRESS + 2 }, async (_, index) => (await begun({ 'x-forwarded-for': `203.0.113.${index}` })).status));
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    await portal.db.prisma.deviceSignIn.deleteMany({ where: { status: 'pending' } });
  });

  test('a name that hides something is refused', async () => {
    for (const deviceName of ['build\u202e7', 'build\n7', 'build\u001b[2J', '', 'x'.repeat(101)]) expect((await portal.anonymous().post('/api/device/authorizations', { deviceName })).status, JSON.stringify(deviceName)).toBe(400);
  });

  test('who may not manage setups may allow no device', async () => {
    const { body } = await begun();
    const ana = await portal.as(ANA);
    for (const reply of [await ana.get(`/api/device/authorizations/${body.userCode}`), await ana.post(`/api/device/authorizations/${body.userCode}`, allow())]) expect([reply.status, reply.body.code]).toEqual([403, 'not-permitted']);
    expect((await portal.anonymous().post('/api/device/sessions', { deviceCode: body.deviceCode })).body).toEqual({ state: 'authorization-pending' });
  });

  test('a device works as its person, on the person’s own token', async () => {
    expect((await device().get('/api/session')).body.person).toMatchObject({ userPrincipalName: MAYA });
    await portal.emulator.clearJournal();
    const found = await device().get('/api/directory/principals?text=ana');
    expect(found.status, JSON.stringify(found.body)).toBe(200);
    expect((await portal.emulator.journal()).length).toBeGreaterThan(0);
    // Without Origin, without a header of ours: a terminal has no cookie that another site could use.
    expect((await device().post('/api/setup-files', { text: 'group: 1' })).body.code).toBe('invalid-request');
  });

  describe.each(Object.entries(ENDPOINTS).filter(([, { permission }]) => !['public', 'session:own', 'setup:manage'].includes(permission)))('%s', (name, contract) => {
    test(`is not for a device (${contract.permission})`, async () => {
      expect(name in SAMPLES).toBe(true);
      await portal.emulator.clearJournal();
      const before = await fingerprint(portal.db);
      const reply = await callSample(device() as Client, name, contract);
      expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([403, 'not-permitted']);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope"');
      expect(await portal.emulator.journal()).toEqual([]);
      expect(await fingerprint(portal.db)).toBe(before);
    });
  });

  test('a device cannot allow the next one', async () => {
    const { body } = await begun();
    expect((await device().post(`/api/device/authorizations/${body.userCode}`, allow())).status).toBe(403);
    expect((await portal.anonymous().post('/api/device/sessions', { deviceCode: body.deviceCode })).body.state).toBe('authorization-pending');
  });

  test('a cookie and a bearer token in one request are refused, whosever they are', async () => {
    const cookie = await maya.jar.getCookieString(portal.url);
    for (const [cookieSent, tokenSent] of [[cookie, token], ['gatehouse=made-up', token], [cookie, 'made-up']] as const) {
      for (const [method, body] of [['GET', undefined], ['POST', {}]] as const) {
        const reply = await send(method, method === 'GET' ? '/api/session' : '/auth/sign-out', { cookie: cookieSent, authorization: `Bearer ${tokenSent}`, origin: portal.url, 'x-requested-with': 'gatehouse' }, body);
        expect([reply.status, reply.body.code]).toEqual([400, 'invalid-request']);
      }
    }
    expect((await device().get('/api/session')).body.person, 'nobody was signed out').not.toBeNull();
    expect((await maya.get('/api/session')).body.person).not.toBeNull();
  });

  test.each(['made-up', '', 'a b', '../x'])('the bearer token “%s” is nobody’s', async (wrong) => {
    const reply = await send('GET', '/api/setups', { authorization: `Bearer ${wrong}` });
    expect([reply.status, reply.body.code]).toEqual([401, 'not-signed-in']);
    expect(reply.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    // It lets a POST past the check of its origin, and no further.
    expect((await send('POST', '/api/setup-files', { authorization: `Bearer ${wrong}` }, { text: 'x' })).status).toBe(401);
  });

  test('a token in the query or the body is none, nor one under another scheme', async () => {
    for (const path of [`/api/setups?access_token=${token}`, `/api/setups?token=${token}`]) expect((await send('GET', path, {})).status).not.toBe(200);
    expect((await send('GET', '/api/setups', { authorization: `Basic ${token}` })).status).toBe(401);
    expect((await send('GET', '/api/setups', { authorization: token })).status).toBe(401);
    const form = await fetch(`${portal.url}/api/setup-files`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `access_token=${token}` });
    expect(form.status).toBe(403);
    const json = await send('POST', '/api/setup-files', { origin: portal.url, 'x-requested-with': 'gatehouse' }, { text: 'x', access_token: token });
    expect(json.status).toBe(401);
  });

  test('a bearer token sends JSON and nothing else', async () => {
    const answer = await fetch(`${portal.url}/api/setup-files`, { method: 'POST', headers: { ...bearer, 'content-type': 'text/plain' }, body: '{"text":"x"}' });
    expect([answer.status, (await answer.json()).code]).toEqual([403, 'cross-site']);
  });

  test('Entra’s wish for a stronger sign-in is told in words that a terminal can follow, and no attempt is begun', async () => {
    const claims = encodeURIComponent('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}');
    await portal.emulator.faults([{ match: { method: 'GET', path: '/v1.0/groups' }, times: null, fault: { kind: 'status', status: 400, code: 'RoleAssignmentRequestAcrsValidationFailed', message: `&claims=${claims}` } }]);
    const reply = await device().get('/api/directory/groups');
    await portal.emulator.faults([]);
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([401, 'step-up-required']);
    expect(reply.body.detail).toContain(`Open ${portal.url}/setups`);
    expect(reply.body).not.toHaveProperty('signInUrl');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer error="insufficient_user_authentication"');
    expect(await portal.db.prisma.signIn.count({ where: { returnTo: '/' } })).toBe(0);
  });

  test('what was decided is in the history, in words', async () => {
    const events = await portal.db.prisma.auditEvent.findMany({ where: { activity: { startsWith: 'device.' } } });
    expect(events.length).toBeGreaterThan(0);
    for (const { raw } of events) expect(raw).not.toMatch(/[\w-]{43}/);
  });

  test('signing out ends the device’s session and leaves the browser’s, with the tokens', async () => {
    const secret = await signedIn();
    const own = { authorization: `Bearer ${secret}` };
    expect((await send('POST', '/auth/sign-out', own, {})).status).toBe(200);
    expect((await send('GET', '/api/setups', own)).status).toBe(401);
    expect((await maya.get('/api/directory/principals?text=ana')).status).toBe(200);
  });

  test('signing out at a browser ends every device that the person allowed, and with the last session the tokens', async () => {
    const client = portal.anonymous();
    await client.signIn(MAYA);
    const tokens = () => portal.db.prisma.tokenPartition.count();
    const before = await tokens();
    const own = { authorization: `Bearer ${await signedIn()}` };
    const allowed = () => portal.db.prisma.deviceSignIn.count({ where: { status: 'allowed' } });
    await portal.db.prisma.deviceSignIn.updateMany({ where: { status: 'claimed' }, data: { status: 'allowed' } });
    expect(await allowed()).toBeGreaterThan(0);
    expect((await client.post('/auth/sign-out')).status).toBe(200);
    expect((await send('GET', '/api/setups', own)).status).toBe(401);
    expect(await allowed()).toBe(0);
    expect((await maya.get('/api/directory/principals?text=ana')).status, 'another browser stays').toBe(200);
    expect(await tokens()).toBe(before);
    expect((await maya.post('/auth/sign-out')).status).toBe(200);
    expect(await tokens()).toBe(before - 1);
  });
});
