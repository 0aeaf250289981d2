import { NETWORK_MAY_STAY_OPEN_MINUTES, type Answer, type CurrentAccess, type EndAccessNow, type Input, type ListCurrentAccess } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, outcomeIsUnknown, type Graph, type ScheduleInstance } from '@gatehouse/graph';
import { PORTAL, type Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes, networkEndOf } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { catalogOf } from '../access/access.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import { currentAccess, decideEnd, LOST_AFTER_MINUTES, outcomeOfLost, tellRevocation, tookEffect, type Current } from './residual.rules.ts';
import { findAsked, findMemberships, findRevocations, insertRevocation, setGone, settleRevocation, type StoredRevocation } from './residual.store.ts';

export interface ResidualDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly graphFor: (actor: Actor, scopes: 'end-access') => Graph;
  /** The portal's own Graph, read-only: proofs that a membership is gone and that a revocation took effect. */
  readonly appGraph: Graph;
  /** Waits between two looks at what Entra does in its own time. */
  readonly wait: (ms: number) => Promise<void>;
}

export type Residual = ReturnType<typeof createResidual>;

/** How often, and how far apart in milliseconds, Entra is looked at for what it does in its own time. */
const LOOKS = 10;
const BETWEEN_LOOKS_MS = 3_000;

/**
 * Access that is there now, and the network that stays open after it; and how to end both: remove, prove, then revoke
 * (CONTRACT.md §15). Revoking first would let the person sign in again while still a member.
 */
