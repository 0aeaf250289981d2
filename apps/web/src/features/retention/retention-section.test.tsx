import { GetRetention, LiftHold, SetHold, type PlannedDrop } from '@gatehouse/contracts';
import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, renderPage } from '../../testing/testing.tsx';
import { RetentionSection } from './retention-section.tsx';

const person = (role: 'Auditor' | 'SetupAdmin') => ({ ...ANA, person: { id: 'm', displayName: 'Maya Lindqvist', userPrincipalName: 'maya@contoso.example', roles: [role] } });
const month = (more: Partial<PlannedDrop> = {}): PlannedDrop => ({ log: 'audit_event', month: '2018-11', status: 'verified', plannedAt: at(-5), dueAt: at(60 * 24 * 30), held: false, file: '/files/a.zip', sha256: 'ab12', rows: 12_345, bytes: 9, verifiedAt: at(-4), droppedAt: null, error: null, refusal: null, ...more });
const policies = [{ source: 'directory' as const, months: 84, changedAt: null, changedBy: null }, { source: 'portal' as const, months: 84, changedAt: null, changedBy: null }, { source: 'traffic' as const, months: 84, changedAt: null, changedBy: null }];
const hold = { id: 'h1', reason: 'Case 7', fromMonth: null, toMonth: null, setAt: at(-9), setBy: 'Maya Lindqvist' };
const retention = (drops: PlannedDrop[]) => answers(GetRetention, { now: at(0), policies, holds: [hold], drops, noticeDays: 30 });

test('says what becomes of a month whose time is over, and an auditor changes nothing', async () => {
  renderPage(<RetentionSection />, { session: person('Auditor'), api: [retention([
    month(), month({ month: '2018-10', status: 'planned', verifiedAt: null, file: null, error: 'The month could not be archived.' }), month({ month: '2018-09', refusal: 'not-checked' }), month({ month: '2018-08', held: true, refusal: 'held' }),
    month({ month: '2018-07', status: 'dropped', droppedAt: at(-60) }), month({ log: 'network_connection', month: '2018-06' }),
  ])] });
  expect(await screen.findByText(/dropped 30 days later, unless a hold keeps it/)).toBeTruthy();
  expect(screen.getAllByText('7 years')).toHaveLength(policies.length);
  expect(screen.queryByRole('combobox')).toBeNull();
  const table = within(screen.getByRole('table', { name: 'Months past their time' }));
  const rowOf = (name: string) => table.getAllByRole('row').find((row) => row.textContent.startsWith(name))?.textContent;
  expect(rowOf('2018-11')).toMatch(/ArchivedNot before .*SHA-256 ab12$/);
  expect(rowOf('2018-09')).toMatch(/ArchivedIt waits for the nightly check/);
  expect(rowOf('2018-08')).toMatch(/HeldHeld back/);
  expect(rowOf('2018-07')).toMatch(/^2018-07Audit log.*Dropped/);
  expect(rowOf('2018-06')).toMatch(/^2018-06Traffic log.*Archived/);
  expect(table.getByText('The month could not be archived.')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Lift this hold' })).toBeNull();
  expect(screen.queryByRole('form', { name: 'Hold months back' })).toBeNull();
});

test('a setup administrator holds months back and lifts a hold after being asked', async () => {
  const { calls } = renderPage(<RetentionSection />, { session: person('SetupAdmin'), api: [retention([]), answers(SetHold, hold), answers(LiftHold, { lifted: true })] });
  await userEvent.type(await screen.findByLabelText(/Hold back, because/), 'Case 7');
  await userEvent.click(screen.getByRole('button', { name: 'Set legal hold' }));
  await userEvent.click(screen.getByRole('button', { name: 'Lift this hold' }));
  expect(calls.some(({ endpoint }) => endpoint === LiftHold)).toBe(false);
  await userEvent.click(await screen.findByRole('button', { name: 'Lift the hold' }));
  expect(calls.filter(({ endpoint }) => endpoint === SetHold || endpoint === LiftHold).map(({ body }) => body)).toEqual([{ reason: 'Case 7', fromMonth: null, toMonth: null }, {}]);
});
