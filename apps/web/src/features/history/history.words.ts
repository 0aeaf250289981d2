import type { EventKind, HistoryActivation, HistoryEvent } from '@gatehouse/contracts';
import type { Tone } from '../../ui/states.tsx';

/** What happened, in a word or two. */
export const KINDS: Record<EventKind, string> = {
  'activation-requested': 'Activation requested', 'approval-requested': 'Approval requested', 'approved': 'Approved', 'denied': 'Denied', 'activated': 'Activated', 'activation-cancelled': 'Request cancelled', 'request-lapsed': 'Request lapsed',
  'deactivation-requested': 'Deactivation requested', 'deactivated': 'Deactivated', 'expired': 'Activation ended', 'eligible-added': 'Made eligible', 'eligible-removed': 'Eligibility removed', 'assigned': 'Assigned as active', 'assignment-removed': 'Assignment removed',
  'role-settings-changed': 'Role settings changed', 'onboarded': 'Onboarded to PIM', 'member-added': 'Member added', 'member-removed': 'Member removed', 'group-changed': 'Group changed', 'application-changed': 'Application changed',
  'portal-sign-in': 'Signed in or out here', 'portal-setup': 'Setup in this portal', 'portal-access': 'Access in this portal', 'portal-approval': 'Approval in this portal', 'portal-export': 'Exported from here', 'other': 'Other',
};

export const RESULTS: Record<HistoryEvent['result'], { tone: Tone; word: string }> = { success: { tone: 'good', word: 'Success' }, failure: { tone: 'bad', word: 'Failure' }, other: { tone: 'quiet', word: 'Other' } };

export const STATUSES: Record<HistoryActivation['status'], { tone: Tone; word: string }> = {
  'requested': { tone: 'busy', word: 'Requested' }, 'awaiting-approval': { tone: 'busy', word: 'Waits for approval' }, 'scheduled': { tone: 'busy', word: 'Scheduled' }, 'active': { tone: 'good', word: 'Active' }, 'denied': { tone: 'bad', word: 'Denied' },
  'cancelled': { tone: 'quiet', word: 'Cancelled' }, 'lapsed': { tone: 'warn', word: 'Lapsed' }, 'failed': { tone: 'bad', word: 'Failed' }, 'ended': { tone: 'quiet', word: 'Ended' },
};

export const ENDS: Record<NonNullable<HistoryActivation['endedHow']>, string> = { deactivated: 'deactivated by the person', expired: 'time was over', removed: 'removed by somebody else' };
