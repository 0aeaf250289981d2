import type { Difference, DifferenceKind, SetupDrift } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import { PORTAL, type Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { gatherDriftFacts, shareReads, type SharedReads } from './drift-facts.service.ts';
import { acceptDifferences, baselineOf, causeOf, CHANGING_KINDS, compareSetup, type Baseline, type DriftFacts, type Found, type OtherGroups } from './drift.rules.ts';
import { askForLooks, eventsAbout, keepFailure, keepLook, touchedSince, watchedSetups, type WatchedSetup } from './drift.store.ts';
import { changeSetup } from './setup.store.ts';
import { applicationKey } from './steps.rules.ts';

/** Compares the tenant with setups: in the background as the portal's own identity, and on demand as the person who asks. */

export interface DriftDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Pick<Logger, 'warn'>;
  readonly tenantId: string;
  /** The portal's own, read-only; its calls go behind those of people. */
  readonly appGraph: Graph;
  readonly graphFor: (actor: Actor, scopes: 'setup') => Graph;
  /** Brings the next pass forward to now. */
  readonly wakeWatch: () => Promise<void>;
}

/** A look at the tenant, as the one that reads it needs to go on from. */
export interface Look {
  readonly setup: WatchedSetup;
  readonly facts: DriftFacts;
  readonly baseline: Baseline;
  readonly differences: readonly Difference[];
  readonly suspects: readonly string[];
}

/** However quiet the log is, each setup is looked at so often: not every change is in it. */
const FULL_LOOK_MS = 24 * 60 * 60_000;
/** Who is on the way out after an activation is gone by then (CONTRACT.md §13: within seconds). */
const ON_THE_WAY_OUT_MS = 60_000;
/** Setups that are looked at side by side. */
const AT_ONCE = 4;
/** What no look of the background sees. */
const OF_CONNECTORS: readonly DifferenceKind[] = ['connector-group-dead', 'connector-group-changed'];
const CONNECTORS = 'Connectors: Microsoft Graph shows them to people alone. Check the setup now to see them.';

export type Drift = ReturnType<typeof createDrift>;

