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
/** In the order of their names: their time may be the same. */
const activities = async (portal: TestPortal): Promise<string[]> => (await portal.db.pool.query(`SELECT activity FROM audit_event WHERE activity LIKE 'batch.%' ORDER BY activity`)).rows.map(({ activity }: { activity: string }) => activity);

test('setups of a file are planned, reviewed once and applied together; what is wrong with a row is said of that row', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const planned = await bring(portal, maya, csv(row('One'), row('Two', ANA, 'Finance reports;Quick Access'), row('Three', 'nobody@contoso.example', 'Nothing'), row('=Four'), row('Five', ''), row('One', BEN), row('Six', ANA)));
  expect(planned).toMatchObject({ name: 'setups.csv', format: 'csv', status: 'planned', counts: { planned: 3, refused: 4 }, finishedAt: null });
  expect(planned.rows.map(({ line, name, status, detail }) => [line, name, status, detail])).toEqual([
    [2, 'One', 'planned', null], [3, 'Two', 'planned', null],
    [4, 'Three', 'refused', expect.stringMatching(/^Line 4: .*there is no person with the sign-in name “nobody@contoso.example”.*Line 4: .*there is no application of the name “Nothing”/)],
    [5, '=Four', 'refused', 'Line 5: name begins like a formula ("=Four"). A cell begins with none of = + - @, a tab or a line break.'],
    [6, 'Five', 'refused', 'Line 6: people, groups: Choose at least one person or group.'],
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
  expect(await activities(portal)).toEqual(['batch.created', 'batch.finished', 'batch.planned', 'batch.started'].flatMap((one) => [one, one]));
});

test('a file that is none is refused whole, with its lines, and nothing is kept of it', async () => {
  await using portal = await startPortal();
  const maya = await portal.as(MAYA);
  const refused = async (text: string, more: object = {}): Promise<{ status: number; issues: string[] }> => {
    const { status, body } = await maya.post('/api/setup-batches', { fileName: 'x.csv', format: 'csv', text, ...more });
    return { status, issues: (body.issues as { path: string; message: string }[]).map(({ path, message }) => `${path}: ${message}`) };
  };
  const began = performance.now();
  expect(await refused(csv(...Array.from({ length: 10_000 }, (_, index) => row(`G${index}`))))).toEqual({ status: 400, issues: ['line 1: Line 1: The file has 10,000 setups, and a batch has at most 1,000. Split it.'] });
  expect(performance.now() - began, 'milliseconds until 10,000 rows are refused').toBeLessThan(5_000);
  expect(await refused([...csv(row('One'))].join('\u0000'))).toEqual({ status: 400, issues: [expect.stringContaining('line 1: Line 1: This is no text in UTF-8')] });
  expect(await refused('name,colour\nA,red\n')).toEqual({ status: 400, issues: [expect.stringContaining('line 1: Line 1: colour is no column')] });
  expect(await refused('setups:\n  - [', { format: 'yaml' })).toEqual({ status: 400, issues: [expect.stringMatching(/^line \d: Line \d: This is neither YAML nor JSON/)] });
  expect(await refused('a: 1', { format: 'yaml', template: 'a' })).toEqual({ status: 400, issues: [expect.stringContaining('body.template')] });
  expect(await refused('x'.repeat(900 * 1024 + 1))).toEqual({ status: 400, issues: ['body.text: A file has at most 900 KiB'] });
  expect(await refused('name\nA\n', { fileName: 'a\u0000b' })).toEqual({ status: 400, issues: [expect.stringContaining('body.fileName')] });
  expect((await maya.get('/api/setup-batches')).body).toEqual({ batches: [] });
  expect(await activities(portal)).toEqual([]);
  // A mark of the encoding at the beginning is none of the file.
  expect(statuses(await bring(portal, maya, `\uFEFF${csv(row('One'))}`))).toEqual(['One: planned']);
});

test('a row whose tenant changed since its plan was reviewed fails with that sentence, the others are done, and the failed ones are the next file', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const first = await bring(portal, maya, csv(row('One'), row('Two'), row('Nobody', 'nobody@contoso.example')));
  // Meanwhile somebody sets up the group of one of them by hand.
  const { plan } = (await maya.get(`/api/setup-batches/${first.id}/rows/1`)).body;
  const definition = { group: { kind: 'new', displayName: 'Two', mailNickname: 'Two' }, roleSettings: (await maya.post('/api/setup-files', { text: SETUP })).body.definition.roleSettings, eligible: (await maya.post('/api/setup-files', { text: SETUP })).body.definition.eligible, applications: (await maya.post('/api/setup-files', { text: SETUP })).body.definition.applications };
  const byHand = (await maya.post('/api/setup-plans', { definition })).body;
  expect(byHand.digest).not.toBe(plan.digest);
  await maya.post('/api/setups', { definition, digest: byHand.digest, irreversibleUnderstood: true });
  await portal.settle();

  const done = await applied(portal, maya, first.id);
  expect(statuses(done)).toEqual(['One: done', 'Two: failed', 'Nobody: refused']);
  expect(done.rows[1]).toMatchObject({ detail: 'Since you looked, the tenant or the setup changed. Nothing was done. Look at the new plan and apply that.', setupId: null, runId: null });

  const all = await maya.get(`/api/setup-batches/${first.id}/file`);
  expect([all.status, all.headers.get('content-type'), all.headers.get('content-disposition')]).toEqual([200, 'text/csv; charset=utf-8', 'attachment; filename="setups-result.csv"']);
  expect(String(all.body).split('\r\n').map((line) => line.split(',')[0])).toEqual(['name', 'One', 'Two', 'Nobody', '']);
  const failed = String((await maya.get(`/api/setup-batches/${first.id}/file?rows=failed`)).body);
  expect(failed.split('\r\n')[0]).toBe('name,people,groups,days,applications,result,reason');
  const next = await bring(portal, maya, failed.replace('nobody@', 'ana.costa@'));
  expect(statuses(next)).toEqual(['Two: planned', 'Nobody: planned']);
  expect(next.rows[0]?.setupId).not.toBeNull();
  expect(statuses(await applied(portal, maya, next.id))).toEqual(['Two: done', 'Nobody: done']);
});
const SETUP = `group: { kind: new, displayName: Two }\nroleSettings: standard\neligible: [{ user: ${ANA}, days: 60 }]\napplications: [{ application: Quick Access }]\n`;

