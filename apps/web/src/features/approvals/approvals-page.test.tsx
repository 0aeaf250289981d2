import { DecideApproval, ListApprovals } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { approval, at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits } from '../../testing/testing.tsx';
import { ApprovalsPage } from './approvals-page.tsx';

const inbox = (items = [approval()]) => answers(ListApprovals, { readAt: at(0), items, decided: [] });
const reason = () => screen.getByRole<HTMLInputElement>('textbox', { name: /Reason for the decision/ });

test('shows that it is reading', async () => {
  renderPage(<ApprovalsPage />, { api: [waits(ListApprovals)] });
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByText('Nothing waits for your decision')).toBeNull();
});

test('a refusal is not an empty inbox', async () => {
  renderPage(<ApprovalsPage />, { api: [refuses(ListApprovals, 'directory-unavailable', { detail: 'What waits for you is not known.' })] });
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Microsoft Entra does not answer');
  expect(alert.textContent).toContain('Ref 4F2A91BC');
  expect(screen.queryByText('Nothing waits for your decision')).toBeNull();
});

test('an empty inbox says so', async () => {
  renderPage(<ApprovalsPage />, { api: [inbox([])] });
  expect(await screen.findByText('Nothing waits for your decision')).toBeTruthy();
});

test('a card says who wants what, why, for how long, and what they did before', async () => {
  renderPage(<ApprovalsPage />, { api: [inbox()] });
  const card = await screen.findByRole('article', { name: 'Ben Novak wants Finance reports' });
  for (const text of ['Month-end close, INC-4711', '30 min, from the decision on', 'fin-rep.corp.contoso.example : 443, 3389', /lapses/, /ended · “Last close”/]) expect(within(card).getByText(text)).toBeTruthy();
});

test.each(['Approve', 'Deny'])('%s asks for a reason before anything is sent', async (button) => {
  const { calls } = renderPage(<ApprovalsPage />, { api: [inbox()] });
  await userEvent.click(await screen.findByRole('button', { name: button }));
  expect(await screen.findByText('Say in a few words why')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST')).toEqual([]);
});

test.each([['Approve', 'approve', 'Approved'], ['Deny', 'deny', 'Denied']] as const)('%s sends the decision with its reason', async (button, decision, word) => {
  const { calls } = renderPage(<ApprovalsPage />, { api: [inbox(), answers(DecideApproval, { id: approval().id, decision, decidedAt: at(0) })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  await userEvent.click(screen.getByRole('button', { name: button }));
  expect((await screen.findByRole('status')).textContent).toContain(`${word} Ben Novak: Finance reports.`);
  expect(calls.find(({ endpoint }) => endpoint.method === 'POST')).toMatchObject({ url: `/api/approvals/${approval().id}/decision`, body: { decision, justification: 'Known work' } });
});

test('who was too late reads the news, and the request is gone', async () => {
  const { use } = renderPage(<ApprovalsPage />, { api: [inbox(), refuses(DecideApproval, 'already-decided', { detail: 'Omar Haddad approved it at 08:58.' })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  use(inbox([]));
  await userEvent.click(screen.getByRole('button', { name: 'Approve' }));
  const news = await screen.findByRole('status');
  expect(news.textContent).toContain('Omar Haddad approved it at 08:58.');
  expect(await screen.findByText('Nothing waits for your decision')).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a refusal keeps what was typed', async () => {
  renderPage(<ApprovalsPage />, { api: [inbox(), refuses(DecideApproval, 'directory-busy')] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  await userEvent.click(screen.getByRole('button', { name: 'Deny' }));
  expect((await screen.findByRole('alert')).textContent).toContain('Microsoft Entra is busy');
  expect(reason().value).toBe('Known work');
});

test('verifying leads back here, and the reason is there again', async () => {
  const { unmount } = renderPage(<ApprovalsPage />, { api: [inbox(), refuses(DecideApproval, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  await userEvent.click(screen.getByRole('button', { name: 'Approve' }));
  expect((await screen.findByRole('link', { name: 'Verify' })).getAttribute('href')).toBe('/auth/sign-in?stepUp=1&returnTo=%2F');
  unmount();
  renderPage(<ApprovalsPage />, { api: [inbox()] });
  await screen.findByRole('article');
  expect(reason().value).toBe('Known work');
});

test('what was decided folds away below', async () => {
  renderPage(<ApprovalsPage />, { api: [answers(ListApprovals, { readAt: at(0), items: [], decided: [{ id: '1', decision: 'deny', justification: 'Not today', decidedAt: at(-5), requesterName: 'Ben Novak', groupName: 'FinReport' }] })] });
  const summary = await screen.findByText('Decided here in the last 7 days (1)');
  expect(summary.closest('details')?.open).toBe(false);
  expect(screen.getByText(/Ben Novak · FinReport · “Not today”/)).toBeTruthy();
});
