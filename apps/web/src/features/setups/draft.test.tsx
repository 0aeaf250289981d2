import { CreateSetup, PROPOSED_ROLE_SETTINGS, SearchPrincipals } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { answers, refuses } from '../../testing/testing.tsx';
import { GUID } from '../../testing/samples.ts';
import { draftKeyOf, readDraft } from './draft.ts';
import { DRAFT_KEY, filled, openWizard } from './testing/wizard.tsx';

const box = (name: string): HTMLInputElement => screen.getByRole('textbox', { name });

/** The tab loads the page anew at a step: all that lives on is what the tab keeps. */
function reload({ unmount }: { unmount(): void }, step: number): ReturnType<typeof openWizard> {
  unmount();
  return openWizard({ step });
}

test('what is filled in is kept apart for each person and setup, and what cannot be read is not taken', () => {
  const keys = [draftKeyOf(GUID(1), undefined), draftKeyOf(GUID(2), undefined), draftKeyOf(GUID(1), GUID(8)), draftKeyOf(GUID(1), GUID(9))];
  expect(new Set(keys).size).toBe(keys.length);
  sessionStorage.setItem(DRAFT_KEY, '{"group":');
  expect(readDraft(DRAFT_KEY)).toBeUndefined();
});

test('a name in the making survives a reload with its parts, and goes on from there', async () => {
  const before = openWizard();
  await userEvent.type(await screen.findByRole('textbox', { name: 'Application' }), 'FinReport');
  reload(before, 1);
  expect((await screen.findByRole<HTMLInputElement>('textbox', { name: 'Application' })).value).toBe('FinReport');
  await userEvent.type(box('Role'), 'SeniorAnalyst');
  expect(box('Group name').value).toBe('FinReport-SeniorAnalyst-SecureAccess');
});

test('owners and the role settings of Owner survive a reload', async () => {
  const omar = answers(SearchPrincipals, { principals: [{ id: GUID(7), kind: 'user', displayName: 'Omar Haddad', detail: null }] });
  const first = openWizard({ draft: filled(), api: [omar] });
  await userEvent.type(await screen.findByRole('combobox', { name: 'Owners' }), 'omar');
  await userEvent.click(await screen.findByRole('option', { name: /Omar Haddad/ }));
  const second = reload(first, 2);
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Set the role settings of Owner too' }));
  const ofOwner = (): HTMLElement => screen.getByRole('region', { name: 'Role settings of Owner' });
  await userEvent.selectOptions(within(ofOwner()).getByRole('combobox', { name: 'Activation maximum duration' }), '240');
  const third = reload(second, 2);
  await screen.findByRole('checkbox', { name: 'Set the role settings of Owner too', checked: true });
  expect(within(ofOwner()).getByRole<HTMLSelectElement>('combobox', { name: 'Activation maximum duration' }).value).toBe('240');
  reload(third, 1);
  expect(within(await screen.findByRole('list', { name: 'Owners of the group' })).getByText('Omar Haddad')).toBeTruthy();
});

test('an address for mails is kept while it is typed, and checked when it is left', async () => {
  const before = openWizard({ step: 2, draft: filled() });
  await userEvent.click(await screen.findByText(/^Mails of Entra/));
  await userEvent.type(box('When somebody activates: more addresses for administrators'), 'soc@contoso.example, nigh');
  expect(screen.queryByText('One of these is not an e-mail address.')).toBeNull();
  reload(before, 2);
  await screen.findByText(/^Mails of Entra/);
  expect(box('When somebody activates: more addresses for administrators').value).toBe('soc@contoso.example, nigh');
  await userEvent.click(box('When somebody activates: more addresses for administrators'));
  await userEvent.tab();
  expect(await screen.findByText('One of these is not an e-mail address.')).toBeTruthy();
});

test.each([
  ['a stronger sign-in that is asked for', refuses(CreateSetup, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=x' })],
  ['a sign-in that expired', refuses(CreateSetup, 'not-signed-in')],
])('%s when the plan is applied leaves everything that was filled in', async (_case, refusal) => {
  const draft = filled({ owners: [{ principalId: GUID(7), displayName: 'Omar Haddad' }], ownerRoleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 240 } });
  const before = openWizard({ step: 5, draft, api: [refusal] });
  await userEvent.click(await screen.findByRole('button', { name: /^Apply/ }));
  await screen.findByRole('alert');
  expect(readDraft(DRAFT_KEY)).toEqual(draft);
  reload(before, 5);
  expect(await screen.findByRole('button', { name: /^Apply/ })).toBeTruthy();
});
