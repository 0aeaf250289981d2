import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditRoutes } from './audit-log.ts';
import { NO_DELAYS } from './delays.ts';
import { NOW, startDirectory, type Send } from './directory/testing.ts';
import { ANA, MAYA, startTenant } from './testing.ts';
import type { SignIn } from './tenant.ts';

const SIGN_INS = '/v1.0/auditLogs/signIns';
const AUDITS = '/v1.0/auditLogs/directoryAudits';

describe('the log of sign-ins', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let ines: Send;
  const at = (minutes: number): string => new Date(NOW.getTime() + minutes * 60_000).toISOString();
  beforeAll(async () => {
    directory = await startDirectory(auditRoutes);
    ines = directory.as('Ines Moreau', 'AuditLog.Read.All', 'Policy.Read.All');
    const portal = directory.tenant.applications.find(({ registration }) => registration !== null)?.appId ?? '';
    const signIn = (number: number, name: string, minutes: number, more: Partial<SignIn> = {}): SignIn =>
      ({ id: `00000000-0000-4000-8000-00000000000${number}`, correlationId: directory.tenant.id, createdDateTime: at(minutes), userId: directory.user(name).id, appId: portal, errorCode: 0, failureReason: null, acrs: [], ...more });
    directory.tenant.signIns = [signIn(1, 'Ana Costa', -60), signIn(2, 'Ana Costa', -30, { acrs: ['c1'] }), signIn(3, 'Ben Novak', -20, { errorCode: 50_105, failureReason: 'Not assigned.' }), signIn(4, 'Ben Novak', 1), signIn(5, 'Ben Novak', -31 * 24 * 60)];
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  const numbers = async (query: string): Promise<number[]> => {
    const { status, body } = await ines(`${SIGN_INS}?${query}`);
    expect(status, JSON.stringify(body)).toBe(200);
    return body.value.map(({ id }: SignIn) => Number(id.slice(-1)));
  };

  test('shows the newest first, one by one too, and nothing that has not happened or is older than 30 days', async () => {
    expect(await numbers('$top=1000')).toEqual([3, 2, 1]);
    const first = (await ines(`${SIGN_INS}?$top=2`)).body;
    expect((await ines(first['@odata.nextLink'])).body.value).toHaveLength(1);
    expect((await ines(`/beta/auditLogs/signIns/${first.value[0].id}`)).body).toMatchObject({ ...first.value[0], userDisplayName: 'Ben Novak', appDisplayName: 'Gatehouse', status: { errorCode: 50_105 } });
    expect(await ines(`${SIGN_INS}/00000000-0000-4000-8000-000000000004`)).toMatchObject({ status: 404, body: { error: { code: 'ResourceNotFound' } } });
    expect(first.value[0].createdDateTime).toBe('2026-03-02T08:40:00.0000000Z');
  });

  test('tells which policy was satisfied, to who may read policies', async () => {
    const id = '00000000-0000-4000-8000-000000000002';
    expect((await ines(`${SIGN_INS}/${id}`)).body).toMatchObject({ conditionalAccessStatus: 'success', appliedConditionalAccessPolicies: [{ result: 'success', enforcedGrantControls: ['mfa'] }] });
    expect((await directory.as('Ines Moreau', 'AuditLog.Read.All')(`${SIGN_INS}/${id}`)).body).toMatchObject({ conditionalAccessStatus: 'success', appliedConditionalAccessPolicies: [] });
    expect(await numbers(`$filter=conditionalAccessStatus eq 'success'`)).toEqual([2]);
  });

  test.each([
    [`startswith(userPrincipalName,'ana')`, [2, 1]],
    [`startsWith(appDisplayName,'Gate') and createdDateTime ge 2026-03-02T08:30:00Z`, [3, 2]],
    ['status/errorCode eq 50105', [3]],
  ])('is filtered by %s', async (filter, expected) => { expect(await numbers(`$filter=${filter}`)).toEqual(expected); });

  test.each(['createdDateTime gt 2026-03-02T08:30:00Z', 'createdDateTime ne 2026-03-02T08:30:00Z', `startswith(userId,'0')`, `not startswith(userPrincipalName,'ana')`, `contains(userDisplayName,'a')`, `userAgent eq 'x'`, 'status/errorCode ge 1', `appId in ('x')`])('is not filtered by %s', async (filter) => {
    expect((await ines(`${SIGN_INS}?$filter=${filter}`)).status).toBe(400);
  });

  test.each(['$orderby=createdDateTime', '$select=id', '$count=true', '$top=1001'])('does not know %s', async (query) => { expect((await ines(`${SIGN_INS}?${query}`)).status).toBe(400); });

  test('is for who reads reports', async () => {
    expect((await directory.as('Ana Costa', 'AuditLog.Read.All')(SIGN_INS)).status).toBe(403);
    expect((await directory.as('Ines Moreau', 'Directory.Read.All')(SIGN_INS)).status).toBe(403);
    expect((await directory.asApp('AuditLog.Read.All')(SIGN_INS)).status).toBe(200);
  });

  test.each([
    [`activityDisplayName eq 'Create group'`, 200], [`startswith(activityDisplayName,'Add member')`, 200], ['activityDateTime ge 2026-02-01T00:00:00Z and activityDateTime le 2026-03-01T00:00:00Z', 200],
    [`targetResources/any(t:t/id eq 'x')`, 200], [`targetResources/any(t:startswith(t/displayName,'Pay'))`, 200], [`initiatedBy/user/id eq 'x'`, 200],
    [`activityDateTime gt 2026-02-01T00:00:00Z`, 400], [`startswith(loggedByService,'P')`, 400], [`loggedByService ne 'PIM'`, 400], [`targetResources/any(t:t/type eq 'User')`, 400], [`targetResources/any(t:t/id ne 'x')`, 400], [`not startswith(activityDisplayName,'Add')`, 400],
  ])('audits filtered by %s: %i', async (filter, status) => { expect((await ines(`${AUDITS}?$filter=${filter}`)).status).toBe(status); });
});

test('a sign-in is logged where it succeeds and where it is refused', async () => {
  await using tenant = await startTenant({ delays: NO_DELAYS, frozen: false, startAt: new Date().toISOString() });
  await tenant.redeem(ANA, { claims: JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } }) });
  const maya = await tenant.as(MAYA, 'Application.ReadWrite.All');
  const app = await tenant.asApp();
  const logged = async () => (await app('GET', SIGN_INS)).body.value as { userPrincipalName: string; conditionalAccessStatus: string; status: { errorCode: number } }[];
  const mine = (await logged()).map(({ userPrincipalName, conditionalAccessStatus, status }) => [userPrincipalName, conditionalAccessStatus, status.errorCode]);
  expect(mine).toEqual([[MAYA, 'notApplied', 0], [ANA, 'success', 0]]);

  const [portal] = (await maya('GET', `/v1.0/servicePrincipals?$filter=appId eq '${tenant.registration.clientId}'`)).body.value;
  expect((await maya('PATCH', `/v1.0/servicePrincipals/${portal.id}`, { appRoleAssignmentRequired: true })).status).toBe(204);
  await expect(tenant.redeem(ANA)).rejects.toThrow('AADSTS50105');
  expect((await logged())[0]).toMatchObject({ userPrincipalName: ANA, status: { errorCode: 50_105 } });
});
