import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANA, INES, MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';

interface Named { readonly id: string; readonly displayName: string }

let portal: TestPortal;
let maya: Client;
beforeAll(async () => {
  portal = await startPortal();
  maya = await portal.as(MAYA);
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

test('people and groups are found by the beginning of a word of their name', async () => {
  const people = (await maya.get('/api/directory/principals?text=cos&kind=user')).body.principals;
  expect(people).toContainEqual({ id: expect.any(String) as string, kind: 'user', displayName: 'Ana Costa', detail: ANA });
  const { groups } = await portal.emulator.state() as { groups: Named[] };
  const group = groups[0];
  const found = (await maya.get(`/api/directory/principals?text=${encodeURIComponent(group?.displayName ?? '')}&kind=any`)).body.principals as (Named & { kind: string })[];
  expect(found.map((one) => one.id)).toContain(group?.id);
  expect((await maya.get('/api/directory/principals?text=cos&kind=group')).body.principals.filter((one: { kind: string }) => one.kind === 'user')).toEqual([]);
  expect((await maya.get('/api/directory/principals?text=%22%20OR%20%22&kind=user')).status).toBe(200);
});

test('a search without text is refused for people, with the field', async () => {
  expect((await maya.get('/api/directory/principals?text=&kind=user')).body).toMatchObject({ code: 'invalid-request', issues: [{ path: 'query.text' }] });
});

describe('groups for a setup', () => {
  test.each([
    ['dynamic', (group: { groupTypes: string[] }) => group.groupTypes.includes('DynamicMembership'), 'dynamic membership'],
    ['synchronised', (group: { onPremisesSyncEnabled: boolean | null }) => group.onPremisesSyncEnabled === true, 'on-premises'],
  ])('of which one is %s say why it cannot be taken', async (_what, is, reason) => {
    const { groups } = await portal.emulator.state() as { groups: (Named & { groupTypes: string[]; onPremisesSyncEnabled: boolean | null })[] };
    const group = groups.find(is);
    if (!group) throw new Error('the seed has no such group');
    const found = (await maya.get(`/api/directory/groups?text=${encodeURIComponent(group.displayName)}`)).body.groups.find((one: Named) => one.id === group.id);
    expect(found.unfit).toContain(reason);
  });

  test('say which ones PIM manages, and those are fit', async () => {
    const { groups } = await portal.emulator.state() as { groups: (Named & { onboardedToPimAt: string | null })[] };
    const group = groups.find((one) => one.onboardedToPimAt !== null);
    const found = (await maya.get(`/api/directory/groups?text=${encodeURIComponent(group?.displayName ?? '')}`)).body.groups.find((one: Named) => one.id === group?.id);
    expect(found).toMatchObject({ managedByPim: true, unfit: null });
  });

  test('have role settings: what PIM begins with where it does not manage them yet', async () => {
    const { groups } = await portal.emulator.state() as { groups: (Named & { onboardedToPimAt: string | null; groupTypes: string[] })[] };
    const group = groups.find((one) => one.onboardedToPimAt === null && one.groupTypes.length === 0);
    const { body } = await maya.get(`/api/directory/groups/${group?.id}/role-settings`);
    expect(body.roleSettings).toMatchObject({ activationMaxMinutes: 480, activationSignIn: { kind: 'none' }, requireJustification: true, eligibleMaxDays: 365 });
    expect((await maya.get('/api/directory/groups/99999999-9999-4999-8999-999999999999/role-settings')).body).toMatchObject({ code: 'not-found' });
  });
});

test('applications come with what they open, Quick Access first, and are found by host too', async () => {
  const { applications } = (await maya.get('/api/directory/applications')).body as { applications: (Named & { kind: string; segments: unknown[] })[] };
  expect(applications[0]).toMatchObject({ kind: 'quick-access' });
  expect(applications.find((one) => one.displayName === 'Finance reports')).toMatchObject({ kind: 'per-app', assignmentRequired: true, segments: [{ host: 'fin-rep.corp.contoso.example', ports: ['443', '3389'], protocol: 'tcp' }] });
  const byHost = (await maya.get('/api/directory/applications?text=hr-arch')).body.applications as Named[];
  expect(byHost.map((one) => one.displayName)).toEqual(['HR archive']);
});

test('connector groups say how many of their connectors are live', async () => {
  const { connectorGroups } = (await maya.get('/api/directory/connector-groups')).body as { connectorGroups: (Named & { live: number; total: number })[] };
  expect(connectorGroups.find((one) => one.displayName === 'EU-1')).toMatchObject({ live: 2, total: 2 });
  expect(connectorGroups.find((one) => one.displayName === 'US-1')).toMatchObject({ live: 1, total: 2 });
});

test('authentication contexts are those that can be asked for', async () => {
  const { authenticationContexts } = await portal.emulator.state() as { authenticationContexts: { id: string; isAvailable: boolean }[] };
  const { contexts } = (await maya.get('/api/directory/authentication-contexts')).body as { contexts: { id: string }[] };
  expect(contexts.map((one) => one.id)).toEqual(authenticationContexts.filter((one) => one.isAvailable).map((one) => one.id));
});

test('nobody but a setup admin looks around, and Graph is not asked for anybody else', async () => {
  const others = await Promise.all([ANA, INES].map((upn) => portal.as(upn)));
  await portal.emulator.clearJournal();
  for (const client of others) {
    for (const path of ['principals?text=ana', 'groups', 'applications', 'connector-groups', 'authentication-contexts']) {
      expect((await client.get(`/api/directory/${path}`)).body).toMatchObject({ code: 'not-permitted' });
    }
  }
  expect(await portal.emulator.journal()).toEqual([]);
});
