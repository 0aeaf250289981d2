import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIFELIKE_DELAYS } from './delays.ts';
import { ANA, MAYA, startTenant, type Send, type TestTenant } from './testing.ts';

/** With the delays of life: what the network does, later than the directory. */
let tenant: TestTenant;
beforeEach(async () => { tenant = await startTenant({ delays: LIFELIKE_DELAYS }); });
afterEach(() => tenant[Symbol.asyncDispose]());

const HOST = 'fin-rep.corp.contoso.example:443';
const reach = async (): Promise<{ allowed: boolean; reason: string }> => (await fetch(`${tenant.url}/_emulator/reach?user=${ANA}&to=${HOST}`)).json() as Promise<{ allowed: boolean; reason: string }>;
const allowed = async (): Promise<boolean> => (await reach()).allowed;

async function members(): Promise<{ maya: Send; ana: Send; group: string; anaId: string }> {
  const maya = await tenant.as(MAYA, 'Group.ReadWrite.All Directory.ReadWrite.All');
  const ana = await tenant.as(ANA, 'Directory.ReadWrite.All');
  const state = await tenant.state();
  const anaId = state.users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === ANA).id as string;
  const group = state.groups.find(({ displayName }: { displayName: string }) => displayName === 'FinReport-Controller-SecureAccess').id as string;
  return { maya, ana, anaId, group };
}
const join = ({ maya, group, anaId }: Awaited<ReturnType<typeof members>>) => maya('POST', `/v1.0/groups/${group}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${anaId}` });
const leave = ({ maya, group, anaId }: Awaited<ReturnType<typeof members>>) => maya('DELETE', `/v1.0/groups/${group}/members/${anaId}/$ref`);

describe('the Global Secure Access client', () => {
  test('lets a new member in with the next connection', async () => {
    const who = await members();
    expect(await allowed()).toBe(false);
    expect((await join(who)).status).toBe(204);
    expect(await allowed()).toBe(true);
  });

  test('lets somebody in who has left, as long as the token lives that was issued before: 60 to 90 min', async () => {
    const who = await members();
    await join(who);
    expect(await allowed()).toBe(true);
    await tenant.advance('PT10M');
    await leave(who);
    expect((await reach()).reason).toMatch(/the client’s token of 2026-03-02T09:00:00.000Z opens it until/);
    await tenant.advance('PT49M');
    expect(await allowed()).toBe(true);
    await tenant.advance('PT31M');
    expect(await allowed()).toBe(false);
  });

  test('opens nothing that the token did not open when it was issued', async () => {
    const who = await members();
    expect(await allowed()).toBe(false);
    await join(who);
    await leave(who);
    expect(await allowed()).toBe(false);
  });

  test('is cut by revoked sign-ins some minutes later, and by the end of a membership not at all', async () => {
    const who = await members();
    await join(who);
    expect(await allowed()).toBe(true);
    await leave(who);
    await tenant.advance('PT10M');
    expect((await who.ana('POST', '/v1.0/me/revokeSignInSessions')).status).toBe(200);
    await tenant.advance('PT5M');
    expect(await allowed()).toBe(true);
    await tenant.advance('PT2M');
    expect(await allowed()).toBe(false);
  });

  test('gets a new token after a revocation, which opens again what the person is still assigned to', async () => {
    const who = await members();
    await join(who);
    await allowed();
    await who.ana('POST', '/v1.0/me/revokeSignInSessions');
    await tenant.advance('PT7M');
    expect(await allowed()).toBe(true);
  });

  test('follows a changed segment fifteen minutes later, new or gone', async () => {
    const who = await members();
    await join(who);
    const maya = await tenant.as(MAYA, 'Application.ReadWrite.All');
    const state = await tenant.state();
    const { id } = state.applications.find(({ displayName }: { displayName: string }) => displayName === 'Finance reports');
    const path = `/beta/applications/${id}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;
    const { body } = await maya('GET', path);
    for (const segment of body.value) expect((await maya('DELETE', `${path}/${segment.id}`)).status).toBe(204);
    expect(await allowed()).toBe(true);
    await tenant.advance('PT14M');
    expect(await allowed()).toBe(true);
    await tenant.advance('PT1M');
    expect(await allowed()).toBe(false);
    await maya('POST', path, { destinationHost: 'fin-rep.corp.contoso.example', destinationType: 'fqdn', port: 0, ports: ['443-443'], protocol: 'tcp' });
    expect(await allowed()).toBe(false);
    await tenant.advance('PT15M');
    expect(await allowed()).toBe(true);
  });
});

test('events of the audit log show within the hour, at times a later one first', async () => {
  const maya = await tenant.as(MAYA, 'Group.ReadWrite.All');
  const app = await tenant.asApp();
  const seen = async (): Promise<string[]> => (await app('GET', "/v1.0/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Create group' and activityDateTime ge 2026-03-02T09:00:00Z&$orderby=activityDateTime asc")).body.value
    .map((entry: { targetResources: { displayName: string }[] }) => entry.targetResources[0]?.displayName);
  const made = Array.from({ length: 8 }, (_, index) => `Late-${index}`);
  for (const name of made) {
    await maya('POST', '/v1.0/groups', { displayName: name, mailEnabled: false, mailNickname: name, securityEnabled: true });
    await tenant.advance('PT1S');
  }
  const order: string[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    for (const name of await seen()) if (!order.includes(name)) order.push(name);
    await tenant.advance('PT1M');
  }
  for (const name of await seen()) if (!order.includes(name)) order.push(name);
  expect(order.toSorted()).toEqual(made);
  // Each event's delay is by chance; that eight come in the order of their making is one case in 40,320.
  expect(order).not.toEqual(made);
});

test('a link to the next page ends after its time, and says so in Graph’s words', async () => {
  const maya = await tenant.as(MAYA, 'User.ReadBasic.All');
  const { body } = await maya('GET', '/v1.0/users?$top=2');
  const link = body['@odata.nextLink'] as string;
  expect((await maya('GET', link)).status).toBe(200);
  await tenant.advance('PT61M');
  const late = await maya('GET', link);
  expect([late.status, late.body.error.code]).toEqual([400, 'Directory_ExpiredPageToken']);
});
