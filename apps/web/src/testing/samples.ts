import type { Plan, PlanStep, Run } from '@gatehouse/contracts';
import { at } from './fixtures.ts';

export const GUID = (last: number): string => `aaaaaaaa-0000-4000-8000-${String(last).padStart(12, '0')}`;

/** A step that creates the group. */
export const aStep = (more: Partial<PlanStep> = {}): PlanStep => ({ key: 'group', kind: 'create-group', verdict: 'create', title: 'Create the group', dependsOn: [], changes: [], calls: ['POST /groups'], irreversible: false, blocked: null, ...more });

export const aPlan = (...steps: PlanStep[]): Plan => ({ digest: 'd1', readAt: at(0), changes: steps.length, calls: steps.length, warnings: [], checked: [], steps });

/** A run under way. */
export const aRun = (more: Partial<Run> = {}): Run => ({ id: GUID(9), setupId: GUID(8), setupName: 'FinReport', status: 'running', actorName: 'Maya Lindqvist', createdAt: at(-1), finishedAt: null, stopAskedBy: null, undoes: null, undoneBy: null, restores: false, steps: [], ...more });
