import { LARGE_EXPORT, NamesMeant, type Answer, type CreateExport, type DownloadExport, type EstimateExport, type Export, type ExportFormat, type GetExport, type Input, type ListExports, type SyslogFeed } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { PortalError } from '../../core/errors.ts';
import { gate } from '../../core/gate.ts';
import { proofNeeded, proofOf } from '../../core/proof.ts';
import { record } from '../audit/audit.ts';
import { namesOf, readCoverage, usable } from '../history/history.ts';
import { addPart, droppedSince, findExport, insertExport, latestExports, partBefore, setSize } from './exports.store.ts';
import { holdsMoreThan, readMark, readSize, withSnapshot, type Selection } from './log-reader.store.ts';
import { logStream, type StreamFormat } from './log-stream.ts';

/** Where the bytes go: it is waited for until they are taken. Whether there is still somebody. */
export interface Sink {
  write(bytes: Buffer): Promise<void>;
  readonly gone: boolean;
}

/** A file to be taken: a stream, or one that lies on disk. */
export type Download =
  | { readonly kind: 'stream'; readonly fileName: string; readonly type: string; readonly send: (sink: Sink) => Promise<void> }
  | { readonly kind: 'file'; readonly fileName: string; readonly type: string; readonly path: string; readonly ended: (taking: Taking) => Promise<void> };

/** How the taking of a file ended: from where, how many bytes (of one that broke off at most so many), and whether all that was asked for. */
export interface Taking { readonly offset: number; readonly bytes: number; readonly whole: boolean }

export interface ExportsDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Real time: when somebody signed in is told by it. */
  readonly systemClock: Clock;
  readonly newId: () => string;
  readonly packs: { begin(): void; pathOf(exportId: string): string };
  readonly feedStatus: (tenantId: string) => Promise<SyslogFeed | null>;
}

export type Exports = ReturnType<typeof createExports>;

/** Files that may be read at once: each holds a connection of the pool for as long as its reader takes. */
const AT_ONCE = 2;

const FILES: Readonly<Record<ExportFormat, readonly [ending: string, type: string]>> = {
  csv: ['csv', 'text/csv; charset=utf-8'], ndjson: ['ndjson', 'application/x-ndjson'], ocsf: ['ocsf.ndjson', 'application/x-ndjson'], cef: ['cef', 'text/plain; charset=utf-8'], pack: ['zip', 'application/zip'],
};
const fileNameOf = ({ format, askedAt, id }: Export): string => `gatehouse-${format === 'pack' ? 'evidence' : 'events'}-${askedAt.slice(0, 10)}-${id.slice(0, 8)}.${FILES[format][0]}`;

