import { ApplySetup, CreateSetup, GetSetup, PlanSetup, PROPOSED_ROLE_SETTINGS, SearchPrincipals } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { formatInstant } from '../../lib/dates.ts';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, waits, type Handler } from '../../testing/testing.tsx';
import { aPlan, aRun, aStep as step, GUID } from '../../testing/samples.ts';
import { draftKeyOf, readDraft } from './draft.ts';
import { DRAFT_KEY, filled, openWizard } from './testing/wizard.tsx';

const onboard = step({ key: 'onboard', kind: 'onboard', title: 'Onboard it to PIM', irreversible: true });
const run = aRun();
const button = (name: string) => screen.findByRole<HTMLButtonElement>('button', { name });
const open = (...api: Handler[]) => openWizard({ step: 5, draft: filled(), api });

test('the plan is read before anything can be applied', async () => {
  open(waits(PlanSetup));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Apply' }).disabled).toBe(true);
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

test('what was looked at and is in order is one line, which opens', async () => {
  open(answers(PlanSetup, { ...aPlan(step()), checked: ['The Private Access traffic profile is on.', 'No group is nested in the group.'] }));
  const line = await screen.findByText('2 checks are in order');
  expect(line.closest('details')?.open).toBe(false);
  await userEvent.click(line);
  expect(line.closest('details')?.open).toBe(true);
  expect(within(line.closest('details') as HTMLElement).getAllByRole('listitem').map((one) => one.textContent)).toEqual(['The Private Access traffic profile is on.', 'No group is nested in the group.']);
});

test('where nothing was looked at, nothing is said to be in order', async () => {
  open(answers(PlanSetup, aPlan(step())));
  await button('Apply 1 change');
  expect(screen.queryByText(/in order/)).toBeNull();
});

describe('a plan that changed meanwhile', () => {
  const settings = step({ key: 'role-settings', kind: 'role-settings', title: 'Set the role settings', changes: [{ field: 'Activation maximum', from: '8 h', to: '30 min' }] });
  const gone = step({ key: 'add-owner:1', kind: 'add-owner', title: 'Let Ben Novak own the group' });
  const seen = aPlan(step(), onboard, settings, gone);
  const now = { ...aPlan(step({ verdict: 'nothing', title: 'The group is there', dependsOn: ['x'] }), { ...onboard, dependsOn: ['group'] }, { ...settings, changes: [{ field: 'Activation maximum', from: '4 h', to: '30 min' }] }, step({ key: 'new', title: 'Open Payroll to the group' })), digest: 'd2', changes: 3 };
  const marked = (title: string): string | undefined => within(within(screen.getByRole('list', { name: 'Plan' })).getByText(title).closest('li') as HTMLElement).queryByText(/since you looked/)?.textContent ?? undefined;

  test('is shown in its place at once, with what differs marked in words, and the tick asked again', async () => {
    const { calls } = open(answers(PlanSetup, seen), refuses(CreateSetup, 'plan-changed', { detail: 'Since you looked, the tenant changed.', plan: now }));
    await userEvent.click(await screen.findByRole('checkbox', { name: /cannot be undone/ }));
    expect(screen.queryByText(/since you looked/)).toBeNull();
    await userEvent.click(await button('Apply 4 changes'));
    expect((await button('Apply 3 changes')).disabled).toBe(true);
    const bars = screen.getAllByRole('alert');
    expect(bars).toHaveLength(1);
    expect(bars[0]?.textContent).toContain('The tenant changed since you looked. Nothing was done.');
    expect(bars[0]?.textContent).toContain('No longer in it: Let Ben Novak own the group.');
    expect(document.activeElement).toBe(bars[0]);
    expect(['The group is there', 'Onboard it to PIM', 'Set the role settings', 'Open Payroll to the group'].map(marked)).toEqual(['Changed since you looked', undefined, 'Changed since you looked', 'New since you looked']);
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: /cannot be undone/ }).checked).toBe(false);
    expect(calls.filter(({ endpoint }) => endpoint === PlanSetup)).toHaveLength(1);
  });

  test('is applied when it was looked at', async () => {
    const { use, calls } = open(answers(PlanSetup, seen), refuses(CreateSetup, 'plan-changed', { plan: now }));
    await userEvent.click(await screen.findByRole('checkbox', { name: /cannot be undone/ }));
    await userEvent.click(await button('Apply 4 changes'));
    await button('Apply 3 changes');
    await userEvent.click(screen.getByRole('checkbox', { name: /cannot be undone/ }));
    use(answers(CreateSetup, run));
    await userEvent.click(await button('Apply 3 changes'));
    expect(await screen.findByText('the run')).toBeTruthy();
    expect(calls.filter(({ endpoint }) => endpoint === CreateSetup).map(({ body }) => (body as { digest: string }).digest)).toEqual(['d1', 'd2']);
  });

  test('is marked too where it came by reading again; looked at once more, it is no longer new', async () => {
    const { use } = open(answers(PlanSetup, seen));
    await button('Apply 4 changes');
    use(answers(PlanSetup, now));
    await userEvent.click(screen.getByRole('button', { name: 'Read again' }));
    expect((await screen.findByRole('alert')).textContent).toContain('The tenant changed since you looked.');
    await userEvent.click(await screen.findByRole('button', { name: 'Read again' }));
    await waitFor(() => { expect(screen.queryByRole('alert')).toBeNull(); });
    expect(screen.queryByText(/since you looked/)).toBeNull();
  });
});

