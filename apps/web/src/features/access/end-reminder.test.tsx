import { GetSession, ListMyAccess } from '@gatehouse/contracts';
import { useQuery } from '@tanstack/react-query';
import { act, fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { session } from '../../lib/session.ts';
import { at, entry, GROUP, myAccess as listed } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage } from '../../testing/testing.tsx';
import { EndReminder } from './end-reminder.tsx';

const MINUTE = 60_000;
const NAME = /^Remind me before it ends/;
const openUntil = (minutes: number) => entry({ active: { since: at(-1), endsAt: at(minutes), canEndAt: at(4), memberAt: at(-1), permanent: false } });

/** The browser's notifications: what was shown, and what it answers when it is asked. */
let shown: { title: string; options: NotificationOptions }[];
let asked: number;
function browser(permission: NotificationPermission, answer: NotificationPermission = permission) {
  shown = [];
  asked = 0;
  const state = {
    permission,
    requestPermission() {
      asked += 1;
      this.permission = answer;
      return Promise.resolve(answer);
    },
  };
  vi.stubGlobal('Notification', Object.assign(function (title: string, options: NotificationOptions) { shown.push({ title, options }); }, state));
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  vi.setSystemTime(Date.parse(ANA.now));
});
afterEach(() => { vi.useRealTimers(); });

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const box = () => screen.getByRole<HTMLInputElement>('checkbox', { name: NAME });
const click = async () => {
  await act(async () => { fireEvent.click(box()); });
  await pass(0);
};

function Reminder({ open }: { open: Parameters<typeof EndReminder>[0]['open'] }) {
  useQuery(session());
  return <EndReminder open={open} />;
}
async function render(open = [openUntil(30)], now = open, ahead = 0) {
  // A browser whose clock is wrong: the server's is not.
  const page = renderPage(<Reminder open={open} />, { api: [answers(GetSession, () => ({ ...ANA, now: new Date(Date.now() - ahead).toISOString() })), answers(ListMyAccess, listed(now))] });
  await pass(1000);
  return page;
}

test('nobody is asked before they want it; then once, and it is remembered', async () => {
  browser('default', 'granted');
  const { unmount } = await render();
  expect([asked, box().checked]).toEqual([0, false]);
  await click();
  expect([asked, box().checked]).toEqual([1, true]);
  unmount();
  await render();
  expect([asked, box().checked]).toEqual([1, true]);
  await click();
  expect([box().checked, localStorage.length]).toEqual([false, 0]);
});

test('one reminder, 5 min before the end by the server’s clock', async () => {
  browser('granted');
  vi.setSystemTime(Date.parse(ANA.now) + 7 * MINUTE);
  await render([openUntil(30)], [openUntil(30)], 7 * MINUTE);
  await click();
  await pass(24 * MINUTE + 50_000);
  expect(shown).toEqual([]);
  await pass(10_000);
  expect(shown).toEqual([{ title: 'Finance reports ends in 5 min', options: { body: expect.stringMatching(/^Your membership of FinReport-SeniorAnalyst-SecureAccess ends at \d\d:\d\d\.$/), tag: `${GROUP} ${at(30)}` } }]);
  await pass(6 * MINUTE);
  expect(shown).toHaveLength(1);
});

test('after sleep it tells what is left, and of what is over nothing', async () => {
  browser('granted');
  const open = [openUntil(30), { ...openUntil(20), groupId: 'gone' }];
  await render(open);
  await click();
  vi.setSystemTime(Date.parse(ANA.now) + 27 * MINUTE);
  await pass(1000);
  expect(shown.map(({ title }) => title)).toEqual(['Finance reports ends in 3 min']);
});

test('what was ended meanwhile is not said to end', async () => {
  browser('granted');
  await render([openUntil(30)], [entry()]);
  await click();
  await pass(26 * MINUTE);
  expect(shown).toEqual([]);
});

test('what cannot be read is reminded of as it was known', async () => {
  browser('granted');
  const { use } = await render([openUntil(30)]);
  use(refuses(ListMyAccess, 'directory-unavailable'));
  await click();
  await pass(26 * MINUTE);
  expect(shown).toHaveLength(1);
});

test('nobody is reminded of what they opened a moment ago, nor of what they did not ask for', async () => {
  browser('granted');
  const { unmount } = await render([openUntil(5)]);
  await click();
  await pass(6 * MINUTE);
  expect(shown).toEqual([]);
  unmount();
  localStorage.clear();
  await render([openUntil(30)]);
  await pass(40 * MINUTE);
  expect(shown).toEqual([]);
});

test('a browser that refuses says so at the box, and one without notifications has no box', async () => {
  browser('default', 'denied');
  const { unmount } = await render();
  await click();
  expect([box().checked, localStorage.length]).toEqual([false, 0]);
  expect(screen.getByText(/your browser does not allow it here/)).toBeTruthy();
  unmount();
  vi.unstubAllGlobals();
  await render();
  expect(screen.queryByRole('checkbox')).toBeNull();
});

test('a browser that notifies from service workers only keeps the page whole', async () => {
  browser('granted');
  vi.stubGlobal('Notification', Object.assign(function () { throw new TypeError('Illegal constructor'); }, { permission: 'granted', requestPermission: () => Promise.resolve('granted') }));
  await render();
  await click();
  await pass(26 * MINUTE);
  expect(box().checked).toBe(true);
});
