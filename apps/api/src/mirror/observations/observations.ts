import type { EventKind } from '@gatehouse/contracts';
import { iso, type Connection } from '@gatehouse/db';

/** What is observed of the tenant, one thing each. */
export type ObservedKind =
  | 'eligible' | 'standing' | 'activated' | 'policy' | 'group' | 'assignment' | 'application' | 'segments' | 'principal' | 'watch'
  | ScheduleKind | RequestKind;
/** What PIM was told to give, and what was asked of it: on record as Entra lists it, one thing for each id. */
export type ScheduleKind = 'eligibility-schedule' | 'assignment-schedule';
export type RequestKind = 'eligibility-request' | 'assignment-request';

/** One thing as a reading found it. */
export interface Seen {
  readonly kind: ObservedKind;
  /** What it is known by among its kind. */
  readonly thing: string;
  readonly principalId?: string;
  readonly groupId?: string;
  readonly applicationId?: string;
  /** JSON with its keys in order. */
  readonly state: string;
}

/** A period as Entra gives it; `null`: without that end. */
export interface Period { readonly startsAt: string | null; readonly endsAt: string | null }

export interface KnownState { readonly kind: ObservedKind; readonly thing: string; readonly state: string | null }

/** An audit event that may be the change that was seen. */
export interface Telling { readonly id: string; readonly at: string; readonly kind: EventKind; readonly subjectId: string | null; readonly groupId: string | null; readonly applicationId: string | null; readonly requestId: string | null }

export interface ObservationRow {
  readonly kind: ObservedKind;
  readonly thing: string;
  readonly principalId: string | null;
  readonly groupId: string | null;
  readonly applicationId: string | null;
  readonly state: string | null;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly basis: 'entra' | 'event' | 'observed';
  readonly eventId: string | null;
  readonly notBefore: string | null;
}

/** Stages of a request, each told of with the request's id; what was only asked for has no kind of its own. */
const OF_REQUESTS: readonly EventKind[] = [
  'activation-requested', 'approval-requested', 'approved', 'denied', 'activated', 'activation-cancelled', 'request-lapsed', 'deactivation-requested', 'deactivated',
  'eligible-added', 'eligible-removed', 'assigned', 'assignment-removed', 'other',
];

/** Kinds of events that tell of a change of a thing of the kind. */
export const TELL_OF: Readonly<Record<ObservedKind, readonly EventKind[]>> = {
  eligible: ['eligible-added', 'eligible-removed'],
  standing: ['assigned', 'assignment-removed', 'member-added', 'member-removed'],
  activated: ['activated', 'deactivated', 'expired', 'assignment-removed', 'member-removed'],
  policy: ['role-settings-changed', 'onboarded'],
  group: ['group-changed'],
  assignment: ['application-changed'], application: ['application-changed'], segments: ['application-changed'],
  principal: [], watch: [],
  'eligibility-schedule': ['eligible-added', 'eligible-removed'],
  'assignment-schedule': ['assigned', 'assignment-removed', 'activated', 'deactivated', 'expired', 'member-added', 'member-removed'],
  'eligibility-request': OF_REQUESTS, 'assignment-request': OF_REQUESTS,
};

/** Since when a reading is compared, until when, and what the audit log has of the time between. */
export interface Between {
  /** When the same things were read before; `null`: never. */
  readonly notBefore: string | null;
  readonly observedAt: string;
  readonly events: readonly Telling[];
}

export type Change = Pick<ObservationRow, 'kind' | 'thing' | 'principalId' | 'groupId' | 'applicationId' | 'state'> & { readonly before: string | null | undefined };

