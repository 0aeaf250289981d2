import type { Database } from '@gatehouse/db';
import type { Graph } from '@gatehouse/graph';
import type { Clock } from '../../core/clock.ts';
import { PARTS, partsToRead, type OwnAccess, type OwnMembership, type Part } from './own-access.rules.ts';
import { findOwnAccess, hasNews, keepReadings, type Owner, type Reading } from './own-access.store.ts';
import { unlessSignInIsNeeded } from './refusals.service.ts';

export interface OwnAccessDeps {
  readonly db: Database;
  readonly clock: Clock;
}

/** A person's own access as it is shown, and how it was come by. */
export interface Shown extends OwnAccess {
  /** Parts that were to be read now and could not be. */
  readonly unread: ReadonlySet<Part>;
  /** Whether Entra was asked for it. */
  readonly wasRead: boolean;
}

export interface ShowWish {
  /** Whether a request of the person is followed, whose looks tell what moves. */
  readonly following?: boolean;
  /** Whether the person asks for it to be read anew. */
  readonly fresh?: boolean;
}

export type OwnAccesses = ReturnType<typeof createOwnAccess>;

/** Memberships whose directory entry is looked up with one reading; nobody has more of their own. */
const MOST_PROBES = 20;

/**
 * What Entra shows of a person's own, kept in the portal's tables: read with the person's own token, shown without a look
 * at Entra for as long as nothing is known to have happened. What the person does here is put into it where it is recorded.
 */
export function createOwnAccess({ db: { prisma: db }, clock }: OwnAccessDeps) {
  /** Windows of one person that open together share one reading. */
  const running = new Map<string, Promise<Shown>>();

  /** Reads the parts and keeps them. Throws where the person must sign in first, or where nothing can be told at all. */
  async function read(graph: Graph, owner: Owner, parts: readonly Part[] = PARTS): Promise<Shown> {
    const before = await findOwnAccess(db, owner);
    const at = clock.now();
    const outcomes = await Promise.all(parts.map(async (part): Promise<Reading | { readonly part: Part; readonly error: unknown }> => {
      try {
        return await readPart(graph, owner, part, before.assignments ?? []);
      } catch (error) {
        return { part, error };
      }
    }));
    const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
    for (const { error } of failures) unlessSignInIsNeeded(() => undefined)(error);
    const known = parts.length - failures.length > 0 || PARTS.some((part) => before.at[part] !== undefined);
    if (!known && failures[0]) throw failures[0].error;

    const readings = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome]));
    // Not kept where something changed meanwhile: shown it is, for it was so a moment ago, and the next view reads again.
    await keepReadings(db, owner, { version: before.version, at, readings });
    return { ...readings.reduce((all, reading) => withReading(all, reading, at), before as OwnAccess), unread: new Set(failures.map(({ part }) => part)), wasRead: true };
  }

  /** Whom the directory shows as a member is asked for once of a membership that no request on record follows. */
  async function readPart(graph: Graph, owner: Owner, part: Part, known: readonly OwnMembership[]): Promise<Reading> {
    switch (part) {
      case 'eligibilities': return { part, items: await graph.pim.mine.eligibilities() };
      case 'requests': return { part, items: ownOf(owner, await graph.pim.mine.requests()) };
      case 'eligibility-requests': return { part, items: ownOf(owner, await graph.pim.mine.eligibilityRequests()) };
      case 'assignments': {
        const items = await graph.pim.mine.assignments();
        const recorded = new Set((await db.accessRequest.findMany({ where: { ...owner, action: 'activate', status: 'active' }, select: { groupId: true } })).map(({ groupId }) => groupId));
        let probes = 0;
        return { part, items: await Promise.all(items.map(async (item) => {
          const before = known.find(({ groupId, startsAt, memberAt }) => groupId === item.groupId && startsAt === item.startsAt && memberAt !== undefined);
          if (before?.memberAt) return { ...item, memberAt: before.memberAt };
          if (item.accessId !== 'member' || recorded.has(item.groupId) || (probes += 1) > MOST_PROBES) return item;
          // Not knowing is not a no.
          const isMember = await graph.directory.isMember(owner.principalId, item.groupId).catch(unlessSignInIsNeeded(() => false));
          return isMember ? { ...item, memberAt: clock.now() } : item;
        })) };
      }
    }
  }

  /** What is kept, and the parts of it that are to be read before they are shown. */
  async function dueOf(owner: Owner, { following = false, fresh = false }: ShowWish): Promise<{ readonly kept: OwnAccess; readonly due: readonly Part[] }> {
    const kept = await findOwnAccess(db, owner);
    const oldest = PARTS.flatMap((part) => kept.at[part] ?? []).sort((a, b) => a.getTime() - b.getTime())[0];
    const stale = kept.stale || (oldest !== undefined && await hasNews(db, owner, oldest));
    return { kept, due: partsToRead({ now: clock.now(), at: kept.at, stale, following, asked: fresh }) };
  }

  const asKept = (kept: OwnAccess): Shown => ({ ...kept, unread: new Set(), wasRead: false });

  /** Looks once more whether it is due: while it was looked at first, another window's reading may have come to its end. */
  async function readDue(graph: Graph, owner: Owner, wish: ShowWish): Promise<Shown> {
    const { kept, due } = await dueOf(owner, wish);
    return due.length === 0 ? asKept(kept) : read(graph, owner, due);
  }

  return {
    read: (graph: Graph, { tenantId, principalId }: Owner, parts?: readonly Part[]): Promise<Shown> => read(graph, { tenantId, principalId }, parts),

    /** What is kept, without a look at Entra. */
    kept: ({ tenantId, principalId }: Owner): Promise<OwnAccess> => findOwnAccess(db, { tenantId, principalId }),

    /** What is kept, or what Entra says where that is too old, or where something happened that it does not tell of. */
    async show(graph: Graph, { tenantId, principalId }: Owner, wish: ShowWish = {}): Promise<Shown> {
      const owner = { tenantId, principalId };
      const { kept, due } = await dueOf(owner, wish);
      if (due.length === 0) return asKept(kept);
      const key = `${tenantId} ${principalId}`;
      const reading = running.get(key) ?? readDue(graph, owner, wish).finally(() => { running.delete(key); });
      running.set(key, reading);
      return reading;
    },
  };
}

/** Kept as the person's own: what Graph shows of somebody else among it is not. */
const ownOf = <T extends { readonly principalId: string }>({ principalId }: Owner, requests: readonly T[]): readonly T[] => requests.filter((request) => request.principalId.toLowerCase() === principalId.toLowerCase());

function withReading(all: OwnAccess, reading: Reading, at: Date): OwnAccess {
  const times = { ...all.at, [reading.part]: at };
  switch (reading.part) {
    case 'eligibilities': return { ...all, at: times, eligibilities: reading.items };
    case 'assignments': return { ...all, at: times, assignments: reading.items };
    case 'requests': return { ...all, at: times, requests: reading.items };
    case 'eligibility-requests': return { ...all, at: times, eligibilityRequests: reading.items };
  }
}
