import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANA, MAYA, REDIRECT, startTenant, type Answer, type TestTenant } from '../testing.ts';

const OTHER = '11111111-1111-4111-8111-111111111111';
const WITH_MFA = JSON.stringify({ access_token: { amr: { essential: true, values: ['mfa'] }, xms_cc: { values: ['CP1'] } } });
const WITH_CONTEXT = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' }, xms_cc: { values: ['CP1'] } } });

let tenant: TestTenant;
beforeEach(async () => { tenant = await startTenant(); });
afterEach(async () => {
  vi.useRealTimers();
  await tenant[Symbol.asyncDispose]();
});

/** Signs in and gives what redeeming the code needs. */
async function codeOf(upn = ANA, given: Record<string, string | undefined> = {}) {
  const { verifier, address } = tenant.authorize(given);
  const back = await tenant.walk(upn, address);
  return { back, fields: { grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', redirect_uri: REDIRECT, code_verifier: verifier } };
}
const refusal = ({ status, body }: Answer) => [status, body.error, body.error_codes?.[0], body.suberror];
/** Moves the real time, by which codes and tokens live. */
const later = (minutes: number): void => { vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 }); };

test('the metadata names every address of the tenant, and there is none of another', async () => {
  const metadata = await (await fetch(`${tenant.url}/${tenant.registration.tenantId}/v2.0/.well-known/openid-configuration`)).json() as unknown;
  const base = `${tenant.url}/${tenant.registration.tenantId}`;
  expect(metadata).toMatchObject({
    issuer: `https://login.microsoftonline.com/${tenant.registration.tenantId}/v2.0`, authorization_endpoint: `${base}/oauth2/v2.0/authorize`, token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`, end_session_endpoint: `${base}/oauth2/v2.0/logout`, id_token_signing_alg_values_supported: ['RS256'], response_types_supported: ['code'],
  });
  const other = await fetch(`${tenant.url}/${OTHER}/v2.0/.well-known/openid-configuration`);
  expect([other.status, await other.json()]).toMatchObject([400, { error: 'invalid_tenant' }]);
});

test('a sign-in brings the state back with a code, and the code brings tokens', async () => {
  const { back, fields } = await codeOf();
  expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([REDIRECT, 'the-state']);
  const { status, body } = await tenant.token({ ...fields, scope: 'User.Read openid profile offline_access' });
  expect([status, body.token_type, body.scope, body.expires_in]).toEqual([200, 'Bearer', 'User.Read openid profile', 3599]);
  const ana = (await tenant.state()).users.find((user: { userPrincipalName: string }) => user.userPrincipalName === ANA);
  expect(JSON.parse(Buffer.from(body.client_info, 'base64url').toString())).toEqual({ uid: ana.id, utid: tenant.registration.tenantId });
});

test('the id token is signed by the published key and says who signed in, how and with which roles', async () => {
  const { body } = await tenant.redeem(MAYA);
  const keys = createRemoteJWKSet(new URL(`${tenant.url}/${tenant.registration.tenantId}/discovery/v2.0/keys`));
  const { payload, protectedHeader } = await jwtVerify(body.id_token, keys, { issuer: `https://login.microsoftonline.com/${tenant.registration.tenantId}/v2.0`, audience: tenant.registration.clientId });
  const maya = (await tenant.state()).users.find((user: { userPrincipalName: string }) => user.userPrincipalName === MAYA);
  expect(protectedHeader.alg).toBe('RS256');
  expect(payload).toMatchObject({ oid: maya.id, tid: tenant.registration.tenantId, nonce: 'the-nonce', roles: ['SetupAdmin'], preferred_username: MAYA, name: 'Maya Lindqvist', ver: '2.0', amr: ['pwd'] });
  expect(Math.abs(Number(payload['auth_time']) - Date.now() / 1000)).toBeLessThan(60);
  expect(decodeJwt((await tenant.redeem(ANA)).body.id_token)).not.toHaveProperty('roles');
});

test('the picker shows the cast first, everybody else behind a fold, and nobody whose account is disabled', async () => {
  const { html } = await tenant.browser()(tenant.authorize().address);
  const fold = html.indexOf('<details>');
  for (const name of ['Maya Lindqvist', 'Ana Costa', 'Ben Novak', 'Omar Haddad', 'Ines Moreau']) expect(html.slice(0, fold)).toContain(name);
  expect(html.slice(fold)).toContain('Søren Østergaard');
  const disabled = (await tenant.state()).users.filter((user: { accountEnabled: boolean }) => !user.accountEnabled);
  expect(disabled.length).toBeGreaterThan(0);
  for (const { userPrincipalName } of disabled) expect(html).not.toContain(userPrincipalName);
  const ticket = /name="ticket" value="([\w-]+)"/.exec(html)?.[1] ?? '';
  expect((await tenant.browser()(`${tenant.url}/_signin/account`, { ticket, upn: disabled[0].userPrincipalName })).status).toBe(400);
});

describe('an authorization request is refused', () => {
  test.each([
    ['of an unknown application', { client_id: OTHER }, 'AADSTS700016'],
    ['to an address that is not registered', { redirect_uri: 'http://localhost:1/elsewhere' }, 'AADSTS50011'],
    ['to another host', { redirect_uri: 'http://evil.example:1/auth/redirect' }, 'AADSTS50011'],
    ['to the right address with a query', { redirect_uri: `${REDIRECT}?next=x` }, 'AADSTS50011'],
    ['without an address', { redirect_uri: undefined }, 'AADSTS50011'],
  ])('%s: on a page, never by a redirect', async (_what, given, code) => {
    const page = await tenant.browser()(tenant.authorize(given).address);
    expect([page.status, page.location]).toEqual([400, null]);
    expect(page.html).toContain(code);
  });

  test.each([
    ['without PKCE', { code_challenge: undefined }, 'invalid_request'],
    ['with a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['of a scope without consent', { scope: 'openid Mail.Read' }, 'consent_required'],
    ['of a token instead of a code', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['of somebody not signed in, where nothing may be asked', { prompt: 'none' }, 'login_required'],
  ])('%s: at the application, with the state', async (_what, given, error) => {
    const back = new URL((await tenant.browser()(tenant.authorize(given).address)).location ?? '');
    expect([back.origin + back.pathname, back.searchParams.get('error'), back.searchParams.get('state'), back.searchParams.get('code')]).toEqual([REDIRECT, error, 'the-state', null]);
  });

  test('of another tenant', async () => {
    const page = await tenant.browser()(tenant.authorize().address.replace(tenant.registration.tenantId, OTHER));
    expect([page.status, page.html.includes('AADSTS90002')]).toEqual([400, true]);
  });

  test('by the person, who cancels where a stronger sign-in is asked', async () => {
    const open = tenant.browser();
    const picker = await open(tenant.authorize({ claims: WITH_MFA }).address);
    const ticket = /name="ticket" value="([\w-]+)"/.exec(picker.html)?.[1] ?? '';
    await open(`${tenant.url}/_signin/account`, { ticket, upn: ANA });
    const back = new URL((await open(`${tenant.url}/_signin/cancel?ticket=${ticket}`)).location ?? '');
    expect([back.searchParams.get('error'), back.searchParams.get('state')]).toEqual(['access_denied', 'the-state']);
  });
});
