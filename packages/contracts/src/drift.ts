import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Plan, Run } from './setup.ts';
import { Instant } from './words.ts';

/** Drift: where the tenant is not, or not any more, what a setup says, and who changed it when. */

export const DifferenceKind = z.enum([
  // Ways into the group past PIM.
  'member-added', 'nested-group', 'active-assigned', 'owner-added', 'owner-removed', 'owner-eligible',
  // The way in that PIM guards.
  'role-settings', 'owner-role-settings', 'eligible-added', 'eligible-removed', 'eligible-shortened', 'eligible-extended',
  // What the group opens.
  'assignment-not-required', 'application-unassigned', 'application-disabled', 'application-gone', 'assignee-added',
  'destination-added', 'destination-removed', 'connector-group-dead', 'connector-group-changed',
  // The group itself.
  'group-gone', 'group-unfit', 'not-onboarded', 'group-renamed',
]);
export type DifferenceKind = z.infer<typeof DifferenceKind>;

/**
 * What a difference means: `bypass`, somebody gets in without PIM; `weaker`, PIM asks for less than the setup does;
 * `broken`, somebody who should get in does not; `changed`, none of these.
 */
export const Severity = z.enum(['bypass', 'weaker', 'broken', 'changed']);
export type Severity = z.infer<typeof Severity>;

export const Difference = z.object({
  /** Stable for as long as the difference stands as it is, such as `member-added:<id>`. */
  key: z.string(),
  kind: DifferenceKind,
  severity: Severity,
  /** A sentence such as "Ben Novak is a member past PIM". */
  title: z.string(),
  /** What the setup says, and what the tenant says. */
  expected: z.string(),
  found: z.string(),
  /** Whether a plan can put it back, and whether the setup can take it as it is. */
  restorable: z.boolean(),
  acceptable: z.boolean(),
  /** What to do where no plan puts it back. */
  mend: z.string().nullable(),
  /** When a look found it first. */
  firstSeenAt: Instant,
  /** By Entra's audit log: who changed it, and when; `null` while no event tells. */
  by: z.object({ name: z.string(), at: Instant, eventId: z.string() }).nullable(),
});
export type Difference = z.infer<typeof Difference>;

export const SetupDrift = z.object({
  setupId: z.string(),
  name: z.string(),
  /** When the tenant was last compared with it; `null`: not yet. */
  lookedAt: Instant.nullable(),
  /** What a look of that kind does not see, a sentence each. */
  notSeen: z.array(z.string()),
  /** Why the look after it failed; `null`: it did not. */
  failure: z.string().nullable(),
  differences: z.array(Difference),
});
export type SetupDrift = z.infer<typeof SetupDrift>;

const OfSetup = z.strictObject({ setupId: z.uuid() });
/** Which of the differences; those that are gone by now are left out. */
const Keys = z.array(z.string().max(1000)).min(1, 'Choose at least one difference').max(500);

export const ListDrift = {
  method: 'GET', path: '/api/drift', permission: 'setup:manage',
  summary: 'Every setup with its differences, as the last look at each found them',
  response: z.object({ setups: z.array(SetupDrift) }),
} as const satisfies Endpoint;

export const GetSetupDrift = {
  method: 'GET', path: '/api/setups/:setupId/drift', permission: 'setup:manage',
  summary: 'The differences of one setup, as the last look found them',
  params: OfSetup,
  response: SetupDrift,
} as const satisfies Endpoint;

export const CheckSetup = {
  method: 'POST', path: '/api/setups/:setupId/drift', permission: 'setup:manage',
  summary: 'Compares the tenant with a setup now, on the caller’s own token',
  params: OfSetup,
  body: z.strictObject({}),
  response: SetupDrift,
} as const satisfies Endpoint;

export const CheckAllSetups = {
  method: 'POST', path: '/api/drift', permission: 'setup:manage', status: 202,
  summary: 'Has the background compare the tenant with every setup soon',
  body: z.strictObject({}),
  response: z.object({ setups: z.int() }),
} as const satisfies Endpoint;

export const PlanRestore = {
  method: 'POST', path: '/api/setups/:setupId/restore-plans', permission: 'setup:manage',
  summary: 'What it takes to make the tenant what the setup says in these points; changes nothing',
  params: OfSetup,
  body: z.strictObject({ keys: Keys }),
  response: Plan,
} as const satisfies Endpoint;

export const RestoreSetup = {
  method: 'POST', path: '/api/setups/:setupId/restore', permission: 'setup:manage', status: 202,
  summary: 'Starts making the tenant what the setup says in these points, by the reviewed plan',
  params: OfSetup,
  body: z.strictObject({
    keys: Keys,
    /** Of the plan that was reviewed. */
    digest: z.string().max(128),
    irreversibleUnderstood: z.boolean(),
  }),
  response: Run,
} as const satisfies Endpoint;

export const AcceptDrift = {
  method: 'POST', path: '/api/setups/:setupId/accept', permission: 'setup:manage',
  summary: 'Changes the setup to what the tenant says in these points; the tenant stays as it is',
  params: OfSetup,
  body: z.strictObject({ keys: Keys }),
  response: SetupDrift,
} as const satisfies Endpoint;
