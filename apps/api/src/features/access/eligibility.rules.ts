import { EXTENSION_ASKED_WITHIN_DAYS, RENEWAL_ASKED_WITHIN_DAYS, type EndingEligibility } from '@gatehouse/contracts';
import { addMinutes, minutesOf } from '../../core/durations.ts';
import type { EntraInstance, EntraRequest } from './access.rules.ts';

const DAY_MINUTES = 24 * 60;

/** What a person's eligibility for one group comes to: when it ends or ended, and what was asked for since. */
export interface EligibilityFacts {
  readonly groupId: string;
  readonly endsAt: Date;
  readonly ended: boolean;
  readonly through: 'direct' | 'group';
  readonly asked: { readonly id: string; readonly at: Date; readonly until: Date | null; readonly justification: string | null; readonly state: 'waiting' | 'denied' } | null;
}

/**
 * The eligibilities that end within a fortnight or ended within a month, by what Entra shows: instances of what stands,
 * and of what has ended the requests that gave it.
 */
export function endingEligibilities({ now, instances, requests }: { readonly now: Date; readonly instances: readonly EntraInstance[]; readonly requests: readonly EntraRequest[] }): readonly EligibilityFacts[] {
  const ofMembers = requests.filter(({ accessId }) => accessId === 'member').sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  const standing = instances.filter(({ accessId, endsAt }) => accessId === 'member' && (endsAt === undefined || new Date(endsAt) > now));
  const groupIds = new Set([...standing, ...ofMembers].map(({ groupId }) => groupId));
  return [...groupIds].flatMap((groupId) => {
    const own = ofMembers.filter((request) => request.groupId === groupId);
    const lasting = standing.filter((instance) => instance.groupId === groupId);
    const last = lasting.reduce<EntraInstance | undefined>((best, one) => (best && (best.endsAt === undefined || (one.endsAt !== undefined && new Date(one.endsAt) <= new Date(best.endsAt))) ? best : one), undefined);
    // One without an end, or another one that lasts longer: nothing is about to end.
    if (last && last.endsAt === undefined) return [];
    const endsAt = last?.endsAt === undefined ? ranOut(own, now) : new Date(last.endsAt);
    if (!endsAt) return [];
    const ended = last === undefined;
    const days = Math.abs(endsAt.getTime() - now.getTime()) / (DAY_MINUTES * 60_000);
    const asked = askedOf(own, now);
    if (days > (ended ? RENEWAL_ASKED_WITHIN_DAYS : EXTENSION_ASKED_WITHIN_DAYS) && asked?.state !== 'waiting') return [];
    return [{ groupId, endsAt, ended, through: last?.memberType ?? 'direct', asked }];
  }).sort((a, b) => a.endsAt.getTime() - b.endsAt.getTime());
}

/** When what an administrator gave last ran out; what was taken away has not run out. */
function ranOut(requests: readonly EntraRequest[], now: Date): Date | undefined {
  const last = requests.findLast(({ action, status }) => action.startsWith('admin') && (status === 'Provisioned' || status === 'Revoked'));
  if (!last || last.action === 'adminRemove') return undefined;
  const end = endOf(last);
  return end && end <= now ? end : undefined;
}

function endOf({ createdAt, startsAt, duration, endsAt }: EntraRequest): Date | undefined {
  if (endsAt !== undefined) return new Date(endsAt);
  const minutes = duration === undefined ? undefined : minutesOf(duration);
  return minutes === undefined ? undefined : addMinutes(new Date(startsAt ?? createdAt), minutes);
}

/** Whether an administrator is still to decide. */
export const isWaiting = ({ status }: Pick<EntraRequest, 'status'>): boolean => status === 'PendingAdminDecision' || status === 'PendingApproval';

/** The newest wish, while it waits, or denied within the time that one may ask in. */
function askedOf(requests: readonly EntraRequest[], now: Date): EligibilityFacts['asked'] {
  const wish = requests.findLast(({ action }) => action === 'selfExtend' || action === 'selfRenew');
  if (!wish) return null;
  const state = isWaiting(wish) ? 'waiting' : wish.status === 'Denied' ? 'denied' : undefined;
  const at = new Date(wish.createdAt);
  if (state === undefined || (state === 'denied' && at < addMinutes(now, -RENEWAL_ASKED_WITHIN_DAYS * DAY_MINUTES))) return null;
  return { id: wish.id, at, until: endOf(wish) ?? null, justification: wish.justification ?? null, state };
}

export type AskDecision =
  | { readonly allowed: true; readonly action: 'extend' | 'renew'; readonly startsAt: Date; readonly until: Date }
  | { readonly allowed: false; readonly reason: 'not-ending' | 'through-group' | 'waits' | 'longer-than-allowed'; readonly message: string };

/** Whether an administrator can be asked for this many days more, and from when to when that is. */
export function decideAsk({ now, facts, days, maxDays }: { readonly now: Date; readonly facts: EligibilityFacts | undefined; readonly days: number; /** `null`: not known, or without a limit. */ readonly maxDays: number | null }): AskDecision {
  const no = (reason: Extract<AskDecision, { allowed: false }>['reason'], message: string): AskDecision => ({ allowed: false, reason, message });
  if (!facts) return no('not-ending', `Entra takes a wish for more time in the last ${EXTENSION_ASKED_WITHIN_DAYS} days of an eligibility, and for a new one within ${RENEWAL_ASKED_WITHIN_DAYS} days after its end.`);
  if (facts.through === 'group') return no('through-group', THROUGH_GROUP);
  if (facts.asked?.state === 'waiting') return no('waits', 'You asked already: an administrator decides.');
  if (maxDays !== null && days > maxDays) return no('longer-than-allowed', `The role settings allow ${maxDays} days at the most.`);
  // PIM measures from now on: more than that it refuses, however soon the old end is.
  const from = facts.ended ? now : facts.endsAt;
  const wished = addMinutes(from, days * DAY_MINUTES);
  const longest = maxDays === null ? wished : addMinutes(now, maxDays * DAY_MINUTES);
  const until = wished < longest ? wished : longest;
  if (!facts.ended && until <= facts.endsAt) return no('longer-than-allowed', `The role settings allow ${maxDays ?? 0} days at the most, and this eligibility has them.`);
  return { allowed: true, action: facts.ended ? 'renew' : 'extend', startsAt: now, until };
}

export const THROUGH_GROUP = 'You are eligible through a group, so the eligibility is not yours to ask about.';

/** `askInstead`: names of those who can give it, where the person cannot ask through PIM. */
export function tellEligibility(facts: EligibilityFacts, more: Pick<EndingEligibility, 'groupName' | 'applications' | 'maxDays'> & { readonly askInstead: readonly string[] }): EndingEligibility {
  const { askInstead, ...known } = more;
  const throughGroup = facts.through === 'group';
  return {
    ...known, groupId: facts.groupId, endsAt: facts.endsAt.toISOString(), ended: facts.ended,
    ask: throughGroup || facts.asked?.state === 'waiting' ? null : facts.ended ? 'renew' : 'extend',
    message: throughGroup ? `${THROUGH_GROUP} ${whomToAsk(askInstead)}` : null,
    asked: facts.asked && { id: facts.asked.id, at: facts.asked.at.toISOString(), until: facts.asked.until?.toISOString() ?? null, justification: facts.asked.justification, state: facts.asked.state },
  };
}

/** Who can do it in the person's place. */
export const whomToAsk = (owners: readonly string[]): string => `Ask ${owners.length > 0 ? `${owners.join(' or ')}, who owns the group` : 'an owner of the group, or an administrator of Microsoft Entra'}.`;
