import { CheckAllSetups, ListSetups, type SetupSummary } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { serverNow } from '../../lib/session.ts';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { GUID } from '../../testing/samples.ts';
import { SetupsPage } from './setups-page.tsx';

const ID = 'bbbbbbbb-0000-4000-8000-000000000001';
const summary = (more: Partial<SetupSummary> = {}): SetupSummary => ({
  id: ID, name: 'FinReport-SeniorAnalyst-SecureAccess', groupId: null, applications: ['Finance reports', 'Payroll'], eligibleCount: 2, createdBy: 'Maya Lindqvist', updatedAt: at(-90), retiredAt: null, drift: null,
  lastRun: { id: 'r1', status: 'succeeded', createdAt: at(-90) }, ...more,
});
const looked = (more: Partial<NonNullable<SetupSummary['drift']>>): NonNullable<SetupSummary['drift']> => ({ lookedAt: at(-2), differences: 0, bypasses: 0, notSeen: [], failure: null, ...more });

const pages = (
  <Routes>
    <Route path="/setups" element={<SetupsPage />} />
    <Route path="/setups/new" element={<p>the wizard</p>} />
    <Route path="/setups/:setupId/edit" element={<p>the wizard of it</p>} />
    <Route path="/setups/:setupId" element={<p>the setup</p>} />
  </Routes>
);
const open = (...api: Handler[]) => renderPage(pages, { path: '/setups', api });

test('shows that it is reading, and offers nothing to be wrong about', async () => {
  open(waits(ListSetups));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByText('Nothing is set up yet')).toBeNull();
  expect(screen.queryByRole('table')).toBeNull();
});

