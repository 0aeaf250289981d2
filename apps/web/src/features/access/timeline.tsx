import type { AccessEntry, AccessRequest } from '@gatehouse/contracts';
import { makeStyles } from '@griffel/react';
import { formatMinutes, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { StatusBadge, type Tone } from '../../ui/states.tsx';
import { formatNear } from './access.words.ts';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '12px' },
  step: { display: 'grid', gridTemplateColumns: '128px minmax(0, 1fr)', gap: '8px' },
  text: { fontVariantNumeric: 'tabular-nums', overflowWrap: 'anywhere' },
});

interface Step { readonly name: string; readonly tone: Tone; readonly text: string }

/** What is known of a request, one line a stage: a stage that is not proved is not shown as done. */
export function stepsOf(request: AccessRequest, entry: Pick<AccessEntry, 'policy'>, now: Date): Step[] {
  const { state, askedAt, startsAt, provisionedAt, memberAt, endsAt, lapsesAt, failure } = request;
  const steps: Step[] = [{ name: 'Asked', tone: state === 'asked' ? 'busy' : 'good', text: state === 'asked' ? `${formatSeconds(askedAt)}, Microsoft Entra has not answered yet` : formatSeconds(askedAt) }];
  const over = END[state];
  if (over) return [...steps, { name: over.name, tone: over.tone, text: failure ?? over.text }];

  if (state === 'awaiting-approval') {
    const approvers = entry.policy?.approvers.map(({ displayName }) => displayName).join(' or ');
    steps.push({ name: 'Approval', tone: 'busy', text: `waits for ${approvers || 'an approver'}${lapsesAt ? `, lapses ${formatNear(lapsesAt, now)}` : ''}` });
  } else if (entry.policy?.requireApproval && state !== 'asked') {
    steps.push({ name: 'Approved', tone: 'good', text: 'by an approver' });
  }
  if (state === 'scheduled' && startsAt) steps.push({ name: 'Scheduled', tone: 'busy', text: `starts ${formatNear(startsAt, now)}` });
  const provisioned = provisionedAt !== null;
  steps.push({ name: 'Provisioned', tone: provisioned ? 'good' : state === 'provisioning' ? 'busy' : 'quiet', text: provisioned ? formatSeconds(provisionedAt) : state === 'provisioning' ? 'PIM is at it' : 'not yet' });
  steps.push({ name: 'Member', tone: memberAt ? 'good' : provisioned ? 'busy' : 'quiet', text: memberAt ? `${formatSeconds(memberAt)}, the directory shows it` : provisioned ? 'the directory does not show it yet' : 'not yet' });
  if (memberAt) steps.push({ name: 'Usable', tone: 'busy', text: `usually within a minute; only a connection proves it${endsAt ? `. Ends ${formatNear(endsAt, now)}` : ''}` });
  return steps;
}

const END: Partial<Record<AccessRequest['state'], { name: string; tone: Tone; text: string }>> = {
  denied: { name: 'Denied', tone: 'bad', text: 'An approver denied it.' },
  failed: { name: 'Failed', tone: 'bad', text: 'Microsoft Entra did not grant it.' },
  lapsed: { name: 'Lapsed', tone: 'warn', text: 'Nobody decided within 24 h. Ask again if you still need it.' },
  cancelled: { name: 'Cancelled', tone: 'quiet', text: 'You took it back.' },
  ended: { name: 'Ended', tone: 'quiet', text: 'The membership has ended.' },
};

export function Timeline({ request, entry }: { request: AccessRequest; entry: Pick<AccessEntry, 'policy'> }) {
  const styles = useStyles();
  const now = useNow();
  return (
    <ol className={styles.list} aria-label={`Your request${request.minutes === null ? '' : ` for ${formatMinutes(request.minutes)}`}`} aria-live="polite">
      {stepsOf(request, entry, now).map(({ name, tone, text }) => (
        <li key={name} className={styles.step}><StatusBadge tone={tone}>{name}</StatusBadge><span className={styles.text}>{text}</span></li>
      ))}
    </ol>
  );
}
