import { BATCH_ROWS_MAX, type Answer, type Batch, type BatchSummary, type ChangeSetups, type CreateBatch, type GetBatchRow, type Input, type ListBatches, type PortalActivity, type Run, type SettingsOf, type SetupDefinition } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { GraphError } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { canonical, createRunLocks, type Mistake, type Setups, type SourceIssue } from '../setup/setup.ts';
import type { BatchText } from './batch-file.ts';
import type { BatchFiles } from './batch-files.ts';
import { changedSettings, changeName, concludedStatus, groupKey, KEPT_IN, plannedStatus } from './batches.rules.ts';
import { askToStop, batchLock, changeRows, countsOf, definitionsOf, fileOf, findBatch, insertBatch, interruptBatch, latestBatches, restBatch, reviewedOf, rowsOf, shownRows, summaryOf, takeUp, underWay, type BatchRecord, type Held, type NewBatch, type RowChange, type RowRecord } from './batches.store.ts';

/** Many setups from one file or one change, planned and applied in the background of this process, on the token of whoever began it. */

export interface BatchesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
  readonly setups: Setups;
  readonly files: BatchFiles;
}

export type Batches = ReturnType<typeof createBatches>;

/** Setups that are applied at the same time: each of them asks Entra for several things at once. */
const AT_ONCE = 4;
/** Setups whose plans are read together: forty reads, two round trips. */
const PLANNED_TOGETHER = 20;

const PORTAL_STOPPED = 'The portal stopped while the batch was under way. Continue it: what is done stays done.';

/** The batch is not this worker's any more, or the worker is to stop. */
class BatchStopped extends Error {}

/** Nothing more can be done for anybody on this token, or for now. */
class BatchHalted extends Error {}

