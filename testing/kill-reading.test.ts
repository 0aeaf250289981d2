import { testDatabase } from '@gatehouse/db/testing';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import { expect, test } from 'vitest';
import { pimEvent } from '../apps/api/src/mirror/testing.ts';
import { controlsOf } from '../apps/api/src/testing.ts';
import { ended, ready, startProcess, withDatabase, type ProductProcess } from '../apps/api/test/process.ts';
import { until } from '../apps/api/test/until.ts';
import { gate } from './kill.ts';

/** Kill -9 of a process that reads the audit log, between two pages of one window, and another process on the same database. */

const PAGE = 1_000;
const ACTIVATIONS = 1_100;

/** A portal of its own process, which ends by kill -9. */
function startPortal(databaseUrl: string, emulatorUrl: string): ProductProcess & { kill9(): Promise<void> } & AsyncDisposable {
  const child = startProcess({ ...withDatabase(databaseUrl), EMULATOR_URL: emulatorUrl });
  const kill9 = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
  };
  return Object.assign(child, { kill9, [Symbol.asyncDispose]: kill9 });
}

/** Activations of the last day, two events each: three pages that are one window. */
function eventsUntil(now: number) {
  return Array.from({ length: ACTIVATIONS }, (_, index) => {
    const begun = now - 20 * 3_600_000 + index * 60_000;
    const event = (id: string, at: number, activity: string) => {
      const text = new Date(at).toISOString();
      return { visibleAt: text, entry: JSON.parse(pimEvent({ id, at: text, activity, requestId: `killed-${index}` }).raw) as Record<string, unknown> };
    };
    return [event(`killed-${index}-on`, begun, 'Add member to role completed (PIM activation)'), event(`killed-${index}-off`, begun + 600_000, 'Remove member from role (PIM activation expired)')];
  }).flat();
}

test('killed between two pages, a process loses no event of the log, and another adds none twice', { timeout: 60_000 }, async () => {
  await using database = await testDatabase();
  const emulator = await startEmulator({ seed: 'empty', delays: DEMO_DELAYS, throttling: null });
  const way = gate();
  await using _tenant = { [Symbol.asyncDispose]: async () => { way.stop(); await emulator.close(); } };
  const events = eventsUntil(Date.now());
  for (let index = 0; index < events.length; index += PAGE) await controlsOf(emulator.url).audits(events.slice(index, index + PAGE));
  const stored = async () => (await database.pool.query<{ events: number; ids: number; whole: boolean }>(
    `SELECT count(*)::int AS events, count(DISTINCT event_id)::int AS ids, EXISTS (SELECT FROM sync_source WHERE source = 'directory' AND watermark IS NOT NULL) AS whole FROM audit_event WHERE event_id LIKE 'killed-%'`)).rows[0];

  // The third page has been given, and nobody hears it: of the two before, what was stored is stored.
  way.arm({ method: 'GET', path: '**/auditLogs/directoryAudits', nth: 3 }, 'after');
  await using first = startPortal(database.url, await way.through(emulator.url));
  await Promise.race([way.closed, ended(first).then(() => { throw new Error(first.err()); })]);
  await first.kill9();
  const left = await stored();
  expect(left?.whole, 'the window was not read to its end').toBe(false);
  expect(left?.events, 'a part of it').toBeGreaterThan(0);
  expect(left?.events).toBeLessThan(events.length);

  await using second = startPortal(database.url, emulator.url);
  await ready(second);
  await until('the window is read', async () => ((await stored())?.whole === true ? true : undefined));
  expect(await stored()).toEqual({ events: events.length, ids: events.length, whole: true });
  const { rows: lost } = await database.pool.query('SELECT id FROM unnest($1::text[]) AS id WHERE NOT EXISTS (SELECT FROM audit_event WHERE event_id = id)', [events.map(({ entry }) => entry['id'])]);
  expect(lost).toEqual([]);
  // Activations are joined when their window is read.
  await until('every activation has ended', async () => {
    const { rows } = await database.pool.query<{ status: string; count: number }>(`SELECT status, count(*)::int AS count FROM activation WHERE request_id LIKE 'killed-%' GROUP BY 1`);
    return rows.length === 1 && rows[0]?.status === 'ended' && rows[0].count === ACTIVATIONS ? true : undefined;
  });
  const { rows: twice } = await database.pool.query('SELECT event_id FROM audit_event GROUP BY tenant_id, source, event_id, revision HAVING count(*) > 1');
  expect(twice, 'of the whole log').toEqual([]);
});
