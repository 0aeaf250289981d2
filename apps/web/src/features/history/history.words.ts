import { PORTAL_ACTIVITIES, type ActivationConnections, type EventKind, type HistoryActivation, type HistoryEvent, type PortalActivity, type TrafficClosed } from '@gatehouse/contracts';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import type { Tone } from '../../ui/states.tsx';

/** What happened, in a word or two. */
export const KINDS: Record<EventKind, string> = {
  'activation-requested': 'Activation requested', 'approval-requested': 'Approval requested', 'approved': 'Approved', 'denied': 'Denied', 'activated': 'Activated', 'activation-cancelled': 'Request cancelled', 'request-lapsed': 'Request lapsed',
  'deactivation-requested': 'Deactivation requested', 'deactivated': 'Deactivated', 'expired': 'Activation ended', 'eligible-added': 'Made eligible', 'eligible-removed': 'Eligibility removed', 'assigned': 'Assigned as active', 'assignment-removed': 'Assignment removed',
  'role-settings-changed': 'Role settings changed', 'onboarded': 'Onboarded to PIM', 'member-added': 'Member added', 'member-removed': 'Member removed', 'group-changed': 'Group changed', 'application-changed': 'Application changed',
  'portal-sign-in': 'Gatehouse: sign-in', 'portal-setup': 'Gatehouse: setup', 'portal-access': 'Gatehouse: access', 'portal-approval': 'Gatehouse: approval', 'portal-export': 'Gatehouse: export', 'portal-ledger': 'Gatehouse: ledger', 'portal-retention': 'Gatehouse: retention', 'other': 'Other',
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

const ENDS: Record<NonNullable<HistoryActivation['endedHow']>, string> = { deactivated: 'deactivated by the person', expired: 'time was over', removed: 'removed by somebody else', revoked: 'ended and sign-ins revoked through this portal' };

/** Which log it is from. */
export const SOURCES: Record<HistoryEvent['source'], string> = { directory: 'Microsoft Entra', portal: 'Gatehouse' };

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

/** Why the traffic log is closed to the portal. */
export const CLOSED: Readonly<Record<TrafficClosed, string>> = {
  'not-permitted': 'the permission NetworkAccess-Reports.Read.All is not granted to Gatehouse',
  'not-licensed': 'the licences of the tenant do not include the traffic log',
  'refused': 'Microsoft Graph refuses the traffic log, and the portal’s own log says why',
};

/** Why it cannot be said which hosts were reached. */
export function noConnections(cause: ActivationConnections['cause']): string {
  switch (cause) {
    case 'not-begun': return 'It never began, so nothing was reached by it.';
    case 'opens-nothing': return 'Its group opens nothing through Private Access.';
    case 'not-read': case null: return 'The traffic log was not read for this time.';
    default: return `Connections cannot be seen: ${CLOSED[cause]}.`;
  }
}

/** `fin-rep.corp.contoso.com:443`, an address of version 6 in brackets. */
export function destinationOf({ host, port }: { readonly host: string | null; readonly port: number | null }): string {
  const name = host === null ? 'A host that the log does not name' : host.includes(':') ? `[${host}]` : host;
  return port === null ? name : `${name}:${port}`;
}

/** Hours and minutes that it really lasted; undefined while it lasts, or where the record does not say. */
export const lastedOf = ({ lastedSeconds }: HistoryActivation): string | undefined => (lastedSeconds === null ? undefined : lastedSeconds < 60 ? `${lastedSeconds} s` : formatMinutes(Math.round(lastedSeconds / 60)));

/** The orders of a list; the first unless said otherwise. */
export const ORDERS = [['newest', 'Newest first'], ['oldest', 'Oldest first']] as const;
