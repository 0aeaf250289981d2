import type { Answer, GetSync, Gap, OddRecord } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';

type Sync = Pick<Answer<typeof GetSync>, 'sources' | 'catalog'>;
export type SyncSourceState = Sync['sources'][number];

/** What is known of a source without asking the database. */
export interface SourceFacts {
  readonly name: string;
  readonly title: string;
  readonly retentionMs: number;
  readonly requestsADay: number;
  readonly judgesRecords: boolean;
  /** How often it is looked back, in minutes, at so many records a day. */
  looksBack(recordsADay: number): SyncSourceState['looksBack'];
}

/** Where the mirror stands; a source that was never read is there too, with nothing known. */
export async function readSync(db: Tx, tenantId: string, sources: readonly SourceFacts[], today: Date): Promise<Sync> {
  const [states, gaps, counts, groups, applications, newest] = await Promise.all([
    db.syncSource.findMany({ where: { tenantId } }),
    db.syncGap.findMany({ where: { tenantId, OR: [{ closedHow: null }, { closedHow: 'lost' }] }, orderBy: { fromAt: 'asc' } }),
    db.syncRequestCount.findMany({ where: { tenantId, day: today } }),
    db.catalogGroup.count({ where: { tenantId } }),
    db.catalogApplication.count({ where: { tenantId } }),
    db.catalogGroup.aggregate({ where: { tenantId }, _max: { readAt: true } }),
  ]);
  return {
    sources: sources.map(({ name, title, retentionMs, requestsADay, judgesRecords, looksBack }) => {
      const state = states.find(({ source }) => source === name);
      const own = gaps.filter(({ source }) => source === name);
      const first = own.find(({ cause, closedHow }) => cause === 'first-start' && closedHow === null);
      const requests = (purpose: string): number => counts.find((one) => one.source === name && one.purpose === purpose)?.requests ?? 0;
      return {
        source: name, title, completeFrom: state?.completeFrom ?? null, completeTo: state?.watermark ?? null,
        lastSuccessAt: state?.lastSuccessAt?.toISOString() ?? null, lastError: state?.lastError ?? null, off: (state?.closed ?? null) !== null, events: Number(state?.events ?? 0),
        gaps: own.filter(({ cause }) => cause !== 'first-start').map(({ fromAt, toAt, filledTo, cause, noticedAt, closedHow }) => ({
          from: fromAt.toISOString(), to: toAt.toISOString(), filledTo: filledTo.toISOString(), cause: cause as Gap['cause'], noticedAt: noticedAt.toISOString(),
          fillableUntil: closedHow === null ? new Date(filledTo.getTime() + retentionMs).toISOString() : null,
        })),
        firstReading: first ? { from: first.fromAt.toISOString(), to: first.toAt.toISOString(), readTo: first.filledTo.toISOString() } : null,
        requests: { new: requests('new'), late: requests('late'), backFill: requests('back-fill'), aDay: requestsADay },
        looksBack: looksBack(Number(state?.eventsADay ?? 0)),
        defects: judgesRecords ? Number(state?.defects ?? 0) : null, revisions: judgesRecords ? Number(state?.revisions ?? 0) : null,
      };
    }),
    catalog: { groups, applications, readAt: newest._max.readAt?.toISOString() ?? null },
  };
}

/** How many gaps each source has: those that are being filled, and those that stay. */
export async function countGaps(db: Tx, tenantId: string): Promise<{ source: string; state: 'open' | 'lost'; count: number }[]> {
  const rows = await db.syncGap.groupBy({ by: ['source', 'closedHow'], where: { tenantId, cause: { not: 'first-start' }, OR: [{ closedHow: null }, { closedHow: 'lost' }] }, _count: true });
  return rows.map(({ source, closedHow, _count: count }) => ({ source, state: closedHow === null ? 'open' : 'lost', count }));
}

/** So much of a record's text is shown: enough to see what it is. */
const SHOWN = 4_000;

/** Odd records, last received first, after the place of another. */
export async function findOddRecords(db: Database['pool'], tenantId: string, source: string, kind: 'defect' | 'revision', after: string | undefined, limit: number): Promise<{ record: OddRecord; place: string }[]> {
  const [batch = null, ordinal = null] = after?.split(':') ?? [];
  const { rows } = await db.query<{ id: string; revision: number; at: Date; received: Date; activity: string; defect: string | null; raw: string; length: number; place: string }>(
    `SELECT event_id AS id, revision, activity_at AS at, ingested_at AS received, activity, defect, left(raw, ${SHOWN}) AS raw, length(raw) AS length, batch_id || ':' || ordinal AS place
     FROM audit_event WHERE tenant_id = $1 AND source = $2 AND ${kind === 'defect' ? 'defect IS NOT NULL' : 'revision > 0'} AND ($3::bigint IS NULL OR (batch_id, ordinal) < ($3::bigint, $4::int))
     ORDER BY batch_id DESC, ordinal DESC LIMIT $5`,
    [tenantId, source, batch, ordinal, limit],
  );
  return rows.map(({ place, at, received, ...row }) => ({ place, record: { ...row, at: at.toISOString(), receivedAt: received.toISOString() } }));
}
