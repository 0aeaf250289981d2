import { CountEvents, ListHistoryNames, SearchActivations, SearchEvents } from '@gatehouse/contracts';
import { act, fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits, type Handler, type SeenCall } from '../../testing/testing.tsx';
import { ActivationsPage } from './activations-page.tsx';
import { EventsPage } from './events-page.tsx';
import { coverage, eventCount, historyActivation, historyEvent, INES } from './testing/history.tsx';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  vi.setSystemTime(Date.parse(ANA.now));
});
afterEach(() => { vi.useRealTimers(); });

const noNames = answers(ListHistoryNames, { groups: [], applications: [] });
const one = (minutesAgo: number) => historyEvent({ id: `directory:${minutesAgo}`, at: at(-minutesAgo), reason: `reason ${minutesAgo}` });
const page = (numbers: number[], nextCursor: string | null = null) => ({ events: numbers.map(one), nextCursor, coverage: coverage() });
const reasons = () => screen.queryAllByText(/^reason /).map(({ textContent }) => Number(textContent.slice(7)));
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const press = async (name: string | RegExp) => {
  await act(async () => { fireEvent.click(screen.getByRole('button', { name })); });
  await pass(0);
};
async function show(api: Handler[], path = '/history', shown = <EventsPage />) {
  const rendered = renderPage(shown, { path, session: INES, api: [...api, noNames, answers(CountEvents, eventCount())] });
  await pass(1_000);
  return rendered;
}
const asked = (calls: SeenCall[], endpoint: unknown) => calls.filter((call) => call.endpoint === endpoint).length;

test('what came in is said and moves nothing; it comes in when it is asked for, and is counted', async () => {
  const { use, calls } = await show([answers(SearchEvents, page([5, 8]))]);
  expect(screen.queryByRole('button', { name: /newer|more/ })).toBeNull();
  use(answers(SearchEvents, page([1, 3, 5, 8])));
  await pass(30_000);
  expect(reasons()).toEqual([5, 8]);
  const counted = asked(calls, CountEvents);
  await press('2 newer events');
  expect(reasons()).toEqual([1, 3, 5, 8]);
  expect(screen.queryByRole('button', { name: /newer/ })).toBeNull();
  expect(document.activeElement, 'the keyboard goes on where the button was').toBe(screen.getByRole('group', { name: 'Events as they are now' }));
  expect(screen.getByText('The list is up to date').getAttribute('role')).toBe('status');
  expect(asked(calls, CountEvents)).toBe(counted + 1);
});

test('of a list that was read on, what is let in is the first page as it is now, to be read on anew', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8], 'older'))]);
  use(answers(SearchEvents, page([9, 10])));
  await press('Older events');
  use(answers(SearchEvents, page([1, 5], 'others')));
  await pass(30_000);
  expect(reasons()).toEqual([5, 8, 9, 10]);
  await press('1 newer event');
  expect(reasons()).toEqual([1, 5]);
  expect(screen.getByRole('button', { name: 'Older events' })).toBeTruthy();
});

test('an older page that is under way does not bring back what was there when it was asked for', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8], 'older'))]);
  use(answers(SearchEvents, page([1, 5], 'others')));
  await pass(30_000);
  use(waits(SearchEvents));
  await press('Older events');
  await press('1 newer event');
  expect(reasons()).toEqual([1, 5]);
  expect(screen.getByRole('button', { name: 'Older events' })).toBeTruthy();
});

test('whoever comes back to the window is told at once; what is refused meanwhile says nothing', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8]))]);
  use(refuses(SearchEvents, 'internal'));
  await pass(30_000);
  expect(screen.queryByRole('alert')).toBeNull();
  expect(reasons()).toEqual([5, 8]);
  use(answers(SearchEvents, page([1, 5, 8])));
  await pass(6_000);
  await act(async () => { window.dispatchEvent(new Event('visibilitychange')); });
  await pass(0);
  expect(screen.getByRole('button', { name: '1 newer event' })).toBeTruthy();
  expect(reasons()).toEqual([5, 8]);
});

