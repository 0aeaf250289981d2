import type { Plan, PlanWarning, PortalActivity, Run, SetupDefinition } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';
import type { Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import type { Drift } from './drift.service.ts';
import { planRestore, restoredBy } from './restore.rules.ts';
import { changedPlan, digested, freshSteps, refuseBlocked, refuseUnticked, type Planned } from './reviewed-plan.service.ts';
import type { Gathered } from './setup-facts.service.ts';
import { insertRun, type NewRun, type NewStep } from './setup.store.ts';
import { weigh } from './steps.rules.ts';

export interface RestoringDeps {
  readonly clock: Clock;
  readonly drift: Pick<Drift, 'lookNow'>;
  readonly graphFor: (actor: Actor, scopes: 'setup') => Graph;
  /** Lets go of runs whose worker is gone, before anybody is told that one is under way. */
  readonly interruptOrphans: (tenantId: string) => Promise<void>;
  readonly refuseIfUnderWay: (actor: Actor, where: { readonly setupId: string }) => Promise<void>;
  /** The plan of the whole setup; `known` names applications by the service principals that they are. */
  readonly planWhole: (graph: Graph, definition: SetupDefinition, known: ReadonlyMap<string, string>) => Promise<Gathered & Planned>;
  readonly shown: (plan: Planned, about: { readonly warnings: readonly PlanWarning[]; readonly checked: readonly string[] }) => Plan;
  readonly newRun: (actor: Actor, setupId: string, of: { readonly definition: SetupDefinition; readonly digest: string; readonly restores: readonly string[] }) => NewRun;
  /** Claims the run, writes its rows with `write`, and starts it. */
  readonly begin: (actor: Actor, run: NewRun, steps: readonly NewStep[], plan: Gathered & Planned, write: (tx: Tx) => Promise<void>) => Promise<Run>;
  readonly event: (actor: Actor, run: NewRun, groupId: string | null, type: PortalActivity, data: Record<string, unknown>) => PortalEvent;
}

/** Putting right, in the points that somebody chose, what no longer is as a setup says. */
export function createRestoring({ clock, drift, graphFor, interruptOrphans, refuseIfUnderWay, planWhole, shown, newRun, begin, event }: RestoringDeps) {
  /** What it takes to put these differences right, as the tenant stands now. */
  async function toRestore(actor: Actor, graph: Graph, setupId: string, keys: readonly string[]) {
    const { setup, facts, baseline, differences } = await drift.lookNow(actor, setupId, graph);
    const wanted = differences.filter(({ key }) => keys.includes(key));
    const definition = restoredBy(setup.definition, wanted, facts, baseline);
    // An application of the setup is the one that was looked at, whatever it is called by now.
    const whole = await planWhole(graph, definition, new Map([...facts.applications].map(([key, { servicePrincipalId }]) => [key, servicePrincipalId])));
    const { steps, before, without } = planRestore(definition, wanted, facts, whole.steps, clock.now());
    const stays = without.map(({ title, mend }) => ({ code: 'not-restorable', message: `${title}: no plan puts that right.`, mend: mend ?? 'Open the setup with Change or check it: its plan says what is in the way.' }));
    return { ...whole, ...digested(definition, steps), before, definition, warnings: stays };
  }

  return {
    /** What it takes, as the tenant stands now; for a run that goes on. */
    planned: toRestore,

    /** What it takes to make the tenant what the setup says in these points. */
    async plan(actor: Actor, setupId: string, keys: readonly string[]): Promise<Plan> {
      await interruptOrphans(actor.tenantId);
      await refuseIfUnderWay(actor, { setupId });
      const plan = await toRestore(actor, graphFor(actor, 'setup'), setupId, keys);
      return shown(plan, { warnings: plan.warnings, checked: [] });
    },

    /** Begins to do so, by the reviewed plan. */
    async start(actor: Actor, setupId: string, { keys, digest, irreversibleUnderstood }: { readonly keys: readonly string[]; readonly digest: string; readonly irreversibleUnderstood: boolean }): Promise<Run> {
      await interruptOrphans(actor.tenantId);
      await refuseIfUnderWay(actor, { setupId });
      const plan = await toRestore(actor, graphFor(actor, 'setup'), setupId, keys);
      if (plan.digest !== digest) throw changedPlan(shown(plan, { warnings: plan.warnings, checked: [] }));
      refuseBlocked(plan.steps);
      refuseUnticked(plan.steps, irreversibleUnderstood);
      const run = newRun(actor, setupId, { definition: plan.definition, digest, restores: keys });
      const steps = freshSteps(plan.steps);
      return begin(actor, run, steps, plan, async (tx) => {
        await insertRun(tx, run, steps);
        await record(tx, event(actor, run, plan.group?.id ?? null, 'setup.restore-started', { restores: keys, ...weigh(plan.steps) }));
      });
    },
  };
}
