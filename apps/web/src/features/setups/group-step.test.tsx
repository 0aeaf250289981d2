import { GetGroupSettings, GetSetup, PROPOSED_ROLE_SETTINGS, SearchGroups } from '@gatehouse/contracts';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, waits } from '../../testing/testing.tsx';
import { GUID } from '../../testing/samples.ts';
import { DRAFT_KEY, filled, openWizard } from './testing/wizard.tsx';

const kept = (): unknown => JSON.parse(sessionStorage.getItem(DRAFT_KEY) ?? '{}');
const box = (name: string) => screen.getByRole<HTMLInputElement>('textbox', { name });
const next = () => userEvent.click(screen.getByRole('button', { name: 'Next: Role settings' }));
const replace = async (name: string, text: string): Promise<void> => {
  await userEvent.clear(box(name));
  await userEvent.click(box(name));
  await userEvent.paste(text);
};

test.each([
  ['a name of 257 characters', 'Group name', 'x'.repeat(257), 'A group’s name has at most 256 characters'],
  ['a nickname of 65 characters', 'Mail nickname', 'x'.repeat(65), 'A nickname has at most 64 characters'],
  ...['@', '(', ')', '\\', '[', ']', '"', ';', ':', '.', '<', '>', ',', ' '].map((sign) => [`a nickname with ${sign}`, 'Mail nickname', `a${sign}b`, 'A nickname has no spaces and none of @ ( ) \\ [ ] " ; : . < > ,']),
  ['a nickname that is not ASCII', 'Mail nickname', 'Müller', 'A nickname has only letters, digits and signs of ASCII'],
] as [string, string, string, string][])('%s is refused at its field', async (_case, field, text, message) => {
  openWizard({ draft: filled() });
  await screen.findByRole('textbox', { name: field });
  await replace(field, text);
  await next();
  expect(await screen.findByText(message)).toBeTruthy();
  expect(box(field).getAttribute('aria-invalid')).toBe('true');
  expect(box(field).value).toBe(text);
  expect(screen.queryByText('Activation maximum duration')).toBeNull();
});

test('a name of 256 characters passes', async () => {
  openWizard({ draft: filled() });
  await screen.findByRole('textbox', { name: 'Group name' });
  await replace('Group name', 'x'.repeat(256));
  await next();
  expect(await screen.findByText('Activation maximum duration')).toBeTruthy();
});

test('the nickname follows the name until it is one’s own', async () => {
  openWizard();
  await userEvent.type(await screen.findByRole('textbox', { name: 'Application' }), 'Fin');
  expect(box('Mail nickname').value).toBe('Fin-SecureAccess');
  await replace('Mail nickname', 'mine');
  await userEvent.type(box('Role'), 'Analyst');
  expect(box('Group name').value).toBe('Fin-Analyst-SecureAccess');
  expect(box('Mail nickname').value).toBe('mine');
});

test('going on and back keeps the name, its parts and what it is for', async () => {
  openWizard();
  for (const [name, text] of [['Application', 'FinReport'], ['Role', 'SeniorAnalyst'], ['What it is for', 'Month-end close']] as const) await userEvent.type(await screen.findByRole('textbox', { name }), text);
  await next();
  await userEvent.click(await screen.findByRole('button', { name: 'Back' }));
  expect((await screen.findByRole('heading', { level: 2, name: 'Group' }))).toBe(document.activeElement);
  expect(['Application', 'Role', 'Nature', 'Group name', 'What it is for'].map((name) => box(name).value)).toEqual(['FinReport', 'SeniorAnalyst', 'SecureAccess', 'FinReport-SeniorAnalyst-SecureAccess', 'Month-end close']);
});

test('a look at the existing groups does not lose the new one', async () => {
  openWizard({ draft: filled() });
  await userEvent.click(await screen.findByRole('radio', { name: 'Take one that exists' }));
  await userEvent.click(screen.getByRole('radio', { name: 'Create a security group' }));
  expect(box('Group name').value).toBe('FinReport-SeniorAnalyst-SecureAccess');
});

