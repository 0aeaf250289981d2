import { GetSetup, PlanRestore, PROPOSED_ROLE_SETTINGS, RestoreSetup } from '@gatehouse/contracts';
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { aPlan, aRun, aStep, GUID } from '../../testing/samples.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { RestorePage } from './restore-page.tsx';
import { filled, MAYA } from './testing/wizard.tsx';

const REMOVE = aStep({ key: 'remove-member:b', kind: 'remove-member', verdict: 'delete', title: 'Remove Ben Novak from the group', irreversible: true });
const SETUP = answers(GetSetup, {
  id: GUID(1), name: 'FinReport', groupId: GUID(2), applications: [], eligibleCount: 1, createdBy: 'Maya Lindqvist', updatedAt: at(-50), retiredAt: null, drift: null, lastRun: null, runs: [],
  definition: { ...filled(), roleSettings: PROPOSED_ROLE_SETTINGS },
});
const pages = <Routes><Route path="/setups/:setupId" element={<p>the setup</p>} /><Route path="/runs/:runId" element={<p>the run</p>} /><Route path="/setups/:setupId/restore" element={<RestorePage />} /></Routes>;
const open = (search: string, ...api: Handler[]) => renderPage(pages, { path: `/setups/${GUID(1)}/restore${search}`, session: MAYA, api: [...api, SETUP] });
const button = (name: string) => screen.findByRole<HTMLButtonElement>('button', { name });

test('the plan is read before anything can be restored', async () => {
  open('?keys=a', waits(PlanRestore));
  expect(await screen.findByRole('heading', { level: 1, name: 'Restore: FinReport' })).toBeTruthy();
  expect((await button('Restore')).disabled).toBe(true);
});

test('what was chosen is planned, ticked and restored by the plan in sight; then its run is shown', async () => {
  const { calls } = open('?keys=member-added%3Ab&keys=role-settings', answers(PlanRestore, aPlan(REMOVE)), answers(RestoreSetup, aRun()));
  expect((await button('Restore with 1 change')).disabled).toBe(true);
  await userEvent.click(screen.getByRole('checkbox', { name: 'I understand that removing a member cannot be undone' }));
  await userEvent.click(await button('Restore with 1 change'));
  expect(await screen.findByText('the run')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint !== SETUP.endpoint && endpoint.method === 'POST').map(({ body }) => body)).toEqual([
    { keys: ['member-added:b', 'role-settings'] }, { keys: ['member-added:b', 'role-settings'], digest: 'd1', irreversibleUnderstood: true },
  ]);
});

test('a plan that was refused says why, and leads back', async () => {
  open('?keys=a', refuses(PlanRestore, 'directory-busy'));
  expect((await screen.findByRole('alert')).textContent).toContain('Microsoft Entra is busy');
  await userEvent.click(await button('Back to the setup'));
  expect(await screen.findByText('the setup')).toBeTruthy();
});

test('an address that chooses nothing plans nothing', async () => {
  const { calls } = open('');
  expect(await screen.findByText('No difference is chosen')).toBeTruthy();
  expect(calls.some(({ endpoint }) => endpoint === PlanRestore)).toBe(false);
  await userEvent.click(await button('See the differences'));
  expect(await screen.findByText('the setup')).toBeTruthy();
});

test('where it is so by now, that is said', async () => {
  open('?keys=a', answers(PlanRestore, { ...aPlan({ ...REMOVE, verdict: 'nothing' }), changes: 0, calls: 0 }));
  expect(await screen.findByText(/in these points the tenant is as the setup says by now/)).toBeTruthy();
});

test('an id that names nothing is said in words', async () => {
  open('?keys=a', refuses(GetSetup, 'not-found'), refuses(PlanRestore, 'not-found'));
  expect(await screen.findByRole('heading', { name: 'There is no such setup' })).toBeTruthy();
});
