import { BARS_MAX, COUNTED_TO, InsightKind, type Answer, type CountEvents, type Coverage, type GetActivation, type GetEvent, type GetEventStatistics, type GetTimeline, type Input, type Insight, type ListHistoryNames, type ListInsights, type SearchActivations, type SearchEvents } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { cursorOf, positionOf, type Position } from '../../core/cursors.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { isStorable } from '../../core/text.ts';
import type { Connections } from '../connections/connections.ts';
import { activationSearchOf, complete, findActivations } from './activation-list.ts';
import { findActivation, findRunningAt, type ActivationSearch } from './activations.store.ts';
import { facetsOf, isChosen } from './counts.rules.ts';
import { countBetween, countZone, foldCounts, isCounted, isZone, readStatistics } from './counts.store.ts';
import { isPositionOfEvent, type EventSearch, type Listed } from './events.store.ts';
import { usable, type Filter } from './filter.rules.ts';
import { lanesOf } from './history.rules.ts';
import { countEvents, findEvent, findEvents, findEventsOf, findNames, findRelated, readLogState } from './history.store.ts';
import { outOfHours, quickApprovals, repeatedReasons, standingAccess, toldOf, unusedEligibility, weakenedSettings } from './insights.rules.ts';
import { findLastActivations, findOutOfHours, findQuickApprovals, findRepeatedReasons, findRights, findSettingsEvents } from './insights.store.ts';
import { createMeanings, narrows, type Meant } from './meanings.ts';
import { listsOf } from './names.store.ts';
import { driveOf, sum, type Facet } from './search.rules.ts';
import { sharing } from './sharing.ts';
import type { Queryable } from './sql.ts';

export interface HistoryDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** What the traffic log says of an activation. */
  readonly connections: Pick<Connections, 'ofActivation'>;
  /** Keeps who reads more than the first page of a list. */
  readonly readings: { page(actor: Actor, list: 'events' | 'activations', filter: Readonly<Record<string, unknown>>, rows: number): Promise<void> };
}

export type History = ReturnType<typeof createHistory>;

/** Approvals sooner than that after the request were hardly read. */
const QUICK_SECONDS = 10;

