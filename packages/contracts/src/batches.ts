import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { PresetName, RoleSettings } from './role-settings.ts';
import { Plan } from './setup.ts';
import { Instant } from './words.ts';

/** A batch: many setups from one file or one change, planned together, reviewed once, applied in one go. */

export const BATCH_ROWS_MAX = 1_000;
/** Far more than a template has use for. */
export const BATCH_COLUMNS_MAX = 200;
/** Below what a request may weigh. */
export const BATCH_FILE_MAX = 900 * 1024;

/**
 * The setup that each row of a CSV file becomes, unless another template is given. `${name}` is the row's cell of that
 * column, `${days:-90}` has a default for an empty one. A cell of several values, separated by `;`, repeats the item of
 * the list that it stands in; an item with an empty cell is left out. Several cells of one item go side by side.
 */
export const DEFAULT_TEMPLATE = `group:
  kind: new
  displayName: \${name}
roleSettings: \${preset:-standard}
owners:
  - user: \${owners}
eligible:
  - user: \${people}
    days: \${days:-90}
  - group: \${groups}
    days: \${days:-90}
applications:
  - application: \${applications}
`;

export const BatchFormat = z.enum(['csv', 'yaml']);
export type BatchFormat = z.infer<typeof BatchFormat>;

/**
 * `planning` until every row has its plan; `planned`: waits for somebody to apply it; `running`; `finished`: no row is left
 * to apply. `stopped` and `interrupted` are continued, and so is a `finished` one with rows that failed.
 */
export const BatchStatus = z.enum(['planning', 'planned', 'running', 'finished', 'stopped', 'interrupted']);
export type BatchStatus = z.infer<typeof BatchStatus>;

/**
 * `waiting` for its plan, also where Entra could not be asked: continuing plans it; `refused`: the row is wrong, `blocked`:
 * its plan is, and neither is applied; `nothing`: it is so
 * already; `planned`; `running`; `done`; `failed`: with what was not done, and its run can be continued.
 */
export const BatchRowStatus = z.enum(['waiting', 'refused', 'blocked', 'nothing', 'planned', 'running', 'done', 'failed']);
export type BatchRowStatus = z.infer<typeof BatchRowStatus>;

export const BatchRow = z.object({
  ordinal: z.int(),
  /** In the file, from 1; of a change in bulk the place in the list. */
  line: z.int(),
  /** Of the group; what the row says of it where it is refused. */
  name: z.string(),
  status: BatchRowStatus,
  /** Why it was refused, is blocked or failed, or could not be planned yet: sentences, with the mend. */
  detail: z.string().nullable(),
  /** The setup that is there already, or that was made. */
  setupId: z.string().nullable(),
  runId: z.string().nullable(),
  /** Steps that will change something, and the calls they make. */
  changes: z.int(),
  calls: z.int(),
  /** Whether something in it cannot be undone. */
  irreversible: z.boolean(),
  warnings: z.int(),
});
export type BatchRow = z.infer<typeof BatchRow>;

export const BatchSummary = z.object({
  id: z.string(),
  /** The file's name, or what was changed in bulk. */
  name: z.string(),
  /** `null`: a change in bulk. */
  format: BatchFormat.nullable(),
  status: BatchStatus,
  actorName: z.string(),
  createdAt: Instant,
  /** When somebody had it applied; `null`: nobody did yet, so that what was stopped or interrupted is the planning. */
  startedAt: Instant.nullable(),
  finishedAt: Instant.nullable(),
  stopAskedBy: z.string().nullable(),
  /** Why it was interrupted, and what to do. */
  detail: z.string().nullable(),
  rows: z.int(),
  /** How many rows stand how. */
  counts: z.partialRecord(BatchRowStatus, z.int()),
});
export type BatchSummary = z.infer<typeof BatchSummary>;

export const Batch = BatchSummary.extend({ rows: z.array(BatchRow) });
export type Batch = z.infer<typeof Batch>;

const OfBatch = z.strictObject({ batchId: z.uuid() });

export const CreateBatch = {
  method: 'POST', path: '/api/setup-batches', permission: 'setup:manage', status: 202,
  summary: 'Reads setups from a CSV or YAML file and begins to plan them; changes nothing in the tenant. A file that is none is refused with its lines',
  body: z.strictObject({
    fileName: z.string().trim().min(1, 'Name the file').max(200).regex(/^[^\p{Cc}]*$/u, 'A file’s name has no control characters'),
    format: BatchFormat,
    text: z.string().min(1, 'The file is empty').max(BATCH_FILE_MAX, 'A file has at most 900 KiB'),
    /** YAML of one setup with a `${variable}` for each column; unless given, `DEFAULT_TEMPLATE`. For CSV alone. */
    template: z.string().max(64 * 1024).optional(),
  }),
  response: Batch,
} as const satisfies Endpoint;

