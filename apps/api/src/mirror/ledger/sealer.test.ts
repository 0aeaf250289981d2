import { createHash } from 'node:crypto';
import { ensureAuditPartitions, type Database } from '@gatehouse/db';
import { countWaiting, testDatabase } from '@gatehouse/db/testing';
import { expect, test } from 'vitest';
import { withConnection } from '../database.ts';
import { closeKnowledge, latestCheckpoint } from './checkpoint.store.ts';
import { inSnapshot } from './leaf.store.ts';
import { readLedger, findUnaccounted } from './ledger.store.ts';
import { hashLeaves, readEdge } from './tile.store.ts';
import { openCheckpoint } from './note.ts';
import { addBatch, ORIGIN, signer, TENANT, testSealer } from './testing.ts';
import { Edge } from './tree.ts';

const sealed = async (db: Pick<Database, 'pool'>): Promise<{ batch: number; leaf: number }[]> => (await db.pool.query<{ batch: number; leaf: number }>('SELECT batch_id::int AS batch, first_leaf::int AS leaf FROM ledger_seal ORDER BY first_leaf')).rows;
const queued = async (db: Pick<Database, 'pool'>): Promise<number> => (await db.pool.query('SELECT 1 FROM log_unsealed')).rowCount ?? 0;
const rootAnew = (db: Pick<Database, 'pool'>, size: number): Promise<Buffer> => withConnection(db, (connection) => inSnapshot(connection, async () => {
  const edge = new Edge();
  for (const leaf of await hashLeaves(connection, TENANT, 0, size)) edge.add(leaf);
  return edge.root();
}));

test('committed batches get leaves without a gap, each one more than it has rows, and a signed checkpoint', async () => {
  await using db = await testDatabase();
  const [one, two, three] = [await addBatch(db, 300, 0), await addBatch(db, 1, 300, { source: 'portal' }), await addBatch(db, 260, 301)];
  const checkpoint = await testSealer(db).pass();
  expect(await sealed(db)).toEqual([{ batch: one, leaf: 0 }, { batch: two, leaf: 301 }, { batch: three, leaf: 303 }]);
  expect(checkpoint?.size).toBe(564);
  expect(await queued(db)).toBe(0);
  expect(openCheckpoint(checkpoint?.note ?? '', [signer().verifierKey])).toMatchObject({ origin: ORIGIN, size: 564, root: checkpoint?.root });
  expect((await rootAnew(db, 564)).equals(checkpoint?.root ?? Buffer.of())).toBe(true);
  expect((await db.pool.query('SELECT level, index::int FROM ledger_tile ORDER BY 1, 2')).rows).toEqual([{ level: 0, index: 0 }, { level: 0, index: 1 }]);
  expect(await testSealer(db).pass()).toBeUndefined();
});

test('a leaf is the name of the table, a newline, and the row as COPY writes it', async () => {
  await using db = await testDatabase();
  await addBatch(db, 1, 0);
  await testSealer(db).pass();
  const { rows: [row] } = await db.pool.query<{ batch_id: string; actor_id: string }>('SELECT batch_id, actor_id FROM audit_event');
  const data = ['audit_event\n11111111-2222-4333-8444-555555555555', row?.batch_id, '0', 'directory', 'event-0', '0', '2026-03-02 09:00:00+00', '2026-03-02 09:00:00+00', 'Add member to role', 'activated', 'PIM', 'success', 'line one\\nline two', row?.actor_id, 'Ana Costa',
    '\\N', '\\N', '\\N', '\\N', '\\N', '\\N', '\\N', '\\N', `{"id":"event-0","tab":"a\\tb","path":"c:\\\\dir","more":"${'x'.repeat(600)}"}`, '2026-03-02 09:00:00+00', '\\N'].join('\t');
  const [leaf] = await withConnection(db, (connection) => inSnapshot(connection, () => hashLeaves(connection, TENANT, 0, 1)));
  expect(leaf?.toString('hex')).toBe(createHash('sha256').update(Buffer.of(0)).update(data).digest('hex'));
});

test('a tree that grew by many small checkpoints is that of one', async () => {
  await using db = await testDatabase();
  const sealer = testSealer(db, { leavesAtOnce: 100 });
  let rows = 0;
  for (const count of [1, 254, 1, 700, 33]) {
    await addBatch(db, count, rows);
    rows += count;
    await sealer.pass();
  }
  const last = await latestCheckpoint(db.pool, TENANT);
  expect(last?.size).toBe(rows + 5);
  // The large batch took several checkpoints, each of them the beginning of the next.
  const { rows: checkpoints } = await db.pool.query<{ size: number; root_hash: Buffer }>('SELECT tree_size::int AS size, root_hash FROM ledger_checkpoint ORDER BY 1');
  expect(checkpoints.length).toBeGreaterThan(9);
  for (const { size, root_hash } of checkpoints) expect((await rootAnew(db, size)).equals(root_hash), `size ${size}`).toBe(true);
  expect((await withConnection(db, (connection) => inSnapshot(connection, () => readEdge(connection, TENANT, rows + 5)))).root().equals(last?.root ?? Buffer.of())).toBe(true);
});

