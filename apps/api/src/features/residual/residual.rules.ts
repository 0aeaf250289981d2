import { FIVE_MINUTE_FLOOR, REVOCATION_TAKES_MINUTES, type Revocation } from '@gatehouse/contracts';
import { addMinutes, inWords, networkEndOf } from '../../core/durations.ts';

/** An activated membership as one source tells of it: what the portal recorded, or a row of the mirror. */
export interface Membership {
  /** Entra's id of the request that it came from; the same from both sources. */
  readonly requestId: string | null;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  /** No membership began before that: by it the latest is found. */
  readonly since: Date;
  /** When it began; `null`: nobody saw it begin. */
  readonly beganAt: Date | null;
  /** When it ends by itself, as far as is known. */
  readonly endsAt: Date | null;
  /** When it ended before that, as far as is known. */
  readonly endedAt: Date | null;
}

/** A revocation as the portal recorded it. */
export interface RecordedRevocation {
  readonly principalId: string;
  readonly groupId: string;
  readonly askedBy: string;
  readonly status: string;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly goneAt: Date | null;
  readonly revokedAt: Date | null;
}

/** A membership that is there, or that ended less than the network's 90 minutes ago. */
export interface Current {
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly beganAt: Date | null;
  readonly since: Date;
  readonly endsAt: Date | null;
  readonly endedAt: Date | null;
  readonly revocation: RecordedRevocation | null;
}

/** Two sources tell of the same beginning within this time of each other, in milliseconds. PIM allows no second one within five minutes. */
const TWIN_MS = 2 * 60_000;

/**
 * The latest membership of each person and group, where it is there now or ended less than 90 minutes ago: open ones
 * first, then ended ones, each the newest first. Of an end the earliest evidence counts, wherever it comes from.
 */
export function currentAccess({ now, memberships, revocations }: { readonly now: Date; readonly memberships: readonly Membership[]; readonly revocations: readonly RecordedRevocation[] }): readonly Current[] {
  const current = [...Map.groupBy(memberships, keyOf).entries()].flatMap(([key, all]) => {
    const latest = all.reduce((a, b) => (b.since > a.since ? b : a));
    const same = all.filter((one) => (one.requestId !== null && one.requestId === latest.requestId) || Math.abs(one.since.getTime() - latest.since.getTime()) <= TWIN_MS);
    const since = earliest(same.map((one) => one.since)) ?? latest.since;
    const about = revocations.filter((one) => keyOf(one) === key && one.createdAt >= since);
    const endsAt = earliest(same.map((one) => one.endsAt));
    const endedAt = earliest([...same.map((one) => one.endedAt), ...about.map((one) => one.goneAt), endsAt !== null && endsAt <= now ? endsAt : null]);
    if (endedAt !== null && networkEndOf(endedAt) <= now) return [];
    const revocation = about.reduce<RecordedRevocation | null>((a, b) => (a && a.createdAt >= b.createdAt ? a : b), null);
    return [{ principalId: latest.principalId, principalName: latest.principalName, groupId: latest.groupId, since, beganAt: earliest(same.map((one) => one.beganAt)), endsAt, endedAt, revocation }];
  });
  return current.sort((a, b) => Number(a.endedAt !== null) - Number(b.endedAt !== null) || (b.endedAt ?? b.since).getTime() - (a.endedAt ?? a.since).getTime());
}

const keyOf = ({ principalId, groupId }: { readonly principalId: string; readonly groupId: string }): string => `${principalId} ${groupId}`.toLowerCase();

function earliest(instants: readonly (Date | null)[]): Date | null {
  return instants.reduce((a, b) => (a === null || (b !== null && b < a) ? b : a), null);
}

/** A recorded revocation in the contract's words. */
export function tellRevocation({ askedBy, status, failure, createdAt, revokedAt }: RecordedRevocation): Revocation {
  return {
    askedAt: createdAt.toISOString(), askedBy, failure,
    state: status === 'revoked' || status === 'failed' ? status : 'asked',
    revokedAt: revokedAt?.toISOString() ?? null,
    takesEffectBy: revokedAt ? addMinutes(revokedAt, REVOCATION_TAKES_MINUTES).toISOString() : null,
  };
}

