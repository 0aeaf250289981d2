import type { Batch } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { ANA, BEN, MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';

/** Rows of the default template: a name, people, and the application that everybody has in the demo. */
const csv = (...rows: readonly string[]): string => ['name,people,groups,days,applications', ...rows, ''].join('\r\n');
const row = (name: string, people = `${ANA};${BEN}`, applications = 'Finance reports'): string => `${name},${people},,30,${applications}`;

async function bring(portal: TestPortal, client: Client, text: string, format: 'csv' | 'yaml' = 'csv'): Promise<Batch> {
  const { status, body } = await client.post('/api/setup-batches', { fileName: `setups.${format}`, format, text });
  expect(status, JSON.stringify(body)).toBe(202);
  await portal.settle();
  return get(client, body.id);
}
const get = async (client: Client, id: string): Promise<Batch> => (await client.get(`/api/setup-batches/${id}`)).body as Batch;
async function applied(portal: TestPortal, client: Client, id: string): Promise<Batch> {
  const { status, body } = await client.post(`/api/setup-batches/${id}/apply`, { irreversibleUnderstood: true });
  expect(status, JSON.stringify(body)).toBe(202);
  await portal.settle();
  return get(client, id);
}
const statuses = ({ rows }: Batch): string[] => rows.map(({ name, status }) => `${name}: ${status}`);
const activities = async (portal: TestPortal): Promise<string[]> => (await portal.db.pool.query(`SELECT activity FROM audit_event WHERE activity LIKE 'batch.%' ORDER BY activity_at, ingested_at, event_id`)).rows.map(({ activity }: { activity: string }) => activity);

test('setups of a file are planned, reviewed once and applied together; what is wrong with a row is said of that row', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const planned = await bring(portal, maya, csv(row('One'), row('Two', ANA, 'Finance reports;Quick Access'), row('Three', 'nobody@contoso.example', 'Nothing'), row('=Four'), row('Five', ''), row('One', BEN), row('Six', ANA)));
  expect(planned).toMatchObject({ name: 'setups.csv', format: 'csv', status: 'planned', counts: { planned: 3, refused: 4 }, finishedAt: null });
  expect(planned.rows.map(({ line, name, status, detail }) => [line, name, status, detail])).toEqual([
    [2, 'One', 'planned', null], [3, 'Two', 'planned', null],
    [4, 'Three', 'refused', expect.stringMatching(/^Line 4: .*there is no person with the sign-in name “nobody@contoso.example”.*Line 4: .*there is no application of the name “Nothing”/)],
    [5, '=Four', 'refused', 'Line 5: name begins like a formula ("=Four"). A cell begins with none of = + - @, a tab or a line break.'],
    [6, 'Five', 'refused', 'Line 6: eligible: Choose at least one person or group.'],
    [7, 'One', 'refused', 'Line 7: this is the same group as in line 2. A group has one setup: put them together, or give the new one another nickname.'],
    [8, 'Six', 'planned', null],
  ]);
  expect(planned.rows[0]).toMatchObject({ irreversible: true, setupId: null, runId: null });
  expect(planned.rows[0]?.changes).toBeGreaterThan(3);
  const one = (await maya.get(`/api/setup-batches/${planned.id}/rows/0`)).body;
  expect(one.plan.steps[0]).toMatchObject({ kind: 'create-group', verdict: 'create' });
  expect((await maya.get('/api/setups')).body.setups).toEqual([]);

  const unticked = await maya.post(`/api/setup-batches/${planned.id}/apply`, { irreversibleUnderstood: false });
  expect([unticked.status, unticked.body.issues[0].path]).toEqual([400, 'body.irreversibleUnderstood']);
  const done = await applied(portal, maya, planned.id);
  expect([done.status, done.counts]).toEqual(['finished', { done: 3, refused: 4 }]);
  expect(done.finishedAt).not.toBeNull();
  expect((await maya.get(`/api/setups/${done.rows[0]?.setupId ?? ''}`)).body).toMatchObject({ name: 'One', eligibleCount: 2, runs: [{ id: done.rows[0]?.runId, status: 'succeeded' }] });
  expect((await maya.get('/api/setup-batches')).body.batches).toMatchObject([{ id: planned.id, rows: 7, counts: { done: 3, refused: 4 } }]);
  expect((await portal.emulator.state()).groups.filter(({ displayName }: { displayName: string }) => ['One', 'Two', 'Six'].includes(displayName))).toHaveLength(3);
  expect((await maya.post(`/api/setup-batches/${planned.id}/apply`, { irreversibleUnderstood: true })).body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('finished') });

  // The same file again: what is so already is nothing to do, and what failed is not brought in by the way.
  const again = await bring(portal, maya, csv(row('One'), row('Two', ANA, 'Finance reports;Quick Access'), row('Six', BEN)));
  expect(statuses(again)).toEqual(['One: nothing', 'Two: nothing', 'Six: planned']);
  expect(again.rows[2]?.setupId).toBe(done.rows[6]?.setupId);
  expect(statuses(await applied(portal, maya, again.id))).toEqual(['One: nothing', 'Two: nothing', 'Six: done']);
  expect(await activities(portal)).toEqual([1, 2].flatMap(() => ['batch.created', 'batch.planned', 'batch.started', 'batch.finished']));
});