/** What differs from what was seen last; what is not found any more is gone. */
export function changesOf(known: readonly KnownState[], found: readonly Seen[]): Change[] {
  const states = new Map(known.map(({ kind, thing, state }) => [`${kind} ${thing}`, state]));
  const here = new Set(found.map(({ kind, thing }) => `${kind} ${thing}`));
  const changed = found.flatMap((one): Change[] => {
    const before = states.get(`${one.kind} ${one.thing}`);
    return before === one.state ? [] : [{ kind: one.kind, thing: one.thing, principalId: one.principalId ?? null, groupId: one.groupId ?? null, applicationId: one.applicationId ?? null, state: one.state, before }];
  });
  const gone = known.filter(({ kind, thing, state }) => state !== null && !here.has(`${kind} ${thing}`)).map(({ kind, thing, state }): Change => ({ kind, thing, ...idsOf(kind, thing), state: null, before: state }));
  return [...changed, ...gone];
}

/** The ids of a thing, as its name has them. */
function idsOf(kind: ObservedKind, thing: string): Pick<Change, 'principalId' | 'groupId' | 'applicationId'> {
  const [one = null, other = null] = thing.split('/');
  switch (kind) {
    case 'eligible': case 'standing': case 'activated':
    case 'eligibility-schedule': case 'assignment-schedule': case 'eligibility-request': case 'assignment-request': return { groupId: one, principalId: other, applicationId: null };
    case 'assignment': return { groupId: one, principalId: null, applicationId: other };
    case 'policy': case 'group': return { groupId: one, principalId: null, applicationId: null };
    case 'application': case 'segments': return { groupId: null, principalId: null, applicationId: one };
    case 'principal': return { groupId: null, principalId: one, applicationId: null };
    case 'watch': return { groupId: one, principalId: null, applicationId: null };
  }
}

/**
 * A change with the time from which it holds. Entra's own word counts first (an eligibility says when it begins); then the
 * one audit event that tells of it; else it lies between two readings, and the row says between which.
 */
export function dated(change: Change, between: Between): ObservationRow {
  const { before, ...row } = change;
  const { notBefore, observedAt, events } = between;
  const at = (validFrom: string, basis: ObservationRow['basis'], eventId: string | null = null, since: string | null = notBefore): ObservationRow => ({ ...row, validFrom, validTo: endOf(row), basis, eventId, notBefore: since });

  const said = saidOf(change, between);
  if (said !== undefined) return at(said, 'entra');

  const telling = notBefore === null ? [] : events.filter((event) => event.at > notBefore && event.at <= observedAt && tells(event, row)).sort((a, b) => (a.at < b.at ? -1 : 1));
  const [first] = telling;
  const last = telling.at(-1);
  // Of several it is not known which was the one: the change lies between the first and the last.
  if (first && last) return first === last ? at(last.at, 'event', last.id) : at(last.at, 'observed', null, first.at);
  // Seen for the first time, it cannot have been so before it was made.
  const made = before === null || before === undefined ? instantIn(row.state, 'createdAt') : null;
  return at(observedAt, 'observed', null, made !== null && (notBefore === null || made > notBefore) && made <= observedAt ? made : notBefore);
}

/** Until when the state holds, by its own word. */
function endOf({ kind, state }: Pick<Change, 'kind' | 'state'>): string | null {
  if (kind === 'eligibility-schedule' || kind === 'assignment-schedule') return instantIn(state, 'endsAt');
  const periods = periodsOf(state);
  return periods.length === 0 || periods.some(({ endsAt }) => endsAt === null) ? null : latest(periods.map(({ endsAt }) => endsAt ?? ''));
}

