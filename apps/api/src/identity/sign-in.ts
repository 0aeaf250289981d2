import { randomUUID } from 'node:crypto';
import { CryptoProvider, type AuthenticationResult, type ICachePlugin } from '@azure/msal-node';
import { SessionPerson, SIGN_IN_TIME_MEND, type AppRole } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Actor } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import { addMinutes } from '../core/durations.ts';
import { PortalError, type StepUp as Demand } from '../core/errors.ts';
import { record } from '../features/audit/audit.ts';
import type { Keys } from '../config.ts';
import { fingerprints, newSecret, seal, unseal } from '../keys.ts';
import { scopesOf, type ScopeSet } from './scopes.ts';
import type { Sessions } from './sessions.ts';
import { refusalOf, wasCancelled } from './sign-in.rules.ts';
import { asGraphError, msalClient, type Authority, type Tokens } from './tokens.ts';

/** Minutes that a person has to sign in at Entra before the attempt is forgotten. */
const SIGN_IN_MINUTES = 15;

/** What must come back unchanged, or match, when Entra sends the browser back. */
const Attempt = z.strictObject({
  nonce: z.string(),
  verifier: z.string(),
  scopes: z.array(z.string()),
  claims: z.string().nullable(),
  /** Session to end when this sign-in succeeds: a session id never outlives a sign-in. */
  previous: z.string().nullable(),
});
type Attempt = z.infer<typeof Attempt>;

const StepUp = z.strictObject({ claims: z.string(), scopes: z.array(z.string()), anew: z.boolean().default(false) });

const Claims = z.object({ oid: z.string(), tid: z.string(), name: z.string().optional(), preferred_username: z.string().optional(), roles: z.array(z.string()).optional(), amr: z.array(z.string()).optional(), auth_time: z.number().int().optional() });

interface SignInDeps {
  readonly authority: Authority;
  readonly db: Database;
  readonly clock: Clock;
  /** Real time: how long an attempt may take has nothing to do with a tenant's clock that is moved forward. */
  readonly systemClock: Clock;
  readonly sessionKeys: Keys;
  readonly tokenKeys: Keys;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly redirectUri: string;
  readonly log: Logger;
}

/**
 * Sign-in as a backend for the browser: authorization code with PKCE, state and nonce by msal-node. An attempt is a row
 * that is used once, found by its state together with the browser's binding cookie, so that neither alone is enough.
 */
