import type { PlanStep } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { differenceOf } from './plan-difference.ts';
import { aPlan, aStep } from '../../testing/samples.ts';

test.each<[string, Partial<PlanStep>, 'Changed' | undefined]>([
  ['its verdict', { verdict: 'nothing' }, 'Changed'],
  ['its title', { title: 'Create another group' }, 'Changed'],
  ['its changes', { changes: [{ field: 'Name', from: null, to: 'Other' }] }, 'Changed'],
  ['its calls', { calls: ['PATCH /groups/other'] }, 'Changed'],
  ['whether it can be undone', { irreversible: true }, 'Changed'],
  ['why it is blocked', { blocked: { reason: 'It is gone.', mend: 'Choose another.' } }, 'Changed'],
  ['what it waits for', { dependsOn: ['other'] }, undefined],
])('a step that differs in %s', (_what, more, mark) => {
  expect(differenceOf(aPlan(aStep()), aPlan(aStep(more))).marks.get(aStep().key)).toBe(mark);
});
