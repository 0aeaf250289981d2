import { CreateExport, EstimateExport, LARGE_EXPORT, ListExports, ListHistoryNames, SIGN_IN_TIME_MEND, type Export } from '@gatehouse/contracts';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { ExportsPage } from './exports-page.tsx';
import { AddressBar } from './testing/history.tsx';

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

test('what an export of the filter before would hold is not said of the one now', async () => {
  const { use } = show(size, list([]));
  await screen.findByText(/^About 12,345 events/);
  use(waits(EstimateExport));
  await userEvent.type(screen.getByLabelText('Person'), 'Ana{Enter}');
  expect(await screen.findByText('Counting what it would hold')).toBeTruthy();
  expect(screen.queryByText(/12,345/)).toBeNull();
});

test('of more events than are counted it says that they are more, and no number that is none', async () => {
  show(answers(EstimateExport, { rows: LARGE_EXPORT + 1, exact: false, bytes: 14_000_000, coverage: { from: at(-600), to: at(-1), droppedTo: null, lastError: null, gaps: [], sealedTo: null, isLedgerStopped: false } }), list([]));
  expect(await screen.findByText('More than 10,000 events, over 14 MB as received')).toBeTruthy();
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

test('much is made only after verifying: what was chosen stays in this tab, and is made once when it is back', async () => {
  const assign = vi.fn<(url: string) => void>();
  vi.stubGlobal('location', { assign, pathname: '/history/exports', search: '', href: 'http://localhost/history/exports', origin: 'http://localhost' });
  const refused = refuses(CreateExport, 'step-up-required', { detail: 'More than 10,000 events can be taken along only within 10 minutes of a sign-in.', signInUrl: '/auth/sign-in?stepUp=1' });
  const noNames = answers(ListHistoryNames, { groups: [], applications: [] });
  const { unmount } = renderPage(<ExportsPage />, { session: INES, path: '/history/exports?person=Ana', api: [noNames, size, list([]), refused] });
  await userEvent.click(await screen.findByRole('radio', { name: /^NDJSON/ }));
  await userEvent.click(screen.getByRole('button', { name: 'Make export' }));
  expect((await screen.findByRole('alert')).textContent).toMatch(/^More than 10,000 events .* what you chose stays/);
  await userEvent.click(screen.getByRole('button', { name: 'Verify and make export' }));
  const back = '/history/exports?person=Ana&format=ndjson&resume=1';
  expect(assign).toHaveBeenCalledExactlyOnceWith(`/auth/sign-in?stepUp=1&returnTo=${encodeURIComponent(back)}`);
  unmount();

  const made = ({ calls }: ReturnType<typeof renderPage>) => calls.filter(({ endpoint }) => endpoint === CreateExport).map(({ body }) => body);
  const again = renderPage(<><ExportsPage /><AddressBar /></>, { session: INES, path: back, api: [noNames, size, list([]), answers(CreateExport, one())] });
  await waitFor(() => { expect(made(again)).toEqual([{ format: 'ndjson', filter: { person: 'Ana' } }]); });
  await waitFor(() => { expect(screen.getByLabelText('Address').textContent).toBe('/history/exports?person=Ana&format=ndjson'); });
  expect(screen.getByRole<HTMLInputElement>('radio', { name: /^NDJSON/ }).checked).toBe(true);
  again.unmount();

  // An address that somebody sends makes nothing.
  const sent = renderPage(<ExportsPage />, { session: INES, path: back, api: [noNames, size, list([]), answers(CreateExport, one())] });
  await screen.findByText('No exports yet');
  expect(made(sent)).toEqual([]);
});

test('what is made as the page opens is in its list, also where that was being read before', async () => {
  sessionStorage.setItem('gatehouse.export.i', JSON.stringify({ format: 'csv', filter: {} }));
  const asBefore = Promise.withResolvers<Response>();
  const page = renderPage(<ExportsPage />, {
    session: INES, path: '/history/exports?format=csv&resume=1',
    api: [answers(ListHistoryNames, { groups: [], applications: [] }), size, { endpoint: ListExports, answer: () => asBefore.promise }, {
      endpoint: CreateExport,
      answer: (call) => {
        const made = one({ format: 'csv' });
        page.use(list([made]));
        return answers(CreateExport, made).answer(call);
      },
    }],
  });
  await waitFor(() => { expect(page.calls.some(({ endpoint }) => endpoint === CreateExport)).toBe(true); });
  asBefore.resolve(await list([]).answer({ endpoint: ListExports, url: '', body: undefined, pageOf: null }));
  expect(await screen.findByRole('link', { name: 'Download CSV' })).toBeTruthy();
});

test('what somebody was to verify for is not made by whoever came back in their place', async () => {
  sessionStorage.setItem('gatehouse.export.i', JSON.stringify({ format: 'csv', filter: { person: 'Ana' } }));
  const { calls } = renderPage(<><ExportsPage /><AddressBar /></>, { path: '/history/exports?format=csv&resume=1', session: ANA, api: [answers(ListHistoryNames, { groups: [], applications: [] }), size, list([])] });
  await waitFor(() => { expect(screen.getByLabelText('Address').textContent).toBe('/history/exports?format=csv'); });
  expect(calls.filter(({ endpoint }) => endpoint === CreateExport)).toEqual([]);
});

test('whoever does not want to verify now is back where they were, and nothing was asked for again', async () => {
  const { calls } = show(size, list([]), refuses(CreateExport, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Make evidence pack' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Not now' }));
  expect(document.activeElement?.textContent).toBe('Make evidence pack');
  expect([screen.queryByRole('alert'), screen.queryByRole('button', { name: 'Not now' }), sessionStorage.getItem('gatehouse.export.i')]).toEqual([null, null, null]);
  expect(calls.filter(({ endpoint }) => endpoint === CreateExport)).toHaveLength(1);
});

test('where Entra does not say when somebody signed in, no sign-in is offered: it would lead back here for ever', async () => {
  show(size, list([]), refuses(CreateExport, 'sign-in-time-unknown', { detail: SIGN_IN_TIME_MEND }));
  await userEvent.click(await screen.findByRole('button', { name: 'Make evidence pack' }));
  expect((await screen.findByRole('alert')).textContent).toMatch(/does not say when you signed in An administrator .* optional claim auth_time/);
  expect(screen.queryByRole('button', { name: /Verify/ })).toBeNull();
});

test('another choice is asked for anew, without verifying first', async () => {
  const { calls } = show(size, list([]), refuses(CreateExport, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Make evidence pack' }));
  await screen.findByRole('button', { name: 'Verify and make evidence pack' });
  await userEvent.click(screen.getByRole('radio', { name: /^CSV/ }));
  await userEvent.click(screen.getByRole('button', { name: 'Make export' }));
  await waitFor(() => { expect(calls.filter(({ endpoint }) => endpoint === CreateExport)).toHaveLength(2); });
});
