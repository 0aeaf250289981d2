import type { Problem } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { makeStyles } from '@griffel/react';
import { tokens } from '@fluentui/react-theme';
import { ApiError } from '../lib/api.ts';
import { verifyAddress } from '../lib/session.ts';
import { CopyButton } from './copy-button.tsx';

const useStyles = makeStyles({
  bar: { marginBottom: '16px' },
  reference: { fontFamily: tokens.fontFamilyMonospace, whiteSpace: 'nowrap' },
  issues: { margin: '4px 0 0', paddingLeft: '20px' },
});

/** What support asks for: ours first, and Microsoft Graph's for Microsoft. */
const referenceOf = ({ requestId, graphRequestId }: Problem): string => (graphRequestId === undefined ? requestId : `${requestId} (Microsoft Graph request-id ${graphRequestId})`);

/** What was refused or failed, what it means, and a reference to quote. Renders nothing without an error. */
export function ProblemBar({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const styles = useStyles();
  if (error === null || error === undefined) return null;
  const problem = error instanceof ApiError ? error.problem : undefined;
  return (
    <MessageBar intent="error" layout="multiline" className={styles.bar} role="alert" politeness="assertive">
      <MessageBarBody>
        <MessageBarTitle>{problem?.title ?? 'Something went wrong on this page'}</MessageBarTitle>{' '}
        {problem?.detail ?? (problem ? '' : 'Reload the page. Nothing is shown as done that is not.')}{' '}
        {problem?.requestId ? <span className={styles.reference}>Ref {problem.requestId}</span> : null}
        {problem?.issues && problem.issues.length > 0 && !problem.issues.every(({ message }) => message === problem.detail) && (
          <ul className={styles.issues}>{problem.issues.map(({ path, message }) => <li key={`${path}${message}`}>{message}</li>)}</ul>
        )}
      </MessageBarBody>
      {(onRetry || problem?.requestId || problem?.signInUrl) && (
        <MessageBarActions>
          {problem?.signInUrl && <Button as="a" size="small" appearance="primary" href={verifyAddress(problem.signInUrl)}>Verify</Button>}
          {problem?.requestId ? <CopyButton text={referenceOf(problem)} label="Copy reference" /> : null}
          {onRetry && <Button size="small" onClick={onRetry}>Try again</Button>}
        </MessageBarActions>
      )}
    </MessageBar>
  );
}
