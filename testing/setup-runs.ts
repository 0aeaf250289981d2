import { PROPOSED_ROLE_SETTINGS, type Plan, type Run } from '@gatehouse/contracts';
import { MAYA, type Client, type EmulatorControls, type JournalEntry, type Reply, type TestPortal } from '../apps/api/src/testing.ts';

/** Setups played on a product and tenant of their own, and what they leave behind. */

export interface Named { readonly id: string; readonly displayName: string }

/**
 * A setup of so many people for the application Finance reports, or for applications of every kind: one that lets everybody
 * in so far, and a new one.
 */
export async function definitionOf({ emulator }: { readonly emulator: EmulatorControls }, maya: Client, { name, people, applications }: { readonly name: string; readonly people: number; readonly applications: 'one that exists' | 'of every kind' }) {
  const [{ servicePrincipals, users }, { body: { connectorGroups } }] = await Promise.all([emulator.state(), maya.get('/api/directory/connector-groups')]);
  if (users.length < people) throw new Error(`the tenant has ${users.length} people`);
  const existing = (application: Named, applicationKind: string) => ({ kind: 'existing', servicePrincipalId: application.id, displayName: application.displayName, applicationKind });
  const open = servicePrincipals.find((one: { appRoleAssignmentRequired: boolean; tags: string[] }) => !one.appRoleAssignmentRequired && one.tags.includes('WindowsAzureActiveDirectoryIntegratedApp') && one.tags.length === 1);
  const eu = connectorGroups.find(({ displayName }: Named) => displayName === 'EU-1');
  return {
    group: { kind: 'new', displayName: name, mailNickname: name }, roleSettings: PROPOSED_ROLE_SETTINGS,
    eligible: users.slice(0, people).map(({ id, displayName }: Named) => ({ principalId: id, kind: 'user', displayName, days: 90 })),
    applications: applications === 'one that exists'
      ? [existing(servicePrincipals.find(({ displayName }: Named) => displayName === 'Finance reports'), 'per-app')]
      : [existing(open, 'enterprise'), { kind: 'new', displayName: `App of ${name}`, connectorGroupId: eu.id, connectorGroupName: eu.displayName, segments: [{ host: 'ledger.corp.contoso.example', ports: '443', protocol: 'tcp' }] }],
  };
}

/** Plans and begins to apply; answers the run as it began. */
export async function begin(maya: Client, definition: unknown, setupId?: string): Promise<Run> {
  const begun = await applyNow(maya, definition, setupId);
  if (begun.status !== 202) throw new Error(`not begun: ${JSON.stringify(begun.body)}`);
  return begun.body as Run;
}

/** Plans, and applies that: as a new setup, or as a change of one as it stands now. */
export async function applyNow(maya: Client, definition: unknown, setupId?: string, irreversibleUnderstood = true): Promise<Reply> {
  const unchangedSince = setupId === undefined ? undefined : await updatedAtOf(maya, setupId);
  const { digest } = (await maya.post('/api/setup-plans', { definition })).body as Plan;
  const wish = { definition, digest, irreversibleUnderstood };
  return setupId === undefined ? maya.post('/api/setups', wish) : maya.post(`/api/setups/${setupId}/runs`, { ...wish, unchangedSince });
}

export const updatedAtOf = async (maya: Client, setupId: string): Promise<string> => (await maya.get(`/api/setups/${setupId}`)).body.updatedAt;

/** Follows a run to its rest. While it waits for Entra the tenant's time passes, where it does not by itself. */
export async function toItsRest(portal: TestPortal, client: Client, runId: string): Promise<Run> {
  for (;;) {
    const { body: run } = await client.get(`/api/runs/${runId}`) as { body: Run };
    if (run.status !== 'running') return run;
    if (run.steps.some(({ status }) => status === 'waiting')) await portal.advance('PT5S');
  }
}

export const signInMaya = (portal: TestPortal): Promise<Client> => portal.as(MAYA);

export const isBatch = ({ url }: JournalEntry): boolean => url.endsWith('/$batch');
/** Changes something, or tries to; of a batch its parts are asked. */
export const isWrite = (entry: JournalEntry): boolean => entry.method !== 'GET' && !isBatch(entry) && !entry.url.includes('getByIds');

/** What an admin calls the configuration of a tenant, in names and in an order of its own: two tenants of the same configuration answer the same. */
export async function configurationOf({ emulator }: { readonly emulator: EmulatorControls }): Promise<readonly string[]> {
  const { groups, users, pim, applications, servicePrincipals, appRoleAssignments, connectorGroups } = await emulator.state();
  const names = new Map<string, string>([...groups, ...users, ...servicePrincipals, ...connectorGroups].map((one: Named & { name?: string }) => [one.id, one.displayName ?? one.name ?? '']));
  const named = (id: string): string => names.get(id) ?? id;
  const days = (from: string, to: string | null): string => (to === null ? 'permanent' : `${Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000)} days`);
  return [
    ...groups.map((one: { displayName: string; mailNickname: string; uniqueName: string | null; ownerIds: string[]; memberIds: string[]; onboardedToPimAt: string | null }) => `group ${one.displayName} ${one.mailNickname} ${one.uniqueName ?? ''} owners ${one.ownerIds.map(named).sort().join()} members ${one.memberIds.map(named).sort().join()} ${one.onboardedToPimAt === null ? '' : 'under PIM'}`),
    ...pim.policies.map((one: { groupId: string; accessId: string; rules: { id: string }[] }) => `policy ${named(one.groupId)} ${one.accessId} ${one.rules.map((rule) => sortedJson(rule)).sort().join()}`),
    ...pim.schedules.map((one: { kind: string; groupId: string; principalId: string; accessId: string; startsAt: string; endsAt: string | null }) => `${one.kind} ${named(one.principalId)} in ${named(one.groupId)} ${one.accessId} ${days(one.startsAt, one.endsAt)}`),
    ...applications.map((one: { displayName: string; connectorGroupId: string | null; onPremisesPublishing: object | null; segments: { destinationHost: string; ports: string[]; protocol: string }[] }) => `application ${one.displayName} ${one.connectorGroupId === null ? '' : named(one.connectorGroupId)} ${sortedJson(one.onPremisesPublishing)} ${one.segments.map(({ destinationHost, ports, protocol }) => `${destinationHost}:${ports.join()}/${protocol}`).sort().join()}`),
    ...servicePrincipals.map((one: { displayName: string; appRoleAssignmentRequired: boolean; tags: string[] }) => `service principal ${one.displayName} ${one.appRoleAssignmentRequired ? 'assigned only' : 'everybody'} ${[...one.tags].sort().join()}`),
    ...appRoleAssignments.map((one: { principalId: string; resourceId: string }) => `assignment ${named(one.principalId)} to ${named(one.resourceId)}`),
  ].map((line: string) => line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, named)).sort();
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'object' && one !== null && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));
}
