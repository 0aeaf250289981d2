import type { Answer, ExportActivations, ExportEvents, GetActivation, GetEvent, Input, ListHistoryNames, SearchActivations, SearchEvents } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { stringify } from 'csv-stringify/sync';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { ACTIVATION_COLUMNS, cellsOf, cursorOf, EVENT_COLUMNS, instantOf, isStorable, positionOf, titlesOf, type Position } from './history.rules.ts';
import { findActivation, findActivations, findEvent, findEvents, findEventsOf, findNames, findRelated, readCoverage, snapshotOf, type ActivationFilter, type EventFilter, type Listed, type Queryable } from './history.store.ts';

export interface HistoryDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Keeps who reads more than the first page of a list. */
  readonly readings: { page(actor: Actor, list: 'events' | 'activations', filter: Readonly<Record<string, unknown>>, rows: number): Promise<void> };
}

/** A CSV file on its way: its name, and its text in pieces. */
export interface CsvExport {
  readonly fileName: string;
  readonly chunks: AsyncGenerator<string>;
}

export type History = ReturnType<typeof createHistory>;

/** Exports that may run at once: each holds a connection of the pool for as long as its reader takes. */
const EXPORTS_AT_ONCE = 2;

/** What the auditor reads: the mirror alone, never Graph. */
export function createHistory({ db, clock, newId, readings }: HistoryDeps) {
  const slots = gate(EXPORTS_AT_ONCE);

  /** One row more than asked for is read, to know whether there is a next page. */
  async function pageOf<T>(limit: number, read: (limit: number) => Promise<Listed<T>[]>): Promise<{ rows: T[]; nextCursor: string | null }> {
    const found = await read(limit + 1);
    const last = found[limit - 1];
    return { rows: found.slice(0, limit).map(({ row }) => row), nextCursor: found.length > limit && last ? cursorOf(last.position) : null };
  }

  async function exportOf<T>(actor: Actor, what: 'events' | 'activations', filter: Readonly<Record<string, unknown>>, columns: Parameters<typeof titlesOf<T>>[0], page: (connection: Queryable, after: Position | undefined, limit: number) => Promise<Listed<T>[]>): Promise<CsvExport> {
    // First that it happens, then the file: whoever cuts the download has taken what came until then.
    await db.prisma.$transaction((tx) => record(tx, { id: newId(), at: clock.now(), actor, type: 'history.exported', kind: 'portal-export', result: 'success', data: { what, filter } }));
    async function* chunks(): AsyncGenerator<string> {
      const free = await slots.enter();
      try {
        // The byte order mark tells spreadsheets that this is UTF-8.
        yield `\uFEFF${csv([titlesOf(columns)])}`;
        for await (const rows of snapshotOf(db, page)) yield csv(rows.map((row) => cellsOf(columns, row)));
      } finally {
        free();
      }
    }
    return { fileName: `gatehouse-${what}-${clock.now().toISOString().slice(0, 10)}.csv`, chunks: chunks() };
  }

  return {
    async searchEvents(actor: Actor, { cursor, limit, ...asked }: Input<typeof SearchEvents>['query']): Promise<Answer<typeof SearchEvents>> {
      const filter = usable(asked);
      const after = afterOf(cursor, 3);
      const { rows, nextCursor } = await pageOf(limit, (most) => findEvents(db.pool, actor.tenantId, filter, after, most));
      if (after) await readings.page(actor, 'events', filter, rows.length);
      return { events: rows, nextCursor, coverage: await readCoverage(db.pool, actor.tenantId) };
    },

    async event(actor: Actor, id: string): Promise<Answer<typeof GetEvent>> {
      const [, source, eventId] = /^(directory|portal):([\s\S]+)$/.exec(id) ?? [];
      const found = source !== undefined && eventId !== undefined && isStorable(eventId) ? await findEvent(db.pool, actor.tenantId, source, eventId) : undefined;
      if (!found) throw new PortalError('not-found');
      return { event: found.event, raw: found.raw, ingestedAt: found.ingestedAt, related: await findRelated(db.pool, actor.tenantId, found) };
    },

    async exportEvents(actor: Actor, asked: Input<typeof ExportEvents>['query']): Promise<CsvExport> {
      const filter = usable(asked);
      return exportOf(actor, 'events', filter, EVENT_COLUMNS, (connection, after, limit) => findEvents(connection, actor.tenantId, filter, after, limit));
    },

    async searchActivations(actor: Actor, { cursor, limit, ...asked }: Input<typeof SearchActivations>['query']): Promise<Answer<typeof SearchActivations>> {
      const filter = usable(asked);
      const after = afterOf(cursor, 2);
      const { rows, nextCursor } = await pageOf(limit, (most) => findActivations(db.pool, actor.tenantId, filter, after, most));
      if (after) await readings.page(actor, 'activations', filter, rows.length);
      return { activations: rows, nextCursor, coverage: await readCoverage(db.pool, actor.tenantId) };
    },

    async activation(actor: Actor, requestId: string): Promise<Answer<typeof GetActivation>> {
      const activation = isStorable(requestId) ? await findActivation(db.pool, actor.tenantId, requestId.toLowerCase()) : undefined;
      if (!activation) throw new PortalError('not-found');
      return { activation, events: await findEventsOf(db.pool, actor.tenantId, activation.requestId) };
    },

    async exportActivations(actor: Actor, asked: Input<typeof ExportActivations>['query']): Promise<CsvExport> {
      const filter = usable(asked);
      return exportOf(actor, 'activations', filter, ACTIVATION_COLUMNS, (connection, after, limit) => findActivations(connection, actor.tenantId, filter, after, limit));
    },

    names(actor: Actor): Promise<Answer<typeof ListHistoryNames>> {
      return findNames(db.pool, actor.tenantId);
    },
  };
}

const csv = (rows: readonly (readonly string[])[]): string => stringify(rows.map((row) => [...row]), { record_delimiter: '\r\n' });

function afterOf(cursor: string | undefined, parts: number): Position | undefined {
  if (cursor === undefined) return undefined;
  const position = positionOf(cursor, parts);
  if (!position) throw fieldError('invalid-request', 'query.cursor', 'This is no cursor of a page of this list');
  return position;
}

/** The filter as the database takes it, or a refusal at the field that no row could match. */
function usable<Filter extends EventFilter | ActivationFilter>(filter: Filter): Filter {
  for (const [name, value] of Object.entries(filter)) if (typeof value === 'string' && !isStorable(value)) throw fieldError('invalid-request', `query.${name}`, 'This has a character that no name has');
  const instant = (name: 'from' | 'to'): Pick<EventFilter, 'from' | 'to'> => {
    const text = filter[name];
    if (text === undefined) return {};
    const found = instantOf(text);
    if (found === undefined) throw fieldError('invalid-request', `query.${name}`, 'No event has such a time');
    return { [name]: found };
  };
  return { ...filter, ...instant('from'), ...instant('to') };
}

/** Lets so many in at once; the others wait for their turn. */
function gate(places: number): { enter(): Promise<() => void> } {
  const waiting: (() => void)[] = [];
  let free = places;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => { waiting.push(resolve); });
      return leave;
    },
  };
}
