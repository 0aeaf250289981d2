import {
  ACTIVATION_LASTS_AT_MOST_MINUTES, DIRECTORY_LATE_MINUTES, NETWORK_MAY_STAY_OPEN_MINUTES, TRAFFIC_LATE_MINUTES, type ActivationConnections, type HostReached, type TrafficCoverage,
} from '@gatehouse/contracts';

/** What of an activation its connections are known by. Instants are texts in UTC with six decimals, so that they compare as they are. */
export interface Activated {
  readonly principalId: string;
  readonly provisionedAt: string | null;
  readonly endedAt: string | null;
  readonly expiresAt: string | null;
}

/** The time in which connections belong to an activation, both ends included; `until` is `null` where no end is in sight. */
export interface Span {
  readonly from: string;
  readonly until: string | null;
}

/**
 * From the beginning of the membership until the network is closed for sure after its end: the token of the client
 * outlives the membership (CONTRACT.md §15). An end that nobody saw is when the activation was to run out. `null`: it
 * never began.
 */
export function spanOf({ provisionedAt, endedAt, expiresAt }: Omit<Activated, 'principalId'>): Span | null {
  if (provisionedAt === null) return null;
  const ended = endedAt ?? expiresAt;
  return { from: provisionedAt, until: ended === null ? null : later(ended, NETWORK_MAY_STAY_OPEN_MINUTES) };
}

/** A connection as the traffic log has it. */
export interface Attempt {
  readonly userId: string | null;
  readonly at: string;
  readonly applicationId: string | null;
}

/** Whether a connection belongs to an activation whose group opens these applications. */
export function belongs({ userId, at, applicationId }: Attempt, activation: Activated, opens: ReadonlySet<string>): boolean {
  const span = spanOf(activation);
  return span !== null && userId === activation.principalId && applicationId !== null && opens.has(applicationId) && span.from <= at && (span.until === null || at <= span.until);
}

/** An instant so many minutes later, all its decimals kept. */
export function later(instant: string, minutes: number): string {
  return `${new Date(Date.parse(`${instant.slice(0, 19)}Z`) + minutes * 60_000).toISOString().slice(0, 19)}${instant.slice(19)}`;
}

/** From when to when a log was read without a gap. */
export interface Read {
  readonly from: string | null;
  readonly to: string | null;
}

/** A time about which something can be said for sure. */
export interface Judged {
  readonly from: string;
  readonly to: string;
}

/**
 * When a connection without an activation is one for sure: the traffic log was read there, and the audit log from so far
 * before that no activation reaches over, until so long after that none is still to be shown.
 */
export function trafficJudged(traffic: Read, directory: Read): Judged | null {
  if (traffic.from === null || traffic.to === null || directory.from === null || directory.to === null) return null;
  const from = latest(traffic.from, later(directory.from, ACTIVATION_LASTS_AT_MOST_MINUTES + NETWORK_MAY_STAY_OPEN_MINUTES));
  const to = earliest(traffic.to, later(directory.to, -DIRECTORY_LATE_MINUTES));
  return from <= to ? { from, to } : null;
}

/** When an activation that began and ended within it had no connection for sure: the log was read until no row of its time was still to come. */
export function activationsJudged(traffic: Read): Judged | null {
  if (traffic.from === null || traffic.to === null) return null;
  const to = later(traffic.to, -(NETWORK_MAY_STAY_OPEN_MINUTES + TRAFFIC_LATE_MINUTES));
  return traffic.from <= to ? { from: traffic.from, to } : null;
}

const latest = (one: string, other: string): string => (one > other ? one : other);
const earliest = (one: string, other: string): string => (one < other ? one : other);

export interface StoryFacts {
  readonly span: Span | null;
  readonly coverage: TrafficCoverage;
  /** Whether the group opens anything through Private Access. */
  readonly opens: boolean;
  readonly changedSince: boolean;
  readonly found: readonly HostReached[];
  readonly limit: number;
}

/** What the story of an activation says of its connections. Absence is claimed only where the log was read. */
export function tellConnections({ span, coverage, opens, changedSince, found, limit }: StoryFacts): ActivationConnections {
  const common = { changedSince, more: found.length > limit, coverage };
  const nothing = (cause: NonNullable<ActivationConnections['cause']>): ActivationConnections => ({ ...common, reached: null, cause, complete: false });
  if (span === null) return nothing('not-begun');
  // What was read before the log was closed is as good as before.
  if (found.length > 0) return { ...common, reached: found.slice(0, limit), cause: null, complete: isComplete(span, coverage) && !changedSince };
  if (!opens) return nothing('opens-nothing');
  const touches = coverage.from !== null && coverage.to !== null && span.from <= coverage.to && (span.until === null || coverage.from <= span.until);
  if (!touches) return nothing(coverage.closed ?? 'not-read');
  return { ...common, reached: [], cause: null, complete: isComplete(span, coverage) && !changedSince };
}

function isComplete({ from, until }: Span, coverage: Read): boolean {
  return until !== null && coverage.from !== null && coverage.to !== null && coverage.from <= from && later(until, TRAFFIC_LATE_MINUTES) <= coverage.to;
}

/** An instant of any form in the form in which all of them compare; `null` for none. */
export function comparable(instant: string | null): string | null {
  if (instant === null || Number.isNaN(Date.parse(instant))) return null;
  const [, fraction = ''] = /\.(\d+)/.exec(instant) ?? [];
  return `${new Date(instant).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}
