import { join } from 'node:path';
import type { Connection, Database } from '@gatehouse/db';
import { stringify } from 'csv-stringify/sync';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { record } from '../audit/audit.ts';
import { ACTIVATION_COLUMNS, activationSearchOf, findActivations, readCoverage, titlesOf, type Position } from '../history/history.ts';
import { csvCell } from './csv.rules.ts';
import { findExport, notePackProgress, settlePack, takePack, type StoredExport } from './exports.store.ts';
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
  readonly newId: () => string;
  readonly tenantId: string;
  readonly nameOfTenant: () => Promise<string>;
  readonly log: Pick<Logger, 'warn'>;
  /** Where packs lie; of several replicas, a folder that all share. */
  readonly dir: string;
  readonly ledgerPart: LedgerPart;
}

export type Packs = ReturnType<typeof createPacks>;

/** Who has made no progress for so long is taken for dead, and the pack is begun anew. */
const LEASE_MS = 5 * 60_000;
const PROGRESS_EVERY_ROWS = 20_000;

/** Makes evidence packs in the background, one at a time: what is to be made stands in the table, and outlives a crash. */
export function createPacks({ db, clock, newId, tenantId, nameOfTenant, log, dir, ledgerPart }: PackDeps) {
  let underWay: Promise<void> | undefined;
  const pathOf = (exportId: string): string => join(dir, `${exportId}.zip`);
  const leaseUntil = (): Date => new Date(clock.now().getTime() + LEASE_MS);

  async function pass(): Promise<void> {
    for (;;) {
      const id = await takePack(db, tenantId, clock.now(), leaseUntil());
      const found = id === undefined ? undefined : await findExport(db.prisma, tenantId, id);
      if (!found) return;
      await make(found);
    }
  }

  async function make(one: StoredExport): Promise<void> {
    const { told } = one;
    const actor = { tenantId, principalId: one.askedById, name: told.askedBy };
    try {
      // What cannot be sealed is an alarm of the ledger; the pack says how much of it is not.
      await ledgerPart.seal().catch((error: unknown) => { log.warn({ err: error, exportId: told.id }, 'the ledger does not seal'); });
      const written = await withSnapshot(db, (connection) => write(connection, one));
      await db.prisma.$transaction(async (tx) => {
        await settlePack(tx, tenantId, told.id, { ...written, finishedAt: clock.now() });
        await record(tx, { id: newId(), at: clock.now(), actor, type: 'history.pack-made', kind: 'portal-export', result: 'success', data: { exportId: told.id, ...written } });
      });
    } catch (error) {
      log.warn({ err: error, exportId: told.id }, 'an evidence pack could not be made');
      await db.prisma.$transaction(async (tx) => {
        await settlePack(tx, tenantId, told.id, { error: 'The pack could not be made. The log of the portal says why.', finishedAt: clock.now() });
        await record(tx, { id: newId(), at: clock.now(), actor, type: 'history.pack-failed', kind: 'portal-export', result: 'failure', data: { exportId: told.id } });
      });
    }
  }

  async function write(connection: Connection, { told, selection }: StoredExport): Promise<{ sha256: string; bytes: number; rows: number }> {
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
          await notePackProgress(db.prisma, tenantId, told.id, rows, leaseUntil());
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
    const written = await writePack(pathOf(told.id), [
      { name: 'README.txt', content: text(() => readmeOf(head)) },
      { name: 'events.ndjson', content: events },
      { name: 'activations.csv', content: activationRows },
      { name: 'coverage.json', content: text(() => `${JSON.stringify({ ...coverage, statement, dropped }, undefined, 2)}\n`) },
      { name: 'summary.pdf', content: async function* pdf() { yield await summaryPdf(facts()); } },
      ...ledger,
    ], { at: new Date(told.askedAt), manifest: (files) => manifestOf(head, selection.mark, files) });
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
      const after = underWay ?? Promise.resolve();
      const mine = after.then(pass).catch((error: unknown) => { log.warn({ err: error }, 'evidence packs are not being made'); }).finally(() => { if (underWay === mine) underWay = undefined; });
      underWay = mine;
    },
    /** Of the queue: what a process left when it died. */
    pass,
    idle: async (): Promise<void> => { await underWay; },
  };
}
