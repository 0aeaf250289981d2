import { FIVE_MINUTE_FLOOR, type AccessEntry, type AccessRequest, type ActivationPolicy, type RequestState, type Segment } from '@gatehouse/contracts';
import { formatClock, formatDay, formatInstant, formatMinutes } from '../../lib/dates.ts';
import { asksOf } from '../../lib/policy.ts';

/** What a row is called: what it opens; the group's name where it opens nothing that is known. */
export const titleOf = ({ applications, groupName }: AccessEntry): string => (applications.length > 0 ? applications.map(({ displayName }) => displayName).join(', ') : groupName);

export const segmentsOf = ({ applications }: AccessEntry): Segment[] => applications.flatMap(({ segments }) => segments);

const UNDER_WAY: ReadonlySet<RequestState> = new Set(['asked', 'awaiting-approval', 'scheduled', 'provisioning']);

/** Whether a membership may still come of the request. */
export const isUnderWay = (request: AccessRequest | null): request is AccessRequest => request !== null && UNDER_WAY.has(request.state);

export interface Sections {
  readonly open: readonly AccessEntry[];
  readonly waiting: readonly AccessEntry[];
  readonly closed: readonly AccessEntry[];
  readonly ended: readonly AccessEntry[];
}

/** Longer ago is no habit any more. In milliseconds. */
const RECENT_MS = 30 * 24 * 60 * 60_000;
const lastUse = ({ lastAskedAt }: AccessEntry, now: Date): number => (lastAskedAt !== null && now.getTime() - Date.parse(lastAskedAt) < RECENT_MS ? Date.parse(lastAskedAt) : 0);

/** Whether every word of the search is found in what the entry opens: application, group, host, port or `host:port`. */
export function matches(entry: AccessEntry, search: string): boolean {
  const texts = [titleOf(entry), entry.groupName, ...segmentsOf(entry).flatMap(({ host, ports }) => [host, ...ports.map((range) => `${host}:${range}`)])].map((text) => text.toLowerCase());
  return search.toLowerCase().split(/\s+/).every((word) => texts.some((text) => text.includes(word)));
}

/** Where each entry stands on the page; what may be opened, favourites first, then what was used lately. What ended lately can be opened again, so it stands twice. */
export function sectionsOf(entries: readonly AccessEntry[], now: Date): Sections {
  const waits = ({ active, request }: AccessEntry): boolean => active === null && isUnderWay(request);
  return {
    open: entries.filter(({ active }) => active !== null),
    waiting: entries.filter(waits),
    closed: entries.filter((entry) => entry.active === null && entry.eligibility !== null && !waits(entry)).sort((a, b) => Number(b.favourite) - Number(a.favourite) || lastUse(b, now) - lastUse(a, now)),
    ended: entries.filter(({ active, ended }) => active === null && ended !== null && Date.parse(ended.networkMayStayOpenUntil) > now.getTime()),
  };
}

/** `up to 30 min · MFA · approval`: what an activation will ask for. */
export function policyLine(policy: ActivationPolicy | null): string {
  return policy === null ? 'What it asks for is not known: Microsoft Entra will say' : [`up to ${formatMinutes(policy.maxMinutes)}`, ...asksOf(policy)].join(' · ');
}

type Choice = Pick<AccessEntry, 'policy' | 'lastMinutes'>;

/** What the person chose last, as far as the policy still allows it. */
function lastOf({ policy, lastMinutes }: Choice): number | undefined {
  return lastMinutes === null ? undefined : Math.max(FIVE_MINUTE_FLOOR, Math.min(lastMinutes, policy?.maxMinutes ?? lastMinutes));
}

/** Durations to choose from, the person's last one among them and the longest that the policy allows last. */
export function presetsOf(choice: Choice): number[] {
  const last = lastOf(choice);
  const longest = choice.policy?.maxMinutes ?? Math.max(120, last ?? 0);
  const usual = [15, 30, 60, 120, 240, 480].filter((minutes) => minutes < longest).slice(-4);
  return [...new Set([...usual, ...(last === undefined ? [] : [last]), longest])].sort((a, b) => a - b);
}

/** Chosen when the panel opens: as long as last time, else an hour, or as long as is allowed where that is less. */
export const usualMinutes = (choice: Choice): number => lastOf(choice) ?? presetsOf(choice).findLast((minutes) => minutes <= 60) ?? choice.policy?.maxMinutes ?? 30;

/** What was read longer ago than this may have been changed since: the portal reads role settings anew every few minutes. */
const STALE_MS = 60 * 60_000;

/** Whether what the portal knows of the policy may be out of date, so that only Microsoft Entra can say. */
export function isStale({ policy, policyReadAt }: Pick<AccessEntry, 'policy' | 'policyReadAt'>, now: Date): boolean {
  return policy === null || policyReadAt === null || now.getTime() - Date.parse(policyReadAt) > STALE_MS;
}

/** `14:10`, `tomorrow 14:10`, `23 May 2027 14:10` */
export function formatNear(iso: string, now: Date): string {
  const tomorrow = new Date(now);
  tomorrow.setDate(tomorrow.getDate() + 1);
  return formatDay(iso) === formatDay(tomorrow.toISOString()) ? `tomorrow ${formatClock(iso)}` : formatInstant(iso, now);
}