/** What an auditor takes along: each export is fixed when it is asked for, and may be taken as often and in as many parts as is needed. */
export function createExports({ db, clock, systemClock, newId, packs, feedStatus }: ExportsDeps) {
  const slots = gate(AT_ONCE);

  async function found(actor: Actor, id: string) {
    const one = await findExport(db.prisma, actor.tenantId, id.toLowerCase());
    if (!one) throw new PortalError('not-found');
    return one;
  }

  /** Much of the log leaves only with somebody who proved lately who they are: a browser that was left open is not enough. */
  async function allow(actor: Actor, format: ExportFormat, selection: Selection): Promise<void> {
    const proof = proofOf(actor, systemClock.now());
    if (proof === 'fresh' || !await withSnapshot(db, (connection) => holdsMoreThan(connection, selection, LARGE_EXPORT, { withNeighbours: format === 'pack' }))) return;
    throw proofNeeded(proof, `More than ${LARGE_EXPORT.toLocaleString('en-US')} events can be taken along`);
  }

  /** Puts on record how a taking ended. */
  const recordTaking = (actor: Actor, { whole, ...data }: { readonly exportId: string; readonly format: ExportFormat; readonly rows: number | null } & Taking): Promise<void> => db.prisma.$transaction((tx) => record(tx, {
    id: newId(), at: clock.now(), actor, kind: 'portal-export', data, ...(whole ? { type: 'history.export-taken', result: 'success' } : { type: 'history.export-broken-off', result: 'failure' }),
  }));

  return {
    async list(actor: Actor): Promise<Answer<typeof ListExports>> {
      return { now: clock.now().toISOString(), exports: await latestExports(db.prisma, actor.tenantId), feed: await feedStatus(actor.tenantId) };
    },

    async get(actor: Actor, id: string): Promise<Answer<typeof GetExport>> {
      return (await found(actor, id)).told;
    },

    async estimate(actor: Actor, asked: Input<typeof EstimateExport>['query']): Promise<Answer<typeof EstimateExport>> {
      const filter = usable(asked);
      const [mark, names] = [await readMark(db.pool, actor.tenantId), NamesMeant.parse(await namesOf(db.reader, actor.tenantId, filter))];
      const [size, coverage] = await Promise.all([withSnapshot(db, (connection) => readSize(connection, { tenantId: actor.tenantId, filter, names, mark })), readCoverage(db.reader, actor.tenantId)]);
      return { ...size, coverage };
    },

    /** Fixes what the export holds, and puts on record who asked for it. */
    async create(actor: Actor, { format, filter: asked }: Input<typeof CreateExport>['body']): Promise<Answer<typeof CreateExport>> {
      const filter = usable(asked, 'body.filter');
      const mark = await readMark(db.pool, actor.tenantId);
      // Read after the mark, so that they know everybody whom the log names up to it.
      const names = NamesMeant.parse(await namesOf(db.reader, actor.tenantId, filter));
      await allow(actor, format, { tenantId: actor.tenantId, filter, names, mark });
      const made = await db.prisma.$transaction(async (tx) => {
        const one = await insertExport(tx, { tenantId: actor.tenantId, id: newId(), format, filter, names, askedById: actor.principalId, askedBy: actor.name, askedAt: clock.now(), mark });
        await record(tx, { id: newId(), at: clock.now(), actor, type: 'history.exported', kind: 'portal-export', result: 'success', data: { exportId: one.told.id, format, filter, mark: mark.batch } });
        return one.told;
      });
      if (format === 'pack') packs.begin();
      return made;
    },

    /** The file, or the rest of it. How the taking ended, and how much was taken, goes on record. */
    async download(actor: Actor, id: string, { offset }: Input<typeof DownloadExport>['query']): Promise<Download> {
      const { told, selection } = await found(actor, id);
      await allow(actor, told.format, selection);
      const [, type] = FILES[told.format];
      const fileName = fileNameOf(told);
      if (told.format === 'pack') {
        if (told.status !== 'ready') throw new PortalError('conflict', { detail: told.status === 'building' ? 'The pack is still being made. It can be taken when it is whole.' : 'The pack could not be made. Ask for a new one.' });
        return { kind: 'file', fileName, type, path: packs.pathOf(told.id), ended: (taking) => recordTaking(actor, { exportId: id, format: told.format, rows: told.rows, ...taking }) };
      }
      if (await droppedSince(db.prisma, actor.tenantId, told.askedAt, selection.filter)) throw new PortalError('conflict', { detail: 'A month of the log was dropped since this export was fixed: it would hold less than it did. Ask for a new one.' });
      const format: StreamFormat = told.format;

      return {
        kind: 'stream', fileName, type,
        async send(sink) {
          const free = await slots.enter();
          let rows = 0;
          let sent = 0;
          let whole = false;
          let failure: unknown;
          try {
            const part = offset > 0 ? await partBefore(db.prisma, actor.tenantId, told.id, offset) : undefined;
            let at = part?.bytesTo ?? 0;
            await withSnapshot(db, async (connection) => {
              for await (const piece of logStream(connection, format, selection, part?.month)) {
                if (sink.gone) throw new Gone();
                // What was taken before is made again and left out.
                const rest = piece.bytes.subarray(Math.max(0, Math.min(piece.bytes.length, offset - at)));
                at += piece.bytes.length;
                rows += piece.rows;
                if (piece.monthEnded !== undefined) await addPart(db.prisma, actor.tenantId, told.id, piece.monthEnded, at);
                if (rest.length === 0) continue;
                await sink.write(rest);
                sent += rest.length;
              }
              if (sink.gone) throw new Gone();
            });
            whole = true;
            if (part === undefined) await setSize(db.prisma, actor.tenantId, told.id, { rows, bytes: at });
          } catch (error) {
            if (!(error instanceof Gone)) failure = error;
          } finally {
            free();
          }
          await recordTaking(actor, { exportId: id, format, offset, bytes: sent, rows, whole });
          if (failure !== undefined) throw failure;
          if (!whole) throw new Gone();
        },
      };
    },
  };
}

/** Nobody takes the file any more. */
export class Gone extends Error {
  constructor() {
    super('the reader of an export is gone');
    this.name = 'Gone';
  }
}