export function createDrift({ db, clock, newId, log, tenantId, appGraph, graphFor, wakeWatch }: DriftDeps) {
  /** By application, the groups of other setups that open it. */
  const groupsBesides = (setups: readonly WatchedSetup[], id: string): OtherGroups => {
    const groups = new Map<string, Set<string>>();
    for (const { groupId, definition, seen } of setups.filter((one) => one.id !== id)) {
      for (const wish of definition.applications) {
        const servicePrincipalId = wish.kind === 'existing' ? wish.servicePrincipalId : seen?.baseline.applications[applicationKey(wish)]?.servicePrincipalId;
        if (servicePrincipalId !== undefined) groups.set(servicePrincipalId, (groups.get(servicePrincipalId) ?? new Set()).add(groupId));
      }
    }
    return groups;
  };

  /** Looks, and keeps what was found. `undefined`: the setup was changed meanwhile, and whoever did looks by themselves. */
  async function look(setup: WatchedSetup, by: { readonly graph: Graph; readonly shared: SharedReads; readonly otherGroups: OtherGroups; readonly person?: Actor }): Promise<Look | undefined> {
    const { definition, groupId, seen } = setup;
    const lookedAt = clock.now();
    const isPerson = by.person !== undefined;
    const { facts, suspects } = await gatherDriftFacts(by.graph, by.shared, { definition, groupId, baseline: seen?.baseline, suspects: seen && lookedAt.getTime() - seen.lookedAt.getTime() >= ON_THE_WAY_OUT_MS ? seen.suspects : [], otherGroups: by.otherGroups, connectors: isPerson });
    const baseline = baselineOf(definition, facts, seen?.baseline);
    const found = compareSetup(definition, facts, baseline);
    // What this look could not see is as it was.
    const unseen = isPerson ? [] : (seen?.differences ?? []).filter(({ kind, key }) => OF_CONNECTORS.includes(kind) && definition.applications.some((wish) => key === `${kind}:${applicationKey(wish)}`));
    const before = new Map((seen?.differences ?? []).map((one) => [one.key, one]));
    const differences = await explained([...found, ...unseen], setup, facts, before, lookedAt);
    const notSeen = !isPerson && definition.applications.some(({ kind }) => kind === 'new') ? [CONNECTORS] : [];

    const kept = await db.prisma.$transaction(async (tx) => {
      if (!(await keepLook(tx, tenantId, setup, { lookedAt, baseline, differences, suspects, notSeen }))) return false;
      const news = differences.filter(({ key }) => !before.has(key));
      const gone = [...before.values()].filter(({ key }) => !differences.some((one) => one.key === key));
      const actor = by.person ?? { ...PORTAL, tenantId };
      if (news.length > 0) await tell(tx, actor, setup, 'setup.drift-found', news, lookedAt);
      if (gone.length > 0) await tell(tx, actor, setup, 'setup.drift-ended', gone, lookedAt);
      return true;
    });
    return kept ? { setup, facts, baseline, differences, suspects } : undefined;
  }

  async function explained(found: readonly Found[], setup: WatchedSetup, facts: DriftFacts, before: ReadonlyMap<string, Difference>, lookedAt: Date): Promise<readonly Difference[]> {
    if (found.length === 0) return [];
    const known = Object.entries(setup.seen?.baseline.applications ?? {}).map(([key, { servicePrincipalId }]) => [key, { servicePrincipalId, displayName: setup.definition.applications.find((wish) => key === applicationKey(wish))?.displayName ?? '' }] as const);
    // Of an application that is gone, what was known of it.
    const applications = new Map([...known, ...[...facts.applications].map(([key, { servicePrincipalId, displayName }]) => [key, { servicePrincipalId, displayName }] as const)]);
    const events = await eventsAbout(db, tenantId, { groupId: setup.groupId, applicationIds: [...applications.values()].map((one) => one.servicePrincipalId), applicationNames: [...applications.values()].map((one) => one.displayName.toLowerCase()) }, CHANGING_KINDS);
    return found.map((one) => {
      const earlier = before.get(one.key);
      const firstSeenAt = earlier?.firstSeenAt ?? lookedAt.toISOString();
      // A later change of something else does not make somebody else the one who did it.
      if (earlier?.by && earlier.found === one.found) return { ...one, firstSeenAt, by: earlier.by };
      const cause = causeOf(one, events, { groupId: setup.groupId, applications });
      return { ...one, firstSeenAt, by: cause ? { name: cause.actorName ?? 'somebody unknown to the log', at: cause.at, eventId: `directory:${cause.eventId}` } : earlier?.by ?? null };
    });
  }

  async function tell(tx: Tx, actor: Pick<Actor, 'tenantId' | 'principalId' | 'name'>, setup: WatchedSetup, type: 'setup.drift-found' | 'setup.drift-ended' | 'setup.drift-accepted', differences: readonly Found[], at: Date): Promise<void> {
    await record(tx, {
      id: newId(), at, actor, type, kind: 'portal-setup', result: 'other', reason: differences.map(({ title }) => title).join('. '),
      group: { id: setup.groupId, name: setup.name }, data: { setupId: setup.id, differences: differences.map(({ key, expected, found }) => ({ key, expected, found })) },
    });
  }

  /** Which setups may have changed, by what the mirror has; the longest unseen first. */
  async function due(setups: readonly (WatchedSetup & { readonly isRunning: boolean })[]): Promise<readonly WatchedSetup[]> {
    const idle = setups.filter(({ isRunning }) => !isRunning);
    const oldest = idle.reduce<Date | undefined>((so, { seen }) => (seen && (!so || seen.lookedAt < so) ? seen.lookedAt : so), undefined);
    const touched = oldest ? await touchedSince(db, tenantId, oldest, CHANGING_KINDS) : [];
    const now = clock.now().getTime();
    return idle.filter(({ seen, updatedAt, appliedAt, groupId, definition }) => {
      if (!seen) return true;
      const { lookedAt, suspects, askedAt } = seen;
      if (now - lookedAt.getTime() >= FULL_LOOK_MS || updatedAt > lookedAt || suspects.length > 0 || (appliedAt ?? lookedAt) > lookedAt || (askedAt ?? lookedAt) > lookedAt) return true;
      const ids = new Set(Object.values(seen.baseline.applications).map(({ servicePrincipalId }) => servicePrincipalId));
      const names = new Set(definition.applications.map(({ displayName }) => displayName.toLowerCase()));
      return touched.some((event) => event.at >= lookedAt && (event.groupId === groupId || (event.applicationId !== null && ids.has(event.applicationId)) || (event.applicationName !== null && names.has(event.applicationName))));
    });
  }

  async function watched(setupId: string): Promise<{ readonly setup: WatchedSetup; readonly isRunning: boolean; readonly otherGroups: OtherGroups }> {
    const all = await watchedSetups(db, tenantId);
    const setup = all.find(({ id }) => id === setupId);
    if (!setup) throw new PortalError('not-found');
    return { setup, isRunning: setup.isRunning, otherGroups: groupsBesides(all, setupId) };
  }

  /** Looks on the person's own token. */
  async function lookNow(actor: Actor, setupId: string, graph: Graph = graphFor(actor, 'setup')): Promise<Look> {
    const { setup, isRunning, otherGroups } = await watched(setupId);
    if (isRunning) throw new PortalError('run-in-progress', { detail: 'A run changes the tenant for this setup at the moment. Look again when it rests.' });
    const seen = await look(setup, { graph, shared: shareReads(graph), otherGroups, person: actor });
    if (!seen) throw new PortalError('conflict', { detail: 'The setup was changed while the tenant was read. Look again.' });
    return seen;
  }

  return {
    lookNow,

    async list(): Promise<{ setups: SetupDrift[] }> {
      return { setups: (await watchedSetups(db, tenantId)).map(shown) };
    },

    async get(setupId: string): Promise<SetupDrift> {
      return shown((await watched(setupId)).setup);
    },

    async check(actor: Actor, setupId: string): Promise<SetupDrift> {
      const { setup, differences } = await lookNow(actor, setupId);
      return { setupId, name: setup.name, lookedAt: clock.now().toISOString(), notSeen: [], failure: null, differences: [...differences] };
    },

    async checkAll(): Promise<{ setups: number }> {
      const setups = await askForLooks(db, tenantId, clock.now());
      await wakeWatch();
      return { setups };
    },

    /** Changes the setup to what the tenant is in these points, as it is now. */
    async accept(actor: Actor, setupId: string, keys: readonly string[]): Promise<SetupDrift> {
      const { setup, facts, baseline, differences, suspects } = await lookNow(actor, setupId);
      const chosen = differences.filter(({ key }) => keys.includes(key));
      if (chosen.length === 0) throw new PortalError('conflict', { detail: 'The tenant does not differ in these points any more. Nothing was changed.' });
      const accepted = acceptDifferences(setup.definition, baseline, chosen, facts);
      if ('refused' in accepted) throw new PortalError('conflict', { detail: accepted.refused });
      const at = clock.now();
      const left = compareSetup(accepted.definition, facts, accepted.baseline);
      const remaining = differences.filter(({ key }) => left.some((one) => one.key === key));
      await db.prisma.$transaction(async (tx) => {
        // First the look, which is refused where somebody changed the setup meanwhile.
        if (!(await keepLook(tx, tenantId, setup, { lookedAt: at, baseline: accepted.baseline, differences: remaining, suspects, notSeen: [] }))) throw new PortalError('conflict', { detail: 'The setup was changed meanwhile. Look again.' });
        await changeSetup(tx, tenantId, setupId, accepted.definition, { at, unchangedSince: setup.updatedAt });
        await tell(tx, actor, setup, 'setup.drift-accepted', chosen, at);
      });
      return { setupId, name: accepted.definition.group.displayName, lookedAt: at.toISOString(), notSeen: [], failure: null, differences: [...remaining] };
    },

    /** One pass of the background: looks at what may have changed, and asks Graph nothing where nothing did. */
    async pass(): Promise<void> {
      const all = await watchedSetups(db, tenantId);
      const open = [...await due(all)];
      if (open.length === 0) return;
      const shared = shareReads(appGraph);
      let down = false;
      const worker = async (): Promise<void> => {
        for (let setup = open.shift(); setup && !down; setup = open.shift()) {
          const { id, seen } = setup;
          await look(setup, { graph: appGraph, shared, otherGroups: groupsBesides(all, id) }).catch(async (error: unknown) => {
            log.warn({ err: error, setupId: id }, 'a setup could not be compared with the tenant');
            const failure = error instanceof GraphError ? error.failure : undefined;
            const why = failure === undefined ? 'Something went wrong on our side; the log of Gatehouse says more.' : FAILURES[failure] ?? 'Microsoft Graph refused it.';
            await keepFailure(db, tenantId, id, `The last look failed: ${why} ${seen ? 'What stands here is from the look before.' : 'It is tried again by itself.'}`);
            // The next pass goes on with those that are still due.
            down ||= failure === 'unavailable' || failure === 'throttled' || failure === 'not-signed-in';
          });
        }
      };
      // None goes on unheard once another broke off.
      const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    },
  };
}

const FAILURES: Readonly<Record<string, string>> = {
  'throttled': 'Microsoft Graph asked Gatehouse to slow down.',
  'unavailable': 'Microsoft Graph did not answer.',
  'forbidden': 'Gatehouse lacks a permission that docs/connect-a-tenant.md names.',
  'not-signed-in': 'Microsoft Entra refused Gatehouse’s own sign-in.',
};

function shown({ id, name, seen, failure }: WatchedSetup): SetupDrift {
  return { setupId: id, name, lookedAt: seen?.lookedAt.toISOString() ?? null, notSeen: [...seen?.notSeen ?? []], failure, differences: [...seen?.differences ?? []] };
}