/** When the change was, where Entra says it by itself. */
function saidOf({ kind, state, before = null }: Change, { notBefore, observedAt }: Between): string | undefined {
  switch (kind) {
    case 'eligibility-schedule': case 'assignment-schedule': {
      const [made, end] = [instantIn(state, 'createdAt'), instantIn(before, 'endsAt')];
      // What was not there when it was looked for has come since, however old it says to be.
      if (state !== null) return before === null && made !== null && (notBefore === null || made > notBefore) ? made : undefined;
      return end !== null && end <= observedAt ? end : undefined;
    }
    case 'eligibility-request': case 'assignment-request': {
      // One that was complete when it was last seen, and is otherwise now, has changed after that.
      const completed = instantIn(state, 'completedAt');
      return completed !== null && (before === null || notBefore === null || completed > notBefore) ? completed : undefined;
    }
    default: {
      const [periods, old] = [periodsOf(state), periodsOf(before)];
      if (state !== null && old.length === 0 && periods.length > 0 && periods.every(({ startsAt }) => startsAt !== null)) return earliest(periods.map(({ startsAt }) => startsAt ?? ''));
      return state === null && old.length > 0 && old.every(({ endsAt }) => endsAt !== null && endsAt <= observedAt) ? latest(old.map(({ endsAt }) => endsAt ?? '')) : undefined;
    }
  }
}

function tells(event: Telling, { kind, thing, principalId, groupId, applicationId }: Pick<Change, 'kind' | 'thing' | 'principalId' | 'groupId' | 'applicationId'>): boolean {
  if (!TELL_OF[kind].includes(event.kind) || thing.endsWith('/group')) return false;
  if (kind === 'eligibility-request' || kind === 'assignment-request') return event.groupId === groupId && event.requestId !== null && thing.toLowerCase().endsWith(`/${event.requestId}`);
  if (principalId !== null) return event.subjectId === principalId && event.groupId === groupId;
  return (groupId !== null && event.groupId === groupId) || (applicationId !== null && event.applicationId === applicationId);
}

/** An instant of the state's own; `null` where it has none. */
function instantIn(state: string | null, name: string): string | null {
  const parsed: unknown = state === null ? null : JSON.parse(state);
  const value: unknown = typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof value === 'string' ? value : null;
}

function periodsOf(state: string | null): readonly Period[] {
  const parsed: unknown = state === null ? null : JSON.parse(state);
  return typeof parsed === 'object' && parsed !== null && 'periods' in parsed ? parsed.periods as readonly Period[] : [];
}
const earliest = (instants: readonly string[]): string => instants.reduce((one, other) => (one < other ? one : other));
const latest = (instants: readonly string[]): string => instants.reduce((one, other) => (one > other ? one : other));

/** What one reading covered: all that is known of these kinds, of one group or (`null`) of the whole tenant. */
export interface Reading {
  readonly tenantId: string;
  /** What is read whole by it, and of which no older reading may come after a newer one. */
  readonly scope: string;
  /** Before the first call of the reading. */
  readonly beganAt: Date;
  readonly observedAt: Date;
  readonly source: string;
  readonly kinds: readonly ObservedKind[];
  readonly groupId: string | null;
  readonly found: readonly Seen[];
  /** Whether what is not found any more is gone; else this reading says nothing of it. */
  readonly keeps?: ((known: KnownState) => boolean) | 'all';
}

/**
 * Puts what a reading found beside what was seen last, and adds a row to the log for each difference. Within the caller's
 * transaction. A reading that began before one that is kept already changes nothing.
 */
export async function observe(connection: Connection, reading: Reading): Promise<{ readonly rows: number }> {
  const { tenantId, scope, kinds, groupId, found } = reading;
  const observedAt = sixDecimals(reading.observedAt);
  await connection.query(`SELECT pg_advisory_xact_lock(hashtextextended('gatehouse.observe:' || $1, 0))`, [tenantId]);
  const { rows: [last] } = await connection.query<{ read_at: Date }>('SELECT read_at FROM observed_scope WHERE tenant_id = $1 AND scope = $2', [tenantId, scope]);
  if (last && last.read_at > reading.beganAt) return { rows: 0 };
  const { keeps } = reading;
  const { rows: known } = keeps === 'all' ? { rows: [] } : await connection.query<KnownState>('SELECT kind, thing, state FROM observed_state WHERE tenant_id = $1 AND kind = ANY ($2) AND ($3::text IS NULL OR group_id = $3) AND state IS NOT NULL', [tenantId, kinds, groupId]);
  const changes = changesOf(known, found).filter((change) => change.state !== null || change.before === undefined || keeps === 'all' || !(keeps?.({ kind: change.kind, thing: change.thing, state: change.before }) ?? false));
  const notBefore = last ? sixDecimals(last.read_at) : null;
  const events = notBefore === null || changes.length === 0 ? [] : await tellings(connection, tenantId, changes, notBefore, observedAt);
  const bySubject = Map.groupBy(events, ({ subjectId }) => subjectId);
  await addRows(connection, reading, changes.map((change) => dated(change, { notBefore, observedAt, events: change.principalId === null ? events : bySubject.get(change.principalId) ?? [] })));
  await connection.query('INSERT INTO observed_scope (tenant_id, scope, read_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, scope) DO UPDATE SET read_at = excluded.read_at', [tenantId, scope, reading.beganAt.toISOString()]);
  return { rows: changes.length };
}

