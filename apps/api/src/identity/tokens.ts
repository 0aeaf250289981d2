import { ConfidentialClientApplication, InteractionRequiredAuthError, type AuthenticationResult, type Configuration, type ICachePlugin } from '@azure/msal-node';
import type { Database } from '@gatehouse/db';
import { GraphError } from '@gatehouse/graph';
import type { Clock } from '../core/clock.ts';
import type { ClientCredential, Keys } from '../config.ts';
import { seal, unseal } from '../keys.ts';

/** Where people sign in. `metadata` is the OpenID configuration as JSON, where it is not Microsoft's own. */
export interface Authority {
  readonly tenantId: string;
  readonly clientId: string;
  readonly credential: ClientCredential;
  readonly loginUrl: string;
  /** Graph's address as tokens name it; the emulated Graph is known by Microsoft's. */
  readonly graphResource: string;
  readonly metadata: string | undefined;
}

interface TokenDeps {
  readonly authority: Authority;
  readonly db: Database;
  readonly keys: Keys;
  /** Real time, as of the sessions that need the tokens. */
  readonly systemClock: Clock;
}

/** A msal client; CP1 says that we handle claims challenges, without which PIM refuses every step-up (OAUTH.md §6). */
export function msalClient(authority: Authority, cachePlugin?: ICachePlugin): ConfidentialClientApplication {
  const { credential } = authority;
  const configuration: Configuration = {
    auth: {
      clientId: authority.clientId,
      authority: `${authority.loginUrl}/${authority.tenantId}`,
      clientCapabilities: ['CP1'],
      ...(authority.metadata !== undefined && { authorityMetadata: authority.metadata }),
      ...(credential.kind === 'secret'
        ? { clientSecret: credential.secret }
        : { clientCertificate: { thumbprintSha256: credential.thumbprintSha256, privateKey: credential.privateKey, x5c: credential.x5c } }),
    },
    ...(cachePlugin && { cache: { cachePlugin } }),
  };
  return new ConfidentialClientApplication(configuration);
}

/**
 * Tokens of people and of the portal itself. A person's refresh and access tokens are one encrypted row, opened for
 * one call and closed again; nothing of them stays in memory and nothing reaches the browser or the log.
 */
export function createTokens({ authority, db, keys, systemClock }: TokenDeps) {
  const context = (partition: string): string => `token:${authority.tenantId}:${partition}`;
  const where = (partition: string) => ({ tenantId_partition: { tenantId: authority.tenantId, partition } });

  const rowOf = (partition: string, cache: string) => ({ sealed: new Uint8Array(seal(keys, context(partition), cache)), updatedAt: systemClock.now() });

  const keep = async (partition: string, cache: string): Promise<void> => {
    const row = rowOf(partition, cache);
    await db.prisma.tokenPartition.upsert({ where: where(partition), create: { tenantId: authority.tenantId, partition, ...row }, update: row });
  };

  /**
   * The person's tokens for one call. What it fetches is kept where they are still those that it began with (no two seals are
   * alike): a call that ends after its person signed out, or proved more, neither brings back what was forgotten nor takes away
   * what is newer.
   */
  const partitionPlugin = (partition: string): ICachePlugin => {
    let begunWith: Uint8Array<ArrayBuffer> | null | undefined;
    return {
      async beforeCacheAccess(cache) {
        if (begunWith !== undefined) return;
        begunWith = (await db.prisma.tokenPartition.findUnique({ where: where(partition) }))?.sealed ?? null;
        const text = begunWith && unseal(keys, context(partition), begunWith);
        if (text !== null && text !== undefined) cache.tokenCache.deserialize(text);
      },
      async afterCacheAccess(cache) {
        if (!cache.cacheHasChanged || !begunWith) return;
        const row = rowOf(partition, cache.tokenCache.serialize());
        const { count } = await db.prisma.tokenPartition.updateMany({ where: { tenantId: authority.tenantId, partition, sealed: begunWith }, data: row });
        begunWith = count === 1 ? row.sealed : null;
      },
    };
  };

  const app = msalClient(authority);

  return {
    /** Keeps what a sign-in gave, in place of what the person had: older tokens do not know of the newer proof. */
    keep,

    async forget(partition: string): Promise<void> {
      await db.prisma.tokenPartition.deleteMany({ where: { tenantId: authority.tenantId, partition } });
    },

    /**
     * A token of the person for these scopes, which has these claims where some are named; throws `GraphError` where only the
     * person can get one. Claims are always asked of Entra itself, which knows whether the sign-in has them.
     */
    async forPerson(partition: string, scopes: readonly string[], claims?: string): Promise<string> {
      const client = msalClient(authority, partitionPlugin(partition));
      const account = await client.getTokenCache().getAccountByHomeId(partition);
      if (!account) throw new GraphError('not-signed-in', 'no tokens are kept for the person');
      try {
        return bearer(await client.acquireTokenSilent({ account, scopes: [...scopes], ...(claims !== undefined && { claims }) }));
      } catch (error) {
        throw asGraphError(error, claims);
      }
    },

    /** The portal's own token: application permissions, read-only. */
    async forApp(): Promise<string> {
      try {
        return bearer(await app.acquireTokenByClientCredential({ scopes: [`${authority.graphResource}/.default`] }));
      } catch (error) {
        throw asGraphError(error);
      }
    },
  };
}

export type Tokens = ReturnType<typeof createTokens>;

function bearer(result: AuthenticationResult | null): string {
  if (!result) throw new GraphError('unexpected', 'sign-in gave no token');
  return result.accessToken;
}

/** Why Entra gave no token. */
export function asGraphError(error: unknown, claims?: string): GraphError {
  if (error instanceof GraphError) return error;
  if (error instanceof InteractionRequiredAuthError) {
    // The grant itself is gone (password changed, sessions revoked): a stronger sign-in would not help, a new one does.
    if (error.subError === 'bad_token') return new GraphError('not-signed-in', error.errorCode, { cause: error });
    // A permission that nobody has consented to: no sign-in of the person brings it, an administrator does.
    if (error.subError === 'consent_required') return new GraphError('forbidden', error.errorCode, { cause: error });
    return new GraphError('step-up-needed', error.errorCode, { claims: error.claims || claims, cause: error });
  }
  const code = typeof error === 'object' && error !== null && 'errorCode' in error ? String(error.errorCode) : '';
  if (code === 'invalid_grant') return new GraphError('not-signed-in', code, { cause: error });
  if (code === 'invalid_client' || code === 'unauthorized_client') return new GraphError('forbidden', code, { cause: error });
  return new GraphError('unavailable', `no token: ${code || String(error)}`, { cause: error });
}
