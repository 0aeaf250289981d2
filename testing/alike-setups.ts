import { randomUUID } from 'node:crypto';
import { PROPOSED_ROLE_SETTINGS, SetupDefinition } from '@gatehouse/contracts';
import type { Client, TestPortal } from '../apps/api/src/testing.ts';
import type { OtherAdmin } from './out-of-band.ts';
import { begin, definitionOf, toItsRest, type Named } from './setup-runs.ts';

/** Many setups in little time: a few are applied, and the others are made like them in the tenant by hand, and kept. */

interface Model { readonly setupId: string; readonly groupId: string; readonly definition: SetupDefinition; readonly policies: readonly { readonly role: string; readonly rules: unknown }[] }
interface Asked { readonly method: string; readonly url: string; readonly body?: unknown }
interface Listed<T> { readonly value: readonly T[] }
interface PolicyAssignment { readonly scopeId: string; readonly roleDefinitionId: string; readonly policy: { readonly id: string; readonly rules: unknown } }

const BATCH_SIZE = 20;
const PIM = '/identityGovernance/privilegedAccess/group';

/** Twenty calls in one; each must be taken. */
async function together<T>(admin: OtherAdmin, asked: readonly Asked[]): Promise<readonly T[]> {
  const answers: T[] = [];
  for (let start = 0; start < asked.length; start += BATCH_SIZE) {
    const requests = asked.slice(start, start + BATCH_SIZE).map((one, index) => ({ id: String(index), ...one, ...(one.body !== undefined && { headers: { 'Content-Type': 'application/json' } }) }));
    const { responses } = await admin.graph('POST', '/v1.0/$batch', { requests }) as { responses: readonly { id: string; status: number; body: T }[] };
    const refused = responses.find(({ status }) => status >= 300);
    if (refused) throw new Error(JSON.stringify(refused));
    answers.push(...requests.flatMap(({ id }) => responses.find((one) => one.id === id)?.body ?? []));
  }
  return answers;
}

const policiesOf = (groupId: string): Asked => ({ method: 'GET', url: `/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${groupId}' and scopeType eq 'Group'&$expand=policy($expand=rules)` });

async function applied(portal: TestPortal, maya: Client, admin: OtherAdmin, definition: unknown): Promise<Model> {
  const run = await begin(maya, definition);
  const { status, steps } = await toItsRest(portal, maya, run.id);
  if (status !== 'succeeded') throw new Error(JSON.stringify(steps));
  const { body: setup } = await maya.get(`/api/setups/${run.setupId}`);
  const [policies] = await together<Listed<PolicyAssignment>>(admin, [policiesOf(setup.groupId)]);
  return { setupId: run.setupId, groupId: setup.groupId, definition: SetupDefinition.parse(setup.definition), policies: (policies?.value ?? []).map(({ roleDefinitionId, policy }) => ({ role: roleDefinitionId, rules: policy.rules })) };
}

/** Answers the groups of so many setups: half of them with approval and settings of owners, half without. */
export async function alikeSetups(portal: TestPortal, maya: Client, admin: OtherAdmin, count: number): Promise<readonly string[]> {
  const { users, servicePrincipals } = await portal.emulator.state();
  const idOf = (name: string): string => (users as Named[]).find(({ displayName }) => displayName === name)?.id ?? '';
  const omar = { id: idOf('Omar Haddad'), displayName: 'Omar Haddad' };
  const plain = await definitionOf(portal, maya, { name: 'Alike-Plain', people: 2, applications: 'one that exists' });
  const owners = [{ principalId: omar.id, displayName: omar.displayName }];
  const models = [
    await applied(portal, maya, admin, { ...plain, owners }),
    await applied(portal, maya, admin, {
      ...plain, group: { ...plain.group, displayName: 'Alike-Strict', mailNickname: 'Alike-Strict' }, owners,
      roleSettings: { ...PROPOSED_ROLE_SETTINGS, requireTicket: true, activeMaxDays: null, approval: { required: true, approvers: [{ ...omar, kind: 'user' }] } }, ownerRoleSettings: PROPOSED_ROLE_SETTINGS,
    }),
  ] as const;
  const copies = Array.from({ length: count - models.length }, (_, index) => ({ name: `Alike-${index + 1}`, model: models[index % models.length] as Model }));

  const groups = await together<{ id: string }>(admin, copies.map(({ name }) => ({
    method: 'POST', url: '/groups', body: { displayName: name, mailNickname: name, mailEnabled: false, securityEnabled: true, 'owners@odata.bind': owners.map(({ principalId }) => `https://graph.microsoft.com/v1.0/users/${principalId}`) },
  })));
  await portal.advance('PT3M');
  const made = copies.map((copy, index) => ({ ...copy, groupId: groups[index]?.id ?? '' }));
  const now = portal.now();
  await together(admin, made.flatMap(({ groupId, model }) => model.definition.eligible.map(({ principalId, days }) => ({
    method: 'POST', url: `${PIM}/eligibilityScheduleRequests`, body: {
      accessId: 'member', principalId, groupId, action: 'adminAssign', justification: 'Like another one',
      scheduleInfo: { startDateTime: now.toISOString(), expiration: { type: 'afterDateTime', endDateTime: new Date(now.getTime() + (days ?? 0) * 24 * 60 * 60_000).toISOString() } },
    },
  }))));
  // Only then: the first write of all gives the policies other ids.
  const policies = await together<Listed<PolicyAssignment>>(admin, made.map(({ groupId }) => policiesOf(groupId)));
  await together(admin, policies.flatMap(({ value }, index) => value.map(({ roleDefinitionId, policy }) => ({
    method: 'PATCH', url: `/policies/roleManagementPolicies/${policy.id}`, body: { rules: made[index]?.model.policies.find(({ role }) => role === roleDefinitionId)?.rules },
  }))));
  const finance = (servicePrincipals as (Named & { appRoles: readonly { id: string }[] })[]).find(({ displayName }) => displayName === 'Finance reports');
  await together(admin, made.map(({ groupId }) => ({ method: 'POST', url: `/servicePrincipals/${finance?.id ?? ''}/appRoleAssignedTo`, body: { principalId: groupId, resourceId: finance?.id, appRoleId: finance?.appRoles[0]?.id } })));

  for (const { groupId, name, model } of made) {
    const definition = { ...model.definition, group: { kind: 'existing', groupId, displayName: name } };
    await portal.db.pool.query(
      `INSERT INTO setup (tenant_id, id, name, definition, group_id, created_by_id, created_by, created_at, updated_at)
       SELECT tenant_id, $2, $3, $4, $5, created_by_id, created_by, created_at, updated_at FROM setup WHERE id = $1`, [model.setupId, randomUUID(), name, JSON.stringify(SetupDefinition.parse(definition)), groupId]);
  }
  return [...models, ...made].map(({ groupId }) => groupId);
}
