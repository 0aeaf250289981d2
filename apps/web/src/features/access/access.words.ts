import type { AccessEntry, ActivationPolicy, Segment } from '@gatehouse/contracts';
import { formatClock, formatDay, formatInstant, formatMinutes } from '../../lib/dates.ts';
import { asksOf } from '../../lib/policy.ts';

/** What a row is called: what it opens; the group's name where it opens nothing that is known. */
export const titleOf = ({ applications, groupName }: AccessEntry): string => (applications.length > 0 ? applications.map(({ displayName }) => displayName).join(', ') : groupName);

export const segmentsOf = ({ applications }: AccessEntry): Segment[] => applications.flatMap(({ segments }) => segments);

const WAITING = new Set(['asked', 'awaiting-approval', 'scheduled', 'provisioning']);

export interface Sections {
  readonly open: readonly AccessEntry[];
  readonly waiting: readonly AccessEntry[];
  readonly closed: readonly AccessEntry[];
  readonly ended: readonly AccessEntry[];
}

/** Where each entry stands on the page. What ended lately can be opened again, so it stands twice. */
export function sectionsOf(entries: readonly AccessEntry[], now: Date): Sections {
  const waits = ({ active, request }: AccessEntry): boolean => active === null && request !== null && WAITING.has(request.state);
  return {
    open: entries.filter(({ active }) => active !== null),
    waiting: entries.filter(waits),
    closed: entries.filter((entry) => entry.active === null && entry.eligibility !== null && !waits(entry)),
    ended: entries.filter(({ active, ended }) => active === null && ended !== null && Date.parse(ended.networkMayStayOpenUntil) > now.getTime()),
  };
}

/** `up to 30 min · MFA · approval`: what an activation will ask for. */
export function policyLine(policy: ActivationPolicy | null): string {
  return policy === null ? 'What it asks for is not known: Microsoft Entra will say' : [`up to ${formatMinutes(policy.maxMinutes)}`, ...asksOf(policy)].join(' · ');
}

/** Durations to choose from, the longest that the policy allows last. */
export function presetsOf(policy: ActivationPolicy | null): number[] {
  const longest = policy?.maxMinutes ?? 120;
  return [...[15, 30, 60, 120, 240, 480].filter((minutes) => minutes < longest).slice(-4), longest];
}

/** Chosen when the panel opens: an hour, or as long as is allowed where that is less. */
export const usualMinutes = (policy: ActivationPolicy | null): number => presetsOf(policy).findLast((minutes) => minutes <= 60) ?? policy?.maxMinutes ?? 30;

/** `14:10`, `tomorrow 14:10`, `23 May 2027 14:10` */
export function formatNear(iso: string, now: Date): string {
  const tomorrow = new Date(now);
  tomorrow.setDate(tomorrow.getDate() + 1);
  return formatDay(iso) === formatDay(tomorrow.toISOString()) ? `tomorrow ${formatClock(iso)}` : formatInstant(iso, now);
}
