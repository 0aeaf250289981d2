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

const KNOWN = { handle: true, device: true, address: true, createdAt: true } as const;

interface SessionDeps {
  readonly tenantId: string;
  readonly db: Database;
  /** Real time: a demo's clock that jumps 31 minutes does not mean that a browser stood idle. */
  readonly systemClock: Clock;
  readonly keys: Keys;
}

/** A session as its person may know it; its secret is not in it. */
export interface KnownSession {
  readonly handle: string;
  readonly device: string | null;
  readonly address: string | null;
  readonly createdAt: Date;
}

/** Sessions are rows: signing out holds on every replica with the next request. */
export function createSessions({ tenantId, db, systemClock, keys }: SessionDeps) {
  const hashes = (secret: string) => fingerprints(keys, 'session', secret).map((hash) => new Uint8Array(hash));
  const standing = () => ({ expiresAt: { gt: systemClock.now() }, lastSeenAt: { gt: addMinutes(systemClock.now(), -IDLE_MINUTES) } });

  /** Ends every device that the person has allowed, those that have not come for their session yet among them. */
  async function endDevices(tx: Tx, principalId: string): Promise<readonly KnownSession[]> {
    // First those that were only allowed: who comes for a session right now is waited for, and then it is found.
    await tx.deviceSignIn.deleteMany({ where: { tenantId, principalId, status: 'allowed' } });
    const devices = { tenantId, principalId, device: { not: null } };
    const ended = await tx.session.findMany({ where: { ...devices, ...standing() }, select: KNOWN });
    await tx.session.deleteMany({ where: devices });
    return ended;
  }

  return {
    /** Begins one under a new secret, which only the browser or the device keeps; it lasts no longer than `notAfter`. */
    async begin(tx: Tx, person: Actor, { amr, address, notAfter }: { readonly amr: readonly string[]; readonly address: string; readonly notAfter?: Date }): Promise<string> {
      const secret = newSecret();
      const now = systemClock.now();
      const latest = addMinutes(now, ABSOLUTE_MINUTES);
      const [idHash] = hashes(secret);
      if (!idHash) throw new Error('there is a session key');
      await tx.session.create({
        data: {
          tenantId, idHash, principalId: person.principalId, name: person.name, upn: person.upn, roles: [...person.roles],
          accountId: person.accountId, amr: [...amr], device: person.device, address, authenticatedAt: person.authenticatedAt ?? null, createdAt: now, lastSeenAt: now, expiresAt: notAfter !== undefined && notAfter < latest ? notAfter : latest,
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
      return { tenantId, principalId: row.principalId, name: row.name, upn: row.upn, roles: row.roles as AppRole[], accountId: row.accountId, device: row.device, authenticatedAt: row.authenticatedAt ?? undefined };
    },

    async end(tx: Tx, secret: string): Promise<void> {
      await tx.session.deleteMany({ where: { tenantId, idHash: { in: hashes(secret) } } });
    },

    /** When the browser's session ends at the latest; `undefined` where it has ended. Until the transaction is over nobody ends it. */
    async endOf(tx: Tx, secret: string): Promise<Date | undefined> {
      const [row] = await tx.$queryRaw<{ expires_at: Date }[]>`
        SELECT expires_at FROM session WHERE tenant_id = ${tenantId}::uuid AND id_hash = ANY(${hashes(secret)}) AND device IS NULL AND expires_at > ${systemClock.now()} FOR KEY SHARE`;
      return row?.expires_at;
    },

    /** Takes from the person's other sessions, and from what they allowed, the roles that Entra no longer names; one that is new is only where they signed in. */
    async narrow(tx: Tx, { principalId, roles }: Pick<Actor, 'principalId' | 'roles'>): Promise<void> {
      const named = [...roles];
      await tx.$executeRaw`UPDATE device_sign_in SET roles = ARRAY(SELECT unnest(roles) INTERSECT SELECT unnest(${named}::text[])) WHERE tenant_id = ${tenantId}::uuid AND principal_id = ${principalId}::uuid AND status = 'allowed' AND NOT roles <@ ${named}::text[]`;
      await tx.$executeRaw`UPDATE session SET roles = ARRAY(SELECT unnest(roles) INTERSECT SELECT unnest(${named}::text[])) WHERE tenant_id = ${tenantId}::uuid AND principal_id = ${principalId}::uuid AND NOT roles <@ ${named}::text[]`;
    },

    /** The person's sessions that stand: the one of `secret` first, then by their last use. */
    async own(principalId: string, secret: string): Promise<readonly (KnownSession & { readonly lastSeenAt: Date; readonly expiresAt: Date; readonly isCurrent: boolean })[]> {
      const rows = await db.prisma.session.findMany({ where: { tenantId, principalId, ...standing() }, orderBy: [{ lastSeenAt: 'desc' }, { createdAt: 'desc' }] });
      const current = hashes(secret);
      const isCurrent = (idHash: Uint8Array): boolean => current.some((hash) => Buffer.compare(hash, idHash) === 0);
      return rows.map(({ idHash, ...row }) => ({ ...row, isCurrent: isCurrent(idHash) })).toSorted((one, other) => Number(other.isCurrent) - Number(one.isCurrent));
    },

    /** Ends one of the person's sessions but the one of `secret`, and answers what ended: nothing where it is not theirs. With a browser its person's devices end, as by signing out there. */
    async endOne(tx: Tx, principalId: string, secret: string, handle: string): Promise<readonly KnownSession[]> {
      const ended = await tx.session.findMany({ where: { tenantId, principalId, handle, idHash: { notIn: hashes(secret) }, ...standing() }, select: KNOWN });
      // Of two who end it, one did.
      if ((await tx.session.deleteMany({ where: { tenantId, principalId, handle: { in: ended.map((one) => one.handle) } } })).count === 0) return [];
      return ended.some(({ device }) => device === null) ? [...ended, ...await endDevices(tx, principalId)] : ended;
    },

    /** Ends all of the person's sessions but the one of `secret`, with devices that were allowed and did not come yet, and answers what ended. */
    async endOthers(tx: Tx, principalId: string, secret: string): Promise<readonly KnownSession[]> {
      const devices = await endDevices(tx, principalId);
      const others = { tenantId, principalId, idHash: { notIn: hashes(secret) } };
      const ended = await tx.session.findMany({ where: { ...others, ...standing() }, select: KNOWN });
      await tx.session.deleteMany({ where: others });
      return [...devices, ...ended];
    },

    endDevices,

    /** How many need the person's tokens: their sessions that stand, and devices that they allowed and that have not come yet. */
    async others(tx: Tx, principalId: string): Promise<number> {
      const theirs = { tenantId, principalId };
      const allowed = { ...theirs, status: 'allowed', expiresAt: { gt: systemClock.now() } };
      return await tx.session.count({ where: { ...theirs, ...standing() } }) + await tx.deviceSignIn.count({ where: allowed });
    },

    /** Removes what is over: sessions, attempts to sign in, devices that asked, and tokens that no session needs. */
    async sweep(): Promise<void> {
      const now = systemClock.now();
      await db.prisma.session.deleteMany({ where: { tenantId, OR: [{ expiresAt: { lte: now } }, { lastSeenAt: { lte: addMinutes(now, -IDLE_MINUTES) } }] } });
      await db.prisma.signIn.deleteMany({ where: { tenantId, expiresAt: { lte: now } } });
      await db.prisma.deviceSignIn.deleteMany({ where: { tenantId, expiresAt: { lte: now } } });
      await db.prisma.deviceCodeAttempt.deleteMany({ where: { tenantId, wrongCodeAt: { lte: addMinutes(now, -IDLE_MINUTES) } } });
      await db.pool.query(`DELETE FROM token_partition p WHERE p.tenant_id = $1 AND p.updated_at < $2
        AND NOT EXISTS (SELECT FROM session s WHERE s.tenant_id = p.tenant_id AND s.account_id = p.partition)
        AND NOT EXISTS (SELECT FROM device_sign_in d WHERE d.tenant_id = p.tenant_id AND d.account_id = p.partition AND d.status = 'allowed')`, [tenantId, addMinutes(now, -60)]);
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;
