import { CountEvents, GetEvent, GetEventProof, ListHistoryNames, SearchEvents } from '@gatehouse/contracts';
import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { EventsPage } from './events-page.tsx';
import { at } from '../../testing/fixtures.ts';
import { AddressBar, coverage, eventCount, eventDetail, historyEvent, INES } from './testing/history.tsx';

const noNames = answers(ListHistoryNames, { groups: ['FinReport-SeniorAnalyst-SecureAccess'], applications: ['Finance reports'] });
const noCount = answers(CountEvents, eventCount());
const page = (events = [historyEvent()], nextCursor: string | null = null) => ({ events, nextCursor, coverage: coverage() });
const found = (...events: ReturnType<typeof historyEvent>[]) => answers(SearchEvents, page(events));
const show = (api: Handler[], path = '/history') => renderPage(<><EventsPage /><AddressBar /></>, { path, session: INES, api: [...api, noNames, noCount] });

const address = () => screen.getByLabelText('Address').textContent;
const asked = (calls: { endpoint: unknown; url: string }[]) => calls.filter(({ endpoint }) => endpoint === SearchEvents).map(({ url }) => new URL(url, 'http://portal').searchParams);
const field = (name: string) => screen.getByLabelText<HTMLInputElement | HTMLSelectElement>(name);
const exportLink = () => screen.getByRole('link', { name: 'Export' }).getAttribute('href');

test('of two filters that are set at once neither is lost', async () => {
  show([found(historyEvent())]);
  await screen.findByRole('table', { name: 'Events' });
  const choose = (name: string, value: string): void => {
    const select = field(name) as HTMLSelectElement;
    select.value = value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  };
  await act(async () => {
    choose('Result', 'failure');
    choose('Order', 'oldest');
  });
  expect(address()).toMatch(/result=failure.*order=oldest/);
});

describe('the list', () => {
  test('shows that it is reading, and claims nothing', async () => {
    show([waits(SearchEvents)]);
    expect(await screen.findByLabelText('Reading')).toBeTruthy();
    expect(screen.queryByText(/No events/)).toBeNull();
    expect(screen.queryByRole('table')).toBeNull();
  });

  test('a refusal is not an empty list, and can be tried again', async () => {
    const { use } = show([refuses(SearchEvents, 'internal')]);
    expect((await screen.findByRole('alert')).textContent).toContain('Something went wrong on our side');
    expect(screen.queryByText(/No events/)).toBeNull();
    use(found(historyEvent()));
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('table', { name: 'Events' })).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('rows say when, who, what, where, why and how it went', async () => {
    show([found(historyEvent(), historyEvent({ id: 'directory:2', kind: 'denied', activity: 'Denied', actorName: 'Omar Haddad', result: 'failure', reason: null }))]);
    const [, first, second] = within(await screen.findByRole('table', { name: 'Events' })).getAllByRole('row');
    for (const text of ['Activated', 'FinReport-SeniorAnalyst-SecureAccess', 'Finance reports', 'Month-end close, INC-4711', 'Success', 'Ana Costa']) expect(within(first as HTMLElement).getByText(text)).toBeTruthy();
    for (const text of ['Omar Haddad', 'for Ana Costa', 'Failure']) expect(within(second as HTMLElement).getByText(text)).toBeTruthy();
  });

  test('says that who acted is not known', async () => {
    show([found(historyEvent({ actorId: null, actorName: null, subjectName: null }))]);
    expect(within(await screen.findByRole('table')).getByText('Not named')).toBeTruthy();
  });
});

describe('an empty list', () => {
  const empty = (more = {}) => answers(SearchEvents, { events: [], nextCursor: null, coverage: coverage(more) });

  test('says which filter it looked with, and offers to take it off', async () => {
    const { use } = show([empty()], '/history?person=Ana&kind=denied&result=failure&from=2026-02-01&to=2026-02-28');
    expect(await screen.findByText('No events match')).toBeTruthy();
    expect(screen.getByText('Looked for: person “Ana”, what “Denied”, result “Failure”, from 1 Feb 2026, to 28 Feb 2026.')).toBeTruthy();
    use(found(historyEvent()));
    await userEvent.click(screen.getByRole('button', { name: 'Show all events' }));
    expect(address()).toBe('/history');
    expect(await screen.findByRole('table')).toBeTruthy();
  });

  test('without a filter does not speak of one', async () => {
    show([empty()]);
    expect(await screen.findByText('No events yet')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /filter|Show all/ })).toBeNull();
  });

  test('of a record that nobody read yet does not claim that nothing happened', async () => {
    show([empty({ from: null, to: null })], '/history?person=Ana');
    expect(await screen.findByText('Nothing was read yet')).toBeTruthy();
    expect(screen.queryByText(/No events/)).toBeNull();
  });
});

