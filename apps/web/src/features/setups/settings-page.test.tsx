import { ChangeSetups, GetSetupMatrix, ListAuthenticationContexts, PRESETS, PROPOSED_ROLE_SETTINGS, type Answer } from '@gatehouse/contracts';
import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes, useLocation } from 'react-router';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { GUID } from '../../testing/samples.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { SettingsPage } from './settings-page.tsx';
import { directory } from './testing/wizard.tsx';

type Row = Answer<typeof GetSetupMatrix>['setups'][number];
const row = (last: number, name: string, more: Partial<Row> = {}): Row => ({ id: GUID(last), name, applications: [`App ${last}`], roleSettings: PROPOSED_ROLE_SETTINGS, ownerRoleSettings: null, differs: false, ...more });
const ROWS = [
  row(1, 'FinReport'),
  row(2, 'Payroll', { roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationSignIn: { kind: 'none' }, activationMaxMinutes: 480, approval: { required: true, approvers: [{ id: GUID(9), kind: 'user', displayName: 'Omar Haddad' }] } }, differs: true }),
  row(3, 'Jump host', { roleSettings: PRESETS.strict.roleSettings, differs: null }),
];

const Where = () => <p>{`at ${useLocation().pathname}`}</p>;
const pages = <Routes><Route path="/setups/settings" element={<SettingsPage />} /><Route path="*" element={<Where />} /></Routes>;
const open = (api: Handler[], search = '') => renderPage(pages, { path: `/setups/settings${search}`, api: [...api, answers(ListAuthenticationContexts, { contexts: [{ id: 'c1', displayName: 'Strong' }] }), ...directory] });
const names = () => within(screen.getByRole('table')).getAllByRole('rowheader').map((head) => within(head).getByRole('link').textContent);
const cells = (name: string) => within(screen.getByRole('rowheader', { name: new RegExp(name) }).closest('tr') as HTMLElement).getAllByRole('cell').map((cell) => cell.textContent);
const choose = (name: string) => userEvent.click(screen.getByRole('checkbox', { name: `Choose ${name}` }));
const made = { id: GUID(7), name: 'A change', format: null, status: 'planning' as const, actorName: 'Maya Lindqvist', createdAt: at(0), startedAt: null, finishedAt: null, stopAskedBy: null, detail: null, rows: [], counts: {} };

test('shows that it is reading; a refusal is not an empty grid', async () => {
  const { unmount } = open([waits(GetSetupMatrix)]);
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  unmount();
  const { use } = open([refuses(GetSetupMatrix, 'not-ready', { detail: 'The settings could not be read.' })]);
  expect((await screen.findByRole('alert')).textContent).toContain('The settings could not be read.');
  expect(screen.queryByText('Nothing to compare yet')).toBeNull();
  use(answers(GetSetupMatrix, { setups: ROWS }));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('table')).toBeTruthy();
});

test('an empty grid says what to do first', async () => {
  open([answers(GetSetupMatrix, { setups: [] })]);
  await userEvent.click(await screen.findByRole('button', { name: 'Secure an application' }));
  expect(await screen.findByText('at /setups/new')).toBeTruthy();
});

test('each setup is a row, each setting a column; what is weaker than the standard and what differs is said in words', async () => {
  open([answers(GetSetupMatrix, { setups: ROWS })]);
  await screen.findByRole('table');
  expect(cells('FinReport')).toEqual(['30 min', 'MFA', 'Required', 'Not required', 'Not required', '365 days', '180 days', 'Not required', 'Required']);
  expect(cells('Payroll').slice(0, 5)).toEqual(['▲ 8 h, weaker than Standard', '▲ Not required, weaker than Standard', 'Required', 'Not required', 'By Omar Haddad']);
  expect(cells('Jump host').some((text) => text.includes('weaker'))).toBe(false);
  expect(screen.getByRole('rowheader', { name: /Payroll/ }).textContent).toContain('differs from the tenant');
  expect(screen.getByRole('rowheader', { name: /Jump host/ }).textContent).toContain('Not looked at yet');
});

test('is narrowed by text, by the value of a setting and by what wants a look', async () => {
  open([answers(GetSetupMatrix, { setups: ROWS })]);
  await screen.findByRole('table');
  const only = screen.getByRole('combobox', { name: 'Only with' });
  await userEvent.selectOptions(only, 'MFA not required (1)');
  expect(names()).toEqual(['Payroll']);
  await userEvent.selectOptions(only, 'Differs from the tenant (1)');
  expect(names()).toEqual(['Payroll']);
  await userEvent.selectOptions(only, 'MFA required (2)');
  expect(names()).toEqual(['FinReport', 'Jump host']);
  await userEvent.type(screen.getByRole('searchbox', { name: 'Group or application' }), 'app 3');
  expect(names()).toEqual(['Jump host']);
  await userEvent.type(screen.getByRole('searchbox', { name: 'Group or application' }), 'x');
  await userEvent.click(await screen.findByRole('button', { name: 'Clear the filter' }));
  expect(names()).toHaveLength(3);
});

