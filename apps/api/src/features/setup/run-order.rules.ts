import type { PlanStep, StepKind } from '@gatehouse/contracts';
import { acts } from './steps.rules.ts';

/** Which steps of a run are done together, and when. */

/** As many writes as go in one round trip (Graph takes twenty requests in a batch). */
const TOGETHER = 20;

/**
 * Steps of one stage look at the same part of the tenant: they are looked at, written and read back together. Stages that
 * need nothing of each other go on at the same time.
 */
export function stageOf({ kind, key }: Pick<PlanStep, 'kind' | 'key'>): string {
  return STAGES[kind] === 'application' || STAGES[kind] === 'requirement' ? `${STAGES[kind]} ${applicationIn(kind, key)}` : STAGES[kind];
}

const STAGES: Record<StepKind, 'group' | 'access' | 'application' | 'requirement'> = {
  'create-group': 'group', 'delete-group': 'group',
  'add-owner': 'access', 'onboard': 'access', 'role-settings': 'access', 'owner-role-settings': 'access', 'assign-eligible': 'access', 'assign-application': 'access',
  'unassign-application': 'access', 'remove-eligible': 'access', 'restore-eligible': 'access', 'restore-role-settings': 'access', 'restore-owner-role-settings': 'access', 'remove-owner': 'access',
  'remove-member': 'access', 'remove-active': 'access', 'remove-owner-eligible': 'access', 'remove-assignee': 'access',
  'create-application': 'application', 'publish-application': 'application', 'add-segment': 'application', 'remove-segment': 'application', 'delete-application': 'application',
  'require-assignment': 'requirement', 'unrequire-assignment': 'requirement',
};

/** The application's key in a step's key. Of a destination only the part before the host, whose form `new:name` has one colon. */
function applicationIn(kind: StepKind, key: string): string {
  const rest = key.slice(kind.length + 1);
  if (kind !== 'add-segment' && kind !== 'remove-segment') return rest;
  return rest.split(':').slice(0, -3).join(':');
}

/**
 * The next steps to do, a list for each stage that is free, in the order of the plan: those whose needs are done, or are
 * done before them within the same list.
 */
export function readySteps<S extends { readonly plan: PlanStep }>(open: readonly S[], done: ReadonlySet<string>, busy: ReadonlySet<string>): ReadonlyMap<string, readonly S[]> {
  const ready = new Map<string, S[]>();
  for (const step of open) {
    const stage = stageOf(step.plan);
    if (busy.has(stage)) continue;
    const list = ready.get(stage) ?? [];
    if (list.length === TOGETHER || !step.plan.dependsOn.every((key) => done.has(key) || (isWrittenInOrder(step.plan.kind) && list.some(({ plan }) => plan.key === key)))) continue;
    // What is made alone: the rest of its stage cannot be written before it is there.
    if (list.length > 0 && (isAlone(step.plan.kind) || list.some(({ plan }) => isAlone(plan.kind)))) continue;
    ready.set(stage, [...list, step]);
  }
  return ready;
}

const isAlone = (kind: StepKind): boolean => ['create-group', 'delete-group', 'create-application', 'publish-application', 'delete-application'].includes(kind);
const isWrittenInOrder = (kind: StepKind): boolean => STAGES[kind] === 'access';

/** Keys of what need not be waited for: done before, or with nothing to do. */
export function doneKeys(steps: readonly { readonly plan: PlanStep; readonly status: string }[]): Set<string> {
  return new Set(steps.filter(({ plan, status }) => !acts(plan) || status === 'done' || status === 'skipped').map(({ plan }) => plan.key));
}
