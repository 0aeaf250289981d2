import type { Run } from '@gatehouse/contracts';
import { testDatabase } from '@gatehouse/db/testing';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import { beforeAll, describe, expect, test } from 'vitest';
import { controlsOf, MAYA, type Client } from '../apps/api/src/testing.ts';
import { createClient } from '../apps/api/test/client.ts';
import { ended, ready, startProcess, withDatabase, type ProductProcess } from '../apps/api/test/process.ts';
import { until } from '../apps/api/test/until.ts';
import { effectiveIn, gate, playKilled, WISH, WRITES, type KilledRun, type Moment, type WriteName } from './kill.ts';
import { begin, configurationOf, definitionOf } from './setup-runs.ts';

/** Kill -9 of a process that works on a run, and another process on the same database in which an admin continues it. */

/** These portals have no clock but the one on the wall. */
const DELAYS = { ...DEMO_DELAYS, directoryToPim: 1_500, provisioning: 500 };

/** A portal of its own process, which ends by kill -9. */
function startPortal(databaseUrl: string, emulatorUrl: string): ProductProcess & { kill9(): Promise<void> } & AsyncDisposable {
  const child = startProcess({ ...withDatabase(databaseUrl), EMULATOR_URL: emulatorUrl });
  const kill9 = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
  };
  return Object.assign(child, { kill9, [Symbol.asyncDispose]: kill9 });
}

async function signInMaya(portal: ProductProcess): Promise<Client> {
  const maya = createClient(await ready(portal));
  await maya.signIn(MAYA);
  return maya;
}

/** The run when it rests, by the clock on the wall. */
const atRest = (maya: Client, runId: string): Promise<Run> => until('the run rests', async () => {
  const run = (await maya.get(`/api/runs/${runId}`)).body as Run;
  return run.status === 'running' ? undefined : run;
});

describe('a process that is killed while it works on a run, and another that continues it, leave what an undisturbed run leaves', () => {
  let whole: KilledRun;
  beforeAll(async () => { whole = await playKilled(undefined); });

  test.each<{ write: WriteName; moment: Moment }>([
    { write: 'create group', moment: 'after' },
    { write: 'onboard, role settings', moment: 'before' },
    { write: 'second eligible', moment: 'later' },
    { write: 'create application', moment: 'after' },
    { write: 'second assignment', moment: 'before' },
  ])('$write, killed $moment', async ({ write, moment }) => {
    await using database = await testDatabase();
    const emulator = await startEmulator({ seed: 'demo', delays: DELAYS, throttling: null });
    const way = gate();
    await using _tenant = { [Symbol.asyncDispose]: async () => { way.stop(); await emulator.close(); } };
    const tenant = { emulator: controlsOf(emulator.url) };
    await using first = startPortal(database.url, await way.through(emulator.url));
    const maya = await signInMaya(first);
    const definition = await definitionOf(tenant, maya, WISH);
    await tenant.emulator.clearJournal();

    way.arm(WRITES[write], moment);
    const { id } = await begin(maya, definition);
    await way.closed;
    await first.kill9();
    await using second = startPortal(database.url, emulator.url);
    const rescuer = await signInMaya(second);
    expect((await atRest(rescuer, id)).status).toBe('interrupted');
    expect((await rescuer.post(`/api/runs/${id}/continue`)).status).toBe(202);

    const run = await atRest(rescuer, id);
    expect(run.status, JSON.stringify(run.steps)).toBe('succeeded');
    expect(await configurationOf(tenant)).toEqual(whole.configuration);
    expect(effectiveIn(await tenant.emulator.journal()) / whole.effective).toBe(1);
  });
});