describe('how complete the record is', () => {
  test('stands above the list, with what goes wrong', async () => {
    show([answers(SearchEvents, { ...page(), coverage: coverage({ lastError: 'Microsoft Entra is busy' }) })]);
    const line = await screen.findByText(/^Complete from/);
    expect(line.textContent).toMatch(/^Complete from 31 Jan 2026 to 2 min ago/);
    expect(line.textContent).toMatch(/Reading fails Microsoft Entra is busy$/);
  });

  test('names what is missing, whether it is being filled or stays', async () => {
    const lost = { from: '2026-02-14T02:00:00.000Z', to: '2026-02-14T02:11:00.000Z', cause: 'outage' as const, fillableUntil: null };
    const { unmount } = show([answers(SearchEvents, { ...page(), coverage: coverage({ gaps: [lost] }) })]);
    expect((await screen.findByText(/^Complete from/)).textContent).toMatch(/ · ▲1 gap \(14 Feb 2026 \d\d:00–\d\d:11, nobody read, stays\)$/);
    unmount();
    const open = { ...lost, cause: 'unavailable' as const, fillableUntil: at(60) };
    show([answers(SearchEvents, { ...page(), coverage: coverage({ gaps: [open, lost, lost] }) })]);
    expect((await screen.findByText(/^Complete from/)).textContent).toMatch(/ · ▲3 gaps \(14 Feb 2026 \d\d:00–\d\d:11, being filled\) \(.*, stays\) and 1 more$/);
  });

  test('says that earlier months were dropped', async () => {
    show([answers(SearchEvents, { ...page(), coverage: coverage({ droppedTo: '2018-12-01T00:00:00.000Z' }) })]);
    expect((await screen.findByText(/^Complete from/)).textContent).toMatch(/ · before 1 Dec 2018 months were dropped, see Sync & health$/);
  });

  test('says to when it is sealed', async () => {
    show([answers(SearchEvents, { ...page(), coverage: coverage({ sealedTo: at(-1) }) })]);
    expect((await screen.findByText(/^Complete from/)).textContent).toMatch(/ · sealed to \d\d:\d\d ✓$/);
  });

  test('claims nothing to be sealed where the ledger stopped', async () => {
    show([answers(SearchEvents, { ...page(), coverage: coverage({ sealedTo: at(-1), isLedgerStopped: true }) })]);
    const line = await screen.findByText(/^Complete from/);
    expect(line.textContent).toMatch(/Not sealed The log is not what was sealed/);
    expect(line.textContent).not.toContain('✓');
  });

  test('is not known before the first pass', async () => {
    show([answers(SearchEvents, { ...page([]), coverage: coverage({ from: null, to: null }) })]);
    expect(await screen.findByText('Nothing was read from Microsoft Entra yet')).toBeTruthy();
  });
});

