import type { PlanStep } from '@gatehouse/contracts';
import { render, screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { PlanList } from './plan-list.tsx';
import { aStep } from '../testing/samples.ts';

const only = (more: Partial<PlanStep>) => {
  render(<PlanList label="Plan" steps={[aStep({ key: 'k', kind: 'role-settings', title: 'The step', calls: ['PATCH /groups/1'], ...more })]} />);
  return within(within(screen.getByRole('list', { name: 'Plan' })).getAllByRole('listitem')[0] as HTMLElement);
};

test('a step that creates says so, with the calls that it makes', () => {
  const step = only({ verdict: 'create', calls: ['POST /groups', 'GET /groups/1'] });
  expect(step.getByText('Create')).toBeTruthy();
  expect(step.getByText('2 calls to Microsoft Graph')).toBeTruthy();
  expect(step.getByText('POST /groups')).toBeTruthy();
});

test('a step that changes says from what to what; what was not there before has no "from"', () => {
  const step = only({ verdict: 'change', changes: [{ field: 'Activation maximum', from: '8 h', to: '30 min' }, { field: 'Approvers', from: null, to: 'Omar Haddad' }] });
  expect(step.getByText('Change')).toBeTruthy();
  expect(step.getAllByRole('listitem').map((one) => one.textContent)).toEqual(['Activation maximum: 8 h → 30 min', 'Approvers: Omar Haddad']);
});

test('a step that takes away says so', () => {
  const step = only({ verdict: 'delete', kind: 'delete-group', irreversible: true });
  expect(step.getByText('Remove')).toBeTruthy();
  expect(step.getByText('Cannot be undone')).toBeTruthy();
  expect(step.getByText('1 call to Microsoft Graph')).toBeTruthy();
});

test('a step without anything to do says that, and promises no calls', () => {
  const step = only({ verdict: 'nothing', irreversible: true });
  expect(step.getByText('Nothing to do')).toBeTruthy();
  expect(step.queryByText(/to Microsoft Graph/)).toBeNull();
  expect(step.getByText('The step').tagName).not.toBe('STRONG');
});

test('a blocked step says why and what mends it, and promises no calls', () => {
  const step = only({ verdict: 'blocked', blocked: { reason: 'The group is synchronised from on-premises.', mend: 'Choose another group.' } });
  expect(step.getByText('Blocked')).toBeTruthy();
  expect(step.getByText('The group is synchronised from on-premises. Choose another group.')).toBeTruthy();
  expect(step.queryByText(/to Microsoft Graph/)).toBeNull();
});

test('what cannot be undone stands out, and says so', () => {
  const step = only({ irreversible: true });
  expect(step.getByText('The step').tagName).toBe('STRONG');
  expect(step.getByText('Cannot be undone')).toBeTruthy();
});