test('a batch that is asked to stop rests after the setups in hand, and another admin goes on with it', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const replica = await portal.onReplica(MAYA);
  const names = Array.from({ length: 12 }, (_, index) => `Stop-${index}`);
  const { id } = await bring(portal, maya, csv(...names.map((name) => row(name))));
  // How many are in hand whenever one more is taken up.
  await portal.db.owner.query(`
    CREATE SCHEMA watch; CREATE TABLE watch.in_hand (n int);
    CREATE FUNCTION watch.look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO watch.in_hand SELECT count(*) FROM setup_batch_row WHERE status = 'running'; RETURN NULL; END $$;
    CREATE TRIGGER look AFTER UPDATE ON setup_batch_row FOR EACH ROW WHEN (NEW.status = 'running' AND OLD.status <> 'running') EXECUTE FUNCTION watch.look()`);
  await maya.post(`/api/setup-batches/${id}/apply`, { irreversibleUnderstood: true });
  // Asked for before the first is taken up, none would be in hand.
  await expect.poll(async () => (await portal.db.owner.query('SELECT FROM watch.in_hand')).rowCount).toBeGreaterThan(0);
  const asked = await replica.post(`/api/setup-batches/${id}/stop`, {});
  expect([asked.status, asked.body.stopAskedBy]).toEqual([202, 'Maya Lindqvist']);
  expect((await replica.post(`/api/setup-batches/${id}/stop`, {})).status).toBe(202);
  await portal.settle();
  const stopped = await get(maya, id);
  expect(stopped.status).toBe('stopped');
  // None is left half done: what was in hand is done, and nothing else was begun.
  expect(Object.keys(stopped.counts).sort()).toEqual(['done', 'planned']);
  expect((await maya.post(`/api/setup-batches/${id}/stop`, {})).body.code).toBe('conflict');
  expect((await maya.post(`/api/setup-batches/${id}/apply`, { irreversibleUnderstood: true })).body).toMatchObject({ code: 'conflict', detail: 'The batch was stopped. Continue it.' });

  const answers = await Promise.all([replica, maya, replica].map((client) => client.post(`/api/setup-batches/${id}/continue`, {})));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  for (let batch = await get(replica, id); batch.status === 'running';) batch = await get(replica, id);
  expect(await get(maya, id)).toMatchObject({ status: 'finished', counts: { done: 12 }, stopAskedBy: null });
  expect((await maya.post(`/api/setup-batches/${id}/continue`, {})).body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('no row of it failed') });
  const { rows: [inHand] } = await portal.db.owner.query<{ most: number; times: number }>('SELECT max(n) AS most, count(*)::int AS times FROM watch.in_hand');
  expect(inHand).toMatchObject({ most: expect.toSatisfy((most: number) => most > 1 && most <= 4), times: 12 });
  const { groups } = await portal.emulator.state();
  for (const name of names) expect(groups.filter(({ displayName }: { displayName: string }) => displayName === name), name).toHaveLength(1);
  expect(await activities(portal)).toEqual(['batch.continued', 'batch.created', 'batch.finished', 'batch.planned', 'batch.started', 'batch.stop-asked', 'batch.stopped']);
});

