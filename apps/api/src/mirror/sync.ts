import type { EventKind } from '@gatehouse/contracts';
import type { Connection, Database } from '@gatehouse/db';
import { GraphError } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { inTransaction, withConnection } from './database.ts';
import { DIRECTORY_SOURCE } from './directory-source.ts';
import { instantText } from './directory-event.ts';
import type { Batch, Ingested, Source, SourcePage } from './source.ts';
import { DAY, FIRST_LENGTH, hourOf, hoursToReadAgain, isDue, MOST_TRIES, nextLength, OVERLAP, planLive, restAfter, SAME_TIME, SHORTEST, shorter, tailsFor, HOUR, type GapCause, type Stretch } from './sync.rules.ts';

export interface SyncDeps {
  readonly db: Pick<Database, 'pool'>;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** A page that says it is followed by one that was read already must not hold the mirror for ever. */
const MOST_PAGES = 100_000;
const MOST_TIMES_A_LINK = 3;
const MOST_RESTARTS = 3;
/** Of a page of more than this the activations are joined at the end of the window, each once, and not page by page. */
const MANY = 200;

export interface SyncOutcome {
  /** `busy`: another process reads the source at this moment. `closed`: the portal may not read it, or not yet again. */
  readonly state: 'read' | 'busy' | 'closed';
  readonly added: number;
  readonly kinds: ReadonlySet<EventKind>;
  /** There is more to read that is not new: earlier events, gaps, looks back. */
  readonly more: boolean;
}

/**
 * One pass over a source: what is new, up to now; then, until `isOver` says that it is time for the next pass, what is
 * missing from earlier, and again what may show late.
 *
 * Closed windows, each read to its last page before the state passes it; the rows of a page and the state are one
 * transaction. A link to a next page is good for once: what a crash or an expired link leaves is a window that is read
 * again, and records that are known already. While a page is stored the next one is asked for.
 */
export async function syncSource(deps: SyncDeps, source: Source, { isOver = () => false }: { readonly isOver?: () => boolean } = {}): Promise<SyncOutcome> {
  const { db, clock, tenantId } = deps;
  return withConnection(db, async (connection) => {
    // Held by this connection, and lost with it: a process that is cut off writes nothing more either.
    const lock = [`gatehouse.sync:${tenantId}${source.name === DIRECTORY_SOURCE ? '' : `:${source.name}`}`];
    const { rows: [got] } = await connection.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
    if (got?.locked !== true) return { state: 'busy', ...NOTHING };
    try {
      if (source.closedBy && await isLeftInPeace(connection, tenantId, source.name, clock.now())) return { state: 'closed', ...NOTHING };
      const { rows: [row] } = await connection.query<{ ahead_ms: string }>(
        `INSERT INTO sync_source (tenant_id, source, last_started_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, source) DO UPDATE SET last_started_at = excluded.last_started_at RETURNING ahead_ms`,
        [tenantId, source.name, clock.now().toISOString()],
      );
      const pass = new Pass(deps, source, connection, Number(row?.ahead_ms ?? 0));
      try {
        return await pass.run(isOver);
      } finally {
        await pass.countRequests(connection).catch(() => undefined);
      }
    } catch (error) {
      const closed = source.closedBy?.(error);
      await connection.query('UPDATE sync_source SET last_error = $3, closed = $4 WHERE tenant_id = $1 AND source = $2', [tenantId, source.name, closed?.words ?? inWords(error, source), closed?.why ?? null]).catch(() => undefined);
      if (!closed) throw error;
      deps.log.info({ source: source.name, closed: closed.why }, 'the source is closed to the portal, and is asked for again in an hour');
      return { state: 'closed', ...NOTHING };
    } finally {
      await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => undefined);
    }
  });
}

const NOTHING = { added: 0, kinds: new Set<EventKind>(), more: false } as const;

/** Whether a source that was closed to the portal is not to be asked again yet. */
async function isLeftInPeace(connection: Connection, tenantId: string, source: string, now: Date): Promise<boolean> {
  const { rows: [row] } = await connection.query<{ closed: string | null; last_started_at: Date | null }>('SELECT closed, last_started_at FROM sync_source WHERE tenant_id = $1 AND source = $2', [tenantId, source]);
  return row !== undefined && row.closed !== null && row.last_started_at !== null && Math.abs(now.getTime() - row.last_started_at.getTime()) < HOUR;
}

