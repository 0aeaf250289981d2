import { ListNotifications, ResendNotification, type Answer, type DeadLetter } from '@gatehouse/contracts';
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage } from '../../testing/testing.tsx';
import { NotificationsSection } from './notifications-section.tsx';

const letter = (more: Partial<DeadLetter> = {}): DeadLetter => ({
  id: 'e0000000-0000-4000-8000-000000000001', channel: 'mail', recipient: 'omar.haddad@contoso.example', requesterName: 'Ana Costa', groupName: 'Payroll', lapsesAt: at(60), tries: 8, error: 'The mail server does not take the mail now (451).', givenUpAt: at(-5), ...more,
});
const outbox = (more: Partial<Answer<typeof ListNotifications>> = {}) => answers(ListNotifications, { mail: true, webhook: 'teams', waiting: 1, sent: 12, deadLetters: [], dead: 0, ...more });
const MAYA = { ...ANA, person: ANA.person && { ...ANA.person, roles: ['SetupAdmin' as const] } };

test.each([
  [{}, 'Approvers are told of requests by mail and in Teams. 12 sent in the last 24 h, 1 still to send.'],
  [{ mail: false, webhook: 'off' as const, waiting: 0, sent: 0 }, 'Off: no mail server and no webhook is set, so approvers see requests in the portal and in Entra’s own mails.'],
])('says which ways are set: %j', async (more, text) => {
  renderPage(<NotificationsSection />, { api: [outbox(more)] });
  expect(await screen.findByText(text)).toBeTruthy();
  expect(screen.queryByRole('table')).toBeNull();
});

test('a refusal is not an empty outbox', async () => {
  renderPage(<NotificationsSection />, { api: [refuses(ListNotifications, 'not-ready')] });
  expect(await screen.findByRole('alert')).toBeTruthy();
  expect(screen.queryByText(/Off:/)).toBeNull();
});

test('what could not be delivered says to whom, about what and why; an administrator has it sent again', async () => {
  const { calls, use } = renderPage(<NotificationsSection />, { session: MAYA, api: [outbox({ dead: 2, deadLetters: [letter(), letter({ id: 'e0000000-0000-4000-8000-000000000002', channel: 'webhook', recipient: null, lapsesAt: at(-1) })] }), answers(ResendNotification, { id: letter().id })] });
  expect(await screen.findByText('2 could not be delivered')).toBeTruthy();
  expect(screen.getByText('omar.haddad@contoso.example')).toBeTruthy();
  expect(screen.getAllByText('The mail server does not take the mail now (451). Tried 8 times.')).toHaveLength(2);
  // What has lapsed is not sent any more.
  expect(screen.getByText('The request has lapsed')).toBeTruthy();
  use(outbox({ waiting: 2 }));
  await userEvent.click(screen.getByRole('button', { name: 'Send again to omar.haddad@contoso.example: Ana Costa' }));
  expect(await screen.findByText(/2 still to send/)).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === ResendNotification)?.url).toBe(`/api/notifications/${letter().id}/resend`);
});

test('who may only read is told who can', async () => {
  renderPage(<NotificationsSection />, { api: [outbox({ dead: 1, deadLetters: [letter()] })] });
  expect(await screen.findByText('A SetupAdmin can')).toBeTruthy();
  expect(screen.queryByRole('button', { name: /Send again/ })).toBeNull();
});
