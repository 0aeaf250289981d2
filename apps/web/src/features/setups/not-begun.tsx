import { MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { makeStyles } from '@griffel/react';
import { isProblem } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { TextLink } from '../../ui/text-link.tsx';

const useStyles = makeStyles({ bar: { marginBottom: '16px' } });

/** Why a plan or a run was not begun. Of a run that stands in the way it says whose it is, and leads there. */
export function NotBegun({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const styles = useStyles();
  const now = useNow();
  const underWay = isProblem(error, 'run-in-progress');
  const problem = underWay || isProblem(error, 'undo-refused') ? error.problem : undefined;
  const run = problem?.run;
  if (!problem || !run) return <ProblemBar error={error} {...(onRetry && { onRetry })} />;
  const at = formatInstant(run.startedAt, now);
  return (
    <MessageBar intent="warning" layout="multiline" className={styles.bar} role="alert" politeness="assertive">
      {underWay
        ? <MessageBarBody><MessageBarTitle>{run.actorName}’s run of this setup has been under way since {at}.</MessageBarTitle> Nothing of yours was begun. Read the plan again when that run rests.</MessageBarBody>
        : <MessageBarBody><MessageBarTitle>{problem.title}.</MessageBarTitle> {problem.detail}</MessageBarBody>}
      <MessageBarActions><TextLink to={`/runs/${run.id}`}>{underWay ? 'Follow that run' : `Open ${run.actorName}’s run of ${at}`}</TextLink></MessageBarActions>
    </MessageBar>
  );
}