test('a portal that stops leaves its batch interrupted, and what nobody reviewed is planned to its end and not applied', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const replica = await portal.onReplica(MAYA);
  const { body: begun } = await maya.post('/api/setup-batches', { fileName: 'x.csv', format: 'csv', text: csv(...Array.from({ length: 45 }, (_, index) => row(`Rest-${index}`))) });
  await portal.product.stop();
  const interrupted = await get(replica, begun.id);
  expect(interrupted).toMatchObject({ status: 'interrupted', detail: expect.stringContaining('The portal stopped') });
  expect(interrupted.counts.waiting).toBeGreaterThan(0);
  expect((await replica.post(`/api/setup-batches/${begun.id}/apply`, { irreversibleUnderstood: true })).body.code).toBe('conflict');
  expect((await maya.post(`/api/setup-batches/${begun.id}/continue`, {})).body.code).toBe('not-ready');
  expect((await replica.post(`/api/setup-batches/${begun.id}/continue`, {})).status).toBe(202);
  for (let batch = await get(replica, begun.id); batch.status === 'planning';) batch = await get(replica, begun.id);
  // Nobody reviewed the plans yet, so that they wait for that.
  expect(await get(replica, begun.id)).toMatchObject({ status: 'planned', counts: { planned: 45 }, detail: null });
  expect((await replica.get('/api/setups')).body.setups).toEqual([]);
});

