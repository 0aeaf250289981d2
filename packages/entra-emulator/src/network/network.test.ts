import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIFELIKE_DELAYS, NO_DELAYS } from '../delays.ts';
import { NOW, startDirectory, type Send } from '../directory/testing.ts';
import { reach } from '../reach.ts';
import { forwardingPolicyRoutes } from './forwarding-policies.ts';
import { networkLogRoutes } from './logs.ts';
import { recordVisit } from './traffic.ts';

const ANA = 'ana.costa@contoso.example';
const TRAFFIC = '/beta/networkAccess/logs/traffic';
const CONNECTIONS = '/beta/networkAccess/logs/connections';

describe('the logs of the network', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let ines: Send;
  let count = 0;
  const visit = (host: string, port: number, at: Date = NOW, delays = NO_DELAYS): void => {
    const world = { tenant: directory.tenant, now: at, delays, newId: () => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}` };
    recordVisit(world, ANA, host, port, reach(directory.tenant, ANA, host, port));
  };
  beforeAll(async () => {
    directory = await startDirectory([...networkLogRoutes, ...forwardingPolicyRoutes]);
    expect(directory.tenant.visits?.length, 'the demo has a past').toBeGreaterThan(50);
    directory.tenant.visits = [];
    ines = directory.as('Ines Moreau', 'NetworkAccess-Reports.Read.All');
    visit('fin-rep.corp.contoso.example', 443, new Date(NOW.getTime() - 120_000));
    directory.group('FinReport-Controller-SecureAccess').memberIds.push(directory.user('Ana Costa').id);
    visit('fin-rep.corp.contoso.example', 443);
    visit('nowhere.example', 443);
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  test('hold what was refused and what was let through, newest first, and nothing of what Private Access does not take', async () => {
    const { body } = await ines(TRAFFIC);
    expect(body.value.map(({ action, operationStatus, destinationFQDN, destinationPort, userPrincipalName, trafficType }: Record<string, unknown>) => [action, operationStatus, destinationFQDN, destinationPort, userPrincipalName, trafficType])).toEqual([
      ['allow', 'success', 'fin-rep.corp.contoso.example', 443, ANA, 'private'], ['block', 'failure', 'fin-rep.corp.contoso.example', 443, ANA, 'private'],
    ]);
    const finance = directory.tenant.applications.find(({ displayName }) => displayName === 'Finance reports');
    expect(body.value[0]).toMatchObject({ applicationSnapshot: { appId: finance?.appId }, privateAccessDetails: { accessType: 'privateAccess', connectionStatus: 'active', appSegmentId: finance?.segments[0]?.id }, createdDateTime: expect.stringMatching(/\.\d{7}Z$/) });
  });

  test('name a connection for what was let through alone', async () => {
    const { body } = await ines(CONNECTIONS);
    expect(body.value).toMatchObject([{ status: 'active', endDateTime: null, destinationFqdn: 'fin-rep.corp.contoso.example', transactionCount: 1 }]);
    expect((await ines(`${CONNECTIONS}/${body.value[0].id}`)).body.id).toBe(body.value[0].id);
    const [allowed, blocked] = (await ines(TRAFFIC)).body.value;
    expect(allowed.connectionId).toBe(body.value[0].id);
    expect((await ines(`${CONNECTIONS}/${blocked.connectionId}`)).status).toBe(404);
    expect((await ines(`${TRAFFIC}/${blocked.transactionId}`)).body).toMatchObject({ action: 'block' });
  });

  test('are filtered by what their page lists, ordered and paged', async () => {
    const actions = async (query: string) => (await ines(`${TRAFFIC}?${query}`)).body.value.map(({ action }: { action: string }) => action);
    expect(await actions(`$filter=userId eq '${directory.user('Ana Costa').id}' and trafficType eq 'private' and createdDateTime ge ${NOW.toISOString()}`)).toEqual(['allow']);
    expect(await actions("$filter=action eq 'block'")).toEqual(['block']);
    expect(await actions('$orderby=createdDateTime asc')).toEqual(['block', 'allow']);
    const first = await ines(`${TRAFFIC}?$top=1`);
    expect((await ines(first.body['@odata.nextLink'].replace(directory.url, ''))).body.value).toHaveLength(1);
    for (const wrong of ["$filter=sentBytes gt 5", "$filter=startswith(userId,'a')", '$search="fin"', '$top=1001']) expect((await ines(`${TRAFFIC}?${wrong}`)).status).toBe(400);
  });

  test('keep what they show for thirty days, and nothing is shown to a tenant without a licence', async () => {
    const before = (await ines(TRAFFIC)).body.value.length;
    visit('fin-rep.corp.contoso.example', 443, new Date(NOW.getTime() - 30 * 86_400_000));
    visit('fin-rep.corp.contoso.example', 443, new Date(NOW.getTime() - 30 * 86_400_000 - 1));
    expect((await ines(TRAFFIC)).body.value).toHaveLength(before + 1);
    directory.tenant.visits = (directory.tenant.visits ?? []).slice(0, -2);
    directory.tenant.licences = { pim: true, privateAccess: false };
    expect(await ines(TRAFFIC)).toMatchObject({ status: 403, body: { error: { code: 'Authentication_RequestFromNonPremiumTenantOrB2CTenant' } } });
    directory.tenant.licences = { pim: true, privateAccess: true };
  });

  test('take a permission and a role', async () => {
    expect((await directory.as('Ines Moreau', 'NetworkAccess.Read.All')(TRAFFIC)).status).toBe(403);
    expect((await directory.as('Ana Costa', 'NetworkAccess-Reports.Read.All')(TRAFFIC)).status).toBe(403);
    expect((await directory.asApp('NetworkAccess-Reports.Read.All')(TRAFFIC)).status).toBe(200);
  });

  test('show events late', async () => {
    const before = (await ines(TRAFFIC)).body.value.length;
    visit('payroll.corp.contoso.example', 443, NOW, { ...LIFELIKE_DELAYS, auditVisible: { min: 60_000, max: 60_000 } });
    expect((await ines(TRAFFIC)).body.value).toHaveLength(before);
    expect(directory.tenant.visits?.at(-1)?.visibleAt).toBe(new Date(NOW.getTime() + 60_000).toISOString());
  });

  test('of remote networks are empty', async () => {
    expect((await ines('/beta/networkAccess/logs/remoteNetworks')).body.value).toEqual([]);
  });

  test('forwarding policies are what is published, with its destinations', async () => {
    const maya = directory.as('Maya Lindqvist', 'NetworkAccess.ReadWrite.All');
    const { body } = await maya('/beta/networkAccess/forwardingPolicies?$expand=policyRules');
    const published = directory.tenant.applications.filter(({ onPremisesPublishing }) => onPremisesPublishing !== null);
    expect(body.value.map(({ privateAccessAppId }: { privateAccessAppId: string }) => privateAccessAppId).toSorted()).toEqual(published.map(({ appId }) => appId).toSorted());
    const finance = body.value.find(({ name }: { name: string }) => name === 'Finance reports');
    expect(finance.policyRules[0]).toMatchObject({ ruleType: 'fqdn', action: 'forward', destinations: [{ value: 'fin-rep.corp.contoso.example' }] });
    expect((await maya(`/beta/networkAccess/forwardingPolicies/${finance.id}/policyRules/${finance.policyRules[0].id}`)).body.id).toBe(finance.policyRules[0].id);
    const profile = directory.tenant.forwardingProfiles.find(({ trafficForwardingType }) => trafficForwardingType === 'private');
    const links = `/beta/networkAccess/forwardingProfiles/${profile?.id}/policies`;
    const [link] = (await maya(`${links}?$expand=policy($expand=policyRules)`)).body.value;
    expect(link).toMatchObject({ state: 'enabled', policy: { trafficForwardingType: 'private' } });
    expect(link.policy.policyRules.length).toBeGreaterThan(0);
    expect((await maya(`${links}/${link.id}`)).body).toMatchObject({ id: link.id });
    expect((await maya(`${links}/${link.id}`, { method: 'PATCH', body: { state: 'disabled' } })).status).toBe(403);
    expect((await maya('/beta/networkAccess/forwardingPolicies?$expand=nothing')).status).toBe(400);
    expect((await maya('/beta/networkAccess/microsoft.graph.networkaccess.onboard', { method: 'POST', body: {} })).status).toBe(202);
    expect((await maya('/beta/networkAccess/settings/conditionalAccess')).body.signalingStatus).toBe('enabled');
  });
});
