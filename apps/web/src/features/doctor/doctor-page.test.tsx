import { DiagnoseMyPath, DiagnosePath, PathLinkName, type PathDiagnosis, type PathLink } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at, GROUP } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits } from '../../testing/testing.tsx';
import { DoctorPage } from './doctor-page.tsx';

const HOST = 'fin-rep.corp.contoso.example';
const HERE = `/doctor?to=${HOST}%3A443`;
const MAYA = { ...ANA, person: { id: 'a0000000-0000-4000-8000-000000000009', displayName: 'Maya Lindqvist', userPrincipalName: 'maya.lindqvist@contoso.example', roles: ['SetupAdmin' as const] } };
const anas = { id: ANA.person?.id ?? '', displayName: 'Ana Costa', userPrincipalName: 'ana.costa@contoso.example' };

/** In order, but for these links; what follows a broken one is not looked at. */
function found(changes: Partial<Record<PathLinkName, Partial<PathLink>>> = {}, more: Partial<PathDiagnosis> = {}): PathDiagnosis {
  const links = PathLinkName.options.map((link): PathLink => ({ link, state: 'holds', sentence: `The ${link} is in order.`, mend: null, ...changes[link] }));
  const broken = links.find(({ state }) => state === 'broken')?.link ?? null;
  return {
    readAt: at(0), person: anas, destination: { host: HOST, port: 443, protocol: 'tcp' }, application: { id: 'app-1', displayName: 'Finance reports', kind: 'per-app' },
    group: { id: GROUP, displayName: 'FinReport-Controller-SecureAccess' }, links, broken, keepsOut: broken !== null, canActivate: false, neverSeen: ['Whether the client runs.'], ...more,
  };
}
const notActive = found({ active: { state: 'broken', sentence: 'You are eligible and not active.', mend: 'Activate it in My access.' }, connector: { state: 'not-reached', sentence: 'An earlier link is broken.' } }, { canActivate: true });
const asked = (calls: readonly { readonly endpoint: unknown; readonly url: string }[]) => calls.filter(({ endpoint }) => endpoint === DiagnoseMyPath || endpoint === DiagnosePath).map(({ url }) => url);

test('the first broken link stands on top with what to do, and the list says each state in words', async () => {
  renderPage(<DoctorPage />, { path: HERE, api: [answers(DiagnoseMyPath, notActive)] });
  const verdict = await screen.findByRole('status', { name: 'What was found' });
  expect(within(verdict).getByRole('heading', { name: `${HOST}:443 does not open for you` })).toBeTruthy();
  expect(verdict.textContent).toContain('Active membership: broken');
  expect(verdict.textContent).toContain('What to do: Activate it in My access.');
  expect(within(verdict).getByRole('link', { name: 'Activate FinReport-Controller-SecureAccess' }).getAttribute('href')).toBe(`/access?activate=${GROUP}`);
  const links = within(screen.getByRole('list', { name: 'Links of the path' })).getAllByRole('listitem');
  expect(links.map((link) => link.textContent)).toEqual(expect.arrayContaining([expect.stringMatching(/In orderDestination/), expect.stringMatching(/BrokenActive membership/), expect.stringMatching(/Not looked atConnector/)]));
  expect(links).toHaveLength(11);
  expect(screen.getByText('Whether the client runs.')).toBeTruthy();
});

test('what is in order is said only where everything was seen', async () => {
  const { unmount } = renderPage(<DoctorPage />, { path: HERE, api: [answers(DiagnoseMyPath, found())] });
  expect((await screen.findByRole('status', { name: 'What was found' })).textContent).toContain('is in order for you');
  unmount();
  const unseen = found({ 'token-age': { state: 'not-known', sentence: 'The token may be older.', mend: 'Reconnect the client.' }, 'connector': { state: 'not-known', sentence: 'Not read.' } });
  renderPage(<DoctorPage />, { path: HERE, api: [answers(DiagnoseMyPath, unseen)] });
  const verdict = await screen.findByRole('status', { name: 'What was found' });
  expect(verdict.textContent).toContain('Nothing broken was seen');
  expect(verdict.textContent).toContain('Not known: age of the client’s token, connector.');
  expect(verdict.textContent).toContain('What to do: Reconnect the client.');
  expect(verdict.textContent).not.toContain('in order');
});

