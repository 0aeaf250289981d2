import type { ApplicationWish, SetupDefinition } from '@gatehouse/contracts';
import type { AppAssignment, Graph, GraphApplication, ScheduleInstance } from '@gatehouse/graph';
import type { ApplicationSeen, Baseline, DriftFacts, OtherGroups, Principal } from './drift.rules.ts';
import { known } from './known.ts';
import { DEFAULT_RULES } from './role-settings.rules.ts';
import { applicationKey } from './steps.rules.ts';

/** Reads what a setup is compared with; reads only. */

export interface DriftReads {
  readonly facts: DriftFacts;
  /** Members whom neither an activation nor PIM's own list explains: perhaps on their way out. */
  readonly suspects: readonly string[];
}

/** What the setups of one pass have in common, each read once. */
export interface SharedReads {
  onboarded(): Promise<ReadonlySet<string>>;
  application(wish: ApplicationWish, servicePrincipalId: string | undefined): Promise<Opened | undefined>;
}

type Opened = Omit<ApplicationSeen, 'assignees'> & { readonly assignments: readonly AppAssignment[] };

export function shareReads(graph: Graph): SharedReads {
  const { pim, applications } = graph.together;
  const once = new Map<string, Promise<unknown>>();
  const ask = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const reading = once.get(key) as Promise<T> | undefined ?? read();
    once.set(key, reading);
    return reading;
  };
  const opened = async (found: GraphApplication | undefined): Promise<Opened | undefined> => {
    if (!found) return undefined;
    const [segments, assignments] = await Promise.all([
      found.kind === 'enterprise' ? undefined : known(applications.segments(found.appId)),
      known(applications.assignmentsOf(found.servicePrincipalId)),
    ]);
    return assignments && { servicePrincipalId: lower(found.servicePrincipalId), appId: lower(found.appId), displayName: found.displayName, enabled: found.enabled, assignmentRequired: found.assignmentRequired, segments, assignments };
  };
  return {
    onboarded: () => ask('onboarded', async () => new Set((await pim.onboardedGroups()).map(lower))),
    application: (wish, servicePrincipalId) => {
      const id = wish.kind === 'existing' ? wish.servicePrincipalId : servicePrincipalId;
      const byId = async (): Promise<Opened | undefined> => (id === undefined ? undefined : ask(id, async () => opened(await applications.application(id))));
      if (wish.kind === 'existing') return byId();
      // One that was deleted and made anew has another id, and its name tells.
      return byId().then((found) => found ?? ask(`name:${wish.displayName}`, async () => opened((await applications.applicationsByName(wish.displayName)).find(({ kind }) => kind === 'per-app'))));
    },
  };
}