test('a setting of the chosen setups is changed as a batch, which is reviewed', async () => {
  const { calls } = open([answers(GetSetupMatrix, { setups: ROWS }), answers(ChangeSetups, made)]);
  await screen.findByRole('table');
  await choose('FinReport');
  await choose('Jump host');
  await userEvent.click(screen.getByRole('button', { name: 'Change a setting of 2 setups' }));
  const panel = within(await screen.findByRole('dialog'));
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 2 setups' }));
  expect(panel.getByRole('alert').textContent).toBe('Name at least one setting.');
  await userEvent.selectOptions(panel.getByRole('combobox', { name: 'On activation, require' }), 'Azure MFA');
  await userEvent.selectOptions(panel.getByRole('combobox', { name: 'Eligible for at most' }), 'Permanent is allowed');
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 2 setups' }));
  expect(await screen.findByText(`at /setups/batches/${GUID(7)}`)).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === ChangeSetups)?.body).toEqual({ setupIds: [GUID(1), GUID(3)], of: 'member', change: { activationSignIn: { kind: 'mfa' }, eligibleMaxDays: null } });
});

test('the settings of owners are shown and changed apart, of those setups that say them', async () => {
  const [first, ...others] = ROWS;
  if (!first) throw new Error('no row');
  open([answers(GetSetupMatrix, { setups: ROWS })]);
  await userEvent.selectOptions(await screen.findByRole('combobox', { name: 'Settings of' }), 'Owner');
  expect(await screen.findByText('No setup says what PIM asks of owners')).toBeTruthy();
  cleanup();
  const again = open([answers(GetSetupMatrix, { setups: [{ ...first, ownerRoleSettings: { ...first.roleSettings, activationMaxMinutes: 90 } }, ...others] }), answers(ChangeSetups, made)], '?of=owner');
  await screen.findByRole('table');
  expect(screen.getByText(/^What PIM asks of the owners of each group/)).toBeTruthy();
  expect(names()).toEqual([first.name]);
  expect(cells(first.name)[0]).toBe('▲ 1 h 30 min, weaker than Standard');
  await choose(first.name);
  await userEvent.click(screen.getByRole('button', { name: 'Change a setting of 1 setup' }));
  const panel = within(await screen.findByRole('dialog', { name: 'Change a setting of Owner in 1 setup' }));
  await userEvent.selectOptions(panel.getByRole('combobox', { name: 'Ticket' }), 'Require it');
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 1 setup' }));
  await screen.findByText(`at /setups/batches/${GUID(7)}`);
  expect(again.calls.find(({ endpoint }) => endpoint === ChangeSetups)?.body).toEqual({ setupIds: [first.id], of: 'owner', change: { requireTicket: true } });
});

test('all that match become a preset', async () => {
  const { calls } = open([answers(GetSetupMatrix, { setups: ROWS }), answers(ChangeSetups, made)]);
  await screen.findByRole('table');
  await userEvent.click(screen.getByRole('checkbox', { name: 'Choose all 3' }));
  await userEvent.click(screen.getByRole('button', { name: 'Change a setting of 3 setups' }));
  const panel = within(await screen.findByRole('dialog'));
  await userEvent.click(panel.getByRole('radio', { name: 'All to a preset' }));
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 3 setups' }));
  expect(panel.getByRole('alert').textContent).toBe('Choose a preset.');
  await userEvent.click(panel.getByRole('radio', { name: /^Strict/ }));
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 3 setups' }));
  expect(await screen.findByText(`at /setups/batches/${GUID(7)}`)).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === ChangeSetups)?.body).toEqual({ setupIds: [GUID(1), GUID(2), GUID(3)], of: 'member', change: { preset: 'strict' } });
});

test('approval needs somebody who approves', async () => {
  const { calls } = open([answers(GetSetupMatrix, { setups: ROWS }), answers(ChangeSetups, made)]);
  await screen.findByRole('table');
  await choose('FinReport');
  await userEvent.click(screen.getByRole('button', { name: 'Change a setting of 1 setup' }));
  const panel = within(await screen.findByRole('dialog'));
  await userEvent.selectOptions(panel.getByRole('combobox', { name: 'Approval' }), 'Require it');
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 1 setup' }));
  expect(panel.getByRole('alert').textContent).toBe('Name at least one approver.');
  await userEvent.type(panel.getByRole('combobox', { name: 'Approvers' }), 'ana');
  await userEvent.click(await screen.findByRole('option', { name: /Ana Costa/ }));
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 1 setup' }));
  await screen.findByText(`at /setups/batches/${GUID(7)}`);
  expect(calls.find(({ endpoint }) => endpoint === ChangeSetups)?.body).toEqual({ setupIds: [GUID(1)], of: 'member', change: { approval: { required: true, approvers: [{ id: GUID(1), kind: 'user', displayName: 'Ana Costa' }] } } });
});

test('what the filter hides is not changed, and a refusal keeps the panel', async () => {
  open([answers(GetSetupMatrix, { setups: ROWS }), refuses(ChangeSetups, 'not-ready', { detail: 'Nothing was planned.' })]);
  await screen.findByRole('table');
  await userEvent.click(screen.getByRole('checkbox', { name: 'Choose all 3' }));
  await userEvent.type(screen.getByRole('searchbox', { name: 'Group or application' }), 'pay');
  await userEvent.click(screen.getByRole('button', { name: 'Change a setting of 1 setup' }));
  const panel = within(await screen.findByRole('dialog'));
  await userEvent.selectOptions(panel.getByRole('combobox', { name: 'Ticket' }), 'Require it');
  await userEvent.click(panel.getByRole('button', { name: 'Plan the change of 1 setup' }));
  expect((await panel.findByRole('alert')).textContent).toContain('Nothing was planned.');
  expect(panel.getByRole<HTMLSelectElement>('combobox', { name: 'Ticket' }).value).toBe('yes');
});
