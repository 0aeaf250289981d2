import { PROPOSED_ROLE_SETTINGS, ReadSetupFile, SetupDefinition, ListSetups } from '@gatehouse/contracts';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes, useLocation } from 'react-router';
import { expect, test } from 'vitest';
import { ANA, answers, refuses, renderPage, type Handler } from '../../testing/testing.tsx';
import { draftKeyOf, keepDraft, readDraft } from './draft.ts';
import { SetupsPage } from './setups-page.tsx';
import { leadOf } from './wizard-opening.tsx';

const ID = '6f1c3f0e-0b6e-4a37-9b0a-5d8d7f6a1c01';
const definition = SetupDefinition.parse({
  group: { kind: 'new', displayName: 'FinReport-Reader', mailNickname: 'FinReport-Reader', description: '' }, roleSettings: PROPOSED_ROLE_SETTINGS, eligible: [{ principalId: ID, kind: 'user', displayName: 'Ben Novak', days: 90 }],
  applications: [{ kind: 'existing', servicePrincipalId: ID, displayName: 'Finance reports', applicationKind: 'per-app' }],
});
const Wizard = () => <><p>the wizard</p><p>{leadOf(useLocation().state)}</p></>;
const KEY = draftKeyOf(ANA.person?.id, undefined);
const open = (...api: Handler[]) => renderPage(<Routes><Route path="/setups" element={<SetupsPage />} /><Route path="/setups/new" element={<Wizard />} /></Routes>, { path: '/setups', api: [answers(ListSetups, { setups: [] }), ...api] });
const choose = async (text: string): Promise<void> => { await userEvent.upload(await screen.findByLabelText('File of a setup'), new File([text], 'setup.yaml', { type: 'application/yaml' })); };

test('a file is opened in the wizard, to be reviewed there', async () => {
  const { calls } = open(answers(ReadSetupFile, { definition }));
  await choose('group: …');
  expect(await screen.findByText('the wizard')).toBeTruthy();
  expect(screen.getByText('Filled in from setup.yaml.')).toBeTruthy();
  expect(readDraft(KEY)).toEqual(definition);
  expect(calls.find(({ endpoint }) => endpoint === ReadSetupFile)?.body).toEqual({ text: 'group: …' });
});

test('a file that is wrong is told with its lines, and nothing is taken from it', async () => {
  open(refuses(ReadSetupFile, 'invalid-request', { detail: 'The file is not a setup as it stands.', issues: [{ path: 'line 7', message: 'Line 7: colour is not known here.' }, { path: 'line 9', message: 'Line 9: eligible.0.days: At least one day.' }] }));
  await choose('colour: red');
  const alert = await screen.findByRole('alert');
  for (const words of ['The file is not a setup as it stands.', 'Line 7: colour is not known here.', 'Line 9: eligible.0.days: At least one day.']) expect(alert.textContent).toContain(words);
  expect(readDraft(KEY)).toBeUndefined();
  expect(screen.queryByText('the wizard')).toBeNull();
});

test('what was filled in and not applied is replaced only after asking', async () => {
  keepDraft(KEY, { group: { displayName: 'Half' } });
  open(answers(ReadSetupFile, { definition }));
  await choose('group: …');
  await screen.findByRole('dialog', { name: 'Replace what you filled in?' });
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(readDraft(KEY)).toEqual({ group: { displayName: 'Half' } });
  await choose('group: …');
  await userEvent.click(await screen.findByRole('button', { name: 'Replace it' }));
  await waitFor(() => { expect(readDraft(KEY)).toEqual(definition); });
  expect(await screen.findByText('the wizard')).toBeTruthy();
});

test('the same file may be opened again once it is mended', async () => {
  const { use } = open(refuses(ReadSetupFile, 'invalid-request', { detail: 'Not yet.' }));
  await choose('a');
  await screen.findByText(/Not yet\./);
  use(answers(ReadSetupFile, { definition }));
  await choose('a');
  expect(await screen.findByText('the wizard')).toBeTruthy();
});
