/**
 * A ledger that is sound, in which a month was dropped, and one change of it at a time: of the database, of a pack, of a
 * checkpoint. Whether the verifier finds it, which shares no code with the portal and knows the portal's public key and one
 * checkpoint that was kept outside. What the portal derives for itself and no pack has is found by its own nightly check.
 */
import type { Connection } from '@gatehouse/db';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { withConnection } from '../apps/api/src/mirror/database.ts';
import { checkLedger } from '../apps/api/src/mirror/ledger/check.ts';
import { merged } from '../apps/api/src/mirror/ledger/drops.ts';
import { createLedger, type Ledger } from '../apps/api/src/mirror/ledger/ledger.ts';
import { COPY_SETTINGS, LOG_TABLES } from '../apps/api/src/mirror/ledger/leaves.ts';
import { signCheckpoint, signerOf } from '../apps/api/src/mirror/ledger/note.ts';
import { ledgerPart } from '../apps/api/src/mirror/ledger/pack.ts';
import { addBatch, ORIGIN, TENANT } from '../apps/api/src/mirror/ledger/testing.ts';
import { Edge, HASH_BYTES, hashesOf, leafHash } from '../apps/api/src/mirror/ledger/tree.ts';
import { checkPack, type Pack } from '../apps/verify/src/check.ts';
import { randomFrom } from './random.ts';

type Files = ReadonlyMap<string, Buffer>;
type Random = () => number;