/** What the auditor reads: the mirror alone, never Graph. */
export function createHistory({ db, clock, connections, readings }: HistoryDeps) {
  // The one place where it is said by what the log is read.
  const { reader } = db;
  const stateOf = sharing((tenantId: string) => readLogState(reader, tenantId));
  /** Asked for first and waited for last: what else is read of the same moment shares the reading. */
  const coverageOf = (tenantId: string): Promise<Coverage> => {
    const coverage = stateOf(tenantId).then((state) => state.coverage);
    coverage.catch(() => undefined);
    return coverage;
  };
  const facetsIn = sharing((tenantId: string, from: string | undefined, to: string | undefined) => countBetween(reader, tenantId, from, to));
  const meaning = createMeanings({ reader, namesVersionOf: async (tenantId) => (await stateOf(tenantId)).namesVersion });

  /** One row more than asked for is read, to know whether there is a next page. */
  async function pageOf<T>(limit: number, read: (limit: number) => Promise<Listed<T>[]>): Promise<{ rows: T[]; nextCursor: string | null }> {
    const found = await read(limit + 1);
    const last = found[limit - 1];
    return { rows: found.slice(0, limit).map(({ row }) => row), nextCursor: found.length > limit && last ? cursorOf(last.position) : null };
  }

  function eventSearch(tenantId: string, filter: Filter, meant: Meant): EventSearch {
    const { text, kind, result, source, from, to } = filter;
    const names = listsOf(meant.names);
    const facets = narrows(filter) ? meant.facets?.filter((facet) => isChosen(facet, { kind, result, source })) : undefined;
    const hasText = text !== undefined && text !== '';
    return { tenantId, names, facets, drive: driveOf({ names, facets, allEvents: sum(meant.facets ?? []), hasText }), kind, result, source, ...(hasText && { text }), from, to };
  }

  async function activationSearch(tenantId: string, filter: Filter): Promise<ActivationSearch> {
    const { person, group, application } = filter;
    return activationSearchOf(tenantId, filter, (await meaning(tenantId, { person, group, application })).names);
  }

  return {
    async searchEvents(actor: Actor, { cursor, limit, order, ...asked }: Input<typeof SearchEvents>['query']): Promise<Answer<typeof SearchEvents>> {
      const filter = usable(asked);
      const after = afterOf(cursor, 3, isPositionOfEvent);
      const coverage = coverageOf(actor.tenantId);
      const search = eventSearch(actor.tenantId, filter, await meaning(actor.tenantId, filter));
      const { rows, nextCursor } = await pageOf(limit, (most) => findEvents(reader, search, { after, order, limit: most }));
      if (after) await readings.page(actor, 'events', filter, rows.length);
      return { events: rows, nextCursor, coverage: await coverage };
    },

    /** Exact up to `COUNTED_TO`, and of any number where the sums that were kept say it. */
    async countEvents(actor: Actor, asked: Input<typeof CountEvents>['query']): Promise<Answer<typeof CountEvents>> {
      const filter = usable(asked);
      const { kind, result, source, from, to } = filter;
      const chosen = { kind, result, source };
      if (!filter.person && !filter.group && !filter.application && !filter.text) {
        const counted = await facetsIn(actor.tenantId, from, to);
        return { events: sum(counted.filter((facet) => isChosen(facet, chosen))), is: 'exact', facets: facetsOf(counted, chosen), facetsOf: 'all' };
      }
      const meant = await meaning(actor.tenantId, filter);
      const read = (narrowed: Filter): Promise<Facet[]> => countEvents(reader, eventSearch(actor.tenantId, narrowed, meant), COUNTED_TO + 1);
      const counted = await read({ ...filter, kind: undefined, result: undefined, source: undefined });
      const isWhole = sum(counted) <= COUNTED_TO;
      const found = isWhole || (!kind && !result && !source) ? counted : await read(filter);
      const events = sum(found.filter((facet) => isChosen(facet, chosen)));
      return { events: Math.min(events, COUNTED_TO), is: events > COUNTED_TO ? 'more' : 'exact', facets: facetsOf(counted, chosen), facetsOf: isWhole ? 'all' : 'some' };
    },

    async statistics(actor: Actor, asked: Input<typeof GetEventStatistics>['query']): Promise<Answer<typeof GetEventStatistics>> {
      const filter = usable(asked);
      await knownZone(reader, filter.timeZone);
      const { hours, months } = await readStatistics(reader, actor.tenantId, filter);
      // Of all time it is answered from what was summed up, the next time.
      if (filter.from === undefined && filter.to === undefined && !await isCounted(reader, actor.tenantId, filter.timeZone)) await countZone(db, actor.tenantId, filter.timeZone);
      return { hours: [...hours], months: [...months], coverage: await coverageOf(actor.tenantId) };
    },

    async timeline(actor: Actor, { by, ...asked }: Input<typeof GetTimeline>['query']): Promise<Answer<typeof GetTimeline>> {
      const { from, to, ...names } = usable(asked);
      const coverage = coverageOf(actor.tenantId);
      const found = await activationSearch(actor.tenantId, names);
      // Whose memberships they were; who decided about them is not asked for here.
      const search = { ...found, names: found.names.map((list) => list.filter(({ role }) => role !== 'actor')) };
      const running = await findRunningAt(reader, search, from, BARS_MAX + 1);
      const begun = await findActivations(reader, { ...search, from, to }, { after: undefined, order: 'newest', limit: BARS_MAX + 1 });
      const all = [...begun.map(({ row }) => row), ...await complete(reader, actor.tenantId, running)].filter(({ provisionedAt }) => provisionedAt !== null && provisionedAt < to);
      return { lanes: lanesOf(all.slice(0, BARS_MAX), by), more: all.length > BARS_MAX || begun.length > BARS_MAX, coverage: await coverage };
    },

    async insights(actor: Actor, { timeZone, days, opens, closes }: Input<typeof ListInsights>['query']): Promise<Answer<typeof ListInsights>> {
      const { tenantId } = actor;
      await knownZone(reader, timeZone);
      const now = clock.now();
      const lookedFrom = new Date(now.getTime() - days * 86_400_000).toISOString();
      const rights = await findRights(reader, tenantId);
      const found: Insight[] = [
        ...standingAccess(rights), ...unusedEligibility(rights, await findLastActivations(reader, tenantId), now, days),
        ...outOfHours(await findOutOfHours(reader, tenantId, { from: lookedFrom, timeZone, opens, closes })),
        ...repeatedReasons(await findRepeatedReasons(reader, tenantId, lookedFrom)), ...quickApprovals(await findQuickApprovals(reader, tenantId, lookedFrom, QUICK_SECONDS)),
        ...weakenedSettings(await findSettingsEvents(reader, tenantId)),
      ];
      const coverage = await coverageOf(tenantId);
      return { insights: toldOf(found), totals: InsightKind.options.map((kind) => ({ kind, total: found.filter((one) => one.kind === kind).length })), knownSince: coverage.from, lookedFrom, coverage };
    },

    async event(actor: Actor, id: string): Promise<Answer<typeof GetEvent>> {
      const [, source, eventId] = /^(directory|portal):([\s\S]+)$/.exec(id) ?? [];
      const found = source !== undefined && eventId !== undefined && isStorable(eventId) ? await findEvent(reader, actor.tenantId, source, eventId) : undefined;
      if (!found) throw new PortalError('not-found');
      return { event: found.event, raw: found.raw, ingestedAt: found.ingestedAt, revisions: [...found.revisions], related: await findRelated(reader, actor.tenantId, found) };
    },

    async searchActivations(actor: Actor, { cursor, limit, order, ...asked }: Input<typeof SearchActivations>['query']): Promise<Answer<typeof SearchActivations>> {
      const filter = usable(asked);
      const after = afterOf(cursor, 2);
      const coverage = coverageOf(actor.tenantId);
      const search = await activationSearch(actor.tenantId, filter);
      const { rows, nextCursor } = await pageOf(limit, (most) => findActivations(reader, search, { after, order, limit: most }));
      if (after) await readings.page(actor, 'activations', filter, rows.length);
      return { activations: rows, nextCursor, coverage: await coverage };
    },

    async activation(actor: Actor, requestId: string): Promise<Answer<typeof GetActivation>> {
      const stored = isStorable(requestId) ? await findActivation(reader, actor.tenantId, requestId.toLowerCase()) : undefined;
      const [activation] = await complete(reader, actor.tenantId, stored ? [stored] : []);
      if (!activation) throw new PortalError('not-found');
      const [events, reached] = await Promise.all([findEventsOf(reader, actor.tenantId, activation.requestId), connections.ofActivation(actor.tenantId, activation.requestId)]);
      return { activation, events, connections: reached };
    },

    names(actor: Actor): Promise<Answer<typeof ListHistoryNames>> {
      return findNames(reader, actor.tenantId);
    },

    /** Brings the sums up to date that counts are read from; they are right without it, and slower. */
    fold: (tenantId: string): Promise<void> => foldCounts(db, tenantId),
  };
}

/** A zone that PostgreSQL does not know is the caller's slip. */
async function knownZone(db: Queryable, timeZone: string): Promise<void> {
  if (!isStorable(timeZone) || !await isZone(db, timeZone)) throw fieldError('invalid-request', 'query.timeZone', 'There is no such time zone');
}

function afterOf(cursor: string | undefined, parts: number, isOne = (_position: Position): boolean => true): Position | undefined {
  if (cursor === undefined) return undefined;
  const position = positionOf(cursor, parts);
  if (!position || !isOne(position)) throw fieldError('invalid-request', 'query.cursor', 'This is no cursor of a page of this list');
  return position;
}
