import type { Batch, SetupDrift } from '@gatehouse/contracts';
import { MAYA, startPortal, type JournalEntry, type TestPortal } from '../apps/api/src/testing.ts';
import { importFile } from './bulk-import.ts';
import { otherAdmin } from './out-of-band.ts';
import { isBatch } from './setup-runs.ts';

/** Many setups that are watched on a tenant that throttles: what a pass asks of Graph, and what it leaves to people. */

export interface Pass {
  readonly calls: number;
  readonly trips: number;
  readonly throttled: number;
  /** The most calls to PIM within any ten seconds of the tenant's time. */
  readonly pimPeak: number;
  readonly differences: number;
  readonly attributed: number;
}

export interface PlayedWatch {
  /** The first pass: nobody has looked yet. */
  readonly first: Pass;
  /** The next one: nothing changed. */
  readonly idle: Pass;
  /** After so many setups were changed past the portal. */
  readonly changed: Pass;
  /** What a person asks who plans a setup, alone; and whether that was done while the first pass was under way. */
  readonly person: { readonly calls: number; readonly pim: number; readonly doneBeforeThePass: boolean };
  /** How long calls waited within the portal for room, in the tenant's time: a person's with no pass under way and with one, and those of the pass. */
  readonly queued: { readonly alone: Queued; readonly meanwhile: Queued; readonly background: Queued };
}

export interface Queued { readonly calls: number; readonly seconds: number }

const WINDOW_MS = 10_000;
/** How often the person plans while the first pass is under way, at most. */
const PLANS = 20;
/** Made long ago: what the runs did is in the log. */
const LATER = 'PT30M';

export async function playWatch({ setups, changes, templateUrl }: { readonly setups: number; readonly changes: number; readonly templateUrl?: string }): Promise<PlayedWatch> {
  await using portal = await startPortal({ timePasses: true, throttling: true, graphTimeoutMs: 5_000, templateUrl });
  const maya = await portal.as(MAYA);
  const { body: { id } } = await maya.post('/api/setup-batches', { fileName: 'watch.csv', format: 'csv', text: await importFile(portal, setups) });
  await portal.settle();
  await maya.post(`/api/setup-batches/${id}/apply`, { irreversibleUnderstood: true });
  await portal.settle();
  const { counts } = (await maya.get(`/api/setup-batches/${id}`)).body as Batch;
  if (counts.done !== setups) throw new Error(`not all were applied: ${JSON.stringify(counts)}`);
  await portal.advance(LATER);
  await portal.syncNow();
  await portal.advance('PT1S');

  const { body: { setups: listed } } = await maya.get('/api/setups');
  const { body: { definition } } = await maya.get(`/api/setups/${listed[0].id}`);
  const planned = async (): Promise<void> => {
    const { status, body } = await maya.post('/api/setup-plans', { definition });
    if (status !== 200) throw new Error(JSON.stringify(body));
  };
  const queuedIn = async (work: () => Promise<unknown>): Promise<{ readonly person: Queued; readonly background: Queued }> => {
    const before = await queuedBy(portal);
    await work();
    const after = await queuedBy(portal);
    const less = (caller: 'person' | 'background'): Queued => ({ calls: after[caller].calls - before[caller].calls, seconds: after[caller].seconds - before[caller].seconds });
    return { person: less('person'), background: less('background') };
  };
  await portal.emulator.clearJournal();
  const { person: queuedAlone } = await queuedIn(planned);
  const alone = await passOf(portal, await portal.emulator.journal());
  await portal.advance('PT1M');

  let passing = true;
  await portal.emulator.clearJournal();
  let doneBeforeThePass = false;
  const { person: meanwhile, background } = await queuedIn(async () => {
    const pass = portal.product.tasks.watch().finally(() => { passing = false; });
    await planned();
    doneBeforeThePass = passing;
    // More of the same, for as long as the pass goes on: some of it comes when the background has queued.
    for (let again = 0; again < PLANS && passing; again += 1) await planned();
    await pass;
  });
  const both = await passOf(portal, await portal.emulator.journal());
  const plans = meanwhile.calls / queuedAlone.calls;
  // What the person asks alone is taken off, as often as it was asked.
  const first = { ...both, calls: both.calls - plans * alone.calls, trips: both.trips - plans * alone.trips };

  const again = async (): Promise<Pass> => {
    await portal.emulator.clearJournal();
    await portal.product.tasks.watch();
    return passOf(portal, await portal.emulator.journal());
  };
  const idle = await again();

  const erik = await otherAdmin(portal.emulator.url);
  const { users } = await portal.emulator.state() as { users: readonly { id: string; displayName: string }[] };
  const rachel = users.find(({ displayName }) => displayName === 'Rachel Stein')?.id ?? '';
  for (const { groupId } of listed.slice(0, changes)) await erik.graph('POST', `/v1.0/groups/${groupId}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${rachel}` });
  await portal.advance(LATER);
  await portal.syncNow();
  const changed = await again();
  return { first, idle, changed, person: { calls: alone.calls, pim: alone.pimPeak, doneBeforeThePass }, queued: { alone: queuedAlone, meanwhile, background } };
}

/** By the portal's own figures. */
/** How long calls waited within the portal for room so far, in seconds of the tenant. */
export async function queuedBy(portal: TestPortal): Promise<Readonly<Record<'person' | 'background', Queued>>> {
  const lines = (await (await fetch(`${portal.url}/metrics`)).text()).split('\n');
  const of = (caller: string): Queued => {
    const value = (what: string): number => Number(lines.find((line) => line.startsWith(`gatehouse_graph_queue_duration_seconds_${what}{caller="${caller}"} `))?.split(' ')[1] ?? 0);
    return { calls: value('count'), seconds: value('sum') };
  };
  return { person: of('person'), background: of('background') };
}

async function passOf(portal: TestPortal, journal: readonly JournalEntry[]): Promise<Pass> {
  const calls = journal.filter((entry) => !isBatch(entry));
  const pim = calls.filter(({ url }) => /identityGovernance|\/policies\//.test(url)).map(({ at }) => Date.parse(at)).sort((one, other) => one - other);
  const { setups } = (await (await portal.as(MAYA)).get('/api/drift')).body as { setups: SetupDrift[] };
  const differences = setups.flatMap((one) => one.differences);
  return {
    calls: calls.length, trips: journal.filter(({ batch }) => batch === undefined).length, throttled: calls.filter(({ status }) => status === 429).length,
    pimPeak: pim.reduce((most, from, index) => Math.max(most, pim.slice(index).filter((at) => at < from + WINDOW_MS).length), 0),
    differences: differences.length, attributed: differences.filter(({ by }) => by?.name === 'Erik Sandberg').length,
  };
}