test('a list of which nothing is known any more lacks a whole page, or more', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8]))]);
  use(answers(SearchEvents, page([1, 2, 3], 'older')));
  await pass(30_000);
  expect(screen.getByRole('button', { name: '3+ newer events' })).toBeTruthy();
});

test('what shows late stands among the others, and is not called newer', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8]))]);
  use(answers(SearchEvents, page([5, 6, 8])));
  await pass(30_000);
  await press('1 more event');
  expect(reasons()).toEqual([5, 6, 8]);
});

test('an empty list takes in what comes: there is nothing that it could move', async () => {
  const { use } = await show([answers(SearchEvents, page([]))]);
  expect(screen.getByText('No events yet')).toBeTruthy();
  use(answers(SearchEvents, page([1])));
  await pass(30_000);
  expect(reasons()).toEqual([1]);
});

test('with the oldest first nothing newer is looked for', async () => {
  const { calls } = await show([answers(SearchEvents, page([8, 5]))], '/history?order=oldest');
  await pass(120_000);
  expect([reasons(), asked(calls, SearchEvents)]).toEqual([[8, 5], 1]);
});

test('an activation that is shown becomes what it is now, where it stands', async () => {
  const listed = (...activations: ReturnType<typeof historyActivation>[]) => answers(SearchActivations, { activations, nextCursor: null, coverage: coverage() });
  const running = historyActivation({ status: 'active', requestedAt: at(-10), provisionedAt: at(-10), expiresAt: at(20), endedAt: null, endedHow: null, lastedSeconds: null });
  const { use } = await show([listed(running)], '/history/activations', <ActivationsPage />);
  expect(screen.getByRole('table').textContent).toContain('Active');
  use(listed(historyActivation({ requestId: 'another', requestedAt: at(-1), principalName: 'Ben Novak' }), { ...running, status: 'ended', endedAt: at(0), endedHow: 'deactivated', lastedSeconds: 600 }));
  await pass(30_000);
  expect(screen.getByRole('table').textContent).not.toContain('Active');
  expect(screen.queryByText('Ben Novak')).toBeNull();
  await press('1 newer activation');
  expect(screen.getByText('Ben Novak')).toBeTruthy();
});

test('how complete the record is, and whether it is sealed, is said of the latest look', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8]))]);
  expect(screen.queryByText('Not sealed')).toBeNull();
  use(answers(SearchEvents, { ...page([5, 8]), coverage: coverage({ isLedgerStopped: true }) }));
  await pass(30_000);
  expect(screen.getByText('Not sealed')).toBeTruthy();
});

test('a look leaves what older events were refused with, and what became known while they were read', async () => {
  const { use } = await show([answers(SearchEvents, page([5, 8], 'older'))]);
  use(refuses(SearchEvents, 'internal'));
  await press('Older events');
  expect(screen.getByRole('alert')).toBeTruthy();
  use(answers(SearchEvents, page([5, 8], 'older')));
  await pass(30_000);
  expect(screen.getByRole('alert')).toBeTruthy();
});

test('what is not of the chosen state any more is said to be outdated, and goes when it is asked for', async () => {
  const listed = (...activations: ReturnType<typeof historyActivation>[]) => answers(SearchActivations, { activations, nextCursor: null, coverage: coverage() });
  const running = historyActivation({ status: 'active', requestedAt: at(-10), provisionedAt: at(-10), expiresAt: at(20), endedAt: null, endedHow: null, lastedSeconds: null });
  const { use } = await show([listed(running)], '/history/activations?status=active', <ActivationsPage />);
  use(listed());
  await pass(30_000);
  await press('Show the activations as they are now');
  expect(screen.queryByRole('table')).toBeNull();
  expect(screen.getByText('No activations match')).toBeTruthy();
});
