import { GetSetup, GetSetupDrift, PROPOSED_ROLE_SETTINGS, type Answer } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { SetupWizardPage } from './setup-wizard-page.tsx';
import { directory, DRAFT_KEY, filled, MAYA } from './testing/wizard.tsx';
import { SetupPage } from './setup-page.tsx';
import { aRun, GUID } from '../../testing/samples.ts';

const NAME = 'FinReport-SeniorAnalyst-SecureAccess';

function aSetup(more: Partial<Answer<typeof GetSetup>> = {}): Answer<typeof GetSetup> {
  const run = (last: number, status: 'succeeded' | 'failed') => {
    const { steps: _steps, ...rest } = aRun({ id: GUID(last), setupId: GUID(1), setupName: NAME, status, createdAt: at(-10 * last), finishedAt: at(-10 * last + 1) });
    return rest;
  };
  return {
    id: GUID(1), name: NAME, groupId: GUID(2), applications: ['Finance reports', 'Finance archive'], eligibleCount: 2, createdBy: 'Maya Lindqvist', updatedAt: at(-50), retiredAt: null, drift: null,
    lastRun: { id: GUID(5), status: 'succeeded', createdAt: at(-50) },
    runs: [run(5, 'succeeded'), run(6, 'failed')],
    definition: {
      group: { kind: 'existing', groupId: GUID(2), displayName: NAME },
      owners: [], ownerRoleSettings: null,
      roleSettings: { ...PROPOSED_ROLE_SETTINGS, eligibleMaxDays: null },
      eligible: [{ principalId: GUID(3), kind: 'user', displayName: 'Ana Costa', days: 180 }, { principalId: GUID(4), kind: 'group', displayName: 'Finance leads', days: null }],
      applications: [
        { kind: 'existing', servicePrincipalId: GUID(7), displayName: 'Finance reports', applicationKind: 'per-app' },
        { kind: 'new', displayName: 'Finance archive', connectorGroupId: GUID(8), connectorGroupName: 'EU-1', segments: [{ host: 'fin-arch.corp.example', ports: '443, 3389', protocol: 'tcp' }] },
      ],
    },
    ...more,
  };
}

const pages = (
  <Routes>
    <Route path="/setups" element={<p>all setups</p>} />
    <Route path="/setups/new" element={<SetupWizardPage />} />
    <Route path="/setups/:setupId" element={<SetupPage />} />
    <Route path="/setups/:setupId/edit" element={<p>the wizard</p>} />
    <Route path="/runs/:runId" element={<p>the run</p>} />
  </Routes>
);
const open = (...api: Handler[]) => renderPage(pages, { path: `/setups/${GUID(1)}`, session: MAYA, api: [...api, answers(GetSetupDrift, { setupId: GUID(1), name: NAME, lookedAt: at(-2), notSeen: [], failure: null, differences: [] })] });

test('shows that it is reading', async () => {
  open(waits(GetSetup));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByRole('button')).toBeNull();
});

test('a refusal is said and tried again on request', async () => {
  const { use } = open(refuses(GetSetup, 'not-ready', { detail: 'The setup could not be read.' }));
  expect((await screen.findByRole('alert')).textContent).toContain('The setup could not be read.');
  use(answers(GetSetup, aSetup()));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { level: 1, name: NAME })).toBeTruthy();
});

test.each([['an id that names nothing', refuses(GetSetup, 'not-found')], ['what is no id', refuses(GetSetup, 'invalid-request', { issues: [{ path: 'params.setupId', message: 'Invalid UUID' }] })]])('%s is said in words, with the way back', async (_case, refusal) => {
  open(refusal);
  expect(await screen.findByRole('heading', { name: 'There is no such setup' })).toBeTruthy();
  expect(screen.queryByText(/UUID/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'See all setups' }));
  expect(await screen.findByText('all setups')).toBeTruthy();
});

test('shows the path from the people to what they reach', async () => {
  open(answers(GetSetup, aSetup()));
  const path = within(await screen.findByRole('region', { name: 'The path' }));
  for (const text of ['Ana Costa, 180 days', 'Finance leads, permanent', NAME, 'at most 30 min', 'with MFA', 'with a reason', 'without approval', 'Finance reports', 'Finance archive', 'fin-arch.corp.example : 443, 3389']) expect(path.getByText(text)).toBeTruthy();
});

