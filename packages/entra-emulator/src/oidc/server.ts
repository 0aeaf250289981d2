import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import type { Application, Tenant, User } from '../tenant.ts';
import { accountPicker, approvePage, errorPage, PAGE_POLICY, signedOutPage, type Account } from './pages.ts';
import { TOKEN_SECONDS, type Proof, type Tokens } from './tokens.ts';

/** What sign-in remembers; plain data, kept in the snapshot. */
export interface SignInState {
  /** Browser sessions by cookie value. */
  sessions: Record<string, Proof>;
  refreshTokens: Record<string, { proof: Proof; clientId: string }>;
}

interface AuthorizeRequest {
  readonly clientId: string; readonly redirectUri: string; readonly state: string | undefined; readonly nonce: string | undefined; readonly scopes: readonly string[];
  readonly challenge: string; readonly prompt: string | undefined; readonly loginHint: string | undefined; readonly acrs: readonly string[]; readonly mfa: boolean; readonly cp1: boolean;
}

interface Code { readonly request: AuthorizeRequest; readonly proof: Proof; readonly expires: number; used: boolean }

export interface OidcDeps {
  tenant(): Tenant;
  readonly tokens: Tokens;
  state(): SignInState;
  keep(): void;
  /** The tenant's time, for the log of sign-ins. */
  now(): Date;
  readonly hints: ReadonlyMap<string, string>;
  baseUrl(): string;
}

const COOKIE = 'ESTSAUTH';
const CODE_MS = 10 * 60_000;
const SIGN_IN_LOG_MS = 30 * 24 * 60 * 60_000;
const OPENID = ['openid', 'profile', 'email', 'offline_access'];
const secret = (): string => randomBytes(32).toString('base64url');

