import { ensureAuditPartitions, type Database } from '@gatehouse/db';
import type { EventKind } from '@gatehouse/contracts';
import type { Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { refreshGroup, syncCatalog } from './catalog.ts';
import { DIRECTORY_SOURCE, directorySource } from './directory-source.ts';
import { readMemberships } from './observations/reading.ts';
import type { Source } from './source.ts';
import { syncSource } from './sync.ts';
import { DAY, HOUR, MINUTE, tailsFor } from './sync.rules.ts';
import { trafficSource } from './traffic-source.ts';

export interface MirrorDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly tenantId: string;
  /** The portal's own Graph, read-only. */
  readonly appGraph: Graph;
  readonly log: Logger;
}

export interface Mirror {
  /** What is mirrored, besides the catalog. */
  readonly sources: readonly Source[];
  /** One pass: the catalog where it is due, and each source up to now; what is missing from earlier follows in turns with what is new. Calls that meet share one pass. */
  syncOnce(): Promise<void>;
  /** Reads one group into the catalog now, instead of with the next pass. */
  refreshGroup(groupId: string): Promise<void>;
  status(): Promise<MirrorStatus>;
}

/** How often a source is looked back at for what shows late, in minutes, at so many records a day. */
export function looksBackOf({ pageSize, requestsADay, retentionMs: retention }: Source, recordsADay: number): { halfHourEvery: number; dayEvery: number; wholeEvery: number; wholeDays: number } {
  const { overlapEvery, dayEvery, wholeEvery } = tailsFor({ eventsADay: recordsADay, pageSize, requestsADay, retention });
  return { halfHourEvery: overlapEvery / MINUTE, dayEvery: dayEvery / MINUTE, wholeEvery: wholeEvery / MINUTE, wholeDays: Math.round(retention / DAY) };
}

export interface MirrorStatus {
  readonly watermark: string | null;
  readonly lastError: string | null;
}

/** How old the catalog may get where the audit log tells of no change; what the portal itself changes is read at once. */
const CATALOG_MAX_AGE_MS = 5 * 60_000;
const CHANGES_CATALOG: readonly EventKind[] = ['role-settings-changed', 'onboarded', 'group-changed', 'application-changed'];

export function createMirror({ db, clock, tenantId, appGraph, log }: MirrorDeps): Mirror {
  const deps = { db, clock, tenantId, appGraph, log };
  const sources: readonly Source[] = [directorySource(deps), trafficSource(deps)];
  let running: Promise<void> | undefined;
  let catalogReadAt: number | undefined;

  async function readCatalog(): Promise<void> {
    const began = clock.now().getTime();
    // One that breaks off is due again with the next pass: what told of a change is not told twice.
    catalogReadAt = undefined;
    await syncCatalog(deps);
    catalogReadAt = began;
  }

  async function pass(): Promise<boolean> {
    const now = clock.now();
    // Before they are needed: making one waits for everybody who reads the log, and should not happen within a person's request.
    await ensureAuditPartitions(db.pool, [now, new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1))]);
    const isDue = catalogReadAt === undefined || Math.abs(now.getTime() - catalogReadAt) >= CATALOG_MAX_AGE_MS;
    // Each is read whatever becomes of the others, and the first failure is told at the end.
    const failures: unknown[] = [];
    const failed = (error: unknown): void => { failures.push(error); };
    // The first reading of the log takes long, and pages wait for the catalog.
    if (isDue) await readCatalog().catch(failed);
    const { kinds, more } = await readSources(failed);
    if (!isDue && CHANGES_CATALOG.some((kind) => kinds.has(kind))) await readCatalog().catch(failed);
    await readMemberships(deps).catch(failed);
    if (failures.length > 0) throw failures[0];
    return more;
  }

  async function readSources(failed: (error: unknown) => void): Promise<{ kinds: ReadonlySet<EventKind>; more: boolean }> {
    const kinds = new Set<EventKind>();
    let more = false;
    for (const source of sources) {
      const until = after(MINUTE);
      await syncSource(deps, source, { isOver: until }).then((outcome) => {
        for (const kind of outcome.kinds) kinds.add(kind);
        more ||= outcome.more;
      }, failed);
    }
    return { kinds, more };
  }

  /** Says whether so much time has passed; a clock that jumps back has it pass as well. */
  function after(ms: number): () => boolean {
    const began = clock.now().getTime();
    return () => Math.abs(clock.now().getTime() - began) >= ms;
  }

  async function passes(): Promise<void> {
    // Of the first reading of a large tenant there is more for hours. The queue takes what works longer than that for dead.
    const isLong = after(HOUR);
    while (await pass() && !isLong());
  }

  return {
    sources,
    syncOnce: () => (running ??= passes().finally(() => { running = undefined; })),
    refreshGroup: (groupId) => refreshGroup(deps, groupId),
    async status() {
      const { rows: [source] } = await db.pool.query<{ watermark: string | null; last_error: string | null }>('SELECT watermark, last_error FROM sync_source WHERE tenant_id = $1 AND source = $2', [tenantId, DIRECTORY_SOURCE]);
      return { watermark: source?.watermark ?? null, lastError: source?.last_error ?? null };
    },
  };
}