test('one change of role settings for many setups is planned and applied as a batch, and shows in the matrix', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const made = await applied(portal, maya, (await bring(portal, maya, csv(row('One'), row('Two'), row('Long').replace(',30,', ',300,')))).id);
  const setupIds = made.rows.map(({ setupId }) => setupId);
  const matrix = async () => (await maya.get('/api/setup-matrix')).body.setups as { name: string; roleSettings: { requireTicket: boolean; activationMaxMinutes: number; eligibleMaxDays: number } }[];
  expect((await matrix()).map(({ name, roleSettings }) => [name, roleSettings.requireTicket])).toEqual([['Long', false], ['One', false], ['Two', false]]);

  const unknown = await maya.post('/api/setup-changes', { setupIds: [setupIds[0], '6f1c3f0e-0b6e-4a37-9b0a-5d8d7f6a1c01'], change: { preset: 'strict' } });
  expect([unknown.status, unknown.body.issues.map(({ path }: { path: string }) => path)]).toEqual([400, ['body.setupIds.1']]);
  expect((await maya.post('/api/setup-changes', { setupIds, change: {} })).status).toBe(400);
  expect((await maya.post('/api/setup-changes', { setupIds, change: { preset: 'strict', requireTicket: true } })).status).toBe(400);

  const { body } = await maya.post('/api/setup-changes', { setupIds, change: { preset: 'strict' } });
  await portal.settle();
  const planned = await get(maya, body.id);
  expect(planned).toMatchObject({ name: 'Strict for 3 setups', format: null, status: 'planned' });
  // Who is eligible for longer than the settings allow is no matter of the settings alone.
  expect(statuses(planned)).toEqual(['One: planned', 'Two: planned', 'Long: refused']);
  expect(planned.rows[2]?.detail).toContain('The role settings allow 90 days at the most');
  expect((await maya.get(`/api/setup-batches/${body.id}/rows/0`)).body.plan.steps.filter(({ verdict }: { verdict: string }) => verdict !== 'nothing')).toMatchObject([{ kind: 'role-settings', verdict: 'change' }]);
  expect(statuses(await applied(portal, maya, body.id))).toEqual(['One: done', 'Two: done', 'Long: refused']);
  expect((await matrix()).map(({ name, roleSettings }) => [name, roleSettings.requireTicket])).toEqual([['Long', false], ['One', true], ['Two', true]]);

  // Those of Owner apart, where the setup says them at all.
  const refused = await maya.post('/api/setup-changes', { setupIds, of: 'owner', change: { requireTicket: true } });
  expect([refused.status, refused.body.issues]).toEqual([400, setupIds.map((_id, index) => ({ path: `body.setupIds.${index}`, message: 'This setup leaves the role settings of Owner as they are in Entra. Set them in the setup first' }))]);
  await portal.db.pool.query(`UPDATE setup SET definition = jsonb_set(definition, '{ownerRoleSettings}', definition->'roleSettings') WHERE id = $1`, [setupIds[0]]);
  const ofOwner = (await maya.post('/api/setup-changes', { setupIds: [setupIds[0]], of: 'owner', change: { activationMaxMinutes: 90 } })).body;
  await portal.settle();
  expect((await maya.get(`/api/setup-batches/${ofOwner.id}/rows/0`)).body.plan.steps.filter(({ verdict }: { verdict: string }) => verdict !== 'nothing')).toMatchObject([{ kind: 'owner-role-settings', verdict: 'change' }]);
  expect(await applied(portal, maya, ofOwner.id)).toMatchObject({ name: 'activationMaxMinutes of Owner for one setup', counts: { done: 1 } });
  expect((await maya.get('/api/setup-matrix')).body.setups.find(({ id }: { id: string }) => id === setupIds[0])).toMatchObject({ roleSettings: { activationMaxMinutes: 30 }, ownerRoleSettings: { activationMaxMinutes: 90 } });

  const minutes = (await maya.post('/api/setup-changes', { setupIds: [setupIds[2]], change: { activationMaxMinutes: 60 } })).body;
  await portal.settle();
  expect((await applied(portal, maya, minutes.id)).counts).toEqual({ done: 1 });
  expect((await matrix())[0]).toMatchObject({ name: 'Long', roleSettings: { activationMaxMinutes: 60, eligibleMaxDays: 365 } });
  expect(String((await maya.get(`/api/setup-batches/${minutes.id}/file`)).body)).toMatch(/^setups:\n {2}- group:\n {6}kind: new\n {6}displayName: Long\n/);
});

