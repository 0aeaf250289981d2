import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { RoleSettings } from './role-settings.ts';
import { ApplicationKind, Guid, Instant, PrincipalKind } from './words.ts';

/** Limits of Entra on a group (CONTRACT: displayName 256, mailNickname 64 without these characters). */
export const GROUP_NAME_MAX = 256;
export const MAIL_NICKNAME_MAX = 64;
const NICKNAME_FORBIDDEN = /[@()\\[\]";:.<>,\s]/;

export const GroupName = z.string().trim().min(1, 'Name the group').max(GROUP_NAME_MAX, `A group’s name has at most ${GROUP_NAME_MAX} characters`);
export const MailNickname = z.string().trim().min(1, 'A group needs a nickname').max(MAIL_NICKNAME_MAX, `A nickname has at most ${MAIL_NICKNAME_MAX} characters`)
  .refine((name) => !NICKNAME_FORBIDDEN.test(name), 'A nickname has no spaces and none of @ ( ) \\ [ ] " ; : . < > ,')
  .refine((name) => /^[\x21-\x7e]*$/.test(name), 'A nickname has only letters, digits and signs of ASCII');

/** A nickname made of a name: what Entra does not take is left out. */
export function proposeMailNickname(displayName: string): string {
  return displayName.normalize('NFKD').replace(/[^\x21-\x7e]/g, '').replace(/[@()\\[\]";:.<>,\s]/g, '').slice(0, MAIL_NICKNAME_MAX);
}

export const GroupWish = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('new'), displayName: GroupName, mailNickname: MailNickname, description: z.string().trim().max(1024, 'At most 1,024 characters').default('') }),
  z.strictObject({ kind: z.literal('existing'), groupId: Guid, displayName: z.string() }),
]);
export type GroupWish = z.infer<typeof GroupWish>;

export const EligibleWish = z.strictObject({
  principalId: Guid,
  kind: PrincipalKind,
  displayName: z.string(),
  /** `null`: permanent, where the role settings allow it. */
  days: z.int().min(1, 'At least one day').max(3650).nullable(),
});
export type EligibleWish = z.infer<typeof EligibleWish>;

/** Entra takes this many owners with a new group (CONTRACT §2: 20 relationships a create). */
export const OWNERS_MAX = 20;

export const OwnerWish = z.strictObject({ principalId: Guid, displayName: z.string() });
export type OwnerWish = z.infer<typeof OwnerWish>;

/** One destination of a new application. A host is a name, a `*.` name, an address or a CIDR range. */
export const SegmentWish = z.strictObject({
  host: z.string().trim().toLowerCase().min(1, 'Name a host').max(253)
    .refine((host) => isSegmentHost(host), 'A host is a full name such as fs.corp.example, *.corp.example, an address such as 10.1.2.3, or a range such as 10.1.2.0/24'),
  /** Such as `443` or `8000-8010`, separated by commas. */
  ports: z.string().trim().min(1, 'Name a port').refine((ports) => parsePorts(ports) !== undefined, 'Ports are numbers from 1 to 65535 or ranges such as 8000-8010, separated by commas'),
  protocol: z.enum(['tcp', 'udp', 'tcp,udp']),
});
export type SegmentWish = z.infer<typeof SegmentWish>;

/** `443, 8000-8010` → `['443-443', '8000-8010']`; `undefined` where it is not ports. */
export function parsePorts(text: string): string[] | undefined {
  const ranges: string[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5}))?\s*$/.exec(part);
    if (!match) return undefined;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (from < 1 || to > 65_535 || from > to) return undefined;
    ranges.push(`${from}-${to}`);
  }
  return ranges;
}

function isSegmentHost(host: string): boolean {
  const address = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(host);
  if (address) return address.slice(1, 5).every((part) => Number(part) <= 255) && Number(address[5] ?? 32) <= 32;
  // A whole top-level domain is taken, for one's own may be such as *.corp; the plan warns of it.
  return /^(\*\.|(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+)[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(host);
}

export const ApplicationWish = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('existing'), servicePrincipalId: Guid, displayName: z.string(), applicationKind: ApplicationKind }),
  z.strictObject({
    kind: z.literal('new'),
    displayName: z.string().trim().min(1, 'Name the application').max(120),
    connectorGroupId: Guid,
    connectorGroupName: z.string(),
    segments: z.array(SegmentWish).min(1, 'An application opens at least one destination').max(500),
  }),
]);
export type ApplicationWish = z.infer<typeof ApplicationWish>;

