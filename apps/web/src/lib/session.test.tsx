import { GetSession } from '@gatehouse/contracts';
import { useQuery } from '@tanstack/react-query';
import { act, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ANA, answers, renderPage } from '../testing/testing.tsx';
import { formatCountdown } from './dates.ts';
import { session, useClockWatch, useNow } from './session.ts';

const MINUTE = 60_000;
const START = Date.parse(ANA.now);
const END = START + 30 * MINUTE;

/** The server's clock, which is right, and the page's, which need not be. */
let server = START;
beforeEach(() => {
  server = START;
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  show('visible');
  vi.useRealTimers();
});

function Left() {
  useQuery(session());
  useClockWatch();
  return <p>{formatCountdown(END - useNow().getTime())} left</p>;
}

const left = () => screen.getByText(/left$/).textContent;
const pass = async (ms: number) => {
  server += ms;
  await act(() => vi.advanceTimersByTimeAsync(ms));
};
/** Time goes by and no timer runs: asleep. The clock may be another one afterwards. */
const sleep = (ms: number, setBy = 0) => {
  server += ms;
  vi.setSystemTime(Date.now() + ms + setBy);
};
function show(visibility: DocumentVisibilityState) {
  Object.defineProperty(document, 'visibilityState', { configurable: true, value: visibility });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}

async function open(browserAheadMs: number) {
  vi.setSystemTime(START + browserAheadMs);
  const page = renderPage(<Left />, { api: [answers(GetSession, () => ({ ...ANA, now: new Date(server).toISOString() }))] });
  await pass(1000);
  return page;
}

test.each([['right', 0], ['7 minutes fast', 7 * MINUTE], ['7 minutes slow', -7 * MINUTE]])('the time left is the server’s on a browser whose clock is %s, also after 20 minutes asleep', async (_name, ahead) => {
  await open(ahead);
  expect(left()).toBe('00:29:59 left');
  sleep(20 * MINUTE);
  await pass(1000);
  expect(left()).toBe('00:09:58 left');
});

test.each([['forward', 7 * MINUTE], ['back', -27 * MINUTE]])('a clock that was set %s while the page was open and asleep is noticed at once', async (_name, setBy) => {
  await open(0);
  sleep(20 * MINUTE, setBy);
  await pass(1000); // the tick that notices
  await pass(1000);
  expect(left()).toBe('00:09:57 left');
});

test('a page that nobody looks at asks nothing; one that is looked at again reads the time anew, however fresh it seems', async () => {
  const { calls } = await open(0);
  show('hidden');
  const before = calls.length;
  sleep(2 * MINUTE, -2 * MINUTE); // the clock says that no time has passed
  await pass(1000);
  sleep(10 * MINUTE, 7 * MINUTE);
  await pass(1000);
  expect(calls.length, 'asked while hidden').toBe(before);
  sleep(0, -17 * MINUTE);
  await act(() => {
    show('visible');
    return vi.advanceTimersByTimeAsync(0);
  });
  await pass(1000);
  expect(left()).toBe('00:17:56 left');
});
