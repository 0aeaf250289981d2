import { startPortal, type JournalEntry } from '../apps/api/src/testing.ts';
import { begin, definitionOf, isBatch, isWrite, signInMaya, toItsRest } from './setup-runs.ts';

/** What applying a setup asks of Graph: the calls that change something, and the round trips. */
export interface Economy {
  readonly people: number;
  readonly writes: number;
  /** Without reading back what was written. */
  readonly trips: number;
  readonly readBacks: number;
  readonly secondWrites: number;
  readonly secondTrips: number;
}

/** Applies a setup of so many people and one application, twice, on a tenant whose parts know of each other at once. */
export async function measureEconomy(people: readonly number[], templateUrl?: string): Promise<readonly Economy[]> {
  await using portal = await startPortal({ timePasses: true, templateUrl });
  await portal.emulator.settings({ delays: { directoryToPim: 0, provisioning: 0, membership: 0 } });
  const maya = await signInMaya(portal);
  const measured: Economy[] = [];
  for (const count of people) {
    const definition = await definitionOf(portal, maya, { name: `Economy-${count}-SecureAccess`, people: count, applications: 'one that exists' });
    const applied = async (setupId?: string): Promise<{ setupId: string; journal: readonly JournalEntry[] }> => {
      // What applying asks begins with the request to apply: the review before it is asked for apart.
      const begun = await begin({ ...maya, post: async (...args) => {
        if (!String(args[0]).endsWith('plans')) await portal.emulator.clearJournal();
        return maya.post(...args);
      } }, definition, setupId);
      const run = await toItsRest(portal, maya, begun.id);
      if (run.status !== 'succeeded') throw new Error(JSON.stringify(run.steps));
      await portal.settle();
      return { setupId: run.setupId, journal: (await portal.emulator.journal()).filter(isThePersons) };
    };
    const first = await applied();
    const second = await applied(first.setupId);
    measured.push({
      people: count, writes: writesIn(first.journal), ...tripsIn(first.journal), secondWrites: writesIn(second.journal), secondTrips: tripsIn(second.journal).trips,
    });
  }
  return measured;
}

/** The catalog is read by the background identity afterwards: that is not applying. */
const isThePersons = ({ headers }: JournalEntry): boolean => headers['x-ms-throttle-priority'] !== 'Low';

const writesIn = (journal: readonly JournalEntry[]): number => journal.filter(isWrite).length;

/** A read that follows a write proves it; what is read before the next write is what that write is made from. */
function tripsIn(journal: readonly JournalEntry[]): { trips: number; readBacks: number } {
  let trips = 0;
  let readBacks = 0;
  let proving = false;
  let parts: JournalEntry[] = [];
  for (const entry of journal) {
    if (entry.batch !== undefined) {
      parts.push(entry);
      continue;
    }
    const writes = isBatch(entry) ? parts.some(isWrite) : isWrite(entry);
    parts = [];
    // The list of all groups under PIM serves nothing but the proof of onboarding.
    const proves = !writes && (proving || entry.url.includes('/privilegedAccess/group/resources'));
    if (proves) readBacks += 1;
    else trips += 1;
    proving = writes;
  }
  return { trips, readBacks };
}
