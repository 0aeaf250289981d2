import type { SetupDefinition } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import { isProblem } from '../../lib/api.ts';
import { formatSeconds } from '../../lib/dates.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { PlanList } from './plan-list.tsx';
import { plan, useApply } from './setups.queries.ts';

const useStyles = makeStyles({
  foot: { display: 'flex', alignItems: 'center', justifyContent: 'flex-end', flexWrap: 'wrap', gap: '8px 16px', marginTop: '16px' },
  sum: { flex: '1 1 240px' },
  warning: { marginBottom: '8px' },
  read: { margin: '0 0 8px' },
});

/** The plan as it stands now, and applying it: every change is in sight before it is made. */
export function ReviewStep({ setupId, definition, onBack, onApplied, onRefused }: { setupId: string | undefined; definition: SetupDefinition; onBack(): void; onApplied(): void; onRefused(error: unknown): void }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const query = useQuery(plan(definition));
  const apply = useApply(setupId);
  const [ticked, setTicked] = useState<string>();
  const current = query.data;
  // The tick is for the plan that was in sight: of another plan it says nothing.
  const understood = current !== undefined && ticked === current.digest;
  const blocked = current?.steps.filter(({ verdict }) => verdict === 'blocked').length ?? 0;
  const irreversible = current?.steps.some((step) => step.irreversible && step.verdict !== 'nothing' && step.verdict !== 'blocked') ?? false;
  const refusal = useEffectEvent(onRefused);
  useEffect(() => { if (query.error) refusal(query.error); }, [query.error]);
  const start = (): void => {
    if (!current) return;
    apply.mutate({ definition, digest: current.digest, irreversibleUnderstood: understood || !irreversible }, {
      onSuccess: (run) => {
        onApplied();
        void navigate(`/runs/${run.id}`);
      },
      onError: (error) => {
        if (isProblem(error, 'plan-changed')) void query.refetch();
        onRefused(error);
      },
    });
  };
  return (
    <div>
      <ProblemBar error={query.error ?? apply.error} onRetry={query.error ? () => void query.refetch() : undefined} />
      {query.isPending && <ListSkeleton rows={6} />}
      {current && (
        <>
          <p className={styles.read}>Read from the tenant at {formatSeconds(current.readAt)}. <Button size="small" appearance="transparent" disabled={query.isFetching} onClick={() => void query.refetch()}>Read again</Button></p>
          {current.warnings.map(({ code, message, mend }) => (
            <MessageBar key={`${code}${message}`} intent="warning" layout="multiline" className={styles.warning}><MessageBarBody><MessageBarTitle>{message}</MessageBarTitle> {mend}</MessageBarBody></MessageBar>
          ))}
          <PlanList label="Plan" steps={current.steps} />
          {irreversible && <Checkbox checked={understood} onChange={(_event, data) => { setTicked(data.checked === true ? current.digest : undefined); }} label="I understand that onboarding the group to PIM cannot be undone" />}
        </>
      )}
      <div className={styles.foot}>
        <span className={styles.sum} role="status">{current && (blocked > 0 ? `${blocked === 1 ? '1 step is' : `${blocked} steps are`} blocked` : current.changes === 0 ? 'Nothing to do: the tenant is as designed' : `${count(current.changes, 'change')}, ${count(current.calls, 'call')} to Microsoft Graph`)}</span>
        <Button onClick={onBack}>Back</Button>
        <Button appearance="primary" disabled={!current || blocked > 0 || query.isFetching || apply.isPending || (irreversible && !understood)} onClick={start}>
          {current && current.changes > 0 ? `Apply ${count(current.changes, 'change')}` : 'Keep and verify'}
        </Button>
      </div>
    </div>
  );
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
