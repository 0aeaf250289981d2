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
    async now(): Promise<Answer<typeof SyncNow>> {
      await wakeSync();
      return { asked: true };
    },
  };
}
