import { createHash } from 'node:crypto';
import type { Plan, PlanStep, SetupDefinition } from '@gatehouse/contracts';
import { fieldError, PortalError } from '../../core/errors.ts';
import type { NewStep } from './setup.store.ts';
import { acts, canonicalPlan } from './steps.rules.ts';
import type { Before } from './undo.rules.ts';

/** A plan as somebody reviewed it: what names it, what a run by it begins with, and what speaks against beginning one. */

/** A plan with what names it, and what is kept of how the tenant stood before. */
export interface Planned {
  readonly steps: readonly PlanStep[];
  /** Of definition and steps: a plan of other facts has another digest. */
  readonly digest: string;
  readonly before: ReadonlyMap<string, Before>;
}

export const NOTHING_BEFORE: ReadonlyMap<string, Before> = new Map();

export function digested(definition: SetupDefinition, steps: readonly PlanStep[]): Pick<Planned, 'steps' | 'digest'> {
  return { steps, digest: createHash('sha256').update(canonicalPlan(definition, steps)).digest('hex') };
}

export function changedPlan(plan: Plan): PortalError {
  return new PortalError('plan-changed', { detail: 'Since you looked, the tenant or the setup changed. Nothing was done. Look at the new plan and apply that.', plan });
}

export const actsIrreversibly = (step: PlanStep): boolean => step.irreversible && acts(step);

export function refuseUnticked(steps: readonly PlanStep[], understood: boolean): void {
  if (understood || !steps.some(actsIrreversibly)) return;
  throw fieldError('invalid-request', 'body.irreversibleUnderstood', steps.some((one) => one.kind === 'delete-group' && acts(one)) ? 'Say that you understand that a group that is deleted may not come back' : 'Say that you understand that onboarding to PIM cannot be undone');
}

export function refuseBlocked(steps: readonly PlanStep[]): void {
  const blocked = steps.find((step) => step.verdict === 'blocked');
  if (blocked) throw new PortalError('plan-blocked', { detail: `${blocked.title}: ${blocked.blocked?.reason ?? ''} ${blocked.blocked?.mend ?? ''}`.trim() });
}

export const FRESH = { status: 'pending', detail: null, before: null, startedAt: null, finishedAt: null } as const;

export function freshSteps(steps: readonly PlanStep[]): NewStep[] {
  return steps.map((plan, ordinal) => ({ ordinal, plan, ...FRESH }));
}