test('a refusal is not an empty list, and is tried again on request', async () => {
  const { use } = open(refuses(ListSetups, 'not-ready', { detail: 'The setups could not be read.' }));
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('The setups could not be read.');
  expect(alert.textContent).toContain('Ref 4F2A91BC');
  expect(screen.queryByText('Nothing is set up yet')).toBeNull();
  use(answers(ListSetups, { setups: [summary()] }));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('table', { name: 'Setups' })).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('an empty list says what to do first', async () => {
  open(answers(ListSetups, { setups: [] }));
  expect(await screen.findByText('Nothing is set up yet')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Secure an application' }));
  expect(await screen.findByText('the wizard')).toBeTruthy();
});

test('a row says the group, what it opens, how many may activate it, and who changed it when', async () => {
  open(answers(ListSetups, { setups: [summary()] }));
  const row = within(await screen.findByRole('table')).getAllByRole('row')[1] as HTMLElement;
  for (const text of ['FinReport-SeniorAnalyst-SecureAccess', 'Finance reports, Payroll', '2 people or groups', 'Applied and verified', /Maya Lindqvist/]) expect(within(row).getByText(text)).toBeTruthy();
  await userEvent.click(within(row).getByRole('link', { name: 'FinReport-SeniorAnalyst-SecureAccess' }));
  expect(await screen.findByText('the setup')).toBeTruthy();
});

test.each([
  ['running', 'Run under way'], ['failed', 'Last run failed'], ['interrupted', 'Run unfinished'], [null, 'Never applied'],
] as const)('a setup whose last run is %s does not look applied', async (status, word) => {
  open(answers(ListSetups, { setups: [summary({ eligibleCount: 1, lastRun: status && { id: 'r1', status, createdAt: at(0) } })] }));
  expect(await screen.findByText(word)).toBeTruthy();
  expect(screen.getByText('1 person or group')).toBeTruthy();
  expect(screen.queryByText('Applied and verified')).toBeNull();
});

test('a setup that was taken back says since when, and is applied again', async () => {
  open(answers(ListSetups, { setups: [summary({ retiredAt: at(0) })] }));
  expect(await screen.findByText('Taken back on 2 Mar 2026')).toBeTruthy();
  expect(screen.queryByText('Applied and verified')).toBeNull();
  await userEvent.click(screen.getByRole('link', { name: 'Apply it again' }));
  expect(await screen.findByText('the wizard of it')).toBeTruthy();
});

test.each([
  [null, 'Not looked at yet'], [{ differences: 0, bypasses: 0 }, 'As designed'], [{ differences: 1, bypasses: 0 }, '1 difference'], [{ differences: 3, bypasses: 0 }, '3 differences'],
  [{ differences: 1, bypasses: 1 }, '1 way past PIM'], [{ differences: 4, bypasses: 2 }, '2 ways past PIM'], [{ differences: 4, bypasses: 2 }, '2 more differences'],
  [{ notSeen: ['The connectors were not read.'] }, 'As designed, as far as seen'], [{ failure: 'The last look failed.' }, 'Last look failed'], [{ lookedAt: at(-180), failure: 'The last look failed.' }, 'As designed 3 h ago'], [{ lookedAt: null, failure: 'The last look failed.' }, 'First look failed'],
  [{ differences: 1, bypasses: 1, failure: 'The last look failed.' }, 'Last look failed'],
])('what the last look found (%o) is said in words', async (drift, words) => {
  open(answers(ListSetups, { setups: [summary({ drift: drift && looked(drift) })] }));
  expect(await within((await screen.findByRole('table'))).findByText(words)).toBeTruthy();
});

test.each([
  [[looked({ lookedAt: at(-180) }), looked({})], 'All setups are as designed, looked at 3 h ago.'],
  [[looked({}), looked({ notSeen: ['The connectors were not read.'] })], 'All setups are as designed, as far as could be seen, looked at 2 min ago.'],
  [[looked({}), looked({ failure: 'The last look failed.' })], '1 setup could not be looked at again.'],
  [[looked({}), looked({ lookedAt: null, failure: 'The last look failed.' })], '1 setup could not be looked at yet.'],
  [[looked({ differences: 1, failure: 'The last look failed.' }), looked({ failure: 'The last look failed.' })], '1 setup differs, 2 setups could not be looked at again.'],
])('that all is well is said as of the oldest look, and of no look that failed', async (drifts, words) => {
  open(answers(ListSetups, { setups: drifts.map((drift, index) => summary({ id: GUID(index + 1), name: `Setup ${index}`, drift })) }));
  expect(await screen.findByText(words)).toBeTruthy();
});

test('of a setup that was taken back nothing is compared', async () => {
  open(answers(ListSetups, { setups: [summary({ retiredAt: at(0), drift: looked({ differences: 3, bypasses: 0 }) })] }));
  expect(await screen.findByText('Taken back on 2 Mar 2026')).toBeTruthy();
  expect(screen.queryByText('3 differences')).toBeNull();
});

test('only those that differ are shown on request', async () => {
  open(answers(ListSetups, { setups: [summary({ drift: looked({ differences: 0, bypasses: 0 }) }), summary({ id: GUID(2), name: 'Payroll', drift: looked({ differences: 2, bypasses: 1 }) })] }));
  expect(await screen.findByText('1 setup can be got into past PIM.')).toBeTruthy();
  await userEvent.click(screen.getByRole('checkbox', { name: 'Only those that differ' }));
  expect(within(screen.getByRole('table')).getAllByRole('link').map((link) => link.textContent)).toEqual(['Payroll']);
});

test('all setups are looked at on request, and the page says how far that is', async () => {
  const { use, calls } = open(answers(ListSetups, { setups: [summary(), summary({ id: GUID(2), name: 'Payroll' })] }), answers(CheckAllSetups, { setups: 2 }));
  await userEvent.click(await screen.findByRole('button', { name: 'Check all setups' }));
  expect(await screen.findByText('Comparing the tenant with every setup: 0 of 2')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint === CheckAllSetups)).toHaveLength(1);
  use(answers(ListSetups, { setups: [summary({ drift: looked({ lookedAt: at(1), differences: 1, bypasses: 0 }) }), summary({ id: GUID(2), name: 'Payroll', drift: looked({ lookedAt: at(1), differences: 0, bypasses: 0 }) })] }));
  expect(await screen.findByText('1 setup differs.')).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Check all setups' }).disabled).toBe(false);
});

test('a look from before the answer that there will be one is a look that was asked for', async () => {
  const answered = Promise.withResolvers<Response>();
  const page = open(answers(ListSetups, { setups: [summary()] }), { endpoint: CheckAllSetups, answer: () => answered.promise });
  await userEvent.click(await screen.findByRole('button', { name: 'Check all setups' }));
  const lookedAt = serverNow();
  page.use(answers(ListSetups, { setups: [summary({ drift: looked({ lookedAt: lookedAt.toISOString(), differences: 1 }) })] }));
  await waitFor(() => { expect(serverNow().getTime()).toBeGreaterThan(lookedAt.getTime()); });
  answered.resolve(await answers(CheckAllSetups, { setups: 1 }).answer({ endpoint: CheckAllSetups, url: '', body: undefined, pageOf: null }));
  expect(await screen.findByText('1 setup differs.')).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Check all setups' }).disabled).toBe(false);
});