export type EndDecision =
  /** `remove`: the membership is there and has to go first. */
  | { readonly allowed: true; readonly remove: boolean }
  | { readonly allowed: false; readonly reason: 'assigned' | 'too-early' | 'nothing-to-end' | 'still-member'; readonly message: string };

export interface EndFacts {
  readonly now: Date;
  /** The membership as PIM has it; `null`: it has none. */
  readonly active: { readonly startsAt?: string | undefined; readonly assignmentType?: 'activated' | 'assigned' | undefined } | null;
  /** Whether a membership of theirs ended less than 90 minutes ago, as far as the portal knows. */
  readonly endedLately: boolean;
  /** For somebody else it is taken away; one's own is deactivated first, on My access. */
  readonly own: boolean;
}

/** Whether ending an access now makes sense: revoking sign-ins is blunt, and of no use while the person is a member. */
export function decideEnd({ now, active, endedLately, own }: EndFacts): EndDecision {
  if (active === null) return endedLately ? { allowed: true, remove: false } : { allowed: false, reason: 'nothing-to-end', message: 'There is no membership, and none ended in the last 90 min: nothing is open that could be closed.' };
  if (own) return { allowed: false, reason: 'still-member', message: 'You are still a member. Deactivate first: revoked sign-ins alone would let you in again.' };
  if (active.assignmentType !== 'activated') return { allowed: false, reason: 'assigned', message: 'This membership was assigned, not activated. Take it away in the setup of the group, or in Microsoft Entra.' };
  if (active.startsAt !== undefined) {
    const canEndAt = addMinutes(new Date(active.startsAt), FIVE_MINUTE_FLOOR);
    if (now < canEndAt) return { allowed: false, reason: 'too-early', message: `PIM ends no membership in its first ${inWords(FIVE_MINUTE_FLOOR)}: this one can be ended from ${canEndAt.toISOString().slice(11, 19)} UTC on.` };
  }
  return { allowed: true, remove: true };
}

/** Whether Entra shows that the revocation took effect: sign-ins count from a later instant on than before. Graph tells whole seconds. */
export function tookEffect({ askedAt, before, after }: { readonly askedAt: Date; readonly before: string | undefined; readonly after: string | undefined }): boolean {
  if (after === undefined) return false;
  return (before !== undefined && Date.parse(after) > Date.parse(before)) || Date.parse(after) >= Math.floor(askedAt.getTime() / 1000) * 1000;
}

/** So long whoever asked for it is at it: a request to the portal is answered within a minute. */
export const LOST_AFTER_MINUTES = 2;
/** So long what Entra took may be on its way. */
const SHOWN_WITHIN_MINUTES = 5;

/**
 * How a revocation ended that nobody is at any more; `undefined` while that is not known. `validFrom` is what Entra shows of
 * the person's sign-ins; `undefined`: it could not be read. Nothing was revoked before the membership was seen to be gone.
 */
export function outcomeOfLost({ createdAt, goneAt }: Pick<RecordedRevocation, 'createdAt' | 'goneAt'>, validFrom: string | null | undefined, now: Date): { readonly status: 'revoked' | 'failed'; readonly failure: string | null } | undefined {
  if (goneAt !== null) {
    if (validFrom === undefined) return undefined;
    if (tookEffect({ askedAt: goneAt, before: undefined, after: validFrom ?? undefined })) return { status: 'revoked', failure: null };
  }
  if (now < addMinutes(goneAt ?? createdAt, SHOWN_WITHIN_MINUTES)) return undefined;
  return { status: 'failed', failure: goneAt === null ? 'The portal stopped before it was known how it ended. Ending it again does no harm.' : 'The membership is gone, and Microsoft Entra does not show that the sign-ins were revoked. Ending it again does no harm.' };
}