/** What requests are for, in the count of them. */
type Purpose = 'new' | 'late' | 'back-fill';

/** A stretch that is read window by window. `live` is what is new. */
interface Reading {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly tries: number;
}

/** A page whose records are as the source's `ingest` takes them. */
type ReadPage = Omit<SourcePage, 'items'> & Pick<Batch<unknown>, 'events'>;

/** A window was read to its last page; or it was not, and `error` says why. */
type Drained = { readonly pages: number; readonly asOf: number | undefined } | { readonly error: GraphError; readonly body: string | undefined };

class Pass {
  readonly #deps: SyncDeps;
  readonly #source: Source;
  readonly #connection: Connection;
  /** How far the source's clock is ahead of ours, where that is more than a little. */
  #ahead: number;
  readonly #requests = new Map<Purpose, number>();
  #added = 0;
  readonly #kinds = new Set<EventKind>();

  constructor(deps: SyncDeps, source: Source, connection: Connection, ahead: number) {
    this.#deps = deps;
    this.#source = source;
    this.#connection = connection;
    this.#ahead = ahead;
  }

  /** The source's time. */
  #now(): number {
    return this.#deps.clock.now().getTime() + this.#ahead;
  }

  async run(isOver: () => boolean): Promise<SyncOutcome> {
    await this.#source.settle?.(this.#connection, this.#deps.tenantId);
    await this.#readNew();
    await this.#beginLooksBack();
    let more = false;
    for (;;) {
      const reading = await this.#nextReading();
      more = reading !== undefined;
      if (!reading || isOver()) break;
      try {
        await this.#readOn(reading);
      } catch (error) {
        // What lets nothing be read lets this not be read either. Anything else may concern this stretch alone, which rests: what is new was read.
        if (!(error instanceof GraphError) || !['unavailable', 'unexpected'].includes(error.failure)) throw error;
        this.#deps.log.warn({ err: error, source: this.#source.name, reading: reading.key }, 'a stretch of the source could not be read; it is tried again later');
      }
    }
    return { state: 'read', added: this.#added, kinds: this.#kinds, more };
  }

  // What is new.

  async #readNew(): Promise<void> {
    const { tenantId, clock } = this.#deps;
    const standing = await this.#standing();
    const { rows: [row] } = await this.#connection.query<{ drained_to: Date; length_ms: string; tries: number }>(`SELECT drained_to, length_ms, tries FROM sync_window WHERE tenant_id = $1 AND source = $2 AND reading = 'live'`, [tenantId, this.#source.name]);
    let { length, tries } = row ? { length: Number(row.length_ms), tries: row.tries } : { length: FIRST_LENGTH, tries: 0 };
    const { watermark } = standing;
    // A pass that failed is gone on with where it was: else each would come no further than its one long window that fails.
    let from = Math.max(standing.from, row?.drained_to.getTime() ?? 0);
    let end = this.#now();
    const reachedBack = standing.from <= end - OVERLAP;
    // What lies before the watermark was read and holds little that is new: it takes no windows of its own.
    let to = row ? from + length : Math.max(watermark ?? 0, from) + length;
    for (;;) {
      const window = { from, to: Math.min(to, end) };
      const isLast = window.to >= end;
      const aheadBefore = this.#ahead;
      const moveTo = async (connection: Connection, until: number): Promise<void> => {
        // A window that was cut short may end before what was read already; a watermark ahead of time comes down.
        const mark = Math.max(until, Math.min(watermark ?? 0, from));
        const standsAt = watermark === undefined || watermark > this.#now() + SAME_TIME ? mark : Math.max(mark, watermark);
        await connection.query(
          `UPDATE sync_source SET watermark = $3, complete_from = coalesce(complete_from, $4), last_success_at = $5, last_error = NULL, closed = NULL, ahead_ms = $6,
             overlap_read_at = CASE WHEN $7 THEN $5::timestamptz ELSE overlap_read_at END, day_read_at = coalesce(day_read_at, $5), whole_read_at = coalesce(whole_read_at, $5)
           WHERE tenant_id = $1 AND source = $2`,
          [tenantId, this.#source.name, iso(standsAt), iso(standing.completeFrom), clock.now().toISOString(), this.#ahead, isLast && reachedBack],
        );
        await connection.query(`DELETE FROM sync_window WHERE tenant_id = $1 AND source = $2 AND reading = 'live'`, [tenantId, this.#source.name]);
      };
      const drained = await this.#drain(window, 'new', false, (connection, { asOf }) => moveTo(connection, asOf !== undefined && asOf < window.to - SAME_TIME ? asOf : window.to));

      if ('error' in drained) {
        const { error } = drained;
        if (window.to - window.from > SHORTEST) {
          length = shorter(window.to - window.from);
          await this.#note({ key: 'live', from, to: end, length, tries: 0 });
          // An answer that is none comes at once: the half of it may be one. For silence the next pass is soon enough.
          if (error.failure !== 'unexpected') throw error;
        } else {
          tries += 1;
          await this.#note({ key: 'live', from, to: end, length: SHORTEST, tries });
          if (tries < MOST_TRIES || window.to >= end || !await this.#isReadable({ from: window.to, to: Math.min(end, window.to + SHORTEST) })) throw error;
          await this.#giveUp(window, drained, (connection) => moveTo(connection, window.to));
          tries = 0;
          from = window.to;
        }
      } else {
        if (this.#ahead !== aheadBefore) end = this.#now();
        if (window.to >= end) return;
        length = nextLength(length, drained.pages);
        // Closed at both ends: an event of this very instant comes twice and is kept once.
        from = window.to;
      }
      to = from + length;
    }
  }

  /** Where what is new begins. Opens the gap before it, where there is one. */
  async #standing(): Promise<{ readonly from: number; readonly watermark: number | undefined; readonly completeFrom: number }> {
    const { tenantId } = this.#deps;
    const { name, retentionMs: retention } = this.#source;
    const { rows: [state] } = await this.#connection.query<{ watermark: string | null; overlap_read_at: Date | null; events_a_day: string }>('SELECT watermark, overlap_read_at, events_a_day FROM sync_source WHERE tenant_id = $1 AND source = $2', [tenantId, name]);
    const now = this.#now();
    const tails = this.#tails(Number(state?.events_a_day ?? 0));
    const overlap = isDue(state?.overlap_read_at?.getTime(), tails.overlapEvery, this.#deps.clock.now().getTime()) ? OVERLAP : tails.overlap;
    const watermark = state?.watermark ? Date.parse(state.watermark) : undefined;
    if (watermark === undefined) {
      // A first reading that was cut off: what lies before it is being filled already.
      const { rows: [begun] } = await this.#connection.query<{ to_at: Date }>(`SELECT to_at FROM sync_gap WHERE tenant_id = $1 AND source = $2 AND cause = 'first-start' AND closed_at IS NULL`, [tenantId, name]);
      if (begun) return { from: begun.to_at.getTime(), watermark, completeFrom: begun.to_at.getTime() };
    }
    const plan = planLive({ now, watermark, newest: (await this.#source.newest(this.#connection, tenantId))?.getTime(), retention, overlap });
    if (!plan.gap && !plan.lost) return { from: plan.from, watermark, completeFrom: plan.from };
    await inTransaction(this.#connection, async () => {
      if (plan.lost) await this.#openGap(plan.lost, 'outage', 'lost');
      if (plan.gap) await this.#openGap(plan.gap, plan.gap.cause);
      if (watermark !== undefined) await this.#connection.query('UPDATE sync_source SET watermark = $3 WHERE tenant_id = $1 AND source = $2', [tenantId, name, iso(plan.from)]);
    });
    return { from: plan.from, watermark: watermark === undefined ? undefined : plan.from, completeFrom: plan.from };
  }

  // What is missing, and what may show late.

  #tails(eventsADay: number) {
    const { pageSize, requestsADay, retentionMs: retention } = this.#source;
    return tailsFor({ eventsADay, pageSize, requestsADay, retention });
  }

  /** Puts the looks back that are due among the readings. */
  async #beginLooksBack(): Promise<void> {
    const { tenantId, clock } = this.#deps;
    const { name, retentionMs: retention } = this.#source;
    const { rows: [state] } = await this.#connection.query<{ day_read_at: Date | null; whole_read_at: Date | null; events_a_day: string }>('SELECT day_read_at, whole_read_at, events_a_day FROM sync_source WHERE tenant_id = $1 AND source = $2', [tenantId, name]);
    const now = this.#now();
    const ours = clock.now().getTime();
    const tails = this.#tails(Number(state?.events_a_day ?? 0));
    const oldestKept = now - retention;
    const dayAgo = Math.max(oldestKept, now - DAY);
    if (isDue(state?.day_read_at?.getTime(), tails.dayEvery, ours)) {
      const counts = await this.#source.countByHour(this.#connection, tenantId, { from: iso(now - DAY), to: iso(now) });
      await this.#connection.query('UPDATE sync_source SET events_a_day = $3 WHERE tenant_id = $1 AND source = $2', [tenantId, name, [...counts.values()].reduce((sum, count) => sum + count, 0)]);
      await this.#note({ key: 'day', from: dayAgo, to: now - OVERLAP, length: DAY, tries: 0 }, 'stays');
    }
    if (oldestKept < dayAgo && isDue(state?.whole_read_at?.getTime(), tails.wholeEvery, ours)) await this.#note({ key: 'whole', from: oldestKept, to: dayAgo, length: FIRST_LENGTH, tries: 0 }, 'stays');
  }

  /** What comes next of what is to be read: hours that did not add up, the day, gaps, and all that the source keeps. */
  async #nextReading(): Promise<Reading | undefined> {
    const { rows: [row] } = await this.#connection.query<{ reading: string; drained_to: Date; to_at: Date; length_ms: string; tries: number }>(
      `SELECT reading, drained_to, to_at, length_ms, tries FROM sync_window WHERE tenant_id = $1 AND source = $2 AND reading <> 'live' AND (not_before IS NULL OR not_before <= $3 OR not_before > $4)
       ORDER BY CASE WHEN reading LIKE 'hour:%' THEN 0 WHEN reading = 'day' THEN 1 WHEN reading LIKE 'gap:%' THEN 2 ELSE 3 END, tries, drained_to LIMIT 1`,
      // A rest that is longer than any is one that a clock ahead of time has given.
      [this.#deps.tenantId, this.#source.name, iso(this.#deps.clock.now().getTime()), iso(this.#deps.clock.now().getTime() + HOUR + SAME_TIME)],
    );
    return row && { key: row.reading, from: row.drained_to.getTime(), to: row.to_at.getTime(), length: Number(row.length_ms), tries: row.tries };
  }

  /** Reads the next window of the reading. */
  async #readOn(given: Reading): Promise<void> {
    const gapId = given.key.startsWith('gap:') ? given.key.slice('gap:'.length) : undefined;
    const reading = await this.#withoutLost(given, gapId);
    if (!reading) return;
    const window = { from: reading.from, to: Math.min(reading.to, reading.from + reading.length) };
    const moveOn = (connection: Connection, length: number): Promise<void> => this.#moveOn(connection, reading, window.to, length, gapId);
    const drained = await this.#drain(window, gapId === undefined ? 'late' : 'back-fill', true, async (connection, { pages, seen }) => {
      if (gapId === undefined) await this.#reconcile(connection, reading, window, seen);
      await moveOn(connection, nextLength(reading.length, pages));
    });
    if (!('error' in drained)) return;

    const { error } = drained;
    const isShortest = window.to - window.from <= SHORTEST;
    const tries = reading.tries + 1;
    if (!isShortest && error.failure === 'unexpected') {
      await this.#note({ ...reading, length: shorter(window.to - window.from) });
      return;
    }
    // One window does not hold up what lies behind it: of a gap it becomes one of its own, and a look back passes over it.
    if (isShortest && tries >= MOST_TRIES && window.to < reading.to) {
      if (gapId !== undefined) await this.#giveUp(window, drained, (connection) => moveOn(connection, SHORTEST));
      else await moveOn(this.#connection, SHORTEST);
      return;
    }
    await this.#note({ ...reading, length: isShortest ? SHORTEST : shorter(window.to - window.from), tries }, 'rests');
    throw error;
  }

  /** The reading without what the source no longer has; `undefined` where nothing is left of it. */
  async #withoutLost(reading: Reading, gapId: string | undefined): Promise<Reading | undefined> {
    const oldestKept = this.#now() - this.#source.retentionMs;
    if (reading.from >= oldestKept) return reading;
    const upTo = Math.min(oldestKept, reading.to);
    await inTransaction(this.#connection, async () => {
      if (gapId !== undefined) await this.#lose(gapId, upTo);
      const where = [this.#deps.tenantId, this.#source.name, reading.key];
      if (upTo >= reading.to) {
        await this.#connection.query('DELETE FROM sync_window WHERE tenant_id = $1 AND source = $2 AND reading = $3', where);
        if (gapId === undefined) await this.#lookedBack(this.#connection, reading.key);
      } else await this.#connection.query('UPDATE sync_window SET drained_to = $4 WHERE tenant_id = $1 AND source = $2 AND reading = $3', [...where, iso(upTo)]);
    });
    return upTo < reading.to ? { ...reading, from: upTo } : undefined;
  }

  /** The reading has come so far. */
  async #moveOn(connection: Connection, { key, to }: Reading, until: number, length: number, gapId: string | undefined): Promise<void> {
    const where = [this.#deps.tenantId, this.#source.name, key];
    const isWhole = until >= to;
    if (isWhole) await connection.query('DELETE FROM sync_window WHERE tenant_id = $1 AND source = $2 AND reading = $3', where);
    else await connection.query('UPDATE sync_window SET drained_to = $4, length_ms = $5, tries = 0, not_before = NULL WHERE tenant_id = $1 AND source = $2 AND reading = $3', [...where, iso(until), length]);
    if (gapId !== undefined) {
      await connection.query(
        `UPDATE sync_gap SET filled_to = $3, closed_at = CASE WHEN $4 THEN $5::timestamptz END, closed_how = CASE WHEN $4 THEN 'filled' END WHERE tenant_id = $1 AND gap_id = $2`,
        [this.#deps.tenantId, gapId, iso(until), isWhole, this.#deps.clock.now().toISOString()],
      );
      if (isWhole) {
        // Where the mirror was complete from the end of the gap on, it now is from its beginning.
        await connection.query(
          `UPDATE sync_source AS s SET complete_from = to_char(g.from_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM sync_gap AS g
           WHERE s.tenant_id = $1 AND s.source = $2 AND g.tenant_id = $1 AND g.gap_id = $3 AND g.from_at < s.complete_from::timestamptz AND s.complete_from::timestamptz <= g.to_at`,
          [this.#deps.tenantId, this.#source.name, gapId],
        );
      }
    } else if (isWhole) await this.#lookedBack(connection, key);
  }

  async #lookedBack(connection: Connection, key: string): Promise<void> {
    const column = key === 'day' ? 'day_read_at' : key === 'whole' ? 'whole_read_at' : undefined;
    if (column !== undefined) await connection.query(`UPDATE sync_source SET ${column} = $3 WHERE tenant_id = $1 AND source = $2`, [this.#deps.tenantId, this.#source.name, this.#deps.clock.now().toISOString()]);
  }

  /** Hours of which the source showed less than is stored are read again, once. */
  async #reconcile(connection: Connection, { key }: Reading, window: Stretch, seen: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const stored = await this.#source.countByHour(connection, this.#deps.tenantId, { from: iso(window.from), to: iso(window.to) });
    const hours = hoursToReadAgain(stored, seen);
    if (hours.length === 0) return;
    const { name: source } = this.#source;
    if (key.startsWith('hour:')) return this.#deps.log.warn({ source, hours }, 'the source shows fewer events of an hour than are stored, also when it is asked again');
    this.#deps.log.info({ source, hours }, 'the source shows fewer events of an hour than are stored: the hour is read again');
    for (const hour of hours) {
      const begin = Date.parse(`${hour}:00:00.000Z`);
      const again = { from: Math.max(begin, window.from), to: Math.min(begin + HOUR, window.to) };
      if (again.from < again.to) await this.#note({ key: `hour:${hour}`, ...again, length: HOUR, tries: 0 }, 'stays');
    }
  }

  // Gaps.

  async #openGap({ from, to }: Stretch, cause: GapCause, how: 'open' | 'lost' | 'rests' = 'open'): Promise<void> {
    const { tenantId, clock, log } = this.#deps;
    const { rows: [gap] } = await this.#connection.query<{ gap_id: string }>(
      'INSERT INTO sync_gap (tenant_id, source, from_at, to_at, filled_to, cause, noticed_at, closed_at, closed_how) VALUES ($1, $2, $3, $4, $3, $5, $6, $7, $8) RETURNING gap_id',
      [tenantId, this.#source.name, iso(from), iso(to), cause, clock.now().toISOString(), how === 'lost' ? clock.now().toISOString() : null, how === 'lost' ? 'lost' : null],
    );
    if (how !== 'lost') await this.#note({ key: `gap:${gap?.gap_id ?? ''}`, from, to, length: Math.min(FIRST_LENGTH, to - from), tries: how === 'rests' ? 1 : 0 }, how === 'rests' ? 'rests' : 'stays');
    const said = { source: this.#source.name, from: iso(from), to: iso(to), cause, fillableUntil: how === 'lost' ? null : iso(from + this.#source.retentionMs) };
    if (cause === 'first-start') log.info(said, 'what the tenant still has from before is being read');
    else if (how === 'lost') log.warn(said, 'a gap in the mirror can no longer be filled: the source does not have it any more');
    else log.warn(said, 'a gap in the mirror: it is being filled while the source still has it');
  }

  /** What of the gap lies before `upTo` the source no longer has. */
  async #lose(gapId: string, upTo: number): Promise<void> {
    const { tenantId, clock } = this.#deps;
    const { rows: [gap] } = await this.#connection.query<{ from_at: Date; to_at: Date; filled_to: Date; cause: GapCause }>('SELECT from_at, to_at, filled_to, cause FROM sync_gap WHERE tenant_id = $1 AND gap_id = $2', [tenantId, gapId]);
    if (!gap) return;
    const [filled, to] = [gap.filled_to.getTime(), gap.to_at.getTime()];
    const where = [tenantId, gapId];
    const isUntouched = gap.from_at.getTime() === filled;
    // What the portal never had before its first start is no loss of its own making; and a gap that is lost whole stays one row.
    if (upTo < to || !isUntouched) {
      if (gap.cause !== 'first-start' || !isUntouched) await this.#openGap({ from: filled, to: upTo }, gap.cause === 'first-start' ? 'outage' : gap.cause, 'lost');
      if (upTo < to) await this.#connection.query('UPDATE sync_gap SET from_at = $3, filled_to = $3 WHERE tenant_id = $1 AND gap_id = $2', [...where, iso(upTo)]);
      else await this.#connection.query(`UPDATE sync_gap SET to_at = filled_to, closed_at = $3, closed_how = 'filled' WHERE tenant_id = $1 AND gap_id = $2`, [...where, clock.now().toISOString()]);
      return;
    }
    await this.#connection.query(`UPDATE sync_gap SET closed_at = $3, closed_how = 'lost' WHERE tenant_id = $1 AND gap_id = $2`, [...where, clock.now().toISOString()]);
    this.#deps.log.warn({ source: this.#source.name, from: iso(filled), to: iso(to), cause: gap.cause }, 'a gap in the mirror can no longer be filled: the source does not have it any more');
  }

  /** Goes on behind a window that cannot be read: what came in its place is kept as it is, and the window is a gap that is tried again later. */
  async #giveUp(window: Stretch, { error, body }: Extract<Drained, { error: unknown }>, moveOn: (connection: Connection) => Promise<void>): Promise<void> {
    const also = async (connection: Connection): Promise<void> => {
      await this.#openGap(window, error.failure === 'unavailable' ? 'unavailable' : 'unreadable', 'rests');
      await moveOn(connection);
    };
    if (body === undefined) return inTransaction(this.#connection, () => also(this.#connection));
    const { events } = this.#read({ items: [{ id: '', activityDateTime: '', raw: body, defect: 'The answer is no page of events. What it stands for is a gap.' }] });
    await this.#ingest(events, true, () => {}, also);
  }

  // A window.

  /** Reads the window to its last page; with that page's transaction `finish` writes that it is read. */
  async #drain(window: Stretch, purpose: Purpose, bulk: boolean, finish: (connection: Connection, read: { readonly pages: number; readonly asOf: number | undefined; readonly seen: ReadonlyMap<string, ReadonlySet<string>> }) => Promise<void>): Promise<Drained> {
    const asked = { from: iso(window.from), to: iso(window.to) };
    const seen = new Map<string, Set<string>>();
    const links = new Map<string, number>();
    let asOf: number | undefined;
    let broken = false;
    let marks = false;
    let restarts = 0;
    const ask = (nextLink?: string): Promise<ReadPage> => {
      this.#requests.set(purpose, (this.#requests.get(purpose) ?? 0) + 1);
      const answer = this.#source.page(asked, nextLink).then((page) => this.#read(page));
      // It is awaited after the page before it is stored, which may fail first.
      answer.catch(() => undefined);
      return answer;
    };
    let coming = ask();
    let link: string | undefined;
    for (let pages = 1; ; pages += 1) {
      let page: ReadPage;
      try {
        page = await coming;
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        if (link !== undefined && isExpired(error) && (restarts += 1) <= MOST_RESTARTS) {
          link = undefined;
          coming = ask();
          continue;
        }
        if (error.failure === 'unavailable') return { error, body: undefined };
        throw error;
      }
      if (page.unreadable !== undefined) return { error: new GraphError('unexpected', 'the answer is no page of events'), body: page.unreadable };
      // Only a page of events comes from the source for certain: by the clock of whatever else answered, gaps would be told as lost.
      this.#compareClocks(page.date);
      asOf ??= page.date === undefined ? undefined : Date.parse(page.date);
      broken ||= page.brokenOff === true;

      link = page.nextLink;
      if (link !== undefined) {
        const times = (links.get(link) ?? 0) + 1;
        links.set(link, times);
        if (times > MOST_TIMES_A_LINK || pages >= MOST_PAGES) throw new GraphError('unexpected', 'the pages of the source do not end');
      }
      const next = link;
      let following: Promise<ReadPage> | undefined;
      const askOn = (): void => { if (next !== undefined) following ??= ask(next); };
      const isWhole = link === undefined && !broken;
      marks ||= bulk || page.events.length > MANY;
      await this.#ingest(page.events, bulk || page.events.length > MANY, askOn, async (connection, outcome) => {
        for (const { id, at } of outcome.seen) {
          const hour = hourOf(at);
          const ids = seen.get(hour);
          if (ids) ids.add(id);
          else seen.set(hour, new Set([id]));
        }
        if (isWhole) await finish(connection, { pages, asOf, seen });
      });
      askOn();
      if (following) {
        coming = following;
        continue;
      }
      if (marks) await this.#source.settle?.(this.#connection, this.#deps.tenantId);
      return isWhole ? { pages, asOf } : { error: new GraphError('unexpected', 'an error stands among the events of the page'), body: undefined };
    }
  }

  /** All of a page that can be done without the database: it is done while the page before it is stored. */
  #read({ items, ...page }: SourcePage): ReadPage {
    const receivedAt = this.#deps.clock.now();
    return { ...page, events: items.map((received) => this.#source.read(received, receivedAt)) };
  }

  async #ingest(events: ReadPage['events'], bulk: boolean, meanwhile: () => void, also: NonNullable<Batch['also']>): Promise<void> {
    const { tenantId, clock } = this.#deps;
    let outcome: Ingested | undefined;
    await this.#source.ingest(this.#connection, {
      tenantId, events, bulk, receivedAt: clock.now(), meanwhile,
      also: async (connection, stored) => {
        outcome = stored;
        const { added, revised, defects } = stored;
        if (added > 0) await connection.query('UPDATE sync_source SET events = events + $3, revisions = revisions + $4, defects = defects + $5 WHERE tenant_id = $1 AND source = $2', [tenantId, this.#source.name, added, revised, defects]);
        await also(connection, stored);
      },
    });
    this.#added += outcome?.added ?? 0;
    for (const kind of outcome?.kinds ?? []) this.#kinds.add(kind);
    if ((outcome?.defects ?? 0) > 0) this.#deps.log.warn({ source: this.#source.name, count: outcome?.defects }, 'something is wrong with events as they were received; they are kept as they came');
  }

  /** Whether this window can be read at all: then it is the one before it that cannot. */
  async #isReadable(window: Stretch): Promise<boolean> {
    this.#requests.set('new', (this.#requests.get('new') ?? 0) + 1);
    return this.#source.page({ from: iso(window.from), to: iso(window.to) }).then(({ unreadable, brokenOff }) => unreadable === undefined && brokenOff !== true, () => false);
  }

  #compareClocks(date: string | undefined): void {
    const theirs = Date.parse(date ?? '');
    if (Number.isNaN(theirs)) return;
    const ahead = theirs - this.#deps.clock.now().getTime();
    this.#ahead = Math.abs(ahead) < SAME_TIME ? 0 : ahead;
  }

  /** Writes down where a reading stands. `stays`: one that stands already is left as it is. */
  async #note({ key, from, to, length, tries }: Reading, how: 'replaces' | 'stays' | 'rests' = 'replaces'): Promise<void> {
    const rests = how === 'rests' ? iso(this.#deps.clock.now().getTime() + restAfter(tries)) : null;
    await this.#connection.query(
      `INSERT INTO sync_window AS w (tenant_id, source, reading, from_at, to_at, drained_to, length_ms, tries, not_before) VALUES ($1, $2, $3, $4, $5, $4, $6, $7, $8)
       ON CONFLICT (tenant_id, source, reading) DO ${how === 'stays' ? 'NOTHING' : 'UPDATE SET drained_to = excluded.drained_to, length_ms = excluded.length_ms, tries = excluded.tries, not_before = excluded.not_before'}`,
      [this.#deps.tenantId, this.#source.name, key, iso(from), iso(to), length, tries, rests],
    );
  }

  async countRequests(connection: Connection): Promise<void> {
    for (const [purpose, requests] of this.#requests) {
      await connection.query(
        `INSERT INTO sync_request_count AS c (tenant_id, source, day, purpose, requests) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, source, day, purpose) DO UPDATE SET requests = c.requests + excluded.requests`,
        [this.#deps.tenantId, this.#source.name, iso(this.#now()).slice(0, 10), purpose, requests],
      );
    }
    this.#requests.clear();
  }
}

