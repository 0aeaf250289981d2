import { randomInt, randomUUID } from 'node:crypto';
import type { Answer, AppRole, CallInput, ClaimDeviceSession, DecideDeviceSignIn, GetDeviceSignIn } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../core/actor.ts';
import type { Clock } from '../core/clock.ts';
import { addMinutes } from '../core/durations.ts';
import { PortalError } from '../core/errors.ts';
import { record } from '../features/audit/audit.ts';
import type { Keys } from '../config.ts';
import { fingerprints, newSecret } from '../keys.ts';
import { ABSOLUTE_MINUTES, type Sessions } from './sessions.ts';

/** How long a person has to allow a device. */
export const PENDING_MINUTES = 10;
/** How often a device may ask; one that asks more often waits longer from then on (RFC 8628 §3.5). */
export const INTERVAL_SECONDS = 5;
const SLOWER_BY_SECONDS = 5;
const INTERVAL_MAX_SECONDS = 60;

/** How many devices may wait for their person at once: anybody can ask, signed in or not. */
export const PENDING_MAX = 200;
export const PENDING_MAX_AN_ADDRESS = 10;

/** So many wrong codes of a person, then a pause: a code has 34 bits, and somebody's may be waiting (RFC 8628 §5.1). */
export const WRONG_CODES_MAX = 5;
const PAUSE_MINUTES = 10;

/** No vowels, so no words, and nothing that looks like something else (RFC 8628 §6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

const NO_SUCH_CODE = 'No device asks under this code. A code is good for ten minutes and for one device: compare it with the terminal, or start there again.';

interface DeviceDeps {
  readonly tenantId: string;
  readonly db: Database;
  readonly clock: Clock;
  /** Real time, as of every session. */
  readonly systemClock: Clock;
  readonly keys: Keys;
  readonly sessions: Sessions;
}

/**
 * The portal as the authorization server of a device flow (RFC 8628). A device asks, its person compares and decides at a
 * browser that Microsoft Entra signed in, and the device's code answers its session, once.
 */