export function createBatches({ db, clock, newId, log, setups, files }: BatchesDeps) {
  const worker = newId();
  const working = new Map<string, Promise<void>>();
  let stopping = false;
  const locks = createRunLocks(db, () => { log.error('the connection that holds the locks of batches is lost'); }, batchLock);

  const tell = (tx: Tx, actor: Pick<Actor, 'tenantId' | 'principalId' | 'name'>, batch: { readonly id: string; readonly name: string }, type: PortalActivity, result: 'success' | 'failure' | 'other', more: { readonly reason?: string | undefined; readonly data?: object } = {}): Promise<void> =>
    record(tx, { id: newId(), at: clock.now(), actor, type, kind: 'portal-setup', result, reason: more.reason, data: { batchId: batch.id, batchName: batch.name, ...more.data } });

  const heldOf = (actor: Actor, id: string): Held => ({ tenantId: actor.tenantId, id, worker });

  /** Claims the batch, writes its rows with `write`, and works on it in the background; a batch without rows is let go of. */
  async function begin(actor: Actor, batch: { readonly id: string; readonly name: string }, write: (tx: Tx) => Promise<void>, work: (held: Held) => Promise<void>): Promise<Batch> {
    if (stopping) throw new PortalError('not-ready', { detail: 'The portal is stopping. Try again in a moment.' });
    // Whoever saw the batch at rest need not hear that it is under way.
    await working.get(batch.id);
    if (!(await locks.hold(batch.id))) throw atIt();
    try {
      await db.prisma.$transaction(write);
    } catch (error) {
      await locks.release(batch.id);
      throw error;
    }
    const held = heldOf(actor, batch.id);
    const done = work(held)
      .catch(async (error: unknown) => {
        if (!(error instanceof BatchStopped || error instanceof BatchHalted)) log.error({ err: error, batchId: batch.id }, 'a batch ended in an error of ours');
        const detail = error instanceof BatchHalted ? error.message : error instanceof BatchStopped ? PORTAL_STOPPED : 'Something went wrong on our side. Continue the batch: it looks first.';
        await interrupted(actor, batch, (tx) => restBatch(tx, held, 'interrupted', { detail }), detail);
      })
      // Where even that fails the rows say running and the lock is free: whoever reads them next declares it interrupted.
      .catch((error: unknown) => { log.error({ err: error, batchId: batch.id }, 'a batch could not be put to rest'); })
      .then(() => locks.release(batch.id))
      .catch((error: unknown) => { log.error({ err: error, batchId: batch.id }, 'the lock of a batch could not be released'); })
      .finally(() => { working.delete(batch.id); });
    working.set(batch.id, done);
    return read(actor, batch.id);
  }

  async function interrupted(actor: Pick<Actor, 'tenantId' | 'principalId' | 'name'>, batch: { readonly id: string; readonly name: string }, rest: (tx: Tx) => Promise<boolean>, reason: string): Promise<void> {
    await db.prisma.$transaction(async (tx) => {
      if (await rest(tx)) await tell(tx, actor, batch, 'batch.interrupted', 'failure', { reason });
    });
  }

  /** Finds batches whose worker is gone, such as by kill -9, and says so in their rows. */
  async function interruptOrphans(tenantId: string): Promise<void> {
    for (const batch of await underWay(db, tenantId)) {
      if (working.has(batch.id)) continue;
      await interrupted({ tenantId, principalId: batch.actorId, name: batch.actorName }, batch, (tx) => interruptBatch(tx, batch, PORTAL_STOPPED), PORTAL_STOPPED);
    }
  }

  const keep = async (held: Held, changes: readonly (RowChange & { readonly ordinal: number })[]): Promise<void> => {
    if (!(await db.prisma.$transaction((tx) => changeRows(tx, held, changes), { timeout: 30_000 }))) throw new BatchStopped();
  };

  /** Whether to go on; a portal that stops says so by an error, for what is left is interrupted. */
  async function isStopAsked(held: Held): Promise<string | null> {
    if (stopping) throw new BatchStopped();
    return (await findBatch(db, held.tenantId, held.id))?.stopAskedBy ?? null;
  }

  async function rest(actor: Actor, batch: { readonly id: string; readonly name: string }, status: 'planned' | 'finished' | 'stopped', type: PortalActivity, reason?: string): Promise<void> {
    const counts = (await countsOf(db, actor.tenantId, [batch.id])).get(batch.id) ?? {};
    await db.prisma.$transaction(async (tx) => {
      if (!(await restBatch(tx, heldOf(actor, batch.id), status, status === 'finished' ? { finishedAt: clock.now() } : {}))) throw new BatchStopped();
      await tell(tx, actor, batch, type, type === 'batch.finished' && (counts.failed ?? 0) === 0 ? 'success' : 'other', { reason, data: { counts } });
    });
  }

  /** Plans the rows that wait for it. Names of all rows are looked up together, and what the plans have in common is read once. */
  async function plan(actor: Actor, batch: { readonly id: string; readonly name: string }, held: Held, file: OpenBatch): Promise<void> {
    const waiting = (await rowsOf(db, actor.tenantId, batch.id)).filter(({ status }) => status === 'waiting').flatMap((row) => {
      const read = file.rows[row.ordinal]?.read;
      return read && 'source' in read ? [{ row, source: read.source }] : [];
    });
    const resolved = await forAll(setups.resolve(actor, waiting.map(({ source }) => source)));
    /** The line of the first row of each group. */
    const seen = new Map((await definitionsOf(db, actor.tenantId, batch.id)).map(({ definition, line }) => [groupKey(definition), line] as const));
    const wrong: { readonly ordinal: number; readonly issues: readonly SourceIssue[] }[] = [];
    const refusals: (RowChange & { readonly ordinal: number })[] = [];
    const whole: { readonly row: RowRecord; readonly definition: SetupDefinition }[] = [];
    for (const [index, { row }] of waiting.entries()) {
      const result = resolved[index];
      if (!result) continue;
      if ('issues' in result) {
        wrong.push({ ordinal: row.ordinal, issues: result.issues });
        continue;
      }
      const key = groupKey(result.definition);
      const first = seen.get(key);
      if (first === undefined) whole.push({ row, definition: result.definition });
      else refusals.push({ ordinal: row.ordinal, status: 'refused', detail: `Line ${row.line}: this is the same group as in line ${first}. A group has one setup: put them together, or give the new one another nickname.` });
      seen.set(key, first ?? row.line);
    }
    const mistakes = wrong.length > 0 ? await files.mistakesIn(file.text, wrong) : [];
    await keep(held, [...refusals, ...wrong.map(({ ordinal }, index) => ({ ordinal, status: 'refused' as const, detail: inLines(mistakes[index] ?? []) }))]);

    const here = new Map((await setups.standing(actor)).flatMap((setup) => [[groupKey(setup.definition), setup] as const, ...(setup.groupId === null ? [] : [[`id:${setup.groupId}`, setup] as const])]));
    /** Why rows have no plan although nothing is wrong with them, each reason once. */
    const passing = new Set<string>();
    const planOf = setups.planner(actor, whole.map(({ definition }) => definition));
    for (let start = 0; start < whole.length; start += PLANNED_TOGETHER) {
      const stoppedBy = await isStopAsked(held);
      if (stoppedBy !== null) return rest(actor, batch, 'stopped', 'batch.stopped', `${stoppedBy} asked for it.`);
      const some = whole.slice(start, start + PLANNED_TOGETHER);
      const plans = await Promise.allSettled(some.map(({ definition }) => planOf(definition)));
      const changes = plans.map((planned, index): RowChange & { ordinal: number } => {
        const { row, definition } = some[index] as (typeof some)[number];
        if (planned.status === 'rejected') {
          const why = ofOneRow(planned.reason);
          if (isOfTheRow(planned.reason)) return { ordinal: row.ordinal, status: 'refused', detail: `Line ${row.line}: ${why}` };
          if (!(planned.reason instanceof GraphError)) log.error({ err: planned.reason as unknown, batchId: held.id, ordinal: row.ordinal }, 'a row of a batch was not planned by an error of ours');
          passing.add(why);
          return { ordinal: row.ordinal, status: 'waiting', detail: `Line ${row.line}: ${why}` };
        }
        const setup = here.get(groupKey(definition));
        return { ordinal: row.ordinal, definition, plan: planned.value, setupId: setup?.id ?? null, ...plannedStatus(planned.value, setup !== undefined && canonical(setup.definition) === canonical(definition)) };
      });
      await keep(held, changes);
    }
    const counts = (await countsOf(db, actor.tenantId, [batch.id])).get(batch.id) ?? {};
    if (passing.size > 0) throw new BatchHalted(`${counts.waiting === 1 ? '1 row has' : `${counts.waiting ?? 0} rows have`} no plan yet. ${[...passing].join(' ')} Nothing is wrong with the file: continue the batch to plan what is left.`);
    await rest(actor, batch, (counts.planned ?? 0) > 0 ? 'planned' : 'finished', 'batch.planned');
  }

  /** Applies the rows that are left, some at once; each by its own reviewed plan, and each fails by itself. */
  async function apply(actor: Actor, batch: Pick<BatchRecord, 'id' | 'name' | 'createdAt'>, held: Held): Promise<void> {
    // What was changed in a setup since it was planned is not taken back.
    const unchangedSince = batch.createdAt;
    const open = (await rowsOf(db, actor.tenantId, batch.id)).filter(({ status }) => ['planned', 'running', 'failed'].includes(status));
    let stoppedBy: string | null = null;
    const broken: unknown[] = [];
    const lane = async (): Promise<void> => {
      while (broken.length === 0) {
        stoppedBy ??= open.length > 0 ? await isStopAsked(held) : null;
        const row = stoppedBy === null ? open.shift() : undefined;
        if (!row) return;
        await applyRow(actor, held, row, unchangedSince);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, () => lane().catch((error: unknown) => { broken.push(error); })));
    if (broken.length > 0) throw broken[0];
    if (open.length > 0 && stoppedBy !== null) return rest(actor, batch, 'stopped', 'batch.stopped', `${stoppedBy as string} asked for it.`);
    await rest(actor, batch, 'finished', 'batch.finished');
  }

  async function applyRow(actor: Actor, held: Held, row: RowRecord, unchangedSince: Date): Promise<void> {
    const { ordinal } = row;
    await keep(held, [{ ordinal, status: 'running', detail: null }]);
    try {
      const begun = await beginRow(actor, held, row, unchangedSince);
      await setups.atRest(begun.id);
      const ended = concludedStatus(await setups.run(actor, begun.id));
      if (ended) return await keep(held, [{ ordinal, ...ended }]);
      if (stopping) throw new BatchStopped();
      await keep(held, [{ ordinal, status: 'failed', detail: 'Its run was interrupted. Continue it: it looks first.' }]);
    } catch (error) {
      if (error instanceof BatchStopped) throw error;
      if (error instanceof PortalError && error.code === 'not-ready') throw new BatchStopped();
      const ended = endOfToken(error);
      if (ended !== undefined) {
        await keep(held, [{ ordinal, status: row.status === 'running' ? 'planned' : row.status as 'planned' | 'failed', detail: row.detail }]);
        throw new BatchHalted(ended);
      }
      if (!(error instanceof PortalError || error instanceof GraphError)) log.error({ err: error, batchId: held.id, ordinal }, 'a row of a batch ended in an error of ours');
      await keep(held, [{ ordinal, status: 'failed', detail: ofOneRow(error) }]);
    }
  }

  /** The run of a row: the one that it has, continued, or a new one, which is written into the row as it is written itself. */
  async function beginRow(actor: Actor, held: Held, row: RowRecord, unchangedSince: Date): Promise<Run> {
    if (row.runId !== null) {
      const run = await setups.run(actor, row.runId);
      return run.status === 'succeeded' || run.status === 'running' ? run : setups.continueRun(actor, row.runId);
    }
    const reviewed = await reviewedOf(db, actor.tenantId, held.id, row.ordinal);
    if (reviewed === undefined || reviewed === 'unreadable') throw unreadable();
    const wish = { definition: reviewed.definition, digest: reviewed.plan.digest, irreversibleUnderstood: true };
    const alongside = async (tx: Tx, ids: { readonly runId: string; readonly setupId: string }): Promise<void> => {
      if (!(await changeRows(tx, held, [{ ordinal: row.ordinal, ...ids }]))) throw new BatchStopped();
    };
    return row.setupId === null ? setups.create(actor, wish, alongside) : setups.apply(actor, row.setupId, { ...wish, unchangedSince }, alongside);
  }

  async function read(actor: Actor, id: string): Promise<Batch> {
    const batch = await findBatch(db, actor.tenantId, id);
    if (!batch) throw new PortalError('not-found');
    const rows = await shownRows(db, actor.tenantId, id);
    const counts: Record<string, number> = {};
    for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
    return { ...summaryOf(batch, counts), rows };
  }

  async function find(actor: Actor, id: string): Promise<BatchRecord> {
    await interruptOrphans(actor.tenantId);
    const batch = await findBatch(db, actor.tenantId, id);
    if (!batch) throw new PortalError('not-found');
    return batch;
  }

  /** Keeps a batch with what is known of its rows, and begins to plan the others. */
  async function planNew(actor: Actor, wish: Pick<NewBatch, 'name' | 'format' | 'text' | 'template'>, file: OpenBatch): Promise<Batch> {
    const batch = { ...wish, tenantId: actor.tenantId, id: newId(), worker, actorId: actor.principalId, actorName: actor.name, createdAt: clock.now() };
    return begin(actor, batch, async (tx) => {
      await insertBatch(tx, batch, file.rows.map(({ line, name, read: found }, ordinal) => (
        'mistakes' in found ? { ordinal, line, name, status: 'refused' as const, detail: inLines(found.mistakes) } : { ordinal, line, name, status: 'waiting' as const, detail: null })));
      await tell(tx, actor, batch, 'batch.created', 'other', { data: { rows: file.rows.length } });
    }, (held) => plan(actor, batch, held, file));
  }

  return {
    async create(actor: Actor, { fileName, format, text, template }: Input<typeof CreateBatch>['body']): Promise<Batch> {
      if (format === 'yaml' && template !== undefined) throw fieldError('invalid-request', 'body.template', 'YAML brings its own template: write it as template: beside rows:');
      const file = await files.read({ format, text, template });
      if ('mistakes' in file) throw new PortalError('invalid-request', { detail: 'The file cannot be read as it stands. Mend it and bring it in again; nothing was taken from it.', issues: file.mistakes.map(({ line, message }) => ({ path: `line ${line}`, message: `Line ${line}: ${message}` })) });
      return planNew(actor, { name: fileName, format, text, template: template ?? null }, { ...file, text: { format, text, template } });
    },

    /** Makes a file of setups that are here, with other settings, and plans that. */
    async change(actor: Actor, { setupIds, of, change }: Input<typeof ChangeSetups>['body']): Promise<Batch> {
      const here = new Map((await setups.standing(actor)).map((one) => [one.id, one]));
      const issues = setupIds.flatMap((id, index) => {
        const message = whyNotChanged(here.get(id), of);
        return message === undefined ? [] : [{ path: `body.setupIds.${index}`, message }];
      });
      if (issues.length > 0) throw new PortalError('invalid-request', { issues });
      const chosen = [...new Set(setupIds)].flatMap((id) => here.get(id) ?? []);
      const text = await files.setups(chosen.map(({ definition }) => {
        const settings = definition[KEPT_IN[of]];
        return settings === null ? definition : { ...definition, [KEPT_IN[of]]: changedSettings(settings, change) };
      }));
      const file = await files.read({ format: 'yaml', text });
      if ('mistakes' in file) throw new Error(`setups of at most ${BATCH_ROWS_MAX} were not read as they were written: ${inLines(file.mistakes)}`);
      return planNew(actor, { name: changeName(change, of, chosen.length), format: null, text, template: null }, { ...file, text: { format: 'yaml', text } });
    },

    async list(actor: Actor): Promise<Answer<typeof ListBatches>> {
      await interruptOrphans(actor.tenantId);
      const batches = await latestBatches(db, actor.tenantId);
      const counts = await countsOf(db, actor.tenantId, batches.map(({ id }) => id));
      return { batches: batches.map((batch): BatchSummary => summaryOf(batch, counts.get(batch.id))) };
    },

    async get(actor: Actor, id: string): Promise<Batch> {
      await interruptOrphans(actor.tenantId);
      return read(actor, id);
    },

    async row(actor: Actor, id: string, ordinal: number): Promise<Answer<typeof GetBatchRow>> {
      const [reviewed, [shown]] = await Promise.all([reviewedOf(db, actor.tenantId, id, ordinal), shownRows(db, actor.tenantId, id, ordinal)]);
      if (!shown) throw new PortalError('not-found');
      if (reviewed === 'unreadable') throw unreadable();
      return { ...shown, plan: reviewed?.plan ?? null };
    },

    async apply(actor: Actor, id: string, irreversibleUnderstood: boolean): Promise<Batch> {
      const batch = await find(actor, id);
      if (batch.status !== 'planned') throw new PortalError('conflict', { detail: REFUSED_TO_APPLY[batch.status] ?? 'The batch is not to be applied.' });
      const rows = await shownRows(db, actor.tenantId, id);
      if (!irreversibleUnderstood && rows.some(({ status, irreversible }) => status === 'planned' && irreversible)) {
        throw fieldError('invalid-request', 'body.irreversibleUnderstood', 'Say that you understand that onboarding to PIM cannot be undone');
      }
      return begin(actor, batch, async (tx) => {
        if (!(await takeUp(tx, heldOf(actor, id), { actorId: actor.principalId, actorName: actor.name }, ['planned'], { status: 'running', startedAt: clock.now() }))) throw atIt();
        await tell(tx, actor, batch, 'batch.started', 'other', { data: { rows: rows.filter(({ status }) => status === 'planned').length } });
      }, (held) => apply(actor, batch, held));
    },

    /** Goes on where the batch rests: with its plans where nobody had them applied yet, else with the rows that are not done. */
    async continue(actor: Actor, id: string): Promise<Batch> {
      const batch = await find(actor, id);
      const failed = (await countsOf(db, actor.tenantId, [id])).get(id)?.failed ?? 0;
      if (!['stopped', 'interrupted'].includes(batch.status) && !(batch.status === 'finished' && failed > 0)) throw new PortalError('conflict', { detail: REFUSED_TO_CONTINUE[batch.status] ?? 'There is nothing to continue.' });
      const { startedAt } = batch;
      const begun = async (tx: Tx): Promise<void> => {
        const to = startedAt === null ? { status: 'planning' as const } : { status: 'running' as const, startedAt };
        if (!(await takeUp(tx, heldOf(actor, id), { actorId: actor.principalId, actorName: actor.name }, ['stopped', 'interrupted', 'finished'], to))) throw atIt();
        await tell(tx, actor, batch, 'batch.continued', 'other');
      };
      if (startedAt !== null) return begin(actor, batch, begun, (held) => apply(actor, batch, held));
      const file = await reopened(actor, id);
      return begin(actor, batch, begun, (held) => plan(actor, batch, held, file));
    },

    /** Lets a batch rest after the setups in hand, on whatever replica it is. Asking twice is asking once. */
    async stopBatch(actor: Actor, id: string): Promise<Batch> {
      const batch = await find(actor, id);
      const asked = await db.prisma.$transaction(async (tx) => {
        if (!(await askToStop(tx, actor.tenantId, id, actor.name))) return false;
        await tell(tx, actor, batch, 'batch.stop-asked', 'other');
        return true;
      });
      const now = await read(actor, id);
      if (!asked && now.status !== 'planning' && now.status !== 'running') throw new PortalError('conflict', { detail: 'The batch rests already: there is nothing to stop.' });
      return now;
    },

    /** The file again, with what became of each row. */
    async file(actor: Actor, id: string, which: 'all' | 'failed'): Promise<{ readonly fileName: string; readonly text: string; readonly format: 'csv' | 'yaml' }> {
      const batch = await find(actor, id);
      const [text, rows] = await Promise.all([textOf(actor, id), rowsOf(db, actor.tenantId, id)]);
      const told = rows.filter(({ status }) => which === 'all' || ['failed', 'refused', 'blocked', 'waiting'].includes(status)).map(({ ordinal, status, detail }) => ({ ordinal, result: status, reason: detail ?? '' }));
      return { fileName: `${batch.name.replace(/\.\w{1,5}$/, '').replaceAll(/[^\w.-]+/g, '-').slice(0, 100)}-${which === 'all' ? 'result' : 'failed'}.${text.format}`, text: await files.result(text, told), format: text.format };
    },

    async export(actor: Actor): Promise<string> {
      return files.setups(await setups.named(actor));
    },

    interruptOrphans,

    async idle(): Promise<void> {
      while (working.size > 0) await Promise.all(working.values());
    },

    /** Begins nothing more; resolves when the runs in hand rest, which is for the setups to see to. */
    async stop(): Promise<void> {
      stopping = true;
      await Promise.all(working.values());
      await Promise.all([locks.close(), files.stop()]);
    },
  };

  async function textOf(actor: Actor, id: string): Promise<BatchText> {
    const { text, template, format } = await fileOf(db, actor.tenantId, id);
    return { format: format === 'csv' ? 'csv' : 'yaml', text, template: template ?? undefined };
  }

  async function reopened(actor: Actor, id: string): Promise<OpenBatch> {
    const text = await textOf(actor, id);
    const file = await files.read(text);
    if ('mistakes' in file) throw new Error(`the file of batch ${id} was read once and is not any more: ${inLines(file.mistakes)}`);
    return { ...file, text };
  }
}

