import type { PlanStep } from '@gatehouse/contracts';
import { GraphError } from '@gatehouse/graph';
import { stageFor, StepRefused, type NotYet, type RunContext } from './run-stages.service.ts';
import type { Before } from './undo.rules.ts';

/** How steps are done: look, write what is not so, read back until it is. */

/** Whoever keeps the record of the run. Each may reject when the run is to stop. */
export interface StepRecord {
  done(step: PlanStep, proof: string): Promise<void>;
  /** How the tenant stood before the steps, kept before anything is written. */
  remember(before: ReadonlyMap<PlanStep, Before>): Promise<void>;
  waiting(step: PlanStep, detail: string): Promise<void>;
  /** Whether somebody asked the run to rest: then nothing more is written, and what was written is read back. */
  stopAsked(): Promise<boolean>;
  /** These were begun and not written. */
  givenBack(steps: readonly PlanStep[]): Promise<void>;
  /** Lets time pass for Entra. */
  wait(ms: number): Promise<void>;
}

/** A step failed. What was sent with it and is not proved may be done or not; what was not sent was not begun. */
export class StepFailed extends Error {
  readonly step: PlanStep;
  readonly unsent: readonly PlanStep[];

  constructor(step: PlanStep, cause: unknown, unsent: readonly PlanStep[]) {
    super(`${step.key} failed`, { cause });
    this.name = 'StepFailed';
    this.step = step;
    this.unsent = unsent;
  }
}

/** What was read back just now need not be looked at again before the next steps of the stage. */
const FRESH_MS = 30_000;

/** Two minutes and more: so long the directory may take to tell PIM about a new group. */
const LOOK_AGAIN_MS = [1_000, 2_000, 3_000, 5_000, 8_000, 13_000, 20_000, 30_000, 30_000, 30_000];

/** Does the steps of one stage together. Ends when each is proved by reading back, or given back; throws `StepFailed`, or what the record throws. */
export async function performSteps(steps: readonly PlanStep[], context: RunContext, record: StepRecord): Promise<void> {
  const stage = stageFor(steps, context);
  const open = new Set(steps);
  const sent = new Set<string>();
  const unsent = (): readonly PlanStep[] => [...open].filter((step) => !sent.has(step.key));
  const failed = (step: PlanStep | undefined, error: unknown): StepFailed => new StepFailed(step ?? steps[0] as PlanStep, error, unsent().filter((one) => one !== step));
  /** A failure of the look is nobody's in particular: it is told at the first step that is open. */
  const look = async (): Promise<unknown> => {
    const answer = await stage.look(sent).catch((error: unknown) => {
      if (error instanceof GraphError && error.failure === 'not-found') return undefined;
      throw failed([...open][0], error);
    });
    if (answer !== undefined) stage.last = { seen: answer, at: context.clock.now() };
    return answer;
  };
  const prove = async (seen: unknown): Promise<void> => {
    for (const step of [...open]) {
      let proof: string | undefined;
      try {
        proof = stage.proof(step, seen);
      } catch (error) {
        throw failed(step, error);
      }
      if (proof === undefined) continue;
      await record.done(step, proof);
      open.delete(step);
    }
  };

  const known = stage.last && context.clock.now().getTime() - stage.last.at.getTime() < FRESH_MS ? stage.last.seen : undefined;
  let seen = known ?? (stage.startsBlind === true ? undefined : await look());
  await prove(seen);
  const wait = async (step: PlanStep, ms: number, why: string): Promise<void> => {
    await record.waiting(step, why);
    await record.wait(ms);
    seen = await look();
    await prove(seen);
  };

  let waited = 0;
  let looks = 0;
  while (open.size > 0) {
    if (unsent().length > 0 && await record.stopAsked()) {
      await record.givenBack(unsent());
      for (const step of unsent()) open.delete(step);
      if (open.size === 0) return;
    }
    const before = new Map(unsent().flatMap((step) => {
      const stood = stage.before?.(step, seen);
      return stood ? [[step, stood] as const] : [];
    }));
    if (before.size > 0) await record.remember(before);

    const count = sent.size;
    const turn = unsent();
    const { at, error, early, goOn } = await send(turn, (step) => stage.write(step, seen, context.graph.inOrder, { steps: turn }), sent, stage.conflictIsDone);
    if (sent.size > count) {
      // What came before a failure may be done: that is told before the failure is.
      seen = await look();
      await prove(seen);
    }
    if (error !== undefined) throw failed(at, error);
    if (open.size === 0) return;
    if (goOn === true) continue;

    const step = at && open.has(at) ? at : [...open][0] as PlanStep;
    if (early) {
      const ms = Math.max(1_000, early.until.getTime() - context.clock.now().getTime());
      await wait(step, ms, `${early.why}: it goes on in ${ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`}.`);
      continue;
    }
    const ms = LOOK_AGAIN_MS[looks];
    const forWhat = stage.waitsFor(step, sent.has(step.key));
    if (ms === undefined) throw failed(step, new StepRefused(`Waited ${Math.round(waited / 1000)} s for ${forWhat}, in vain. Continue the run in some minutes: it looks first.`));
    await wait(step, ms, `Waiting for ${forWhat}${waited === 0 ? '' : `, for ${Math.round(waited / 1000)} s so far`}. Entra usually takes some seconds, at times two minutes.`);
    looks += 1;
    waited += ms;
  }
}

interface Ended {
  /** The step at which it ended, if not at the last. */
  readonly at?: PlanStep;
  /** Why, where that is for good. */
  readonly error?: unknown;
  readonly early?: { readonly until: Date; readonly why: string };
  /** Those behind it may go at once. */
  readonly goOn?: boolean;
}

/**
 * Writes the steps in order, in one turn, as far as they can be written. Of what was written, is there already, or may have
 * been written without an answer, the keys are in `sent` then.
 */
async function send(steps: readonly PlanStep[], write: (step: PlanStep) => Promise<unknown> | NotYet | undefined, sent: Set<string>, conflictIsDone: boolean): Promise<Ended> {
  const begun: { readonly step: PlanStep; readonly writing: Promise<unknown> | undefined }[] = [];
  let halt: Ended | undefined;
  for (const step of steps) {
    let writing: ReturnType<typeof write>;
    try {
      writing = write(step);
    } catch (error) {
      writing = Promise.reject(error);
    }
    if (writing !== undefined && 'notYet' in writing) {
      halt = { at: step, ...(writing.notYet === 'too early' && { early: writing }), ...(writing.notYet === 'before reading back' && begun.length > 0 && { goOn: true }) };
      break;
    }
    begun.push({ step, writing });
  }

  const results = await Promise.allSettled(begun.map(({ writing }) => writing));
  let ended: Ended | undefined;
  for (const [index, { step, writing }] of begun.entries()) {
    const result = results[index];
    if (result?.status !== 'rejected') {
      // What another write was to do along with its own is as far as that one is.
      if (writing !== undefined || !ended) sent.add(step.key);
      continue;
    }
    const error: unknown = result.reason;
    // Behind one that was refused nothing was tried.
    if (error instanceof GraphError && error.details.sent === false && ended) continue;
    const there = conflictIsDone && error instanceof GraphError && error.failure === 'conflict';
    const unknown = error instanceof GraphError && error.failure === 'not-found';
    // There or on its way, or its answer was lost: reading back decides.
    if (there || !(unknown || (error instanceof GraphError && error.details.sent === false))) sent.add(step.key);
    ended ??= there ? { at: step, ...(index < begun.length - 1 && { goOn: true }) } : unknown ? { at: step } : { at: step, error };
  }
  return ended ?? halt ?? {};
}
