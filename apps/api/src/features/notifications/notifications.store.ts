import { randomUUID } from 'node:crypto';
import type { Tx } from '@gatehouse/db';
import type { Channel, RequestStands, WaitingRequest } from './notifications.rules.ts';

/** A row of the outbox. */
export interface StoredNotification {
  readonly tenantId: string;
  readonly id: string;
  readonly channel: Channel;
  readonly recipient: string | null;
  readonly requestId: string;
  readonly content: WaitingRequest;
  /** With the one that is under way. */
  readonly tries: number;
}

export interface NewNotification {
  readonly tenantId: string;
  readonly key: string;
  readonly channel: Channel;
  readonly recipient?: string;
  readonly content: WaitingRequest;
  readonly at: Date;
  /** Why it needs not be sent at all; it stands there so that nobody looks again. */
  readonly dropped?: string;
}

/** Puts into the outbox what is not there yet. Takes the transaction of the event that gives rise to it. */
export async function enqueue(tx: Tx, notifications: readonly NewNotification[]): Promise<void> {
  if (notifications.length === 0) return;
  await tx.notification.createMany({
    skipDuplicates: true,
    data: notifications.map(({ tenantId, key, channel, recipient, content, at, dropped }) => ({
      tenantId, id: randomUUID(), key, channel, recipient: recipient ?? null, requestId: content.requestId, content: { ...content, opens: [...content.opens] },
      dueAt: at, createdAt: at, ...(dropped === undefined ? { status: 'waiting' } : { status: 'dropped', detail: dropped, settledAt: at }),
    })),
  });
}

/**
 * Takes what is due, oldest first, for `leaseUntil`: no two workers take the same. Who dies with it in hand leaves it due
 * again after that. A try counts from here on, so that one which kills its worker is not tried for ever.
 */
export async function claimDue(db: Tx, tenantId: string, now: Date, leaseUntil: Date, limit: number): Promise<readonly StoredNotification[]> {
  return db.$queryRaw<StoredNotification[]>`
    UPDATE notification n SET due_at = ${leaseUntil}, tries = n.tries + 1
      FROM (SELECT tenant_id, id FROM notification
             WHERE tenant_id = ${tenantId}::uuid AND status = 'waiting' AND due_at <= ${now}
             ORDER BY due_at, id LIMIT ${limit}::int FOR UPDATE SKIP LOCKED) due
     WHERE n.tenant_id = due.tenant_id AND n.id = due.id
    RETURNING n.tenant_id AS "tenantId", n.id, n.channel, n.recipient, n.request_id AS "requestId", n.content, n.tries`;
}

/** It was delivered, or there is no need of it any more. True of whoever delivered it, also with a lease that ran out. */
export async function settle(tx: Tx, { tenantId, id }: StoredNotification, status: 'sent' | 'dropped', at: Date, detail: string | null = null): Promise<boolean> {
  const { count } = await tx.notification.updateMany({ where: { tenantId, id, status: 'waiting' }, data: { status, detail, settledAt: at } });
  return count === 1;
}

/** The try failed. Who has lost the lease to another says nothing: the other's try is under way. */
export async function putOff(db: Tx, { tenantId, id, tries }: StoredNotification, detail: string, again: { readonly dueAt: Date } | { readonly givenUpAt: Date }): Promise<boolean> {
  const { count } = await db.notification.updateMany({
    where: { tenantId, id, status: 'waiting', tries },
    data: 'dueAt' in again ? { detail, dueAt: again.dueAt } : { detail, status: 'dead', settledAt: again.givenUpAt },
  });
  return count === 1;
}

/** Makes one that was given up due again, with all its tries. `undefined`: there is none, or it is not given up. */
export async function revive(tx: Tx, tenantId: string, id: string, at: Date): Promise<StoredNotification | undefined> {
  const [row] = await tx.$queryRaw<StoredNotification[]>`
    UPDATE notification SET status = 'waiting', tries = 0, due_at = ${at}, settled_at = NULL
     WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid AND status = 'dead'
    RETURNING tenant_id AS "tenantId", id, channel, recipient, request_id AS "requestId", content, tries`;
  return row;
}

