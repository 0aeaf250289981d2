import { z } from 'zod';
import { Instant } from './words.ts';

/** How late a row of the traffic log is reckoned with. Microsoft publishes no figure. In minutes. */
export const TRAFFIC_LATE_MINUTES = 30;

/** Why the traffic log is closed to the portal: a permission or a licence is missing, or nobody knows. */
export const TrafficClosed = z.enum(['not-permitted', 'not-licensed', 'refused']);
export type TrafficClosed = z.infer<typeof TrafficClosed>;

/** How complete the mirror's copy of the traffic log is. What was read before the log was closed stays. */
export const TrafficCoverage = z.object({
  from: Instant.nullable(),
  to: Instant.nullable(),
  lastError: z.string().nullable(),
  closed: TrafficClosed.nullable(),
});
export type TrafficCoverage = z.infer<typeof TrafficCoverage>;

/** A destination that let somebody through. */
export const HostReached = z.object({
  /** A name, or an address; `null`: the log does not say. */
  host: z.string().nullable(),
  port: z.int().nullable(),
  applicationName: z.string(),
  firstAt: Instant,
  lastAt: Instant,
  count: z.int().min(1),
});
export type HostReached = z.infer<typeof HostReached>;

/** What somebody reached through the group of an activation, from its beginning until the network was closed for sure. */
export const ActivationConnections = z.object({
  /** In the order in which they were first reached; `null`: it cannot be said, for this cause. */
  reached: z.array(HostReached).nullable(),
  cause: z.enum([...TrafficClosed.options, 'not-read', 'not-begun', 'opens-nothing']).nullable(),
  /** The log was read for the whole of that time, late rows included: what is not in the list was not reached. */
  complete: z.boolean(),
  /** What the group opens was changed since, so that connections of then may belong to something else now. */
  changedSince: z.boolean(),
  /** There are more than are listed. */
  more: z.boolean(),
  coverage: TrafficCoverage,
});
export type ActivationConnections = z.infer<typeof ActivationConnections>;