/** The desired state of one group: what the wizard fills in. */
export const SetupDefinition = z.strictObject({
  group: GroupWish,
  /** Who own the group; those who own it besides stay. None named: of a new group whoever applies the setup. */
  owners: z.array(OwnerWish).max(OWNERS_MAX, `Entra takes ${OWNERS_MAX} owners at the most`)
    .refine((list) => new Set(list.map((one) => one.principalId)).size === list.length, 'Somebody is named twice').default([]),
  roleSettings: RoleSettings,
  /** The settings of the role Owner; `null`: they stay as they are. */
  ownerRoleSettings: RoleSettings.nullable().default(null),
  eligible: z.array(EligibleWish).min(1, 'Choose at least one person or group').max(500)
    .refine((list) => new Set(list.map((one) => one.principalId)).size === list.length, 'Somebody is chosen twice'),
  applications: z.array(ApplicationWish).min(1, 'Choose at least one application').max(50)
    .refine((list) => new Set(list.map((one) => (one.kind === 'existing' ? one.servicePrincipalId : `new:${one.displayName.toLowerCase()}`))).size === list.length, 'An application is chosen twice'),
}).superRefine((setup, context) => {
  const longest = setup.roleSettings.eligibleMaxDays;
  if (longest === null) return;
  setup.eligible.forEach((one, index) => {
    if (one.days === null) context.addIssue({ code: 'custom', path: ['eligible', index, 'days'], message: 'The role settings do not allow permanent eligibility' });
    else if (one.days > longest) context.addIssue({ code: 'custom', path: ['eligible', index, 'days'], message: `The role settings allow ${longest} days at the most` });
  });
});
export type SetupDefinition = z.infer<typeof SetupDefinition>;

export const StepKind = z.enum([
  'create-group', 'add-owner', 'onboard', 'role-settings', 'owner-role-settings', 'create-application', 'publish-application', 'add-segment', 'require-assignment', 'assign-eligible', 'assign-application',
  // Of an undo: what takes back what such a step made.
  'unassign-application', 'remove-eligible', 'restore-eligible', 'unrequire-assignment', 'remove-segment', 'delete-application', 'restore-owner-role-settings', 'restore-role-settings', 'remove-owner', 'delete-group',
  // Of restoring a setup: what takes away what was added past it.
  'remove-member', 'remove-active', 'remove-owner-eligible', 'remove-assignee',
]);
export type StepKind = z.infer<typeof StepKind>;

/** One field that changes, in words. */
export const Change = z.object({ field: z.string(), from: z.string().nullable(), to: z.string() });
export type Change = z.infer<typeof Change>;

export const PlanStep = z.object({
  /** Stable within the setup, such as `assign-eligible:<principal id>`. */
  key: z.string(),
  kind: StepKind,
  verdict: z.enum(['create', 'change', 'delete', 'nothing', 'blocked']),
  /** A sentence such as "Create the group FinReport-…". */
  title: z.string(),
  /** Keys of the steps that come before it; those that need nothing of each other are done at once. */
  dependsOn: z.array(z.string()),
  changes: z.array(Change),
  /** Calls that it will make, such as `PATCH /groups(uniqueName='…')`. */
  calls: z.array(z.string()),
  irreversible: z.boolean(),
  /** Of `blocked`: why, and what to do. */
  blocked: z.object({ reason: z.string(), mend: z.string() }).nullable(),
});
export type PlanStep = z.infer<typeof PlanStep>;

/** Something worth knowing before applying. */
export const PlanWarning = z.object({ code: z.string(), message: z.string(), mend: z.string() });
export type PlanWarning = z.infer<typeof PlanWarning>;

export const Plan = z.object({
  /** Names setup and facts: a plan of other facts has another digest. */
  digest: z.string(),
  readAt: Instant,
  steps: z.array(PlanStep),
  warnings: z.array(PlanWarning),
  /** What was looked at and is in order, a sentence each. */
  checked: z.array(z.string()),
  /** Steps that will change something, and the calls they make. */
  changes: z.int(),
  calls: z.int(),
});
export type Plan = z.infer<typeof Plan>;

