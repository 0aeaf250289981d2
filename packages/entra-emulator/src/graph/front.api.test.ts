import { SignJWT, decodeJwt, generateKeyPair } from 'jose';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANA, MAYA, startTenant, type Answer, type TestTenant } from '../testing.ts';

const INES = 'ines.moreau@contoso.example';
const DENIED = [403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'];
const ME = '/v1.0/me';

let tenant: TestTenant;
beforeEach(async () => { tenant = await startTenant(); });
afterEach(async () => {
  vi.useRealTimers();
  await tenant[Symbol.asyncDispose]();
});

const refusal = ({ status, body }: Answer) => [status, body?.error?.code, body?.error?.message];
const tokenOf = async (upn: string, scope: string): Promise<string> => (await tenant.redeem(upn, { scope: `openid profile offline_access ${scope}` })).body.access_token;

describe('a token', () => {
  const EMPTY = 'Access token is empty.';
  const INVALID = 'Access token validation failure.';
  test.each<[string, () => Promise<Record<string, string>>, string]>([
    ['that is absent', async () => ({}), EMPTY],
    ['of another scheme', async () => ({ authorization: 'Basic bWF5YTpzZWNyZXQ=' }), EMPTY],
    ['that is not one', async () => ({ authorization: 'Bearer garbage' }), INVALID],
    ['for another audience', async () => ({ authorization: `Bearer ${(await tenant.redeem(ANA)).body.id_token}` }), INVALID],
    ['whose claims were changed', async () => {
      const [head, , signature] = (await tokenOf(ANA, 'User.Read')).split('.');
      const claims = { ...decodeJwt(await tokenOf(ANA, 'User.Read')), scp: 'User.Read Directory.ReadWrite.All' };
      return { authorization: `Bearer ${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}` };
    }, INVALID],
    ['that is not signed', async () => {
      const claims = Buffer.from(JSON.stringify(decodeJwt(await tokenOf(ANA, 'User.Read')))).toString('base64url');
      return { authorization: `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.` };
    }, INVALID],
    ['signed by another key', async () => {
      const { privateKey } = await generateKeyPair('RS256');
      return { authorization: `Bearer ${await new SignJWT(decodeJwt(await tokenOf(ANA, 'User.Read'))).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)}` };
    }, INVALID],
    ['of another tenant', async () => {
      await using other = await startTenant();
      return { authorization: `Bearer ${(await other.redeem(ANA)).body.access_token}` };
    }, INVALID],
    ['that has expired', async () => {
      const token = await tokenOf(ANA, 'User.Read');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      return { authorization: `Bearer ${token}` };
    }, 'Lifetime validation failed, the token is expired.'],
  ])('%s is refused', async (_what, headers, message) => {
    expect(refusal(await tenant.graphWith(undefined)('GET', ME, undefined, await headers()))).toEqual([401, 'InvalidAuthenticationToken', message]);
  });
});

describe('a call without the permission is refused', () => {
  test.each([
    ['a person without the scope', ANA, 'User.Read', 'GET', '/v1.0/users'],
    ['a person with the scope to read, who writes', MAYA, 'GroupMember.Read.All', 'POST', '/v1.0/groups'],
    ['a person with the scope and without the directory role', ANA, 'Group.ReadWrite.All', 'POST', '/v1.0/groups'],
    ['a person of another directory role', INES, 'Group.ReadWrite.All', 'POST', '/v1.0/groups'],
  ])('%s', async (_what, upn, scope, method, path) => {
    const answer = await (await tenant.as(upn, scope))(method, path, method === 'POST' ? { displayName: 'G', mailEnabled: false, mailNickname: 'g', securityEnabled: true } : undefined);
    expect(refusal(answer)).toEqual(DENIED);
    expect((await tenant.state()).groups.some(({ displayName }: { displayName: string }) => displayName === 'G')).toBe(false);
  });

  test.each([
    ['that it was not given', 'POST', '/v1.0/groups', { displayName: 'G' }],
    ['of a call that is for people only', 'GET', "/v1.0/identityGovernance/privilegedAccess/group/assignmentApprovals/filterByCurrentUser(on='approver')", undefined],
    ['of a call about the person', 'GET', ME, undefined],
  ])('the application alone, %s', async (_what, method, path, body) => {
    expect(refusal(await (await tenant.asApp())(method, path, body))).toEqual(DENIED);
  });
});
