import type { Graph } from '@gatehouse/graph';
import { addMinutes } from '../../core/durations.ts';
import { DENIED, observe, recordedState, type EntraInstance, type EntraRequest } from './access.rules.ts';
import { findEntraIds, isOpen, setMemberAt, type StoredRequest } from './access.store.ts';
import { isCalm, isDueForLook, type Usual } from './following.rules.ts';
import { newsOf, setFailure, takeLook, takeRead } from './following.store.ts';
import { USUAL_DAYS } from '@gatehouse/contracts';
import { usualOf } from './readiness.rules.ts';
import { usualTimes } from './readiness.store.ts';
import { settle, type Settling } from './settling.service.ts';
import { unlessSignInIsNeeded } from './refusals.service.ts';

/** Where a look finds what it looks for: by the person's own token, or by the portal's. */
export interface Sight {
  requests(): Promise<readonly EntraRequest[]>;
  assignments(): Promise<readonly EntraInstance[]>;
  isMember(row: StoredRequest): Promise<boolean>;
  /** What the approver said who denied it, as a sentence; the portal itself may not read that. */
  denial?(entraRequestId: string): Promise<string | undefined>;
}

/** What the person's own token shows. */
export function ownSight(graph: Graph): Sight {
  return {
    requests: () => graph.pim.mine.requests(),
    assignments: () => graph.pim.mine.assignments(),
    isMember: ({ principalId, groupId }) => graph.directory.isMember(principalId, groupId).catch(unlessSignInIsNeeded(() => false)),
    async denial(entraRequestId) {
      // The approval has the id of its request (CONTRACT.md §7).
      const approval = await graph.approvals.approval(entraRequestId).catch(unlessSignInIsNeeded(() => undefined));
      const stage = approval?.stages.find(({ reviewResult }) => reviewResult === 'Denied');
      return stage?.justification ? `${stage.reviewedByName || 'An approver'} denied it: “${stage.justification}”` : undefined;
    },
  };
}

/** How long a denial is shown, and so worth a reading: the hour of `newsOf`. */
const DENIAL_SHOWN_MINUTES = 60;
/** How long what is usual for a group is taken for right. */
const USUAL_MINUTES = 10;

export type Following = ReturnType<typeof createFollowing>;

/**
 * Follows requests that are under way with few readings: at most six in ten minutes for each, at instants that fit what is
 * usual for the group, whoever looks. Looks and readings are counted on the request's own row.
 */
