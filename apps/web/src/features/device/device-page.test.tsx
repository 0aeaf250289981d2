import { DecideDeviceSignIn, GetDeviceSignIn, GetSession } from '@gatehouse/contracts';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits } from '../../testing/testing.tsx';
import { DevicePage } from './device-page.tsx';

const asking = (more = {}) => answers(GetDeviceSignIn, { userCode: 'WDJB-MJHT', deviceName: 'build-7', address: '203.0.113.7', askedAt: at(0), expiresAt: at(10), sessionEndsAt: at(90), ...more });
const field = () => screen.getByRole<HTMLInputElement>('textbox', { name: /^Code/ });
const HERE = '/device?code=WDJB-MJHT';

afterEach(() => { vi.useRealTimers(); });

test('without a code it asks for one, and sends nothing before it is one', async () => {
  const { calls } = renderPage(<DevicePage />, { path: '/device', api: [asking()] });
  await screen.findByRole('heading', { level: 1, name: 'Sign in a command line' });
  await userEvent.type(field(), 'HELLO');
  await userEvent.click(screen.getByRole('button', { name: 'Show the device' }));
  expect(await screen.findByText('A code has eight letters, such as WDJB-MJHT')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint === GetDeviceSignIn)).toEqual([]);
});

test('takes the code as people type it, by keyboard alone', async () => {
  const { calls } = renderPage(<DevicePage />, { path: '/device', api: [asking()] });
  await screen.findByRole('heading', { level: 1 });
  field().focus();
  await userEvent.keyboard(' wdjb mjht{Enter}');
  expect(await screen.findByRole('article', { name: 'build-7 asks to sign in' })).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === GetDeviceSignIn)?.url).toBe('/api/device/authorizations/WDJBMJHT');
});

test('shows that it is reading', async () => {
  renderPage(<DevicePage />, { path: HERE, api: [waits(GetDeviceSignIn)] });
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Allow' })).toBeNull();
});

test('a code that nobody was given is refused with its reason, and another one can be entered', async () => {
  renderPage(<DevicePage />, { path: HERE, api: [refuses(GetDeviceSignIn, 'not-found', { detail: 'No device asks under this code.' })] });
  expect((await screen.findByRole('alert')).textContent).toContain('No device asks under this code.');
  expect(screen.queryByRole('button', { name: 'Allow' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Enter another code' }));
  expect(field().value).toBe('');
});

test('a link with something else than a code shows what it holds in the field', async () => {
  const { calls } = renderPage(<DevicePage />, { path: '/device?code=%3Cb%3E', api: [asking()] });
  await screen.findByRole('heading', { level: 1 });
  expect(field().value).toBe('<b>');
  expect(calls.filter(({ endpoint }) => endpoint === GetDeviceSignIn)).toEqual([]);
});

test('says what asks, from where, since when, what it will be able to do, and what to beware of', async () => {
  const { calls } = renderPage(<DevicePage />, { path: HERE, api: [asking()] });
  const card = await screen.findByRole('article', { name: 'build-7 asks to sign in' });
  for (const text of ['WDJB-MJHT', 'build-7, as it calls itself', '203.0.113.7', /lapses/, /apply and take back setups in your name \(Ana Costa\), until .* at the latest, when your session here ends/, /cannot activate access, approve requests/, 'Allow only what you started yourself']) expect(within(card).getByText(text)).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST'), 'opening a link allows nothing').toEqual([]);
});

test.each([['Allow', 'allow', 'Go back to the terminal', /signed in as you/], ['Deny', 'deny', 'The device was denied', /gets nothing/]] as const)('%s sends the decision, and says what to do next', async (button, decision, title, text) => {
  const { calls } = renderPage(<DevicePage />, { path: HERE, api: [asking(), answers(DecideDeviceSignIn, { decision })] });
  await userEvent.click(await screen.findByRole('button', { name: button }));
  const heading = await screen.findByRole('heading', { level: 1, name: title });
  await waitFor(() => { expect(document.activeElement).toBe(heading); });
  expect(screen.getByRole('status').textContent).toMatch(text);
  expect(calls.find(({ endpoint }) => endpoint.method === 'POST')).toMatchObject({ url: '/api/device/authorizations/WDJB-MJHT', body: { decision, personId: ANA.person?.id } });
});

test('a code that somebody was quicker with says so, and nothing is shown as allowed', async () => {
  renderPage(<DevicePage />, { path: HERE, api: [asking(), refuses(DecideDeviceSignIn, 'already-decided', { detail: 'This code was used already.' })] });
  await userEvent.click(await screen.findByRole('button', { name: 'Allow' }));
  expect((await screen.findByRole('alert')).textContent).toContain('This code was used already.');
  expect(screen.queryByText(/Go back to the terminal/)).toBeNull();
  expect(screen.getByRole('button', { name: 'Enter another code' })).toBeTruthy();
});

test('who takes over the session in another tab does not decide in the name that the page shows', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const { calls, use } = renderPage(<DevicePage />, { path: HERE, api: [asking(), refuses(DecideDeviceSignIn, 'conflict', { detail: 'By now you are signed in as Maya Lindqvist.' })] });
  const button = await screen.findByRole('button', { name: 'Allow' });
  const before = calls.length;
  use(answers(GetSession, { ...ANA, person: { id: 'somebody-else', displayName: 'Maya Lindqvist', userPrincipalName: 'maya.lindqvist@contoso.example', roles: ['SetupAdmin'] } }));
  await vi.advanceTimersByTimeAsync(60_000);
  await waitFor(() => { expect(calls.length).toBeGreaterThan(before); });
  fireEvent.click(button);
  expect((await screen.findByRole('alert')).textContent).toContain('By now you are signed in as Maya Lindqvist.');
  expect(screen.getByText(/in your name \(Ana Costa\)/)).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === DecideDeviceSignIn)?.body).toEqual({ decision: 'allow', personId: ANA.person?.id });
});

test('a code that lapsed while the page stood open cannot be allowed', async () => {
  const { calls } = renderPage(<DevicePage />, { path: HERE, api: [asking({ askedAt: at(-10), expiresAt: at(0) })] });
  expect((await screen.findByRole('status')).textContent).toContain('lapsed');
  await userEvent.click(screen.getByRole('button', { name: 'Allow' }));
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST')).toEqual([]);
});