test('an application that lets everybody in is not said to keep anybody out', async () => {
  const open = found({ 'assignment-required': { state: 'broken', sentence: 'It lets everybody in.', mend: 'Have it turned on.' } }, { keepsOut: false });
  renderPage(<DoctorPage />, { path: HERE, api: [answers(DiagnoseMyPath, open)] });
  expect(await screen.findByRole('heading', { name: `${HOST}:443 opens for everybody` })).toBeTruthy();
});

test('asks nothing without a destination; what is typed is asked by keyboard', async () => {
  const { calls } = renderPage(<DoctorPage />, { path: '/doctor', api: [answers(DiagnoseMyPath, found())] });
  const field = await screen.findByRole('textbox', { name: /Destination/ });
  await userEvent.click(screen.getByRole('button', { name: 'Check the path' }));
  expect(screen.getByText(/Type a host and a port/)).toBeTruthy();
  expect(asked(calls)).toEqual([]);
  expect(screen.queryByRole('textbox', { name: /Person/ }), 'others are for admins and auditors').toBeNull();
  field.focus();
  await userEvent.keyboard(`${HOST}:443{Enter}`);
  await screen.findByRole('status', { name: 'What was found' });
  expect(asked(calls)).toEqual([`/api/doctor?to=${HOST}%3A443&protocol=tcp`]);
  // The same again is read anew.
  await userEvent.click(screen.getByRole('button', { name: 'Check the path' }));
  await waitFor(() => { expect(asked(calls)).toHaveLength(2); });
});

test('a destination that cannot be read is told at its field, and stays to be mended', async () => {
  renderPage(<DoctorPage />, { path: '/doctor?to=fin-rep', api: [refuses(DiagnoseMyPath, 'invalid-request', { detail: 'Add the port.', issues: [{ path: 'query.to', message: 'Add the port.' }] })] });
  expect(await screen.findByText('Add the port.')).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: /Destination/ }).value).toBe('fin-rep');
  expect(screen.queryByRole('alert')?.textContent ?? '').not.toContain('Ref');
});

test('an admin looks at somebody else, once, and is told that it is recorded', async () => {
  const { calls } = renderPage(<DoctorPage />, { path: `${HERE}&person=ana.costa%40contoso.example`, session: MAYA, api: [answers(DiagnosePath, notActive)] });
  expect(await screen.findByRole('heading', { name: `${HOST}:443 does not open for Ana Costa` })).toBeTruthy();
  expect(asked(calls)).toEqual([`/api/doctor/people/ana.costa%40contoso.example?to=${HOST}%3A443&protocol=tcp`]);
  expect(screen.getByText(/recorded that you looked/)).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: /Person/ }).value).toBe('ana.costa@contoso.example');
});

test('a link about oneself asks for oneself; one about somebody else is not asked by who may not', async () => {
  const { calls, unmount } = renderPage(<DoctorPage />, { path: `${HERE}&person=ANA.costa%40contoso.example`, api: [answers(DiagnoseMyPath, found())] });
  await screen.findByRole('status', { name: 'What was found' });
  expect(asked(calls)).toEqual([`/api/doctor?to=${HOST}%3A443&protocol=tcp`]);
  unmount();
  const other = renderPage(<DoctorPage />, { path: `${HERE}&person=ben.novak%40contoso.example` });
  expect(await screen.findByText(/Only a setup admin or an auditor may look at the path of somebody else/)).toBeTruthy();
  expect(asked(other.calls)).toEqual([]);
});

test('shows that it is reading, and a failure as a failure', async () => {
  const page = renderPage(<DoctorPage />, { path: HERE, api: [waits(DiagnoseMyPath)] });
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  page.unmount();
  renderPage(<DoctorPage />, { path: HERE, api: [refuses(DiagnoseMyPath, 'directory-unavailable', { detail: 'Nothing was read.' })] });
  expect((await screen.findByRole('alert')).textContent).toContain('Nothing was read.');
  expect(screen.queryByRole('status', { name: 'What was found' })).toBeNull();
});
