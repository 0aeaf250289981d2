import { ApplyBatch, ContinueBatch, GetBatch, GetBatchRow, StopBatch } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { aPlan, aStep, GUID } from '../../testing/samples.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { BatchPage } from './batch-page.tsx';
import { aBatch, aRow } from './testing/batches.ts';

const pages = <Routes><Route path="/setups/batches" element={<p>all batches</p>} /><Route path="/setups/batches/:batchId" element={<BatchPage />} /></Routes>;
const open = (api: Handler[], search = '') => renderPage(pages, { path: `/setups/batches/${GUID(1)}${search}`, api });
const names = () => within(screen.getByRole('table')).getAllByRole('row').slice(1).map((row) => within(row).getByRole('button').textContent);
const button = (name: string) => screen.findByRole<HTMLButtonElement>('button', { name });

const REFUSED = aRow(3, { status: 'refused', name: '', changes: 0, calls: 0, detail: 'Nobody is called “ana.csta”. Write the user principal name.' });
const planned = aBatch([aRow(0, { irreversible: true }), aRow(1, { setupId: GUID(7), changes: 1, calls: 1 }), aRow(2, { status: 'nothing', setupId: GUID(6), changes: 0, calls: 0 }), REFUSED]);

test('shows that it is reading; a refusal is said and tried again', async () => {
  const { unmount } = open([waits(GetBatch)]);
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  unmount();
  const { use } = open([refuses(GetBatch, 'not-ready', { detail: 'The batch could not be read.' })]);
  expect((await screen.findByRole('alert')).textContent).toContain('The batch could not be read.');
  use(answers(GetBatch, planned));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'finance.csv' })).toBeTruthy();
});

test('an id that names nothing is said in words, with the way back', async () => {
  open([refuses(GetBatch, 'not-found')]);
  expect(await screen.findByRole('heading', { name: 'There is no such batch' })).toBeTruthy();
  await userEvent.click(await button('See all batches'));
  expect(await screen.findByText('all batches')).toBeTruthy();
});

test('while it is planned it says how far it is, offers nothing to apply, and goes on by itself', async () => {
  const { use } = open([answers(GetBatch, aBatch([aRow(0), aRow(1, { status: 'waiting', changes: 0, calls: 0 })], { status: 'planning' }))]);
  expect(await screen.findByText('Planning: 1 of 2 setups')).toBeTruthy();
  expect(screen.queryByRole('button', { name: /^Apply/ })).toBeNull();
  use(answers(GetBatch, aBatch([aRow(0), aRow(1)])));
  expect(await button('Apply 2 setups')).toBeTruthy();
});

test('the rows are counted by what would become of them, and narrowed to one kind', async () => {
  open([answers(GetBatch, planned)]);
  await button('All 4');
  expect(within(screen.getByRole('group', { name: 'Show' })).getAllByRole('button').map((each) => each.textContent)).toEqual(['All 4', 'Refused 1', 'Create 1', 'Change 1', 'Nothing to do 1']);
  await userEvent.click(await button('Refused 1'));
  expect(names()).toEqual(['Not named']);
  const row = within(screen.getByRole('table')).getAllByRole('row')[1];
  expect(row?.textContent).toContain('Write the user principal name.');
  expect(row?.textContent).toContain('5');
  expect((await button('Refused 1')).getAttribute('aria-pressed')).toBe('true');
  await userEvent.click(await button('All 4'));
  expect(names()).toHaveLength(4);
});

test('what cannot be undone needs its tick; then the planned rows are applied', async () => {
  const { calls, use } = open([answers(GetBatch, planned)]);
  expect((await button('Apply 2 setups')).disabled).toBe(true);
  expect(screen.getByText(/^6 changes in 2 setups, 9 calls to Microsoft Graph\. 2 rows are left as they are\.$/)).toBeTruthy();
  await userEvent.click(screen.getByRole('checkbox', { name: /1 of them has a step that cannot be undone/ }));
  const running = aBatch([aRow(0, { status: 'running' }), aRow(1, { setupId: GUID(7) }), REFUSED], { status: 'running' });
  use(answers(ApplyBatch, running), answers(GetBatch, running));
  await userEvent.click(await button('Apply 2 setups'));
  expect(await screen.findByText('Applying: 0 of 2 setups')).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === ApplyBatch)?.body).toEqual({ irreversibleUnderstood: true });
  expect(screen.getByText('To come')).toBeTruthy();
  // The button that had the focus is gone.
  expect(document.activeElement).toBe(screen.getByRole('heading', { level: 1 }));
});

