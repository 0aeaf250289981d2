import { EndOtherSessions, EndSession, ListSessions, SignOut, type OwnSession } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits } from '../../testing/testing.tsx';
import { SessionsPage } from './sessions-page.tsx';

const HERE: OwnSession = { id: 'e0000000-0000-4000-8000-000000000001', kind: 'browser', name: null, address: '203.0.113.7', since: at(-30), lastUsedAt: at(0), endsAt: at(450), isCurrent: true };
const OTHER: OwnSession = { ...HERE, id: 'e0000000-0000-4000-8000-000000000002', address: '198.51.100.4', lastUsedAt: at(-12), isCurrent: false };
const LINE: OwnSession = { ...OTHER, id: 'e0000000-0000-4000-8000-000000000003', kind: 'command line', name: 'build-7' };
const listed = (...sessions: OwnSession[]) => answers(ListSessions, { sessions });
const table = () => screen.findByRole('table', { name: 'Signed-in devices' });

test('lists what is signed in, and says which one this is', async () => {
  renderPage(<SessionsPage />, { api: [listed(HERE, OTHER, LINE)] });
  const [, here, other, line] = within(await table()).getAllByRole('row');
  expect(here?.textContent).toMatch(/This browser.*203\.0\.113\.7/);
  expect(other?.textContent).toMatch(/^Browser198\.51\.100\.4.*End$/);
  expect(other?.textContent).not.toContain('This browser');
  expect(line?.textContent).toMatch(/build-7.*Command line, as it calls itself/);
});

test('End ends that one, reads the list again, and leaves the focus at what became of it', async () => {
  const { calls, use } = renderPage(<SessionsPage />, { api: [listed(HERE, LINE), answers(EndSession, { ended: 1 })] });
  const button = await screen.findByRole('button', { name: /^End build-7, since/ });
  use(listed(HERE));
  button.focus();
  await userEvent.keyboard('{Enter}');
  await waitFor(() => { expect(screen.queryByText('build-7')).toBeNull(); });
  expect(screen.getByRole('status').textContent).toBe('1 device was signed out.');
  expect(document.activeElement).toBe(screen.getByRole('status'));
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST').map(({ url }) => url)).toEqual([`/api/sessions/${LINE.id}/end`]);
});

test('all others end at once; alone there is nothing to end', async () => {
  const { calls, use } = renderPage(<SessionsPage />, { api: [listed(HERE, OTHER, LINE), answers(EndOtherSessions, { ended: 2 })] });
  const button = await screen.findByRole('button', { name: 'End all others' });
  use(listed(HERE));
  await userEvent.click(button);
  expect(await screen.findByText('2 devices were signed out.')).toBeTruthy();
  await waitFor(() => { expect(screen.queryByRole('button', { name: 'End all others' })).toBeNull(); });
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST').map(({ url }) => url)).toEqual(['/api/sessions/end-others']);
});

test('this browser is signed out, and not ended from under its own page', async () => {
  const { calls } = renderPage(<SessionsPage />, { api: [listed(HERE, LINE), waits(SignOut)] });
  const [, here] = within(await table()).getAllByRole('row');
  if (!here) throw new Error('there is a row');
  expect(within(here).queryByRole('button', { name: /^End/ })).toBeNull();
  await userEvent.click(within(here).getByRole('button', { name: 'Sign out' }));
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST').map(({ url }) => url)).toEqual(['/auth/sign-out']);
});

test('what could not be ended is not shown as ended', async () => {
  renderPage(<SessionsPage />, { api: [listed(HERE, LINE), refuses(EndSession, 'not-found', { detail: 'It has ended by now.' })] });
  await userEvent.click(await screen.findByRole('button', { name: /^End build-7/ }));
  expect((await screen.findByRole('alert')).textContent).toContain('It has ended by now.');
  expect(screen.getByRole('status').textContent).toBe('');
  expect(screen.getByText('build-7')).toBeTruthy();
});

test('says that it is reading, and what it could not read', async () => {
  const { unmount } = renderPage(<SessionsPage />, { api: [waits(ListSessions)] });
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  unmount();
  renderPage(<SessionsPage />, { api: [refuses(ListSessions, 'internal')] });
  expect(await screen.findByRole('alert')).toBeTruthy();
  expect(screen.queryByRole('table')).toBeNull();
});
