import type { Batch } from '@gatehouse/contracts';
import { MAYA, startPortal, type Client, type JournalEntry, type TestPortal } from '../apps/api/src/testing.ts';
import { cutLocks, effectiveIn, gate } from './kill.ts';
import { configurationOf, isBatch } from './setup-runs.ts';

/** Many setups from one CSV file on a tenant that throttles as Microsoft says; the portal is killed in the middle, and another one goes on. */

export interface PlayedImport {
  readonly planSeconds: number;
  readonly counts: Batch['counts'];
  readonly killed: boolean;
  /** Rows that were done when the batch rested first. */
  readonly doneBefore: number;
  /** Why it was continued, each time. */
  readonly continued: readonly string[];
  /** Writes that changed the tenant. */
  readonly effective: number;
  /** Calls that were refused by throttling, and those that were so again after they had waited. */
  readonly throttled: number;
  readonly throttledTwice: number;
  /** Round trips of the planning. */
  readonly planTrips: number;
  readonly configuration: readonly string[];
}

const PEOPLE = 2;

/** Rows of two people each, of the tenant's own people. */
export async function importFile(portal: TestPortal, setups: number): Promise<string> {
  const { users } = await portal.emulator.state() as { users: readonly { userPrincipalName: string }[] };
  const person = (index: number): string => users[index % users.length]?.userPrincipalName ?? '';
  return ['name,people,applications', ...Array.from({ length: setups }, (_, index) => `Import-${String(index + 1).padStart(3, '0')}-SecureAccess,${person(2 * index)};${person(2 * index + 1)},Finance reports`), ''].join('\n');
}

export const batchOf = async (client: Client, id: string): Promise<Batch> => (await client.get(`/api/setup-batches/${id}`)).body as Batch;

async function accepted(asked: ReturnType<Client['post']>): Promise<Batch> {
  const { status, body } = await asked;
  if (status !== 202) throw new Error(`not begun: ${JSON.stringify(body)}`);
  return body as Batch;
}

/** Follows a batch to its rest, on whatever portal it is. */
async function toItsRest(client: Client, id: string): Promise<Batch> {
  for (;;) {
    const batch = await batchOf(client, id);
    if (batch.status !== 'planning' && batch.status !== 'running') return batch;
  }
}

export async function playImport({ setups, cut, templateUrl }: { readonly setups: number; readonly cut: boolean; readonly templateUrl?: string }): Promise<PlayedImport> {
  const way = gate();
  using _way = { [Symbol.dispose]: () => { way.stop(); } };
  await using portal = await startPortal({ timePasses: true, throttling: true, graphTimeoutMs: 5_000, through: way.through, templateUrl });
  const maya = await portal.as(MAYA);
  const rescuer = await portal.onReplica(MAYA);
  const text = await importFile(portal, setups);
  await portal.emulator.clearJournal();

  const begun = performance.now();
  const { id } = await accepted(maya.post('/api/setup-batches', { fileName: 'import.csv', format: 'csv', text }));
  await portal.settle();
  const planSeconds = (performance.now() - begun) / 1000;
  const planTrips = (await portal.emulator.journal()).filter(({ batch }) => batch === undefined).length;

  // In the middle: half of all people are eligible.
  if (cut) way.arm({ method: 'POST', path: '**/eligibilityScheduleRequests', nth: Math.floor(setups * PEOPLE / 2) }, 'after');
  await accepted(maya.post(`/api/setup-batches/${id}/apply`, { irreversibleUnderstood: true }));
  const killed = await Promise.race([way.closed.then(() => true), portal.settle().then(() => false)]);
  if (killed) await cutLocks(portal);
  let batch = await toItsRest(rescuer, id);
  const doneBefore = batch.counts.done ?? 0;
  const continued: string[] = [];
  while (batch.status !== 'finished' || (batch.counts.failed ?? 0) > 0) {
    continued.push(`${batch.status}: ${[batch.detail, ...batch.rows.map(({ detail }) => detail)].filter((detail) => detail !== null).slice(0, 3).join(' ')}`);
    if (continued.length === 5) throw new Error(continued.join('\n'));
    await accepted(rescuer.post(`/api/setup-batches/${id}/continue`, {}));
    batch = await toItsRest(rescuer, id);
  }
  const journal = await portal.emulator.journal();
  const refusals = timesThrottled(journal);
  return {
    planSeconds, planTrips, killed, doneBefore, continued, counts: batch.counts, effective: effectiveIn(journal),
    throttled: refusals.length, throttledTwice: refusals.filter((times) => times > 1).length, configuration: await configurationOf(portal),
  };
}

/** How often each call that was throttled was so. */
function timesThrottled(journal: readonly JournalEntry[]): number[] {
  const times = new Map<string, number>();
  for (const entry of journal.filter((one) => one.status === 429 && !isBatch(one))) {
    const call = `${entry.method} ${entry.url} ${JSON.stringify(entry.body ?? null)}`;
    times.set(call, (times.get(call) ?? 0) + 1);
  }
  return [...times.values()];
}
