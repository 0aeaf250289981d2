import { Button } from '@fluentui/react-button';
import { Link } from '@fluentui/react-link';
import { useNavigate, useRouteError } from 'react-router';
import { ApiError } from '../lib/api.ts';
import { Page } from '../ui/page.tsx';
import { ProblemBar } from '../ui/problem-bar.tsx';

/** What stands where the portal itself cannot be shown: it does not answer, or its frame broke. */
export function BrokenPortal() {
  return <main><ErrorPage /></main>;
}

/** What a page shows that broke: the rest of the portal still works. */
export function ErrorPage() {
  const error = useRouteError();
  return (
    <Page title={error instanceof ApiError ? 'This page cannot be shown' : 'This page broke'} action={<Button appearance="primary" onClick={() => { window.location.reload(); }}>Reload</Button>}>
      <ProblemBar error={error} />
      <p>Nothing that you did before is lost. <Link href="/access">Go to My access</Link></p>
    </Page>
  );
}

export function NotFoundPage() {
  const navigate = useNavigate();
  return (
    <Page title="There is no such page" action={<Button appearance="primary" onClick={() => void navigate('/access')}>Go to My access</Button>}>
      <p>The address may be mistyped, or what it named is gone.</p>
    </Page>
  );
}

export function NotPermittedPage({ role }: { role: string }) {
  return (
    <Page title="Your role does not allow this">
      <p>This page is for people with the app role {role}. An administrator of Microsoft Entra can give it to you, under Enterprise applications, Gatehouse, Users and groups. Sign in again afterwards.</p>
    </Page>
  );
}