const SEED_KEY = Buffer.alloc(32, 21);
/** The record of the drop and its batch's own row, which the ledger ends with. */
const RECORD_LEAVES = 2;
const text = (files: Files, name: string): string => (files.get(name) ?? Buffer.of()).toString();
const pick = <T>(random: Random, of: readonly T[]): T => {
  const one = of[Math.floor(random() * of.length)];
  if (one === undefined) throw new RangeError('nothing to pick from');
  return one;
};
const packOf = (files: Files): Pack => ({ names: [...files.keys()], stream: async function* (name) { yield Buffer.from(files.get(name) ?? Buffer.of()); } });
const flipped = (bytes: Buffer, random: Random): Buffer => {
  const copy = Buffer.from(bytes);
  const at = Math.floor(random() * copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return copy;
};

/** What can be done to a pack. Each answers other files than it was given. */
const OF_A_PACK: Readonly<Record<string, (files: Files, random: Random) => Files>> = {
  'pack: a byte': (files, random) => {
    const name = pick(random, [...files.keys()].filter((one) => (files.get(one)?.length ?? 0) > 0));
    return new Map(files).set(name, flipped(files.get(name) ?? Buffer.of(), random));
  },
  'pack: a file taken away': (files, random) => {
    const less = new Map(files);
    less.delete(pick(random, [...files.keys()]));
    return less;
  },
  'pack: a row deleted': (files, random) => withLines(files, random, (lines, at) => lines.toSpliced(at, 1)),
  'pack: a row inserted': (files, random) => withLines(files, random, (lines, at) => lines.toSpliced(at, 0, (lines[at] ?? '').replace('event-', 'other-'))),
  'pack: two rows swapped': (files, random) => withLines(files, random, (lines, at) => {
    const other = (at + 1 + Math.floor(random() * (lines.length - 1))) % lines.length;
    return lines.with(at, lines[other] ?? '').with(other, lines[at] ?? '');
  }),
  'pack: its end cut off': (files, random) => withLines(files, random, (lines, at) => lines.slice(0, at)),
  'checkpoint: a byte': (files, random) => new Map(files).set('ledger/checkpoint', flipped(files.get('ledger/checkpoint') ?? Buffer.of(), random)),
  'checkpoint: an earlier one in its place': (files, random) => new Map(files).set('ledger/checkpoint', files.get(pick(random, [...files.keys()].filter((name) => name.startsWith('ledger/checkpoints/')))) ?? Buffer.of()),
  'pack: a row taken out and said to be dropped': (files, random) => {
    const proofs = JSON.parse(text(files, 'ledger/proofs.json')) as { dropped: [number, number][] };
    const run = pick(random, proofs.dropped.filter(([, to]) => !proofs.dropped.some(([from]) => from === to + 1)));
    const changed = withoutLeaf(files, run[1]);
    return changed.set('ledger/proofs.json', Buffer.from(`${JSON.stringify({ ...proofs, dropped: proofs.dropped.map((one) => (one === run ? [run[0], run[1] + 1] : one)) })}\n`));
  },
  'pack: a row taken out and said to be a gap': (files, random) => {
    const proofs = JSON.parse(text(files, 'ledger/proofs.json')) as { size: number };
    // What is left of the ledger's end would be what any pack of a part may have.
    const file = pick(random, [...files.keys()].filter((name) => name.startsWith('ledger/rows/')));
    const leaf = pick(random, leavesOf(files, file).filter((one) => one > 0 && one < proofs.size - RECORD_LEAVES - 1));
    const made = withGap(files, file, leaf);
    // It no longer says to be of everything, or does.
    if (random() < 0.5) made.delete('ledger/strays.copy');
    return made;
  },
  'pack: a dropped row said to be there': (files, random) => {
    const proofs = JSON.parse(text(files, 'ledger/proofs.json')) as { dropped: [number, number][] };
    const run = pick(random, proofs.dropped);
    return new Map(files).set('ledger/proofs.json', Buffer.from(`${JSON.stringify({ ...proofs, dropped: proofs.dropped.flatMap(([from, to]) => (from !== run[0] ? [[from, to]] : to - from > 1 ? [[from + 1, to]] : [])) })}\n`));
  },
  'all rebuilt and signed with another key': (files, random) => rebuilt(files, random, Buffer.alloc(32, 1 + Math.floor(random() * 20))),
  'all rebuilt and signed with the same key': (files, random) => rebuilt(files, random, SEED_KEY),
};

function withLines(files: Files, random: Random, change: (lines: string[], at: number) => string[]): Files {
  const name = pick(random, [...files.keys()].filter((one) => one.startsWith('ledger/rows/') && text(files, one).split('\n').length > 3));
  const lines = text(files, name).trimEnd().split('\n');
  return new Map(files).set(name, Buffer.from(change(lines, Math.floor(random() * lines.length)).map((line) => `${line}\n`).join('')));
}

/** The leaves that a file of rows has lines for, in order. */
function leavesOf(files: Files, name: string): number[] {
  const [from = 0, to = 0] = name.slice(name.lastIndexOf('/') + 1).split(/[-.]/).map(Number);
  const { dropped = [] } = JSON.parse(text(files, 'ledger/proofs.json')) as { dropped?: [number, number][] };
  return Array.from({ length: to - from }, (_, at) => from + at).filter((leaf) => !dropped.some(([start, end]) => start <= leaf && leaf < end));
}

function withoutLeaf(files: Files, leaf: number): Map<string, Buffer> {
  const made = new Map(files);
  for (const name of files.keys()) {
    if (!name.startsWith('ledger/rows/')) continue;
    const at = leavesOf(files, name).indexOf(leaf);
    if (at >= 0) made.set(name, Buffer.from(text(files, name).split('\n').toSpliced(at, 1).join('\n')));
  }
  return made;
}

/** The file of rows as two, with the hash of the leaf between them in the place of its row. */
function withGap(files: Files, file: string, leaf: number): Map<string, Buffer> {
  const made = withoutLeaf(files, leaf);
  const [from = 0, to = 0] = file.slice(file.lastIndexOf('/') + 1).split(/[-.]/).map(Number);
  const hashesOfFile = file.replace('/rows/', '/hashes/').replace('.copy', '');
  const [lines, hashes] = [text(made, file).trimEnd().split('\n'), files.get(hashesOfFile) ?? Buffer.of()];
  const before = leavesOf(files, file).indexOf(leaf);
  made.delete(file);
  made.delete(hashesOfFile);
  for (const [start, end, rows] of [[from, leaf, lines.slice(0, before)], [leaf + 1, to, lines.slice(before)]] as const) {
    const name = `${String(start).padStart(12, '0')}-${String(end).padStart(12, '0')}`;
    made.set(`ledger/hashes/${name}`, hashes.subarray((start - from) * HASH_BYTES, (end - from) * HASH_BYTES));
    made.set(`ledger/rows/${name}.copy`, Buffer.from(rows.map((row) => `${row}\n`).join('')));
  }
  const proofs = JSON.parse(text(files, 'ledger/proofs.json')) as { size: number };
  const gap = { from: leaf, to: leaf + 1, hashes: [hashes.subarray((leaf - from) * HASH_BYTES, (leaf - from + 1) * HASH_BYTES).toString('base64')] };
  return made.set('ledger/proofs.json', Buffer.from(`${JSON.stringify({ ...proofs, ranges: [[0, leaf], [leaf + 1, proofs.size]], gaps: [gap] })}\n`));
}

/** What a superuser who has a key can do: one row changed, and everything above it made anew. */
function rebuilt(files: Files, random: Random, key: Buffer): Files {
  const signer = signerOf(ORIGIN, key);
  const made = new Map(files);
  const rows = [...files.keys()].filter((name) => name.startsWith('ledger/rows/')).sort();
  const changed = pick(random, rows);
  const lines = text(files, changed).split('\n');
  const at = pick(random, lines.flatMap((line, index) => (line.startsWith('audit_event\t') ? [index] : [])));
  made.set(changed, Buffer.from(lines.with(at, (lines[at] ?? '').replace('Ana Costa', `Eve ${Math.floor(random() * 1e6)}`)).join('\n')));
  const edge = new Edge();
  const roots = new Map<number, Buffer>();
  for (const name of rows) {
    const hashesName = name.replace('/rows/', '/hashes/').replace('.copy', '');
    // Of what was dropped, the hashes that were there.
    const hashes = hashesOf(files.get(hashesName) ?? Buffer.of());
    const first = edge.size;
    const leaves = leavesOf(files, name);
    for (const [index, line] of text(made, name).trimEnd().split('\n').entries()) hashes[(leaves[index] ?? 0) - first] = leafHash(Buffer.from(line.replace('\t', '\n')));
    for (const hashed of hashes) {
      edge.add(hashed);
      roots.set(edge.size, edge.root());
    }
    made.set(hashesName, Buffer.concat(hashes));
  }
  const sign = (note: string): Buffer => {
    const [, size = '', , time = '', before = ''] = note.split('\n');
    return Buffer.from(signCheckpoint({ origin: ORIGIN, size: Number(size), root: roots.get(Number(size)) ?? Buffer.of(), signedAt: new Date(time.slice(5)), previous: Number(before.slice(9)) }, [signer]));
  };
  for (const name of [...files.keys()].filter((one) => /^ledger\/checkpoint/.test(one))) made.set(name, sign(text(files, name)));
  return made.set('ledger/keys', Buffer.from(`${signer.verifierKey}\n`));
}

/** Tables whose rows are only ever inserted, and their columns that say something. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  ...LOG_TABLES,
  log_batch: ['tenant_id', 'batch_id', 'log', 'source', 'received_at', 'rows'],
  ledger_seal: ['tenant_id', 'batch_id', 'first_leaf'],
  ledger_tile: ['tenant_id', 'level', 'index', 'hashes', 'root'],
  ledger_checkpoint: ['tenant_id', 'tree_size', 'root_hash', 'note', 'signed_at'],
  ledger_key: ['tenant_id', 'key_id', 'verifier_key'],
};

/** What a value becomes, by its type. */
const CHANGED: Readonly<Record<string, (column: string, random: Random) => string>> = {
  uuid: () => `'99999999-2222-4333-8444-555555555555'`,
  bigint: (column, random) => `${column} + ${1 + Math.floor(random() * 5)}`,
  integer: (column, random) => `${column} + ${1 + Math.floor(random() * 5)}`,
  'timestamp with time zone': (column, random) => `${column} + interval '${1 + Math.floor(random() * 1_000)} microseconds'`,
  text: (column, random) => `coalesce(overlay(${column} PLACING chr(CASE WHEN ascii(substr(${column}, p, 1)) = 120 THEN 121 ELSE 120 END) FROM p), 'x')`.replaceAll('p,', 'POSITION_,').replaceAll('FROM p)', 'FROM POSITION_)').replaceAll('POSITION_', `(1 + floor(${random()} * length(${column})))::int`),
  bytea: (column, random) => {
    const at = `floor(${random()} * length(${column}))::int`;
    return `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # ${1 << Math.floor(random() * 8)})`;
  },
};

type Change = (connection: Connection, random: Random) => Promise<void>;

const rowOf = async (connection: Connection, table: string, random: Random): Promise<string> => {
  const { rows: [row] } = await connection.query<{ where: string }>(`SELECT format('tableoid = %s AND ctid = %L', tableoid, ctid) AS where FROM ${table} ORDER BY tableoid, ctid OFFSET floor(${random()} * (SELECT count(*) FROM ${table})) LIMIT 1`);
  return row?.where ?? 'false';
};

/** Those that have rows here. */
const ROWS = Object.keys(COLUMNS).filter((table) => table !== 'network_connection' && table !== 'observation');

/** What can be done to the database by whoever may do everything in it. */
const OF_THE_DATABASE: Readonly<Record<string, Change>> = {
  'database: a byte': async (connection, random) => {
    // As often as there are rows of it in a real one: mostly the log.
    const table = random() < 0.5 ? 'audit_event' : pick(random, ROWS);
    const column = pick(random, COLUMNS[table] ?? []);
    const { rows: [type] } = await connection.query<{ data_type: string }>('SELECT data_type FROM information_schema.columns WHERE table_name = $1 AND column_name = $2', [table, column]);
    const changed = CHANGED[type?.data_type ?? '']?.(`"${column}"`, random) ?? '';
    await connection.query(`UPDATE ${table} SET "${column}" = ${changed} WHERE ${await rowOf(connection, table, random)}`);
  },
  'database: a row deleted': async (connection, random) => {
    const table = random() < 0.5 ? 'audit_event' : pick(random, ROWS.filter((one) => one !== 'ledger_key'));
    await connection.query(`DELETE FROM ${table} WHERE ${await rowOf(connection, table, random)}`);
  },
  'database: a row inserted': async (connection, random) => {
    const where = await rowOf(connection, 'audit_event', random);
    const columns = LOG_TABLES.audit_event;
    const [batch, ordinal] = pick(random, [['batch_id', 'ordinal + 1000'], ['batch_id', 'ordinal'], ['batch_id + 1000', '0'], ['batch_id', '-1']] as const);
    await connection.query(`INSERT INTO audit_event (${columns.join(', ')}) SELECT ${columns.map((column) => ({ event_id: `'forged-${Math.floor(random() * 1e9)}'`, activity_at: `activity_at + interval '1 microsecond'`, batch_id: batch, ordinal }[column as string] ?? column)).join(', ')} FROM audit_event WHERE ${where}`);
  },
  'database: a batch inserted': async (connection) => {
    await connection.query(`INSERT INTO log_batch (tenant_id, log, source, received_at, rows) SELECT tenant_id, log, source, received_at, 1 FROM log_batch LIMIT 1`);
  },
  'database: two rows swapped': async (connection, random) => {
    const { rows } = await connection.query<{ batch_id: string; ordinal: number; raw: string }>(`SELECT batch_id, ordinal, raw FROM audit_event WHERE batch_id = (SELECT batch_id FROM log_batch ORDER BY rows DESC, batch_id LIMIT 1) ORDER BY ordinal`);
    const one = pick(random, rows);
    const other = pick(random, rows.filter(({ ordinal }) => ordinal !== one.ordinal));
    await connection.query('UPDATE audit_event SET ordinal = $2 + $3 - ordinal WHERE batch_id = $1 AND ordinal IN ($2, $3)', [one.batch_id, one.ordinal, other.ordinal]);
  },
  'database: two batches swapped': async (connection) => {
    await connection.query('UPDATE ledger_seal SET first_leaf = -1 - first_leaf; UPDATE ledger_seal SET first_leaf = (SELECT max(-1 - first_leaf) FROM ledger_seal) + 1 + first_leaf');
  },
  'drop: its record deleted': async (connection) => {
    await connection.query('DELETE FROM dropped_month');
  },
  'drop: a row beside it deleted, and the record made to say so': async (connection, random) => {
    const { rows: [row] } = await connection.query<{ batch_id: string; ordinal: number; leaf: string; leaves: string }>(`SELECT e.batch_id, e.ordinal, s.first_leaf + e.ordinal AS leaf, d.leaves FROM audit_event AS e JOIN ledger_seal AS s USING (tenant_id, batch_id), dropped_month AS d ORDER BY 3 OFFSET floor(${random()} * (SELECT count(*) FROM audit_event)) LIMIT 1`);
    const leaves = [...(row?.leaves ?? '').split(','), `${row?.leaf}-${Number(row?.leaf) + 1}`].map((run) => run.split('-').map(Number)).sort(([one = 0], [other = 0]) => one - other);
    const runs = merged(leaves.map(([from = 0, to = 0]) => [from, to] as const));
    await connection.query('UPDATE dropped_month SET rows = rows + 1, leaves = $1, first_leaf = $2, end_leaf = $3', [runs.map((run) => run.join('-')).join(','), runs[0]?.[0], runs.at(-1)?.[1]]);
    await connection.query('DELETE FROM audit_event WHERE batch_id = $1 AND ordinal = $2', [row?.batch_id, row?.ordinal]);
  },
  'drop: one of other rows recorded, and not sealed': async (connection, random) => {
    const { rows: [batch] } = await connection.query<{ batch_id: string; first: string; rows: number }>(`SELECT b.batch_id, s.first_leaf AS first, b.rows FROM log_batch AS b JOIN ledger_seal AS s USING (tenant_id, batch_id) WHERE EXISTS (SELECT 1 FROM audit_event AS e WHERE e.batch_id = b.batch_id AND e.ordinal = 0) ORDER BY 2 OFFSET ${Math.floor(random() * 6)} LIMIT 1`);
    await connection.query('DELETE FROM audit_event WHERE batch_id = $1', [batch?.batch_id]);
    const end = Number(batch?.first) + Number(batch?.rows);
    await connection.query(
      `WITH made AS (INSERT INTO log_batch (tenant_id, log, source, received_at, rows) SELECT tenant_id, log, source, received_at, 1 FROM log_batch WHERE log = 'dropped_month' RETURNING batch_id)
       INSERT INTO dropped_month (${LOG_TABLES.dropped_month.join(', ')}) SELECT ${LOG_TABLES.dropped_month.map((column) => ({ batch_id: 'made.batch_id', rows: '$1::bigint', leaves: `$2 || '-' || $3`, first_leaf: '$2::bigint', end_leaf: '$3::bigint' }[column as string] ?? `d.${column}`)).join(', ')} FROM dropped_month AS d, made`, [batch?.rows, String(batch?.first), String(end)]);
  },
  'drop: a row of it put back': async (connection, random) => {
    const columns = LOG_TABLES.audit_event;
    const { rows: [gone] } = await connection.query<{ batch_id: string }>(`SELECT s.batch_id FROM ledger_seal AS s, dropped_month AS d WHERE s.first_leaf >= d.first_leaf AND s.first_leaf < d.end_leaf ORDER BY s.first_leaf LIMIT 1`);
    await connection.query(`INSERT INTO audit_event (${columns.join(', ')}) SELECT ${columns.map((column) => ({ event_id: `'back-${Math.floor(random() * 1e9)}'`, batch_id: String(gone?.batch_id), ordinal: String(Math.floor(random() * 20)) }[column as string] ?? column)).join(', ')} FROM audit_event LIMIT 1`);
  },
  'drop: the hash of a leaf of it': async (connection, random) => {
    const { rows: [run] } = await connection.query<{ leaf: number }>(`SELECT first_leaf::int AS leaf FROM dropped_month`);
    const at = (Number(run?.leaf) + Math.floor(random() * 20)) * 32 + Math.floor(random() * 32);
    await connection.query('UPDATE ledger_tile SET hashes = set_byte(hashes, $1, get_byte(hashes, $1) # 1) WHERE level = 0 AND index = 0', [at]);
  },
  'database: its end cut off': (connection, random) => backTo(connection, random, false),
  'database: an older backup put back': (connection, random) => backTo(connection, random, true),
};

/** As it was when an earlier checkpoint was signed; or with everything of the log after it gone and the checkpoints left. */
async function backTo(connection: Connection, random: Random, isWhole: boolean): Promise<void> {
  const { rows } = await connection.query<{ size: string }>('SELECT tree_size AS size FROM ledger_checkpoint ORDER BY tree_size');
  const size = pick(random, rows.slice(0, -1)).size;
  await connection.query(`DELETE FROM audit_event WHERE batch_id IN (SELECT batch_id FROM ledger_seal WHERE first_leaf >= ${size}); DELETE FROM log_batch WHERE batch_id IN (SELECT batch_id FROM ledger_seal WHERE first_leaf >= ${size}); DELETE FROM ledger_seal WHERE first_leaf >= ${size}`);
  if (isWhole) await connection.query(`DELETE FROM ledger_checkpoint WHERE tree_size > ${size}; DELETE FROM ledger_tile WHERE (index + 1) * power(256, level + 1) > ${size}`);
}

export interface Mutated {
  readonly kind: string;
  readonly seed: number;
  /** By whom it was found; `undefined` where by nobody. */
  readonly by: 'verifier' | 'check' | undefined;
  readonly what: string;
}

export const KINDS: readonly string[] = [...Object.keys(OF_THE_DATABASE), ...Object.keys(OF_A_PACK)];

/** So many changes, one seed each, beginning with the one given: each found or not. */
export async function mutate(count: number, firstSeed: number, templateUrl?: string): Promise<Mutated[]> {
  await using db = await testDatabase(templateUrl);
  let now = Date.parse('2026-03-02T10:00:00Z');
  const clock = { now: () => new Date(now += 1_000) };
  const ledger = createLedger({ db, clock, systemClock: clock, tenantId: TENANT, keys: [SEED_KEY], log: pino({ level: 'silent' }) });
  let rows = 0;
  for (const [size, month] of [[40], [20, 'dropped'], [1], [3], [4, 'dropped'], [150], [1], [80], [2]] as const) {
    await addBatch(db, size, rows, { bytes: 12, ...(month && { at: '2018-11-05T09:00:00Z' }) });
    rows += size;
    await ledger.seal();
  }
  await dropMonth(db, ledger, clock);
  const [key = ''] = await ledger.keys();
  // What the file of checkpoints, or the webhook's receiver, has kept: the last one.
  const wish = { keys: [key], older: [(await ledger.checkpoint())?.note ?? ''] };
  const sound = await packed(db, async () => {});
  const report = await checkPack(packOf(sound.files), wish);
  if (report.problems.length > 0 || sound.found.length > 0) throw new Error(`a sound ledger is called wrong: ${[...report.problems, ...sound.found].join(' ')}`);

  const results: Mutated[] = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const random = randomFrom(seed);
    const kind = KINDS[seed % KINDS.length] ?? '';
    const change = OF_THE_DATABASE[kind];
    if (!change) {
      const { problems: [what] } = await checkPack(packOf(OF_A_PACK[kind]?.(sound.files, random) ?? sound.files), wish);
      results.push({ kind, seed, by: what === undefined ? undefined : 'verifier', what: what ?? '' });
      continue;
    }
    const { files, found } = await packed(db, (connection) => change(connection, random), async (changed) => (await checkPack(packOf(changed), wish)).problems.length === 0);
    const { problems: [what] } = await checkPack(packOf(files), wish);
    results.push({ kind, seed, by: what !== undefined ? 'verifier' : found.length > 0 ? 'check' : undefined, what: what ?? found[0] ?? '' });
  }
  return results;
}

