import type { Answer, GetSync, ListOddRecords, SyncNow } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { countGaps, findOddRecords, readSync, type SourceFacts } from './sync.store.ts';

export interface SyncDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** What is mirrored; asked for when it is needed. */
  readonly sources: () => readonly SourceFacts[];
  /** Brings the next pass of the mirror forward to now. */
  readonly wakeSync: () => Promise<void>;
}

export type Sync = ReturnType<typeof createSync>;

const PAGE = 20;

export function createSync({ db, clock, sources, wakeSync }: SyncDeps) {
  return {
    async status(actor: Actor): Promise<Answer<typeof GetSync>> {
      const now = clock.now();
      return { now: now.toISOString(), isSignInTimeKnown: actor.authenticatedAt !== undefined, ...await readSync(db.prisma, actor.tenantId, sources(), now) };
    },
    /** Each source that was read to the end at least once, and when last. */
    async lastSuccesses(tenantId: string): Promise<{ source: string; at: Date }[]> {
      const states = await db.prisma.syncSource.findMany({ where: { tenantId, source: { in: sources().map(({ name }) => name) } }, select: { source: true, lastSuccessAt: true } });
      return states.flatMap(({ source, lastSuccessAt: at }) => (at === null ? [] : [{ source, at }]));
    },
    /** Stretches of time that are missing, by source: those that are being filled, and those that stay. */
    gaps: (tenantId: string) => countGaps(db.prisma, tenantId),
    async oddRecords(actor: Actor, source: string, { kind, cursor }: { readonly kind: 'defect' | 'revision'; readonly cursor?: string | undefined }): Promise<Answer<typeof ListOddRecords>> {
      const found = await findOddRecords(db.pool, actor.tenantId, source, kind, cursor, PAGE + 1);
      const page = found.slice(0, PAGE);
      return { records: page.map(({ record }) => record), nextCursor: found.length > PAGE ? page.at(-1)?.place ?? null : null };
    },
    async now(): Promise<Answer<typeof SyncNow>> {
      await wakeSync();
      return { asked: true };
    },
  };
}
