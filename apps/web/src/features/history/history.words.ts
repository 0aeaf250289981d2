import { PORTAL_ACTIVITIES, type EventKind, type HistoryActivation, type HistoryEvent, type PortalActivity } from '@gatehouse/contracts';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import type { Tone } from '../../ui/states.tsx';

/** What happened, in a word or two. */
export const KINDS: Record<EventKind, string> = {
  'activation-requested': 'Activation requested', 'approval-requested': 'Approval requested', 'approved': 'Approved', 'denied': 'Denied', 'activated': 'Activated', 'activation-cancelled': 'Request cancelled', 'request-lapsed': 'Request lapsed',
  'deactivation-requested': 'Deactivation requested', 'deactivated': 'Deactivated', 'expired': 'Activation ended', 'eligible-added': 'Made eligible', 'eligible-removed': 'Eligibility removed', 'assigned': 'Assigned as active', 'assignment-removed': 'Assignment removed',
  'role-settings-changed': 'Role settings changed', 'onboarded': 'Onboarded to PIM', 'member-added': 'Member added', 'member-removed': 'Member removed', 'group-changed': 'Group changed', 'application-changed': 'Application changed',
  'portal-sign-in': 'Gatehouse: sign-in', 'portal-setup': 'Gatehouse: setup', 'portal-access': 'Gatehouse: access', 'portal-approval': 'Gatehouse: approval', 'portal-export': 'Gatehouse: export', 'portal-retention': 'Gatehouse: retention', 'other': 'Other',
};

/** What an event is called: in a person's words where there are any, else as its source called it. */
export function titleOf({ kind, activity }: Pick<HistoryEvent, 'kind' | 'activity'>): string {
  if (activity in PORTAL_ACTIVITIES) return PORTAL_ACTIVITIES[activity as PortalActivity];
  return kind === 'other' ? activity : KINDS[kind];
}

export const RESULTS: Record<HistoryEvent['result'], { tone: Tone; word: string }> = { success: { tone: 'good', word: 'Success' }, failure: { tone: 'bad', word: 'Failure' }, other: { tone: 'quiet', word: 'Other' } };

export const STATUSES: Record<HistoryActivation['status'], { tone: Tone; word: string }> = {
  'requested': { tone: 'busy', word: 'Requested' }, 'awaiting-approval': { tone: 'busy', word: 'Waits for approval' }, 'scheduled': { tone: 'busy', word: 'Scheduled' }, 'active': { tone: 'good', word: 'Active' }, 'denied': { tone: 'bad', word: 'Denied' },
  'cancelled': { tone: 'quiet', word: 'Cancelled' }, 'lapsed': { tone: 'warn', word: 'Lapsed' }, 'failed': { tone: 'bad', word: 'Failed' },
  'ended': { tone: 'quiet', word: 'Ended' },
};

const ENDS: Record<NonNullable<HistoryActivation['endedHow']>, string> = { deactivated: 'deactivated by the person', expired: 'time was over', removed: 'removed by somebody else' };

const isPast = (iso: string | null, now: Date): boolean => iso !== null && Date.parse(iso) <= now.getTime();

/** Its state now. What was to end and of whose end the record says nothing is not called active. */
export function stateOf({ status, expiresAt }: HistoryActivation, now: Date): { tone: Tone; word: string } {
  return status === 'active' && isPast(expiresAt, now) ? { tone: 'warn', word: 'End not known' } : STATUSES[status];
}

/** How it ended and how long it really lasted, or when it is to end; what the record does not say is said as not known. */
export function endOf({ status, provisionedAt, expiresAt, endedAt, endedHow }: HistoryActivation, now: Date): string {
  if (status === 'active') return expiresAt === null ? 'until when is not known' : `${isPast(expiresAt, now) ? 'was to end' : 'ends'} ${formatInstant(expiresAt, now)}`;
  if (status !== 'ended') return '';
  const how = endedHow === null ? 'how is not known' : ENDS[endedHow];
  if (endedAt === null) return `when is not known, ${how}`;
  if (provisionedAt === null) return `${formatInstant(endedAt, now)}, ${how}; since when is not known`;
  return `after ${formatMinutes(Math.max(1, Math.round((Date.parse(endedAt) - Date.parse(provisionedAt)) / 60_000)))}, ${how}`;
}
