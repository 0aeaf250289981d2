import { AskPointInTime, ListPointInTimeTargets, type PointAnswer, type PointRow } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useLocation } from 'react-router';
import { expect, test } from 'vitest';
import { useSession } from '../../lib/session.ts';
import { at, GROUP, REQUEST } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { PointInTimePage } from './point-in-time-page.tsx';

const INES = { ...ANA, person: { id: 'a0000000-0000-4000-8000-000000000005', displayName: 'Ines Moreau', userPrincipalName: 'ines.moreau@contoso.example', roles: ['Auditor' as const] } };
const APPLICATION = 'c0000000-0000-4000-8000-000000000001';
const HERE = `/history/point-in-time?to=application%3A${APPLICATION}&at=${at(-60)}`;
const group = { id: GROUP, name: 'FinReport-Controller-SecureAccess' };
const names = answers(ListPointInTimeTargets, { applications: [{ id: APPLICATION, name: 'Finance reports', gone: false }, { id: 'c0000000-0000-4000-8000-000000000002', name: 'Payroll', gone: true }], groups: [{ ...group, gone: false }] });

const row = (more: Partial<PointRow> = {}): PointRow => ({
  principal: { id: 'p1', name: 'Omar Haddad', kind: 'user' }, group, way: 'eligible', certainty: 'observed', reasons: ['eligible-as-read'], from: at(-9000), until: at(9000), requestId: null,
  evidence: [{ kind: 'observation', id: '15.0', at: at(-70), what: 'eligible' }], ...more,
});
const activated = row({ principal: { id: 'p2', name: 'Ana Costa', kind: 'user' }, way: 'activated', reasons: ['activation-as-logged'], requestId: REQUEST, evidence: [{ kind: 'event', id: 'directory:e1', at: at(-65), what: 'activated' }] });
const answer = (more: Partial<PointAnswer> = {}): PointAnswer => ({
  target: { kind: 'application', id: APPLICATION, name: 'Finance reports' }, at: at(-60), knownAt: at(0), checkpoint: { size: 12_345, signedAt: at(-1) }, behindSince: null,
  coverage: { eventsFrom: at(-50_000), applicationsFrom: at(-50_000), groups: [{ ...group, from: at(-50_000), readThen: true }] },
  paths: [{ group, application: { id: APPLICATION, name: 'Finance reports', kind: 'per-app', assignmentRequired: true, segments: [{ host: 'fin-rep.corp.example', ports: ['443'], protocol: 'tcp' }] }, certainty: 'observed', reasons: [], policy: { maxMinutes: 30, signIn: 'mfa', requireJustification: true, requireTicket: false, requireApproval: false, approvers: [] }, policyCertainty: 'observed', evidence: [] }],
  could: { total: 2, rows: [activated, row()] }, had: { total: 1, rows: [activated] }, nextCursor: null, ...more,
});

/** Waits for the session as the shell does, so that the page goes by the server's clock. */
function Address() {
  useSession();
  const { pathname, search } = useLocation();
  return <output aria-label="Address">{`${pathname}${search}`}</output>;
}
const show = (api: Handler[], path = HERE) => renderPage(<><PointInTimePage /><Address /></>, { path, session: INES, api: [...api, names] });
const asked = (calls: readonly { readonly endpoint: unknown; readonly url: string }[]) => calls.filter(({ endpoint }) => endpoint === AskPointInTime).map(({ url }) => Object.fromEntries(new URL(url, 'http://portal').searchParams));

test('who had access and who could, each with what it rests on and the way to it', async () => {
  show([answers(AskPointInTime, answer())]);
  const had = await screen.findByRole('table', { name: 'Had access' });
  expect(within(had).getByRole('link', { name: 'The activation' }).getAttribute('href')).toBe(`/history/activations?activation=${REQUEST}`);
  expect(within(had).getByRole('link', { name: /^Event of/ }).getAttribute('href')).toBe('/history?event=directory%3Ae1');
  const could = within(screen.getByRole('table', { name: 'Could reach it' }));
  expect(could.getByRole('row', { name: /Omar Haddad.*Eligible: could activate.*Known.*Entra listed the eligibility.*no\. 15\.0/ })).toBeTruthy();
  expect(screen.getByRole('row', { name: /Finance reports.*fin-rep\.corp\.example : 443.*reason, MFA.*at most 30 min/ })).toBeTruthy();
  expect(screen.getByText(/The audit log is known from/).textContent).toContain('What is found later can change this answer.');
  expect(screen.queryByText(/may be missing/)).toBeNull();
});

test('what is not known is said at the line, and above it what cannot be in the answer', async () => {
  show([answers(AskPointInTime, answer({ could: { total: 1, rows: [row({ certainty: 'not-known', reasons: ['eligible-as-read', 'opening-not-known'] })] }, had: { total: 0, rows: [] }, coverage: { eventsFrom: null, applicationsFrom: at(-10), groups: [{ ...group, from: at(-10), readThen: false }] } }))]);
  expect(await screen.findByRole('row', { name: /Omar Haddad.*Not known.*Whether the group opened it then is not known/ })).toBeTruthy();
  for (const spot of [/Nobody had looked yet which group opens what/, /people whose eligibility had ended before the first reading may be missing/, /activations of that time are missing/]) expect(screen.getByText(spot)).toBeTruthy();
  expect(screen.getByText('Nobody is known to have had access')).toBeTruthy();
});

