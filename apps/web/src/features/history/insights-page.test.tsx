import { InsightKind, ListInsights, type Insight } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, renderPage } from '../../testing/testing.tsx';
import { InsightsPage } from './insights-page.tsx';
import { coverage, INES } from './testing/history.tsx';

const insight = (more: Partial<Insight> = {}): Insight => ({ kind: 'standing-access', person: 'Omar Haddad', personId: 'o1', group: 'FinReport', groupId: 'g1', at: at(-600), found: 'Added to the group, past PIM, by Maya Lindqvist', times: 1, eventId: 'directory:1', requestId: null, ...more });
const found = (insights: Insight[], knownSince: string | null = at(-60 * 24 * 30), total?: number) => answers(ListInsights, { insights, totals: InsightKind.options.map((kind) => ({ kind, total: total ?? insights.filter((one) => one.kind === kind).length })), knownSince, lookedFrom: at(-60), coverage: coverage() });
const show = (api = found([insight()])) => renderPage(<InsightsPage />, { path: '/history/insights', session: INES, api: [api] });

test('each kind says its rule, what was found, and leads to what shows it', async () => {
  show(found([insight(), insight({ kind: 'quick-approval', person: 'Ines Moreau', found: 'Approved 4 s after the request', times: 3, eventId: null, requestId: 'r9' })]));
  const standing = await screen.findByRole('table', { name: 'Access without activating' });
  expect(within(standing).getByText('Added to the group, past PIM, by Maya Lindqvist')).toBeTruthy();
  expect(within(standing).getByRole('link').getAttribute('href')).toBe('/history?event=directory%3A1');
  expect(within(screen.getByRole('table', { name: 'Approved at once' })).getByRole('link').getAttribute('href')).toBe('/history/activations?activation=r9');
  expect(screen.getByText(/Decided less than 10 seconds after the request/)).toBeTruthy();
  expect(screen.getByText(/Known since/)).toBeTruthy();
});

test('of a log that nobody read nothing is claimed', async () => {
  show(found([], null));
  expect(await screen.findByText(/so nothing is known/)).toBeTruthy();
  expect(screen.queryByText(/Everybody who is eligible activated/)).toBeNull();
});

test('says how many there are beyond those that are told', async () => {
  show(found([insight()], at(-60), 230));
  expect(await screen.findByText('Access without activating (230)')).toBeTruthy();
  expect(screen.getByText('The newest 1 of 230.')).toBeTruthy();
});

test('how far to look back is asked for', async () => {
  const { calls } = show();
  await userEvent.selectOptions(await screen.findByLabelText('Look back'), '30 days');
  await waitFor(() => { expect(calls.at(-1)?.url).toContain('days=30'); });
});
