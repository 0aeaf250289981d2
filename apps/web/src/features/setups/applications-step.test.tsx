import { ListApplications, ListConnectorGroups } from '@gatehouse/contracts';
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { answers, refuses } from '../../testing/testing.tsx';
import { GUID } from '../../testing/samples.ts';
import { filled, openWizard } from './testing/wizard.tsx';

const review = () => userEvent.click(screen.getByRole('button', { name: 'Review the plan' }));
const box = (name: string) => screen.getByRole<HTMLInputElement>('textbox', { name });

test('no application chosen is said, and the wizard stays', async () => {
  openWizard({ step: 4, draft: filled({ applications: [] }) });
  await screen.findByRole('checkbox', { name: 'Finance reports' });
  await review();
  expect((await screen.findByRole('alert')).textContent).toContain('Choose at least one application');
  expect(screen.queryByRole('list', { name: 'Plan' })).toBeNull();
});

test('applications that cannot be read are said; what was chosen stays in sight', async () => {
  const { use } = openWizard({ step: 4, draft: filled(), api: [refuses(ListApplications, 'directory-forbidden', { detail: 'Nothing was read.' })] });
  expect((await screen.findByRole('alert')).textContent).toContain('Nothing was read.');
  expect(screen.getByText('Finance reports')).toBeTruthy();
  expect(screen.queryByText(/^No application/)).toBeNull();
  use(answers(ListApplications, { applications: [{ id: GUID(2), displayName: 'Finance reports', kind: 'per-app', assignmentRequired: true, segments: [] }] }));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect((await screen.findByRole<HTMLInputElement>('checkbox', { name: 'Finance reports' })).checked).toBe(true);
});

test('a search that finds nothing says so, and what was chosen stays', async () => {
  openWizard({ step: 4, draft: filled(), api: [answers(ListApplications, { applications: [] })] });
  expect(await screen.findByText('No application is published yet')).toBeTruthy();
  await userEvent.type(box('Find an application'), 'zz');
  expect(await screen.findByText('No application by that name')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Remove Finance reports' })).toBeTruthy();
});

test('an application that lets everybody in says so', async () => {
  openWizard({ step: 4, draft: filled(), api: [answers(ListApplications, { applications: [{ id: GUID(2), displayName: 'Finance reports', kind: 'per-app', assignmentRequired: false, segments: [] }] })] });
  expect(await screen.findByText('Assignment required is off')).toBeTruthy();
});

test.each([
  ['Host', '10.0.0.256', /A host is a full name/], ['Host', 'fileserver', /A host is a full name/], ['Ports', '0', /Ports are numbers from 1 to 65535/], ['Ports', '443-80', /Ports are numbers/], ['Ports', '65536', /Ports are numbers/],
])('%s %s is refused at its field, and stays as typed', async (field, text, message) => {
  openWizard({ step: 4, draft: filled() });
  await userEvent.click(await screen.findByRole('button', { name: 'New Private Access application' }));
  await userEvent.clear(box(field));
  await userEvent.type(box(field), text);
  await review();
  expect(await screen.findByText(message)).toBeTruthy();
  expect(box(field).getAttribute('aria-invalid')).toBe('true');
  expect(box(field).value).toBe(text);
  expect(screen.getByText('Choose a connector group')).toBeTruthy();
  expect(screen.getByText('Name the application')).toBeTruthy();
});

test('connector groups that cannot be read are said at their field', async () => {
  openWizard({ step: 4, draft: filled(), api: [refuses(ListConnectorGroups, 'directory-unavailable')] });
  await userEvent.click(await screen.findByRole('button', { name: 'New Private Access application' }));
  expect(await screen.findByText('The connector groups could not be read')).toBeTruthy();
});

test('a new application is taken away again', async () => {
  openWizard({ step: 4, draft: filled() });
  await userEvent.click(await screen.findByRole('button', { name: 'New Private Access application' }));
  await userEvent.click(screen.getByRole('button', { name: 'Remove this application' }));
  expect(screen.queryByRole('textbox', { name: 'Host' })).toBeNull();
});
