import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection, Database } from '@gatehouse/db';
import { stringify } from 'csv-stringify/sync';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { record } from '../audit/audit.ts';
import { ACTIVATION_COLUMNS, activationSearchOf, findActivations, readCoverage, titlesOf, type Position } from '../history/history.ts';
import { csvCell } from './csv.rules.ts';
import { findExport, holdPack, settlePack, takePack, tokensOf, type Lease, type StoredExport } from './exports.store.ts';
import type { LedgerPart } from './ledger-part.ts';
import { withSnapshot, type Selection } from './log-reader.store.ts';
import { logStream } from './log-stream.ts';
import { summaryPdf } from './pack.pdf.ts';
import { coverageStatement, droppedStatement, manifestOf, readmeOf, type PackFacts } from './pack.rules.ts';
import { readDropped, readFacts } from './pack.store.ts';
import { writePack } from './pack.writer.ts';

export interface PackDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Real time: a demo's clock that jumps an hour does not mean that who makes a pack is dead. */
  readonly systemClock: Clock;
  readonly newId: () => string;
  readonly tenantId: string;
  readonly nameOfTenant: () => Promise<string>;
  readonly log: Pick<Logger, 'warn'>;
  /** Where packs lie; of several replicas, a folder that all share. */
  readonly dir: string;
  readonly ledgerPart: LedgerPart;
}

export type Packs = ReturnType<typeof createPacks>;

/** Who was not heard of for so long is taken for dead, and the pack is begun anew. */
const LEASE_MS = 5 * 60_000;
const HEARD_EVERY_MS = LEASE_MS / 5;
const PROGRESS_EVERY_ROWS = 20_000;

/** A file that is being written, and by whom; of an earlier release, by nobody. */
const UNFINISHED = /^(?<exportId>[\da-f-]{36})\.zip\.(?:(?<token>[\da-f-]{36})\.)?part$/;

/**
 * Makes evidence packs in the background, one at a time: what is to be made stands in the table, and outlives a crash. Who
 * was taken for dead and is not may still be writing: each maker writes a file of its own, and only whose token the table has
 * puts it in its place.
 */