/** The rows of a file, and the file for what is found wrong with them later. */
type OpenBatch = Exclude<Awaited<ReturnType<BatchFiles['read']>>, { readonly mistakes: unknown }> & { readonly text: BatchText };

function whyNotChanged(setup: { readonly definition: SetupDefinition } | undefined, of: SettingsOf): string | undefined {
  if (!setup) return 'There is no such setup, or not any more';
  return setup.definition[KEPT_IN[of]] === null ? 'This setup leaves the role settings of Owner as they are in Entra. Set them in the setup first' : undefined;
}

const unreadable = (): PortalError => new PortalError('conflict', { detail: 'Another version of the portal planned this row, and this one cannot read its plan. Nothing of it was done. Bring the file in again, and look at the new plan.' });

/** Whether what the row says is the reason: then asking again would be answered the same. */
const isOfTheRow = (error: unknown): boolean => error instanceof PortalError || (error instanceof GraphError && ['not-found', 'policy', 'conflict'].includes(error.failure));

const inLines = (mistakes: readonly Mistake[]): string => mistakes.map(({ line, message }) => `Line ${line}: ${message}`).join(' ');

const atIt = (): PortalError => new PortalError('conflict', { detail: 'Somebody is at this batch already. Nothing of yours was begun. Follow it, and look again when it rests.' });