export function createFollowing(settling: Settling) {
  const { prisma: db, clock } = settling;
  const usuals = new Map<string, { readonly at: Date; readonly usual: Usual | undefined }>();

  async function usualFor(tenantId: string, groupId: string): Promise<Usual | undefined> {
    const now = clock.now();
    const known = usuals.get(groupId);
    if (known && known.at <= now && known.at > addMinutes(now, -USUAL_MINUTES)) return known.usual;
    const { provisioning, membership } = usualOf(await usualTimes(db, tenantId, groupId, addMinutes(now, -USUAL_DAYS * 24 * 60)));
    const usual = provisioning ? { p50: provisioning.p50Seconds + (membership?.p50Seconds ?? 0), p95: provisioning.p95Seconds + (membership?.p95Seconds ?? 0) } : undefined;
    if (usuals.size >= 5_000) usuals.clear();
    usuals.set(groupId, { at: now, usual });
    return usual;
  }

  /** Looks for a request, reading no more than can have changed and than is left to it. */
  async function look(row: StoredRequest, sight: Sight): Promise<StoredRequest> {
    const may = (): Promise<boolean> => takeRead(db, row, clock.now());
    const proved = async (one: StoredRequest): Promise<StoredRequest> => {
      if (recordedState(one) !== 'active' || one.memberAt || !(await may()) || !(await sight.isMember(one))) return one;
      const memberAt = clock.now();
      await setMemberAt(db, one, memberAt);
      return { ...one, memberAt };
    };
    const now = clock.now();
    const isOver = row.endsAt !== null && row.endsAt <= now;
    if (recordedState(row) === 'active' && !row.memberAt && !isOver) return proved(row);
    if (!(await may())) return row;
    if (isCalm(row, now)) {
      const assignments = await sight.assignments();
      const still = observe(row, { requests: undefined, assignments }, now);
      // When it ended, the requests say.
      const requests = still.state === 'ended' && await may() ? await sight.requests() : undefined;
      return settle(settling, row, requests ? observe(row, { requests, assignments }, now) : still);
    }
    const known = row.entraRequestId ? new Set<string>() : await findEntraIds(db, row.tenantId, row.principalId);
    const requests = await sight.requests();
    const first = observe(row, { requests, assignments: undefined }, now, known);
    // Only of what is provisioned, and of what is to end, there is a membership to see.
    const tellsMore = row.action === 'deactivate' || requests.some(({ id, status }) => id === first.entraRequestId && status === 'Provisioned');
    const assignments = tellsMore && await may() ? await sight.assignments() : undefined;
    const seen = assignments ? observe(row, { requests, assignments }, now, known) : first;
    return explained(await proved(await settle(settling, row, seen)), sight);
  }

  /** The approver's own words, once they can be read. */
  async function explained(row: StoredRequest, sight: Sight): Promise<StoredRequest> {
    if (!sight.denial || !isUnexplained(row) || row.entraRequestId === null || !(await takeRead(db, row, clock.now()))) return row;
    const failure = await sight.denial(row.entraRequestId);
    if (failure === undefined) return row;
    await setFailure(db, row, failure);
    return { ...row, failure };
  }

  const isUnexplained = (row: StoredRequest): boolean => recordedState(row) === 'denied' && row.failure === DENIED && (row.settledAt ?? row.createdAt) > addMinutes(clock.now(), -DENIAL_SHOWN_MINUTES);
  /** Somebody who may not read them has seen that it was denied. */
  const isToExplain = (row: StoredRequest): boolean => isUnexplained(row) && (row.lookedAt === null || (row.settledAt !== null && row.lookedAt <= row.settledAt));

  return {
    /**
     * Looks for those that are due, by `sight`; answers all as they then stand. `graceSeconds`: how long others, who follow
     * more closely, have to look first. What fails is thrown after the others were looked for.
     */
    async lookWhereDue(rows: readonly StoredRequest[], sight: (row: StoredRequest) => Sight, graceSeconds = 0): Promise<{ readonly rows: readonly StoredRequest[]; readonly failures: readonly { readonly row: StoredRequest; readonly error: unknown }[] }> {
      const now = clock.now();
      const followed = rows.filter((row) => isOpen(row) || isToExplain(row));
      const [first] = followed;
      if (!first) return { rows, failures: [] };
      const news = await newsOf(db, first.tenantId, followed);
      const failures: { row: StoredRequest; error: unknown }[] = [];
      const settled = await Promise.all(rows.map(async (row) => {
        if (!followed.includes(row)) return row;
        const explains = !isOpen(row);
        // Who closed the page is looked after by others, a moment later; what is news waits for nobody.
        const by = news.has(row.id) ? now : new Date(now.getTime() - graceSeconds * 1000);
        if (!explains && !isDueForLook(row, { now: by, usual: await usualFor(row.tenantId, row.groupId), newsAt: news.get(row.id) })) return row;
        if (explains && !sight(row).denial) return row;
        if (!(await takeLook(db, row, now))) return row;
        const taken = { ...row, lookedAt: now };
        try {
          return explains ? await explained(taken, sight(row)) : await look(taken, sight(row));
        } catch (error) {
          failures.push({ row, error });
          return taken;
        }
      }));
      return { rows: settled, failures };
    },
  };
}

/** A request that is under way and young enough for its looks to tell what moves. */
export const isFollowed = (row: StoredRequest, now: Date): boolean => isOpen(row) && !isCalm(row, now) && row.createdAt > addMinutes(now, -10);

