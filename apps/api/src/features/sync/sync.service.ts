import type { Answer, GetSync, SyncNow } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { readSync } from './sync.store.ts';

export interface SyncDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Brings the next pass of the mirror forward to now. */
  readonly wakeSync: () => Promise<void>;
}

export type Sync = ReturnType<typeof createSync>;

export function createSync({ db, clock, wakeSync }: SyncDeps) {
  return {
    async status(actor: Actor): Promise<Answer<typeof GetSync>> {
      return { now: clock.now().toISOString(), ...await readSync(db.prisma, actor.tenantId) };
    },
    /** Each source that was read to the end at least once, and when last. */
    async lastSuccesses(tenantId: string): Promise<{ source: string; at: Date }[]> {
      const { sources } = await readSync(db.prisma, tenantId);
      return sources.flatMap(({ source, lastSuccessAt }) => (lastSuccessAt === null ? [] : [{ source, at: new Date(lastSuccessAt) }]));
    },
    async now(): Promise<Answer<typeof SyncNow>> {
      await wakeSync();
      return { asked: true };
    },
  };
}