test('all setups of one portal are brought into another one, which then gives the same file', async () => {
  await using one = await startPortal({ timePasses: true });
  await using other = await startPortal({ timePasses: true });
  const [maya, elsewhere] = [await one.as(MAYA), await other.as(MAYA)];
  const template = { template: { group: { kind: 'new', displayName: '${name}' }, roleSettings: '${preset:-standard}', owners: [{ user: MAYA }], eligible: [{ user: '${people}', days: '${days:-30}' }], applications: [{ application: '${apps}' }, { kind: 'new', displayName: '${new}', connectorGroup: 'EU-1', segments: [{ host: '${hosts}', ports: '443', protocol: 'tcp' }] }] }, rows: [{ name: 'Zeta', people: [ANA, BEN], apps: 'Finance reports' }, { name: 'Alpha', preset: 'strict', people: ANA, new: 'Archive', hosts: 'arch.corp.contoso.example' }] };
  expect(statuses(await applied(one, maya, (await bring(one, maya, JSON.stringify(template), 'yaml')).id))).toEqual(['Zeta: done', 'Alpha: done']);

  const file = await maya.get('/api/setups-file');
  expect([file.status, file.headers.get('content-type'), file.headers.get('content-disposition')]).toEqual([200, 'application/yaml; charset=utf-8', 'attachment; filename="setups.yaml"']);
  const text = String(file.body);
  expect(statuses(await bring(one, maya, text, 'yaml'))).toEqual(['Alpha: nothing', 'Zeta: nothing']);
  const planned = await bring(other, elsewhere, text, 'yaml');
  expect(statuses(planned)).toEqual(['Alpha: planned', 'Zeta: planned']);
  await applied(other, elsewhere, planned.id);
  expect((await elsewhere.get('/api/setups-file')).body).toBe(text);
  const titles = async (client: Client): Promise<string[]> => (await Promise.all(planned.rows.map(async (_row, index) => (await client.get(`/api/setup-batches/${(await client.get('/api/setup-batches')).body.batches.at(-1).id}/rows/${index}`)).body.plan.steps.map(({ title }: { title: string }) => title)))).flat();
  expect((await titles(elsewhere)).toSorted()).toEqual((await titles(maya)).toSorted());
});

test('a row whose run fails says at which step, and is tried again where the batch is continued', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const { id } = await bring(portal, maya, csv(row('One'), row('Two'), row('Three')));
  await portal.emulator.faults([{ match: { method: 'POST', path: '**/appRoleAssignedTo' }, times: 1, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  const finished = await applied(portal, maya, id);
  expect([finished.status, finished.counts]).toEqual(['finished', { done: 2, failed: 1 }]);
  const failed = finished.rows.find(({ status }) => status === 'failed');
  expect(failed?.detail).toMatch(/^Open Finance reports to the group: Microsoft Entra says that a permission/);
  await portal.emulator.clearJournal();
  expect((await maya.post(`/api/setup-batches/${id}/continue`, {})).status).toBe(202);
  await portal.settle();
  const done = await get(maya, id);
  expect(done).toMatchObject({ status: 'finished', counts: { done: 3 } });
  // It is the same run, and what was done in it was not done again.
  expect(done.rows.map(({ runId }) => runId)).toEqual(finished.rows.map(({ runId }) => runId));
  expect((await portal.emulator.journal()).filter(({ effect }) => effect === true)).toHaveLength(1);
});

test('where the sign-in of whoever applies it ends, the batch rests and says so, and goes on with somebody else’s', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const { id } = await bring(portal, maya, csv(...Array.from({ length: 6 }, (_, index) => row(`Token-${index}`))));
  await portal.db.pool.query('DELETE FROM token_partition');
  const rested = await applied(portal, maya, id);
  expect(rested).toMatchObject({ status: 'interrupted', detail: expect.stringContaining('sign-in'), counts: { planned: 6 } });
  const again = await portal.onReplica(MAYA);
  expect((await again.post(`/api/setup-batches/${id}/continue`, {})).status).toBe(202);
  let batch = await get(again, id);
  while (batch.status === 'running') batch = await get(again, id);
  expect(batch).toMatchObject({ status: 'finished', counts: { done: 6 }, detail: null });
});
