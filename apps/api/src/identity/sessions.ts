import type { AppRole } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import type { Actor } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import { addMinutes } from '../core/durations.ts';
import type { Keys } from '../config.ts';
import type { Credential } from '../http/session.ts';
import { fingerprints, newSecret } from '../keys.ts';

/** A session ends after so long without a request, and in any case after so long (OWASP ASVS 5.0, V7.3). */
export const IDLE_MINUTES = 30;
export const ABSOLUTE_MINUTES = 8 * 60;

interface SessionDeps {
  readonly tenantId: string;
  readonly db: Database;
  /** Real time: a demo's clock that jumps 31 minutes does not mean that a browser stood idle. */
  readonly systemClock: Clock;
  readonly keys: Keys;
}

/** Sessions are rows: signing out holds on every replica with the next request. */
export function createSessions({ tenantId, db, systemClock, keys }: SessionDeps) {
  const hashes = (secret: string) => fingerprints(keys, 'session', secret).map((hash) => new Uint8Array(hash));
  return {
    /** Begins one under a new secret, which only the browser or the device keeps. */
    async begin(tx: Tx, person: Actor, amr: readonly string[]): Promise<string> {
      const secret = newSecret();
      const now = systemClock.now();
      const [idHash] = hashes(secret);
      if (!idHash) throw new Error('there is a session key');
      await tx.session.create({
        data: {
          tenantId, idHash, principalId: person.principalId, name: person.name, upn: person.upn, roles: [...person.roles],
          accountId: person.accountId, amr: [...amr], device: person.device ?? null, createdAt: now, lastSeenAt: now, expiresAt: addMinutes(now, ABSOLUTE_MINUTES),
        },
      });
      return secret;
    },

    /**
     * Who is signed in; `undefined` where the session is over. A browser's secret is none in a bearer token and a device's is
     * none in a cookie: neither gets what the other may.
     */
    async find({ by, secret }: Credential): Promise<Actor | undefined> {
      const now = systemClock.now();
      const row = await db.prisma.session.findFirst({ where: { tenantId, idHash: { in: hashes(secret) }, device: by === 'bearer' ? { not: null } : null } });
      if (!row || row.expiresAt <= now || addMinutes(row.lastSeenAt, IDLE_MINUTES) <= now) return undefined;
      // A minute's grain keeps a busy page from writing with every request.
      if (addMinutes(row.lastSeenAt, 1) <= now) await db.prisma.session.updateMany({ where: { tenantId, idHash: row.idHash }, data: { lastSeenAt: now } });
      return { tenantId, principalId: row.principalId, name: row.name, upn: row.upn, roles: row.roles as AppRole[], accountId: row.accountId, ...(row.device !== null && { device: row.device }) };
    },

    async end(tx: Tx, secret: string): Promise<void> {
      await tx.session.deleteMany({ where: { tenantId, idHash: { in: hashes(secret) } } });
    },

    /** Ends every device that the person has allowed, those that have not come for their session yet among them. */
    async endDevices(tx: Tx, principalId: string): Promise<void> {
      await tx.session.deleteMany({ where: { tenantId, principalId, device: { not: null } } });
      await tx.deviceSignIn.deleteMany({ where: { tenantId, principalId, status: 'allowed' } });
    },

    /** Whether the person has another session whose tokens are still needed, or a device that they allowed is about to. */
    async others(tx: Tx, principalId: string): Promise<number> {
      const standing = { tenantId, principalId, expiresAt: { gt: systemClock.now() } };
      return await tx.session.count({ where: standing }) + await tx.deviceSignIn.count({ where: { ...standing, status: 'allowed' } });
    },

    /** Removes what is over: sessions, attempts to sign in, devices that asked, and tokens that no session needs. */
    async sweep(): Promise<void> {
      const now = systemClock.now();
      await db.prisma.session.deleteMany({ where: { tenantId, OR: [{ expiresAt: { lte: now } }, { lastSeenAt: { lte: addMinutes(now, -IDLE_MINUTES) } }] } });
      await db.prisma.signIn.deleteMany({ where: { tenantId, expiresAt: { lte: now } } });
      await db.prisma.deviceSignIn.deleteMany({ where: { tenantId, expiresAt: { lte: now } } });
      await db.pool.query(`DELETE FROM token_partition p WHERE p.tenant_id = $1 AND p.updated_at < $2
        AND NOT EXISTS (SELECT FROM session s WHERE s.tenant_id = p.tenant_id AND s.account_id = p.partition)
        AND NOT EXISTS (SELECT FROM device_sign_in d WHERE d.tenant_id = p.tenant_id AND d.account_id = p.partition AND d.status = 'allowed')`, [tenantId, addMinutes(now, -60)]);
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;
