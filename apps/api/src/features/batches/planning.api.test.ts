import { BATCH_FILE_MAX, type Batch } from '@gatehouse/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANA, MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';

let portal: TestPortal;
let maya: Client;
beforeAll(async () => {
  portal = await startPortal({ timePasses: true });
  maya = await portal.as(MAYA);
});
afterAll(() => portal[Symbol.asyncDispose]());

const csv = (...names: readonly string[]): string => ['name,people,days,applications', ...names.map((name) => `${name},${ANA},30,Finance reports`), ''].join('\r\n');
const get = async (id: string): Promise<Batch> => (await maya.get(`/api/setup-batches/${id}`)).body as Batch;
async function bring(text: string, format: 'csv' | 'yaml' = 'csv'): Promise<Batch> {
  const { status, body } = await maya.post('/api/setup-batches', { fileName: `setups.${format}`, format, text });
  expect(status, JSON.stringify(body)).toBe(202);
  await portal.settle();
  return get(body.id);
}
async function goneOn(id: string, step: 'apply' | 'continue'): Promise<Batch> {
  const { status, body } = await maya.post(`/api/setup-batches/${id}/${step}`, step === 'apply' ? { irreversibleUnderstood: true } : {});
  expect(status, JSON.stringify(body)).toBe(202);
  await portal.settle();
  return get(id);
}

test('while a file of the largest size is read, the portal answers others', async () => {
  const one = (index: number): string => `  - group: { kind: new, displayName: G${index} }\n    roleSettings: standard\n    eligible:\n${Array.from({ length: 12 }, (_, person) => `      - { user: person${person}@contoso.example, days: often }\n`).join('')}    applications: [{ application: Finance reports }]\n`;
  let text = 'setups:\n';
  for (let index = 0; text.length < BATCH_FILE_MAX - 2_000; index += 1) text += one(index);
  let reading = true;
  const began = performance.now();
  const posted = maya.post('/api/setup-batches', { fileName: 'large.yaml', format: 'yaml', text }).finally(() => { reading = false; });
  const waits: number[] = [];
  while (reading) {
    const asked = performance.now();
    expect((await portal.anonymous().get('/healthz')).status).toBe(200);
    waits.push(performance.now() - asked);
  }
  const took = performance.now() - began;
  const { status, body } = await posted;
  expect([status, body.issues[0].message]).toEqual([400, expect.stringMatching(/^Line 1: The file has 1,\d{3} setups/)]);
  expect(Math.max(...waits), `the longest of ${waits.length} waits, of ${took} ms in all`).toBeLessThan(took / 2);
});

test.each([
  ['is too busy', { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: 20 }, 'Microsoft Entra asked us to slow down'],
  ['does not answer', { kind: 'status', status: 503, code: 'ServiceUnavailable' }, 'Microsoft Entra did not answer'],
  ['lacks a role of whoever asks', { kind: 'status', status: 403, code: 'Authorization_RequestDenied' }, 'a permission or a role is missing'],
])('where Entra %s, rows wait for their plan and are planned when the batch is continued', async (what, fault, reason) => {
  const names = [`One ${what}`, `Two ${what}`].map((name) => name.replaceAll(' ', '-'));
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/groups' }, times: null, fault }]);
  const halted = await bring(csv(...names));
  expect(halted).toMatchObject({ status: 'interrupted', startedAt: null, counts: { waiting: 2 }, detail: expect.stringMatching(new RegExp(`^2 rows have no plan yet\\. .*${reason}.* Nothing is wrong with the file: continue the batch`)) });
  expect(halted.rows[0]?.detail).toMatch(new RegExp(`^Line 2: .*${reason}`));
  const refused = await maya.post(`/api/setup-batches/${halted.id}/apply`, { irreversibleUnderstood: true });
  expect(refused.body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('Continue it') });

  await portal.emulator.faults([]);
  const planned = await goneOn(halted.id, 'continue');
  expect(planned).toMatchObject({ status: 'planned', startedAt: null, counts: { planned: 2 }, detail: null });
  expect(planned.rows.map(({ detail }) => detail)).toEqual([null, null]);
});

test('a batch that is stopped while it is planned was not begun, and continuing plans the rest', async () => {
  await portal.db.owner.query(`CREATE FUNCTION stop_at_once() RETURNS trigger AS $$ BEGIN UPDATE setup_batch SET stop_asked_by = 'Maya Lindqvist' WHERE id = NEW.batch_id AND name = 'stopped.csv'; RETURN NEW; END $$ LANGUAGE plpgsql`);
  await portal.db.owner.query('CREATE TRIGGER stop_at_once AFTER INSERT ON setup_batch_row FOR EACH ROW EXECUTE FUNCTION stop_at_once()');
  const { body } = await maya.post('/api/setup-batches', { fileName: 'stopped.csv', format: 'csv', text: csv('Stop-One', 'Stop-Two') });
  await portal.settle();
  expect(await get(body.id)).toMatchObject({ status: 'stopped', stopAskedBy: 'Maya Lindqvist', startedAt: null, counts: { waiting: 2 } });
  expect(await goneOn(body.id, 'continue')).toMatchObject({ status: 'planned', startedAt: null, counts: { planned: 2 } });
  expect((await goneOn(body.id, 'apply')).startedAt).not.toBeNull();
});

test('a row whose plan another version of the portal wrote is told so, and the others are applied', async () => {
  const { id } = await bring(csv('Old-One', 'Old-Two'));
  await portal.db.pool.query(`UPDATE setup_batch_row SET definition = '{"group":"Old-One"}' WHERE batch_id = $1 AND ordinal = 0`, [id]);
  const shown = await maya.get(`/api/setup-batches/${id}/rows/0`);
  expect([shown.status, shown.body]).toEqual([409, expect.objectContaining({ code: 'conflict', detail: expect.stringContaining('Another version of the portal planned this row') })]);
  const done = await goneOn(id, 'apply');
  expect(done.rows.map(({ status, detail }) => [status, detail])).toEqual([['failed', expect.stringMatching(/^Another version of the portal.*Bring the file in again/)], ['done', null]]);
});
