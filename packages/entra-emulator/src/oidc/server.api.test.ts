import { readFileSync } from 'node:fs';
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
  expect(decodeJwt((await tenant.redeem(ANA)).body.id_token)).not.toHaveProperty('roles');
});

describe('when somebody signed in', () => {
  const saidOf = async (given: Record<string, string> = {}, open = tenant.browser()): Promise<unknown> => decodeJwt((await tenant.redeem(ANA, given, open)).body.id_token)['auth_time'];
  const minutesAgo = (said: unknown): number => Math.round((Date.now() / 1000 - Number(said)) / 60);

  test('the ID token says as the registration of the guide asks for it', async () => {
    expect(readFileSync(new URL('../../../../docs/register-app.sh', import.meta.url), 'utf8')).toContain('optionalClaims: { idToken: [{ name: "auth_time", essential: true }] }');
    expect(minutesAgo(await saidOf())).toBe(0);
  });

  test('it does not say of a registration without the optional claim, however it is asked', async () => {
    await tenant.settings({ idTokenClaims: [] });
    for (const given of [{}, { max_age: '600' }, { prompt: 'login' }, { claims: JSON.stringify({ id_token: { auth_time: { essential: true } } }) }]) expect(await saidOf(given), JSON.stringify(given)).toBeUndefined();
    await tenant.settings({ idTokenClaims: ['auth_time'] });
    expect(minutesAgo(await saidOf())).toBe(0);
  });

  test.each([[['email']], ['auth_time'], [null]])('optional claims are not set to %j', async (idTokenClaims) => {
    await expect(tenant.settings({ idTokenClaims })).rejects.toThrow();
    expect(minutesAgo(await saidOf())).toBe(0);
  });

  test('is when they proved it to Entra, and not when an application asked; whoever is to sign in anew has done it now', async () => {
    const open = tenant.browser();
    await tenant.redeem(ANA, {}, open);
    await tenant.signedInEarlier('PT11M');
    expect(minutesAgo(await saidOf({}, open))).toBe(11);
    expect(minutesAgo(await saidOf({ prompt: 'login' }, open))).toBe(0);
    await expect(tenant.signedInEarlier('11 minutes')).rejects.toThrow(/PT11M/);
  });
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

describe('a code is refused', () => {
  const INVALID = (code: number, suberror?: string) => [400, 'invalid_grant', code, suberror];
  test.each<[string, Record<string, string | undefined>, unknown[]]>([
    ['with a verifier that does not fit', { code_verifier: 'another-verifier-that-is-long-enough-to-be-one' }, INVALID(501_481)],
    ['without its verifier', { code_verifier: undefined }, INVALID(501_481)],
    ['with another redirect address', { redirect_uri: 'http://localhost:3001/auth/redirect' }, INVALID(50_011)],
    ['without its redirect address', { redirect_uri: undefined }, INVALID(50_011)],
    ['that is not known', { code: 'nothing' }, INVALID(70_008)],
    ['with a scope that nobody consented to', { scope: 'User.Read Mail.Read' }, INVALID(65_001, 'consent_required')],
    ['with a wrong secret', { client_secret: 'wrong' }, [401, 'invalid_client', 7_000_215, undefined]],
    ['without a secret', { client_secret: undefined }, [401, 'invalid_client', 7_000_215, undefined]],
    ['of an unknown application', { client_id: OTHER }, [400, 'unauthorized_client', 700_016, undefined]],
    ['with a grant type that is not offered', { grant_type: 'password' }, [400, 'unsupported_grant_type', 70_003, undefined]],
  ])('%s', async (_what, change, expected) => {
    const { fields } = await codeOf();
    const answer = await tenant.token({ ...fields, ...change });
    expect(refusal(answer)).toEqual(expected);
    expect(answer.body.error_description).toMatch(/^AADSTS\d+: .* Trace ID: .* Correlation ID: .* Timestamp: /);
    expect(answer.body).not.toHaveProperty('access_token');
  });

  test('the second time, and also after a first time that failed', async () => {
    const { fields } = await codeOf();
    expect((await tenant.token(fields)).status).toBe(200);
    expect(refusal(await tenant.token(fields))).toEqual(INVALID(54_005));
    const other = await codeOf();
    await tenant.token({ ...other.fields, code_verifier: 'wrong' });
    expect(refusal(await tenant.token(other.fields))).toEqual(INVALID(54_005));
  });

  test.each([[9, 200], [10, 400]])('after %i min it answers %i', async (minutes, status) => {
    const { fields } = await codeOf();
    later(minutes);
    expect((await tenant.token(fields)).status).toBe(status);
  });
});

describe('a refresh token', () => {
  const refresh = (token: string, more: Record<string, string> = {}) => tenant.token({ grant_type: 'refresh_token', refresh_token: token, scope: 'User.Read', ...more });

  test('brings new tokens and another refresh token, which works as well', async () => {
    const first = (await tenant.redeem(ANA)).body;
    const second = await refresh(first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    expect((await tenant.graphWith((await refresh(second.body.refresh_token)).body.access_token)('GET', '/v1.0/me')).body.userPrincipalName).toBe(ANA);
  });

  test('is refused when it is unknown, when it is asked for what nobody consented to, and when a stronger sign-in is demanded', async () => {
    const token = (await tenant.redeem(ANA)).body.refresh_token;
    expect(refusal(await refresh('nothing'))).toEqual([400, 'invalid_grant', 700_082, undefined]);
    expect(refusal(await refresh(token, { scope: 'Mail.Read' }))).toEqual([400, 'invalid_grant', 65_001, 'consent_required']);
    for (const claims of [WITH_MFA, WITH_CONTEXT]) {
      const stronger = await refresh(token, { claims });
      expect(refusal(stronger)).toEqual([400, 'interaction_required', 50_076, 'basic_action']);
      expect(stronger.body.claims).toBe(claims);
    }
  });

  test.each([['standing', undefined], ['moved forward', 'PT8H']])('ends with the browser session when they are revoked, and a later sign-in is not touched: by a clock %s', async (_what, duration) => {
    const open = tenant.browser();
    const before = (await tenant.redeem(ANA, { scope: 'openid offline_access Directory.ReadWrite.All' }, open)).body;
    if (duration !== undefined) await tenant.advance(duration);
    expect((await tenant.graphWith(before.access_token)('POST', '/v1.0/me/revokeSignInSessions')).status).toBe(200);
    expect(refusal(await refresh(before.refresh_token))).toEqual([400, 'invalid_grant', 50_173, 'bad_token']);
    expect(new URL((await open(tenant.authorize({ prompt: 'none' }).address)).location ?? '').searchParams.get('error')).toBe('login_required');
    expect((await refresh((await tenant.redeem(ANA, {}, open)).body.refresh_token)).status).toBe(200);
  });
});

describe('the application alone', () => {
  test('gets a token with its roles and no person', async () => {
    const { status, body } = await tenant.token({ grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
    expect([status, Object.keys(body).sort()]).toEqual([200, ['access_token', 'expires_in', 'ext_expires_in', 'token_type']]);
    const claims = decodeJwt(body.access_token);
    expect(claims).toMatchObject({ aud: 'https://graph.microsoft.com', idtyp: 'app', appid: tenant.registration.clientId, tid: tenant.registration.tenantId });
    expect(claims['roles']).toContain('AuditLog.Read.All');
    expect(claims).not.toHaveProperty('scp');
  });

  test.each(['User.Read', 'https://graph.microsoft.com/User.Read', undefined])('gets none for the scope %s', async (scope) => {
    expect(refusal(await tenant.token({ grant_type: 'client_credentials', scope }))).toEqual([400, 'invalid_scope', 1_002_012, undefined]);
  });
});

describe('a stronger sign-in', () => {
  test.each([
    ['multifactor authentication', WITH_MFA, ['pwd', 'mfa'], []],
    ['an authentication context', WITH_CONTEXT, ['pwd', 'mfa'], ['c1']],
  ])('%s is asked for, then said by the access token', async (_what, claims, amr, acrs) => {
    const open = tenant.browser();
    const picker = await open(tenant.authorize({ claims }).address);
    const approve = await open(`${tenant.url}/_signin/account`, { ticket: /name="ticket" value="([\w-]+)"/.exec(picker.html)?.[1] ?? '', upn: ANA });
    expect([approve.status, approve.location]).toEqual([200, null]);
    expect(approve.html).toContain('Approve the sign-in request');
    const { body } = await tenant.redeem(ANA, { claims }, open);
    expect(decodeJwt(body.access_token)).toMatchObject({ amr, acrs, xms_cc: ['cp1'] });
  });

  test('that was proven is not asked for again, until a sign-in from the beginning is', async () => {
    const open = tenant.browser();
    await tenant.redeem(ANA, { claims: WITH_CONTEXT }, open);
    const again = await open(tenant.authorize({ claims: WITH_CONTEXT }).address);
    expect(new URL(again.location ?? '').searchParams.has('code')).toBe(true);
    expect((await open(tenant.authorize({ prompt: 'login' }).address)).html).toContain('Pick an account');
    const { body } = await tenant.redeem(ANA, { prompt: 'login' }, open);
    expect(decodeJwt(body.access_token)).toMatchObject({ amr: ['pwd'], acrs: [] });
  });

  test('is not asked for where nothing may be asked', async () => {
    const open = tenant.browser();
    await tenant.redeem(ANA, {}, open);
    expect(new URL((await open(tenant.authorize({ prompt: 'none', claims: WITH_MFA }).address)).location ?? '').searchParams.get('error')).toBe('interaction_required');
  });

  test('of one browser is nothing to another that has its ticket', async () => {
    const open = tenant.browser();
    const ticket = /name="ticket" value="([\w-]+)"/.exec((await open(tenant.authorize({ claims: WITH_MFA }).address)).html)?.[1] ?? '';
    await open(`${tenant.url}/_signin/account`, { ticket, upn: ANA });
    expect((await tenant.browser()(`${tenant.url}/_signin/approve`, { ticket })).status).toBe(400);
    const ofMaya = tenant.browser();
    await tenant.redeem(MAYA, {}, ofMaya);
    expect((await ofMaya(`${tenant.url}/_signin/approve`, { ticket })).status).toBe(400);
    expect((await open(`${tenant.url}/_signin/approve`, { ticket })).location).toContain('code=');
  });
});

describe('the browser session', () => {
  test('signs in without asking, but for another person or when the person is to choose', async () => {
    const open = tenant.browser();
    await tenant.redeem(ANA, {}, open);
    expect((await open(tenant.authorize({ login_hint: ANA }).address)).location).toContain('code=');
    const other = await open(tenant.authorize({ login_hint: MAYA }).address);
    expect([other.location, other.html.includes('Maya Lindqvist'), other.html.includes('Ana Costa')]).toEqual([null, true, false]);
    expect((await open(tenant.authorize({ prompt: 'select_account' }).address)).html).toContain('Pick an account');
  });

  test.each([
    ['goes back to a registered address', REDIRECT, 303, REDIRECT],
    ['goes nowhere else', 'http://evil.example/', 200, null],
    ['stays where no address is given', undefined, 200, null],
  ])('ends by a sign-out, which %s', async (_what, address, status, location) => {
    const open = tenant.browser();
    await tenant.redeem(ANA, {}, open);
    const out = await open(`${tenant.authority}/logout${address === undefined ? '' : `?post_logout_redirect_uri=${encodeURIComponent(address)}`}`);
    expect([out.status, out.location]).toEqual([status, location]);
    expect((await open(tenant.authorize().address)).html).toContain('Pick an account');
  });

  test('is over at the tenant too: its cookie opens nothing after the sign-out', async () => {
    const ticket = /name="ticket" value="([\w-]+)"/.exec((await tenant.browser()(tenant.authorize().address)).html)?.[1] ?? '';
    const signedIn = await fetch(`${tenant.url}/_signin/account`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ ticket, upn: ANA }) });
    const cookie = signedIn.headers.getSetCookie().map((line) => line.split(';')[0] ?? '').join('; ');
    const withCookie = async (path: string) => fetch(path, { redirect: 'manual', headers: { cookie } });
    expect((await withCookie(tenant.authorize().address)).status).toBe(303);
    await withCookie(`${tenant.authority}/logout`);
    expect((await withCookie(tenant.authorize().address)).status).toBe(200);
  });
});