export function createSignIn({ authority, db, clock, systemClock, sessionKeys, tokenKeys, tokens, sessions, redirectUri, log }: SignInDeps) {
  const { tenantId } = authority;
  /** Whether the last sign-in said when it was; one line where that changes, and not one for everybody who signs in. */
  let isTimeKnown = true;
  const crypto = new CryptoProvider();
  const rowKey = (purpose: string, secret: string): Uint8Array<ArrayBuffer> => new Uint8Array(fingerprints(sessionKeys, purpose, secret)[0]);

  const keepRow = async (purpose: string, secret: string, content: unknown, returnTo: string): Promise<void> => {
    const now = systemClock.now();
    await db.prisma.signIn.create({
      data: {
        tenantId, idHash: rowKey(purpose, secret), returnTo, createdAt: now, expiresAt: addMinutes(now, SIGN_IN_MINUTES),
        sealed: new Uint8Array(seal(tokenKeys, `${purpose}:${tenantId}`, JSON.stringify(content))),
      },
    });
  };

  /** Takes the row out: of two requests with the same state, one finds it. */
  const takeRow = async <T>(purpose: string, secret: string, shape: z.ZodType<T>): Promise<{ content: T; returnTo: string } | undefined> => {
    const [row] = await db.prisma.$queryRaw<{ sealed: Uint8Array; return_to: string; expires_at: Date }[]>`
      DELETE FROM sign_in WHERE tenant_id = ${tenantId}::uuid AND id_hash = ANY(${fingerprints(sessionKeys, purpose, secret)}) RETURNING sealed, return_to, expires_at`;
    if (!row || row.expires_at <= systemClock.now()) return undefined;
    const text = unseal(tokenKeys, `${purpose}:${tenantId}`, row.sealed);
    return text === undefined ? undefined : { content: shape.parse(JSON.parse(text)), returnTo: row.return_to };
  };

  return {
    /** Where to send the browser. `binding` is the secret of its binding cookie. */
    async begin(wish: { binding: string; returnTo: string; stepUp?: string | undefined; account?: string | undefined; pickAccount: boolean; current: { actor: Actor; secret: string } | undefined }): Promise<string> {
      const stepUp = wish.stepUp !== undefined && wish.current ? await takeRow('step-up', `${wish.stepUp}:${wish.current.actor.principalId}`, StepUp) : undefined;
      const state = newSecret();
      const { verifier, challenge } = await crypto.generatePkceCodes();
      const attempt: Attempt = {
        nonce: newSecret(), verifier,
        scopes: stepUp ? stepUp.content.scopes : [...scopesOf('sign-in')],
        claims: stepUp?.content.claims || null,
        previous: wish.current?.secret ?? null,
      };
      await keepRow('sign-in', `${state}:${wish.binding}`, attempt, wish.returnTo);
      return msalClient(authority).getAuthCodeUrl({
        scopes: attempt.scopes, redirectUri, state, nonce: attempt.nonce, codeChallenge: challenge, codeChallengeMethod: 'S256', responseMode: 'query',
        ...(attempt.claims !== null && { claims: attempt.claims }),
        // Entra's own session must not do for somebody who is to prove it anew. Whether they did is told by `auth_time` afterwards: a browser may leave this out.
        ...(wish.pickAccount ? { prompt: 'select_account' } : stepUp?.content.anew && { prompt: 'login' }),
        ...(stepUp && wish.current ? { loginHint: wish.current.actor.upn } : wish.account !== undefined && { loginHint: wish.account }),
      });
    },

    /** Ends a sign-in: a new session, always with a new id. Throws where anything does not match. */
    async complete(back: { binding: string | undefined; state: string | undefined; code: string | undefined; error: string | undefined; description: string | undefined; address: string }): Promise<{ secret: string; returnTo: string } | { cancelled: string }> {
      const found = back.binding !== undefined && back.state !== undefined ? await takeRow('sign-in', `${back.state}:${back.binding}`, Attempt) : undefined;
      if (!found) throw new PortalError('invalid-request', { detail: 'This sign-in was begun in another browser, is over 15 minutes old, or was used already. Sign in again.' });
      const { content: attempt, returnTo } = found;
      if (back.code === undefined) {
        if (wasCancelled(back)) return { cancelled: returnTo };
        throw refusalOf(back);
      }

      let cache = '';
      const catcher: ICachePlugin = { beforeCacheAccess: async () => {}, afterCacheAccess: async (context) => { cache = context.tokenCache.serialize(); } };
      const result = await msalClient(authority, catcher).acquireTokenByCode({
        code: back.code, codeVerifier: attempt.verifier, redirectUri, scopes: attempt.scopes, nonce: attempt.nonce,
        ...(attempt.claims !== null && { claims: attempt.claims }),
      }, { code: back.code, nonce: attempt.nonce }).catch((error: unknown) => { throw asGraphError(error); });

      const person = personOf(result, tenantId);
      if (isTimeKnown !== (person.authenticatedAt !== undefined)) {
        isTimeKnown = !isTimeKnown;
        if (isTimeKnown) log.info('Microsoft Entra says again when people sign in');
        else log.warn(`Microsoft Entra does not say when people sign in: nobody can take much of the log along. ${SIGN_IN_TIME_MEND}`);
      }
      await tokens.keep(person.accountId, cache);
      const secret = await db.prisma.$transaction(async (tx) => {
        if (attempt.previous !== null) await sessions.end(tx, attempt.previous);
        await record(tx, { id: randomUUID(), at: clock.now(), actor: person, type: 'session.begun', kind: 'portal-sign-in', result: 'success', subject: { id: person.principalId, name: person.name }, data: { roles: person.roles, address: back.address } });
        await sessions.narrow(tx, person);
        return sessions.begin(tx, person, { amr: person.amr, address: back.address });
      });
      return { secret, returnTo };
    },

    /** Keeps what is demanded of the person, and answers the address that meets it; the page adds where to come back to. */
    async beginStepUp(actor: Actor, { claims, anew = false }: Demand, scopeSet: ScopeSet): Promise<string> {
      const id = randomUUID();
      await keepRow('step-up', `${id}:${actor.principalId}`, { claims, scopes: [...scopesOf(scopeSet)], anew }, '/');
      return `/auth/sign-in?stepUp=${id}`;
    },

    /** Where the browser goes to end the sign-in at Entra too. */
    signOutUrl(publicUrl: string): string {
      const endpoint = authority.metadata === undefined
        ? `${authority.loginUrl}/${tenantId}/oauth2/v2.0/logout`
        : z.object({ end_session_endpoint: z.string() }).parse(JSON.parse(authority.metadata)).end_session_endpoint;
      return `${endpoint}?post_logout_redirect_uri=${encodeURIComponent(`${publicUrl}/`)}`;
    },
  };
}

export type SignInService = ReturnType<typeof createSignIn>;

function personOf(result: AuthenticationResult, tenantId: string): Actor & { amr: string[] } {
  const claims = Claims.parse(result.idTokenClaims);
  if (claims.tid.toLowerCase() !== tenantId || !result.account) throw new PortalError('not-permitted', { detail: 'This account belongs to another organisation. Sign in with an account of this one.' });
  const known: readonly AppRole[] = SessionPerson.shape.roles.element.options;
  return {
    tenantId,
    principalId: claims.oid.toLowerCase(),
    name: claims.name ?? claims.preferred_username ?? claims.oid,
    upn: claims.preferred_username ?? '',
    roles: known.filter((role) => claims.roles?.includes(role)),
    accountId: result.account.homeAccountId,
    device: null,
    amr: claims.amr ?? [],
    ...(claims.auth_time !== undefined && { authenticatedAt: new Date(claims.auth_time * 1000) }),
  };
}