/** `stopped`: somebody asked it to rest; `interrupted`: the portal stopped. Both are continued like a failed one. */
export const RunStatus = z.enum(['running', 'succeeded', 'failed', 'interrupted', 'stopped']);
export type RunStatus = z.infer<typeof RunStatus>;
/** `skipped`: there was nothing to do; `interrupted`: how it ended is not known, continuing looks. */
export const StepStatus = z.enum(['pending', 'running', 'waiting', 'done', 'failed', 'skipped', 'interrupted']);
export type StepStatus = z.infer<typeof StepStatus>;

export const RunStep = z.object({
  ordinal: z.int(),
  plan: PlanStep,
  status: StepStatus,
  /** What it waits for, why it failed, or what was verified by reading back. */
  detail: z.string().nullable(),
  startedAt: Instant.nullable(),
  finishedAt: Instant.nullable(),
});
export type RunStep = z.infer<typeof RunStep>;

export const Run = z.object({
  id: z.string(),
  setupId: z.string(),
  setupName: z.string(),
  status: RunStatus,
  actorName: z.string(),
  createdAt: Instant,
  finishedAt: Instant.nullable(),
  /** Who asked it to rest after the steps in hand. */
  stopAskedBy: z.string().nullable(),
  /** The run that this one takes back. */
  undoes: z.string().nullable(),
  /** The run that took this one back, or is about to. */
  undoneBy: z.string().nullable(),
  /** Whether it puts back what was changed past the setup. */
  restores: z.boolean(),
  steps: z.array(RunStep),
});
export type Run = z.infer<typeof Run>;

export const SetupSummary = z.object({
  id: z.string(),
  name: z.string(),
  groupId: z.string().nullable(),
  applications: z.array(z.string()),
  eligibleCount: z.int(),
  createdBy: z.string(),
  updatedAt: Instant,
  /** When an undo took back all that the setup made; it can be applied again. */
  retiredAt: Instant.nullable(),
  /** What the last look at the tenant found; `null`: nobody looked yet. */
  drift: z.object({
    /** `null`: no look ended yet, and the first one failed. */
    lookedAt: Instant.nullable(),
    differences: z.int(),
    bypasses: z.int(),
    /** What a look of that kind does not see, a sentence each. */
    notSeen: z.array(z.string()),
    /** Why the look after it failed, or the first; `null`: it did not. */
    failure: z.string().nullable(),
  }).nullable(),
  lastRun: z.object({ id: z.string(), status: RunStatus, createdAt: Instant }).nullable(),
});
export type SetupSummary = z.infer<typeof SetupSummary>;

export const ListSetups = {
  method: 'GET', path: '/api/setups', permission: 'setup:manage',
  summary: 'Every setup, newest change first',
  response: z.object({ setups: z.array(SetupSummary) }),
} as const satisfies Endpoint;

export const GetSetup = {
  method: 'GET', path: '/api/setups/:setupId', permission: 'setup:manage',
  summary: 'One setup with its definition and runs',
  params: z.strictObject({ setupId: z.uuid() }),
  response: SetupSummary.extend({
    definition: SetupDefinition,
    runs: z.array(Run.omit({ steps: true })),
  }),
} as const satisfies Endpoint;

/** Every setup that stands, with the settings that can be compared side by side. */
export const GetSetupMatrix = {
  method: 'GET', path: '/api/setup-matrix', permission: 'setup:manage',
  summary: 'The role settings of every setup, side by side',
  response: z.object({
    setups: z.array(z.object({
      id: z.string(), name: z.string(), applications: z.array(z.string()),
      roleSettings: RoleSettings, ownerRoleSettings: RoleSettings.nullable(),
      /** Whether the last look at the tenant found role settings that differ; `null`: nobody looked yet. */
      differs: z.boolean().nullable(),
    })),
  }),
} as const satisfies Endpoint;

export const PlanSetup = {
  method: 'POST', path: '/api/setup-plans', permission: 'setup:manage',
  summary: 'The difference between a setup and the tenant, as ordered steps; changes nothing',
  body: z.strictObject({ definition: SetupDefinition }),
  response: Plan,
} as const satisfies Endpoint;

const Apply = z.strictObject({
  definition: SetupDefinition,
  /** Of the plan that was reviewed. */
  digest: z.string().max(128),
  /** The tick at what cannot be undone. */
  irreversibleUnderstood: z.boolean(),
});

