import { CreateExport, EstimateExport, ListExports, ListHistoryNames, type Export } from '@gatehouse/contracts';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, type Handler } from '../../testing/testing.tsx';
import { ExportsPage } from './exports-page.tsx';

const INES = { ...ANA, person: { id: 'i', displayName: 'Ines Moreau', userPrincipalName: 'ines.moreau@contoso.example', roles: ['Auditor' as const] } };
const one = (more: Partial<Export> = {}): Export => ({ id: 'e1', format: 'pack', filter: {}, askedBy: 'Ines Moreau', askedAt: at(-5), status: 'ready', rows: 12, rowsDone: 12, bytes: 3_400, sha256: 'ab12', error: null, ...more });
const size = answers(EstimateExport, { rows: 12_345, exact: false, bytes: 18_000_000, coverage: { from: at(-600), to: at(-1), droppedTo: null, lastError: null, gaps: [], sealedTo: null, isLedgerStopped: false } });
const list = (exports: Export[]) => answers(ListExports, { now: at(0), exports, feed: { receiver: 'siem:6514 over TLS', sentEvents: 7, waitingBatches: 2, lastSentAt: at(-2), lastError: 'Nobody listens at the receiver’s address.', tryAfter: at(1) } });
const show = (...api: Handler[]) => renderPage(<ExportsPage />, { session: INES, api: [answers(ListHistoryNames, { groups: [], applications: [] }), ...api] });

test('says what an export would hold, what was made, and where the feed stands', async () => {
  show(size, list([one(), one({ id: 'e2', status: 'building', rows: null, rowsDone: 40_000, bytes: null, sha256: null }), one({ id: 'e3', status: 'failed', error: 'The pack could not be made.' })]));
  expect(await screen.findByText('About 12,345 events, 18 MB as received')).toBeTruthy();
  expect((await screen.findAllByRole('link', { name: /^Download/ })).map((link) => link.getAttribute('href'))).toEqual(['/api/exports/e1/file']);
  expect(screen.getByText('40,000 events so far')).toBeTruthy();
  expect(screen.getByText('The pack could not be made.')).toBeTruthy();
  expect(screen.getByText(/Nobody listens at the receiver/)).toBeTruthy();
});

test('an export is narrowed by all that the address says', async () => {
  const { calls } = renderPage(<ExportsPage />, { session: INES, path: '/history/exports?person=Ana&text=INC7&source=portal', api: [answers(ListHistoryNames, { groups: [], applications: [] }), size, list([]), answers(CreateExport, one())] });
  await userEvent.click(await screen.findByRole('button', { name: 'Make evidence pack' }));
  await waitFor(() => { expect(calls.filter(({ endpoint }) => endpoint === CreateExport).map(({ body }) => body)).toEqual([{ format: 'pack', filter: { person: 'Ana', text: 'INC7', source: 'portal' } }]); });
});

test('a refusal to make one is said, and nothing is claimed', async () => {
  show(size, list([]), refuses(CreateExport, 'internal'));
  await userEvent.click(await screen.findByRole('button', { name: 'Make evidence pack' }));
  expect((await screen.findByRole('alert')).textContent).toContain('Something went wrong on our side');
  expect(screen.getByText('No exports yet')).toBeTruthy();
});
