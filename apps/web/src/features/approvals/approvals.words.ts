import type { ActivationPolicy, Answer, ApprovalItem, ListApprovals, Problem } from '@gatehouse/contracts';
import { ApiError } from '../../lib/api.ts';
import { formatDay, formatInstant, formatMinutes } from '../../lib/dates.ts';
import { asksOf } from '../../lib/policy.ts';

/** What a request opens; its group where the applications are not known. */
export const wantedOf = ({ applications, groupName }: ApprovalItem): string => (applications.length > 0 ? applications.map(({ displayName }) => displayName).join(', ') : groupName);

/** What the role settings ask, as they were last read: `up to 1 h · MFA · reason · approval by Omar Haddad`. */
export function policyAsks(policy: ActivationPolicy | null): string {
  if (policy === null) return 'Not known here; Microsoft Entra held the request to it';
  return [`up to ${formatMinutes(policy.maxMinutes)}`, ...(policy.requireJustification ? ['reason'] : []), ...asksOf(policy)].join(' · ');
}

const DAY_MS = 24 * 60 * 60_000;

/** How often it was had until the inbox was read, and how far back that is known. */
export function howOften({ last30Days, last90Days }: ApprovalItem['activations'], { readAt, historyFrom }: Pick<Answer<typeof ListApprovals>, 'readAt' | 'historyFrom'>): string {
  if (historyFrom === null) return 'Not known: there is no history yet';
  const count = last90Days === 0 ? 'Never in the last 90 days' : `${last30Days === 0 ? 'Not' : last30Days === 1 ? 'Once' : `${last30Days} times`} in the last 30 days, ${last90Days} in 90`;
  return Date.parse(historyFrom) > Date.parse(readAt) - 90 * DAY_MS ? `${count}; the history begins ${formatDay(historyFrom)}` : count;
}

/** That somebody else decided first is no failure: who, what, when and why. `undefined`: the problem is another one. */
export function newsOf(error: unknown, now: Date): { title: string; text: string } | undefined {
  if (!(error instanceof ApiError) || error.problem.code !== 'already-decided') return undefined;
  const { decided, detail, title } = error.problem;
  return { title: decided ? headlineOf(decided) : title, text: decided ? `${sentenceOf(decided, now)} Nothing was changed.` : detail ?? '' };
}

/** `at 14:02`, or `on 23 May 2027 14:02`. */
export const whenOf = (iso: string, now: Date): string => `${formatDay(iso) === formatDay(now.toISOString()) ? 'at' : 'on'} ${formatInstant(iso, now)}`;

const headlineOf = ({ by }: NonNullable<Problem['decided']>): string => `Already decided by ${by ?? 'another approver'}.`;

function sentenceOf({ by, at, decision, justification }: NonNullable<Problem['decided']>, now: Date): string {
  return `${by ?? 'Another approver'} ${decision === 'approve' ? 'approved' : 'denied'} it${at === null ? '' : ` ${whenOf(at, now)}`}${justification === null ? '' : `: “${justification}”`}.`;
}
