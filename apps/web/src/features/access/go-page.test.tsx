import { CancelAccessRequest, DeactivateAccess, FindAccess, ListMyAccess, type AccessTarget } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes, useLocation } from 'react-router';
import { describe, expect, test, vi } from 'vitest';
import { at, entry, GROUP, myAccess, request } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, type Handler } from '../../testing/testing.tsx';
import { AccessPage } from './access-page.tsx';
import { GoPage } from './go-page.tsx';
import { applicationLink } from './share-dialog.tsx';

const found = (outcome: AccessTarget['outcome'], entries = [entry()], more: Partial<AccessTarget> = {}): Handler =>
  answers(FindAccess, { wanted: 'fin-rep.corp.contoso.example:443', outcome, groupIds: ['unknown', 'malformed'].includes(outcome) ? [] : entries.map(({ groupId }) => groupId), access: myAccess(entries), ...more });
const Here = () => <output>{`${useLocation().pathname}${useLocation().search}`}</output>;
const go = (path: string, ...api: Handler[]) => renderPage(
  <>
    <Here />
    <Routes>
      <Route path="go" element={<GoPage />} /><Route path="go/:application" element={<GoPage />} /><Route path="access" element={<AccessPage />} />
    </Routes>
  </>, { path, api },
);
const LINK = '/go?to=fin-rep.corp.contoso.example%3A443';

describe('following a link', () => {
  test.each([[LINK, { to: 'fin-rep.corp.contoso.example:443' }], ['/go/finance-reports', { application: 'finance-reports' }]])('%s opens the activation, with what was read on the way', async (path, query) => {
    const { calls } = go(path, found('activate', [entry({ lastJustification: 'Month-end close', lastMinutes: 15 })]));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByRole('heading', { name: 'Activate: Finance reports' })).toBeTruthy();
    expect(within(dialog).getByRole<HTMLInputElement>('textbox', { name: /^Why/ }).value).toBe('Month-end close');
    expect(document.activeElement).toBe(within(dialog).getByRole('textbox', { name: /^Why/ }));
    expect(within(dialog).getByRole<HTMLInputElement>('radio', { name: '15 min' }).checked).toBe(true);
    expect(screen.getByText(`/access?activate=${GROUP}`)).toBeTruthy();
    expect(calls.filter(({ endpoint }) => endpoint !== FindAccess).map(({ endpoint }) => endpoint)).not.toContain(ListMyAccess);
    expect(Object.fromEntries(new URL(`http://x${calls.find(({ endpoint }) => endpoint === FindAccess)?.url}`).searchParams)).toEqual(query);
  });

  test('of several the person chooses', async () => {
    go(LINK, found('ambiguous', [entry(), entry({ groupId: '2', groupName: 'FinReport-Auditor' })]));
    expect(await screen.findByRole('heading', { level: 1, name: '2 of yours open fin-rep.corp.contoso.example:443' })).toBeTruthy();
    const rows = screen.getAllByRole('listitem');
    await userEvent.click(within(rows[1] as HTMLElement).getByRole('button', { name: /^Activate/ }));
    expect(await screen.findByText('/access?activate=2')).toBeTruthy();
  });

  test('what is open already is said, with the time that is left', async () => {
    go(LINK, found('open', [entry({ active: { since: at(-10), endsAt: at(20), canEndAt: at(-5), memberAt: at(-1), permanent: false } })]));
    expect(await screen.findByRole('heading', { level: 1, name: 'fin-rep.corp.contoso.example:443 is open' })).toBeTruthy();
    expect(screen.getByText(/^00:(20:00|19:5\d) left$/)).toBeTruthy();
  });

  test('what is said of it follows the directory and the clock, and what ending it means is read on My access', async () => {
    const open = (endsAt: string, memberAt: string | null) => [entry({ active: { since: at(-10), endsAt, canEndAt: at(-5), memberAt, permanent: false } })];
    const { use, unmount } = go(LINK, found('open', open(at(20), null)));
    expect(await screen.findByRole('heading', { level: 1, name: 'fin-rep.corp.contoso.example:443 is activated' })).toBeTruthy();
    use(found('open', open(at(20), at(0))));
    expect(await screen.findByRole('heading', { level: 1, name: 'fin-rep.corp.contoso.example:443 is open' }, { timeout: 12_000 })).toBeTruthy();
    use(answers(DeactivateAccess, { groupId: GROUP, endedAt: at(0), networkMayStayOpenUntil: at(90), provedGone: true }), answers(ListMyAccess, myAccess()));
    await userEvent.click(screen.getByRole('button', { name: 'Deactivate Finance reports' }));
    await userEvent.click(screen.getByText('Deactivate', { selector: '[role="dialog"] button' }));
    expect(await screen.findByText(/^Finance reports: your membership ended at .* The network may stay open until/)).toBeTruthy();
    unmount();
    go(LINK, found('open', open(at(0), at(-9))));
    expect(await screen.findByRole('heading', { level: 1, name: 'fin-rep.corp.contoso.example:443 is ending' })).toBeTruthy();
  });

  test('what waits is not asked for again, and can be taken back', async () => {
    const { use } = go('/go/finance-reports', found('waiting', [entry({ request: request({ state: 'awaiting-approval' }) })]), answers(CancelAccessRequest, request({ state: 'cancelled' })));
    expect(await screen.findByRole('heading', { level: 1, name: 'Finance reports: you asked for it already' })).toBeTruthy();
    use(found('activate'));
    await userEvent.click(screen.getByRole('button', { name: 'Cancel the request for Finance reports' }));
    expect(await screen.findByRole('dialog')).toBeTruthy();
  });

  test('what is unknown is not called anything else, and what could not be read is said', async () => {
    go(LINK, found('unknown', [], { access: myAccess([], ['What you are eligible for could not be read.']) }));
    expect(await screen.findByRole('heading', { level: 1, name: 'Nothing of yours opens fin-rep.corp.contoso.example:443' })).toBeTruthy();
    expect(screen.getByText('What you are eligible for could not be read.')).toBeTruthy();
  });

  test('what names no machine can be put right', async () => {
    const { use } = go('/go?to=10.0.0.0%2F8', found('malformed', [], { wanted: '10.0.0.0/8' }));
    expect(await screen.findByText('“10.0.0.0/8” is no host, no host with a port, and no address of a page.')).toBeTruthy();
    use(found('activate'));
    await userEvent.type(screen.getByRole('textbox', { name: 'Host, with its port' }), 'fin-rep.corp.contoso.example{Enter}');
    expect(await screen.findByRole('dialog')).toBeTruthy();
  });

  test('a refusal is no answer, and can be tried again', async () => {
    const { use } = go(LINK, refuses(FindAccess, 'directory-unavailable'));
    expect((await screen.findByRole('alert')).textContent).toContain('Microsoft Entra does not answer');
    use(found('activate'));
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('dialog')).toBeTruthy();
  });

  test('without a destination it asks for one, and nothing is looked for', async () => {
    const { calls } = go('/go');
    expect(await screen.findByRole('textbox', { name: 'Host, with its port' })).toBeTruthy();
    expect(calls.map(({ endpoint }) => endpoint)).not.toContain(FindAccess);
  });
});

