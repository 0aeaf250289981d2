import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT, type CryptoKey, type JWK } from 'jose';
import { GraphRefusal, type Caller } from '../graph/route.ts';
import type { OptionalClaim, Tenant, User } from '../tenant.ts';

export const GRAPH_AUDIENCE = 'https://graph.microsoft.com';
/** Life of a token, as Entra's default says it: an hour, less a second. */
export const TOKEN_SECONDS = 3599;

/** The tenant's signing key, as it is kept in the snapshot. */
export interface SigningKey { readonly kid: string; readonly privateJwk: JWK; readonly publicJwk: JWK }

export async function makeSigningKey(newId: () => string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = newId().replaceAll('-', '').slice(0, 27);
  return { kid, privateJwk: await exportJWK(privateKey), publicJwk: { ...await exportJWK(publicKey), kid, use: 'sig', alg: 'RS256' } };
}

/** What a person proved when they signed in. */
export interface Proof {
  readonly userId: string; readonly amr: readonly string[]; readonly acrs: readonly string[]; readonly authTime: number;
  /** The person's `signInSessionsValidFromDateTime` when they signed in: another one since then means that the sign-in was revoked. */
  readonly validFrom: string;
}

export interface Tokens {
  idToken(user: User, proof: Proof, wish: { clientId: string; nonce: string | undefined; roles: readonly string[]; optional: readonly OptionalClaim[] }): Promise<string>;
  accessToken(user: User, proof: Proof, wish: { clientId: string; scopes: readonly string[]; cp1: boolean }): Promise<string>;
  appToken(clientId: string, roles: readonly string[]): Promise<string>;
  /** Who a Graph call's token is for; throws `GraphRefusal` 401 in Graph's words. */
  caller(authorization: string | undefined): Promise<Caller>;
  readonly jwks: { readonly keys: readonly JWK[] };
}

export async function createTokens({ key, tenant, newId }: { key: SigningKey; tenant: () => Tenant; newId: () => string }): Promise<Tokens> {
  const privateKey = await importJWK(key.privateJwk, 'RS256') as CryptoKey;
  const publicKey = await importJWK(key.publicJwk, 'RS256') as CryptoKey;
  const issuer = (): string => `https://login.microsoftonline.com/${tenant().id}/v2.0`;
  // Tokens live by real time, as msal-node counts it: a tenant whose clock is moved forward signs nobody out.
  const sign = (claims: Record<string, unknown>, audience: string): Promise<string> => new SignJWT({ ver: '2.0', tid: tenant().id, uti: newId(), ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid }).setIssuer(issuer()).setAudience(audience).setIssuedAt().setNotBefore('0s').setExpirationTime(`${TOKEN_SECONDS}s`).sign(privateKey);

  return {
    jwks: { keys: [key.publicJwk] },
    idToken: (user, proof, { clientId, nonce, roles, optional }) => sign({
      sub: `${user.id}.${clientId}`, oid: user.id, name: user.displayName, preferred_username: user.userPrincipalName, ...(nonce !== undefined && { nonce }), ...(roles.length > 0 && { roles }),
      ...(optional.includes('auth_time') && { auth_time: proof.authTime }), amr: proof.amr, ...(proof.acrs.length > 0 && { acrs: proof.acrs }),
    }, clientId),
    accessToken: (user, proof, { clientId, scopes, cp1 }) => sign({
      sub: user.id, oid: user.id, name: user.displayName, upn: user.userPrincipalName, appid: clientId, azp: clientId, scp: scopes.join(' '), amr: proof.amr, acrs: proof.acrs, auth_time: proof.authTime, ...(cp1 && { xms_cc: ['cp1'] }),
    }, GRAPH_AUDIENCE),
    appToken: (clientId, roles) => sign({ sub: clientId, oid: clientId, appid: clientId, azp: clientId, idtyp: 'app', roles }, GRAPH_AUDIENCE),
    async caller(authorization) {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) throw new GraphRefusal(401, 'InvalidAuthenticationToken', 'Access token is empty.');
      const { payload } = await jwtVerify(token, publicKey, { issuer: issuer(), audience: GRAPH_AUDIENCE, algorithms: ['RS256'] }).catch((error: unknown) => {
        const expired = error instanceof Error && 'code' in error && error.code === 'ERR_JWT_EXPIRED';
        throw new GraphRefusal(401, 'InvalidAuthenticationToken', expired ? 'Lifetime validation failed, the token is expired.' : 'Access token validation failure.');
      });
      const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
      if (payload['idtyp'] === 'app') return { kind: 'app', appId: String(payload['appid']), roles: list(payload['roles']) };
      const user = tenant().users.find(({ id }) => id === payload['oid']);
      if (!user?.accountEnabled) throw new GraphRefusal(401, 'InvalidAuthenticationToken', 'The user account is disabled or deleted.');
      return { kind: 'user', user, appId: String(payload['appid']), scopes: String(payload['scp'] ?? '').split(' '), acrs: list(payload['acrs']), amr: list(payload['amr']), authTime: Number(payload['auth_time']), cp1: list(payload['xms_cc']).includes('cp1') };
    },
  };
}
