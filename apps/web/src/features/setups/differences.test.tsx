import { AcceptDrift, CheckSetup, GetSetupDrift, type Difference, type Session, type SetupDrift } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes, useLocation } from 'react-router';
import { expect, test } from 'vitest';
import { useSession } from '../../lib/session.ts';
import { at } from '../../testing/fixtures.ts';
import { GUID } from '../../testing/samples.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { Differences } from './differences.tsx';
import { MAYA } from './testing/wizard.tsx';

const difference = (more: Partial<Difference> = {}): Difference => ({
  key: 'member-added:b', kind: 'member-added', severity: 'bypass', title: 'Ben Novak is a member past PIM', expected: 'not a member', found: 'a member, for good', restorable: true, acceptable: false,
  mend: null, firstSeenAt: at(-30), by: { name: 'Omar Haddad', at: at(-40), eventId: 'ev-1' }, ...more,
});
const SETTINGS = difference({ key: 'role-settings', kind: 'role-settings', severity: 'weaker', title: 'Activation does not ask for MFA', expected: 'MFA', found: 'no stronger sign-in', acceptable: true, by: null });
const RENAMED = difference({ key: 'group-renamed', kind: 'group-renamed', severity: 'changed', title: 'The group is called Finance', expected: 'FinReport', found: 'Finance', acceptable: true });
const GONE = difference({ key: 'group-gone', kind: 'group-gone', severity: 'broken', title: 'The group is gone', restorable: false, mend: 'Restore it in Entra within 30 days.' });
const drift = (...differences: Difference[]): SetupDrift => ({ setupId: GUID(1), name: 'FinReport', lookedAt: at(-2), notSeen: [], failure: null, differences });

const Where = () => <p>{`at ${useLocation().pathname}${useLocation().search}`}</p>;
/** Ago is by the server's clock, which the frame of the portal has from the session. */
function OfSetup() {
  useSession();
  return <Differences setupId={GUID(1)} inRun={false} />;
}
const pages = <Routes><Route path="/setups/:id" element={<OfSetup />} /><Route path="*" element={<Where />} /></Routes>;
const open = (api: Handler[], session: Session = MAYA) => renderPage(pages, { path: `/setups/${GUID(1)}`, session, api });
const choose = (title: string) => userEvent.click(screen.getByRole('checkbox', { name: `Choose: ${title}` }));
const rows = async () => within(await screen.findByRole('list', { name: 'Differences' })).getAllByRole('listitem');

test('shows that it is reading', async () => {
  open([waits(GetSetupDrift)]);
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByText(/As designed/)).toBeNull();
});

test('a refusal is said and tried again on request, and is no clean bill', async () => {
  const { use } = open([refuses(GetSetupDrift, 'not-ready', { detail: 'The differences could not be read.' })]);
  expect((await screen.findByRole('alert')).textContent).toContain('The differences could not be read.');
  expect(screen.queryByText(/As designed/)).toBeNull();
  use(answers(GetSetupDrift, drift()));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('As designed. Looked at 2 min ago.')).toBeTruthy();
});

test.each([
  [{ ...drift(), lookedAt: null }, 'The tenant was not compared with this setup yet.'],
  [{ ...drift(), notSeen: ['The owners could not be read.'] }, 'As designed, as far as it could be seen. Looked at 2 min ago.'],
])('what was not looked at is not called as designed', async (found, words) => {
  open([answers(GetSetupDrift, found)]);
  expect(await screen.findByText(words)).toBeTruthy();
  for (const sentence of found.notSeen) expect(screen.getByText(sentence)).toBeTruthy();
});