/** Sign-in of the emulated tenant: authorization code with PKCE, refresh, client credentials, sign-out (OAUTH.md). */
export function oidc(deps: OidcDeps): { router: Router; signedInUser(req: Request): User | undefined } {
  const router = express.Router();
  /** Sign-ins that are at the pages, and codes under way: they last minutes, and no snapshot. */
  const tickets = new Map<string, { request: AuthorizeRequest; userId?: string }>();
  const codes = new Map<string, Code>();
  const form = express.urlencoded({ extended: false, limit: '64kb' });

  const sessionOf = (req: Request): { id: string; proof: Proof; user: User } | undefined => {
    const id = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(req.headers.cookie ?? '')?.[1];
    const proof = id === undefined ? undefined : deps.state().sessions[id];
    const user = proof && deps.tenant().users.find((one) => one.id === proof.userId);
    if (id === undefined || !proof || !user?.accountEnabled || isRevoked(proof, user)) return undefined;
    return { id, proof, user };
  };
  const show = (res: Response, html: string, status = 200): void => {
    res.status(status).set({ 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' }).type('html').send(html);
  };
  const name = (): string => deps.tenant().displayName;
  const clientOf = (clientId: string): Application | undefined => deps.tenant().applications.find(({ appId, registration }) => appId === clientId && registration !== null);

  const sendBack = (res: Response, request: AuthorizeRequest, values: Record<string, string>): void => {
    const url = new URL(request.redirectUri);
    for (const [key, value] of Object.entries({ ...values, ...(request.state !== undefined && { state: request.state }) })) url.searchParams.set(key, value);
    res.redirect(303, url.href);
  };

  /** Writes a sign-in into the tenant's log, which keeps 30 days. */
  const log = ({ clientId, acrs }: AuthorizeRequest, user: User, failure?: { readonly code: number; readonly reason: string }): void => {
    const tenant = deps.tenant();
    const at = deps.now();
    tenant.signIns = (tenant.signIns ?? []).filter(({ createdDateTime }) => Date.parse(createdDateTime) > at.getTime() - SIGN_IN_LOG_MS);
    tenant.signIns.push({ id: randomUUID(), correlationId: randomUUID(), createdDateTime: at.toISOString(), userId: user.id, appId: clientId, errorCode: failure?.code ?? 0, failureReason: failure?.reason ?? null, acrs: [...acrs] });
  };

  /** Goes on as far as it can without asking: assignment, then the proof that was demanded, then the code. */
  const proceed = (res: Response, ticket: string, request: AuthorizeRequest, session: { proof: Proof; user: User }, force: boolean): void => {
    const { user, proof } = session;
    const sp = deps.tenant().servicePrincipals.find(({ appId }) => appId === request.clientId);
    if (sp?.appRoleAssignmentRequired === true && rolesOf(user, request.clientId).length === 0) {
      log(request, user, { code: 50_105, reason: 'The signed in user is not assigned to a role for the signed in application.' });
      return show(res, errorPage(name(), 'AADSTS50105', `${user.displayName} is not assigned to a role of the application.`), 403);
    }
    const missing = (request.mfa && !proof.amr.includes('mfa')) || request.acrs.some((one) => !proof.acrs.includes(one));
    if (missing || (force && request.mfa)) {
      if (request.prompt === 'none') return sendBack(res, request, { error: 'interaction_required', error_description: 'AADSTS50076: A stronger sign-in is required.' });
      tickets.set(ticket, { request, userId: user.id });
      return show(res, approvePage(name(), ticket, user, request.acrs.length > 0 ? 'The application asks for a stronger sign-in (authentication context).' : 'The application asks for multifactor authentication.'));
    }
    tickets.delete(ticket);
    log(request, user);
    const code = secret();
    codes.set(code, { request, proof, expires: Date.now() + CODE_MS, used: false });
    sendBack(res, request, { code, session_state: secret().slice(0, 22) });
  };

  const rolesOf = (user: User, clientId: string): string[] => {
    const tenant = deps.tenant();
    const sp = tenant.servicePrincipals.find(({ appId }) => appId === clientId);
    const groups = tenant.groups.filter(({ memberIds }) => memberIds.includes(user.id)).map(({ id }) => id);
    const held = tenant.appRoleAssignments.filter(({ resourceId, principalId }) => resourceId === sp?.id && [user.id, ...groups].includes(principalId)).map(({ appRoleId }) => appRoleId);
    return (sp?.appRoles ?? []).filter(({ id, isEnabled }) => isEnabled && held.includes(id)).flatMap(({ value }) => (value === null ? [] : [value]));
  };

  const setSession = (res: Response, proof: Proof): void => {
    const id = secret();
    deps.state().sessions[id] = proof;
    res.append('Set-Cookie', `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400`);
    deps.keep();
  };

  const configuration = (): Record<string, unknown> => {
    const base = `${deps.baseUrl()}/${deps.tenant().id}`;
    return {
      token_endpoint: `${base}/oauth2/v2.0/token`, token_endpoint_auth_methods_supported: ['client_secret_post'], jwks_uri: `${base}/discovery/v2.0/keys`,
      response_modes_supported: ['query'], subject_types_supported: ['pairwise'], id_token_signing_alg_values_supported: ['RS256'], response_types_supported: ['code'],
      scopes_supported: OPENID, issuer: `https://login.microsoftonline.com/${deps.tenant().id}/v2.0`, authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`, claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'oid', 'roles', 'amr', 'acrs'],
      tenant_region_scope: 'EU', cloud_instance_name: 'microsoftonline.com', msgraph_host: 'graph.microsoft.com',
    };
  };

  router.get('/:tenant/v2.0/.well-known/openid-configuration', (req, res) => {
    if (req.params['tenant'] !== deps.tenant().id) return void res.status(400).json({ error: 'invalid_tenant', error_description: `AADSTS90002: Tenant '${String(req.params['tenant'])}' not found.` });
    res.json(configuration());
  });
  router.get('/:tenant/discovery/v2.0/keys', (_req, res) => { res.json(deps.tokens.jwks); });

  router.get('/:tenant/oauth2/v2.0/authorize', (req, res) => {
    const query = Object.fromEntries(new URLSearchParams(req.url.split('?')[1] ?? ''));
    if (req.params['tenant'] !== deps.tenant().id) return show(res, errorPage(name(), 'AADSTS90002', 'There is no such tenant.'), 400);
    const client = clientOf(query['client_id'] ?? '');
    if (!client?.registration) return show(res, errorPage(name(), 'AADSTS700016', 'The application is not known in this tenant.'), 400);
    if (!client.registration.redirectUris.some((registered) => sameRedirect(registered, query['redirect_uri'] ?? ''))) return show(res, errorPage(name(), 'AADSTS50011', 'The redirect address of the request is not one that is registered for the application.'), 400);
    const scopes = (query['scope'] ?? '').split(' ').filter(Boolean);
    const demands = claimsOf(query['claims']);
    const request: AuthorizeRequest = {
      clientId: client.appId, redirectUri: query['redirect_uri'] ?? '', state: query['state'], nonce: query['nonce'], scopes, challenge: query['code_challenge'] ?? '', prompt: query['prompt'],
      loginHint: query['login_hint'], ...demands,
    };
    if (query['response_type'] !== 'code') return sendBack(res, request, { error: 'unsupported_response_type', error_description: 'AADSTS700054: only response_type=code is offered.' });
    if (request.challenge === '' || query['code_challenge_method'] !== 'S256') return sendBack(res, request, { error: 'invalid_request', error_description: 'AADSTS9002325: Proof Key for Code Exchange is required.' });
    const unconsented = unconsentedOf(client, scopes);
    if (unconsented.length > 0) return sendBack(res, request, { error: 'consent_required', error_description: `AADSTS65001: No consent for ${unconsented.join(', ')}.` });

    const ticket = secret();
    const session = sessionOf(req);
    const fits = session && (request.loginHint === undefined || session.user.userPrincipalName.toLowerCase() === request.loginHint.toLowerCase());
    if (session && fits === true && request.prompt !== 'select_account' && request.prompt !== 'login') return proceed(res, ticket, request, session, false);
    if (request.prompt === 'none') return sendBack(res, request, { error: 'login_required', error_description: 'AADSTS50058: Nobody is signed in.' });
    tickets.set(ticket, { request });
    const accounts: Account[] = deps.tenant().users.filter(({ accountEnabled }) => accountEnabled).map((user) => ({ user, hint: deps.hints.get(user.userPrincipalName) }))
      .filter(({ user }) => request.loginHint === undefined || user.userPrincipalName.toLowerCase() === request.loginHint.toLowerCase());
    const order = [...deps.hints.keys()];
    show(res, accountPicker(name(), ticket, accounts.toSorted((a, b) => (order.indexOf(a.user.userPrincipalName) + 1 || 99) - (order.indexOf(b.user.userPrincipalName) + 1 || 99))));
  });

  router.post('/_signin/account', form, (req, res) => {
    const { ticket = '', upn = '' } = req.body as Record<string, string>;
    const pending = tickets.get(ticket);
    const user = deps.tenant().users.find(({ userPrincipalName, accountEnabled }) => accountEnabled && userPrincipalName === upn);
    if (!pending || !user) return show(res, errorPage(name(), 'AADSTS50058', 'This sign-in is over. Begin again at the application.'), 400);
    const current = sessionOf(req);
    const proof = current?.user.id === user.id && pending.request.prompt !== 'login' ? current.proof : passwordProof(user);
    setSession(res, proof);
    proceed(res, ticket, pending.request, { proof, user }, false);
  });

  router.post('/_signin/approve', form, (req, res) => {
    const { ticket = '' } = req.body as Record<string, string>;
    const pending = tickets.get(ticket);
    const session = sessionOf(req);
    if (!pending || !session || session.user.id !== pending.userId) return show(res, errorPage(name(), 'AADSTS50058', 'This sign-in is over. Begin again at the application.'), 400);
    const proof: Proof = { ...passwordProof(session.user), amr: ['pwd', 'mfa'], acrs: [...new Set([...session.proof.acrs, ...pending.request.acrs])] };
    setSession(res, proof);
    proceed(res, ticket, pending.request, { proof, user: session.user }, false);
  });

  router.get('/_signin/cancel', (req, res) => {
    const ticket = new URLSearchParams(req.url.split('?')[1] ?? '').get('ticket') ?? '';
    const pending = tickets.get(ticket);
    tickets.delete(ticket);
    if (!pending) return show(res, errorPage(name(), 'AADSTS50058', 'This sign-in is over. Begin again at the application.'), 400);
    sendBack(res, pending.request, { error: 'access_denied', error_description: 'AADSTS65004: The person declined.' });
  });

  // A sign-in at the tenant itself, for its private resources: no application takes part.
  router.get('/_signin', (req, res) => {
    const query = new URLSearchParams(req.url.split('?')[1] ?? '');
    const returnTo = query.get('returnTo') ?? '/';
    if (!/^\/private\/[^\\]*$/.test(returnTo)) return show(res, errorPage(name(), 'AADSTS50011', 'The address to return to is not one of this tenant.'), 400);
    if (sessionOf(req) && query.get('prompt') !== 'select_account') return res.redirect(303, returnTo);
    const ticket = secret();
    tickets.set(ticket, { request: { clientId: '', redirectUri: returnTo, state: undefined, nonce: undefined, scopes: [], challenge: '', prompt: 'login', loginHint: undefined, acrs: [], mfa: false, cp1: false } });
    const order = [...deps.hints.keys()];
    const accounts = deps.tenant().users.filter(({ accountEnabled }) => accountEnabled).map((user) => ({ user, hint: deps.hints.get(user.userPrincipalName) }));
    show(res, accountPicker(name(), ticket, accounts.toSorted((a, b) => (order.indexOf(a.user.userPrincipalName) + 1 || 99) - (order.indexOf(b.user.userPrincipalName) + 1 || 99))).replaceAll('action="/_signin/account"', 'action="/_signin/here"'));
  });
  router.post('/_signin/here', form, (req, res) => {
    const { ticket = '', upn = '' } = req.body as Record<string, string>;
    const pending = tickets.get(ticket);
    tickets.delete(ticket);
    const user = deps.tenant().users.find(({ userPrincipalName, accountEnabled }) => accountEnabled && userPrincipalName === upn);
    if (!pending || !user) return show(res, errorPage(name(), 'AADSTS50058', 'This sign-in is over. Begin again.'), 400);
    setSession(res, passwordProof(user));
    res.redirect(303, pending.request.redirectUri);
  });

  router.post('/:tenant/oauth2/v2.0/token', form, (req, res, next) => {
    token(req).then(({ status, body }) => { res.status(status).set('Cache-Control', 'no-store').json(body); }).catch(next);
  });

  const refusal = (status: number, error: string, code: number, text: string, more: Record<string, unknown> = {}) => {
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z').replace('T', ' ');
    return { status, body: { error, error_description: `AADSTS${code}: ${text} Trace ID: ${secret().slice(0, 8)} Correlation ID: ${secret().slice(0, 8)} Timestamp: ${at}`, error_codes: [code], timestamp: at, trace_id: secret().slice(0, 8), correlation_id: secret().slice(0, 8), ...more } };
  };

  const token = async (req: Request): Promise<{ status: number; body: unknown }> => {
    const body = req.body as Record<string, string>;
    if (req.params['tenant'] !== deps.tenant().id) return refusal(400, 'invalid_request', 90_002, `Tenant '${String(req.params['tenant'])}' not found.`);
    const client = clientOf(body['client_id'] ?? '');
    if (!client?.registration) return refusal(400, 'unauthorized_client', 700_016, 'Application was not found in the directory.');
    if (!sameSecret(client.registration.secret, body['client_secret'] ?? '')) return refusal(401, 'invalid_client', 7_000_215, 'Invalid client secret provided.');
    switch (body['grant_type']) {
      case 'client_credentials':
        if (body['scope'] !== 'https://graph.microsoft.com/.default') return refusal(400, 'invalid_scope', 1_002_012, 'The scope must end with /.default.');
        return { status: 200, body: { token_type: 'Bearer', expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS, access_token: await deps.tokens.appToken(client.appId, client.registration.applicationRoles) } };
      case 'authorization_code': {
        const code = codes.get(body['code'] ?? '');
        if (!code || code.expires <= Date.now()) return refusal(400, 'invalid_grant', 70_008, 'The provided authorization code has expired.');
        if (code.used) return refusal(400, 'invalid_grant', 54_005, 'OAuth2 Authorization code was already redeemed.');
        code.used = true;
        if (code.request.clientId !== client.appId || code.request.redirectUri !== body['redirect_uri']) return refusal(400, 'invalid_grant', 50_011, 'The reply URL does not match the one of the authorization request.');
        if (createHash('sha256').update(body['code_verifier'] ?? '').digest('base64url') !== code.request.challenge) return refusal(400, 'invalid_grant', 501_481, 'The Code_Verifier does not match the code_challenge supplied in the authorization request.');
        const scopes = (body['scope'] ?? code.request.scopes.join(' ')).split(' ').filter(Boolean);
        if (unconsentedOf(client, scopes).length > 0) return refusal(400, 'invalid_grant', 65_001, 'The user or administrator has not consented to use the application.', { suberror: 'consent_required' });
        return grant(client, code.proof, scopes, code.request.nonce, claimsOf(body['claims']).cp1);
      }
      case 'refresh_token': {
        const kept = deps.state().refreshTokens[body['refresh_token'] ?? ''];
        if (!kept || kept.clientId !== client.appId) return refusal(400, 'invalid_grant', 700_082, 'The refresh token has expired or is not known.');
        const user = deps.tenant().users.find(({ id }) => id === kept.proof.userId);
        if (!user?.accountEnabled || isRevoked(kept.proof, user)) return refusal(400, 'invalid_grant', 50_173, 'The provided grant has expired due to it being revoked.', { suberror: 'bad_token' });
        const demands = claimsOf(body['claims']);
        const scopes = (body['scope'] ?? '').split(' ').filter(Boolean);
        if (unconsentedOf(client, scopes).length > 0) return refusal(400, 'invalid_grant', 65_001, 'The user or administrator has not consented to use the application.', { suberror: 'consent_required' });
        if ((demands.mfa && !kept.proof.amr.includes('mfa')) || demands.acrs.some((one) => !kept.proof.acrs.includes(one))) return refusal(400, 'interaction_required', 50_076, 'You must use multi-factor authentication to access the resource.', { claims: body['claims'], suberror: 'basic_action' });
        return grant(client, kept.proof, scopes, undefined, demands.cp1);
      }
      default:
        return refusal(400, 'unsupported_grant_type', 70_003, 'The grant type is not supported.');
    }
  };

  const grant = async (client: Application, proof: Proof, scopes: readonly string[], nonce: string | undefined, cp1: boolean): Promise<{ status: number; body: unknown }> => {
    const user = deps.tenant().users.find(({ id }) => id === proof.userId);
    if (!user) return refusal(400, 'invalid_grant', 50_034, 'The user account does not exist.');
    const refreshToken = secret();
    deps.state().refreshTokens[refreshToken] = { proof, clientId: client.appId };
    deps.keep();
    const graphScopes = scopes.filter((scope) => !OPENID.includes(scope)).map(short);
    return {
      status: 200,
      body: {
        token_type: 'Bearer', scope: scopes.filter((scope) => scope !== 'offline_access').join(' '), expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS,
        access_token: await deps.tokens.accessToken(user, proof, { clientId: client.appId, scopes: graphScopes, cp1 }),
        refresh_token: refreshToken,
        id_token: await deps.tokens.idToken(user, proof, { clientId: client.appId, nonce, roles: rolesOf(user, client.appId), optional: client.registration?.idTokenClaims ?? [] }),
        client_info: Buffer.from(JSON.stringify({ uid: user.id, utid: deps.tenant().id })).toString('base64url'),
      },
    };
  };

  router.get('/:tenant/oauth2/v2.0/logout', (req, res) => {
    const session = sessionOf(req);
    if (session) {
      const { [session.id]: _ended, ...rest } = deps.state().sessions;
      deps.state().sessions = rest;
      deps.keep();
    }
    res.append('Set-Cookie', `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`);
    const back = new URLSearchParams(req.url.split('?')[1] ?? '').get('post_logout_redirect_uri') ?? '';
    const registered = deps.tenant().applications.some(({ registration }) => registration?.redirectUris.some((uri) => sameRedirect(uri, back)) === true);
    if (registered) return res.redirect(303, back);
    show(res, signedOutPage(name()));
  });

  return { router, signedInUser: (req) => sessionOf(req)?.user };
}

const passwordProof = (user: User): Proof => ({ userId: user.id, amr: ['pwd'], acrs: [], authTime: Math.floor(Date.now() / 1000), validFrom: user.signInSessionsValidFromDateTime });

/** Told by the mark and not by the time: a sign-in lives by real time, and the mark is set by the tenant's clock, which may be moved. */
const isRevoked = (proof: Proof, user: User): boolean => proof.validFrom !== user.signInSessionsValidFromDateTime;

/** As Entra compares: exactly, but for the port of `http://localhost`. */
function sameRedirect(registered: string, given: string): boolean {
  if (!URL.canParse(given)) return false;
  const [one, other] = [new URL(registered), new URL(given)];
  if (one.protocol === 'http:' && one.hostname === 'localhost') return other.protocol === 'http:' && other.hostname === 'localhost' && one.pathname === other.pathname && other.search === '';
  return registered === given;
}

function sameSecret(kept: string, given: string): boolean {
  const [one, other] = [Buffer.from(kept), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

const unconsentedOf = ({ registration }: Application, scopes: readonly string[]): string[] => scopes.filter((scope) => !OPENID.includes(scope) && registration?.delegatedScopes.includes(short(scope)) !== true);
const short = (scope: string): string => scope.replace(/^https:\/\/graph\.microsoft\.com\//, '');

/** The `claims` parameter: what is demanded of the sign-in; what is not known is passed over, as OAuth asks. */
function claimsOf(text: string | undefined): { acrs: readonly string[]; mfa: boolean; cp1: boolean } {
  try {
    const { access_token: wanted } = JSON.parse(text ?? '{}') as { access_token?: Record<string, { essential?: boolean; value?: string; values?: string[] } | undefined> };
    const values = (name: string): string[] => [...(wanted?.[name]?.values ?? []), ...(wanted?.[name]?.value !== undefined ? [wanted[name].value] : [])];
    return { acrs: values('acrs'), mfa: values('amr').includes('mfa') || values('acrs').length > 0, cp1: values('xms_cc').some((value) => value.toLowerCase() === 'cp1') };
  } catch {
    return { acrs: [], mfa: false, cp1: false };
  }
}
