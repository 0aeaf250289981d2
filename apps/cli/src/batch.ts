import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { ApplyBatch, BATCH_FILE_MAX, CreateBatch, GetBatch, type Batch, type BatchFormat, type BatchRow } from '@gatehouse/contracts';
import type { Portal } from './portal.ts';
import { CommandError, counted, EXIT, plain, type Terminal } from './terminal.ts';

const FORMATS: Readonly<Record<string, BatchFormat>> = { '.csv': 'csv', '.yaml': 'yaml', '.yml': 'yaml', '.json': 'yaml' };
const POLL_MS = [500, 1_000, 2_000, 3_000];

export interface BatchWish {
  readonly file: string;
  readonly template: string | undefined;
}

/** Uploads the file and waits until each of its rows has its plan. Nothing in the tenant is changed. */
export async function planned(terminal: Terminal, portal: Portal, { file, template }: BatchWish): Promise<Batch> {
  const format = FORMATS[extname(file).toLowerCase()];
  if (format === undefined) throw new CommandError(`What ${plain(file)} is cannot be told from its name. Name it .csv, .yaml, .yml or .json.`);
  if (template !== undefined && format !== 'csv') throw new CommandError('A template is for the rows of a CSV file. Leave out --template.');
  const body = CreateBatch.body.safeParse({ fileName: basename(file).slice(-200), format, text: textOf(file), ...(template !== undefined && { template: textOf(template) }) });
  if (!body.success) throw new CommandError(`${plain(file)} cannot be sent: ${body.error.issues.map(({ message }) => message).join('; ')}.`);
  const begun = await portal.call(CreateBatch, { body: body.data });
  return settled(terminal, portal, begun, 'planning', (batch) => `${batch.rows.length - waiting(batch)} of ${batch.rows.length} planned`);
}

/** Applies a planned batch and follows it to where it rests. */
export async function applied(terminal: Terminal, portal: Portal, batch: Batch, irreversibleUnderstood: boolean): Promise<Batch> {
  const begun = await portal.call(ApplyBatch, { params: { batchId: batch.id }, body: { irreversibleUnderstood } });
  return settled(terminal, portal, begun, 'running', ({ rows }) => `${rows.filter(({ status }) => status === 'done' || status === 'failed').length} of ${rows.filter(({ status }) => APPLIED.has(status)).length} applied`);
}

const APPLIED: ReadonlySet<BatchRow['status']> = new Set(['planned', 'running', 'done', 'failed']);
const waiting = ({ rows }: Batch): number => rows.filter(({ status }) => status === 'waiting').length;

async function settled(terminal: Terminal, portal: Portal, begun: Batch, during: Batch['status'], news: (batch: Batch) => string): Promise<Batch> {
  let batch = begun;
  let told = '';
  try {
    for (let looks = 0; batch.status === during; looks += 1) {
      // Only where somebody watches; a log of it would be different each time.
      if (terminal.interactive && news(batch) !== told) terminal.err(told = news(batch));
      await terminal.sleep(POLL_MS[Math.min(looks, POLL_MS.length - 1)] ?? 3_000);
      batch = await portal.look(GetBatch, { params: { batchId: batch.id } });
    }
  } catch (error) {
    if (terminal.signal.aborted && during === 'running') terminal.err(`The portal goes on applying batch ${batch.id}. It can be stopped in the portal.`);
    throw error;
  }
  return batch;
}

function textOf(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CommandError(`${plain(path)} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}). Is the name right?`);
  }
  if (bytes.byteLength > BATCH_FILE_MAX * 4) throw new CommandError(`${plain(path)} is too large for a file of setups.`);
  try {
    // A spreadsheet's mark of the encoding is left out with it.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`${plain(path)} is not UTF-8 text. Save it as UTF-8.`);
  }
}

const of = (batch: Batch, ...statuses: BatchRow['status'][]): BatchRow[] => batch.rows.filter(({ status }) => statuses.includes(status));
const notApplicable = (batch: Batch): BatchRow[] => of(batch, 'refused', 'blocked');

function rowOf(row: BatchRow): string {
  const what = (): string => {
    if (row.status === 'refused' || row.status === 'blocked' || row.status === 'failed') return `${row.status}: ${plain(row.detail ?? 'no reason given')}`;
    if (row.status === 'waiting') return `no plan yet${row.detail === null ? '' : `: ${plain(row.detail)}`}`;
    const parts = [counted(row.changes, 'change'), counted(row.calls, 'call'), ...(row.irreversible ? ['cannot be undone'] : []), ...(row.warnings > 0 ? [counted(row.warnings, 'warning')] : [])];
    return `${row.status === 'planned' ? '' : `${row.status}: `}${parts.join(', ')}`;
  };
  return `line ${row.line}  ${plain(row.name)}  ${what()}`;
}

