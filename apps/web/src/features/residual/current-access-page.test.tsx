import { EndAccessNow, ListCurrentAccess, type CurrentAccess } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { useSession } from '../../lib/session.ts';
import { at, entry, GROUP } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { CurrentAccessPage } from './current-access-page.tsx';

const as = (...roles: ('SetupAdmin' | 'Auditor')[]) => ({ ...ANA, person: { id: 'm', displayName: 'Maya Lindqvist', userPrincipalName: 'maya.lindqvist@contoso.example', roles } });
const PERSON = 'aaaaaaaa-0000-4000-8000-000000000001';
const item = (more: Partial<CurrentAccess> = {}): CurrentAccess => ({ principalId: PERSON, principalName: 'Ana Costa', groupId: GROUP, groupName: 'FinReport-Access', applications: entry().applications, since: at(-10), endsAt: at(20), ended: null, revocation: null, ...more });
const ended = { at: at(-30), networkMayStayOpenUntil: at(60) };
const cut = { askedAt: at(-20), askedBy: 'Maya Lindqvist', state: 'revoked' as const, revokedAt: at(-20), takesEffectBy: at(-5), failure: null };
const lists = (...items: CurrentAccess[]) => answers(ListCurrentAccess, { readAt: at(0), items });

function SignedIn() {
  useSession();
  return <CurrentAccessPage />;
}
const show = (session: ReturnType<typeof as>, ...api: Handler[]) => renderPage(<SignedIn />, { session, api });
const cells = async () => Object.fromEntries(within((await screen.findAllByRole('row'))[1] as HTMLElement).getAllByRole('cell').map((cell) => [cell.getAttribute('data-label'), cell.textContent]));
const openDialog = async () => {
  await userEvent.click(await screen.findByRole('button', { name: 'End now… the access of Ana Costa to Finance reports' }));
  return within(await screen.findByRole('dialog'));
};

describe('who is in', () => {
  test('is not claimed to be nobody before it was read, nor where it cannot be', async () => {
    const { unmount } = show(as('SetupAdmin'), waits(ListCurrentAccess));
    expect(await screen.findByLabelText('Reading')).toBeTruthy();
    expect(screen.queryByText(/Nobody has activated/)).toBeNull();
    unmount();
    show(as('SetupAdmin'), refuses(ListCurrentAccess, 'internal'));
    expect(await screen.findByRole('alert')).toBeTruthy();
    expect(screen.queryByText(/Nobody has activated/)).toBeNull();
  });

  test('nobody is said', async () => {
    show(as('SetupAdmin'), lists());
    expect(await screen.findByText('Nobody has activated access now')).toBeTruthy();
  });

  test.each([
    ['open', item(), '●Open20:00 left'],
    ['ended', item({ ended }), /^▲Ended, network may stay openuntil /],
    ['closed', item({ ended, revocation: cut }), /^○Sign-ins revoked.* by Maya Lindqvist\. Closed on current Windows clients by \d\d:\d\d, on others by \d\d:\d\d\.$/],
    ['failed', item({ ended, revocation: { ...cut, state: 'failed', revokedAt: null, takesEffectBy: null, failure: 'A permission or a role is missing.' } }), /Ending it failed: A permission or a role is missing\.$/],
    ['under way', item({ revocation: { ...cut, state: 'asked', revokedAt: null, takesEffectBy: null } }), /Maya Lindqvist is ending it since/],
  ])('%s', async (_state, one, state) => {
    show(as('SetupAdmin'), lists(one));
    expect((await cells())['State']).toEqual(typeof state === 'string' ? expect.stringContaining(state.slice(0, 5)) : expect.stringMatching(state));
  });

  test('an auditor sees and cannot end', async () => {
    show(as('Auditor'), lists(item()));
    expect(await cells()).toMatchObject({ Person: 'Ana Costa', Opens: 'Finance reportsvia FinReport-Access' });
    expect(screen.queryByRole('button', { name: /^End/ })).toBeNull();
  });
});

describe('ending it now', () => {
  test('asks for a reason, says what it does, and says what was done', async () => {
    const { calls } = show(as('SetupAdmin'), lists(item()), answers(EndAccessNow, item({ ended, revocation: cut })));
    const dialog = await openDialog();
    expect(dialog.getByText(/every application on every device asks to sign in again/)).toBeTruthy();
    await userEvent.click(dialog.getByRole('button', { name: 'End now' }));
    expect(await dialog.findByText('Say in a few words why')).toBeTruthy();
    expect(calls.filter(({ endpoint }) => endpoint === EndAccessNow)).toEqual([]);
    await userEvent.type(dialog.getByRole('textbox', { name: /Why/ }), 'Laptop stolen{Enter}');
    expect((await screen.findByText(/the membership is gone and the sign-ins are revoked/)).textContent).toContain('Ana Costa, Finance reports');
    expect(calls.filter(({ endpoint }) => endpoint === EndAccessNow).map(({ body }) => body)).toEqual([{ principalId: PERSON, groupId: GROUP, justification: 'Laptop stolen' }]);
  });

  test('that is refused says why, keeps the reason, and claims nothing', async () => {
    show(as('SetupAdmin'), lists(item()), refuses(EndAccessNow, 'revocation-refused', { detail: 'PIM ends no membership in its first 5 min.' }));
    const dialog = await openDialog();
    await userEvent.type(dialog.getByRole('textbox', { name: /Why/ }), 'Laptop stolen{Enter}');
    expect(await dialog.findByText(/PIM ends no membership in its first 5 min/)).toBeTruthy();
    expect(dialog.getByRole<HTMLInputElement>('textbox', { name: /Why/ }).value).toBe('Laptop stolen');
    expect(screen.queryByText(/the membership is gone/)).toBeNull();
  });

  test('that asks to verify keeps the reason for who comes back, and for nobody else; leaving the dialog lets go of it', async () => {
    const why = () => screen.getByRole<HTMLInputElement>('textbox', { name: /Why/ });
    const { unmount } = show(as('SetupAdmin'), lists(item()), refuses(EndAccessNow, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' }));
    const dialog = await openDialog();
    await userEvent.type(dialog.getByRole('textbox', { name: /Why/ }), 'Laptop stolen{Enter}');
    expect(await dialog.findByRole('link', { name: 'Verify' })).toBeTruthy();
    unmount();
    const session = as('SetupAdmin');
    const other = show({ ...session, person: { ...session.person, id: 'n' } }, lists(item()));
    await openDialog();
    expect(why().value).toBe('');
    other.unmount();
    show(session, lists(item()));
    await openDialog();
    expect(why().value).toBe('Laptop stolen');
    expect(sessionStorage).toHaveLength(1);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(sessionStorage).toHaveLength(0);
  });
});
