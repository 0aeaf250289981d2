import { SearchPrincipals } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { answers, refuses } from '../../testing/testing.tsx';
import { GUID } from '../../testing/samples.ts';
import { filled, openWizard } from './testing/wizard.tsx';

const search = () => screen.findByRole<HTMLInputElement>('combobox', { name: 'Add a person or group' });
const next = () => userEvent.click(screen.getByRole('button', { name: 'Next: Applications' }));

test('nobody chosen is said at the field, and the wizard stays', async () => {
  openWizard({ step: 3, draft: filled({ eligible: [] }) });
  expect(await screen.findByText('Nobody is eligible yet')).toBeTruthy();
  await next();
  expect(await screen.findByText('Choose at least one person or group')).toBeTruthy();
  expect((await search()).getAttribute('aria-invalid')).toBe('true');
  expect(screen.queryByText('Find an application')).toBeNull();
  await userEvent.type(await search(), 'ana');
  await userEvent.click(await screen.findByRole('option', { name: 'Ana Costa · ana@contoso.example' }));
  expect(screen.queryByText('Choose at least one person or group')).toBeNull();
});

test('people who cannot be searched are not "nobody", and what was typed and chosen stays', async () => {
  const { use } = openWizard({ step: 3, draft: filled(), api: [refuses(SearchPrincipals, 'directory-unavailable', { detail: 'People cannot be searched now. Type on to search again.' })] });
  await userEvent.type(await search(), 'anal');
  expect(await screen.findByText('People cannot be searched now. Type on to search again.')).toBeTruthy();
  expect(screen.queryByText('Nobody by that name')).toBeNull();
  expect((await search()).value).toBe('anal');
  expect(within(screen.getByRole('list', { name: 'Eligible members' })).getByText('Ana Costa')).toBeTruthy();
  use(answers(SearchPrincipals, { principals: [{ id: GUID(4), kind: 'group', displayName: 'Analysts', detail: null }] }));
  await userEvent.type(await search(), 'y');
  await userEvent.click(await screen.findByRole('option', { name: 'Analysts · group' }));
  expect(screen.queryByText(/cannot be searched/)).toBeNull();
  expect(within(screen.getByRole('list', { name: 'Eligible members' })).getByText('Analysts')).toBeTruthy();
});

test('a name that nobody has is said', async () => {
  openWizard({ step: 3, draft: filled(), api: [answers(SearchPrincipals, { principals: [] })] });
  await userEvent.type(await search(), 'zz');
  expect(await screen.findByText('Nobody by that name')).toBeTruthy();
});

test('who is chosen already is not offered again', async () => {
  openWizard({ step: 3, draft: filled() });
  await userEvent.type(await search(), 'an');
  expect(await screen.findByRole('option', { name: 'Analysts · group' })).toBeTruthy();
  expect(screen.queryByRole('option', { name: /Ana Costa/ })).toBeNull();
});

test('longer than the role settings allow is refused at the person', async () => {
  const draft = filled();
  openWizard({ step: 3, draft: { ...draft, roleSettings: { ...draft.roleSettings, eligibleMaxDays: 90 } } });
  await search();
  await next();
  expect(await screen.findByText('The role settings allow 90 days at the most')).toBeTruthy();
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'How long Ana Costa is eligible' }), '90');
  await next();
  expect(await screen.findByText('Find an application')).toBeTruthy();
});

test('permanent is offered only where the role settings allow it', async () => {
  openWizard({ step: 3, draft: filled() });
  const choice = await screen.findByRole('combobox', { name: 'How long Ana Costa is eligible' });
  expect(within(choice).queryByRole('option', { name: 'Permanent' })).toBeNull();
});

test('who is removed is gone', async () => {
  openWizard({ step: 3, draft: filled() });
  await userEvent.click(await screen.findByRole('button', { name: 'Remove Ana Costa' }));
  expect(screen.getByText('Nobody is eligible yet')).toBeTruthy();
});