export function createPacks({ db, clock, systemClock, newId, tenantId, nameOfTenant, log, dir, ledgerPart }: PackDeps) {
  let underWay: Promise<void> = Promise.resolve();
  const pathOf = (exportId: string): string => join(dir, `${exportId}.zip`);
  const unfinishedOf = (exportId: string, token: string): string => `${pathOf(exportId)}.${token}.part`;
  const leaseOf = (token: string): Lease => ({ token, until: new Date(systemClock.now().getTime() + LEASE_MS) });

  /** One pass at a time in this process, each after those that were asked for before it. */
  function pass(): Promise<void> {
    const mine = underWay.then(makeAll);
    underWay = mine.catch(() => undefined);
    return mine;
  }

  async function makeAll(): Promise<void> {
    for (;;) {
      const token = newId();
      const id = await takePack(db, tenantId, systemClock.now(), leaseOf(token));
      const found = id === undefined ? undefined : await findExport(db.prisma, tenantId, id);
      if (!found) break;
      await make(found, token);
    }
    await tidy();
  }

  /** Removes what makers left who died. Whoever makes a pack had its token in the table before there was a file. */
  async function tidy(): Promise<void> {
    const left = (await readdir(dir).catch(() => [])).flatMap((name) => {
      const { exportId, token } = UNFINISHED.exec(name)?.groups ?? {};
      return exportId === undefined ? [] : [{ name, exportId, token }];
    });
    if (left.length === 0) return;
    const tokens = await tokensOf(db.prisma, tenantId, left.map(({ exportId }) => exportId));
    for (const { name, exportId, token } of left) if (tokens.has(exportId) && tokens.get(exportId) !== token) await rm(join(dir, name), { force: true });
  }

  async function make(one: StoredExport, token: string): Promise<void> {
    const { told } = one;
    const actor = { tenantId, principalId: one.askedById, name: told.askedBy };
    const unfinished = unfinishedOf(told.id, token);
    const lost = new AbortController();
    const hold = async (rowsDone?: number): Promise<void> => { if (!await holdPack(db.prisma, tenantId, told.id, leaseOf(token), rowsDone)) lost.abort(); };
    // By the clock and not by what was done: one question to the database may take longer than the lease.
    const heard = setInterval(() => { hold().catch((error: unknown) => { log.warn({ err: error, exportId: told.id }, 'that an evidence pack is being made could not be noted'); }); }, HEARD_EVERY_MS);
    heard.unref();
    try {
      // What cannot be sealed is an alarm of the ledger; the pack says how much of it is not.
      await ledgerPart.seal().catch((error: unknown) => { log.warn({ err: error, exportId: told.id }, 'the ledger does not seal'); });
      const written = await withSnapshot(db, (connection) => write(connection, one, unfinished, { hold, signal: lost.signal }));
      await db.prisma.$transaction(async (tx) => {
        if (!await settlePack(tx, tenantId, told.id, token, { ...written, finishedAt: clock.now() })) return lost.abort();
        await record(tx, { id: newId(), at: clock.now(), actor, type: 'history.pack-made', kind: 'portal-export', result: 'success', data: { exportId: told.id, ...written } });
        // Last, while the row is held: nobody else puts theirs there, and what is in its place is what its row says.
        await rename(unfinished, pathOf(told.id));
      });
    } catch (error) {
      await db.prisma.$transaction(async (tx) => {
        if (!await settlePack(tx, tenantId, told.id, token, { error: 'The pack could not be made. The log of the portal says why.', finishedAt: clock.now() })) return lost.abort();
        await record(tx, { id: newId(), at: clock.now(), actor, type: 'history.pack-failed', kind: 'portal-export', result: 'failure', data: { exportId: told.id } });
        log.warn({ err: error, exportId: told.id }, 'an evidence pack could not be made');
      });
    } finally {
      clearInterval(heard);
      await rm(unfinished, { force: true });
    }
    if (lost.signal.aborted) log.warn({ exportId: told.id }, 'an evidence pack was given up: another process has begun it anew');
  }

  async function write(connection: Connection, { told, selection }: StoredExport, path: string, { hold, signal }: { readonly hold: (rowsDone: number) => Promise<void>; readonly signal: AbortSignal }): Promise<{ sha256: string; bytes: number; rows: number }> {
    const coverage = await readCoverage(connection, tenantId);
    const dropped = await readDropped(connection, tenantId, selection.filter);
    const statement = `${coverageStatement(coverage)}${droppedStatement(dropped)}`;
    const counted = await readFacts(connection, selection);
    let activations = 0;
    let rows = 0;
    const head = { tenantId, exportId: told.id, askedBy: told.askedBy, askedAt: told.askedAt, filter: told.filter, coverageStatement: statement };
    const tenantName = await nameOfTenant();
    const facts = (): PackFacts => ({ ...head, ...counted, tenantName, coverage, activations });
    async function* events(): AsyncGenerator<Buffer> {
      let noted = 0;
      for await (const piece of logStream(connection, 'ndjson', selection)) {
        rows += piece.rows;
        if (rows - noted >= PROGRESS_EVERY_ROWS) {
          noted = rows;
          await hold(rows);
        }
        if (piece.bytes.length > 0) yield piece.bytes;
      }
    }
    async function* activationRows(): AsyncGenerator<Buffer> {
      for await (const page of activationsOf(connection, selection)) {
        activations += page.rows;
        yield page.bytes;
      }
    }
    const text = (content: () => string | Promise<string>) => async function* once(): AsyncGenerator<Buffer> { yield Buffer.from(await content()); };
    const ledger = await ledgerPart.filesOf(connection, selection);
    const written = await writePack(path, [
      { name: 'README.txt', content: text(() => readmeOf(head)) },
      { name: 'events.ndjson', content: events },
      { name: 'activations.csv', content: activationRows },
      { name: 'coverage.json', content: text(() => `${JSON.stringify({ ...coverage, statement, dropped }, undefined, 2)}\n`) },
      { name: 'summary.pdf', content: async function* pdf() { yield await summaryPdf(facts()); } },
      ...ledger,
    ], { at: new Date(told.askedAt), manifest: (files) => manifestOf(head, selection.mark, files), signal });
    return { sha256: written.sha256, bytes: written.bytes, rows };
  }

  /** Activations of the same people, groups, applications and time, newest first. */
  async function* activationsOf(connection: Connection, { filter: { text, from, to }, names = {} }: Selection): AsyncGenerator<{ bytes: Buffer; rows: number }> {
    yield { bytes: Buffer.from(`\uFEFF${stringify([titlesOf(ACTIVATION_COLUMNS)], { quoted: true, record_delimiter: '\r\n' })}`), rows: 0 };
    const most = 1_000;
    const search = activationSearchOf(tenantId, { text, from, to }, names);
    for (let after: Position | undefined; ;) {
      const page = await findActivations(connection, search, { after, order: 'newest', limit: most });
      const lines = page.map(({ row }) => `${Object.values(ACTIVATION_COLUMNS).map((read) => csvCell(read(row))).join(',')}\r\n`);
      if (lines.length > 0) yield { bytes: Buffer.from(lines.join('')), rows: lines.length };
      after = page.at(-1)?.position;
      if (page.length < most) return;
    }
  }

  return {
    pathOf,
    /** Makes what waits, now; what is under way is followed by it. */
    begin(): void {
      pass().catch((error: unknown) => { log.warn({ err: error }, 'evidence packs are not being made'); });
    },
    /** Of the queue: what a process left when it died. */
    pass,
    idle: async (): Promise<void> => { await underWay; },
  };
}
