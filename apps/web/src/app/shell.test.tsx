import { AdvanceDemoClock, GetSession, ListApprovals, ListSessions, ListMyAccess, RequestActivation, SignOut, type Session } from '@gatehouse/contracts';
import { webLightTheme } from '@fluentui/react-theme';
import { act, cleanup, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { QueryClientProvider } from '@tanstack/react-query';
import { describe, expect, test, vi } from 'vitest';
import { approval, at, entry, GROUP, myAccess } from '../testing/fixtures.ts';
import { ANA, answers, fakeApi, refuses, waits, type Handler } from '../testing/testing.tsx';
import { Fluent } from '../ui/fluent.tsx';
import { createClient } from './app.tsx';
import { routes } from './router.tsx';

const inbox = (items = [approval()]) => answers(ListApprovals, { readAt: at(0), historyFrom: at(-60 * 24 * 365), items, decided: [] });
const DEMO = { clockAheadSeconds: 31 * 60, privateResourceUrl: 'http://127.0.0.1:9/private/' };
const BEN = { id: 'a0000000-0000-4000-8000-000000000002', displayName: 'Ben Novak', userPrincipalName: 'ben.novak@contoso.example', roles: [] };
const as = (...roles: ('SetupAdmin' | 'Auditor')[]): Session => ({ ...ANA, person: ANA.person && { ...ANA.person, roles } });

/** The whole app at an address, with the API answering as told. */
function open(path: string, session: Session, ...api: Handler[]) {
  const fake = fakeApi([...api, answers(GetSession, session), answers(ListMyAccess, myAccess()), inbox([])]);
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  render(<Fluent theme={webLightTheme}><QueryClientProvider client={createClient()}><RouterProvider router={router} /></QueryClientProvider></Fluent>);
  return { ...fake, router };
}

const links = async () => within(await screen.findByRole('navigation')).getAllByRole('link').map((link) => link.textContent);

describe('the navigation', () => {
  test.each([
    [[], ['My access', 'Approvals']],
    [['SetupAdmin'], ['My access', 'Approvals', 'Setups', 'Current access', 'Sync & health']],
    [['Auditor'], ['My access', 'Approvals', 'Current access', 'History', 'Sync & health']],
    [['SetupAdmin', 'Auditor'], ['My access', 'Approvals', 'Setups', 'Current access', 'History', 'Sync & health']],
  ] as const)('shows %o what is theirs', async (roles, expected) => {
    open('/nowhere', as(...roles));
    expect(await links()).toEqual(expected);
  });

  test.each([[[], '/access'], [['SetupAdmin'], '/setups'], [['Auditor'], '/history/activations'], [['SetupAdmin', 'Auditor'], '/setups']] as const)('begins for %o at %s', async (roles, first) => {
    const { router } = open('/', as(...roles));
    await waitFor(() => { expect(router.state.location.pathname).toBe(first); });
  });

  test('counts what waits for a decision', async () => {
    open('/nowhere', ANA, inbox([approval(), approval({ id: 'd0000000-0000-4000-8000-000000000002' })]));
    expect(await screen.findByLabelText('2 waiting')).toBeTruthy();
  });

  test('another page has its own title and takes the focus to its heading', async () => {
    open('/access', ANA);
    await userEvent.click(await screen.findByRole('link', { name: /Approvals/ }));
    const heading = await screen.findByRole('heading', { level: 1, name: 'Approvals' });
    await waitFor(() => { expect(document.activeElement).toBe(heading); });
    expect(document.title).toBe('Approvals · Gatehouse');
  });
});

test.each([
  ['/setups', [], 'SetupAdmin'], ['/setups/new', ['Auditor'], 'SetupAdmin'], ['/setups/1', ['Auditor'], 'SetupAdmin'], ['/setups/1/edit', [], 'SetupAdmin'], ['/runs/1', ['Auditor'], 'SetupAdmin'], ['/device?code=WDJB-MJHT', ['Auditor'], 'SetupAdmin'],
  ['/history', ['SetupAdmin'], 'Auditor'], ['/history/activations', [], 'Auditor'], ['/sync', [], 'SetupAdmin or Auditor'],
] as const)('%s says to %o which role it needs', async (path, roles, role) => {
  const { calls } = open(path, as(...roles));
  expect(await screen.findByRole('heading', { level: 1, name: 'Your role does not allow this' })).toBeTruthy();
  expect(screen.getByText(new RegExp(`app role ${role}\\.`))).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint !== GetSession && endpoint !== ListApprovals)).toEqual([]);
});

