import type { SetupDrift, SetupSummary } from '@gatehouse/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { begin, definitionOf, toItsRest } from '../../../../../testing/setup-runs.ts';
import { MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';

/** Looks that fail, of setups that nobody changed. */

let portal: TestPortal;
let maya: Client;
let setupId: string;
beforeAll(async () => {
  portal = await startPortal({ timePasses: true });
  maya = await portal.as(MAYA);
  const run = await begin(maya, await definitionOf(portal, maya, { name: 'Reports', people: 1, applications: 'of every kind' }));
  expect((await toItsRest(portal, maya, run.id)).status).toBe('succeeded');
  setupId = run.setupId;
  await portal.settle();
}, 60_000);
afterAll(async () => { await portal[Symbol.asyncDispose](); });

/** A minute later everything is looked at. */
async function pass(): Promise<void> {
  await portal.advance('PT1M');
  await maya.post('/api/drift', {});
  await portal.advance('PT1S');
  await portal.product.tasks.watch();
}
const inList = async (): Promise<SetupSummary['drift'] | undefined> => (await maya.get('/api/setups')).body.setups.find(({ id }: SetupSummary) => id === setupId).drift;
const inDetail = async (): Promise<SetupDrift> => (await maya.get(`/api/setups/${setupId}/drift`)).body;

test('the list says of each setup what its look could not see, and why a later one failed', async () => {
  await pass();
  const looked = await inDetail();
  expect(looked).toMatchObject({ failure: null, notSeen: [expect.stringMatching(/^Connectors/)] });
  expect(await inList()).toEqual({ lookedAt: looked.lookedAt, differences: 0, bypasses: 0, notSeen: looked.notSeen, failure: null });

  await portal.emulator.faults([{ match: { method: 'GET', path: '**/groups/**' }, times: null, fault: { kind: 'status', status: 403 } }]);
  await pass();
  await portal.emulator.faults([]);
  const { failure } = await inDetail();
  expect(failure).toMatch(/^The last look failed/);
  expect(await inList()).toMatchObject({ lookedAt: looked.lookedAt, failure });

  await pass();
  expect(await inList()).toMatchObject({ failure: null });
});

test('a first look that fails says why, and the next one takes its place', async () => {
  await portal.db.owner.query('DELETE FROM setup_drift');
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/groups/**' }, times: null, fault: { kind: 'status', status: 403 } }]);
  await pass();
  await portal.emulator.faults([]);
  expect(await inDetail()).toMatchObject({ lookedAt: null, differences: [], failure: expect.stringMatching(/^The last look failed: .* It is tried again by itself\.$/) });
  const { failure } = await inDetail();
  expect(await inList()).toEqual({ lookedAt: null, differences: 0, bypasses: 0, notSeen: [], failure });

  await pass();
  expect(await inDetail()).toMatchObject({ lookedAt: expect.any(String), failure: null });
  expect(await inList()).toMatchObject({ lookedAt: expect.any(String), failure: null });
});

test('what goes wrong in the portal itself with one setup is said of that one', async () => {
  await portal.db.owner.query(`UPDATE setup_drift SET baseline = '{}'`);
  await pass();
  expect(await inDetail()).toMatchObject({ failure: expect.stringMatching(/^The last look failed: Something went wrong on our side/) });
});