test('what waits to be sealed is said not to count, and what was asked of before anything was sealed too', async () => {
  const page = show([answers(AskPointInTime, answer({ behindSince: at(-30) }))]);
  expect(await screen.findByText(/^What was received since .* waits to be sealed in the ledger, and is not in this answer/)).toBeTruthy();
  page.unmount();
  show([answers(AskPointInTime, answer({ checkpoint: null, coverage: { eventsFrom: null, applicationsFrom: null, groups: [] }, paths: [] }))], `${HERE}&known=${at(-30)}`);
  expect(await screen.findByText(/nothing counts as known/)).toBeTruthy();
  expect(screen.queryByText(/Nobody had looked yet/)).toBeNull();
  expect(screen.queryByText(/rests on the ledger/)).toBeNull();
});

test('an application that asks for no assignment is said to be open to all', async () => {
  const [path] = answer().paths;
  show([answers(AskPointInTime, answer({ paths: path?.application ? [{ ...path, application: { ...path.application, assignmentRequired: false } }] : [] }))]);
  expect(await screen.findByText(/everybody in the tenant could reach it/)).toBeTruthy();
});

test('asks nothing before it is told what, and then once; the question stands in the address', async () => {
  const { calls } = show([answers(AskPointInTime, answer())], '/history/point-in-time');
  expect(await screen.findByText('Who could reach it, and who did?')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Show who could reach it' }));
  expect(screen.getByText('Choose an application.')).toBeTruthy();
  expect(screen.getByText('Say for what time you ask.')).toBeTruthy();
  expect(asked(calls)).toEqual([]);
  await userEvent.selectOptions(await screen.findByRole('combobox', { name: /^Application/ }), 'Finance reports');
  const time = screen.getByLabelText(/^At/);
  await userEvent.type(time, '2026-03-01T12:00');
  await userEvent.selectOptions(screen.getByLabelText('As known'), 'then');
  await userEvent.type(screen.getByLabelText(/^Known at/), '2026-03-01T13:00');
  await userEvent.keyboard('{Enter}');
  await screen.findByRole('region', { name: 'Answer' });
  expect(asked(calls)).toEqual([{ to: `application:${APPLICATION}`, at: new Date('2026-03-01T12:00').toISOString(), known: new Date('2026-03-01T13:00').toISOString() }]);
  expect(screen.getByLabelText('Address').textContent).toContain('known=2026-03-01');
  expect(screen.getByRole('option', { name: 'Payroll (gone)' })).toBeTruthy();
});

test('an address is a whole question; kept as known now, what comes later makes no difference', async () => {
  const { calls } = show([answers(AskPointInTime, answer())], `${HERE}&known=${at(-30)}`);
  await screen.findByRole('region', { name: 'Answer' });
  expect(asked(calls)).toEqual([{ to: `application:${APPLICATION}`, at: at(-60), known: at(-30) }]);
  expect(screen.getByLabelText<HTMLInputElement>(/^Known at/).value).not.toBe('');
});

test('of an earlier knowledge it is said that nothing later counts, and of today’s how to keep it', async () => {
  const page = show([answers(AskPointInTime, answer({ knownAt: at(-30) }))], `${HERE}&known=${at(-30)}`);
  expect(await screen.findByText(/The answer rests on the ledger as signed .*, with 12,345 entries\. What was found later makes no difference to this answer\./)).toBeTruthy();
  page.unmount();
  show([answers(AskPointInTime, answer())]);
  expect((await screen.findByRole('link', { name: 'Keep it as known now' })).getAttribute('href')).toContain(`known=${encodeURIComponent(at(0))}`);
});

test('more people come below, with the cursor', async () => {
  const { calls } = show([answers(AskPointInTime, ({ url }) => (url.includes('cursor=next') ? answer({ could: { total: 3, rows: [row({ principal: { id: 'p3', name: 'Zoë Peeters', kind: 'user' } })] }, had: { total: 1, rows: [] } }) : answer({ could: { total: 3, rows: [activated, row()] }, nextCursor: 'next' })))]);
  await userEvent.click(await screen.findByRole('button', { name: 'More people' }));
  await waitFor(() => { expect(within(screen.getByRole('table', { name: 'Could reach it' })).getAllByRole('row')).toHaveLength(4); });
  expect(screen.queryByRole('button', { name: 'More people' })).toBeNull();
  expect(asked(calls).map(({ cursor }) => cursor)).toEqual([undefined, 'next']);
});

test('what is refused is told at its field; a failure is no empty answer', async () => {
  const page = show([refuses(AskPointInTime, 'invalid-request', { issues: [{ path: 'query.at', message: 'This is not over yet' }] })]);
  expect(await screen.findByText('This is not over yet')).toBeTruthy();
  expect(screen.queryByRole('region', { name: 'Answer' })).toBeNull();
  page.unmount();
  show([refuses(AskPointInTime, 'not-permitted', { detail: 'For auditors.' })]);
  expect((await screen.findByRole('alert')).textContent).toContain('For auditors.');
  expect(screen.queryByText(/Nobody is known/)).toBeNull();
});

test('shows that it is reading', async () => {
  show([waits(AskPointInTime)]);
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
});