async function tellings(connection: Connection, tenantId: string, changes: readonly Change[], after: string, until: string): Promise<Telling[]> {
  const kinds = [...new Set(changes.flatMap(({ kind }) => TELL_OF[kind]))];
  if (kinds.length === 0) return [];
  const [groups, applications] = [changes.flatMap((one) => one.groupId ?? []), changes.flatMap((one) => one.applicationId ?? [])];
  const { rows } = await connection.query<Telling>(
    `SELECT event_id AS id, ${iso('activity_at')} AS at, kind, subject_id AS "subjectId", group_id AS "groupId", application_id AS "applicationId", request_id AS "requestId"
     FROM audit_event WHERE tenant_id = $1 AND source = 'directory' AND revision = 0 AND result <> 'failure' AND kind = ANY ($2) AND activity_at > $3 AND activity_at <= $4 AND (group_id = ANY ($5) OR application_id = ANY ($6))`,
    [tenantId, kinds, after, until, [...new Set(groups)], [...new Set(applications)]],
  );
  return rows;
}

/** One batch of the log with all rows of a reading; nothing, where there are none. */
async function addRows(connection: Connection, { tenantId, source, observedAt }: Reading, rows: readonly ObservationRow[]): Promise<void> {
  if (rows.length === 0) return;
  await connection.query(
    `WITH row AS (SELECT value AS r, ordinality - 1 AS ordinal FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY),
     batch AS (INSERT INTO log_batch (tenant_id, log, source, received_at, rows) SELECT $1, 'observation', $3, $4, count(*) FROM row RETURNING batch_id),
     unsealed AS (INSERT INTO log_unsealed (tenant_id, batch_id) SELECT $1, batch_id FROM batch),
     kept AS (
       INSERT INTO observed_state (tenant_id, kind, thing, group_id, state) SELECT $1, r->>'kind', r->>'thing', r->>'groupId', r->>'state' FROM row
       ON CONFLICT (tenant_id, kind, thing) DO UPDATE SET state = excluded.state
     )
     INSERT INTO observation (tenant_id, batch_id, ordinal, kind, thing, principal_id, group_id, application_id, state, valid_from, valid_to, basis, event_id, not_before, observed_at, source)
     SELECT $1, batch_id, ordinal, r->>'kind', r->>'thing', r->>'principalId', r->>'groupId', r->>'applicationId', r->>'state', (r->>'validFrom')::timestamptz, (r->>'validTo')::timestamptz,
       r->>'basis', r->>'eventId', (r->>'notBefore')::timestamptz, $4, $3 FROM row, batch`,
    [tenantId, JSON.stringify(rows), source, observedAt.toISOString()],
  );
}

const sixDecimals = (instant: Date): string => instant.toISOString().replace(/Z$/, '000Z');

/** JSON with the keys of every object in order: the same state is the same text. PostgreSQL stores no NUL, and no half of a surrogate pair. */
export function stateText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'string') return part.replaceAll('\u0000', '\uFFFD').toWellFormed();
    return typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1))) : part;
  });
}
