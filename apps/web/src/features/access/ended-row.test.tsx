import { ListOwnResidualAccess } from '@gatehouse/contracts';
import { useQuery } from '@tanstack/react-query';
import { screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { session } from '../../lib/session.ts';
import { at, entry } from '../../testing/fixtures.ts';
import { ANA, answers, renderPage } from '../../testing/testing.tsx';
import { EndedRow } from './rows.tsx';

const MINUTE = 60_000;
const START = Date.parse(ANA.now);

beforeEach(() => { vi.useFakeTimers({ toFake: ['Date'] }); });
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** The row, once the page knows the server's time. */
function Row({ endedAt }: { endedAt: number }) {
  const { data } = useQuery(session());
  const ended = { at: new Date(endedAt).toISOString(), networkMayStayOpenUntil: new Date(endedAt + 90 * MINUTE).toISOString() };
  return data ? <EndedRow entry={entry({ ended })} onClosed={() => {}} /> : null;
}

/** What the row says at `now` of a membership that ended at `endedAt`, on a browser whose clock is `ahead`. */
async function said(now: number, endedAt: number, ahead: number): Promise<string | undefined> {
  vi.setSystemTime(now + ahead);
  const { unmount } = renderPage(<Row endedAt={endedAt} />, { session: { ...ANA, now: new Date(now).toISOString() }, api: [answers(ListOwnResidualAccess, { readAt: at(0), items: [] })] });
  const text = (await screen.findByText(/^Connections that are open/)).textContent;
  unmount();
  return /may go on for (.*): close them/.exec(text)?.[1];
}

// No two that follow each other lie within two seconds: what is shown moves with a timer, and a jump moves it at once.
const EDGES: readonly (readonly [string, string])[] = [['00:00', '1 h 30 min'], ['29:59', '1 h 1 min'], ['59:59', '31 min'], ['88:59', '2 min'], ['30:00', '1 h'], ['60:00', '30 min'], ['89:00', '1 min'], ['30:01', '1 h'], ['60:01', '30 min'], ['89:59', '1 min']];
const msOf = (after: string): number => {
  const [minutes = 0, seconds = 0] = after.split(':').map(Number);
  return minutes * MINUTE + seconds * 1000;
};

test.each([['right', 0], ['7 minutes fast', 7 * MINUTE], ['an hour slow', -60 * MINUTE]])('how long connections may go on is never told too short, on a browser whose clock is %s', async (_name, ahead) => {
  for (const [after, left] of EDGES) expect(await said(START + msOf(after), START, ahead), after).toBe(left);
});

test.each([['leap ahead', '2026-03-29T00:30:00Z'], ['go back', '2026-10-25T00:30:00Z']])('in a night in which the clocks %s too', async (_name, night) => {
  vi.stubEnv('TZ', 'Europe/Lisbon');
  for (const [after, left] of EDGES) expect(await said(Date.parse(night) + msOf(after), Date.parse(night), 0), after).toBe(left);
});