describe('the filter', () => {
  test.each([['Person', 'person', 'Ana'], ['Group', 'group', 'FinReport'], ['Application or host', 'application', 'Finance reports']])('%s counts on Enter and on leaving the field', async (label, name, value) => {
    const { calls } = show([found(historyEvent())]);
    await screen.findByRole('table');
    await userEvent.type(field(label), value);
    expect(address()).toBe('/history');
    await userEvent.keyboard('{Enter}');
    expect(new URL(address(), 'http://portal').searchParams.get(name)).toBe(value);
    expect(document.activeElement).toBe(field(label));
    await waitFor(() => { expect(asked(calls).at(-1)?.get(name)).toBe(value); });
    await userEvent.clear(field(label));
    expect(address()).toBe('/history');
    await userEvent.type(field(label), `${value}!`);
    await userEvent.tab();
    expect(new URL(address(), 'http://portal').searchParams.get(name)).toBe(`${value}!`);
  });

  test.each([['What', 'kind', 'denied'], ['Result', 'result', 'failure']])('%s counts when chosen', async (label, name, value) => {
    const { calls } = show([found(historyEvent())]);
    await screen.findByRole('table');
    await userEvent.selectOptions(field(label), value);
    expect(address()).toBe(`/history?${name}=${value}`);
    await waitFor(() => { expect(asked(calls).at(-1)?.get(name)).toBe(value); });
    await userEvent.selectOptions(field(label), '');
    expect(address()).toBe('/history');
  });

  test('days are whole days of the reader, the last one included', async () => {
    const { calls } = show([found(historyEvent())]);
    await screen.findByRole('table');
    await userEvent.type(field('From'), '2026-02-01');
    await userEvent.type(field('To'), '2026-02-28');
    expect(address()).toBe('/history?from=2026-02-01&to=2026-02-28');
    await waitFor(() => { expect(asked(calls).at(-1)?.get('to')).toBe(new Date(2026, 2, 1).toISOString()); });
    expect(asked(calls).at(-1)?.get('from')).toBe(new Date(2026, 1, 1).toISOString());
  });

  test('is filled from the address, asks with it, and is cleared', async () => {
    const { calls } = show([found(historyEvent())], '/history?person=Ana&group=Fin&application=Pay&kind=denied&result=failure&from=2026-02-01&to=2026-02-28');
    await screen.findByRole('table');
    expect(['Person', 'Group', 'Application or host', 'What', 'Result', 'From', 'To'].map((label) => field(label).value)).toEqual(['Ana', 'Fin', 'Pay', 'denied', 'failure', '2026-02-01', '2026-02-28']);
    expect(Object.fromEntries(asked(calls)[0] ?? [])).toEqual({ person: 'Ana', group: 'Fin', application: 'Pay', kind: 'denied', result: 'failure', from: new Date(2026, 1, 1).toISOString(), to: new Date(2026, 2, 1).toISOString() });
    await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
    expect(address()).toBe('/history');
    expect(['Person', 'Group', 'Application or host', 'What', 'Result', 'From', 'To'].map((label) => field(label).value).join('')).toBe('');
    expect(screen.queryByRole('button', { name: 'Clear the filter' })).toBeNull();
    await waitFor(() => { expect(String(asked(calls).at(-1))).toBe(''); });
  });

  test('offers the groups and applications that the record knows', async () => {
    show([found(historyEvent())]);
    await waitFor(() => { expect([...document.querySelectorAll('datalist option')].map((option) => option.getAttribute('value'))).toEqual(['FinReport-SeniorAnalyst-SecureAccess', 'Finance reports']); });
    expect(field('Group').getAttribute('list')).toBeTruthy();
  });

  test.each([
    ['kind=nonsense', 'What “nonsense” is not known, so the list is not narrowed by it.'],
    ['result=maybe', 'Result “maybe” is not known, so the list is not narrowed by it.'],
    ['from=2026-02-31', 'From “2026-02-31” is not a day, so the list is not narrowed by it.'],
    ['to=yesterday', 'To “yesterday” is not a day, so the list is not narrowed by it.'],
  ])('%s in the address is said, and not sent', async (search, said) => {
    const { calls } = show([found(historyEvent())], `/history?${search}`);
    expect(await screen.findByText(said)).toBeTruthy();
    expect(String(asked(calls)[0])).toBe('');
    await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
    expect(screen.queryByText(said)).toBeNull();
  });

  test('a range that ends before it begins is said, one of a single day is not', async () => {
    const { unmount } = show([answers(SearchEvents, page([]))], '/history?from=2026-02-02&to=2026-02-01');
    expect(await screen.findByText('From is after To, so nothing can match.')).toBeTruthy();
    unmount();
    show([answers(SearchEvents, page([]))], '/history?from=2026-02-01&to=2026-02-01');
    expect(await screen.findByText('Looked for: from 1 Feb 2026, to 1 Feb 2026.')).toBeTruthy();
    expect(screen.queryByText(/From is after To/)).toBeNull();
  });

  test('what the API refuses of it is said with its reason', async () => {
    show([refuses(SearchEvents, 'invalid-request', { issues: [{ path: 'query.person', message: 'At most 200 characters' }] })], `/history?person=${'x'.repeat(201)}`);
    expect((await screen.findByRole('alert')).textContent).toContain('At most 200 characters');
    expect(screen.queryByText(/No events/)).toBeNull();
  });

  test('an export is narrowed as the list is, without what is open beside it', async () => {
    show([found(historyEvent()), answers(GetEvent, eventDetail()), answers(GetEventProof, { proof: null })], '/history?event=directory:1&person=Ana&kind=denied&to=2026-02-28');
    await screen.findByRole('dialog');
    // Behind the drawer the page is hidden from the accessibility tree.
    expect([...document.querySelectorAll('a')].find(({ textContent }) => textContent === 'Export')?.getAttribute('href')).toBe('/history/exports?person=Ana&kind=denied&to=2026-02-28');
  });

  test('an export of a cleared filter is of everything', async () => {
    show([found(historyEvent())], '/history?person=Ana');
    await screen.findByRole('table');
    expect(exportLink()).toBe('/history/exports?person=Ana');
    await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
    expect(exportLink()).toBe('/history/exports');
  });
});

