import { Button } from '@fluentui/react-button';
import { useNavigate } from 'react-router';
import { ApiError } from '../lib/api.ts';
import { Page } from './page.tsx';

/** Whether the portal knows nothing by the id of the address: there is none, or it cannot be an id at all. */
export function isUnknown(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { code, issues = [] } = error.problem;
  return code === 'not-found' || (code === 'invalid-request' && issues.some(({ path }) => path.startsWith('params.')));
}

/** What an address shows that names a setup, a run or a batch which is not there. */
export function UnknownPage({ what }: { what: 'setup' | 'run' | 'batch' }) {
  const navigate = useNavigate();
  return (
    <Page title={`There is no such ${what}`} action={what === 'batch'
      ? <Button appearance="primary" onClick={() => void navigate('/setups/batches')}>See all batches</Button>
      : <Button appearance="primary" onClick={() => void navigate('/setups')}>See all setups</Button>}>
      <p>The address may be mistyped, or it is of another tenant.</p>
    </Page>
  );
}
