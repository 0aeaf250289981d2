import type { Answer, ListNotifications, ResendNotification } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes, minutesOf } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { catalogOf } from '../access/access.ts';
import { record } from '../audit/audit.ts';
import { cardOf, eventOf, keyOf, LEASE_SECONDS, lapseOf, mailOf, MAX_TRIES, needless, nextTryAt, type Channel, type WaitingRequest } from './notifications.rules.ts';
import { DeliveryFailure, type PostEvent, type SendMail } from './notifications.senders.ts';
import { claimDue, enqueue, findStanding, findUnannounced, forget, putOff, readOutbox, revive, settle, type NewNotification, type SeenRequest, type StoredNotification } from './notifications.store.ts';

export interface NotificationsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
  readonly tenantId: string;
  readonly publicUrl: string;
  /** The portal's own Graph, read-only: who the approvers are, and their mail addresses. */
  readonly appGraph: Graph;
  /** `undefined`: not set, so nothing is sent that way. */
  readonly sendMail: SendMail | undefined;
  readonly webhook: { readonly body: 'json' | 'teams'; readonly post: PostEvent } | undefined;
}

/** A request that the portal recorded as waiting for a decision. */
export interface RecordedRequest {
  readonly entraRequestId: string | null;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly minutes: number | null;
  readonly startsAt: Date | null;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly createdAt: Date;
}

/** Notifies within the transaction of the event. */
export type Announce = (tx: Tx, request: RecordedRequest) => Promise<void>;

export type Notifications = ReturnType<typeof createNotifications>;

/** How many are sent at once, and how many rounds of them a pass takes at the most. */
const AT_ONCE = 10;
const MAX_ROUNDS = 20;
/** How many people at most are mailed of one request: beyond it, a list of approvers is a mailing list. */
const MAX_RECIPIENTS = 50;
/** How many groups of approvers are looked into. */
const MAX_GROUPS = 10;
/** How many requests that were made elsewhere a pass looks at. */
const MAX_SEEN = 50;
const DEAD_LISTED = 50;
const KEPT_DAYS = 30;
const DAY_MINUTES = 24 * 60;

/**
 * Tells approvers of requests that wait for them. What is to be told stands in an outbox, written with the event; a pass
 * sends it, at least once, and each try has the same id. Nothing is sent, and Graph is not asked, inside a transaction.
 */
