import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANA, authorize, CONTEXT, MAYA, MFA, REDIRECT, signIn, startTenant, ticketOf, type Tenant, type TokenAnswer } from '../testing.ts';

let tenant: Tenant;
beforeEach(async () => { tenant = await startTenant(); });
afterEach(async () => {
  vi.useRealTimers();
  await tenant[Symbol.asyncDispose]();
});

/** Signs in and gives what redeeming the code needs. */
async function codeOf(upn = ANA, wish: Parameters<typeof authorize>[1] = {}) {
  const { verifier, address } = authorize(tenant, wish);
  const back = await signIn(tenant.browser(), address, upn);
  return { grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', redirect_uri: REDIRECT, code_verifier: verifier, back };
}
const redeem = async ({ back: _back, ...fields }: Awaited<ReturnType<typeof codeOf>>, change: Record<string, string | undefined> = {}) => tenant.token({ ...fields, ...change });
const refusal = ({ status, body }: { status: number; body: TokenAnswer }) => [status, body.error, body.error_codes?.[0], body.suberror];
/** Moves the real time that tokens and codes live by. */
const later = (ms: number): void => { vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms }); };

test('the metadata names every address of the tenant, and there is none of another', async () => {
  const metadata = await (await fetch(`${tenant.url}/${tenant.tenantId}/v2.0/.well-known/openid-configuration`)).json() as Record<string, unknown>;
  const base = `${tenant.url}/${tenant.tenantId}`;
  expect(metadata).toMatchObject({
    issuer: `https://login.microsoftonline.com/${tenant.tenantId}/v2.0`, authorization_endpoint: `${base}/oauth2/v2.0/authorize`, token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`, end_session_endpoint: `${base}/oauth2/v2.0/logout`, id_token_signing_alg_values_supported: ['RS256'], response_types_supported: ['code'],
  });
  const other = await fetch(`${tenant.url}/11111111-1111-4111-8111-111111111111/v2.0/.well-known/openid-configuration`);
  expect([other.status, await other.json()]).toMatchObject([400, { error: 'invalid_tenant' }]);
});

test('a sign-in brings the state back with a code, and the code brings tokens', async () => {
  const code = await codeOf();
  expect([code.back.origin + code.back.pathname, code.back.searchParams.get('state')]).toEqual([REDIRECT, 'state-1']);
  const { status, body } = await redeem(code, { scope: 'User.Read openid profile offline_access' });
  expect([status, body['token_type'], body.scope, body.expires_in]).toEqual([200, 'Bearer', 'User.Read openid profile', 3599]);
  const ana = (await tenant.state()).users.find(({ userPrincipalName }) => userPrincipalName === ANA);
  expect(JSON.parse(Buffer.from(body.client_info, 'base64url').toString())).toEqual({ uid: ana?.id, utid: tenant.tenantId });
});

test('the id token is signed by the published key and says who signed in, how and with which roles', async () => {
  const { body } = await redeem(await codeOf(MAYA));
  const keys = createRemoteJWKSet(new URL(`${tenant.url}/${tenant.tenantId}/discovery/v2.0/keys`));
  const { payload, protectedHeader } = await jwtVerify(body.id_token, keys, { issuer: `https://login.microsoftonline.com/${tenant.tenantId}/v2.0`, audience: tenant.clientId });
  const maya = (await tenant.state()).users.find(({ userPrincipalName }) => userPrincipalName === MAYA);
  expect(protectedHeader.alg).toBe('RS256');
  expect(payload).toMatchObject({ oid: maya?.id, tid: tenant.tenantId, nonce: 'nonce-1', roles: ['SetupAdmin'], preferred_username: MAYA, name: 'Maya Lindqvist', ver: '2.0', amr: ['pwd'] });
  expect(Math.abs((payload['auth_time'] as number) - Date.now() / 1000)).toBeLessThan(60);
  expect(decodeJwt((await redeem(await codeOf(ANA))).body.id_token)).not.toHaveProperty('roles');
});

test('the picker knows the cast first, everybody else behind a fold, and nobody whose account is disabled', async () => {
  const { text } = await tenant.browser()('GET', authorize(tenant).address);
  const fold = text.indexOf('<details>');
  for (const name of ['Maya Lindqvist', 'Ana Costa', 'Ben Novak', 'Omar Haddad', 'Ines Moreau']) expect(text.indexOf(name), name).toBeLessThan(fold);
  expect(text.indexOf('Søren Østergaard')).toBeGreaterThan(fold);
  const state = await tenant.control('GET', 'state');
  const disabled = (state.body['users'] as { accountEnabled: boolean; userPrincipalName: string }[]).filter(({ accountEnabled }) => !accountEnabled);
  expect(disabled.length).toBeGreaterThan(0);
  for (const { userPrincipalName } of disabled) expect(text).not.toContain(userPrincipalName);
});

describe('an authorization request is refused', () => {
  test.each([
    ['of an unknown application', { client_id: '11111111-1111-4111-8111-111111111111' }, 'AADSTS700016'],
    ['to an address that is not registered', { redirect_uri: 'http://localhost:1/elsewhere' }, 'AADSTS50011'],
    ['to another host', { redirect_uri: 'http://evil.example:1/auth/redirect' }, 'AADSTS50011'],
    ['to the right path with a query', { redirect_uri: `${REDIRECT}?next=x` }, 'AADSTS50011'],
    ['without an address', { redirect_uri: undefined }, 'AADSTS50011'],
  ])('%s, on a page and never by a redirect', async (_what, change, code) => {
    const page = await tenant.browser()('GET', authorize(tenant, {}, change).address);
    expect([page.status, page.location]).toEqual([400, undefined]);
    expect(page.text).toContain(code);
  });

  test.each([
    ['without PKCE', { code_challenge: undefined }, 'invalid_request'],
    ['with a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['of a scope without consent', { scope: 'openid Mail.Read' }, 'consent_required'],
    ['of a token instead of a code', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['that may not ask, of a person unknown', { prompt: 'none' }, 'login_required'],
  ])('%s, at the application with the state', async (_what, change, error) => {
    const { location } = await tenant.browser()('GET', authorize(tenant, {}, change).address);
    expect([location?.origin, location?.searchParams.get('error'), location?.searchParams.get('state'), location?.searchParams.get('code')]).toEqual(['http://localhost:1', error, 'state-1', null]);
  });

  test('of another tenant', async () => {
    const page = await tenant.browser()('GET', authorize(tenant).address.replace(tenant.tenantId, '11111111-1111-4111-8111-111111111111'));
    expect([page.status, page.text.includes('AADSTS90002')]).toEqual([400, true]);
  });
});
