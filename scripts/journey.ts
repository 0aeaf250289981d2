/**
 * Plays the 13 steps of the procedure over HTTP, as setup admin, analyst, approver and auditor, and prints a line a step.
 * Without `--portal URL` it starts a portal of its own, fresh, and stops it. Exits 1 at the first step that does not hold.
 *
 * `--faults RATE [--times N] [--seed TEXT]` plays it N times, each on a fresh product and tenant of which this share of
 * Graph's calls fails as in Microsoft's Dev Proxy, by a clock that waits for nothing; it prints what that took, and
 * exits 1 where one did not complete or was not true. With `--relief N` the storm rests after N tries by hand in a row, until
 * one gets through.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { startPortal } from '../apps/api/src/compose.ts';
import { parseConfig } from '../apps/api/src/config.ts';
import startTemplate from '../packages/db/src/testing-global-setup.ts';
import { playJourney } from '../testing/journey.ts';
import { playInStorm, type StormOutcome } from '../testing/storm.ts';

const { values } = parseArgs({ options: { portal: { type: 'string' }, faults: { type: 'string' }, times: { type: 'string', default: '1' }, seed: { type: 'string', default: 'journey' }, relief: { type: 'string' } } });
if (values.faults === undefined) await once();
else await manyTimes(Number(values.faults), Number(values.times), values.seed);

async function once(): Promise<void> {
  const dataDir = values.portal === undefined ? mkdtempSync(join(tmpdir(), 'gatehouse-journey-')) : undefined;
  const own = dataDir === undefined ? undefined : await startPortal({ ...parseConfig({ PORT: '0', DATA_DIR: dataDir }) }, pino({ level: 'warn' }, pino.destination(2)));
  try {
    await playJourney({
      portalUrl: (values.portal ?? own?.url ?? '').replace(/\/$/, ''),
      suffix: own ? '' : `-${Date.now().toString(36)}`,
      now: () => performance.now(),
      patienceMs: 90_000,
      pause: async (ms) => { await sleep(ms); },
      advance: async (client, minutes) => { assert.equal((await client.post('/api/demo/clock', { minutes })).status, 200); },
      report: (line) => { console.log(line); },
    });
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) console.error(error);
    process.exitCode = 1;
  } finally {
    await own?.stop();
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}

async function manyTimes(rate: number, times: number, seed: string): Promise<void> {
  const outcomes: StormOutcome[] = [];
  let templateUrl = '';
  const stopPostgres = await startTemplate({ provide: (_key, url) => { templateUrl = url; } });
  try {
    for (let count = 1; count <= times; count += 1) {
      const outcome = await playInStorm({ rate, seed: `${seed}-${count}`, templateUrl, ...(values.relief !== undefined && { reliefAfter: Number(values.relief) }) });
      outcomes.push(outcome);
      const { completed, calls, attempts, triedAgain, tooEarly, doubled, untrue, failure } = outcome;
      console.log(`${String(count).padStart(3)} ${completed ? '✓' : '✗'} ${calls} calls, ${(attempts / calls).toFixed(2)} attempts a call, tried again by hand ${triedAgain} times, ${tooEarly.length} too early, ${doubled.length} doubled, ${untrue.length} untrue${failure === undefined ? '' : `: ${failure}`}`);
      for (const line of [...tooEarly, ...doubled, ...untrue]) console.log(`      ${line}`);
    }
  } finally {
    await stopPostgres();
  }
  const sum = (of: (outcome: StormOutcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  console.log(`${sum(({ completed }) => Number(completed))} of ${times} completed; ${(sum(({ attempts }) => attempts) / sum(({ calls }) => calls)).toFixed(3)} attempts a call (worst journey ${Math.max(...outcomes.map(({ attempts, calls }) => attempts / calls)).toFixed(2)}); tried again by hand ${(sum(({ triedAgain }) => triedAgain) / times).toFixed(1)} times a journey; ${sum(({ tooEarly }) => tooEarly.length)} too early, ${sum(({ doubled }) => doubled.length)} doubled, ${sum(({ untrue }) => untrue.length)} untrue`);
  if (outcomes.some(({ completed, tooEarly, doubled, untrue }) => !completed || tooEarly.length + doubled.length + untrue.length > 0)) process.exitCode = 1;
}
