import { randomInt, randomUUID } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { Answer, AppRole, CallInput, ClaimDeviceSession, DecideDeviceSignIn, GetDeviceSignIn } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../core/actor.ts';
import { shownAt, type Clock } from '../core/clock.ts';
import { addMinutes } from '../core/durations.ts';
import { PortalError } from '../core/errors.ts';
import { record } from '../features/audit/audit.ts';
import type { Keys } from '../config.ts';
import { fingerprints, newSecret } from '../keys.ts';
import type { Sessions } from './sessions.ts';

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

/** Who decides, and the secret of the browser's session in which they do. */
export interface Decider {
  readonly actor: Actor;
  readonly secret: string;
}

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
  const shown = (instant: Date): string => shownAt(instant, { systemClock, clock });
  const hashes = (purpose: 'device-code' | 'user-code', secret: string) => fingerprints(keys, purpose, secret).map((hash) => new Uint8Array(hash));
  const newest = (purpose: 'device-code' | 'user-code', secret: string) => new Uint8Array(fingerprints(keys, purpose, secret)[0]);
  const byUserCode = (userCode: string) => ({ tenantId, userHash: { in: hashes('user-code', userCode) }, expiresAt: { gt: systemClock.now() } });

  /**
   * Runs `look`, which answers `undefined` for a code that nobody was given. An attempt is counted before the code is looked
   * up and given back when it is right, so that of many at once no more are answered than of one after the other. It counts
   * for the person: another tab, another browser, another replica or another sign-in is no further try.
   */
  const guarded = async <T>(actor: Actor, look: () => Promise<T | undefined>): Promise<T> => {
    const now = systemClock.now();
    const { rowCount } = await db.pool.query(`
      INSERT INTO device_code_attempt AS so_far (tenant_id, principal_id, wrong_codes, wrong_code_at) VALUES ($1, $2, 1, $3)
      ON CONFLICT (tenant_id, principal_id) DO UPDATE SET wrong_code_at = $3, wrong_codes = CASE WHEN so_far.wrong_code_at <= $4 THEN 1 ELSE so_far.wrong_codes + 1 END
      WHERE so_far.wrong_codes < $5 OR so_far.wrong_code_at <= $4`,
    [tenantId, actor.principalId, now, addMinutes(now, -PAUSE_MINUTES), WRONG_CODES_MAX]);
    if (rowCount === 0) throw new PortalError('too-many-attempts', { detail: `That was a wrong code ${WRONG_CODES_MAX} times. Wait ${PAUSE_MINUTES} min, and enter the one that your own terminal shows.`, retryAfterSeconds: PAUSE_MINUTES * 60 });
    const found = await look();
    if (found === undefined) throw new PortalError('not-found', { detail: NO_SUCH_CODE });
    await db.pool.query('UPDATE device_code_attempt SET wrong_codes = greatest(wrong_codes - 1, 0) WHERE tenant_id = $1 AND principal_id = $2', [tenantId, actor.principalId]);
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
        const addresses = await tx.deviceSignIn.findMany({ where: waiting, select: { address: true } });
        const fromThere = addresses.filter(isNeighbour(address));
        if (addresses.length >= PENDING_MAX || fromThere.length >= PENDING_MAX_AN_ADDRESS) throw new PortalError('too-many-attempts', { detail: 'Too many devices wait to be allowed. Allow or deny those that you started, or try again in ten minutes.', retryAfterSeconds: PENDING_MINUTES * 60 });
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
    async find({ actor, secret }: Decider, userCode: string): Promise<Answer<typeof GetDeviceSignIn>> {
      const row = await guarded(actor, async () => await db.prisma.deviceSignIn.findFirst({ where: byUserCode(userCode) }) ?? undefined);
      if (row.status !== 'pending') throw new PortalError('already-decided', { detail: 'This code was used already. Its device is told so.' });
      const endsAt = await db.prisma.$transaction((tx) => sessions.endOf(tx, secret));
      if (endsAt === undefined) throw new PortalError('not-signed-in');
      return { userCode: inParts(userCode), deviceName: row.deviceName, address: row.address, askedAt: shown(row.createdAt), expiresAt: shown(row.expiresAt), sessionEndsAt: shown(endsAt) };
    },

    /** Allows the device or denies it, once; whoever the page named is who decides. */
    async decide({ actor, secret }: Decider, userCode: string, { decision, personId }: CallInput<typeof DecideDeviceSignIn>['body']): Promise<void> {
      if (personId !== actor.principalId) throw new PortalError('conflict', { detail: `By now you are signed in as ${actor.name}. Reload the page, and decide in that name or sign in as who you were.` });
      const decided = await guarded(actor, async () => {
        const row = await db.prisma.deviceSignIn.findFirst({ where: byUserCode(userCode) });
        if (!row) return undefined;
        const { principalId, name, upn, roles, accountId } = actor;
        return db.prisma.$transaction(async (tx) => {
          // Held until this is over: who signs out meanwhile ends this device too.
          const sessionExpiresAt = await sessions.endOf(tx, secret);
          if (sessionExpiresAt === undefined) throw new PortalError('not-signed-in');
          // Of two decisions one finds it pending.
          const { count } = await tx.deviceSignIn.updateMany({
            where: { tenantId, deviceHash: row.deviceHash, status: 'pending' },
            data: decision === 'allow' ? { status: 'allowed', principalId, name, upn, roles: [...roles], accountId, sessionExpiresAt } : { status: 'denied' },
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

      // One that a portal of the release before allowed lasts as long as its code.
      const notAfter = row.sessionExpiresAt ?? row.expiresAt;
      if (notAfter <= now) return { state: 'expired' };
      const granted = await db.prisma.$transaction(async (tx) => {
        // As it stands when it is taken: roles that were taken away meanwhile are gone.
        const [taken] = await tx.deviceSignIn.updateManyAndReturn({ where: { ...here, status: 'allowed' }, data: { status: 'claimed' } });
        if (!taken) return undefined;
        const { principalId, name, upn, accountId } = taken;
        if (principalId === null || name === null || upn === null || accountId === null) throw new Error('the database knows who allowed a device');
        const person: Actor = { tenantId, principalId, name, upn, roles: taken.roles as AppRole[], accountId, device: taken.deviceName };
        await record(tx, { id: randomUUID(), at: clock.now(), actor: person, type: 'session.begun', kind: 'portal-sign-in', result: 'success', subject: { id: principalId, name }, data: { device: row.deviceName, address: row.address, roles: person.roles } });
        return { token: await sessions.begin(tx, person, { amr: [], address: row.address, notAfter }), person: { displayName: name, userPrincipalName: upn } };
      });
      return granted === undefined ? { state: 'expired' } : { state: 'granted', ...granted, expiresAt: notAfter.toISOString() };
    },
  };
}

export type DeviceSignIns = ReturnType<typeof createDeviceSignIn>;

/** Whether an address is as good as the given one: who has an IPv6 address has the 2⁶⁴ beside it. */
function isNeighbour(address: string): (other: { readonly address: string }) => boolean {
  if (isIP(address) !== 6) return (other) => other.address === address;
  const network = new BlockList();
  network.addSubnet(address, 64, 'ipv6');
  return (other) => isIP(other.address) === 6 && network.check(other.address, 'ipv6');
}

function newUserCode(): string {
  return inParts(Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join(''));
}

/** `WDJBMJHT` → `WDJB-MJHT` */
const inParts = (userCode: string): string => `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