export const CreateSetup = {
  method: 'POST', path: '/api/setups', permission: 'setup:manage', status: 202,
  summary: 'Keeps a setup and starts applying its reviewed plan',
  body: Apply,
  response: Run,
} as const satisfies Endpoint;

export const ApplySetup = {
  method: 'POST', path: '/api/setups/:setupId/runs', permission: 'setup:manage', status: 202,
  summary: 'Changes a setup and starts applying its reviewed plan',
  params: z.strictObject({ setupId: z.uuid() }),
  body: Apply.extend({
    /** The setup's `updatedAt` as it was when the change was begun from it: one that was changed since is refused, for the definition says nothing of that. */
    unchangedSince: Instant,
  }),
  response: Run,
} as const satisfies Endpoint;

/** What a setup weighs as a file; 500 people and 50 applications are far below. */
export const SETUP_FILE_MAX = 512 * 1024;

export const ExportSetup = {
  method: 'GET', path: '/api/setups/:setupId/file', permission: 'setup:manage', answers: 'text',
  summary: 'The setup as a file, to keep, to change and to bring in again',
  params: z.strictObject({ setupId: z.uuid() }),
  query: z.strictObject({ format: z.enum(['yaml', 'json']).default('yaml') }),
  response: z.string(),
} as const satisfies Endpoint;

export const ReadSetupFile = {
  method: 'POST', path: '/api/setup-files', permission: 'setup:manage',
  summary: 'Reads a setup from YAML or JSON and answers it; keeps nothing. What is wrong is said with its line',
  body: z.strictObject({ text: z.string().min(1, 'The file is empty').max(SETUP_FILE_MAX, 'A setup’s file has at most 512 KiB') }),
  response: z.object({ definition: SetupDefinition }),
} as const satisfies Endpoint;

export const GetSetupSchema = {
  method: 'GET', path: '/api/setup-schema.json', permission: 'public',
  summary: 'JSON Schema of a setup’s file, for editors',
  response: z.record(z.string(), z.unknown()),
} as const satisfies Endpoint;

export const GetRun = {
  method: 'GET', path: '/api/runs/:runId', permission: 'setup:manage',
  summary: 'One run with its steps',
  params: z.strictObject({ runId: z.uuid() }),
  response: Run,
} as const satisfies Endpoint;

export const ContinueRun = {
  method: 'POST', path: '/api/runs/:runId/continue', permission: 'setup:manage', status: 202,
  summary: 'Goes on with a run that failed, was stopped or was interrupted, on the caller’s own token',
  params: z.strictObject({ runId: z.uuid() }),
  body: z.strictObject({}),
  response: Run,
} as const satisfies Endpoint;

export const StopRun = {
  method: 'POST', path: '/api/runs/:runId/stop', permission: 'setup:manage', status: 202,
  summary: 'Lets a run rest after the steps in hand; it can be continued',
  params: z.strictObject({ runId: z.uuid() }),
  body: z.strictObject({}),
  response: Run,
} as const satisfies Endpoint;

export const PlanUndo = {
  method: 'POST', path: '/api/runs/:runId/undo-plans', permission: 'setup:manage',
  summary: 'What it takes to take back what a run made, as ordered steps; changes nothing',
  params: z.strictObject({ runId: z.uuid() }),
  body: z.strictObject({}),
  response: Plan,
} as const satisfies Endpoint;

export const UndoRun = {
  method: 'POST', path: '/api/runs/:runId/undo', permission: 'setup:manage', status: 202,
  summary: 'Starts taking back what a run made, by the reviewed plan; answers the run that does it',
  params: z.strictObject({ runId: z.uuid() }),
  body: z.strictObject({
    /** Of the plan that was reviewed. */
    digest: z.string().max(128),
    /** The tick at what cannot be undone in its turn. */
    irreversibleUnderstood: z.boolean(),
  }),
  response: Run,
} as const satisfies Endpoint;

export const WatchRun = {
  method: 'GET', path: '/api/runs/:runId/events', permission: 'setup:manage', answers: 'events',
  summary: 'The run, whole, each time something in it changes; ends when the run rests',
  params: z.strictObject({ runId: z.uuid() }),
  response: Run,
} as const satisfies Endpoint;