test('batches that are committed later get their leaves later, whatever their ids', async () => {
  await using db = await testDatabase();
  await ensureAuditPartitions(db.pool, [new Date('2026-03-02T09:00:00Z')]);
  const late = await db.pool.connect();
  await late.query('BEGIN');
  const early = await addBatch({ pool: late }, 5, 0);
  const other = await addBatch(db, 5, 5);
  expect(early).toBeLessThan(other);
  const sealer = testSealer(db);
  await sealer.pass();
  await late.query('COMMIT');
  late.release();
  await sealer.pass();
  expect(await sealed(db)).toEqual([{ batch: other, leaf: 0 }, { batch: early, leaf: 6 }]);
  expect((await rootAnew(db, 12)).equals((await latestCheckpoint(db.pool, TENANT))?.root ?? Buffer.of())).toBe(true);
});

test('of twelve that seal at once, one does each piece, and the tree has no gap', async () => {
  await using db = await testDatabase();
  for (let batch = 0; batch < 12; batch++) await addBatch(db, 20, batch * 20);
  await Promise.all(Array.from({ length: 6 }, () => testSealer(db, { leavesAtOnce: 50 }).pass()));
  await testSealer(db).pass();
  expect((await sealed(db)).map(({ leaf }) => leaf)).toEqual(Array.from({ length: 12 }, (_, at) => at * 21));
  expect((await rootAnew(db, 252)).equals((await latestCheckpoint(db.pool, TENANT))?.root ?? Buffer.of())).toBe(true);
});

test('one that stood still while another took over writes nothing when it wakes', async () => {
  await using db = await testDatabase();
  await addBatch(db, 10, 0);
  const standing = Promise.withResolvers<void>();
  const asleep = Promise.withResolvers<void>();
  const sleeper = testSealer(db, { signers: [signer(1)], beforeWrite: async () => { asleep.resolve(); await standing.promise; } }).pass();
  await asleep.promise;
  // It still has its lock and its time: it is left alone.
  expect(await testSealer(db).pass()).toBeUndefined();
  await db.pool.query(`UPDATE ledger_sealer SET held_until = clock_timestamp() - interval '1 second'`);
  const another = testSealer(db, { signers: [signer(1)] });
  expect((await another.pass())?.size).toBe(11);
  await addBatch(db, 4, 10);
  standing.resolve();
  expect(await sleeper).toBeUndefined();
  expect((await db.pool.query('SELECT tree_size::int AS size FROM ledger_checkpoint')).rows).toEqual([{ size: 11 }]);
  expect((await another.pass())?.size).toBe(16);
});

test('the fence alone refuses one whose time is over, also where nothing of it would collide', async () => {
  await using db = await testDatabase();
  await addBatch(db, 10, 0);
  const pass = testSealer(db, { beforeWrite: async () => { await db.pool.query('UPDATE ledger_sealer SET fence = fence + 1'); } }).pass();
  expect(await pass).toBeUndefined();
  expect(await sealed(db)).toEqual([]);
  expect(await queued(db)).toBe(1);
});

/** What is known, or was at the instant, to one whose clock stands. */
const known = (db: Pick<Database, 'pool'>, instant?: string, at = new Date('2026-03-02T10:30:00Z'), aheadMs = 0) => closeKnowledge(db.pool, TENANT, { now: at, aheadMs }, instant);

test('what was known at an instant stays: what was about to be signed before it is signed after it', async () => {
  await using db = await testDatabase();
  await addBatch(db, 4, 0);
  await testSealer(db).pass();
  await addBatch(db, 2, 4);
  // All that is to be signed has been read, by a clock that is behind.
  let asked: Awaited<ReturnType<typeof known>>;
  const checkpoint = await testSealer(db, { beforeWrite: async () => { asked = await known(db); } }).pass();
  expect(asked).toEqual({ at: '2026-03-02T10:30:00.000000Z', leaves: 5, checkpoint: { size: 5, signedAt: new Date('2026-03-02T10:00:01Z') } });
  expect(checkpoint).toMatchObject({ size: 8, signedAt: new Date('2026-03-02T10:30:00.001Z') });
  expect(await known(db, '2026-03-02T10:30:00Z')).toEqual(asked);
  expect(await known(db), 'now').toMatchObject({ at: '2026-03-02T10:30:00.001000Z', leaves: 8 });
  expect(await known(db, '2026-03-02T09:30:00Z'), 'before anything was sealed').toEqual({ at: '2026-03-02T09:30:00.000000Z', leaves: 0, checkpoint: null });
  expect(await known(db, '2026-03-02T10:30:00.001001Z'), 'to come').toBeUndefined();
});

