import { ApplySetup, CreateSetup, GetSetup, PlanSetup, PROPOSED_ROLE_SETTINGS, SearchPrincipals } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, waits, type Handler } from '../../testing/testing.tsx';
import { aPlan, aRun, aStep as step, GUID } from './testing/samples.ts';
import { DRAFT_KEY, filled, openWizard } from './testing/wizard.tsx';

const onboard = step({ key: 'onboard', kind: 'onboard', title: 'Onboard it to PIM', irreversible: true });
const run = aRun();
const button = (name: string) => screen.findByRole<HTMLButtonElement>('button', { name });
const open = (...api: Handler[]) => openWizard({ step: 5, draft: filled(), api });

test('the plan is read before anything can be applied', async () => {
  open(waits(PlanSetup));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Keep and verify' }).disabled).toBe(true);
});

test('a plan that cannot be made is said, and made on request', async () => {
  const { use } = open(refuses(PlanSetup, 'directory-busy', { detail: 'Nothing was changed.' }));
  expect((await screen.findByRole('alert')).textContent).toContain('Nothing was changed.');
  use(answers(PlanSetup, aPlan(step())));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect((await button('Apply 1 change')).disabled).toBe(false);
});

test('a blocked step holds up the whole', async () => {
  open(answers(PlanSetup, aPlan(step(), step({ key: 'b', verdict: 'blocked', title: 'Onboard it', irreversible: true, blocked: { reason: 'You lack a role.', mend: 'Activate Privileged Role Administrator.' } }))));
  expect(await screen.findByText('You lack a role. Activate Privileged Role Administrator.')).toBeTruthy();
  expect(screen.getByRole('status').textContent).toBe('1 step is blocked');
  expect(screen.getByRole<HTMLButtonElement>('button', { name: /Apply/ }).disabled).toBe(true);
  expect(screen.queryByRole('checkbox')).toBeNull();
});

test('what is as designed is kept and verified, without a tick', async () => {
  const { calls } = open(answers(PlanSetup, { ...aPlan(step({ verdict: 'nothing', irreversible: true })), changes: 0, calls: 0 }), answers(CreateSetup, run));
  await userEvent.click(await button('Keep and verify'));
  expect(await screen.findByText('the run')).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === CreateSetup)?.body).toMatchObject({ digest: 'd1', irreversibleUnderstood: true });
});

test('the tick is for the plan in sight: of another plan it is asked again', async () => {
  const { use } = open(answers(PlanSetup, aPlan(step(), onboard)));
  expect((await button('Apply 2 changes')).disabled).toBe(true);
  await userEvent.click(screen.getByRole('checkbox', { name: /cannot be undone/ }));
  expect((await button('Apply 2 changes')).disabled).toBe(false);
  use(answers(PlanSetup, { ...aPlan(onboard), digest: 'd2' }));
  await userEvent.click(screen.getByRole('button', { name: 'Read again' }));
  expect((await button('Apply 1 change')).disabled).toBe(true);
  expect(screen.getByRole<HTMLInputElement>('checkbox', { name: /cannot be undone/ }).checked).toBe(false);
});

test('a refusal of the portal lands at its field, with its reference, and what was typed stays', async () => {
  open(answers(PlanSetup, aPlan(step())), refuses(CreateSetup, 'invalid-request', { detail: 'Another group has this nickname.', issues: [{ path: 'body.definition.group.mailNickname', message: 'Another group has this nickname' }] }));
  await userEvent.click(await button('Apply 1 change'));
  const nickname = await screen.findByRole<HTMLInputElement>('textbox', { name: 'Mail nickname' });
  expect(nickname.getAttribute('aria-invalid')).toBe('true');
  expect(nickname.value).toBe('FinReport-SeniorAnalyst-SecureAccess');
  expect(screen.getByText('Ref 4F2A91BC')).toBeTruthy();
  await userEvent.type(nickname, '2');
  await userEvent.click(screen.getByRole('button', { name: 'Next: Role settings' }));
  expect(await screen.findByText('Activation maximum duration')).toBeTruthy();
  expect(screen.queryByText('Ref 4F2A91BC')).toBeNull();
});

test('the earliest of the steps that were refused is shown', async () => {
  open(refuses(PlanSetup, 'invalid-request', { issues: [{ path: 'body.definition.applications.0.servicePrincipalId', message: 'Not there' }, { path: 'body.definition.eligible.0.principalId', message: 'Ana Costa is gone' }] }));
  expect(await screen.findByRole('heading', { level: 2, name: 'People' })).toBeTruthy();
  const people = within(screen.getByRole('list', { name: 'Eligible members' }));
  expect(people.getByText('Ana Costa is gone')).toBeTruthy();
  expect(within(screen.getByRole('list', { name: 'Steps of the wizard' })).getAllByRole('listitem').map((one) => within(one).queryByRole('img', { name: 'to mend' }) !== null)).toEqual([false, false, true, true, false]);
  await userEvent.click(screen.getByRole('button', { name: 'Next: Applications' }));
  expect(await screen.findByRole('checkbox', { name: 'Finance reports' })).toBeTruthy();
});