test('an address that names nothing says so', async () => {
  open('/nowhere', ANA);
  expect(await screen.findByRole('heading', { level: 1, name: 'There is no such page' })).toBeTruthy();
});

describe('signing in', () => {
  test('somebody who is not signed in is led back to the address that they opened', async () => {
    const { calls } = open('/access?activate=1', { ...ANA, person: null });
    expect((await screen.findByRole('link', { name: 'Sign in with Microsoft Entra' })).getAttribute('href')).toBe('/auth/sign-in?returnTo=%2Faccess%3Factivate%3D1');
    expect(screen.queryByRole('navigation')).toBeNull();
    expect(screen.queryByText('Maya Lindqvist')).toBeNull();
    expect(calls.map(({ endpoint }) => endpoint)).toEqual([GetSession]);
  });

  test('somebody whom a terminal sent here is led back to its code', async () => {
    open('/device?code=WDJB-MJHT', { ...ANA, person: null });
    expect((await screen.findByRole('link', { name: 'Sign in with Microsoft Entra' })).getAttribute('href')).toBe('/auth/sign-in?returnTo=%2Fdevice%3Fcode%3DWDJB-MJHT');
  });

  test('the demo says who the accounts are', async () => {
    open('/', { ...ANA, person: null, demo: DEMO });
    for (const name of ['Maya Lindqvist', 'Ana Costa', 'Ben Novak', 'Omar Haddad', 'Ines Moreau']) expect(await screen.findByText(name)).toBeTruthy();
  });

  test('a session that ended shows the way to sign in, on the same address, and what was typed is there afterwards', async () => {
    const { use } = open('/access', ANA, refuses(RequestActivation, 'not-signed-in'));
    await userEvent.click(await screen.findByRole('button', { name: 'Activate Finance reports' }));
    await userEvent.type(await screen.findByRole('textbox', { name: /^Why/ }), 'Month-end close');
    use(answers(GetSession, { ...ANA, person: null }));
    await userEvent.click(screen.getByRole('button', { name: 'Activate' }));
    const way = await screen.findByRole('link', { name: 'Sign in with Microsoft Entra' });
    expect(way.getAttribute('href')).toBe(`/auth/sign-in?returnTo=${encodeURIComponent(`/access?activate=${GROUP}`)}`);
    cleanup();

    const { calls } = open(`/access?activate=${GROUP}`, ANA);
    expect((await screen.findByRole<HTMLInputElement>('textbox', { name: /^Why/ })).value).toBe('Month-end close');
    expect(calls.filter(({ endpoint }) => endpoint.method === 'POST')).toEqual([]);
  });

  test('where another tab signed somebody else in, the page becomes theirs: nothing that was read for the one before, nothing that was filled in', async () => {
    const { use, router } = open('/access', ANA, inbox([approval()]));
    await userEvent.click(await screen.findByRole('button', { name: 'Activate Finance reports' }));
    await userEvent.type(await screen.findByRole('textbox', { name: /^Why/ }), 'Month-end close');
    await screen.findByLabelText('1 waiting');
    use(answers(GetSession, { ...ANA, person: BEN }), waits(ListMyAccess), waits(ListApprovals));
    await act(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    // Behind a panel that is still open, too.
    expect(await screen.findByRole('button', { name: 'Account: Ben Novak', hidden: true })).toBeTruthy();
    expect([screen.queryByLabelText('1 waiting'), screen.queryByText('Finance reports'), screen.queryByDisplayValue('Month-end close')]).toEqual([null, null, null]);
    expect(router.state.location.pathname).toBe('/access');
  });

  test('what was begun before the page knows of it is not done in the name of somebody else: it says whose page it was, and the page becomes theirs', async () => {
    const { use, calls } = open('/access', ANA, refuses(RequestActivation, 'signed-in-as-another', { detail: 'Another tab signed in Ben Novak, and nothing was done here.' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Activate Finance reports' }));
    await userEvent.type(await screen.findByRole('textbox', { name: /^Why/ }), 'Month-end close');
    use(answers(GetSession, { ...ANA, person: BEN }), waits(ListMyAccess));
    await userEvent.click(screen.getByRole('button', { name: 'Activate' }));
    expect(await screen.findByRole('button', { name: 'Account: Ben Novak', hidden: true })).toBeTruthy();
    expect(screen.queryByDisplayValue('Month-end close')).toBeNull();
    // It says why, and what was typed waits for the one who typed it.
    const notice = await screen.findByRole('alert', { hidden: true });
    expect(notice.textContent).toContain('Ben Novak is signed in here now Another tab signed them in. This page was Ana Costa’s: what had not gone out by then was not done.');
    expect(Object.entries(sessionStorage).filter(([key, value]) => key.includes(ANA.person?.id ?? '?') && String(value).includes('Month-end close'))).toHaveLength(1);
    const pagesOf = (endpoint: unknown) => [...new Set(calls.filter((call) => call.endpoint === endpoint).map(({ pageOf }) => pageOf))];
    await waitFor(() => { expect(pagesOf(ListMyAccess)).toEqual([ANA.person?.id, BEN.id]); });
    expect(pagesOf(RequestActivation)).toEqual([ANA.person?.id]);
  });

  test('the account leads to where the person is signed in', async () => {
    const { router } = open('/nowhere', ANA, answers(ListSessions, { sessions: [] }));
    await userEvent.click(await screen.findByRole('button', { name: 'Account: Ana Costa' }));
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Signed-in devices' }));
    expect(await screen.findByRole('heading', { level: 1, name: 'Signed-in devices' })).toBeTruthy();
    expect(router.state.location.pathname).toBe('/sessions');
  });

  test('signing out ends the session here and goes to where it ends at Microsoft Entra', async () => {
    const assign = vi.fn<(url: string) => void>();
    vi.stubGlobal('location', { assign, pathname: '/access', search: '', href: 'http://localhost/access', origin: 'http://localhost' });
    open('/nowhere', ANA, answers(SignOut, { signOutUrl: 'https://login.example/logout' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Account: Ana Costa' }));
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Sign out' }));
    await waitFor(() => { expect(assign).toHaveBeenCalledWith('https://login.example/logout'); });
  });
});

test('a portal that does not answer says so, with what can be done', async () => {
  const { use } = fakeApi([refuses(GetSession, 'internal', { detail: 'Nothing was changed.' })]);
  render(<QueryClientProvider client={createClient()}><RouterProvider router={createMemoryRouter(routes, { initialEntries: ['/access'] })} /></QueryClientProvider>);
  expect(await screen.findByRole('heading', { level: 1, name: 'Gatehouse cannot be shown' })).toBeTruthy();
  expect(screen.getByRole('alert').textContent).toContain('Ref 4F2A91BC');
  use(answers(GetSession, { ...ANA, person: null }));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('link', { name: 'Sign in with Microsoft Entra' })).toBeTruthy();
});

describe('the demo', () => {
  test('only the emulated tenant shows it', async () => {
    open('/nowhere', ANA);
    await screen.findByRole('navigation');
    expect(screen.queryByText('Demo tenant')).toBeNull();
  });

  test('moving the clock reads everything again', async () => {
    const { calls, use } = open('/access', { ...ANA, demo: DEMO }, answers(AdvanceDemoClock, { now: at(31), clockAheadSeconds: 62 * 60 }));
    expect(await screen.findByText('Clock +31 min')).toBeTruthy();
    await screen.findByRole('heading', { name: 'Finance reports' });
    use(answers(GetSession, { ...ANA, now: at(31), demo: { ...DEMO, clockAheadSeconds: 62 * 60 } }), answers(ListMyAccess, myAccess([entry({ applications: [], groupName: 'After-The-Clock' })])));
    await userEvent.click(screen.getByRole('button', { name: 'Forward 31 min' }));
    expect(await screen.findByText('Clock +1 h 2 min')).toBeTruthy();
    expect(await screen.findByRole('heading', { name: 'After-The-Clock' })).toBeTruthy();
    expect(calls.find(({ endpoint }) => endpoint.method === 'POST')?.body).toEqual({ minutes: 31 });
  });
});
