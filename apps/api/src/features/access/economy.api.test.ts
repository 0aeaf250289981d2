import { randomUUID } from 'node:crypto';
import { ensureAuditPartitions } from '@gatehouse/db';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ANA, BEN, startPortal, type Client, type TestPortal } from '../../testing.ts';
import { takeRead } from './following.store.ts';
import { doubtOwnAccess, findOwnAccess, keepReadings, moveOwnAccess } from './own-access.store.ts';

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
  expect([status, body.state, body.memberAt]).toEqual([201, 'active', null]);
  expect(await asked()).toEqual([WRITE]);
  await portal.emulator.settings({ delays: { provisioning: 1_500 } });
});

/** Everything that My access asks the portal for when it is opened, and again and again while it stays open. */
const PAGE = ['/api/access', '/api/access/eligibility', '/api/access/residual', '/api/access/find?to=git.corp.contoso.example:22'];
async function view(client: Client) {
  const answers = await Promise.all(PAGE.map((path) => client.get(path)));
  expect(answers.map(({ status }) => status)).toEqual(PAGE.map(() => 200));
  return answers[0]?.body;
}
const entryIn = (mine: { entries: { groupId: string }[] }) => mine.entries.find(({ groupId }) => groupId === build) as Record<string, never> | undefined;

test('the first view of a person reads each part once, and from then on a view asks Graph for nothing', async () => {
  await portal.db.prisma.ownAccess.deleteMany({});
  const first = await view(ana);
  expect((await asked()).sort()).toEqual(['GET assignmentScheduleInstances', 'GET assignmentScheduleRequests', 'GET eligibilityScheduleInstances', 'GET eligibilityScheduleRequests']);
  await portal.emulator.clearJournal();
  for (let minute = 0; minute < 14; minute += 1) {
    const mine = await view(ana);
    expect(mine).toMatchObject({ readAt: first.readAt, notKnown: [] });
    await portal.product.tasks.settleRequests();
    await portal.advance('PT1M');
  }
  expect(await asked()).toEqual([]);
  // Another portal on the same database shows the same, without a reading either.
  expect(await view(await portal.onReplica(ANA))).toMatchObject({ readAt: first.readAt });
  expect(await asked()).toEqual([]);
  await portal.advance('PT1M');
  expect(await view(ana)).toMatchObject({ readAt: portal.now().toISOString() });
  expect(await asked()).toHaveLength(4);
});

test('read anew when the person says so; a double click reads once', async () => {
  await view(ana);
  await portal.advance('PT1M');
  await portal.emulator.clearJournal();
  const fresh = () => ana.get('/api/access?fresh=yes');
  expect((await Promise.all([fresh(), fresh()])).map(({ body }) => body.readAt)).toEqual([portal.now().toISOString(), portal.now().toISOString()]);
  await fresh();
  expect(await asked()).toHaveLength(4);
});

test('what is shown ends by the clock, and what the person does here is in it at once, without a reading', async () => {
  await view(ana);
  await portal.emulator.settings({ delays: { provisioning: 0 } });
  await portal.emulator.clearJournal();
  await activate(ana);
  const open = entryIn(await view(ana));
  expect(open).toMatchObject({ active: { memberAt: null, since: portal.now().toISOString(), permanent: false }, keepGoing: { way: expect.any(String) } });
  expect(await asked()).toEqual([WRITE]);
  await portal.advance('PT6M');
  await ana.post('/api/access/deactivations', { groupId: build });
  await portal.emulator.clearJournal();
  expect(entryIn(await view(ana))).toMatchObject({ active: null, ended: { at: portal.now().toISOString() } });
  expect(await asked()).toEqual([]);

  await portal.advance('PT6M');
  await ana.get('/api/access?fresh=yes');
  const body = (await activate(ana, { minutes: 5 })).body;
  await portal.advance('PT3S');
  expect(entryIn((await ana.get('/api/access')).body)).toMatchObject({ active: { memberAt: portal.now().toISOString() } });
  await portal.emulator.clearJournal();
  await portal.advance('PT5M');
  expect(entryIn(await view(ana)), 'its time is over').toMatchObject({ active: null, ended: { at: body.endsAt } });
  expect(await asked()).toEqual([]);
  await portal.emulator.settings({ delays: { provisioning: 1_500 } });
});

test.each([['at once', 0], ['soon', 1_500], ['late', 60_000], ['very late', 400_000], ['later than that', 3_600_000]])('a page left open, the request’s panel and the reconciler together ask Graph at most six times in ten minutes, provisioned %s', async (_when, provisioning) => {
  await view(ana);
  await portal.emulator.settings({ delays: { provisioning } });
  await portal.emulator.clearJournal();
  const { body } = await activate(ana, { minutes: 25 });
  let last;
  // Closely at first, as a page follows what was just asked for.
  for (const step of [...Array.from({ length: 12 }, () => 2), ...Array.from({ length: 28 }, () => 20)]) {
    await portal.advance(`PT${step}S`);
    await ana.get('/api/access');
    last = (await ana.get(`/api/access/requests/${body.id}`)).body;
    await portal.product.tasks.settleRequests();
  }
  expect((await reads()).length).toBeGreaterThan(0);
  expect((await reads()).length).toBeLessThanOrEqual(6);
  // The sixth reading may be the one that finds it provisioned: until the directory may be asked again, nobody is told to be a member.
  expect(last).toMatchObject(provisioning <= 60_000 ? { state: 'active', memberAt: expect.any(String) } : { state: provisioning < 600_000 ? 'active' : 'provisioning', memberAt: null });
  await portal.emulator.settings({ delays: { provisioning: 1_500 } });
  await portal.advance('PT1H');
});

