import { randomUUID } from 'node:crypto';
import { PROPOSED_ROLE_SETTINGS, SetupDefinition, type Run } from '@gatehouse/contracts';
import { testDatabase } from '@gatehouse/db/testing';
import { GraphError, type ApplicationSegment, type AppAssignment, type Graph, type GraphApplication, type GraphGroup, type PolicyRule, type ScheduleInstance } from '@gatehouse/graph';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { DEFAULT_RULES } from './role-settings.rules.ts';
import { createSetups } from './setup.service.ts';

/**
 * Runs that are cut off at each of their writes, on a real database. The tenant is a few arrays behind the Graph ports, so
 * that an answer can get lost after its effect, and so that a hundred runs take seconds; setup.api.test.ts has the real thing.
 */

const FINANCE = 'aaaaaaaa-0000-4000-8000-000000000001';
const EU = 'cccccccc-0000-4000-8000-000000000001';
const maya: Actor = { tenantId: randomUUID(), principalId: randomUUID(), name: 'Maya Lindqvist', upn: 'maya@contoso.example', roles: ['SetupAdmin'], accountId: 'maya' };
const definition = SetupDefinition.parse({
  group: { kind: 'new', displayName: 'Ledger-Clerk-SecureAccess', mailNickname: 'Ledger-Clerk-SecureAccess' },
  roleSettings: PROPOSED_ROLE_SETTINGS,
  eligible: [{ principalId: 'dddddddd-0000-4000-8000-000000000001', kind: 'user', displayName: 'Ana Costa', days: 30 }],
  applications: [
    { kind: 'existing', servicePrincipalId: FINANCE, displayName: 'Finance reports', applicationKind: 'per-app' },
    { kind: 'new', displayName: 'Ledger', connectorGroupId: EU, connectorGroupName: 'EU-1', segments: [{ host: 'ledger.corp.example', ports: '443', protocol: 'tcp' }] },
  ],
});

type Write = (effect: () => void) => void;

/** A tenant that does what it is told, unless `write` has it otherwise. */
function smallTenant() {
  const groups = new Map<string, GraphGroup>();
  const rules = new Map<string, readonly PolicyRule[]>();
  const eligible: ScheduleInstance[] = [];
  const applications: GraphApplication[] = [{ servicePrincipalId: FINANCE, appId: 'finance', displayName: 'Finance reports', kind: 'per-app', enabled: true, assignmentRequired: false, assignableRoleId: 'user' }];
  const segments = new Map<string, ApplicationSegment[]>();
  const assignments: AppAssignment[] = [];
  const state = { pimKnows: true, writes: [] as string[], write: ((effect) => { effect(); }) as Write };

  const write = (name: string, effect: () => void): void => {
    state.writes.push(name);
    state.write(effect);
  };
  const change = (one: GraphApplication | undefined, to: Partial<GraphApplication>): void => {
    if (one) applications[applications.indexOf(one)] = { ...one, ...to };
  };
  const made = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the write had no effect');
    return value;
  };
  const ports: { [Port in keyof Graph]: Partial<Graph[Port]> } = {
    directory: {
      names: async (ids) => new Map(ids.map((id) => [id, { kind: 'user' as const, displayName: id }])),
      group: async (id) => [...groups.values()].find((one) => one.id === id),
      groupByUniqueName: async (name) => groups.get(name),
      groupByMailNickname: async () => undefined,
      nestedGroups: async () => [],
      ensureGroup: async ({ uniqueName, displayName, mailNickname }) => {
        const standing = groups.get(uniqueName);
        if (standing) return { group: standing, created: false };
        write('group', () => { groups.set(uniqueName, { id: randomUUID(), displayName, mailNickname, mailEnabled: false, securityEnabled: true, dynamicMembership: false, synchronised: false, roleAssignable: false }); });
        return { group: made(groups.get(uniqueName)), created: true };
      },
    },
    pim: {
      onboardedGroups: async () => [...rules.keys()],
      policy: async (id) => {
        if (!state.pimKnows) throw new GraphError('not-found', 'PIM does not know the group yet');
        return { policyId: id, rules: rules.get(id) ?? DEFAULT_RULES };
      },
      updatePolicy: async (id, changed) => { write('policy', () => { rules.set(id, [...new Map([...(rules.get(id) ?? DEFAULT_RULES), ...changed].map((rule) => [rule.id, rule])).values()]); }); },
      eligibilities: async (groupId) => eligible.filter((one) => one.groupId === groupId),
      assignEligible: async ({ groupId, principalId, expiry }) => {
        write('eligible', () => { eligible.push({ id: randomUUID(), groupId, principalId, accessId: 'member', memberType: 'direct', startsAt: expiry.startsAt, endsAt: expiry.endsAt }); });
        return { id: randomUUID(), action: 'adminAssign', status: 'Provisioned', principalId, groupId, accessId: 'member', createdAt: expiry.startsAt };
      },
    },
    approvals: {},
    applications: {
      application: async (id) => applications.find((one) => one.servicePrincipalId === id),
      applicationsByName: async (name) => applications.filter((one) => one.displayName === name),
      privateAccess: async () => applications.filter((one) => one.kind === 'per-app'),
      segments: async (appId) => segments.get(appId) ?? [],
      segmentsOfAll: async (appIds) => new Map(appIds.map((appId) => [appId, segments.get(appId) ?? []])),
      assignmentsOf: async (id) => assignments.filter((one) => one.servicePrincipalId === id),
      assignmentsOfGroup: async (id) => assignments.filter((one) => one.principalId === id),
      connectorGroups: async () => [{ id: EU, name: 'EU-1', isDefault: false, connectors: [{ id: 'one', machineName: 'one', live: true }] }],
      instantiate: async (displayName) => {
        write('application', () => { applications.push({ servicePrincipalId: randomUUID(), appId: randomUUID(), displayName, kind: 'enterprise', enabled: true, assignmentRequired: true, assignableRoleId: 'user' }); });
        return made(applications.find((one) => one.displayName === displayName));
      },
      publish: async (appId) => { write('publish', () => { change(applications.find((one) => one.appId === appId), { kind: 'per-app' }); }); },
      addSegment: async (appId, segment) => {
        write('segment', () => { segments.set(appId, [...(segments.get(appId) ?? []), { id: randomUUID(), ...segment }]); });
        return made(segments.get(appId)?.at(-1));
      },
      requireAssignment: async (id) => { write('require', () => { change(applications.find((one) => one.servicePrincipalId === id), { assignmentRequired: true }); }); },
      assignGroup: async ({ groupId, servicePrincipalId, appRoleId }) => {
        write('assign', () => { assignments.push({ id: randomUUID(), principalId: groupId, principalType: 'Group', servicePrincipalId, appRoleId }); });
        return made(assignments.at(-1));
      },
    },
    network: { privateAccessProfile: async () => ({ state: 'enabled' }) },
    conditionalAccess: {},
    audits: {},
  };
  return {
    state,
    // Whatever else a run would call is missing, and the test fails there.
    graph: ports as Graph,
    counts: () => ({ groups: groups.size, eligible: eligible.length, applications: applications.length, segments: [...segments.values()].flat().length, assignments: assignments.length }),
  };
}

