import type { Plan, PlanStep } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Link as FluentLink } from '@fluentui/react-link';
import { MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useEffect, useRef, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { isProblem } from '../../lib/api.ts';
import { formatInstant, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { PlanList } from './plan-list.tsx';

const useStyles = makeStyles({
  foot: { display: 'flex', alignItems: 'center', justifyContent: 'flex-end', flexWrap: 'wrap', gap: '8px 16px', marginTop: '16px' },
  sum: { flex: '1 1 240px' },
  warning: { marginBottom: '8px' },
  read: { margin: '0 0 8px' },
  checked: { margin: '0 0 12px', color: tokens.colorNeutralForeground2 },
  sentences: { margin: '4px 0 0', paddingLeft: '20px' },
  bar: { marginBottom: '16px', ':focus': { outline: 'none' } },
});

export const actsOf = ({ steps }: Plan): readonly PlanStep[] => steps.filter(({ verdict }) => verdict !== 'nothing' && verdict !== 'blocked');
export const isIrreversible = (plan: Plan): boolean => actsOf(plan).some(({ irreversible }) => irreversible);
export const blockedIn = ({ steps }: Plan): number => steps.filter(({ verdict }) => verdict === 'blocked').length;
export const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;

/** A plan as a person reviews it: what is worth knowing first, what was looked at, and every change in sight. */
export function PlanReview({ plan, replaced, label, consent, understood, reading, onUnderstood, onRead }: {
  plan: Plan;
  /** The plan that was in sight before the tenant changed. */
  replaced: Plan | undefined;
  label: string;
  /** What is ticked where something cannot be undone. */
  consent: string;
  understood: boolean;
  reading: boolean;
  onUnderstood(is: boolean): void;
  onRead(): void;
}) {
  const styles = useStyles();
  const before = replaced && new Map(replaced.steps.map((step) => [step.key, JSON.stringify(step)]));
  return (
    <>
      {replaced && <Changed />}
      <p className={styles.read}>Read from the tenant at {formatSeconds(plan.readAt)}. <Button size="small" appearance="transparent" disabled={reading} onClick={onRead}>Read again</Button></p>
      {plan.warnings.map(({ code, message, mend }) => (
        <MessageBar key={`${code}${message}`} intent="warning" layout="multiline" className={styles.warning}><MessageBarBody><MessageBarTitle>{message}</MessageBarTitle> {mend}</MessageBarBody></MessageBar>
      ))}
      {plan.checked.length > 0 && (
        <details className={styles.checked}>
          <summary>{plan.checked.length === 1 ? '1 check is in order' : `${plan.checked.length} checks are in order`}</summary>
          <ul className={styles.sentences}>{plan.checked.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
        </details>
      )}
      <PlanList label={label} steps={plan.steps} {...(before && { isNew: (step: PlanStep) => before.get(step.key) !== JSON.stringify(step) })} />
      {isIrreversible(plan) && <Checkbox checked={understood} onChange={(_event, data) => { onUnderstood(data.checked === true); }} label={consent} />}
    </>
  );
}

/** Whoever pressed the button is told where they look next. */
function Changed() {
  const styles = useStyles();
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => { bar.current?.focus(); }, []);
  return (
    <div ref={bar} tabIndex={-1} className={styles.bar}>
      <MessageBar intent="warning" layout="multiline" role="alert">
        <MessageBarBody><MessageBarTitle>The tenant changed since you looked.</MessageBarTitle> Nothing was done. This is the plan as it is now; what differs from the one that you saw is marked.</MessageBarBody>
      </MessageBar>
    </div>
  );
}

/** Why the plan was not begun. Of somebody else’s run it says whose it is, and leads there. */
export function NotBegun({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const now = useNow();
  // The new plan says it better.
  if (isProblem(error, 'plan-changed') && error.problem.plan) return null;
  const other = isProblem(error, 'run-in-progress') ? error.problem.run : undefined;
  if (!other) return <ProblemBar error={error} {...(onRetry && { onRetry })} />;
  const address = `/runs/${other.id}`;
  return (
    <MessageBar intent="warning" layout="multiline" className={styles.bar} role="alert">
      <MessageBarBody><MessageBarTitle>{other.actorName} is at it since {formatInstant(other.startedAt, now)}.</MessageBarTitle> Nothing of yours was begun. Look at the plan again when that run rests.</MessageBarBody>
      <MessageBarActions><FluentLink href={address} onClick={(event) => { event.preventDefault(); void navigate(address); }}>Follow that run</FluentLink></MessageBarActions>
    </MessageBar>
  );
}

/** What the plan amounts to, and the way to begin it. */
export function PlanFoot({ plan, nothing, children }: { plan: Plan | undefined; nothing: string; children: ReactNode }) {
  const styles = useStyles();
  const blocked = plan ? blockedIn(plan) : 0;
  return (
    <div className={styles.foot}>
      <span className={styles.sum} role="status">{plan && (blocked > 0 ? `${blocked === 1 ? '1 step is' : `${blocked} steps are`} blocked` : plan.changes === 0 ? nothing : `${count(plan.changes, 'change')}, ${count(plan.calls, 'call')} to Microsoft Graph`)}</span>
      {children}
    </div>
  );
}
