import { PRESETS, PROPOSED_ROLE_SETTINGS } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { GUID } from '../../testing/samples.ts';
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