test('the most severe comes first, and each says what is expected and found, who changed it, and how to mend it', async () => {
  open([answers(GetSetupDrift, drift(RENAMED, GONE, SETTINGS, difference()))]);
  const [bypass, weaker, broken] = await rows();
  expect((await rows()).map((row) => row.querySelector('p')?.textContent)).toEqual(['Ben Novak is a member past PIM', 'Activation does not ask for MFA', 'The group is gone', 'The group is called Finance']);
  expect(bypass?.textContent).toContain('Setup: not a member → tenant: a member, for good');
  expect(bypass?.textContent).toContain('Changed by Omar Haddad');
  expect(weaker?.textContent).toContain('nobody known yet');
  expect(broken?.textContent).toContain('Restore it in Entra within 30 days.');
  expect(within(broken as HTMLElement).queryByRole('checkbox')).toBeNull();
});

test('who changed it leads to the event, for auditors alone', async () => {
  const { unmount } = open([answers(GetSetupDrift, drift(difference()))]);
  await rows();
  expect(screen.queryByRole('link')).toBeNull();
  unmount();
  open([answers(GetSetupDrift, drift(difference()))], { ...MAYA, person: { ...MAYA.person, roles: ['SetupAdmin', 'Auditor'] } });
  expect((await screen.findByRole('link', { name: /Changed by Omar Haddad/ })).getAttribute('href')).toBe('/history?event=ev-1');
});

test('what is chosen and can be put back is reviewed as a plan', async () => {
  open([answers(GetSetupDrift, drift(difference(), SETTINGS))]);
  expect((await screen.findByRole('button', { name: 'Restore in the tenant' })).getAttribute('aria-disabled')).toBe('true');
  await choose('Ben Novak is a member past PIM');
  await choose('Activation does not ask for MFA');
  expect(screen.getByText('the setup cannot take in 1 of them')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Restore 2 in the tenant' }));
  expect(await screen.findByText(`at /setups/${GUID(1)}/restore?keys=member-added%3Ab&keys=role-settings`)).toBeTruthy();
});

test('accepting says what that means, and what was accepted is a difference no more', async () => {
  const { calls, use } = open([answers(GetSetupDrift, drift(difference({ acceptable: true }), SETTINGS)), answers(AcceptDrift, drift(SETTINGS))]);
  await rows();
  await choose('Ben Novak is a member past PIM');
  await userEvent.click(screen.getByRole('button', { name: 'Accept 1 into the setup' }));
  const dialog = await screen.findByRole('dialog');
  for (const words of ['the tenant stays as it is', 'no look tells of it again', 'Ben Novak is a member past PIM', '1 of them is a way past PIM']) expect(dialog.textContent).toContain(words);
  expect(calls.some(({ endpoint }) => endpoint === AcceptDrift)).toBe(false);
  use(answers(GetSetupDrift, drift(SETTINGS)));
  await userEvent.click(within(dialog).getByRole('button', { name: 'Accept 1 difference' }));
  expect(calls.find(({ endpoint }) => endpoint === AcceptDrift)?.body).toEqual({ keys: ['member-added:b'] });
  expect(await screen.findByText('Choose all')).toBeTruthy();
  expect(screen.queryByText('Ben Novak is a member past PIM')).toBeNull();
});

test('the tenant is compared on request', async () => {
  const { use, calls } = open([answers(GetSetupDrift, drift())]);
  await screen.findByText('As designed. Looked at 2 min ago.');
  use(answers(CheckSetup, { ...drift(difference()), lookedAt: at(0) }), answers(GetSetupDrift, { ...drift(difference()), lookedAt: at(0) }));
  await userEvent.click(screen.getByRole('button', { name: 'Check now' }));
  expect(await screen.findByText('Looked at now.')).toBeTruthy();
  expect(await rows()).toHaveLength(1);
  expect(calls.filter(({ endpoint }) => endpoint === CheckSetup)).toHaveLength(1);
});

test('a look that was refused says so and leaves what was known', async () => {
  const { use } = open([answers(GetSetupDrift, drift(SETTINGS))]);
  await rows();
  use(refuses(CheckSetup, 'directory-busy'));
  await userEvent.click(screen.getByRole('button', { name: 'Check now' }));
  expect((await screen.findByRole('alert')).textContent).toContain('Microsoft Entra is busy');
  expect(await rows()).toHaveLength(1);
});
