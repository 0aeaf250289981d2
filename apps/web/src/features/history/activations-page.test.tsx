import { ListHistoryNames, SearchActivations } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { ActivationsPage } from './activations-page.tsx';
import { AddressBar, coverage, historyActivation, INES } from './testing/history.tsx';

const noNames = answers(ListHistoryNames, { groups: [], applications: [] });
const found = (...activations: ReturnType<typeof historyActivation>[]) => answers(SearchActivations, { activations, nextCursor: null, coverage: coverage() });
const show = (api: Handler[], path = '/history/activations') => renderPage(<><ActivationsPage /><AddressBar /></>, { path, session: INES, api: [...api, noNames] });
const row = async () => within((await screen.findAllByRole('row'))[1] as HTMLElement);
const asked = (calls: { endpoint: unknown; url: string }[]) => Object.fromEntries(new URL(calls.filter(({ endpoint }) => endpoint === SearchActivations).at(-1)?.url ?? '', 'http://portal').searchParams);

describe('the list', () => {
  test('shows that it is reading', async () => {
    show([waits(SearchActivations)]);
    expect(await screen.findByLabelText('Reading')).toBeTruthy();
    expect(screen.queryByText(/No activations/)).toBeNull();
  });

  test('a refusal is not an empty list, and can be tried again', async () => {
    const { use } = show([refuses(SearchActivations, 'not-ready')]);
    expect((await screen.findByRole('alert')).textContent).toContain('The portal is not ready yet');
    expect(screen.queryByText(/No activations/)).toBeNull();
    use(found(historyActivation()));
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('table', { name: 'Activations' })).toBeTruthy();
  });

  test('an empty one says what it looked for', async () => {
    show([found()], '/history/activations?application=Payroll&status=denied');
    expect(await screen.findByText('Looked for: application or host “Payroll”, state “Denied”.')).toBeTruthy();
  });

  test('older ones come with the cursor and below', async () => {
    const { calls } = show([answers(SearchActivations, ({ url }) => (url.includes('cursor=next')
      ? { activations: [historyActivation({ requestId: '2', principalName: 'Ben Novak' })], nextCursor: null, coverage: coverage() }
      : { activations: [historyActivation({ requestId: '1' })], nextCursor: 'next', coverage: coverage() }))]);
    await userEvent.click(await screen.findByRole('button', { name: 'Older activations' }));
    await waitFor(() => { expect(screen.getAllByText(/^(Ana Costa|Ben Novak)$/).map(({ textContent }) => textContent)).toEqual(['Ana Costa', 'Ben Novak']); });
    expect(asked(calls)).toEqual({ cursor: 'next' });
  });
});

describe('a row', () => {
  test('is one activation from its request over the decision to its end', async () => {
    show([found(historyActivation())]);
    const cells = await row();
    for (const text of ['Ana Costa', 'Finance reports', 'FinReport-SeniorAnalyst-SecureAccess', 'Month-end close', 'INC-4711', 'Omar Haddad', 'Ended', 'after 30 min, time was over']) expect(cells.getByText(text)).toBeTruthy();
  });

  test.each([
    ['runs', { status: 'active', endedAt: null, endedHow: null, expiresAt: at(20) }, 'Active', /^ends \d\d:\d\d$/],
    ['runs, and nobody knows until when', { status: 'active', endedAt: null, endedHow: null, expiresAt: null }, 'Active', 'until when is not known'],
    ['was to end, and its end is not in the record', { status: 'active', endedAt: null, endedHow: null, expiresAt: at(-10) }, 'End not known', /^was to end \d\d:\d\d$/],
    ['was ended early', { endedHow: 'deactivated', endedAt: at(-28) }, 'Ended', 'after 12 min, deactivated by the person'],
    ['was ended, nobody knows how', { endedHow: null }, 'Ended', 'after 30 min, how is not known'],
    ['ended without a known beginning', { provisionedAt: null }, 'Ended', /^\d\d:\d\d, time was over; since when is not known$/],
    ['ended without a known end', { endedAt: null, endedHow: null }, 'Ended', 'when is not known, how is not known'],
    ['waits', { status: 'awaiting-approval', decidedBy: null, decidedAt: null, provisionedAt: null, endedAt: null, endedHow: null }, 'Waits for approval', ''],
    ['was denied', { status: 'denied', provisionedAt: null, endedAt: null, endedHow: null }, 'Denied', ''],
  ] as const)('that %s says so', async (_name, more, word, text) => {
    show([found(historyActivation(more))]);
    expect((await row()).getByText(word).nextElementSibling?.textContent).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
  });

  test('says what the record lacks: a reason, who decided, the application', async () => {
    show([found(historyActivation({ justification: null, ticketNumber: null, decidedBy: null, applications: [] }))]);
    const cells = await row();
    expect(cells.getByText('No reason recorded')).toBeTruthy();
    expect(cells.getByText('Not named')).toBeTruthy();
    expect(cells.getByText('FinReport-SeniorAnalyst-SecureAccess')).toBeTruthy();
  });
});

describe('the filter', () => {
  test('is filled from the address, asked with, exported with and cleared', async () => {
    const { calls } = show([found(historyActivation())], '/history/activations?person=Ana&status=ended&from=2026-02-01');
    await screen.findByRole('table');
    const wish = { person: 'Ana', status: 'ended', from: new Date(2026, 1, 1).toISOString() };
    expect(asked(calls)).toEqual(wish);
    expect(screen.getByLabelText<HTMLSelectElement>('State').value).toBe('ended');
    // Events have no state, and the way to them says that it leads to those of all.
    expect(screen.getByRole('link', { name: 'Export, of any state' }).getAttribute('href')).toBe('/history/exports?person=Ana&from=2026-02-01');
    await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
    expect(screen.getByLabelText('Address').textContent).toBe('/history/activations');
    await waitFor(() => { expect(asked(calls)).toEqual({}); });
    expect(screen.getByRole('link', { name: 'Export' })).toBeTruthy();
  });

  test('by state is in the address when chosen', async () => {
    const { calls } = show([found(historyActivation())]);
    await screen.findByRole('table');
    await userEvent.selectOptions(screen.getByLabelText('State'), 'Waits for approval');
    expect(screen.getByLabelText('Address').textContent).toBe('/history/activations?status=awaiting-approval');
    await waitFor(() => { expect(asked(calls)).toEqual({ status: 'awaiting-approval' }); });
  });

  test('by a state that is none is said, and not sent', async () => {
    const { calls } = show([found(historyActivation())], '/history/activations?status=open');
    expect(await screen.findByText('State “open” is not known, so the list is not narrowed by it.')).toBeTruthy();
    expect(asked(calls)).toEqual({});
  });

  test('goes along to the events, but for what they do not have', async () => {
    show([found(historyActivation())], '/history/activations?person=Ana&status=ended&to=2026-02-28');
    await screen.findByLabelText('Address');
    expect([...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))).toEqual(['/history?person=Ana&to=2026-02-28', '/history/activations?person=Ana&to=2026-02-28', '/history/timeline?person=Ana&to=2026-02-28', '/history/insights?person=Ana&to=2026-02-28', '/history/exceptions?person=Ana&to=2026-02-28', '/history/point-in-time', '/history/exports?person=Ana&to=2026-02-28']);
  });
});
