import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { MonthlyLog, type Answer, type GetRetention, type Input, type LiftHold, type PlannedDrop, type SetHold, type SetRetention } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Logger } from 'pino';
import { PORTAL, type Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { MONTHLY_LOGS } from '../../core/monthly-logs.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import { logStream, readMark, readPack, wholeRowsOf, withSnapshot, writePack, type LedgerPart, type PackedFile } from '../exports/exports.ts';
import { dueAfter, faultOf, isHeld, isOver, keptUntil, NOTICE_DAYS, pauseAfter } from './retention.rules.ts';
import { announce, beginAnew, countDrops, countMonth, dropMonth, insertHold, liftHold, monthsBefore, noteFault, noteRefusal, noteVerified, readDrops, readHolds, readPolicies, setPolicy, withdraw, type LogMonth } from './retention.store.ts';

export interface RetentionDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'warn'>;
  /** Where months are put before they are dropped; of several replicas, a folder that all share. */
  readonly dir: string;
  readonly ledgerPart: LedgerPart;
}

export type Retention = ReturnType<typeof createRetention>;

/** Whole rows, as PostgreSQL's COPY writes them: an archive can be taken back as it was. */
const rowsFile = (log: MonthlyLog): string => `${log}.copy`;
/** Of the months on their way out, and of those that are gone. */
const MOST_SHOWN = 240;
/** A month of many rows takes a while to be counted once more. */
const DROP_MS = 11 * 60_000;

/**
 * How long the log is kept. A month whose time is over, and that nothing holds, is announced and archived, the archive read
 * back, and, when its notice is over, dropped by the database, which looks at all of it once more. What was dropped is a row
 * of the log from then on, and the ledger vouches for it.
 */
