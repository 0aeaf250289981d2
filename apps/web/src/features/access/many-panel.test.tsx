import { ListMyAccess, RemoveAccessSet, RequestActivations, SaveAccessSet } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { at, entry, myAccess, request } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, type Handler } from '../../testing/testing.tsx';
import { AccessPage } from './access-page.tsx';

const id = (last: number): string => `f0000000-0000-4000-8000-00000000000${last}`;
const policy = { maxMinutes: 60, signIn: 'none' as const, requireJustification: true, requireTicket: false, requireApproval: false, approvers: [] };
const named = (last: number, groupName: string, more: object = {}) => entry({ groupId: id(last), groupName, applications: [], policy, ...more });
const BUILD = named(1, 'Build', { lastMinutes: 45 });
const PAYROLL = named(2, 'Payroll', { policy: { ...policy, maxMinutes: 30, requireTicket: true } });
const OPEN = named(3, 'Reports', { active: { since: at(-10), endsAt: at(20), canEndAt: at(-5), memberAt: at(-1), permanent: false } });
const SET = { id: 'e0000000-0000-4000-8000-00000000000a', name: 'Month-end', groupIds: [id(1), id(3), id(9)] };

const start = async (...api: Handler[]) => {
  const page = renderPage(<AccessPage />, { api: [...api, answers(ListMyAccess, myAccess([BUILD, PAYROLL, OPEN], [], [SET]))] });
  await userEvent.click(await screen.findByRole('button', { name: 'Activate several' }));
  await screen.findByRole('dialog');
  return { ...page, posts: () => page.calls.filter(({ endpoint }) => endpoint.method === 'POST') };
};
const send = (count: number) => userEvent.click(screen.getByRole('button', { name: `Activate ${count}` }));
const why = () => screen.getByRole('textbox', { name: /^Why/ });

test('several are asked for with one reason, each for as long as usual and allowed, and each has its result', async () => {
  const { posts } = await start(answers(RequestActivations, { items: [
    { groupId: id(1), outcome: 'asked', request: request(), reason: null },
    { groupId: id(3), outcome: 'skipped', request: null, reason: 'You have this access already.' },
  ] }));
  await userEvent.click(screen.getByRole('button', { name: 'Month-end (3)' }));
  expect(screen.getByText(/^Open until .*: it will be skipped$/)).toBeTruthy();
  await userEvent.type(why(), 'Month-end close');
  await send(2);
  const results = within(await screen.findByRole('list', { name: 'What became of each' })).getAllByRole('listitem').map(({ textContent }) => textContent);
  expect(results).toEqual([expect.stringMatching(/Build.*Asked for, being provisioned/), expect.stringMatching(/Reports.*Skipped.*You have this access already\./)]);
  expect(posts()).toMatchObject([{ body: { items: [{ groupId: id(1), minutes: 45 }, { groupId: id(3), minutes: 60 }], justification: 'Month-end close' } }]);
});

test('what one of them asks for is asked for, and nothing is sent before it is there', async () => {
  const { posts } = await start(answers(RequestActivations, { items: [] }));
  await userEvent.click(screen.getByRole('button', { name: 'Activate' }));
  expect(screen.getByText('Choose at least one')).toBeTruthy();
  await userEvent.click(screen.getByRole('checkbox', { name: 'Payroll' }));
  await userEvent.type(why(), 'BAU');
  await send(1);
  expect(screen.getByText('What for? “BAU” does not say why you need them')).toBeTruthy();
  expect(screen.getByText('Give the ticket’s number')).toBeTruthy();
  expect(posts()).toEqual([]);
  await userEvent.type(why(), ' of the payroll import');
  await userEvent.type(screen.getByRole('textbox', { name: /^Ticket number/ }), 'INC-4711');
  await userEvent.click(screen.getByRole('radio', { name: 'At most 15 min' }));
  await send(1);
  await waitFor(() => { expect(posts()).toMatchObject([{ body: { items: [{ groupId: id(2), minutes: 15 }], ticket: { number: 'INC-4711' } } }]); });
});

test('a choice is kept under a name, and a set is removed', async () => {
  const { posts } = await start(answers(SaveAccessSet, SET), answers(RemoveAccessSet, SET));
  await userEvent.click(screen.getByRole('checkbox', { name: 'Build' }));
  await userEvent.type(screen.getByRole('textbox', { name: 'Keep this choice as a set' }), 'Mine{Enter}');
  expect(await screen.findByText('Saved as “Month-end”.')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Remove the set Month-end' }));
  await waitFor(() => { expect(posts().map(({ url, body }) => [url, body])).toEqual([['/api/access/sets', { name: 'Mine', groupIds: [id(1)] }], [`/api/access/sets/${SET.id}/remove`, {}]]); });
});

test('who has to verify comes back to what was chosen, and it goes out once', async () => {
  const assign = vi.fn<(url: string) => void>();
  vi.stubGlobal('location', { assign, pathname: '/access', search: '', href: 'http://localhost/access', origin: 'http://localhost' });
  const { unmount } = await start(refuses(RequestActivations, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' }));
  await userEvent.click(screen.getByRole('checkbox', { name: 'Build' }));
  await userEvent.type(why(), 'Month-end close');
  await send(1);
  // It was not announced, so it waits for a click.
  await userEvent.click(await screen.findByRole('button', { name: 'Verify and activate' }));
  expect(assign).toHaveBeenCalledExactlyOnceWith(`/auth/sign-in?stepUp=1&returnTo=${encodeURIComponent('/access?several=1&resume=1')}`);
  unmount();

  const api = [answers(RequestActivations, { items: [{ groupId: id(1), outcome: 'asked', request: request(), reason: null }] }), answers(ListMyAccess, myAccess([BUILD, PAYROLL]))];
  const back = renderPage(<AccessPage />, { path: '/access?several=1&resume=1', api });
  expect(await screen.findByRole('list', { name: 'What became of each' })).toBeTruthy();
  expect(back.calls.filter(({ endpoint }) => endpoint.method === 'POST')).toMatchObject([{ body: { items: [{ groupId: id(1), minutes: 45 }], justification: 'Month-end close' } }]);
  back.unmount();

  const again = renderPage(<AccessPage />, { path: '/access?several=1&resume=1', api });
  expect(await screen.findByRole('checkbox', { name: 'Build' })).toBeTruthy();
  expect(again.calls.filter(({ endpoint }) => endpoint.method === 'POST')).toEqual([]);
});

test('who has to sign in again finds what was chosen, and nothing goes out by itself', async () => {
  const { unmount } = await start(refuses(RequestActivations, 'not-signed-in'));
  await userEvent.click(screen.getByRole('checkbox', { name: 'Build' }));
  await userEvent.type(why(), 'Month-end close');
  await send(1);
  expect(await screen.findByRole('alert')).toBeTruthy();
  unmount();
  const { posts } = await start(answers(RequestActivations, { items: [] }));
  expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'Build' }).checked).toBe(true);
  expect((why() as HTMLInputElement).value).toBe('Month-end close');
  expect(posts()).toEqual([]);
});