test('somebody else’s run says whose it is and since when, and leads there', async () => {
  open(answers(PlanSetup, aPlan(step())), refuses(CreateSetup, 'run-in-progress', { detail: 'UTC words', run: { id: GUID(7), setupId: GUID(8), actorName: 'Omar Haddad', startedAt: at(-3) } }));
  await userEvent.click(await button('Apply 1 change'));
  const bar = await screen.findByRole('alert');
  expect(bar.textContent).toContain(`Omar Haddad’s run of this setup has been under way since ${formatInstant(at(-3), new Date(at(0)))}.`);
  expect(bar.textContent).not.toContain('UTC words');
  const link = within(bar).getByRole('link', { name: 'Follow that run' });
  expect(link.getAttribute('href')).toBe(`/runs/${GUID(7)}`);
  expect(sessionStorage.getItem(DRAFT_KEY)).not.toBeNull();
  await userEvent.click(link);
  expect(await screen.findByText('the run')).toBeTruthy();
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
    answers(GetSetup, { id: GUID(8), name: 'FinReport', groupId: GUID(5), applications: [], eligibleCount: 1, createdBy: 'Maya', updatedAt: at(0), retiredAt: null, drift: null, lastRun: null, definition, runs: [] }),
    answers(PlanSetup, aPlan(step({ verdict: 'change' }))), answers(ApplySetup, run),
  ] });
  await userEvent.click(await button('Apply 1 change'));
  expect(await screen.findByText('the run')).toBeTruthy();
  expect(calls.find(({ endpoint }) => endpoint === ApplySetup)).toMatchObject({ url: `/api/setups/${GUID(8)}/runs`, body: { unchangedSince: at(0) } });
});

test('a draft of a setup that somebody else changed meanwhile is refused as what it was begun from, and kept', async () => {
  const definition = { ...filled(), roleSettings: PROPOSED_ROLE_SETTINGS, group: { kind: 'existing' as const, groupId: GUID(5), displayName: 'FinReport' } };
  const changedAt = (updatedAt: string) => answers(GetSetup, { id: GUID(8), name: 'FinReport', groupId: GUID(5), applications: [], eligibleCount: 1, createdBy: 'Maya', updatedAt, retiredAt: null, drift: null, lastRun: null, definition, runs: [] });
  const path = `/setups/${GUID(8)}/edit`;
  const first = openWizard({ step: 3, path, api: [changedAt(at(0))] });
  await userEvent.selectOptions(await screen.findByRole('combobox', { name: 'How long Ana Costa is eligible' }), '30');
  first.unmount();

  // The tab loads the page anew after the other's change.
  const { calls } = openWizard({ step: 5, path, api: [changedAt(at(1)), answers(PlanSetup, aPlan(step({ verdict: 'change' }))), refuses(ApplySetup, 'conflict', { detail: 'The setup itself was changed since this was planned.' })] });
  await userEvent.click(await button('Apply 1 change'));
  expect((await screen.findByRole('alert')).textContent).toContain('The setup itself was changed since this was planned.');
  expect(calls.find(({ endpoint }) => endpoint === ApplySetup)?.body).toMatchObject({ unchangedSince: at(0), definition: { eligible: [{ days: 30 }] } });
  expect(screen.getByText(/^What you filled in is kept/)).toBeTruthy();
  await userEvent.click(screen.getByRole('link', { name: 'Open the setup' }));
  expect(await screen.findByText('the setup')).toBeTruthy();
  expect(readDraft(draftKeyOf('m', GUID(8)))).toMatchObject({ eligible: [{ days: 30 }] });
});

test('a setup that is not there is not changed', async () => {
  openWizard({ path: `/setups/${GUID(8)}/edit`, api: [refuses(GetSetup, 'not-found')] });
  expect(await screen.findByRole('heading', { name: 'There is no such setup' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Discard' })).toBeNull();
});
