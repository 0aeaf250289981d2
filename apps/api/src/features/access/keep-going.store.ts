import { violates, type Tx } from '@gatehouse/db';
import { addMinutes } from '../../core/durations.ts';
import { LEASE_MINUTES, type RecordedKeepGoing } from './keep-going.rules.ts';

/** A recorded wish with what only the database knows of it. */
export interface StoredKeepGoing extends RecordedKeepGoing {
  readonly tenantId: string;
  readonly principalName: string;
}

export type KeepGoingIntent = Pick<StoredKeepGoing, 'tenantId' | 'id' | 'principalId' | 'principalName' | 'groupId' | 'minutes' | 'justification' | 'ticketNumber' | 'ticketSystem' | 'createdAt'>;

/** Records what is about to be done, and that its writer is at it; `undefined` where there is an open wish already: the database allows one. */
export async function insertKeepGoing(tx: Tx, intent: KeepGoingIntent): Promise<StoredKeepGoing> {
  return tx.keepGoing.create({ data: { ...intent, status: 'open', workedAt: intent.createdAt } });
}

/** Whether the database refused a second open wish of the person for the group. */
export const isSecondWish = (error: unknown): boolean => violates(error, 'keep_going_one_open');

/** A person's wishes that are not at rest. */
export async function findUnfinished(db: Tx, tenantId: string, principalId: string): Promise<readonly StoredKeepGoing[]> {
  return db.keepGoing.findMany({ where: { tenantId, principalId, status: 'open' } });
}

/** Everybody's wishes that are not at rest, oldest first. */
export async function findAllUnfinished(db: Tx, tenantId: string, limit = 1000): Promise<readonly StoredKeepGoing[]> {
  return db.keepGoing.findMany({ where: { tenantId, status: 'open' }, orderBy: { createdAt: 'asc' }, take: limit });
}

type Key = Pick<StoredKeepGoing, 'tenantId' | 'id'>;

/** Takes an open wish up: false while somebody is at it. */
export async function takeUp(db: Tx, { tenantId, id }: Key, now: Date): Promise<boolean> {
  const idle = [{ workedAt: null }, { workedAt: { lte: addMinutes(now, -LEASE_MINUTES) } }];
  const { count } = await db.keepGoing.updateMany({ where: { tenantId, id, status: 'open', OR: idle }, data: { workedAt: now } });
  return count === 1;
}

/** Lays it down, so that it can be gone on with at once. */
export async function layDown(db: Tx, { tenantId, id }: Key): Promise<void> {
  await db.keepGoing.updateMany({ where: { tenantId, id, status: 'open' }, data: { workedAt: null } });
}

/** Remembers when the membership was seen to be gone; the first time stands. */
export async function setEnded(db: Tx, { tenantId, id }: Key, endedAt: Date): Promise<void> {
  await db.keepGoing.updateMany({ where: { tenantId, id, endedAt: null }, data: { endedAt } });
}

/** How it ended; only once. */
export async function settleKeepGoing(tx: Tx, { tenantId, id }: Key, outcome: { readonly status: 'done' | 'failed' | 'lapsed'; readonly failure: string | null; readonly activationId: string | null; readonly settledAt: Date }): Promise<boolean> {
  const { count } = await tx.keepGoing.updateMany({ where: { tenantId, id, status: 'open' }, data: { ...outcome, workedAt: null } });
  return count === 1;
}