const iso = (instant: number): string => new Date(instant).toISOString();

/** The link was refused as such, and not the caller. */
const isExpired = ({ details: { status } }: GraphError): boolean => status !== undefined && status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);

const FAILURES: Readonly<Record<string, string>> = {
  'throttled': 'Microsoft Graph asked Gatehouse to slow down. It goes on where it stopped.',
  'unavailable': 'Microsoft Graph does not answer. Gatehouse tries again.',
  'not-signed-in': 'Microsoft Entra refused Gatehouse\'s own sign-in: check its client id and its secret or certificate.',
  'unexpected': 'Microsoft Graph answered something that Gatehouse does not understand. It tries again.',
};

/** For the page: what is wrong and who can do what about it. Details are in the log. */
function inWords(error: unknown, { title, whenForbidden }: Source): string {
  if (error instanceof GraphError) return error.failure === 'forbidden' ? whenForbidden : FAILURES[error.failure] ?? 'Microsoft Graph refused to answer. Gatehouse tries again.';
  return `${title} could not be read. Gatehouse tries again; its log says why.`;
}

/** Marks since when the mirror holds everything, where an earlier history was put in by other means. */
export async function extendCoverage(connection: Connection, tenantId: string, from: string, events: number): Promise<void> {
  if (instantText(from) === undefined) return;
  await connection.query(
    `INSERT INTO sync_source (tenant_id, source, complete_from, events) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, source) DO UPDATE SET events = sync_source.events + excluded.events,
       complete_from = CASE WHEN sync_source.complete_from IS NULL OR sync_source.complete_from::timestamptz > excluded.complete_from::timestamptz THEN excluded.complete_from ELSE sync_source.complete_from END`,
    [tenantId, DIRECTORY_SOURCE, from, events],
  );
}