export function createRetention({ db, clock, newId, tenantId, log, dir, ledgerPart }: RetentionDeps) {
  const own = { ...PORTAL, tenantId };
  const event = (type: PortalEvent['type'], data: Readonly<Record<string, unknown>>, actor: PortalEvent['actor'] = own, result: PortalEvent['result'] = 'success'): PortalEvent => ({ id: newId(), at: clock.now(), actor, type, kind: 'portal-retention', result, data });

  /** Months that could not be archived, until when they are left alone. A portal that starts anew tries at once: somebody may have made room. */
  const failed = new Map<string, { readonly times: number; readonly until: Date }>();
  const keyOf = ({ log: of, month }: LogMonth): string => `${of} ${month}`;

  /** One pass: announce, archive, drop. One process at a time; what a crash leaves is gone on with by the next. */
  async function pass(): Promise<void> {
    const connection = await db.pool.connect();
    let broken = true;
    try {
      const lock = [`gatehouse.retention:${tenantId}`];
      const { rows: [got] } = await connection.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
      if (got?.locked === true) {
        try {
          for (const one of MonthlyLog.options) await goOn(one);
        } finally {
          await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock);
        }
      }
      broken = false;
    } finally {
      connection.release(broken);
    }
  }

  async function goOn(of: MonthlyLog): Promise<void> {
    const now = clock.now();
    const policies = await readPolicies(db.prisma, tenantId);
    const holds = await readHolds(db.prisma, tenantId);
    const drops = await readDrops(db.prisma, tenantId, { log: of });
    const least = Math.min(...policies.filter(({ source }) => MONTHLY_LOGS[of].sources.includes(source)).map(({ months }) => months));
    const standing = await monthsBefore(db, tenantId, of, keptUntil(now.toISOString().slice(0, 7), -least));
    for (const one of standing) {
      const { month, sources } = one;
      let planned = drops.find((drop) => drop.month === month);
      if (planned?.status === 'dropped') {
        // Rows of it came in since: they get their own notice and archive.
        await db.prisma.$transaction((tx) => beginAnew(tx, tenantId, one));
        planned = undefined;
      }
      const over = isOver(month, policies.filter(({ source }) => sources.includes(source)).map(({ months }) => months), now);
      if (!over) {
        if (planned) await db.prisma.$transaction((tx) => withdraw(tx, tenantId, one));
        continue;
      }
      if (isHeld(month, holds)) continue;
      if (!planned) {
        await db.prisma.$transaction(async (tx) => {
          if (await announce(tx, tenantId, one, now, dueAfter(now))) await record(tx, event('retention.drop-planned', { log: of, month, dueAt: dueAfter(now).toISOString() }));
        });
      }
      if ((failed.get(keyOf(one))?.until ?? now) > now) continue;
      const rows = await countMonth(db.pool, tenantId, one);
      // What came in since belongs into the archive too.
      if (planned?.status !== 'verified' || planned.rows !== rows) await archive(one, rows);
      else if (planned.dueAt <= now.toISOString()) await drop(one, planned);
    }
  }

  /** Has the month dropped, where its archive is still what was read back. */
  async function drop(one: LogMonth & { next: string }, { file, sha256, rows }: Pick<PlannedDrop, 'file' | 'sha256' | 'rows'>): Promise<void> {
    const { month } = one;
    const found = file === null ? undefined : await readPack(file).catch((error: unknown) => { log.warn({ err: error, month }, 'the archive of a month cannot be read'); return undefined; });
    if (sha256 === null || rows === null || found?.sha256 !== sha256) return archive(one, rows ?? 0);
    try {
      const outcome = await db.prisma.$transaction(async (tx) => {
        const answer = await dropMonth(tx, tenantId, one, sha256);
        if (answer === 'dropped') await record(tx, event('retention.month-dropped', { log: one.log, month, rows, sha256 }));
        return answer;
      }, { timeout: DROP_MS });
      if (outcome === 'dropped') return await ledgerPart.seal();
      await db.prisma.$transaction((tx) => noteRefusal(tx, tenantId, one, outcome));
      // Made before the ledger had all of its rows: made anew, it has the proofs.
      if (outcome === 'not-archived') await archive(one, rows);
    } catch (error) {
      log.warn({ err: error, month }, 'a month of the log could not be dropped');
      await db.prisma.$transaction((tx) => noteRefusal(tx, tenantId, one, 'failed'));
    }
  }

  /** Writes the month to a file and reads it back. */
  async function archive(one: LogMonth & { next: string }, rows: number): Promise<void> {
    const { log: of, month, next } = one;
    const whole = { tenantId, log: of, month: `${month}-01`, next };
    // The archive of rows that are gone is never written over.
    const before = await countDrops(db.prisma, tenantId, one);
    const file = join(dir, `${of}-${month}-${tenantId}${before > 0 ? `-${before + 1}` : ''}.zip`);
    try {
      await ledgerPart.seal();
      const mark = await readMark(db.pool, tenantId);
      const filter = { from: `${whole.month}T00:00:00.000000Z`, to: `${next}T00:00:00.000000Z` };
      const written = await withSnapshot(db, async (connection) => {
        async function* events(): AsyncGenerator<Buffer> {
          for await (const { bytes } of logStream(connection, 'ndjson', { tenantId, filter, mark })) if (bytes.length > 0) yield bytes;
        }
        const ledger = await ledgerPart.filesOf(connection, whole);
        return writePack(`${file}.part`, [
          { name: 'README.txt', content: async function* readme() { yield Buffer.from(readmeOf(tenantId, one)); } },
          { name: rowsFile(of), content: () => wholeRowsOf(connection, whole) },
          ...(of === 'audit_event' ? [{ name: 'events.ndjson', content: events }] : []),
          ...ledger,
        ], { at: clock.now(), manifest: (files: readonly PackedFile[]) => `${JSON.stringify({ format: 'gatehouse-archive', version: 1, tenantId, log: of, month, rows, files }, undefined, 2)}\n` });
      });
      await rename(`${file}.part`, file);
      const fault = faultOf(written, await readPack(file), rows, rowsFile(of));
      if (fault !== undefined) throw new Error(fault);
      await db.prisma.$transaction(async (tx) => {
        await noteVerified(tx, tenantId, one, { file, sha256: written.sha256, bytes: written.bytes, rows, verifiedAt: clock.now() });
        await record(tx, event('retention.month-archived', { log: of, month, rows, sha256: written.sha256, bytes: written.bytes }));
      });
      failed.delete(keyOf(one));
    } catch (error) {
      log.warn({ err: error, month }, 'a month of the log could not be archived');
      const times = (failed.get(keyOf(one))?.times ?? 0) + 1;
      failed.set(keyOf(one), { times, until: new Date(clock.now().getTime() + pauseAfter(times)) });
      // Once, and not each time: the log is on the disk that is full.
      await db.prisma.$transaction(async (tx) => {
        if (await noteFault(tx, tenantId, one, faultInWords(error))) await record(tx, event('retention.archive-failed', { log: of, month }, own, 'failure'));
      });
    }
  }

  return {
    pass,

    async get(actor: Actor): Promise<Answer<typeof GetRetention>> {
      const [policies, holds, drops] = await Promise.all([readPolicies(db.prisma, actor.tenantId), readHolds(db.prisma, actor.tenantId), readDrops(db.prisma, actor.tenantId, { most: MOST_SHOWN })]);
      return { now: clock.now().toISOString(), policies, holds, drops: drops.map((drop) => ({ ...drop, held: drop.status !== 'dropped' && isHeld(drop.month, holds) })), noticeDays: NOTICE_DAYS };
    },

    async setPolicy(actor: Actor, { source, months }: Input<typeof SetRetention>['body']): Promise<Answer<typeof SetRetention>> {
      await db.prisma.$transaction(async (tx) => {
        const before = (await readPolicies(tx, actor.tenantId)).find((one) => one.source === source)?.months;
        await setPolicy(tx, actor.tenantId, { source, months, by: actor.name, at: clock.now() });
        await record(tx, event('retention.policy-set', { source, monthsBefore: before, months }, actor));
      });
      return { policies: await readPolicies(db.prisma, actor.tenantId) };
    },

    async setHold(actor: Actor, { reason, fromMonth, toMonth }: Input<typeof SetHold>['body']): Promise<Answer<typeof SetHold>> {
      if (fromMonth !== null && toMonth !== null && fromMonth > toMonth) throw fieldError('invalid-request', 'body.toMonth', 'The last month is before the first');
      if (reason.includes('\u0000') || !reason.isWellFormed()) throw fieldError('invalid-request', 'body.reason', 'This has a character that cannot be stored');
      const hold = { id: newId(), reason, fromMonth, toMonth, setAt: clock.now(), setBy: actor.name };
      await db.prisma.$transaction(async (tx) => {
        await insertHold(tx, actor.tenantId, hold);
        await record(tx, event('retention.hold-set', { holdId: hold.id, reason, fromMonth, toMonth }, actor));
      });
      return { ...hold, setAt: hold.setAt.toISOString() };
    },

    async liftHold(actor: Actor, id: string): Promise<Answer<typeof LiftHold>> {
      const now = clock.now();
      await db.prisma.$transaction(async (tx) => {
        const lifted = await liftHold(tx, actor.tenantId, id.toLowerCase(), { by: actor.name, at: now, dueAt: dueAfter(now) });
        if (!lifted) throw new PortalError('not-found');
        await record(tx, event('retention.hold-lifted', { holdId: id, reason: lifted.reason }, actor));
      });
      return { lifted: true };
    },
  };
}

/** With the code of the system or of the database, which tells one fault from another. */
function faultInWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return `The month could not be archived, or the archive did not read back whole${code}. It stays, and is tried again. The log of the portal says more.`;
}

const readmeOf = (tenantId: string, { log, month }: LogMonth): string => [
  'GATEHOUSE ARCHIVE', '', `All rows of ${log === 'audit_event' ? 'the log' : 'the traffic log'} of tenant ${tenantId} in ${month}, written when the time of the month was over, before anything was dropped.`, 'When the month is dropped, a row of the log says so, with the SHA-256 of this file.', '',
  `  ${rowsFile(log).padEnd(24)}whole rows, as PostgreSQL's COPY text format has them, in the order in which the log took them`,
  ...(log === 'audit_event' ? ['  events.ndjson           the events as they were received'] : []), '  ledger/                 proofs', '  manifest.json           every file with its size and SHA-256', '',
].join('\n');
