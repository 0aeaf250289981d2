import { ensureAuditPartitions, type Database } from '@gatehouse/db';
import type { EventKind } from '@gatehouse/contracts';
import type { Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { refreshGroup, syncCatalog } from './catalog.ts';
import { readMemberships } from './observations/reading.ts';
import { syncDirectoryAudits } from './sync.ts';

export interface MirrorDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly tenantId: string;
  /** The portal's own Graph, read-only. */
  readonly appGraph: Graph;
  readonly log: Logger;
}

export interface Mirror {
  /** One pass: the catalog where it is due, and the audit log up to now. Calls that meet share one pass. */
  syncOnce(): Promise<void>;
  /** Reads one group into the catalog now, instead of with the next pass. */
  refreshGroup(groupId: string): Promise<void>;
  status(): Promise<MirrorStatus>;
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
  let running: Promise<void> | undefined;
  let catalogReadAt: number | undefined;

  async function readCatalog(): Promise<void> {
    const began = clock.now().getTime();
    await syncCatalog(deps);
    catalogReadAt = began;
  }

  async function pass(): Promise<void> {
    const now = clock.now();
    // Before they are needed: making one waits for everybody who reads the log, and should not happen within a person's request.
    await ensureAuditPartitions(db.pool, [now, new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1))]);
    const isDue = catalogReadAt === undefined || Math.abs(now.getTime() - catalogReadAt) >= CATALOG_MAX_AGE_MS;
    // Each is read whatever becomes of the other; the first reading of the log takes long, and pages wait for the catalog.
    const [catalog] = isDue ? await Promise.allSettled([readCatalog()]) : [];
    const { kinds } = await syncDirectoryAudits(deps);
    if (catalog?.status === 'rejected') throw catalog.reason;
    if (!isDue && CHANGES_CATALOG.some((kind) => kinds.has(kind))) await readCatalog();
    await readMemberships(deps);
  }

  return {
    syncOnce: () => (running ??= pass().finally(() => { running = undefined; })),
    refreshGroup: (groupId) => refreshGroup(deps, groupId),
    async status() {
      const { rows: [source] } = await db.pool.query<{ watermark: string | null; last_error: string | null }>('SELECT watermark, last_error FROM sync_source WHERE tenant_id = $1 AND source = $2', [tenantId, 'directory']);
      return { watermark: source?.watermark ?? null, lastError: source?.last_error ?? null };
    },
  };
}