export function createResidual({ db: { prisma: db }, clock, newId, graphFor, appGraph, wait }: ResidualDeps) {
  async function read(tenantId: string, principalId?: string): Promise<readonly Current[]> {
    const now = clock.now();
    const since = addMinutes(now, -NETWORK_MAY_STAY_OPEN_MINUTES);
    const memberships = await findMemberships(db, tenantId, since, principalId);
    const begins = memberships.map((one) => one.since.getTime());
    const revocations = await findRevocations(db, tenantId, new Date(Math.min(since.getTime(), ...begins)), principalId);
    return currentAccess({ now, memberships, revocations });
  }

  async function tell(tenantId: string, current: readonly Current[]): Promise<CurrentAccess[]> {
    const catalog = await catalogOf(db, tenantId, [...new Set(current.map((one) => one.groupId))]);
    return current.map((one) => ({
      principalId: one.principalId, principalName: one.principalName, groupId: one.groupId,
      groupName: catalog.get(one.groupId)?.name ?? one.groupId,
      applications: [...(catalog.get(one.groupId)?.applications ?? [])],
      since: one.beganAt?.toISOString() ?? null,
      endsAt: one.endsAt?.toISOString() ?? null,
      ended: one.endedAt && { at: one.endedAt.toISOString(), networkMayStayOpenUntil: networkEndOf(one.endedAt).toISOString() },
      revocation: one.revocation && tellRevocation(one.revocation),
    }));
  }

  const activeOf = async (principalId: string, groupId: string): Promise<ScheduleInstance | null> =>
    (await appGraph.pim.assignments(groupId)).find((one) => same(one.principalId, principalId) && one.accessId === 'member') ?? null;

  /** Until PIM and the directory both show no membership. */
  async function provedGone(principalId: string, groupId: string): Promise<boolean> {
    for (let look = 1; ; look++) {
      const [active, member] = await Promise.all([activeOf(principalId, groupId), appGraph.directory.isMember(principalId, groupId)]);
      if (active === null && !member) return true;
      if (look === LOOKS) return false;
      await wait(BETWEEN_LOOKS_MS);
    }
  }

  async function provedRevoked(principalId: string, askedAt: Date, before: string | undefined): Promise<boolean> {
    for (let look = 1; ; look++) {
      if (tookEffect({ askedAt, before, after: await appGraph.directory.signInsValidFrom(principalId) })) return true;
      if (look === LOOKS) return false;
      await wait(BETWEEN_LOOKS_MS);
    }
  }

  interface Teller {
    /** Whose act it is; absent: the portal noticed it. */
    readonly actor?: Actor;
    readonly group: { readonly id: string; readonly name: string };
    readonly data?: PortalEvent['data'];
  }
  const eventOf = (row: StoredRevocation, type: PortalEvent['type'], result: PortalEvent['result'], { actor, group, data }: Teller, reason?: string): PortalEvent => ({
    id: newId(), at: clock.now(), actor: actor ?? { ...PORTAL, tenantId: row.tenantId }, type, kind: 'portal-access', result, reason, group,
    subject: { id: row.principalId, name: row.principalName }, requestId: row.id, data: data ?? { justification: row.justification },
  });

  async function settle(row: StoredRevocation, { status, failure }: { readonly status: 'revoked' | 'failed'; readonly failure: string | null }, teller: Teller): Promise<boolean> {
    return db.$transaction(async (tx) => {
      const at = clock.now();
      const first = await settleRevocation(tx, row, { status, failure, revokedAt: status === 'revoked' ? at : null, settledAt: at });
      if (first) await record(tx, eventOf(row, status === 'revoked' ? 'revocation.granted' : 'revocation.failed', status === 'revoked' ? 'success' : 'failure', teller, failure ?? undefined));
      return first;
    });
  }

  async function end(actor: Actor, { principalId, groupId, justification }: { readonly principalId: string; readonly groupId: string; readonly justification: string | null }): Promise<CurrentAccess> {
    const { tenantId } = actor;
    const own = same(principalId, actor.principalId);
    const graph = graphFor(actor, 'end-access');
    const known = (await read(tenantId, principalId)).find((one) => same(one.groupId, groupId));
    const decision = decideEnd({ now: clock.now(), active: await activeOf(principalId, groupId), endedLately: known !== undefined, own });
    if (!decision.allowed) throw new PortalError('revocation-refused', { detail: decision.message });

    const [catalog, names] = await Promise.all([catalogOf(db, tenantId, [groupId]), known ? undefined : appGraph.directory.names([principalId])]);
    const group = { id: groupId, name: catalog.get(groupId)?.name ?? groupId };
    const principalName = known?.principalName ?? names?.get(principalId)?.displayName ?? principalId;
    const teller = { actor, group, data: { justification, removesMembership: decision.remove } };
    const row = await db.$transaction(async (tx) => {
      const made = await insertRevocation(tx, { tenantId, id: newId(), principalId, principalName, groupId, askedById: actor.principalId, askedBy: actor.name, justification, createdAt: clock.now() });
      await record(tx, eventOf(made, 'revocation.requested', 'other', teller));
      return made;
    });
    const failed = async (error: unknown): Promise<unknown> => {
      await settle(row, { status: 'failed', failure: sentenceOf(error) }, teller);
      return forbiddenInWords(error, own);
    };

    let before: string | undefined;
    try {
      if (decision.remove) await graph.pim.removeActive({ groupId, principalId, justification: justification ?? '' });
      if (!(await provedGone(principalId, groupId))) throw new PortalError('revocation-refused', { detail: 'Microsoft Entra still shows the membership, so the sign-ins were not revoked: they would only be renewed. Try again in a minute.' });
      await setGone(db, row, clock.now());
      before = await appGraph.directory.signInsValidFrom(principalId);
    } catch (error) {
      throw await failed(error);
    }
    // From here on the sign-ins may be revoked, whatever becomes of this run: what is not seen now, `settleLost` looks for.
    await graph.directory.revokeSignIns(own ? 'me' : principalId).catch(async (error: unknown) => {
      throw error instanceof GraphError && !outcomeIsUnknown(error) ? await failed(error) : error;
    });
    if (!(await provedRevoked(principalId, row.createdAt, before))) throw new PortalError('directory-unexpected', { detail: 'Microsoft Entra took the request to revoke the sign-ins and does not show it yet. The membership is gone, and we look for what became of it: look again in a few minutes.' });
    await settle(row, { status: 'revoked', failure: null }, teller);
    const [item] = await tell(tenantId, (await read(tenantId, principalId)).filter((one) => same(one.groupId, groupId)));
    return item ?? gone(row, group.name, clock.now());
  }

  return {
    /** Whose activated memberships are there, and who left less than 90 minutes ago: by the portal's own record and the mirror. */
    async list(actor: Actor): Promise<Answer<typeof ListCurrentAccess>> {
      return { readAt: clock.now().toISOString(), items: await tell(actor.tenantId, await read(actor.tenantId)) };
    },

    /** The same of the person, where the membership has ended. */
    async listOwn(actor: Actor): Promise<Answer<typeof ListCurrentAccess>> {
      const current = await read(actor.tenantId, actor.principalId);
      return { readAt: clock.now().toISOString(), items: await tell(actor.tenantId, current.filter(({ endedAt }) => endedAt !== null)) };
    },

    /** Revokes the person's own sign-ins after a membership that has ended; refused while it is there. */
    endOwn: (actor: Actor, groupId: string): Promise<CurrentAccess> => end(actor, { principalId: actor.principalId, groupId, justification: null }),

    /** Takes somebody's activated membership away where it is there, proves it, and revokes their sign-ins. */
    endFor: (actor: Actor, { principalId, groupId, justification }: Input<typeof EndAccessNow>['body']): Promise<CurrentAccess> => end(actor, { principalId, groupId, justification }),

    /** Settles those that nobody is at any more, by what Entra shows. Answers how many. */
    async settleLost(tenantId: string): Promise<number> {
      let settled = 0;
      for (const row of await findAsked(db, tenantId, addMinutes(clock.now(), -LOST_AFTER_MINUTES))) {
        const validFrom = row.goneAt === null ? undefined : await appGraph.directory.signInsValidFrom(row.principalId).then((at) => at ?? null, (error: unknown) => {
          if (!(error instanceof GraphError)) throw error;
          // Of whom there is no trace any more, nothing will be shown.
          return error.failure === 'not-found' ? null : undefined;
        });
        const outcome = outcomeOfLost(row, validFrom, clock.now());
        const name = (await catalogOf(db, tenantId, [row.groupId])).get(row.groupId)?.name ?? row.groupId;
        if (outcome && await settle(row, outcome, { group: { id: row.groupId, name } })) settled += 1;
      }
      return settled;
    },
  };
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Of a membership that the record does not show any more: only what was just done is known. */
const gone = (row: StoredRevocation, groupName: string, now: Date): CurrentAccess => ({
  principalId: row.principalId, principalName: row.principalName, groupId: row.groupId, groupName, applications: [], since: null, endsAt: null,
  ended: { at: now.toISOString(), networkMayStayOpenUntil: networkEndOf(now).toISOString() },
  revocation: tellRevocation({ ...row, status: 'revoked', revokedAt: now }),
});

function sentenceOf(error: unknown): string {
  if (error instanceof PortalError) return error.details.detail ?? error.message;
  if (!(error instanceof GraphError)) return 'Something went wrong on our side.';
  if (outcomeIsUnknown(error)) return 'Microsoft Entra did not answer as it should: how it ended is not known. Ending it again does no harm.';
  return error.failure === 'forbidden' ? 'A permission or a role is missing.' : 'Microsoft Entra refused it.';
}

/** Revoking the sign-ins of others needs a directory role beside the permission; one's own needs none. */
function forbiddenInWords(error: unknown, own: boolean): unknown {
  if (!(error instanceof GraphError) || error.failure !== 'forbidden') return error;
  return new PortalError('directory-forbidden', {
    cause: error,
    detail: own
      ? 'The portal may not revoke sign-ins: an administrator of Microsoft Entra grants it User.RevokeSessions.All.'
      : 'Taking a membership away needs the role Privileged Role Administrator or ownership of the group; revoking sign-ins of others needs a role such as Authentication Administrator, and the permission User.RevokeSessions.All. An administrator of Microsoft Entra can grant them.',
  });
}
