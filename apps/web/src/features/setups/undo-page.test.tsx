import { GetRun, PlanUndo, UndoRun } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { aPlan, aRun, aStep, GUID } from '../../testing/samples.ts';
import { UndoPage } from './undo-page.tsx';

const CLOSE = aStep({ key: 'unassign', kind: 'unassign-application', verdict: 'delete', title: 'Close Finance reports to the group' });
const DELETE = aStep({ key: 'delete-group', kind: 'delete-group', verdict: 'delete', title: 'Delete the group FinReport', irreversible: true });
const done = aRun({ status: 'succeeded', finishedAt: at(0) });
const undo = aRun({ id: GUID(10), undoes: GUID(9) });

const pages = <Routes><Route path="/setups" element={<p>all setups</p>} /><Route path="/runs/:runId" element={<p>the run</p>} /><Route path="/runs/:runId/undo" element={<UndoPage />} /></Routes>;
const open = (...api: Handler[]) => renderPage(pages, { path: `/runs/${GUID(9)}/undo`, api: [...api, answers(GetRun, done)] });
const button = (name: string) => screen.findByRole<HTMLButtonElement>('button', { name });

test('the plan is read before anything can be undone', async () => {
  open(waits(PlanUndo));
  expect(await screen.findByRole('heading', { level: 1, name: 'Undo: FinReport' })).toBeTruthy();
  expect(screen.getByLabelText('Reading')).toBeTruthy();
  expect((await button('Undo')).disabled).toBe(true);
});

test('what cannot be undone and what is worth knowing come first, then every step', async () => {
  open(answers(PlanUndo, { ...aPlan(CLOSE, DELETE), warnings: [{ code: 'w', message: 'PIM goes on managing the group.', mend: 'Nothing.' }] }));
  const list = await screen.findByRole('list', { name: 'Plan of the undo' });
  const final = screen.getByText('This cannot be undone in its turn:');
  const warning = screen.getByText('PIM goes on managing the group.');
  expect(final.parentElement?.textContent).toContain('Delete the group FinReport.');
  for (const [first, second] of [[final, warning], [warning, list]] as const) expect(first.compareDocumentPosition(second) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  expect(within(list).getAllByText('Remove')).toHaveLength(2);
});

test('deleting the group needs its tick; then the run that takes it back is shown', async () => {
  const { calls } = open(answers(PlanUndo, aPlan(CLOSE, DELETE)), answers(UndoRun, undo));
  expect((await button('Undo 2 changes')).disabled).toBe(true);
  await userEvent.click(screen.getByRole('checkbox', { name: 'I understand that deleting the group cannot be undone' }));
  await userEvent.click(await button('Undo 2 changes'));
  expect(await screen.findByText('the run')).toBeTruthy();
  const sent = calls.find(({ endpoint }) => endpoint === UndoRun);
  expect([sent?.url, sent?.body]).toEqual([`/api/runs/${GUID(9)}/undo`, { digest: 'd1', irreversibleUnderstood: true }]);
});

test('where nothing is final, no tick is asked', async () => {
  open(answers(PlanUndo, aPlan(CLOSE)), answers(UndoRun, undo));
  expect((await button('Undo 1 change')).disabled).toBe(false);
  expect(screen.queryByRole('checkbox')).toBeNull();
  expect(screen.queryByText(/cannot be undone/i)).toBeNull();
});

test('where none of it is there any more, that is said, and the run may still be closed', async () => {
  open(answers(PlanUndo, { ...aPlan({ ...CLOSE, verdict: 'nothing' }), changes: 0, calls: 0 }));
  expect(await screen.findByText('Nothing to take back: none of it is there any more')).toBeTruthy();
  expect((await button('Mark it as undone')).disabled).toBe(false);
});

test('a plan that changed stands in place of the one that was seen, with what differs marked', async () => {
  open(answers(PlanUndo, aPlan(CLOSE, DELETE)), refuses(UndoRun, 'plan-changed', { plan: { ...aPlan(CLOSE), digest: 'd2', warnings: [{ code: 'group-kept', message: 'FinReport stays: others are eligible in it by now.', mend: 'Delete it in Entra.' }] } }));
  await userEvent.click(await screen.findByRole('checkbox'));
  await userEvent.click(await button('Undo 2 changes'));
  expect((await button('Undo 1 change')).disabled).toBe(false);
  const bar = screen.getAllByRole('alert');
  expect(bar).toHaveLength(1);
  expect(bar[0]?.textContent).toContain('No longer in it: Delete the group FinReport.');
  expect(document.activeElement).toBe(bar[0]);
});

test('a run that cannot be taken back says why', async () => {
  open(refuses(PlanUndo, 'undo-refused', { detail: 'It took another one back. To have that again, apply the setup again.' }));
  expect((await screen.findByRole('alert')).textContent).toMatch(/This run cannot be undone.*To have that again, apply the setup again/);
  expect((await button('Undo')).disabled).toBe(true);
  await userEvent.click(await button('Back to the run'));
  expect(await screen.findByText('the run')).toBeTruthy();
});

test('a later run that stands in the way is opened from here', async () => {
  open(refuses(PlanUndo, 'undo-refused', { detail: 'A later run of this setup stands. Undo that one first.', run: { id: GUID(7), setupId: GUID(8), actorName: 'Omar Haddad', startedAt: at(-3) } }));
  expect((await screen.findByRole('alert')).textContent).toContain('Undo that one first.');
  expect((await screen.findByRole('link', { name: /^Open Omar Haddad’s run of /  })).getAttribute('href')).toBe(`/runs/${GUID(7)}`);
});

test('a run under way is followed', async () => {
  open(refuses(PlanUndo, 'run-in-progress', { run: { id: GUID(7), setupId: GUID(8), actorName: 'Omar Haddad', startedAt: at(-3) } }));
  await userEvent.click(await screen.findByRole('link', { name: 'Follow that run' }));
  expect(await screen.findByText('the run')).toBeTruthy();
});

test('an id that names nothing is said in words', async () => {
  open(refuses(GetRun, 'not-found'), refuses(PlanUndo, 'not-found'));
  expect(await screen.findByRole('heading', { name: 'There is no such run' })).toBeTruthy();
});