/** What a change in bulk sets; what is left out stays as it is in each setup. */
export const RoleSettingsChange = z.strictObject({
  /** All of them, in place of any other. */
  preset: PresetName.optional(),
  activationMaxMinutes: RoleSettings.shape.activationMaxMinutes.optional(),
  activationSignIn: RoleSettings.shape.activationSignIn.optional(),
  requireJustification: z.boolean().optional(),
  requireTicket: z.boolean().optional(),
  approval: RoleSettings.shape.approval.optional(),
  eligibleMaxDays: RoleSettings.shape.eligibleMaxDays.optional(),
  activeMaxDays: RoleSettings.shape.activeMaxDays.optional(),
  activeRequiresMfa: z.boolean().optional(),
  activeRequiresJustification: z.boolean().optional(),
}).superRefine(({ preset, ...settings }, context) => {
  const some = Object.values(settings).some((value) => value !== undefined);
  if (preset === undefined && !some) context.addIssue({ code: 'custom', path: [], message: 'Name at least one setting' });
  if (preset !== undefined && some) context.addIssue({ code: 'custom', path: ['preset'], message: 'A preset is all settings: name it alone, or the settings without it' });
});
export type RoleSettingsChange = z.infer<typeof RoleSettingsChange>;

/** Whose settings of a group are meant: PIM keeps those of its members and of its owners apart. */
export const SettingsOf = z.enum(['member', 'owner']);
export type SettingsOf = z.infer<typeof SettingsOf>;

export const ChangeSetups = {
  method: 'POST', path: '/api/setup-changes', permission: 'setup:manage', status: 202,
  summary: 'Begins to plan one change of role settings for many setups, as a batch; changes nothing yet. A setup that leaves those of Owner as they are is refused for them',
  body: z.strictObject({ setupIds: z.array(z.uuid()).min(1, 'Choose at least one setup').max(BATCH_ROWS_MAX), of: SettingsOf.default('member'), change: RoleSettingsChange }),
  response: Batch,
} as const satisfies Endpoint;

export const ListBatches = {
  method: 'GET', path: '/api/setup-batches', permission: 'setup:manage',
  summary: 'The latest batches, newest first',
  response: z.object({ batches: z.array(BatchSummary) }),
} as const satisfies Endpoint;

export const GetBatch = {
  method: 'GET', path: '/api/setup-batches/:batchId', permission: 'setup:manage',
  summary: 'One batch with its rows',
  params: OfBatch,
  response: Batch,
} as const satisfies Endpoint;

export const GetBatchRow = {
  method: 'GET', path: '/api/setup-batches/:batchId/rows/:ordinal', permission: 'setup:manage',
  summary: 'One row with its plan',
  params: OfBatch.extend({ ordinal: z.coerce.number().int().min(0) }),
  response: BatchRow.extend({ plan: Plan.nullable() }),
} as const satisfies Endpoint;

export const ApplyBatch = {
  method: 'POST', path: '/api/setup-batches/:batchId/apply', permission: 'setup:manage', status: 202,
  summary: 'Starts applying the planned rows, each by the plan that was reviewed; a row whose tenant changed since fails and says so',
  params: OfBatch,
  body: z.strictObject({ irreversibleUnderstood: z.boolean() }),
  response: Batch,
} as const satisfies Endpoint;

export const ContinueBatch = {
  method: 'POST', path: '/api/setup-batches/:batchId/continue', permission: 'setup:manage', status: 202,
  summary: 'Goes on with a batch that was stopped, interrupted or has failed rows, on the caller’s own token: finished rows stay, failed ones are tried again',
  params: OfBatch,
  body: z.strictObject({}),
  response: Batch,
} as const satisfies Endpoint;

export const StopBatch = {
  method: 'POST', path: '/api/setup-batches/:batchId/stop', permission: 'setup:manage', status: 202,
  summary: 'Lets a batch rest after the setups in hand',
  params: OfBatch,
  body: z.strictObject({}),
  response: Batch,
} as const satisfies Endpoint;

export const GetBatchFile = {
  method: 'GET', path: '/api/setup-batches/:batchId/file', permission: 'setup:manage', answers: 'text',
  summary: 'The result as a file of the same form, with what became of each row; `failed` alone are the input of the next batch',
  params: OfBatch,
  query: z.strictObject({ rows: z.enum(['all', 'failed']).default('all') }),
  response: z.string(),
} as const satisfies Endpoint;

export const ExportSetups = {
  method: 'GET', path: '/api/setups-file', permission: 'setup:manage', answers: 'text',
  summary: 'All setups in one YAML file, which a batch reads again',
  response: z.string(),
} as const satisfies Endpoint;
