import { CreateSetup, ListApplications, ListConnectorGroups, PlanSetup, SearchPrincipals, type Plan } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { ANA, answers, refuses, renderPage } from '../../testing/testing.tsx';
import { SetupWizardPage } from './setup-wizard-page.tsx';
import { aPlan, aRun, aStep, GUID } from '../../testing/samples.ts';

const MAYA = { ...ANA, person: { id: 'm', displayName: 'Maya Lindqvist', userPrincipalName: 'maya@contoso.example', roles: ['SetupAdmin' as const] } };

const PLAN: Plan = {
  ...aPlan(aStep({ key: 'create-group', title: 'Create the group FinReport' }), aStep({ key: 'onboard', kind: 'onboard', title: 'Onboard it to PIM', irreversible: true })),
  warnings: [{ code: 'w', message: 'Nested groups give nobody access.', mend: 'Add people directly.' }],
};

const api = [
  answers(SearchPrincipals, { principals: [{ id: GUID(1), kind: 'user', displayName: 'Ana Costa', detail: 'ana@contoso.example' }] }),
  answers(ListApplications, { applications: [{ id: GUID(2), displayName: 'Finance reports', kind: 'per-app', assignmentRequired: true, segments: [{ host: 'fin-rep.corp', ports: ['443'], protocol: 'tcp' }] }] }),
  answers(ListConnectorGroups, { connectorGroups: [{ id: GUID(3), displayName: 'EU-1', region: 'eur', live: 2, total: 2 }] }),
  answers(PlanSetup, PLAN),
];

const pages = <Routes><Route path="/setups/new" element={<SetupWizardPage />} /><Route path="/runs/:runId" element={<p>the run</p>} /></Routes>;

async function walkToReview(): Promise<void> {
  await userEvent.type(await screen.findByLabelText('Application'), 'FinReport');
  await userEvent.type(screen.getByLabelText('Role'), 'SeniorAnalyst');
  await userEvent.click(screen.getByRole('button', { name: 'Next: Role settings' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Next: People' }));
  await userEvent.type(await screen.findByRole('combobox', { name: 'Add a person or group' }), 'ana');
  await userEvent.click(await screen.findByRole('option', { name: /Ana Costa/ }));
  await userEvent.click(screen.getByRole('button', { name: 'Next: Applications' }));
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Finance reports' }));
  await userEvent.click(screen.getByRole('button', { name: 'New Private Access application' }));
  await userEvent.type(screen.getByRole('textbox', { name: 'Application name' }), 'Finance archive');
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Connector group' }), GUID(3));
  await userEvent.type(screen.getByRole('textbox', { name: 'Host' }), 'fin-arch.corp.example');
  await userEvent.click(screen.getByRole('button', { name: 'Review the plan' }));
}

test('the wizard leads from the group to the plan, and what cannot be undone needs its tick', async () => {
  const { calls, use } = renderPage(pages, { path: '/setups/new', session: MAYA, api });
  await walkToReview();
  const apply = await screen.findByRole('button', { name: 'Apply 2 changes' });
  expect((apply as HTMLButtonElement).disabled).toBe(true);
  expect(screen.getByText('Nested groups give nobody access.')).toBeTruthy();
  await userEvent.click(screen.getByRole('checkbox', { name: /cannot be undone/ }));
  use(answers(CreateSetup, aRun()));
  await userEvent.click(apply);
  expect(await screen.findByText('the run')).toBeTruthy();
  const sent = calls.find(({ endpoint }) => endpoint === CreateSetup)?.body;
  expect(sent).toMatchObject({
    digest: 'd1', irreversibleUnderstood: true,
    definition: {
      group: { kind: 'new', displayName: 'FinReport-SeniorAnalyst-SecureAccess', mailNickname: 'FinReport-SeniorAnalyst-SecureAccess' },
      roleSettings: { activationMaxMinutes: 30, activationSignIn: { kind: 'mfa' } },
      eligible: [{ principalId: GUID(1), days: 180 }],
      applications: [{ kind: 'existing', servicePrincipalId: GUID(2) }, { kind: 'new', displayName: 'Finance archive', connectorGroupId: GUID(3), segments: [{ host: 'fin-arch.corp.example', ports: '443', protocol: 'tcp' }] }],
    },
  });
  expect(sessionStorage.getItem('gatehouse.setup.m.new')).toBeNull();
});

test('a plan that changed is shown in the place of the one that was seen, and nothing that was typed is lost', async () => {
  const { use, calls } = renderPage(pages, { path: '/setups/new', session: MAYA, api });
  await walkToReview();
  await userEvent.click(await screen.findByRole('checkbox', { name: /cannot be undone/ }));
  use(refuses(CreateSetup, 'plan-changed', { plan: { ...PLAN, digest: 'd2', changes: 1, steps: PLAN.steps.slice(0, 1) } }));
  await userEvent.click(screen.getByRole('button', { name: 'Apply 2 changes' }));
  expect((await screen.findByRole('alert')).textContent).toContain('The tenant changed since you looked. Nothing was done.');
  expect(await screen.findByRole('button', { name: 'Apply 1 change' })).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint === PlanSetup).length).toBe(1);
  await userEvent.click(screen.getByRole('button', { name: 'Back' }));
  expect(((await screen.findByRole('textbox', { name: 'Application name' })) as HTMLInputElement).value).toBe('Finance archive');
});

test('a nameless group is refused at its field, and the wizard stays', async () => {
  renderPage(pages, { path: '/setups/new', session: MAYA, api });
  await userEvent.clear(await screen.findByLabelText('Nature'));
  await userEvent.click(screen.getByRole('button', { name: 'Next: Role settings' }));
  expect(await screen.findByText('Name the group')).toBeTruthy();
  expect(screen.queryByText('Activation maximum duration')).toBeNull();
});

test('a name over 256 characters and a nickname with a space are refused at their fields', async () => {
  renderPage(pages, { path: '/setups/new', session: MAYA, api });
  await userEvent.click(await screen.findByRole('textbox', { name: 'Group name' }));
  await userEvent.paste('x'.repeat(257));
  await userEvent.type(screen.getByRole('textbox', { name: 'Mail nickname' }), ' y');
  await userEvent.click(screen.getByRole('button', { name: 'Next: Role settings' }));
  expect(await screen.findByText(/at most 256 characters/)).toBeTruthy();
  expect(screen.getByText(/nickname has at most 64|no spaces/)).toBeTruthy();
});

test('a wrong host is told at its field', async () => {
  renderPage(pages, { path: '/setups/new?step=4', session: MAYA, api });
  await userEvent.click(await screen.findByRole('button', { name: 'New Private Access application' }));
  await userEvent.type(screen.getByRole('textbox', { name: 'Host' }), 'not a host');
  await userEvent.click(screen.getByRole('button', { name: 'Review the plan' }));
  const form = screen.getByRole('region', { name: 'New Private Access application' });
  await waitFor(() => { expect(within(form).getByText(/A host is a full name/)).toBeTruthy(); });
});