test('a clock that runs far ahead does not take the ledger with it, but a demo’s time may', async () => {
  await using db = await testDatabase();
  const real = Date.now();
  const ahead = new Date(real + 5 * 365 * 86_400_000);
  const told = await known(db, undefined, ahead);
  expect(Date.parse(told?.at ?? '') - real).toBeLessThan(120_000);
  expect(await known(db, ahead.toISOString(), ahead), 'not there yet').toBeUndefined();
  expect((await known(db, undefined, ahead, ahead.getTime() - real))?.at).toBe(ahead.toISOString().replace('Z', '000Z'));
});

test('whoever asks while a checkpoint is being written waits for it', async () => {
  await using db = await testDatabase();
  await addBatch(db, 4, 0);
  const stopped = await db.owner.connect();
  const blocked = (count: number) => expect.poll(() => countWaiting(db)).toBe(count);
  try {
    // It is signed, and cannot be written yet.
    await stopped.query('BEGIN; LOCK TABLE ledger_checkpoint IN SHARE MODE');
    const pass = testSealer(db).pass();
    await blocked(1);
    const asked = known(db);
    await blocked(2);
    await stopped.query('COMMIT');
    expect((await pass)?.signedAt).toEqual(new Date('2026-03-02T10:00:01Z'));
    expect(await asked).toMatchObject({ leaves: 5 });
  } finally {
    stopped.release();
  }
});

test('a batch of which a checkpoint has only a part is known with the checkpoint that has it whole', async () => {
  await using db = await testDatabase();
  await addBatch(db, 4, 0);
  await addBatch(db, 12, 4);
  const sealer = testSealer(db, { leavesAtOnce: 9 });
  await sealer.pass();
  const { rows } = await db.pool.query<{ size: number; at: string }>('SELECT tree_size::int AS size, signed_at::text AS at FROM ledger_checkpoint ORDER BY 1');
  expect(await Promise.all(rows.map(async ({ size, at }) => [size, (await known(db, at))?.leaves]))).toEqual([[9, 5], [18, 18]]);
});

const TAMPERED = {
  'a byte of a row at the edge': `UPDATE audit_event SET raw = raw || ' ' WHERE event_id = 'event-299'`,
  'a row at the edge deleted': `DELETE FROM audit_event WHERE event_id = 'event-299'`,
  'a row added to a sealed batch': `INSERT INTO audit_event SELECT tenant_id, source, 'added', activity_at, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, subject_id, subject_name, group_id, group_name, application_id, application_name, request_id, correlation_id, raw, ingested_at, revision, defect, batch_id, 300 FROM audit_event WHERE event_id = 'event-299'`,
  'how many rows a batch has': `UPDATE log_batch SET rows = rows - 1`,
  'when a batch was received': `UPDATE log_batch SET received_at = received_at + interval '1 microsecond'`,
  'a tile below': `UPDATE ledger_tile SET root = sha256(root)`,
  'a tile deleted': 'DELETE FROM ledger_tile',
  'a seal moved': 'UPDATE ledger_seal SET first_leaf = 1',
  'the seals deleted': 'DELETE FROM ledger_seal',
  'the checkpoint deleted': 'DELETE FROM ledger_checkpoint',
  'the root in its column': 'UPDATE ledger_checkpoint SET root_hash = sha256(root_hash)',
  'the signed text': `UPDATE ledger_checkpoint SET note = replace(note, 'time 2026', 'time 2025')`,
};

const TABLES = ['audit_event', 'log_batch', 'log_unsealed', 'ledger_tile', 'ledger_seal', 'ledger_checkpoint', 'ledger_sealer'];

