import { CountEvents, ListHistoryNames, SearchEvents } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler, type SeenCall } from '../../testing/testing.tsx';
import { EventsPage } from './events-page.tsx';
import { eachOnce } from './history-list.tsx';
import { AddressBar, coverage, eventCount, historyEvent, INES } from './testing/history.tsx';

const noCount = answers(CountEvents, eventCount());
const noNames = answers(ListHistoryNames, { groups: [], applications: [] });
const one = (n: number) => historyEvent({ id: `directory:${n}`, at: at(-n), reason: `reason ${n}` });
const page = (numbers: number[], nextCursor: string | null = null) => ({ events: numbers.map(one), nextCursor, coverage: coverage() });
const cursorOf = ({ url }: SeenCall) => new URL(url, 'http://portal').searchParams.get('cursor');
const show = (api: Handler[], path = '/history') => renderPage(<><EventsPage /><AddressBar /></>, { path, session: INES, api: [...api, noNames, noCount] });
const reasons = () => screen.getAllByText(/^reason /).map(({ textContent }) => textContent);
const older = () => userEvent.click(screen.getByRole('button', { name: 'Older events' }));
const searches = (calls: SeenCall[]) => calls.filter(({ endpoint }) => endpoint === SearchEvents);

/** Answers when told to. */
function later(value: ReturnType<typeof page>): Handler & { come(): void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const now = answers(SearchEvents, value);
  return { endpoint: SearchEvents, answer: async (call) => { await promise; return now.answer(call); }, come: () => { resolve(undefined); } };
}

test('the newest stands first; what is older comes below with the cursor, until there is no more', async () => {
  const { calls } = show([answers(SearchEvents, (call) => ({ null: page([1, 2], 'after-2'), 'after-2': page([3, 4], 'after-4'), 'after-4': page([5]) })[String(cursorOf(call))] ?? page([]))], '/history?person=Ana');
  await screen.findByRole('table');
  expect(reasons()).toEqual(['reason 1', 'reason 2']);
  await older();
  await waitFor(() => { expect(reasons()).toEqual(['reason 1', 'reason 2', 'reason 3', 'reason 4']); });
  await older();
  await waitFor(() => { expect(reasons()).toHaveLength(5); });
  expect(screen.queryByRole('button', { name: /^Older/ })).toBeNull();
  expect(searches(calls).map(cursorOf)).toEqual([null, 'after-2', 'after-4']);
  expect(searches(calls).every(({ url }) => url.includes('person=Ana'))).toBe(true);
});

test('what stands on two pages stands in the list once', async () => {
  show([answers(SearchEvents, (call) => (cursorOf(call) === null ? page([1, 2], 'next') : page([2, 3])))]);
  await screen.findByRole('table');
  await older();
  await waitFor(() => { expect(reasons()).toEqual(['reason 1', 'reason 2', 'reason 3']); });
});

test('of the same row the newer reading counts', () => {
  expect(eachOnce([{ id: 'a', n: 1 }, { id: 'b', n: 1 }, { id: 'a', n: 2 }], ({ id }) => id)).toEqual([{ id: 'a', n: 2 }, { id: 'b', n: 1 }]);
});

test('while older ones are read the button says so and asks only once', async () => {
  const next = later(page([3]));
  const { calls, use } = show([answers(SearchEvents, page([1, 2], 'after-2'))]);
  await screen.findByRole('table');
  use(next);
  await older();
  const button = await screen.findByRole<HTMLButtonElement>('button', { name: 'Reading older events' });
  expect(button.disabled || button.getAttribute('aria-disabled') === 'true').toBe(true);
  await userEvent.click(button);
  next.come();
  await waitFor(() => { expect(reasons()).toHaveLength(3); });
  expect(searches(calls).map(cursorOf)).toEqual([null, 'after-2']);
});

test('older ones that are refused leave those that are there, and can be asked for again where the eye is', async () => {
  const { use, calls } = show([answers(SearchEvents, page([1, 2], 'after-2'))]);
  await screen.findByRole('table');
  use(refuses(SearchEvents, 'internal'));
  await older();
  const alert = await screen.findByRole('alert');
  expect(reasons()).toEqual(['reason 1', 'reason 2']);
  expect(screen.getAllByRole('alert')).toHaveLength(1);
  expect(screen.getByRole('table').compareDocumentPosition(alert) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  use(answers(SearchEvents, page([3])));
  await userEvent.click(within(alert).getByRole('button', { name: 'Try again' }));
  await waitFor(() => { expect(reasons()).toEqual(['reason 1', 'reason 2', 'reason 3']); });
  expect(searches(calls).map(cursorOf)).toEqual([null, 'after-2', 'after-2']);
});

test('rows of the filter before do not pass for the answer of the next one', async () => {
  const next = later(page([7]));
  const { use } = show([answers(SearchEvents, page([1, 2], 'after-2'))]);
  await screen.findByRole('table');
  use(next);
  await userEvent.selectOptions(screen.getByLabelText('Result'), 'failure');
  await waitFor(() => { expect(screen.getByRole('table').closest('[aria-busy="true"]')).not.toBeNull(); });
  expect(screen.getByRole('table').closest('[inert]'), 'what is about to go cannot be opened').not.toBeNull();
  expect(screen.queryByRole('button', { name: 'Older events' })).toBeNull();
  next.come();
  await waitFor(() => { expect(reasons()).toEqual(['reason 7']); });
  expect(screen.getByRole('table').closest('[aria-busy="true"], [inert]')).toBeNull();
});

test('an empty answer to the filter before does not say that the next one is empty', async () => {
  const { use } = show([answers(SearchEvents, page([]))], '/history?person=Nobody');
  await screen.findByText('No events match');
  use(waits(SearchEvents));
  await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByText(/No events/)).toBeNull();
});

test('a filter that is refused shows no rows of the one before', async () => {
  const { use } = show([answers(SearchEvents, page([1, 2]))]);
  await screen.findByRole('table');
  use(refuses(SearchEvents, 'not-ready'));
  await userEvent.selectOptions(screen.getByLabelText('Result'), 'failure');
  expect((await screen.findByRole('alert')).textContent).toContain('The portal is not ready yet');
  expect(screen.queryByRole('table')).toBeNull();
  expect(screen.queryByText(/No events/)).toBeNull();
});

test('who has no role for it reads that, and nothing of the record', async () => {
  show([refuses(SearchEvents, 'not-permitted', { detail: 'The history is for people with the app role Auditor.' })]);
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Your role does not allow this');
  expect(alert.textContent).toContain('app role Auditor');
  expect(screen.queryByRole('table')).toBeNull();
  expect(screen.queryByText(/No events|Nothing was read/)).toBeNull();
});