describe('passing a link on', () => {
  test('each application has its link, as text to copy and as a QR code', async () => {
    const writeText = vi.fn(async () => {});
    go('/access', answers(ListMyAccess, myAccess()));
    await userEvent.click(await screen.findByRole('button', { name: 'Link to Finance reports' }));
    Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText } });
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByRole('img', { name: 'QR code of the link to Finance reports' }).querySelector('path')?.getAttribute('d')?.length).toBeGreaterThan(500);
    within(dialog).getByRole('button', { name: `Copy ${window.location.origin}/go?to=fin-rep.corp.contoso.example:443` });
    within(dialog).getByRole('button', { name: `Copy ${window.location.origin}/go/finance-reports` }).click();
    await waitFor(() => { expect(within(dialog).getByRole('status').textContent).toBe('Copied.'); });
    expect(writeText).toHaveBeenCalledWith(`${window.location.origin}/go/finance-reports`);
  });

  test('a name that two applications have, or that has no letters, is replaced by the id', () => {
    const [application] = entry().applications;
    if (!application) throw new Error('the fixture has an application');
    const other = { ...application, id: 'app-2', displayName: 'Finance Reports' };
    expect(applicationLink(application, [entry()])).toBe(`${window.location.origin}/go/finance-reports`);
    expect(applicationLink(application, [entry(), entry({ applications: [other] })])).toBe(`${window.location.origin}/go/app-1`);
    expect(applicationLink({ ...application, displayName: '…' }, [])).toBe(`${window.location.origin}/go/app-1`);
  });
});
