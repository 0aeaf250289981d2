import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANA, BEN, startPortal, type Client, type TestPortal } from '../../testing.ts';

let portal: TestPortal;
let ana: Client;
let build: string;

beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
  ana = await portal.as(ANA);
  build = (await ana.get('/api/access')).body.entries.find((entry: { groupName: string }) => entry.groupName.startsWith('Build-')).groupId;
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });
beforeEach(async () => {
  // What the test before activated is over.
  await portal.advance('PT2H');
  await portal.product.tasks.settleRequests();
  await portal.emulator.clearJournal();
});

const activate = (client: Client, more: object = {}) => client.post('/api/access/activations', { groupId: build, minutes: 30, justification: 'Pipeline repair, INC-4711', ...more });
/** Everything that Graph was asked since the test began, as method and last part of the path. */
const asked = async (): Promise<string[]> => (await portal.emulator.journal()).map(({ method, url }) => `${method} ${new URL(url, 'http://x').pathname.split('/').filter((part) => !part.startsWith('filterBy')).at(-1)}`);
const WRITE = 'POST assignmentScheduleRequests';
const reads = async () => (await asked()).filter((call) => call !== WRITE);

test('an activation is one write and no read, and what Entra provisions at once is told as active', async () => {
  await portal.emulator.settings({ delays: { provisioning: 0 } });
  const { status, body } = await activate(ana);
  expect([status, body.state]).toEqual([201, expect.stringMatching(/active|provisioning/)]);
  expect(await asked()).toEqual([WRITE]);
});

test.each([['soon', 1_500], ['late', 60_000]])('who follows a request that is provisioned %s asks Graph at most six times in ten minutes', async (_when, provisioning) => {
  await portal.emulator.settings({ delays: { provisioning } });
  const { body } = await activate(ana);
  let last;
  for (let seconds = 0; seconds < 600 && last?.memberAt === undefined; seconds += 2) {
    const answer = (await ana.get(`/api/access/requests/${body.id}`)).body;
    if (answer.memberAt !== null) last = answer;
    await portal.advance('PT2S');
  }
  expect(last).toMatchObject({ state: 'active' });
  const seen = await reads();
  expect(seen.length).toBeLessThanOrEqual(6);
  expect(seen.length).toBeGreaterThan(0);
  await portal.emulator.settings({ delays: { provisioning: 1_500 } });
});

test('two tabs, a double-tapped phone and two portals at once: Graph hears of one', async () => {
  const replica = await portal.onReplica(ANA);
  await portal.emulator.clearJournal();
  const answers = await Promise.all([activate(ana), activate(replica), activate(ana), activate(replica), activate(ana, { minutes: 15 })]);
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  for (const { body } of answers.filter(({ status }) => status === 409)) expect(body).toMatchObject({ code: 'activation-refused', detail: expect.stringMatching(/^You (asked for|have) this access/) });
  expect((await asked()).filter((call) => call === WRITE)).toEqual([WRITE]);
  // The next click finds it on record, and Graph is not written to either.
  expect((await activate(ana)).status).toBe(409);
  expect((await asked()).filter((call) => call === WRITE)).toEqual([WRITE]);
});

test('an activation that is on record and was ended elsewhere is looked for before it stands in the way', async () => {
  const first = (await activate(ana)).body;
  await portal.advance('PT10S');
  expect((await ana.get(`/api/access/requests/${first.id}`)).body.memberAt).not.toBeNull();
  await portal.advance('PT6M');
  await ana.post('/api/access/deactivations', { groupId: build });
  await portal.db.prisma.accessRequest.updateMany({ where: { id: first.id }, data: { status: 'active', settledAt: null, endsAt: new Date(portal.now().getTime() + 20 * 60_000) } });
  await portal.advance('PT1M');
  expect((await activate(ana)).status).toBe(201);
});

test('a refusal of Entra is explained by what stands in the way', async () => {
  // Activated where the portal did not see it.
  await activate(ana);
  await portal.db.prisma.accessRequest.deleteMany({});
  await portal.advance('PT1M');
  expect((await activate(ana)).body).toMatchObject({ code: 'activation-refused', issues: [{ path: 'body.groupId', message: 'You have this access already. It cannot be made longer: end it, or ask again when it has ended.' }] });
  expect(await portal.db.prisma.accessRequest.findMany()).toMatchObject([{ status: 'failed' }]);

  const ben = await portal.as(BEN);
  const payroll = (await ana.get('/api/access')).body.entries.find((entry: { groupName: string }) => entry.groupName.startsWith('Payroll-')).groupId;
  const ask = () => ana.post('/api/access/activations', { groupId: payroll, minutes: 30, justification: 'Payroll run', ticket: { number: 'INC-1' } });
  await ask();
  await portal.db.prisma.accessRequest.deleteMany({});
  await portal.advance('PT1M');
  expect((await ask()).body).toMatchObject({ issues: [{ message: 'You asked for this access already: it waits for approval.' }] });
  const refused = await ben.post('/api/access/activations', { groupId: payroll, minutes: 30, justification: 'Payroll run', ticket: { number: 'INC-1' } });
  expect(refused.body).toMatchObject({ code: 'activation-refused', issues: [{ path: 'body.groupId', message: 'You are not eligible for this access, or not any more.' }] });
  expect(await portal.db.prisma.accessRequest.count({ where: { status: { not: 'failed' } } })).toBe(0);
});