export function createNotifications({ db: { prisma: db }, clock, newId, log, tenantId, publicUrl, appGraph, sendMail, webhook }: NotificationsDeps) {
  const channels: readonly Channel[] = [...(webhook ? ['webhook' as const] : []), ...(sendMail ? ['approvers' as const] : [])];

  const announced = (content: WaitingRequest, dropped?: string): NewNotification[] =>
    channels.map((channel) => ({ tenantId, key: keyOf(content.requestId, channel), channel, content, at: clock.now(), ...(dropped !== undefined && { dropped }) }));

  const contentOf = async (tx: Tx, request: RecordedRequest, requestId: string): Promise<WaitingRequest> => {
    const group = (await catalogOf(tx, tenantId, [request.groupId])).get(request.groupId);
    return {
      requestId, requesterId: request.principalId, requesterName: request.principalName, groupId: request.groupId, groupName: group?.name ?? request.groupId,
      opens: group?.applications.map(({ displayName }) => displayName) ?? [],
      minutes: request.minutes, startsAt: request.startsAt?.toISOString() ?? null, justification: request.justification, ticketNumber: request.ticketNumber,
      askedAt: request.createdAt.toISOString(), lapsesAt: lapseOf(request.createdAt).toISOString(),
    };
  };

  const announce: Announce = async (tx, request) => {
    if (channels.length === 0 || request.entraRequestId === null) return;
    await enqueue(tx, announced(await contentOf(tx, request, request.entraRequestId)));
  };

  /** How many a full pass could not read: they stay the oldest, and would hide the others from the next. */
  let unread = 0;

  /** Requests that were made elsewhere, once the mirror shows them. Entra says whether they still wait, and for how long. */
  async function announceSeen(): Promise<void> {
    const seen = await findUnannounced(db, tenantId, addMinutes(clock.now(), -DAY_MINUTES), unread, MAX_SEEN);
    if (seen.length < MAX_SEEN) unread = 0;
    for (const [groupId, requests] of Map.groupBy(seen, (request) => request.groupId)) {
      let known: Awaited<ReturnType<Graph['pim']['assignmentRequests']>>;
      try {
        known = await appGraph.pim.assignmentRequests(groupId);
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        log.warn({ err: error, groupId }, 'requests that wait could not be read; a later pass tries again');
        if (seen.length === MAX_SEEN) unread += requests.length;
        continue;
      }
      for (const request of requests) {
        const now = known.find(({ id }) => id.toLowerCase() === request.requestId.toLowerCase());
        const minutes = now?.duration === undefined ? undefined : minutesOf(now.duration);
        const content = await contentOf(db, asRecorded(request, minutes), request.requestId);
        const named = { ...content, groupName: content.groupName === groupId ? request.groupName : content.groupName };
        await enqueue(db, announced(named, now?.status === 'PendingApproval' ? undefined : 'The request does not wait any more.'));
      }
    }
  }

  /** The approvers by the role settings, with groups of them opened, and their mail addresses; never the requester. */
  async function addressesOf({ groupId, requesterId }: WaitingRequest): Promise<ReadonlyMap<string, string>> {
    const approvers = (await catalogOf(db, tenantId, [groupId])).get(groupId)?.policy?.approvers ?? [];
    if (approvers.length === 0) throw new DeliveryFailure('The catalog names no approvers of this group.');
    const named = await appGraph.directory.names(approvers.map(({ id }) => id));
    const groups = approvers.filter(({ id }) => named.get(id)?.kind === 'group').slice(0, MAX_GROUPS);
    const members = (await Promise.all(groups.map(({ id }) => appGraph.directory.members(id)))).flat().slice(0, 10 * MAX_RECIPIENTS);
    const inGroups = members.length === 0 ? named : await appGraph.directory.names(members);
    const people = [...named, ...inGroups].flatMap(([id, { kind, mail }]) => (kind === 'user' && mail !== undefined && mail !== '' && id.toLowerCase() !== requesterId.toLowerCase() ? [[id, mail] as const] : []));
    return new Map(people.slice(0, MAX_RECIPIENTS));
  }

  /** Turns "the approvers" into a mail to each of them. */
  async function spread(row: StoredNotification): Promise<void> {
    const addresses = await addressesOf(row.content).catch((error: unknown) => {
      if (error instanceof GraphError) throw new DeliveryFailure('Microsoft Entra did not say who the approvers are.', { cause: error });
      throw error;
    });
    if (addresses.size === 0) throw new DeliveryFailure('No approver has a mail address in Microsoft Entra.', { final: true });
    await db.$transaction(async (tx) => {
      const at = clock.now();
      await enqueue(tx, [...addresses].map(([id, recipient]) => ({ tenantId, key: keyOf(row.requestId, 'mail', id), channel: 'mail', recipient, content: row.content, at })));
      await settle(tx, row, 'sent', at);
    });
  }

  async function deliver(row: StoredNotification): Promise<void> {
    switch (row.channel) {
      case 'approvers': return spread(row);
      case 'mail':
        if (!sendMail || row.recipient === null) throw new DeliveryFailure('No mail server is set.', { final: true });
        return sendMail({ id: row.id, to: row.recipient, ...mailOf(publicUrl, row.content) });
      case 'webhook':
        if (!webhook) throw new DeliveryFailure('No webhook is set.', { final: true });
        return webhook.post(row.id, webhook.body === 'teams' ? cardOf(publicUrl, row.content) : eventOf(publicUrl, row.content));
    }
  }

  async function work(row: StoredNotification, why: string | undefined): Promise<void> {
    if (why !== undefined) return void (await settle(db, row, 'dropped', clock.now(), why));
    try {
      // A try that never came to its end may have ended its worker.
      if (row.tries > MAX_TRIES) throw new DeliveryFailure('No try came to an end.', { final: true });
      await deliver(row);
      if (row.channel !== 'approvers') await settle(db, row, 'sent', clock.now());
    } catch (error) {
      if (!(error instanceof DeliveryFailure)) throw error;
      const dead = error.final || row.tries >= MAX_TRIES;
      log.warn({ notification: row.id, channel: row.channel, tries: row.tries, dead }, error.message);
      await putOff(db, row, error.message, dead ? { givenUpAt: clock.now() } : { dueAt: nextTryAt(row.tries, clock.now(), error.retryAfterSeconds) });
    }
  }

  return {
    announce,

    /** Sends what is due, until nothing is. Any number of replicas may do it at the same time. */
    async pass(): Promise<void> {
      if (channels.length > 0) await announceSeen();
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const now = clock.now();
        const rows = await claimDue(db, tenantId, now, addMinutes(now, LEASE_SECONDS / 60), AT_ONCE);
        if (rows.length === 0) return;
        const standing = await findStanding(db, tenantId, rows.map(({ requestId }) => requestId));
        const ends = await Promise.allSettled(rows.map((row) => work(row, needless(row.content, standing(row.requestId), now))));
        for (const end of ends) if (end.status === 'rejected') log.error({ err: end.reason as unknown }, 'a notification could not be worked on; it is due again when its lease is over');
      }
    },

    /** Forgets what was settled long ago. */
    sweep: async (): Promise<void> => forget(db, tenantId, addMinutes(clock.now(), -KEPT_DAYS * DAY_MINUTES)),

    /** Which ways are set, and what could not be delivered. */
    async list(actor: Actor): Promise<Answer<typeof ListNotifications>> {
      const { newestDead, ...figures } = await readOutbox(db, actor.tenantId, addMinutes(clock.now(), -DAY_MINUTES), DEAD_LISTED);
      return {
        mail: sendMail !== undefined, webhook: webhook?.body ?? 'off', ...figures,
        deadLetters: newestDead.map(({ id, channel, recipient, content, tries, detail, settledAt }) => ({
          id, channel, recipient, requesterName: content.requesterName, groupName: content.groupName, lapsesAt: content.lapsesAt, tries, error: detail ?? 'Not known.', givenUpAt: (settledAt ?? clock.now()).toISOString(),
        })),
      };
    },

    /** Makes one that was given up due again; the next pass sends it, if the request still waits. */
    async resend(actor: Actor, id: string): Promise<Answer<typeof ResendNotification>> {
      await db.$transaction(async (tx) => {
        const row = await revive(tx, actor.tenantId, id, clock.now());
        if (!row) throw new PortalError('not-found');
        await record(tx, {
          id: newId(), at: clock.now(), actor, type: 'notification.resent', kind: 'portal-approval', result: 'other', requestId: row.requestId,
          subject: { id: row.content.requesterId, name: row.content.requesterName }, group: { id: row.content.groupId, name: row.content.groupName },
          data: { notification: id, channel: row.channel },
        });
      });
      return { id };
    },
  };
}

/** As if the portal had recorded it. */
function asRecorded({ requestId, requestedAt, ...seen }: SeenRequest, minutes: number | undefined): RecordedRequest {
  return { ...seen, entraRequestId: requestId, createdAt: requestedAt, minutes: minutes === undefined ? null : Math.round(minutes) };
}