async function prepared() {
  const db = await testDatabase();
  const tenant = smallTenant();
  let gate: Promise<void> | undefined;
  const setups = createSetups({
    db, clock: { now: () => new Date('2026-03-02T09:00:00Z') }, newId: () => randomUUID(), log: pino({ level: 'silent' }), publicUrl: 'https://gatehouse.example', graphFor: () => tenant.graph, graphForRun: () => tenant.graph,
    wait: async () => { await gate; },
  });
  const begin = async (): Promise<Run> => setups.create(maya, { definition, digest: (await setups.plan(maya, definition)).digest, irreversibleUnderstood: true });
  return {
    setups, begin, ...tenant, gate: (closed: Promise<void>) => { gate = closed; },
    async [Symbol.asyncDispose]() {
      await setups.stop();
      await db[Symbol.asyncDispose]();
    },
  };
}

const WHOLE = { groups: 1, eligible: 1, applications: 2, segments: 1, assignments: 2 };
const WRITES = ['group', 'policy', 'require', 'application', 'publish', 'segment', 'eligible', 'assign', 'assign'];

test('a run writes each thing once, in the order of its plan', async () => {
  await using all = await prepared();
  const { id } = await all.begin();
  await all.setups.idle();
  expect((await all.setups.run(maya, id)).status).toBe('succeeded');
  expect(all.state.writes).toEqual(WRITES);
  expect(all.counts()).toEqual(WHOLE);
});

describe.each([
  ['Entra did not hear it', (fail: () => never): Write => () => fail(), []],
  // The role settings went with the onboarding: who continues finds them as wanted.
  ['its answer was lost', (fail: () => never): Write => (effect) => { effect(); fail(); }, ['policy: role-settings']],
])('a write that failed because %s', (_why, failing, foundSo) => {
  test.each(WRITES.map((name, index) => [index + 1, name] as const))('(%i: %s) fails the run at its step, and continuing makes nothing twice', async (which, name) => {
    await using all = await prepared();
    let seen = 0;
    all.state.write = (effect) => {
      seen += 1;
      if (seen !== which) return effect();
      failing(() => { throw new GraphError('unavailable', 'no answer'); })(effect);
    };
    const { id } = await all.begin();
    await all.setups.idle();
    const failed = await all.setups.run(maya, id);
    expect(failed.status).toBe('failed');
    expect(failed.steps.filter((step) => step.status === 'failed').map((step) => step.detail)).toEqual([expect.stringContaining('did not answer')]);

    await all.setups.continueRun(maya, id);
    await all.setups.idle();
    const run = await all.setups.run(maya, id);
    expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
    expect(run.steps.map((step) => step.status)).toEqual(run.steps.map((step) => (foundSo.includes(`${name}: ${step.plan.kind}`) ? 'skipped' : 'done')));
    expect(all.counts()).toEqual(WHOLE);
    expect((await all.setups.get(maya, run.setupId)).groupId, 'the setup knows its group').toEqual(expect.any(String));
    expect((await all.setups.plan(maya, definition)).changes).toBe(0);
  });
});

test('a stop waits for no waiting, ends the watches, and leaves the run to be continued', async () => {
  await using all = await prepared();
  all.state.pimKnows = false;
  all.gate(Promise.withResolvers<void>().promise);
  const { id } = await all.begin();
  const seen: string[] = [];
  for await (const run of all.setups.watch(maya, id, new AbortController().signal)) {
    seen.push(run.status);
    if (!run.steps.some((step) => step.status === 'waiting')) continue;
    await all.setups.stop();
  }
  expect(seen.every((status) => status === 'running')).toBe(true);
  const run = await all.setups.run(maya, id);
  expect(run).toMatchObject({ status: 'interrupted', steps: [{ status: 'done' }, { status: 'interrupted' }, ...run.steps.slice(2).map(() => ({ status: 'pending' }))] });
});

test('what Entra does not know after minutes is a failure that says how long it waited', async () => {
  await using all = await prepared();
  all.state.pimKnows = false;
  const { id } = await all.begin();
  await all.setups.idle();
  const run = await all.setups.run(maya, id);
  expect(run.steps[1]).toMatchObject({ status: 'failed', detail: 'Waited 142 s for PIM to know the new group, in vain. Continue the run in some minutes: it looks first.' });
});