/** How the requests stand that notifications tell of. */
export async function findStanding(db: Tx, tenantId: string, requestIds: readonly string[]): Promise<(requestId: string) => RequestStands> {
  const among = { in: [...new Set(requestIds)] };
  const [decided, recorded, mirrored] = await Promise.all([
    // The approval has the id of its request; what was decided here is known before anybody has read it back.
    db.approvalDecision.findMany({ where: { tenantId, approvalId: among, status: 'decided' }, select: { approvalId: true, status: true } }),
    db.accessRequest.findMany({ where: { tenantId, entraRequestId: among }, select: { entraRequestId: true, status: true } }),
    db.activation.findMany({ where: { tenantId, requestId: among }, select: { requestId: true, status: true } }),
  ]);
  return (requestId) => ({
    recorded: (decided.find((row) => row.approvalId === requestId) ?? recorded.find((row) => row.entraRequestId === requestId))?.status,
    mirrored: mirrored.find((row) => row.requestId === requestId)?.status,
  });
}

export interface SeenRequest {
  readonly requestId: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly groupName: string;
  readonly requestedAt: Date;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly startsAt: Date | null;
}

/** Requests since an instant that wait by the mirror, and of which the outbox has nothing: those that were made elsewhere. Oldest first, without the first few. */
export async function findUnannounced(db: Tx, tenantId: string, since: Date, skip: number, limit: number): Promise<readonly SeenRequest[]> {
  return db.$queryRaw<SeenRequest[]>`
    SELECT a.request_id AS "requestId", a.principal_id AS "principalId", a.principal_name AS "principalName", a.group_id AS "groupId", a.group_name AS "groupName",
           a.requested_at AS "requestedAt", a.justification, a.ticket_number AS "ticketNumber", a.starts_at AS "startsAt"
      FROM activation a
     WHERE a.tenant_id = ${tenantId}::uuid AND a.status = 'awaiting-approval' AND a.requested_at > ${since}
       AND NOT EXISTS (SELECT FROM notification n WHERE n.tenant_id = a.tenant_id AND n.request_id = a.request_id)
     ORDER BY a.requested_at, a.request_id OFFSET ${skip}::int LIMIT ${limit}::int`;
}

export interface DeadNotification extends StoredNotification {
  readonly detail: string | null;
  readonly settledAt: Date | null;
}

/** What was given up, newest first, and how many of each there are. */
export async function readOutbox(db: Tx, tenantId: string, sentSince: Date, limit: number): Promise<{ readonly waiting: number; readonly sent: number; readonly dead: number; readonly newestDead: readonly DeadNotification[] }> {
  const [waiting, sent, dead, newestDead] = await Promise.all([
    db.notification.count({ where: { tenantId, status: 'waiting' } }),
    // Finding out whom to mail tells nobody anything.
    db.notification.count({ where: { tenantId, status: 'sent', channel: { not: 'approvers' }, settledAt: { gte: sentSince } } }),
    db.notification.count({ where: { tenantId, status: 'dead' } }),
    db.$queryRaw<DeadNotification[]>`
      SELECT tenant_id AS "tenantId", id, channel, recipient, request_id AS "requestId", content, tries, detail, settled_at AS "settledAt"
        FROM notification WHERE tenant_id = ${tenantId}::uuid AND status = 'dead' ORDER BY settled_at DESC, id LIMIT ${limit}::int`,
  ]);
  return { waiting, sent, dead, newestDead };
}

/** Forgets what was settled before an instant. */
export async function forget(db: Tx, tenantId: string, before: Date): Promise<void> {
  await db.notification.deleteMany({ where: { tenantId, settledAt: { lt: before } } });
}
