import type { Plan, Run } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQueryClient, type QueryKey, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { isProblem } from '../../lib/api.ts';
import { formatSeconds } from '../../lib/dates.ts';
import { ListSkeleton } from '../../ui/states.tsx';
import { NotBegun } from './not-begun.tsx';
import { differenceOf, type PlanDifference } from './plan-difference.ts';
import { acts, PlanList } from '../../ui/plan-list.tsx';
import type { Reviewed } from './setups.queries.ts';

const useStyles = makeStyles({
  foot: { display: 'flex', alignItems: 'center', justifyContent: 'flex-end', flexWrap: 'wrap', gap: '8px 16px', marginTop: '16px' },
  sum: { flex: '1 1 240px' },
  warning: { marginBottom: '8px' },
  read: { margin: '0 0 8px' },
  checked: { margin: '0 0 12px', color: tokens.colorNeutralForeground2 },
  summary: { cursor: 'pointer' },
  sentences: { margin: '4px 0 0', paddingLeft: '20px' },
  changed: { marginBottom: '16px' },
});

/** How a review speaks of what it is about. */
export interface ReviewWords {
  readonly list: string;
  /** Such as `Apply`, of `Apply 5 changes`. */
  readonly verb: string;
  /** The button's words before there is a plan, where the verb alone says too little. */
  readonly unread?: string;
  /** Where there is nothing to change: what that means, and what the button does then. */
  readonly nothing: string;
  readonly nothingVerb: string;
  readonly back: string;
}

/**
 * A plan as a person reviews it, and beginning it: what is worth knowing first, every change in sight, a tick for what
 * cannot be undone. A plan that took the place of the one that was seen says so, and in what it differs.
 */
export function PlanReview({ query, queryKey, begin, words, finalFirst = false, onBack, onBegun, onRefused }: {
  query: UseQueryResult<Plan>;
  queryKey: QueryKey;
  begin: UseMutationResult<Run, Error, Reviewed>;
  words: ReviewWords;
  /** Whether what cannot be undone is said above all, too. */
  finalFirst?: boolean;
  onBack(): void;
  onBegun(run: Run): void;
  onRefused?(error: unknown): void;
}) {
  const styles = useStyles();
  const client = useQueryClient();
  const current = query.data;
  // What the person looked at last; what came since by itself, or with a refusal, is compared with it.
  const [seen, setSeen] = useState(current);
  if (seen === undefined && current !== undefined) setSeen(current);
  const [ticked, setTicked] = useState<string>();
  const difference = seen !== undefined && current !== undefined && seen.digest !== current.digest ? differenceOf(seen, current) : undefined;
  const final = current?.steps.filter((step) => step.irreversible && acts(step)) ?? [];
  // The tick is for the plan that was in sight: of another plan it says nothing.
  const understood = current !== undefined && ticked === current.digest;
  const blocked = current?.steps.filter(({ verdict }) => verdict === 'blocked').length ?? 0;
  const start = (): void => {
    if (!current) return;
    setSeen(current);
    begin.mutate({ digest: current.digest, irreversibleUnderstood: understood || final.length === 0 }, {
      onSuccess: onBegun,
      onError: (error) => {
        if (isProblem(error, 'plan-changed')) {
          if (error.problem.plan) client.setQueryData(queryKey, error.problem.plan);
          else void query.refetch();
        }
        onRefused?.(error);
      },
    });
  };
  return (
    <div>
      {difference && <Changed key={current?.digest} difference={difference} />}
      {/* The bar above says it better. */}
      {!(difference && begin.error && isProblem(begin.error, 'plan-changed')) && <NotBegun error={query.error ?? begin.error} onRetry={query.error ? () => void query.refetch() : undefined} />}
      {query.isPending && <ListSkeleton rows={6} />}
      {current && (
        <>
          <p className={styles.read}>Read from the tenant at {formatSeconds(current.readAt)}. <Button size="small" appearance="transparent" disabled={query.isFetching} onClick={() => { setSeen(current); void query.refetch(); }}>Read again</Button></p>
          {finalFirst && final.length > 0 && <MessageBar intent="warning" layout="multiline" className={styles.warning}><MessageBarBody><MessageBarTitle>This cannot be undone in its turn:</MessageBarTitle> {final.map(({ title }) => `${title}.`).join(' ')}</MessageBarBody></MessageBar>}
          {current.warnings.map(({ code, message, mend }) => (
            <MessageBar key={`${code}${message}`} intent="warning" layout="multiline" className={styles.warning}><MessageBarBody><MessageBarTitle>{message}</MessageBarTitle> {mend}</MessageBarBody></MessageBar>
          ))}
          {current.checked.length > 0 && (
            <details className={styles.checked}>
              <summary className={styles.summary}>{current.checked.length === 1 ? '1 check is in order' : `${current.checked.length} checks are in order`}</summary>
              <ul className={styles.sentences}>{current.checked.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
            </details>
          )}
          <PlanList label={words.list} steps={current.steps} marks={difference?.marks} />
          {final.length > 0 && <Checkbox checked={understood} onChange={(_event, data) => { setTicked(data.checked === true ? current.digest : undefined); }} label={`I understand that ${final.map(({ kind }) => FINAL[kind] ?? 'it').join(', and ')} cannot be undone`} />}
        </>
      )}
      <div className={styles.foot}>
        <span className={styles.sum} role="status">{current && (blocked > 0 ? `${blocked === 1 ? '1 step is' : `${blocked} steps are`} blocked` : current.changes === 0 ? words.nothing : `${count(current.changes, 'change')}, ${count(current.calls, 'call')} to Microsoft Graph`)}</span>
        <Button onClick={onBack}>{words.back}</Button>
        <Button appearance="primary" disabled={!current || blocked > 0 || query.isFetching || begin.isPending || (final.length > 0 && !understood)} onClick={start}>
          {!current ? words.unread ?? words.verb : current.changes > 0 ? `${words.verb} ${count(current.changes, 'change')}` : words.nothingVerb}
        </Button>
      </div>
    </div>
  );
}

/** What the steps do that cannot be undone. */
const FINAL: Partial<Record<Plan['steps'][number]['kind'], string>> = {
  'onboard': 'onboarding the group to PIM', 'delete-group': 'deleting the group', 'remove-member': 'removing a member', 'remove-active': 'ending an active assignment', 'remove-owner': 'removing an owner', 'remove-owner-eligible': 'ending an owner’s eligibility',
  'remove-assignee': 'taking an application from somebody',
};

/** Says that another plan stands here now. Whoever acted on the plan before begins anew at this bar. */
function Changed({ difference: { marks, gone } }: { difference: PlanDifference }) {
  const styles = useStyles();
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => { bar.current?.focus(); }, []);
  return (
    <div ref={bar} tabIndex={-1} role="alert" className={styles.changed}>
      <MessageBar intent="warning" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>The tenant changed since you looked.</MessageBarTitle> Nothing was done. {marks.size > 0 ? `This is the plan as it is now; ${marks.size === 1 ? 'the step that differs is' : `the ${marks.size} steps that differ are`} marked.` : 'This is the plan as it is now.'}
          {gone.length > 0 && ` No longer in it: ${gone.join('; ')}.`}
        </MessageBarBody>
      </MessageBar>
    </div>
  );
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