test('nothing is signed over a changed past, and when it is put back sealing goes on', async () => {
  await using db = await testDatabase();
  const told: (string | null)[] = [];
  const sealer = testSealer(db, { onAlarm: async (alarm) => { told.push(alarm); } });
  await addBatch(db, 300, 0);
  await sealer.pass();
  await addBatch(db, 3, 300);
  await db.owner.query(TABLES.map((table) => `CREATE TABLE kept_${table} AS TABLE ${table}`).join(';'));
  // What PostgreSQL makes of a row by itself is not put back.
  const { rows: columns } = await db.pool.query<{ table: string; names: string }>(
    `SELECT table_name AS table, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS names FROM information_schema.columns WHERE table_schema = 'public' AND is_generated = 'NEVER' GROUP BY 1`);
  const namesOf = (table: string): string => columns.find((one) => one.table === table)?.names ?? '';
  const putBack = async (tables: readonly string[]): Promise<void> => { await db.owner.query(tables.map((table) => `DELETE FROM ${table}; INSERT INTO ${table} (${namesOf(table)}) SELECT ${namesOf(table)} FROM kept_${table}`).join(';')); };
  for (const [what, statement] of Object.entries(TAMPERED)) {
    await putBack(TABLES);
    told.length = 0;
    await db.owner.query(statement);
    expect(await sealer.pass(), what).toBeUndefined();
    expect((await readLedger(db.pool, TENANT)).alarm, what).toEqual(expect.any(String));
    expect(await sealer.pass(), what).toBeUndefined();
    expect(told, what).toHaveLength(1);
    expect(await queued(db), what).toBe(1);
  }
  await putBack(TABLES.slice(0, -1));
  expect((await sealer.pass())?.size).toBe(305);
  expect(told.at(-1)).toBeNull();
  expect((await readLedger(db.pool, TENANT)).alarm).toBeNull();
});

test('a database that is older than the checkpoint kept outside is not sealed on', async () => {
  await using db = await testDatabase();
  await addBatch(db, 10, 0);
  await testSealer(db).pass();
  await addBatch(db, 10, 10);
  const later = await testSealer(db).pass();
  const keptOutside = async (): Promise<string | undefined> => later?.note;
  expect(await testSealer(db, { keptOutside }).pass()).toBeUndefined();
  expect((await readLedger(db.pool, TENANT)).alarm).toBeNull();
  // The last batch taken out everywhere, as if it had never been.
  await db.owner.query(`DELETE FROM audit_event WHERE event_id >= 'event-10' AND batch_id = (SELECT max(batch_id) FROM log_batch); DELETE FROM ledger_seal WHERE first_leaf = 11; DELETE FROM ledger_checkpoint WHERE tree_size = 22; DELETE FROM log_batch WHERE batch_id = (SELECT max(batch_id) FROM log_batch)`);
  expect(await testSealer(db, { keptOutside }).pass()).toBeUndefined();
  expect((await readLedger(db.pool, TENANT)).alarm).toMatch(/ends at leaf 11, and the file of checkpoints knows 22/);
});

test('after a change of the key both sign while both are given, and the new one goes on', async () => {
  await using db = await testDatabase();
  await addBatch(db, 2, 0);
  await testSealer(db, { signers: [signer(1)] }).pass();
  await addBatch(db, 2, 2);
  expect(await testSealer(db, { signers: [signer(2)] }).pass()).toBeUndefined();
  expect((await readLedger(db.pool, TENANT)).alarm).toMatch(/none of the keys in LEDGER_KEY/);
  const both = await testSealer(db, { signers: [signer(2), signer(1)] }).pass();
  for (const seed of [1, 2]) expect(openCheckpoint(both?.note ?? '', [signer(seed).verifierKey])?.size).toBe(6);
  await addBatch(db, 2, 4);
  expect((await testSealer(db, { signers: [signer(2)] }).pass())?.size).toBe(9);
  expect((await db.pool.query('SELECT key_id FROM ledger_key')).rowCount).toBe(2);
});

test('rows that the ledger will never number are found', async () => {
  await using db = await testDatabase();
  const lost = await addBatch(db, 2, 0);
  await addBatch(db, 2, 2);
  expect(await findUnaccounted(db.pool, TENANT)).toEqual([]);
  await db.pool.query('DELETE FROM log_unsealed WHERE batch_id = $1', [lost]);
  await db.owner.query(`UPDATE audit_event SET batch_id = 999, ordinal = 7 WHERE event_id = 'event-3'`);
  expect(await findUnaccounted(db.pool, TENANT)).toEqual([`Batch ${lost} is neither sealed nor queued.`, 'Row 7 of batch 999 in audit_event belongs to no batch of that log.']);
});

test('the whole ledger is read for as long as it takes, and no statement after it', async () => {
  await using db = await testDatabase();
  const settings = await withConnection(db, async (connection) => {
    const read = async (): Promise<unknown> => (await connection.query<{ limit: string }>(`SELECT current_setting('statement_timeout') AS limit`)).rows[0]?.limit;
    return [await read(), await inSnapshot(connection, read), await read()];
  });
  expect(settings).toEqual(['30s', '0', '30s']);
});