const REFUSED_TO_APPLY: Readonly<Record<string, string>> = {
  planning: 'The batch is still being planned. Wait for its plans and look at them.', running: 'The batch is being applied already.', finished: 'The batch is finished: there is nothing to apply.',
  stopped: 'The batch was stopped. Continue it.', interrupted: 'The batch was interrupted. Continue it.',
};
const REFUSED_TO_CONTINUE: Readonly<Record<string, string>> = {
  planning: 'The batch is being planned: there is nothing to continue.', planned: 'The batch waits to be applied. Look at its plans and apply them.', running: 'The batch is being applied already.', finished: 'The batch is finished and no row of it failed: there is nothing to continue.',
};

/** Of a read for all rows: where it fails, none can be planned. */
async function forAll<T>(reading: Promise<T>): Promise<T> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError) throw new BatchHalted(endOfToken(error) ?? `What the file names could not be looked up. ${ofGraph(error)}`);
    throw error;
  });
}

/** Why nothing more can be done, whatever the row. */
function endOfToken(error: unknown): string | undefined {
  if (!(error instanceof GraphError)) return undefined;
  if (error.failure === 'not-signed-in') return 'The sign-in of whoever began it has ended. Whoever continues the batch goes on with a sign-in of their own.';
  if (error.failure === 'step-up-needed') return 'Microsoft Entra asks whoever began it to verify that it is them. Sign in again and continue the batch.';
  return undefined;
}

/** Why this row is not done; where that is so for all of them, the batch rests. */
function ofOneRow(error: unknown): string {
  const ended = endOfToken(error);
  if (ended !== undefined) throw new BatchHalted(ended);
  if (error instanceof PortalError) return error.details.detail ?? error.details.issues?.map(({ message }) => message).join(' ') ?? error.code;
  if (error instanceof GraphError) return ofGraph(error);
  return 'Something went wrong on our side, so this is not shown as done. Continue the batch: it looks first.';
}

function ofGraph(error: GraphError): string {
  switch (error.failure) {
    case 'throttled': return 'Microsoft Entra asked us to slow down for longer than we wait. Try again later.';
    case 'unavailable': return 'Microsoft Entra did not answer. Try again in a moment.';
    case 'forbidden': return 'Microsoft Entra says that a permission or a role is missing to read what this touches. Sign in as somebody who has it.';
    default: return 'Microsoft Entra refused to show what this touches. Look at it in the Entra admin center.';
  }
}