test('where nothing is final no tick is asked; a refusal leaves the plan in sight', async () => {
  open([answers(GetBatch, aBatch([aRow(0)])), refuses(ApplyBatch, 'run-in-progress', { detail: 'Another batch is under way.' })]);
  await userEvent.click(await button('Apply 1 setup'));
  expect((await screen.findByRole('alert')).textContent).toContain('Another batch is under way.');
  expect(screen.queryByRole('checkbox')).toBeNull();
  expect(names()).toEqual(['Group-0']);
});

test('where no row has anything to apply, that is said', async () => {
  open([answers(GetBatch, aBatch([aRow(0, { status: 'nothing' }), REFUSED]))]);
  expect(await screen.findByText(/No row has anything to apply/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: /^Apply/ })).toBeNull();
});

test('a batch under way follows its rows, and is stopped after the setups in hand', async () => {
  const running = aBatch([aRow(0, { status: 'done', setupId: GUID(5), runId: GUID(6) }), aRow(1, { status: 'running' }), aRow(2)], { status: 'running' });
  const { use, calls } = open([answers(GetBatch, running)]);
  expect(await screen.findByText('Applying: 1 of 3 setups')).toBeTruthy();
  use(answers(StopBatch, { ...running, stopAskedBy: 'Maya Lindqvist' }), answers(GetBatch, { ...running, stopAskedBy: 'Maya Lindqvist' }));
  await userEvent.click(await button('Stop after the setups in hand'));
  expect((await button('Stopping after the setups in hand…')).getAttribute('aria-disabled')).toBe('true');
  expect(calls.filter(({ endpoint }) => endpoint === StopBatch)).toHaveLength(1);
  use(answers(GetBatch, { ...running, status: 'stopped', stopAskedBy: 'Maya Lindqvist' }));
  expect(await screen.findByText(/Maya Lindqvist stopped it/)).toBeTruthy();
});

test('the planning is stopped too, and what was not begun is not said to be', async () => {
  const planning = aBatch([aRow(0), aRow(1, { status: 'waiting', changes: 0, calls: 0 })], { status: 'planning' });
  const { use, calls } = open([answers(GetBatch, planning)]);
  use(answers(StopBatch, { ...planning, stopAskedBy: 'Maya Lindqvist' }), answers(GetBatch, { ...planning, status: 'stopped', stopAskedBy: 'Maya Lindqvist' }));
  await userEvent.click(await button('Stop planning'));
  expect(await screen.findByText('Maya Lindqvist stopped it while it was being planned. Nothing was applied. Continuing plans the rows that are left; then you review all of them.')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint === StopBatch)).toHaveLength(1);
  expect(screen.getByText('Planning stopped')).toBeTruthy();
  expect(screen.getByRole('progressbar', { name: 'Setups planned' })).toBeTruthy();
  expect(within(screen.getByRole('group', { name: 'Show' })).getAllByRole('button').map((each) => each.textContent)).toEqual(['All 2', 'Waits for its plan 1', 'Create 1']);
  expect(screen.queryByRole('link', { name: /Download/ })).toBeNull();
});

test('rows that Entra could not be asked about say so, with the way to plan them', async () => {
  const row = aRow(1, { status: 'waiting', changes: 0, calls: 0, detail: 'Line 3: Microsoft Entra did not answer. Try again in a moment.' });
  open([answers(GetBatch, aBatch([aRow(0), row], { status: 'interrupted', startedAt: null, detail: '1 row has no plan yet. Microsoft Entra did not answer.' })), answers(GetBatchRow, { ...row, plan: null })], '?row=1');
  expect(await screen.findByText(/^1 row has no plan yet\. Microsoft Entra did not answer\. Nothing was applied\./)).toBeTruthy();
  expect(screen.getByText('Not planned to the end')).toBeTruthy();
  expect(within(await screen.findByRole('dialog', { name: 'Group-1' })).getByText('Continue the batch to plan it.')).toBeTruthy();
});

