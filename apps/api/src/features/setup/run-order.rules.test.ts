import type { StepKind } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { doneKeys, readySteps, stageOf } from './run-order.rules.ts';
import { step } from './steps.rules.ts';

const open = (key: string, dependsOn: readonly string[] = []) => ({ plan: step({ key, kind: (key.split(':')[0] ?? '') as StepKind, verdict: 'create', title: key, dependsOn: [...dependsOn] }) });
/** Keys of what is ready, a list for each stage. */
const ready = (steps: readonly ReturnType<typeof open>[], done: readonly string[] = [], busy: readonly string[] = []): string[][] =>
  [...readySteps(steps, new Set(done), new Set(busy)).values()].map((list) => list.map(({ plan }) => plan.key));

test('what needs nothing of each other goes on at the same time', () => {
  expect(ready([open('create-group'), open('create-application:new:ledger'), open('require-assignment:a')])).toEqual([['create-group'], ['create-application:new:ledger'], ['require-assignment:a']]);
});

test('a step waits for what it needs, unless that is written before it in the same turn', () => {
  const steps = [open('onboard', ['create-group']), open('role-settings', ['onboard']), open('assign-application:a', ['role-settings', 'require-assignment:a'])];
  expect(ready(steps)).toEqual([]);
  expect(ready(steps, ['create-group'])).toEqual([['onboard', 'role-settings']]);
  expect(ready(steps, ['create-group', 'require-assignment:a'])).toEqual([['onboard', 'role-settings', 'assign-application:a']]);
});

test('what is made is made alone, and its destinations together after it', () => {
  const steps = [open('create-application:new:ledger'), open('publish-application:new:ledger'), open('add-segment:new:ledger:a.example:443-443:tcp'), open('add-segment:new:ledger:b.example:443-443:tcp')];
  expect(ready(steps)).toEqual([['create-application:new:ledger']]);
  expect(ready(steps.slice(2))).toEqual([['add-segment:new:ledger:a.example:443-443:tcp', 'add-segment:new:ledger:b.example:443-443:tcp']]);
});

test('a stage that is at work is left alone, and twenty steps are one turn', () => {
  const people = Array.from({ length: 25 }, (_, index) => open(`assign-eligible:${index}`));
  expect(ready(people).map((list) => list.length)).toEqual([20]);
  expect(ready(people, [], ['access'])).toEqual([]);
});

test('all steps of one application are of one stage, apart from those of another', () => {
  expect(new Set(['create-application:new:ledger', 'add-segment:new:ledger:10.0.0.0/8:443-443,8000-8010:tcp,udp'].map((key) => stageOf(open(key).plan)))).toEqual(new Set(['application new:ledger']));
  expect(stageOf(open('create-application:new:payroll').plan)).toBe('application new:payroll');
});

test('what has nothing to do is waited for by nobody', () => {
  const nothing = { plan: step({ key: 'onboard', kind: 'onboard', verdict: 'nothing', title: 'PIM manages the group' }), status: 'pending' };
  expect(doneKeys([nothing, { ...open('create-group'), status: 'skipped' }, { ...open('role-settings'), status: 'failed' }])).toEqual(new Set(['onboard', 'create-group']));
});
