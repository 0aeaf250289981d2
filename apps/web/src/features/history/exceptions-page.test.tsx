import { GetActivation, GetExceptions, type Answer } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at, REQUEST } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler, type SeenCall } from '../../testing/testing.tsx';
import { ExceptionsPage } from './exceptions-page.tsx';
import { AddressBar, coverage, INES, story } from './testing/history.tsx';

type Exceptions = Answer<typeof GetExceptions>;
const judged = { from: at(-60 * 24 * 20), to: at(-60) };
const uncovered = (n: number) => ({ id: `c-${n}`, at: at(-100 - n), principalId: 'h', principalName: 'helena@contoso.example', host: `payroll-${n}.corp`, port: 443, applicationName: 'Payroll', groups: ['Payroll-Operator-SecureAccess'] });
const unused = { requestId: REQUEST, principalId: 'a', principalName: 'Ana Costa', groupName: 'FinReport-SecureAccess', applications: ['Finance reports'], justification: null, provisionedAt: at(-300), endedAt: at(-270) };
const both = (more: Partial<Exceptions> = {}): Exceptions => ({
  traffic: { rows: [uncovered(1)], nextCursor: null, judged }, activations: { rows: [unused], nextCursor: null, judged }, cause: null, coverage: { ...coverage(), closed: null }, ...more,
});
const asked = ({ url }: SeenCall) => new URL(url, 'http://portal').searchParams;
const listed = (whole: Exceptions) => answers(GetExceptions, (call) => ({ ...whole, [asked(call).get('list') === 'traffic' ? 'activations' : 'traffic']: null }));
const show = (...api: Handler[]) => renderPage(<><ExceptionsPage /><AddressBar /></>, { path: '/history/exceptions', session: INES, api });
const region = async (name: string) => within(await screen.findByRole('region', { name }));
const TRAFFIC = 'Connections without an activation';
const ACTIVATIONS = 'Activations without a connection';
const plain = (text: string | null) => (text ?? '').replaceAll(/\d\d:\d\d(:\d\d)?/g, 'hh:mm').replaceAll(/\d+ \w{3} \d{4}/g, 'day');

test('both lists say who, what and when, what was looked at, and how far the log was read', async () => {
  show(listed(both()));
  const [traffic, activations] = [await region(TRAFFIC), await region(ACTIVATIONS)];
  const cellsOf = async (list: typeof traffic) => within(await list.findByRole('table')).getAllByRole('cell').map((cell) => plain(cell.textContent));
  expect(await cellsOf(traffic)).toEqual(['hh:mmday', 'helena@contoso.example', 'payroll-1.corp:443Payroll', 'Payroll-Operator-SecureAccess']);
  expect(await cellsOf(activations)).toEqual(['hh:mmday', 'Ana Costa', 'Finance reportsFinReport-SecureAccess', 'No reason recorded', '30 min']);
  expect(plain(traffic.getByText(/^Looked at/).textContent)).toBe('Looked at: connections from day hh:mm to hh:mm. Later ones wait 1 h for activations that Microsoft shows late.');
  expect(plain(activations.getByText(/^Looked at/).textContent)).toBe('Looked at: activations that began from day hh:mm on and ended by hh:mm. Later ones wait 2 h: the network may stay open, and the traffic log comes late.');
  expect(screen.getByText(/^Traffic log complete from 31 Jan 2026 to 2 min ago$/)).toBeTruthy();
  expect(screen.queryByRole('link', { name: 'Export' })).toBeNull();
});

test('an activation opens its story, and closes it', async () => {
  show(listed(both()), answers(GetActivation, story()));
  await userEvent.click(within(await (await region(ACTIVATIONS)).findByRole('table')).getByRole('button'));
  expect(await screen.findByRole('dialog')).toBeTruthy();
  expect(screen.getByLabelText('Address').textContent).toBe(`/history/exceptions?activation=${REQUEST}`);
  await userEvent.keyboard('{Escape}');
  await waitFor(() => { expect(screen.queryByRole('dialog')).toBeNull(); });
});

test('older ones of a list come with its own cursor, and each once', async () => {
  const { calls } = show(answers(GetExceptions, (call) => {
    const [list, cursor] = [asked(call).get('list'), asked(call).get('cursor')];
    if (list !== 'traffic') return both({ traffic: null });
    return both({ activations: null, traffic: cursor === null ? { rows: [uncovered(1), uncovered(2)], nextCursor: 'after-2', judged } : { rows: [uncovered(2), uncovered(3)], nextCursor: null, judged } });
  }));
  await userEvent.click(await (await region(TRAFFIC)).findByRole('button', { name: 'Older connections' }));
  await waitFor(async () => { expect((await region(TRAFFIC)).getAllByText(/^payroll-/).map(({ textContent }) => textContent.slice(0, 9))).toEqual(['payroll-1', 'payroll-2', 'payroll-3']); });
  expect((await region(TRAFFIC)).queryByRole('button')).toBeNull();
  expect(calls.filter(({ endpoint }) => endpoint === GetExceptions).map((call) => [asked(call).get('list'), asked(call).get('cursor')])).toEqual([['traffic', null], ['activations', null], ['traffic', 'after-2']]);
});

test('empty lists say that nothing was found, of what was looked at', async () => {
  show(listed(both({ traffic: { rows: [], nextCursor: null, judged }, activations: { rows: [], nextCursor: null, judged } })));
  expect(await screen.findByText('No connection without an activation was found')).toBeTruthy();
  expect(await screen.findByText('No activation without a connection was found')).toBeTruthy();
  expect(screen.getAllByText(/^Looked at/)).toHaveLength(2);
});

test.each([
  ['not-permitted', 'Connections cannot be seen: the permission NetworkAccess-Reports.Read.All is not granted to Gatehouse.'],
  ['not-read', 'The traffic log was not read yet.'],
  [null, /Too little of the logs was read/],
] as const)('where nothing could be looked at nothing is said to be missing: %s', async (cause, words) => {
  const nothing = { rows: [], nextCursor: null, judged: null };
  show(listed(both({ traffic: nothing, activations: nothing, cause, coverage: { from: null, to: null, lastError: null, closed: null } })));
  await waitFor(() => { expect(screen.getAllByText(words)).toHaveLength(2); });
  expect(screen.queryByText(/^No |^Looked at/)).toBeNull();
  expect(screen.getByText('Nothing was read from the traffic log yet')).toBeTruthy();
});

test('a log that was closed since is off, and what was read before stays', async () => {
  show(listed(both({ cause: 'not-permitted', coverage: { ...coverage({ lastError: 'The permission is not granted.' }), closed: 'not-permitted' } })));
  expect(await (await region(TRAFFIC)).findByRole('table')).toBeTruthy();
  expect(screen.getByText(/^Traffic log complete/).textContent).toBe('Traffic log complete from 31 Jan 2026 to 2 min ago · ○Off The permission is not granted.');
});

test('waits in the shape of what comes', async () => {
  show(waits(GetExceptions));
  expect(await screen.findAllByLabelText('Reading')).toHaveLength(2);
});

test('a refusal claims nothing, and can be tried again', async () => {
  const { use } = show(refuses(GetExceptions, 'internal'));
  expect(await screen.findAllByRole('alert')).toHaveLength(2);
  expect(screen.queryByText(/^No |^Looked at|Nothing can be said/)).toBeNull();
  use(listed(both()));
  await userEvent.click((await region(TRAFFIC)).getByRole('button', { name: 'Try again' }));
  expect(await (await region(TRAFFIC)).findByRole('table')).toBeTruthy();
});
