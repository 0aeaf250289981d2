import { randomBytes, randomUUID } from 'node:crypto';
import { testDatabase } from '@gatehouse/db/testing';
import { expect, test } from 'vitest';
import type { Actor } from '../core/actor.ts';
import { ABSOLUTE_MINUTES, createSessions, IDLE_MINUTES } from './sessions.ts';

const MINUTE_MS = 60_000;
const START = Date.parse('2026-03-02T09:00:00Z');

/** Sessions on a real database, and a clock that a test moves. */
async function prepared() {
  const db = await testDatabase();
  let now = START;
  const tenantId = randomUUID();
  const keys = [randomBytes(32)] as const;
  const of = (given: readonly [Buffer, ...Buffer[]], tenant = tenantId) => createSessions({ tenantId: tenant, db, systemClock: { now: () => new Date(now) }, keys: given });
  const ana: Actor = { tenantId, principalId: randomUUID(), name: 'Ana Costa', upn: 'ana.costa@contoso.example', roles: ['Auditor'], accountId: 'ana.account', device: null };
  return {
    db, keys, of, ana, sessions: of(keys), tenantId,
    begin: () => db.prisma.$transaction((tx) => of(keys).begin(tx, ana, { amr: ['pwd'], address: '10.1.1.1' })),
    find: (secret: string, given = of(keys)) => given.find({ by: 'cookie', secret }),
    after(minutes: number): void { now = START + minutes * MINUTE_MS; },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

test('a session is found by its secret, which the database does not hold', async () => {
  await using all = await prepared();
  const secret = await all.begin();
  expect(await all.find(secret)).toEqual(all.ana);
  expect(await all.find(`${secret}x`)).toBeUndefined();
  expect(await all.find('')).toBeUndefined();
  const { rows } = await all.db.pool.query('SELECT s::text AS text, encode(s.id_hash, \'base64\') AS hash FROM session s');
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(secret);
});

test('it ends after half an hour without a request, not while it is used, and after eight hours whatever is done', async () => {
  await using all = await prepared();
  const secret = await all.begin();
  all.after(IDLE_MINUTES - 1);
  expect(await all.find(secret)).toBeDefined();
  all.after(2 * IDLE_MINUTES - 2);
  expect(await all.find(secret), 'used a while ago').toBeDefined();
  all.after(3 * IDLE_MINUTES - 2);
  expect(await all.find(secret), 'idle for half an hour').toBeUndefined();

  const busy = await (async () => { all.after(0); return all.begin(); })();
  for (let minutes = 20; minutes < ABSOLUTE_MINUTES; minutes += 20) {
    all.after(minutes);
    expect(await all.find(busy), `${minutes} min`).toBeDefined();
  }
  all.after(ABSOLUTE_MINUTES);
  expect(await all.find(busy)).toBeUndefined();
});

test('signing out ends it, and another tenant does not know it', async () => {
  await using all = await prepared();
  const [first, second] = [await all.begin(), await all.begin()];
  expect(await all.find(first, all.of(all.keys, randomUUID()))).toBeUndefined();
  await all.db.prisma.$transaction((tx) => all.sessions.end(tx, first));
  expect(await all.find(first)).toBeUndefined();
  expect(await all.find(second), 'the other browser stays').toBeDefined();
});

test('a session that stood idle too long needs no tokens, swept or not', async () => {
  await using all = await prepared();
  await all.begin();
  all.after(IDLE_MINUTES - 1);
  const phone = await all.begin();
  const left = () => all.db.prisma.$transaction((tx) => all.sessions.others(tx, all.ana.principalId));
  expect(await left()).toBe(2);
  all.after(IDLE_MINUTES);
  expect(await left(), 'the laptop of before').toBe(1);
  await all.db.prisma.$transaction((tx) => all.sessions.end(tx, phone));
  expect(await left()).toBe(0);
});

test('a new key is used at once, and sessions under the old one go on while it is listed', async () => {
  await using all = await prepared();
  const secret = await all.begin();
  const next = randomBytes(32);
  expect(await all.find(secret, all.of([next, ...all.keys]))).toBeDefined();
  expect(await all.find(secret, all.of([next]))).toBeUndefined();
});

test('what is over is swept, with the tokens that nobody needs any more', async () => {
  await using all = await prepared();
  await all.begin();
  const partition = async (name: string): Promise<void> => void (await all.db.pool.query('INSERT INTO token_partition (tenant_id, partition, sealed, updated_at) VALUES ($1, $2, $3, $4)', [all.tenantId, name, Buffer.from('x'), new Date(START)]));
  await partition(all.ana.accountId);
  await partition('somebody.gone');
  const kept = async (): Promise<string[]> => (await all.db.pool.query<{ partition: string }>('SELECT partition FROM token_partition ORDER BY 1')).rows.map((row) => row.partition);
  await all.sessions.sweep();
  expect(await kept()).toEqual([all.ana.accountId, 'somebody.gone']);
  all.after(61);
  const again = await all.begin();
  await all.sessions.sweep();
  expect(await kept()).toEqual([all.ana.accountId]);
  expect(await all.find(again)).toBeDefined();
  expect(await all.db.prisma.session.count()).toBe(1);
});