test('names each run with what became of it, and leads to it', async () => {
  open(answers(GetSetup, aSetup()));
  const runs = within(within(await screen.findByRole('region', { name: 'Runs' })).getByRole('list')).getAllByRole('listitem');
  expect(runs.map((run) => [within(run).queryByText('Applied and verified') !== null, within(run).queryByText('Failed') !== null])).toEqual([[true, false], [false, true]]);
  await userEvent.click(within(runs[1] as HTMLElement).getByRole('link'));
  expect(await screen.findByText('the run')).toBeTruthy();
});

test('a setup that was never applied does not look applied', async () => {
  open(answers(GetSetup, aSetup({ groupId: null, lastRun: null, runs: [] })));
  expect(await screen.findByText('Never applied')).toBeTruthy();
  expect(screen.getByText('It was never applied.')).toBeTruthy();
  expect(screen.queryByText('Applied and verified')).toBeNull();
});

test('is changed in the wizard', async () => {
  open(answers(GetSetup, aSetup()));
  await userEvent.click(await screen.findByRole('button', { name: 'Change or check it' }));
  expect(await screen.findByText('the wizard')).toBeTruthy();
});

test('a setup that was taken back says since when, and is applied again', async () => {
  open(answers(GetSetup, aSetup({ retiredAt: at(-1), groupId: null })));
  expect(await screen.findByText('Taken back on 2 Mar 2026')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Change or check it' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Apply it again' }));
  expect(await screen.findByText('the wizard')).toBeTruthy();
});

test('an undo among the runs is told apart, and the run that it took back leads to it', async () => {
  const { runs } = aSetup();
  const [first, second] = runs as [typeof runs[number], typeof runs[number]];
  open(answers(GetSetup, aSetup({ runs: [{ ...first, undoes: second.id }, { ...second, status: 'succeeded', undoneBy: first.id }] })));
  const rows = within(await screen.findByRole('region', { name: 'Runs' })).getAllByRole('listitem');
  expect(rows[0]?.textContent).toContain('Undone and verified');
  expect(rows[0]?.textContent).toContain('an undo');
  expect(within(rows[1] as HTMLElement).getByRole('link', { name: 'see its undo' }).getAttribute('href')).toBe(`/runs/${first.id}`);
});

test('who own the group, and what owners need to activate, is in the path where the setup says it', async () => {
  const { definition } = aSetup();
  open(answers(GetSetup, aSetup({ definition: { ...definition, owners: [{ principalId: GUID(3), displayName: 'Ana Costa' }], ownerRoleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 60 } } })));
  const path = within(await screen.findByRole('region', { name: 'The path' }));
  expect(path.getByText('owned by Ana Costa')).toBeTruthy();
  expect(within(path.getByText('To activate as owner').closest('li') as HTMLElement).getByText('at most 1 h')).toBeTruthy();
});

test('a clone is the setup in the wizard with a group that is not named yet', async () => {
  open(answers(GetSetup, aSetup()), ...directory);
  await userEvent.click(await screen.findByRole('button', { name: 'Clone' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Secure an application' })).toBeTruthy();
  expect(screen.getByText(`A copy of ${aSetup().name}: name the group that it is for.`)).toBeTruthy();
  expect(screen.queryByText(/Taken up where you left it/)).toBeNull();
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Group name' }).value).toBe('');
  expect(JSON.parse(sessionStorage.getItem(DRAFT_KEY) ?? '')).toMatchObject({ group: { kind: 'new', displayName: '' }, eligible: [{ displayName: 'Ana Costa' }, { displayName: 'Finance leads' }], roleSettings: { eligibleMaxDays: null } });
});

test('a clone takes the place of what the wizard holds only after asking', async () => {
  sessionStorage.setItem(DRAFT_KEY, JSON.stringify(filled()));
  open(answers(GetSetup, aSetup()), ...directory);
  await userEvent.click(await screen.findByRole('button', { name: 'Clone' }));
  expect((await screen.findByRole('dialog')).textContent).toContain('The clone takes its place');
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(JSON.parse(sessionStorage.getItem(DRAFT_KEY) ?? '')).toMatchObject({ eligible: [{ displayName: 'Ana Costa' }] });
  await userEvent.click(screen.getByRole('button', { name: 'Clone' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Replace it' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Secure an application' })).toBeTruthy();
});

test('of a setup that was taken back, or never applied, no differences are shown', async () => {
  open(answers(GetSetup, aSetup({ retiredAt: at(0) })));
  await screen.findByRole('region', { name: 'The path' });
  expect(screen.queryByRole('region', { name: 'Differences' })).toBeNull();
});