test('an existing group is taken with its role settings', async () => {
  openWizard({ draft: filled(), api: [answers(GetGroupSettings, { roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 480 } })] });
  await userEvent.click(await screen.findByRole('radio', { name: 'Take one that exists' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Existing group' }), 'Pay');
  await userEvent.click(await screen.findByRole('option', { name: 'Payroll-Clerk-SecureAccess · managed by PIM' }));
  expect(await screen.findByText('Its role settings are taken over into the next step')).toBeTruthy();
  await next();
  expect((await screen.findByRole<HTMLSelectElement>('combobox', { name: 'Activation maximum duration' })).value).toBe('480');
  expect(kept()).toMatchObject({ group: { kind: 'existing', groupId: GUID(5), displayName: 'Payroll-Clerk-SecureAccess' } });
});

test('a kind of group that cannot be taken says why, and cannot be chosen', async () => {
  openWizard();
  await userEvent.click(await screen.findByRole('radio', { name: 'Take one that exists' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Existing group' }), 'Pay');
  const unfit = await screen.findByRole('option', { name: 'Payroll mail · A Microsoft 365 group cannot be managed by PIM here.' });
  expect(unfit.getAttribute('aria-disabled')).toBe('true');
  await userEvent.click(unfit);
  await next();
  expect(await screen.findByText('Choose a group')).toBeTruthy();
});

test('a name typed over the group that was picked is no group', async () => {
  openWizard({ draft: filled(), api: [answers(GetGroupSettings, { roleSettings: PROPOSED_ROLE_SETTINGS })] });
  await userEvent.click(await screen.findByRole('radio', { name: 'Take one that exists' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Existing group' }), 'Pay');
  await userEvent.click(await screen.findByRole('option', { name: /Payroll-Clerk/ }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Existing group' }), '-other');
  await next();
  expect(await screen.findByText('Choose a group')).toBeTruthy();
  expect(screen.queryByText('Activation maximum duration')).toBeNull();
});

test('role settings that could not be read are said, and read again on request', async () => {
  const { use } = openWizard({ draft: filled(), api: [refuses(GetGroupSettings, 'directory-busy', { detail: 'Nothing was read.' })] });
  await userEvent.click(await screen.findByRole('radio', { name: 'Take one that exists' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Existing group' }), 'Pay');
  await userEvent.click(await screen.findByRole('option', { name: /Payroll-Clerk/ }));
  expect((await screen.findByRole('alert')).textContent).toContain('Nothing was read.');
  expect(screen.getByText('Its role settings could not be read: the next step shows the proposed ones')).toBeTruthy();
  use(answers(GetGroupSettings, { roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 60 } }));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => { expect(kept()).toMatchObject({ roleSettings: { activationMaxMinutes: 60 } }); });
  expect(screen.queryByRole('alert')).toBeNull();
});

test('groups that cannot be read are not "no group"', async () => {
  openWizard({ api: [refuses(SearchGroups, 'directory-unavailable', { detail: 'The groups are not known.' })] });
  await userEvent.click(await screen.findByRole('radio', { name: 'Take one that exists' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Existing group' }), 'Pay');
  expect((await screen.findByRole('alert')).textContent).toContain('The groups are not known.');
  expect(screen.queryByText('No group by that name')).toBeNull();
});

test('a setup that was applied keeps its group', async () => {
  const definition = { ...filled(), group: { kind: 'existing' as const, groupId: GUID(5), displayName: 'Payroll-Clerk-SecureAccess' } };
  openWizard({ path: `/setups/${GUID(8)}/edit`, api: [waits(SearchGroups), answers(GetSetup, { id: GUID(8), name: 'Payroll-Clerk-SecureAccess', groupId: GUID(5), applications: [], eligibleCount: 1, createdBy: 'Maya', updatedAt: at(0), retiredAt: null, drift: null, lastRun: null, definition, runs: [] })] });
  expect(await screen.findByText('A setup keeps its group. For another group, make another setup.')).toBeTruthy();
  expect(screen.queryByRole('radio')).toBeNull();
  expect(screen.queryByRole('textbox')).toBeNull();
});