test('a refusal of nothing that can be typed is said where it was asked', async () => {
  open(answers(PlanSetup, aPlan(step())), refuses(CreateSetup, 'run-in-progress', { detail: 'Follow that run.' }));
  await userEvent.click(await button('Apply 1 change'));
  expect((await screen.findByRole('alert')).textContent).toContain('Follow that run.');
  expect(screen.getByRole('list', { name: 'Plan' })).toBeTruthy();
  expect(sessionStorage.getItem(DRAFT_KEY)).not.toBeNull();
});

test('an address does not skip what is not filled in', async () => {
  openWizard({ step: 5, draft: filled({ eligible: [] }) });
  expect(await screen.findByRole('heading', { level: 2, name: 'Group' })).toBeTruthy();
});

test.each(['x', '-3', '1.5', '99'])('a step "%s" in the address still shows a step', async (wanted) => {
  openWizard({ step: wanted });
  expect(await screen.findByRole('button', { name: /^Next|^Review/ })).toBeTruthy();
});

test('who leaves by the menu finds everything again', async () => {
  openWizard();
  await userEvent.type(await screen.findByRole('textbox', { name: 'Application' }), 'FinReport');
  await userEvent.click(screen.getByRole('link', { name: 'Elsewhere' }));
  await userEvent.click(await screen.findByRole('link', { name: 'To the wizard' }));
  expect((await screen.findByRole<HTMLInputElement>('textbox', { name: 'Group name' })).value).toBe('FinReport-SecureAccess');
  expect(screen.getByText('Taken up where you left it in this tab.')).toBeTruthy();
});

test('discarding asks first', async () => {
  openWizard();
  await userEvent.type(await screen.findByRole('textbox', { name: 'Application' }), 'FinReport');
  await userEvent.click(screen.getByRole('button', { name: 'Discard' }));
  await userEvent.click(within(await screen.findByRole('dialog', { name: 'Discard what you filled in?' })).getByRole('button', { name: 'Cancel' }));
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Group name' }).value).toBe('FinReport-SecureAccess');
  await userEvent.click(screen.getByRole('button', { name: 'Discard' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Discard it' }));
  expect(await screen.findByText('all setups')).toBeTruthy();
  expect(sessionStorage.getItem(DRAFT_KEY)).toBeNull();
});

test('where nothing was filled in, nothing is asked', async () => {
  openWizard();
  await screen.findByRole('textbox', { name: 'Application' });
  await userEvent.click(screen.getByRole('button', { name: 'Discard' }));
  expect(await screen.findByText('all setups')).toBeTruthy();
});

test('approval without an approver is refused at its field', async () => {
  openWizard({ step: 2, draft: filled(), api: [answers(SearchPrincipals, { principals: [{ id: GUID(7), kind: 'user', displayName: 'Omar Haddad', detail: null }] })] });
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Require approval' }));
  await userEvent.click(screen.getByRole('button', { name: 'Next: People' }));
  expect(await screen.findByText(/Name at least one approver/)).toBeTruthy();
  await userEvent.type(screen.getByRole('combobox', { name: 'Approvers' }), 'omar');
  await userEvent.click(await screen.findByRole('option', { name: /Omar Haddad/ }));
  await waitFor(() => { expect(screen.queryByText(/Name at least one approver/)).toBeNull(); });
  await userEvent.click(screen.getByRole('button', { name: 'Next: People' }));
  expect(await screen.findByText('Eligible for')).toBeTruthy();
});

test('a setup is changed under its own id', async () => {
  const definition = { ...filled(), roleSettings: PROPOSED_ROLE_SETTINGS, group: { kind: 'existing' as const, groupId: GUID(5), displayName: 'FinReport' } };
  const { calls } = openWizard({ step: 5, path: `/setups/${GUID(8)}/edit`, api: [
    answers(GetSetup, { id: GUID(8), name: 'FinReport', groupId: GUID(5), applications: [], eligibleCount: 1, createdBy: 'Maya', updatedAt: at(0), retiredAt: null, lastRun: null, definition, runs: [] }),
    answers(PlanSetup, aPlan(step({ verdict: 'change' }))), answers(ApplySetup, run),
  ] });
  await userEvent.click(await button('Apply 1 change'));
  expect(await screen.findByText('the run')).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === ApplySetup)?.url).toBe(`/api/setups/${GUID(8)}/runs`);
});

test('a setup that is not there is not changed', async () => {
  openWizard({ path: `/setups/${GUID(8)}/edit`, api: [refuses(GetSetup, 'not-found')] });
  expect(await screen.findByRole('heading', { name: 'There is no such setup' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Discard' })).toBeNull();
});