test.each([['stopped', 'planned'], ['interrupted', 'planned'], ['finished', 'failed']] as const)('a batch that is %s with a row that is %s is continued', async (status, left) => {
  const { use, calls } = open([answers(GetBatch, aBatch([aRow(0, { status: 'done' }), aRow(1, { status: left })], { status }))]);
  const running = aBatch([aRow(0, { status: 'done' }), aRow(1, { status: 'running' })], { status: 'running' });
  const go = await button('Continue the batch');
  use(answers(ContinueBatch, running), answers(GetBatch, running));
  await userEvent.click(go);
  expect(await screen.findByText('Applying: 1 of 2 setups')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint === ContinueBatch)).toHaveLength(1);
});

test('of a finished batch the result and the rows that failed are downloaded', async () => {
  open([answers(GetBatch, aBatch([aRow(0, { status: 'done', setupId: GUID(5) }), aRow(1, { status: 'failed', detail: 'Entra refused the name.', runId: GUID(6) })], { status: 'finished', finishedAt: at(0) }))]);
  expect((await screen.findByRole('link', { name: 'Download the result' })).getAttribute('href')).toBe(`/api/setup-batches/${GUID(1)}/file?rows=all`);
  expect(screen.getByRole('link', { name: /^Download the (row|\d rows) left$/ }).getAttribute('href')).toBe(`/api/setup-batches/${GUID(1)}/file?rows=failed`);
  expect(screen.getByText('Entra refused the name.')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Setup of Group-0' }).getAttribute('href')).toBe(`/setups/${GUID(5)}`);
  expect(screen.getByRole('link', { name: 'Run of Group-1' }).getAttribute('href')).toBe(`/runs/${GUID(6)}`);
});

test('a change of many setups has no file to download', async () => {
  open([answers(GetBatch, aBatch([aRow(0, { status: 'done' })], { status: 'finished', format: null, name: 'MFA for 1 setup' }))]);
  expect(await screen.findByText('Applied and verified')).toBeTruthy();
  expect(screen.queryByRole('link', { name: /Download/ })).toBeNull();
});

test('a row opens its plan beside the list, and the address keeps it', async () => {
  const row = aRow(1, { status: 'failed', setupId: GUID(7), runId: GUID(8), detail: 'Entra refused the name.', warnings: 1 });
  open([answers(GetBatch, aBatch([aRow(0), row], { status: 'finished' })), answers(GetBatchRow, { ...row, plan: { ...aPlan(aStep({ title: 'Create the group Group-1' })), warnings: [{ code: 'w', message: 'Nested groups give nobody access.', mend: 'Add people.' }] } })]);
  await userEvent.click(await button('Group-1'));
  const panel = within(await screen.findByRole('dialog', { name: 'Group-1' }));
  expect(await panel.findByText('Create the group Group-1')).toBeTruthy();
  expect(panel.getByText('Nested groups give nobody access.')).toBeTruthy();
  expect(panel.getByRole('link', { name: 'Open its run, to continue it' }).getAttribute('href')).toBe(`/runs/${GUID(8)}`);
  expect(panel.getByRole('link', { name: 'See the setup' }).getAttribute('href')).toBe(`/setups/${GUID(7)}`);
});

test('a refused row says its reason where a plan would stand', async () => {
  open([answers(GetBatch, planned), answers(GetBatchRow, { ...REFUSED, plan: null })], '?row=3');
  const panel = within(await screen.findByRole('dialog', { name: 'Line 5' }));
  expect(await panel.findByText(/mended in the file first/)).toBeTruthy();
  expect(panel.getByText(/Write the user principal name/)).toBeTruthy();
});

test('of many rows the first hundred are shown, and more on request', async () => {
  open([answers(GetBatch, aBatch(Array.from({ length: 130 }, (_, ordinal) => aRow(ordinal))))]);
  await userEvent.click(await button('Show 30 more of 130'));
  expect(names()).toHaveLength(130);
  expect(screen.queryByRole('button', { name: /^Show \d/ })).toBeNull();
});