/** Rows where something is to be done or wrong, and how many there are of each. */
export function printPlan(terminal: Terminal, batch: Batch): void {
  for (const row of batch.rows) if (row.status !== 'nothing') terminal.out(rowOf(row));
  const [change, nothing, refused, blocked, without] = [of(batch, 'planned'), of(batch, 'nothing'), of(batch, 'refused'), of(batch, 'blocked'), of(batch, 'waiting')];
  terminal.out(`${counted(batch.rows.length, 'setup')}: ${change.length} to change, ${nothing.length} as they should be, ${refused.length} refused, ${blocked.length} blocked${without.length > 0 ? `, ${without.length} without a plan` : ''}.`);
}

/** Why the plan is not whole, and what to do: plans that are left are made in the portal, or with all others anew. */
export const notWhole = ({ status, detail }: Batch, again: string): string => `The batch is ${status}, and its plan is not whole.${detail === null ? '' : ` ${plain(detail)}`} Run ${again} again, or go on with the batch in the portal.`;

/** Whether each row has its plan; where none has anything to do, the batch is finished with that. */
export const isPlanned = ({ status }: Batch): boolean => status === 'planned' || status === 'finished';

export function exitOfPlan(batch: Batch): number {
  if (!isPlanned(batch) || notApplicable(batch).length > 0) return EXIT.error;
  return of(batch, 'planned').length > 0 ? EXIT.changes : EXIT.nothing;
}

/** Plans a file, and says what applying it would change. */
export async function plan(terminal: Terminal, portal: Portal, wish: BatchWish): Promise<{ exit: number; json: unknown }> {
  const batch = await planned(terminal, portal, wish);
  printPlan(terminal, batch);
  if (!isPlanned(batch)) terminal.err(notWhole(batch, 'plan'));
  return { exit: exitOfPlan(batch), json: { batch } };
}

/** Plans a file, asks, and applies it as it was planned. A file with a row that is wrong is not begun. */
export async function apply(terminal: Terminal, portal: Portal, { yes, ...wish }: BatchWish & { yes: boolean }): Promise<{ exit: number; json: unknown }> {
  const batch = await planned(terminal, portal, wish);
  const exit = exitOfPlan(batch);
  printPlan(terminal, batch);
  if (exit !== EXIT.changes) {
    if (exit === EXIT.error) terminal.err(isPlanned(batch) ? 'Nothing was changed. Mend the rows that are refused or blocked, or take them out, and apply again.' : `Nothing was changed. ${notWhole(batch, 'apply')}`);
    return { exit, json: { batch } };
  }
  const rows = of(batch, 'planned');
  const irreversible = rows.filter((row) => row.irreversible);
  if (!yes) await confirmed(terminal, rows, irreversible);

  const ended = await applied(terminal, portal, batch, irreversible.length > 0);
  const [done, failed, left] = [of(ended, 'done'), of(ended, 'failed'), of(ended, 'planned', 'running', 'waiting')];
  for (const row of [...failed, ...left]) terminal.out(row.status === 'failed' ? rowOf(row) : `line ${row.line}  ${plain(row.name)}  not applied`);
  terminal.out(`${counted(rows.length, 'setup')} to change: ${done.length} done, ${failed.length} failed, ${left.length} not applied.`);
  const whole = ended.status === 'finished' && failed.length === 0 && left.length === 0;
  if (!whole) terminal.err(ended.status === 'finished' ? 'What failed can be continued in the portal, or applied again from the same file.' : `The batch is ${ended.status}. ${plain(ended.detail ?? 'Continue it in the portal, or apply the same file again.')}`);
  return { exit: whole ? EXIT.changes : EXIT.error, json: { batch: ended } };
}

async function confirmed(terminal: Terminal, rows: readonly BatchRow[], irreversible: readonly BatchRow[]): Promise<void> {
  if (!terminal.interactive) throw new CommandError('Nothing was changed: nobody is here to confirm. Add --yes once you have read the plan.');
  const warning = irreversible.length === 0 ? '' : ` ${irreversible.length === 1 ? '1 of them has a step' : `${irreversible.length} of them have steps`} that cannot be undone (${irreversible.length === 1 ? 'line' : 'lines'} ${irreversible.map(({ line }) => line).join(', ')}).`;
  const answer = await terminal.ask(`Apply ${counted(rows.length, 'setup')} with ${counted(rows.reduce((sum, { changes }) => sum + changes, 0), 'change')}?${warning} Type yes to go on: `);
  if (answer.trim() !== 'yes') throw new CommandError('Nothing was changed.');
}