/** As retention does when a month's time is over and its archive was read back. */
async function dropMonth(db: TestDatabase, ledger: Ledger, clock: { now(): Date }): Promise<void> {
  await db.pool.query(
    `INSERT INTO month_archive (tenant_id, log, month, status, planned_at, due_at, file, sha256, bytes, rows, verified_at) VALUES ($1, 'audit_event', '2018-11-01', 'verified', '2026-01-01Z', '2026-02-01Z', 'a.zip', 'ab', 1, 24, $2)`, [TENANT, clock.now()]);
  await ledger.check();
  const { rows: [row] } = await db.pool.query<{ outcome: string }>(`SELECT drop_log_month($1, 'audit_event', '2018-11-01', 'ab') AS outcome`, [TENANT]);
  if (row?.outcome !== 'dropped') throw new Error(`the month was not dropped: ${row?.outcome}`);
  await ledger.seal();
}

/** The pack of the database with the change, which is taken back; and what the portal's own check says, where it is asked. */
async function packed(db: TestDatabase, change: (connection: Connection) => Promise<void>, isCheckNeeded: (files: Files) => Promise<boolean> = async () => true): Promise<{ files: Files; found: readonly string[] }> {
  const files = new Map<string, Buffer>();
  let found: readonly string[] = [];
  await withConnection({ pool: db.owner }, async (connection) => {
    await connection.query('BEGIN');
    try {
      await connection.query(COPY_SETTINGS);
      // What the database's own constraints refuse is no change: another one is drawn.
      for (let isMade = false; !isMade;) {
        await connection.query('SAVEPOINT before');
        isMade = await change(connection).then(() => true, (error: unknown) => {
          if (error instanceof Error && 'code' in error && String(error.code).startsWith('23')) return false;
          throw error;
        });
        if (!isMade) await connection.query('ROLLBACK TO before');
      }
      // What is read now is read as the portal reads it.
      await connection.query('SET LOCAL ROLE gatehouse_runtime');
      for await (const { name, chunks } of ledgerPart(connection, { tenantId: TENANT, origin: ORIGIN, range: {}, keys: [] })) {
        const all: Buffer[] = [];
        for await (const chunk of chunks()) all.push(chunk);
        files.set(name, Buffer.concat(all));
      }
      if (await isCheckNeeded(files)) ({ found } = await checkLedger(connection, { tenantId: TENANT, origin: ORIGIN, verifierKeys: [signerOf(ORIGIN, SEED_KEY).verifierKey] }));
    } finally {
      await connection.query('ROLLBACK');
    }
  });
  return { files, found };
}