test('a reading that began before something changed is not kept over it', async () => {
  const owner = { tenantId: portal.tenantId, principalId: randomUUID() };
  const { prisma } = portal.db;
  const eligible = (groupId: string) => ({ id: groupId, principalId: owner.principalId, groupId, accessId: 'member', memberType: 'direct' as const });
  const keep = async (version: number, groupId: string) => keepReadings(prisma, owner, { version, at: portal.now(), readings: [{ part: 'eligibilities', items: [eligible(groupId)] }] });
  const kept = async () => (await findOwnAccess(prisma, owner)).eligibilities?.map(({ groupId }) => groupId);
  const versionOf = async () => (await findOwnAccess(prisma, owner)).version;

  // Before anything is kept as well as after.
  const none = await versionOf();
  await moveOwnAccess(prisma, owner);
  expect([await keep(none, 'too early'), await kept()]).toEqual([false, undefined]);
  const first = await versionOf();
  expect((await Promise.all([keep(first, 'one'), keep(first, 'another')])).toSorted()).toEqual([false, true]);
  const second = await versionOf();
  await doubtOwnAccess(prisma, owner);
  expect(await keep(second, 'outdated')).toBe(false);
  expect(await findOwnAccess(prisma, owner)).toMatchObject({ stale: true, eligibilities: [{ groupId: expect.stringMatching(/^one|another$/) }] });
});

test('readings are counted where everybody counts: two portals that look for one request at once look once', async () => {
  const replica = await portal.onReplica(ANA);
  await portal.emulator.settings({ delays: { provisioning: 3_600_000 } });
  const { body } = await activate(ana);
  await portal.advance('PT3S');
  await portal.emulator.clearJournal();
  const look = (client: Client) => client.get(`/api/access/requests/${body.id}`);
  await Promise.all([look(ana), look(replica), look(ana), look(replica)]);
  expect(await reads()).toEqual(['GET assignmentScheduleRequests']);
  // However often a look is due: after six readings nobody reads any more for ten minutes.
  await Promise.all(Array.from({ length: 12 }, () => takeRead(portal.db.prisma, { tenantId: portal.tenantId, id: body.id }, portal.now())));
  expect((await portal.db.prisma.accessRequest.findFirstOrThrow({ where: { id: body.id } })).reads).toHaveLength(6);
  await portal.advance('PT5M');
  await look(ana);
  expect(await reads()).toHaveLength(1);
  await portal.emulator.settings({ delays: { provisioning: 1_500 } });
  await portal.advance('PT2H');
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

// Last, for what the log tells has the portal know what is usual.
describe('the audit log has what is shown read anew', () => {
  const event = async (more: object) => {
    const { users } = await portal.emulator.state(['users']) as { users: { id: string; userPrincipalName: string }[] };
    const at = portal.now();
    await ensureAuditPartitions(portal.db.pool, [at]);
    await portal.db.prisma.auditEvent.create({ data: {
      tenantId: portal.tenantId, source: 'directory', eventId: randomUUID(), activityAt: at, activityAtRaw: at.toISOString(), activity: 'Anything', kind: 'eligible-removed', service: 'PIM', result: 'success',
      actorName: 'Maya Lindqvist', subjectId: users.find(({ userPrincipalName }) => userPrincipalName === ANA)?.id ?? '', groupId: build, raw: '{}', ingestedAt: at, ...more,
    } });
  };
  beforeEach(async () => {
    await ana.get('/api/access?fresh=yes');
    await portal.advance('PT1M');
    await portal.emulator.clearJournal();
  });

  test.each<[string, object, number]>([
    ['an administrator changed it', {}, 4],
    ['it was activated elsewhere', { kind: 'activated', requestId: randomUUID() }, 4],
    ['somebody took the membership away in the directory', { kind: 'member-removed', service: 'Core Directory' }, 4],
    ['an analyst ended it here', { source: 'portal', kind: 'portal-access', activity: 'revocation.granted' }, 4],
    ['PIM carried out in the directory what it has an event of its own for', { kind: 'member-added', service: 'Core Directory', actorName: 'MS-PIM' }, 0],
    ['somebody else’s access changed', { subjectId: randomUUID() }, 0],
    ['it is over by time', { kind: 'expired' }, 0],
    ['something else happened', { kind: 'other' }, 0],
  ])('%s', async (_what, more, expected) => {
    await event(more);
    await portal.advance('PT1S');
    await ana.get('/api/access');
    expect(await reads()).toHaveLength(expected);
    await ana.get('/api/access');
    expect(await reads(), 'once').toHaveLength(expected);
  });

  test('but not for what the portal asked for itself', async () => {
    const { body } = await activate(ana, { minutes: 5 });
    await portal.advance('PT3S');
    await ana.get(`/api/access/requests/${body.id}`);
    await portal.advance('PT2M');
    await portal.syncNow();
    expect(await portal.db.prisma.auditEvent.count({ where: { source: 'directory', requestId: body.entraRequestId } })).toBeGreaterThan(0);
    await portal.emulator.clearJournal();
    await portal.advance('PT1M');
    await ana.get('/api/access');
    expect(await asked()).toEqual([]);
  });
});