/** `connectors`: whether the token may see connectors, which Graph shows to people alone (CONTRACT.md §0). */
export async function gatherDriftFacts(graph: Graph, shared: SharedReads, setup: { readonly definition: SetupDefinition; readonly groupId: string; readonly baseline: Baseline | undefined; readonly suspects: readonly string[]; readonly otherGroups: OtherGroups; readonly connectors: boolean }): Promise<DriftReads> {
  const { definition, groupId, baseline } = setup;
  const { directory, pim, applications } = graph.together;
  const opensNew = definition.applications.some(({ kind }) => kind === 'new');
  const [group, memberIds, owners, assignments, eligibilities, policies, opened, onboarded, connectorGroups] = await Promise.all([
    directory.group(groupId),
    known(directory.members(groupId)),
    known(directory.owners(groupId)),
    known(pim.assignments(groupId)),
    known(pim.eligibilities(groupId)),
    known(pim.policies(groupId)),
    Promise.all(definition.applications.map((wish) => shared.application(wish, baseline?.applications[applicationKey(wish)]?.servicePrincipalId))),
    shared.onboarded(),
    setup.connectors && opensNew ? applications.connectorGroupsInUse() : undefined,
  ]);

  const standing = standingOf((memberIds ?? []).map(lower), (assignments ?? []).filter(({ accessId, memberType }) => accessId === 'member' && memberType === 'direct'), setup.suspects);
  const direct = (eligibilities ?? []).filter(({ memberType }) => memberType === 'direct');
  const activeOwners = new Set((assignments ?? []).filter(({ accessId, assignmentType }) => accessId === 'owner' && assignmentType === 'activated').map(({ principalId }) => lower(principalId)));
  const strangers = opened.flatMap((one, index) => {
    const wish = definition.applications[index];
    const expected = wish && baseline?.applications[applicationKey(wish)]?.assignees;
    return (one?.assignments ?? []).map(({ principalId }) => lower(principalId)).filter((id) => expected !== undefined && id !== lower(groupId) && !expected.includes(id));
  });
  const named = new Map(definition.eligible.map((one) => [lower(one.principalId), { kind: one.kind, displayName: one.displayName }]));
  const unnamed = [...new Set([...standing.people.map(({ id }) => id), ...direct.map(({ principalId }) => lower(principalId)), ...strangers])].filter((id) => !named.has(id));
  const found = unnamed.length === 0 ? new Map() : new Map([...await directory.names(unnamed)].map(([id, one]) => [lower(id), one]));
  const who = (id: string): Principal => ({ kind: 'user', displayName: id, ...(named.get(id) ?? found.get(id)), id });

  return {
    suspects: standing.suspects,
    facts: {
      group: group && { ...group, id: lower(group.id) },
      managedByPim: onboarded.has(lower(groupId)),
      standing: standing.people.map((one) => ({ ...who(one.id), ...one })),
      owners: (owners ?? []).map(({ id, displayName }) => ({ id: lower(id), kind: 'user' as const, displayName })).filter(({ id }) => !activeOwners.has(id)),
      eligibleOwners: distinct(direct.filter(({ accessId }) => accessId === 'owner').map(({ principalId }) => lower(principalId))).map(who),
      eligible: direct.filter(({ accessId }) => accessId === 'member').map(({ principalId, startsAt, endsAt }) => {
        const { kind, displayName } = who(lower(principalId));
        return { principalId: lower(principalId), startsAt, endsAt, kind, displayName };
      }),
      rules: policies?.member?.rules ?? DEFAULT_RULES,
      ownerRules: policies?.owner?.rules ?? DEFAULT_RULES,
      applications: new Map(definition.applications.flatMap((wish, index) => {
        const one = opened[index];
        if (!one) return [];
        const { assignments: all, ...seen } = one;
        return [[applicationKey(wish), { ...seen, assignees: distinct(all.map(({ principalId }) => lower(principalId))).map(who) }] as const];
      })),
      otherGroups: setup.otherGroups,
      connectorGroups: connectorGroups && new Map(connectorGroups.map((one) => [one.id, { name: one.name, live: one.connectors.filter(({ live }) => live).length, total: one.connectors.length, applications: new Set(one.applications.map(lower)) }])),
    },
  };
}

/**
 * Members whom no activation explains. PIM lists those whom others put into the group as assigned without a beginning.
 * One whom it does not list at all may be on the way out after an activation: twice seen, it is not.
 */
function standingOf(memberIds: readonly string[], assignments: readonly ScheduleInstance[], suspectsBefore: readonly string[]) {
  const of = (id: string, type: 'activated' | 'assigned'): ScheduleInstance | undefined => assignments.find((one) => lower(one.principalId) === id && one.assignmentType === type);
  const unlisted = memberIds.filter((id) => !of(id, 'activated') && !of(id, 'assigned'));
  const assigned = assignments.filter(({ assignmentType, startsAt }) => assignmentType === 'assigned' && startsAt !== undefined).map(({ principalId, endsAt }) => ({ id: lower(principalId), throughPim: true, endsAt }));
  const past = memberIds.filter((id) => {
    const instance = of(id, 'assigned');
    return instance ? instance.startsAt === undefined : unlisted.includes(id) && suspectsBefore.includes(id);
  });
  const once = [...new Map(assigned.map((one) => [one.id, one])).values()];
  return { people: [...once, ...past.map((id) => ({ id, throughPim: false, endsAt: undefined }))], suspects: unlisted };
}

/** Somebody may be assigned by several roles of an application, or several times. */
const distinct = (ids: readonly string[]): string[] => [...new Set(ids)];
const lower = (id: string): string => id.toLowerCase();
