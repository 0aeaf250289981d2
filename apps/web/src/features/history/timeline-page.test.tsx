import { GetEventStatistics, GetTimeline, ListHistoryNames, type Answer } from '@gatehouse/contracts';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, renderPage, waits } from '../../testing/testing.tsx';
import { AddressBar, coverage, INES } from './testing/history.tsx';
import { TimelinePage } from './timeline-page.tsx';

const bar = (more: Partial<Answer<typeof GetTimeline>['lanes'][number]['bars'][number]> = {}) => ({ requestId: 'r1', principalName: 'Ana Costa', groupName: 'FinReport', applications: ['Finance reports'], status: 'ended' as const, beganAt: at(-60), endedAt: at(-30), expiresAt: at(-30), networkUntil: at(60), ...more });
const lanes = (bars = [bar()], more = false) => answers(GetTimeline, { lanes: bars.length === 0 ? [] : [{ id: 'a1', name: 'Ana Costa', bars }], more, coverage: coverage() });
const counts = answers(GetEventStatistics, { hours: [{ weekday: 1, hour: 9, events: 12 }], months: [{ month: '2026-02', events: 12 }], coverage: coverage() });
const show = (api = lanes(), path = '/history/timeline') => renderPage(<><TimelinePage /><AddressBar /></>, { path, session: INES, api: [api, counts, answers(ListHistoryNames, { groups: [], applications: [] })] });
const address = () => screen.getByLabelText('Address').textContent ?? '';

test('a bar says whose, what, from when to when, and opens its story', async () => {
  show(lanes([bar(), bar({ requestId: 'r2', status: 'active', endedAt: null, networkUntil: null })]));
  const lane = await screen.findByRole('list', { name: 'Memberships of Ana Costa' });
  const [first, second] = within(lane).getAllByRole('button');
  expect(first?.getAttribute('aria-label')).toMatch(/^Ana Costa, Finance reports: .* to .*, ended$/);
  expect(second?.getAttribute('aria-label')).toContain('not seen to end');
});

test('zooming stands in the address, asks for the span alone, and is taken back', async () => {
  const { calls } = show();
  await screen.findByRole('list', { name: 'Memberships of Ana Costa' });
  const spans = () => calls.filter(({ endpoint }) => endpoint === GetTimeline).map(({ url }) => { const query = new URL(url, 'http://portal').searchParams; return Date.parse(query.get('to') ?? '') - Date.parse(query.get('from') ?? ''); });
  const before = spans().at(-1) ?? 0;
  await userEvent.click(screen.getByRole('button', { name: 'Zoom in' }));
  expect(address()).toContain('zoom=');
  await waitFor(() => { expect(spans().at(-1)).toBe(before / 2); });
  await userEvent.click(screen.getByRole('button', { name: 'Whole span' }));
  expect(address()).toBe('/history/timeline');
});

test('a zoom is of the days that were chosen: other days, or none, are shown whole', async () => {
  show(lanes(), '/history/timeline?person=Ana&from=2026-02-02');
  await userEvent.click(await screen.findByRole('button', { name: 'Zoom in' }));
  fireEvent.change(screen.getByLabelText('From'), { target: { value: '2026-02-03' } });
  expect(address()).toBe('/history/timeline?person=Ana&from=2026-02-03');
  await userEvent.click(screen.getByRole('button', { name: 'Earlier' }));
  expect(address()).toContain('zoom=');
  await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
  expect(address()).toBe('/history/timeline');
});

test('what is counted by time alone says of whom it is where names are looked for', async () => {
  show();
  expect(await screen.findByRole('heading', { name: 'When people activate' })).toBeTruthy();
  await userEvent.type(screen.getByLabelText('Person'), 'Ana{Enter}');
  for (const name of ['When people activate, all people and groups', 'Activations by month, all people and groups']) expect(await screen.findByRole('heading', { name })).toBeTruthy();
});

test('bars of the span before cannot be opened while those of the next one are read', async () => {
  const { use } = show();
  const isInert = async () => (await screen.findByRole('list', { name: 'Memberships of Ana Costa' })).closest('[aria-busy="true"][inert]') !== null;
  expect(await isInert()).toBe(false);
  use(waits(GetTimeline));
  await userEvent.click(screen.getByRole('button', { name: 'Zoom in' }));
  await waitFor(async () => { expect(await isInert()).toBe(true); });
  use(lanes());
  await userEvent.click(screen.getByRole('button', { name: 'Zoom in' }));
  await waitFor(async () => { expect(await isInert()).toBe(false); });
});

test('lanes are people, or applications when asked for', async () => {
  show();
  await userEvent.selectOptions(await screen.findByLabelText('A lane for each'), 'Application');
  expect(address()).toBe('/history/timeline?by=application');
});

test('says that there are more than are shown, and that nobody had any', async () => {
  const { use } = show(lanes([bar()], true));
  expect(await screen.findByText(/There are more than are shown/)).toBeTruthy();
  use(lanes([]));
  await userEvent.click(screen.getByRole('button', { name: 'Earlier' }));
  expect(await screen.findByText('Nobody had access by activation in this time')).toBeTruthy();
});

test('that nobody had any is said of the span that was read, not of the next one', async () => {
  const { use } = show(lanes([]));
  const nobody = 'Nobody had access by activation in this time';
  await screen.findByText(nobody);
  use(waits(GetTimeline));
  await userEvent.click(screen.getByRole('button', { name: 'Earlier' }));
  await waitFor(() => { expect(screen.queryByText(nobody)).toBeNull(); });
  expect(screen.getAllByLabelText('Reading')).toHaveLength(1);
});

test('numbers that are not there yet are awaited in their places', async () => {
  renderPage(<TimelinePage />, { session: INES, api: [lanes(), waits(GetEventStatistics), answers(ListHistoryNames, { groups: [], applications: [] })] });
  await screen.findByRole('list', { name: 'Memberships of Ana Costa' });
  expect(screen.getAllByLabelText('Reading')).toHaveLength(2);
});

test('the week is a table with a number in each hour, and months lead to their events', async () => {
  show();
  const table = await screen.findByRole('table', { name: /Activations that began in each hour of the week/ });
  expect(within(within(table).getByRole('row', { name: /^Mon/ })).getAllByRole('cell')[9]?.textContent).toBe('12');
  expect(screen.getByRole('link', { name: 'Feb 2026' }).getAttribute('href')).toBe('/history?kind=activated&result=success&from=2026-02-01&to=2026-02-28');
});
