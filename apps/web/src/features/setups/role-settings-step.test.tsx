import { ListAuthenticationContexts, PRESETS, PROPOSED_ROLE_SETTINGS } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { GUID } from '../../testing/samples.ts';
import { answers, refuses } from '../../testing/testing.tsx';
import { DRAFT_KEY, filled, openWizard } from './testing/wizard.tsx';

const kept = () => (JSON.parse(sessionStorage.getItem(DRAFT_KEY) ?? '{}') as { roleSettings?: unknown }).roleSettings;
const preset = (name: RegExp) => screen.findByRole<HTMLInputElement>('radio', { name });

test('a preset fills the form, and the page says which one the values are', async () => {
  openWizard({ step: 2 });
  expect((await preset(/^Standard/)).checked).toBe(true);
  expect(screen.getByText('These are the settings of Standard.')).toBeTruthy();
  await userEvent.click(await preset(/^Break-glass/));
  expect(screen.getByRole<HTMLSelectElement>('combobox', { name: /^Activation maximum duration/ }).value).toBe('480');
  expect(screen.getByRole<HTMLSelectElement>('combobox', { name: 'Eligible for at most' }).value).toBe('permanent');
  expect(screen.getByText('These are the settings of Break-glass.')).toBeTruthy();
  expect(kept()).toEqual(PRESETS['break-glass'].roleSettings);
  expect(screen.queryByRole('button', { name: 'Put back what was there' })).toBeNull();
});

test('values of one’s own are told from the nearest preset', async () => {
  openWizard({ step: 2 });
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Require a reason' }));
  expect(screen.getByText('Changed from Standard: reason.')).toBeTruthy();
  for (const radio of screen.getAllByRole<HTMLInputElement>('radio')) expect(radio.checked).toBe(false);
});

test('what a preset took the place of comes back on request, approvers and addresses too', async () => {
  const mail = { defaultRecipients: true, additionalRecipients: ['soc@contoso.example'], criticalOnly: false };
  const own = { ...PROPOSED_ROLE_SETTINGS, approval: { required: true, approvers: [{ id: GUID(4), kind: 'group' as const, displayName: 'Analysts' }] }, notifications: { ...PROPOSED_ROLE_SETTINGS.notifications, whenActivated: { ...PROPOSED_ROLE_SETTINGS.notifications.whenActivated, admins: mail } } };
  openWizard({ step: 2, draft: filled({ roleSettings: own }) });
  expect(await screen.findByText('Changed from Standard: approval, mails.')).toBeTruthy();
  await userEvent.click(await preset(/^Strict/));
  expect(screen.queryByRole('list', { name: 'Approvers' })).toBeNull();
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'When somebody activates: more addresses for administrators', hidden: true }).value).toBe('');
  await userEvent.click(screen.getByRole('button', { name: 'Put back what was there' }));
  expect(within(screen.getByRole('list', { name: 'Approvers' })).getByText('Analysts')).toBeTruthy();
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'When somebody activates: more addresses for administrators', hidden: true }).value).toBe('soc@contoso.example');
  expect(kept()).toEqual(own);
});

test('the settings of Owner have presets of their own', async () => {
  openWizard({ step: 2 });
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Set the role settings of Owner too' }));
  await userEvent.click(within(screen.getByRole('region', { name: 'Role settings of Owner' })).getByRole('radio', { name: /^Strict/ }));
  expect(kept()).toEqual(PROPOSED_ROLE_SETTINGS);
  expect((JSON.parse(sessionStorage.getItem(DRAFT_KEY) ?? '{}') as { ownerRoleSettings?: unknown }).ownerRoleSettings).toEqual(PRESETS.strict.roleSettings);
});

const context = () => screen.findByRole<HTMLSelectElement>('combobox', { name: /^Authentication context/ });
const offered = async () => within(await context()).getAllByRole('option').map((option) => option.textContent);

test('an authentication context begins with the first that the tenant has, and the form holds what is shown', async () => {
  openWizard({ step: 2, api: [answers(ListAuthenticationContexts, { contexts: [{ id: 'c2', displayName: 'Trusted device' }] })] });
  const byContext = await screen.findByRole<HTMLOptionElement>('option', { name: /^Authentication context/ });
  await waitFor(() => { expect(byContext.disabled).toBe(false); });
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'On activation, require' }), byContext);
  expect(await offered()).toEqual(['Trusted device (c2)']);
  expect(kept()).toMatchObject({ activationSignIn: { kind: 'authentication-context', id: 'c2' } });
});

test.each([
  ['of which the tenant has others', answers(ListAuthenticationContexts, { contexts: [{ id: 'c2', displayName: 'Trusted device' }] }), ['c5, which the tenant does not offer', 'Trusted device (c2)'], 0],
  ['of a tenant whose contexts cannot be read', refuses(ListAuthenticationContexts, 'directory-refused'), ['c5'], 1],
] as const)('an authentication context %s is shown as it is', async (_case, contexts, options, notRead) => {
  openWizard({ step: 2, draft: filled({ roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationSignIn: { kind: 'authentication-context', id: 'c5' } } }), api: [contexts] });
  await waitFor(async () => {
    expect(await offered()).toEqual(options);
    expect(screen.queryAllByText(/could not be read/)).toHaveLength(notRead);
  });
  expect((await context()).value).toBe('c5');
});
