import { ListBatches } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { BatchesPage } from './batches-page.tsx';
import { aBatch, aRow, summaryOf } from './testing/batches.ts';

const pages = <Routes><Route path="/setups/batches" element={<BatchesPage />} /><Route path="/setups/batches/new" element={<p>a file</p>} /><Route path="/setups/batches/:batchId" element={<p>the batch</p>} /></Routes>;
const open = (...api: Handler[]) => renderPage(pages, { path: '/setups/batches', api });

test('shows that it is reading', async () => {
  open(waits(ListBatches));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByText('Nothing was brought in yet')).toBeNull();
});

test('a refusal is not an empty list, and is tried again on request', async () => {
  const { use } = open(refuses(ListBatches, 'not-ready', { detail: 'The batches could not be read.' }));
  expect((await screen.findByRole('alert')).textContent).toContain('The batches could not be read.');
  expect(screen.queryByText('Nothing was brought in yet')).toBeNull();
  use(answers(ListBatches, { batches: [] }));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Bring in a file' }));
  expect(await screen.findByText('a file')).toBeTruthy();
});

test.each([
  ['planning', [aRow(0, { status: 'waiting' })], 'Being planned', '1 row: 1 waiting for a plan'],
  ['planned', [aRow(0), aRow(1, { status: 'refused' })], 'Planned, not applied yet', '2 rows: 1 to apply, 1 refused'],
  ['planned', [aRow(0, { status: 'nothing' })], 'Nothing to apply', '1 row: 1 with nothing to do'],
  ['stopped', [aRow(0), aRow(1, { status: 'done' })], 'Stopped', '2 rows: 1 done, 1 to apply'],
  ['stopped', [aRow(0), aRow(1, { status: 'waiting' })], 'Planning stopped', '2 rows: 1 to apply, 1 waiting for a plan', { startedAt: null }],
  ['finished', [aRow(0, { status: 'done' }), aRow(1, { status: 'failed' })], '1 failed', '2 rows: 1 done, 1 failed'],
  ['finished', [aRow(0, { status: 'done' })], 'Applied and verified', '1 row: 1 done'],
] as const)('a batch that is %s says how it stands, and leads to it', async (status, rows, state, counts, more: { startedAt?: null } = {}) => {
  open(answers(ListBatches, { batches: [summaryOf(aBatch([...rows], { status, ...more }))] }));
  const row = within(await screen.findByRole('table')).getAllByRole('row')[1] as HTMLElement;
  for (const text of ['finance.csv', state, counts, /Maya Lindqvist/]) expect(within(row).getByText(text)).toBeTruthy();
  await userEvent.click(within(row).getByRole('link', { name: 'finance.csv' }));
  expect(await screen.findByText('the batch')).toBeTruthy();
});
