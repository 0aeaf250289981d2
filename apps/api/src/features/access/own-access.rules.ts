import type { EventKind } from '@gatehouse/contracts';
import { addMinutes } from '../../core/durations.ts';
import type { EntraInstance, EntraRequest } from './access.rules.ts';

/** The readings that make up a person's own access, each one call. */
export const PARTS = ['eligibilities', 'assignments', 'requests', 'eligibility-requests'] as const;
export type Part = (typeof PARTS)[number];

/** An active membership, with when the directory itself showed it. */
export interface OwnMembership extends EntraInstance {
  readonly memberAt?: Date | undefined;
}

/** What Entra shows of a person's own, as it was read last; a part that was never read is undefined. */
export interface OwnAccess {
  readonly eligibilities: readonly EntraInstance[] | undefined;
  readonly assignments: readonly OwnMembership[] | undefined;
  readonly requests: readonly EntraRequest[] | undefined;
  readonly eligibilityRequests: readonly EntraRequest[] | undefined;
  /** When the reading of each part began. */
  readonly at: Readonly<Partial<Record<Part, Date>>>;
}

/** How old it may be when it is shown without a look at Entra, in minutes. */
export const FRESH_FOR_MINUTES = 15;
/** And while a request is followed, whose looks tell what moves: reading everything besides would cost more than it tells. */
export const FRESH_WHILE_FOLLOWING_MINUTES = 25;
/** A second wish to read everything anew, this soon after the first, is a double click. In seconds. */
export const REREAD_AFTER_SECONDS = 10;

export interface Freshness {
  readonly now: Date;
  readonly at: OwnAccess['at'];
  /** Something happened that is not told of here. */
  readonly stale: boolean;
  /** Whether a request of the last ten minutes is followed. */
  readonly following: boolean;
  /** Whether the person asks for it to be read anew. */
  readonly asked: boolean;
}

/** The parts that are read anew before they are shown. */
export function partsToRead({ now, at, stale, following, asked }: Freshness): readonly Part[] {
  const oldest = addMinutes(now, -(following ? FRESH_WHILE_FOLLOWING_MINUTES : FRESH_FOR_MINUTES));
  const doubleClick = new Date(now.getTime() - REREAD_AFTER_SECONDS * 1000);
  return PARTS.filter((part) => {
    const readAt = at[part];
    // A clock that was set back must not keep it for ever.
    if (readAt === undefined || stale || readAt <= oldest || readAt > addMinutes(now, 1)) return true;
    return asked && readAt <= doubleClick;
  });
}

/** Events of a person that their own access changes with, wherever it was done; ends by time the clock knows. */
export const NEWS_OF_A_PERSON: readonly EventKind[] = [
  'activation-requested', 'approved', 'denied', 'activated', 'activation-cancelled', 'request-lapsed', 'deactivated',
  'eligible-added', 'eligible-removed', 'assigned', 'assignment-removed', 'member-added', 'member-removed',
];