export function createDeviceSignIn({ tenantId, db, clock, systemClock, keys, sessions }: DeviceDeps) {
  const hashes = (purpose: 'device-code' | 'user-code', secret: string) => fingerprints(keys, purpose, secret).map((hash) => new Uint8Array(hash));
  const newest = (purpose: 'device-code' | 'user-code', secret: string) => new Uint8Array(fingerprints(keys, purpose, secret)[0]);
  const byUserCode = (userCode: string) => ({ tenantId, userHash: { in: hashes('user-code', userCode) }, expiresAt: { gt: systemClock.now() } });

  /**
   * Runs `look`, which answers `undefined` for a code that nobody was given. An attempt is counted before the code is looked
   * up and given back when it is right, so that of many at once no more are answered than of one after the other. It counts
   * at each of the person's browsers: another tab, or another session, is no further try.
   */
  const guarded = async <T>(actor: Actor, look: () => Promise<T | undefined>): Promise<T> => {
    const now = systemClock.now();
    const { rowCount } = await db.pool.query(`
      UPDATE session SET wrong_code_at = $3, wrong_codes = CASE WHEN wrong_code_at <= $4 THEN 1 ELSE wrong_codes + 1 END
      WHERE tenant_id = $1 AND principal_id = $2 AND device IS NULL AND (wrong_codes < $5 OR wrong_code_at <= $4)`,
    [tenantId, actor.principalId, now, addMinutes(now, -PAUSE_MINUTES), WRONG_CODES_MAX]);
    if (rowCount === 0) throw new PortalError('too-many-attempts', { detail: `That was a wrong code ${WRONG_CODES_MAX} times. Wait ${PAUSE_MINUTES} min, and enter the one that your own terminal shows.`, retryAfterSeconds: PAUSE_MINUTES * 60 });
    const found = await look();
    if (found === undefined) throw new PortalError('not-found', { detail: NO_SUCH_CODE });
    await db.pool.query('UPDATE session SET wrong_codes = greatest(wrong_codes - 1, 0) WHERE tenant_id = $1 AND principal_id = $2 AND device IS NULL', [tenantId, actor.principalId]);
    return found;
  };

  return {
    /** Takes a device in, and answers its code and the one for its person. */
    async begin({ deviceName, address }: { deviceName: string; address: string }): Promise<{ deviceCode: string; userCode: string }> {
      const now = systemClock.now();
      const deviceCode = newSecret();
      const userCode = newUserCode();
      await db.prisma.$transaction(async (tx) => {
        // Counted and taken in one after the other: of many that ask at once, none gets past the limit.
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`device_sign_in:${tenantId}`}, 0))`;
        const waiting = { tenantId, status: 'pending', expiresAt: { gt: now } };
        const full = await tx.deviceSignIn.count({ where: waiting }) >= PENDING_MAX || await tx.deviceSignIn.count({ where: { ...waiting, address } }) >= PENDING_MAX_AN_ADDRESS;
        if (full) throw new PortalError('too-many-attempts', { detail: 'Too many devices wait to be allowed. Allow or deny those that you started, or try again in ten minutes.', retryAfterSeconds: PENDING_MINUTES * 60 });
        await tx.deviceSignIn.create({
          data: {
            tenantId, deviceHash: newest('device-code', deviceCode), userHash: newest('user-code', userCode.replace('-', '')), deviceName, address,
            status: 'pending', intervalSeconds: INTERVAL_SECONDS, createdAt: now, expiresAt: addMinutes(now, PENDING_MINUTES),
          },
        });
      });
      return { deviceCode, userCode };
    },

    /** Which device asks under the code, for its person to compare. */
    async find(actor: Actor, userCode: string): Promise<Answer<typeof GetDeviceSignIn>> {
      const row = await guarded(actor, async () => await db.prisma.deviceSignIn.findFirst({ where: byUserCode(userCode) }) ?? undefined);
      if (row.status !== 'pending') throw new PortalError('already-decided', { detail: 'This code was used already. Its device is told so.' });
      return { userCode: inParts(userCode), deviceName: row.deviceName, address: row.address, askedAt: row.createdAt.toISOString(), expiresAt: row.expiresAt.toISOString() };
    },

    /** Allows the device or denies it, once. */
    async decide(actor: Actor, userCode: string, decision: CallInput<typeof DecideDeviceSignIn>['body']['decision']): Promise<void> {
      const decided = await guarded(actor, async () => {
        const row = await db.prisma.deviceSignIn.findFirst({ where: byUserCode(userCode) });
        if (!row) return undefined;
        const { principalId, name, upn, roles, accountId } = actor;
        return db.prisma.$transaction(async (tx) => {
          // Of two decisions one finds it pending.
          const { count } = await tx.deviceSignIn.updateMany({
            where: { tenantId, deviceHash: row.deviceHash, status: 'pending' },
            data: decision === 'allow' ? { status: 'allowed', principalId, name, upn, roles: [...roles], accountId } : { status: 'denied' },
          });
          if (count === 1) {
            await record(tx, {
              id: randomUUID(), at: clock.now(), actor, type: decision === 'allow' ? 'device.allowed' : 'device.denied', kind: 'portal-sign-in', result: 'success',
              subject: { id: principalId, name }, reason: `${row.deviceName} (${row.address})`, data: { device: row.deviceName, address: row.address },
            });
          }
          return count;
        });
      });
      if (decided === 0) throw new PortalError('already-decided', { detail: 'This code was used already. Its device is told so.' });
    },

    /** How it stands with the device of this code; of all who ask, one gets the session that it was allowed. */
    async claim(deviceCode: string): Promise<Answer<typeof ClaimDeviceSession>> {
      const now = systemClock.now();
      const row = await db.prisma.deviceSignIn.findFirst({ where: { tenantId, deviceHash: { in: hashes('device-code', deviceCode) }, expiresAt: { gt: now } } });
      if (!row || row.status === 'claimed') return { state: 'expired' };
      if (row.status === 'denied') return { state: 'access-denied' };
      const here = { tenantId, deviceHash: row.deviceHash };

      if (row.status === 'pending') {
        const rested = new Date(now.getTime() - row.intervalSeconds * 1000);
        const { count } = await db.prisma.deviceSignIn.updateMany({ where: { ...here, OR: [{ polledAt: null }, { polledAt: { lte: rested } }] }, data: { polledAt: now } });
        if (count === 1) return { state: 'authorization-pending' };
        const intervalSeconds = Math.min(row.intervalSeconds + SLOWER_BY_SECONDS, INTERVAL_MAX_SECONDS);
        await db.prisma.deviceSignIn.updateMany({ where: here, data: { polledAt: now, intervalSeconds } });
        return { state: 'slow-down', intervalSeconds };
      }

      const { principalId, name, upn, accountId } = row;
      if (principalId === null || name === null || upn === null || accountId === null) throw new Error('the database knows who allowed a device');
      const person: Actor = { tenantId, principalId, name, upn, roles: row.roles as AppRole[], accountId, device: row.deviceName };
      const token = await db.prisma.$transaction(async (tx) => {
        const { count } = await tx.deviceSignIn.updateMany({ where: { ...here, status: 'allowed' }, data: { status: 'claimed' } });
        if (count === 0) return undefined;
        await record(tx, { id: randomUUID(), at: clock.now(), actor: person, type: 'session.begun', kind: 'portal-sign-in', result: 'success', subject: { id: principalId, name }, data: { device: row.deviceName, address: row.address, roles: person.roles } });
        return sessions.begin(tx, person, []);
      });
      if (token === undefined) return { state: 'expired' };
      return { state: 'granted', token, expiresAt: addMinutes(now, ABSOLUTE_MINUTES).toISOString(), person: { displayName: name, userPrincipalName: upn } };
    },
  };
}

export type DeviceSignIns = ReturnType<typeof createDeviceSignIn>;

function newUserCode(): string {
  return inParts(Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join(''));
}

/** `WDJBMJHT` → `WDJB-MJHT` */
const inParts = (userCode: string): string => `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
