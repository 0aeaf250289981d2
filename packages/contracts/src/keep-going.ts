import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { MAX_ACTIVATION_MINUTES } from './role-settings.ts';
import { FIVE_MINUTE_FLOOR, Guid, Instant } from './words.ts';

/** How an open activation can be followed by the next one: Entra makes none longer. */
export const KeepGoingPlan = z.object({
  /**
   * `now`: by ending it and activating again, from `possibleAt` on. `when-ended`: only by asking once it has ended.
   * `no`: not at all.
   */
  way: z.enum(['now', 'when-ended', 'no']),
  /** What is to be known before, or why not, as a sentence. */
  message: z.string().nullable(),
  /** When the five-minute floor is over; `null` where it is. */
  possibleAt: Instant.nullable(),
  /** What would be asked for: as the running one, or less where policy or eligibility allow less. */
  minutes: z.int().nullable(),
  justification: z.string().nullable(),
  ticketNumber: z.string().nullable(),
  /** Whether it is less than the running one has. */
  shortened: z.boolean(),
});
export type KeepGoingPlan = z.infer<typeof KeepGoingPlan>;

/** A wish to keep going that did not come to its end: what it left. */
export const UnfinishedKeepGoing = z.object({
  /** `ending`: whether the membership has ended is being looked for. `ended`: it has, and the new activation was not asked for. */
  state: z.enum(['ending', 'ended']),
  askedAt: Instant,
  endedAt: Instant.nullable(),
  minutes: z.int(),
  justification: z.string().nullable(),
  /** Whether somebody, such as another window, is at it. */
  busy: z.boolean(),
  /** Where it stands, as a sentence. */
  message: z.string(),
});
export type UnfinishedKeepGoing = z.infer<typeof UnfinishedKeepGoing>;

export const KeepGoing = {
  method: 'POST', path: '/api/access/keep-going', permission: 'access:use',
  summary: 'Ends the person’s activation and activates again, or goes on with that where it stopped',
  body: z.strictObject({
    groupId: Guid,
    minutes: z.int('Whole minutes').min(FIVE_MINUTE_FLOOR, 'PIM allows 5 min at the least').max(MAX_ACTIVATION_MINUTES, 'PIM allows 24 h at the most'),
    justification: z.string().trim().max(500, 'At most 500 characters').default(''),
    ticket: z.strictObject({
      number: z.string().trim().min(1, 'Give the ticket’s number').max(100),
      system: z.string().trim().max(100).default(''),
    }).optional(),
  }),
  response: z.object({
    groupId: z.string(),
    /** `asked`: the new activation was asked for. Else where it stopped: asking again goes on from there. */
    state: z.enum(['ending', 'ended', 'asked']),
    endedAt: Instant.nullable(),
    /** The new activation. */
    requestId: z.string().nullable(),
    message: z.string(),
  }),
} as const satisfies Endpoint;
