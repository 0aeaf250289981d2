import { createHash } from 'node:crypto';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { record } from '../audit/audit.ts';
import { addPage, endReadings } from './readings.store.ts';

export interface ReadingsDeps { readonly db: Database; readonly clock: Clock; readonly newId: () => string }

/** Who asks for no page for so long has ended reading. */
const REST_MS = 15 * 60_000;

export type Readings = ReturnType<typeof createReadings>;

/** Whoever reads more of a list than its first page is on record: that it began, and, when it rests, how much it was. */
export function createReadings({ db, clock, newId }: ReadingsDeps) {
  return {
    /** A page after the first was given out. */
    async page(actor: Actor, list: 'events' | 'activations', filter: Readonly<Record<string, unknown>>, rows: number): Promise<void> {
      const now = clock.now();
      const asked = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined).sort(([one], [other]) => (one < other ? -1 : 1))) as Record<string, string>;
      await db.prisma.$transaction(async (tx) => {
        const begun = await addPage(tx, { tenantId: actor.tenantId, id: newId(), personId: actor.principalId, person: actor.name, list, filter: asked, filterKey: createHash('sha256').update(JSON.stringify(asked)).digest('hex'), now, rows });
        if (begun) await record(tx, { id: newId(), at: now, actor, type: 'history.read-on', kind: 'portal-export', result: 'success', data: { list, filter: asked } });
      });
    },

    /** Puts those that rest on record. */
    async sweep(tenantId: string): Promise<void> {
      const now = clock.now();
      await db.prisma.$transaction(async (tx) => {
        for (const one of await endReadings(tx, tenantId, new Date(now.getTime() - REST_MS))) {
          await record(tx, {
            id: newId(), at: now, actor: { tenantId, principalId: one.personId, name: one.person }, type: 'history.read-ended', kind: 'portal-export', result: 'success',
            data: { list: one.list, filter: one.filter, begunAt: one.begunAt.toISOString(), lastAt: one.lastAt.toISOString(), pagesAfterTheFirst: one.pages, rowsAfterTheFirst: one.rows },
          });
        }
      });
    },
  };
}
