import { GetActivation, ListHistoryNames, SearchActivations } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { at, REQUEST } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { ActivationsPage } from './activations-page.tsx';
import { AddressBar, connections, coverage, historyActivation, historyEvent, INES, story } from './testing/history.tsx';

const list = [answers(ListHistoryNames, { groups: [], applications: [] }), answers(SearchActivations, { activations: [historyActivation()], nextCursor: null, coverage: coverage() })];
const show = (api: Handler[], path = `/history/activations?activation=${REQUEST}`) => renderPage(<><ActivationsPage /><AddressBar /></>, { path, session: INES, api: [...api, ...list] });
const drawer = async () => within(await screen.findByRole('dialog'));
const line = async () => within(await (await drawer()).findByRole('region', { name: 'From request to end' })).getAllByRole('listitem').map(({ textContent }) => textContent.replaceAll(/\d\d:\d\d/g, 'hh:mm'));
const address = () => screen.getByLabelText('Address').textContent;

const WHOLE = [
  historyEvent({ id: 'directory:1', kind: 'activation-requested', at: at(-45), reason: 'Month-end close' }),
  historyEvent({ id: 'directory:2', kind: 'approved', at: at(-42), actorName: 'Omar Haddad', reason: 'Known work' }),
  historyEvent({ id: 'directory:3', kind: 'member-added', at: at(-40), actorName: null, service: 'Core Directory', reason: null }),
  historyEvent({ id: 'directory:4', kind: 'expired', at: at(-10), actorName: 'Azure AD PIM', reason: null }),
];

test('goes from the request over approval and provisioning to the end, oldest first', async () => {
  show([answers(GetActivation, story({}, WHOLE))]);
  expect(await line()).toEqual([
    'Activation requested hh:mm · Ana Costa · PIM', 'Approved hh:mm · Omar Haddad · PIM“Known work”', 'Member added hh:mm · Not named · Core Directory', 'Activation ended hh:mm · Azure AD PIM · PIM',
  ]);
  const panel = await drawer();
  expect(await panel.findByRole('heading', { name: 'Ana Costa: Finance reports' })).toBeTruthy();
  for (const text of ['Ended', 'after 30 min, time was over', 'Month-end close', 'INC-4711', /^\d\d:\d\d by Omar Haddad: Known work$/, REQUEST]) expect(panel.getByText(text)).toBeTruthy();
});

test.each([
  ['that waits', { status: 'awaiting-approval', endedAt: null, provisionedAt: null }, 'Waits for approval'],
  ['that runs', { status: 'active', endedAt: null, expiresAt: at(20) }, 'Ends hh:mm'],
  ['without an end', { status: 'active', endedAt: null, expiresAt: at(-10) }, 'Was to end hh:mm; the record does not have its end'],
  ['without an end in sight', { status: 'active', endedAt: null, expiresAt: null }, 'Until when is not known'],
  ['for later', { status: 'scheduled', endedAt: null }, 'Has not begun'],
  ['of which only the request is known', { status: 'requested', endedAt: null, provisionedAt: null }, 'What became of it is not in the record yet'],
] as const)('of one %s says what is still open', async (_name, more, last) => {
  show([answers(GetActivation, story(more, WHOLE.slice(0, 1)))]);
  expect(await line()).toEqual(['Activation requested hh:mm · Ana Costa · PIM', last]);
});

test('says what the record lacks', async () => {
  show([answers(GetActivation, story({ justification: null, decidedBy: null, decisionReason: null }))]);
  expect(await line()).toEqual(['The record has no event of it']);
  const panel = await drawer();
  expect(panel.getByText('No reason recorded')).toBeTruthy();
  expect(panel.getByText(/by somebody not named$/)).toBeTruthy();
});

test('a step that failed says so', async () => {
  show([answers(GetActivation, story({ status: 'failed', endedAt: null }, [historyEvent({ kind: 'activated', result: 'failure', reason: 'PolicyValidationFailed' })]))]);
  expect(await line()).toEqual([expect.stringContaining('Failure')]);
  expect((await drawer()).getByText('“PolicyValidationFailed”')).toBeTruthy();
});

