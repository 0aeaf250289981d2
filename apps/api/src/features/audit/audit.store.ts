import { createHash } from 'node:crypto';
import type { Tx } from '@gatehouse/db';
import { storable } from '../../core/text.ts';
import type { PortalEvent } from './audit.ts';

const SERVICE = 'Gatehouse';

/**
 * Writes the portal's own event beside the directory's, in the caller's transaction. Its raw text is canonical (the same
 * event is the same text), so that its hash says whether it was altered.
 */
export async function insertPortalEvent(tx: Tx, event: PortalEvent): Promise<void> {
  const { tenantId } = event.actor;
  const raw = canonical({
    id: event.id, at: event.at.toISOString(), service: SERVICE, type: event.type, kind: event.kind, result: event.result, reason: event.reason,
    actor: { tenantId, id: event.actor.principalId, name: event.actor.name }, subject: event.subject, group: event.group, requestId: event.requestId, data: dataOf(event),
  });
  const month = `${event.at.toISOString().slice(0, 7)}-01`;
  await tx.$executeRaw`SELECT ensure_audit_partition(${month}::date)`;
  const batchId = await addBatch(tx, { tenantId, log: 'audit_event', source: 'portal', receivedAt: event.at, rows: 1 });
  await tx.auditEventKey.create({ data: { tenantId, source: 'portal', eventId: event.id, contentHash: createHash('sha256').update(raw).digest(), activityAt: event.at } });
  await tx.auditEvent.create({
    data: {
      tenantId, source: 'portal', eventId: event.id, activityAt: event.at, activityAtRaw: event.at.toISOString(), activity: storable(event.type), kind: event.kind, service: SERVICE,
      result: event.result, resultReason: stored(event.reason),
      actorId: event.actor.principalId.toLowerCase(), actorName: storable(event.actor.name),
      subjectId: stored(event.subject?.id.toLowerCase()), subjectName: stored(event.subject?.name),
      groupId: stored(event.group?.id?.toLowerCase()), groupName: stored(event.group?.name),
      requestId: stored(event.requestId?.toLowerCase()), raw, ingestedAt: event.at, batchId, ordinal: 0,
    },
  });
}

/** A batch of the log, which the ledger is to number when its transaction is committed. */
async function addBatch(tx: Tx, batch: { readonly tenantId: string; readonly log: string; readonly source: string; readonly receivedAt: Date; readonly rows: number }): Promise<bigint> {
  const { tenantId, batchId } = await tx.logBatch.create({ data: batch });
  await tx.logUnsealed.create({ data: { tenantId, batchId } });
  return batchId;
}

/** The event's own data, with what its person acted with: a browser, or a command line by its name. */
function dataOf({ actor: { device }, data }: PortalEvent): PortalEvent['data'] {
  return device === undefined ? data : { ...data, client: device === null ? { kind: 'browser' } : { kind: 'command line', name: device } };
}

const stored = (text: string | undefined): string | null => (text === undefined ? null : storable(text));

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
    : part));
}