describe('how many there are', () => {
  const counted = (more = {}) => answers(CountEvents, eventCount({ events: 1234, facets: { kind: [{ value: 'activated', events: 1000 }, { value: 'denied', events: 234 }], result: [{ value: 'failure', events: 34 }], source: [{ value: 'directory', events: 1234 }] }, ...more }));
  const showWith = (count: Handler, path = '/history') => renderPage(<><EventsPage /><AddressBar /></>, { path, session: INES, api: [found(historyEvent()), noNames, count] });

  test('is said beside the list, and each sort narrows it and is taken back', async () => {
    showWith(counted());
    expect(await screen.findByText('1,234 events')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Denied 234' }));
    expect(address()).toBe('/history?kind=denied');
    expect((await screen.findByRole('button', { name: 'Denied 234' })).getAttribute('aria-pressed')).toBe('true');
    await userEvent.click(screen.getByRole('button', { name: 'Denied 234' }));
    expect(address()).toBe('/history');
  });

  test('ends at ten thousand, and says of how many the sorts are', async () => {
    showWith(counted({ events: 10_000, is: 'more', facetsOf: 'some' }));
    expect(await screen.findByText('10,000+ events')).toBeTruthy();
    expect(screen.getByText('of 10,000 of them')).toBeTruthy();
  });

  test('does not hold the list up', async () => {
    showWith(waits(CountEvents));
    expect(await screen.findByRole('table', { name: 'Events' })).toBeTruthy();
  });
});

test('a reason too short to be looked up is said, and not sent', async () => {
  const { calls } = show([found(historyEvent())], '/history?text=ab');
  expect(await screen.findByText(/“ab” is too short/)).toBeTruthy();
  expect(asked(calls).every((query) => !query.has('text'))).toBe(true);
});

test('the order stands in the address', async () => {
  const { calls } = show([found(historyEvent())]);
  await screen.findByRole('table');
  await userEvent.selectOptions(field('Order'), 'Oldest first');
  expect(address()).toBe('/history?order=oldest');
  await waitFor(() => { expect(asked(calls).at(-1)?.get('order')).toBe('oldest'); });
});