test('leads to its raw events, and to all of the person, the group and the application', async () => {
  show([answers(GetActivation, story({}, WHOLE))]);
  await line();
  const panel = await drawer();
  const to = (name: string) => panel.getByRole('link', { name }).getAttribute('href');
  expect(to('Approved')).toBe('/history?event=directory%3A2');
  expect(to('Events of Ana Costa')).toBe('/history?person=Ana+Costa');
  expect(to('Events of FinReport-SeniorAnalyst-SecureAccess')).toBe('/history?group=FinReport-SeniorAnalyst-SecureAccess');
  expect(to('Events of Finance reports')).toBe('/history?application=Finance+reports');
});

test('is opened and closed by the keyboard, stands in the address, and gives the focus back', async () => {
  show([answers(GetActivation, story({}, WHOLE))], '/history/activations?person=Ana');
  const button = within(await screen.findByRole('table')).getByRole('button');
  button.focus();
  await userEvent.keyboard('{Enter}');
  await drawer();
  expect(address()).toBe(`/history/activations?person=Ana&activation=${REQUEST}`);
  await waitFor(() => { expect(screen.getByRole('dialog').contains(document.activeElement)).toBe(true); });
  await userEvent.keyboard('{Escape}');
  await waitFor(() => { expect(document.activeElement).toBe(button); });
  expect(address()).toBe('/history/activations?person=Ana');
});

test('waits in the shape of what comes', async () => {
  show([waits(GetActivation)]);
  expect((await drawer()).getByLabelText('Reading')).toBeTruthy();
});

test('that is not there is said, and can be tried again', async () => {
  const { use } = show([refuses(GetActivation, 'not-found')]);
  const panel = await drawer();
  expect((await panel.findByRole('alert')).textContent).toContain('Not found');
  expect(panel.queryByRole('list')).toBeNull();
  use(answers(GetActivation, story({}, WHOLE)));
  await userEvent.click(panel.getByRole('button', { name: 'Try again' }));
  expect(await line()).toHaveLength(4);
});

describe('which hosts were reached', () => {
  const hosts = async () => (await (await drawer()).findByRole('region', { name: 'Hosts reached' })).textContent.replace('Hosts reached', '').replaceAll(/\d\d:\d\d/g, 'hh:mm');
  const host = { host: 'fin-rep.corp', port: 443, applicationName: 'Finance reports', firstAt: at(-38), lastAt: at(-20), count: 3 };
  const readTo = { ...coverage(), closed: null };

  test.each([
    ['each with its times, and that these are all', connections({ reached: [host, { ...host, host: '2001:db8::7', port: 22, count: 1 }] }),
      'fin-rep.corp:443Finance reports · 3 times, hh:mm to hh:mm[2001:db8::7]:22Finance reports · once, hh:mmAll of them: the traffic log was read from the beginning of the access until 1 h 30 min after its end.'],
    ['none, where that is sure', connections(), 'None: the traffic log was read from the beginning of the access until 1 h 30 min after its end.'],
    ['none so far, where it is not', connections({ complete: false }), 'None that the traffic log shows.The traffic log was read to hh:mm, and rows come late: there may be more.'],
    ['from when on, where the log begins later', connections({ complete: false, coverage: { ...readTo, from: at(-30) } }), 'None that the traffic log shows.The traffic log was read from hh:mm to hh:mm, and rows come late: there may be more.'],
    ['some, where there are more than are listed', connections({ reached: [host], more: true }), 'fin-rep.corp:443Finance reports · 3 times, hh:mm to hh:mmThere are more than these.'],
    ['with care, where what the group opens was changed', connections({ complete: false, changedSince: true }), 'None that the traffic log shows.What the group opens was changed since: only what it opens now is looked for.'],
    ['what was read, where the log was closed since', connections({ reached: [host], complete: false, coverage: { ...readTo, closed: 'not-permitted' } }),
      'fin-rep.corp:443Finance reports · 3 times, hh:mm to hh:mmThe traffic log was read to hh:mm, and rows come late: there may be more.What came since cannot be seen: the permission NetworkAccess-Reports.Read.All is not granted to Gatehouse.'],
    ['nothing and why, without the permission', connections({ reached: null, complete: false, cause: 'not-permitted' }), 'Connections cannot be seen: the permission NetworkAccess-Reports.Read.All is not granted to Gatehouse.'],
    ['nothing and why, before the log was read', connections({ reached: null, complete: false, cause: 'not-read' }), 'The traffic log was not read for this time.'],
  ])('is said: %s', async (_what, reached, told) => {
    show([answers(GetActivation, story({}, WHOLE, reached))]);
    expect(await hosts()).toBe(told);
  });
});
