import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ANA, BEN, OMAR, startPortal, type Client, type TestPortal } from '../../testing.ts';

const WHY = 'Pipeline repair, INC-4711';

/** Graph writes that the journal has, as `METHOD path action`. */
async function writes(portal: TestPortal): Promise<string[]> {
  const journal = await portal.emulator.journal();
  return journal.filter((call) => call.method !== 'GET' && call.url.includes('ScheduleRequests')).map((call) => `${call.method} ${String((call.body as { action?: string } | undefined)?.action ?? 'cancel')}`);
}

async function groupOf(portal: TestPortal, start: string): Promise<string> {
  const { groups } = (await portal.emulator.state()) as { groups: { id: string; displayName: string }[] };
  const group = groups.find(({ displayName }) => displayName.startsWith(start));
  if (!group) throw new Error(`the seed has no group ${start}…`);
  return group.id;
}

/** A portal that knows its catalog, Ana signed in, and the group whose activation needs no approval. */
async function prepared() {
  const portal = await startPortal();
  await portal.syncNow();
  const ana = await portal.as(ANA);
  await portal.emulator.clearJournal();
  return { portal, ana, build: await groupOf(portal, 'Build-'), payroll: await groupOf(portal, 'Payroll-'), [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose]() };
}

const activate = (client: Client, groupId: string, more: object = {}) => client.post('/api/access/activations', { groupId, minutes: 30, justification: WHY, ...more });
const entryOf = async (client: Client, groupId: string) => (await client.get('/api/access')).body.entries.find((entry: { groupId: string }) => entry.groupId === groupId);
const rowsOf = (portal: TestPortal) => portal.db.prisma.accessRequest.findMany({ orderBy: { createdAt: 'asc' } });
const told = async (portal: TestPortal) => (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', kind: 'portal-access' }, orderBy: { activityAt: 'asc' } })).map((event) => event.activity);

/** Activated, provisioned and shown by the directory. */
async function madeActive(portal: TestPortal, client: Client, groupId: string) {
  const asked = await activate(client, groupId);
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
  await portal.advance('PT10S');
  const { body } = await client.get(`/api/access/requests/${asked.body.id}`);
  expect(body).toMatchObject({ state: 'active' });
  return body;
}

test('activate, be a member, end it no sooner than PIM allows', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  expect(await entryOf(ana, build)).toMatchObject({ eligibility: { through: 'direct' }, active: null, request: null, policy: { requireApproval: false } });

  const asked = await activate(ana, build);
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
  expect(asked.body).toMatchObject({ state: 'provisioning', minutes: 30, justification: WHY, memberAt: null });
  expect((await entryOf(ana, build)).request).toMatchObject({ id: asked.body.id, state: 'provisioning' });

  await portal.advance('PT10S');
  const member = (await ana.get(`/api/access/requests/${asked.body.id}`)).body;
  expect(member).toMatchObject({ state: 'active', memberAt: portal.now().toISOString() });
  const { groups, users } = await portal.emulator.state();
  const anaId = users.find((user: { userPrincipalName: string }) => user.userPrincipalName === ANA).id;
  expect(groups.find((group: { id: string }) => group.id === build).memberIds).toContain(anaId);
  expect((await entryOf(ana, build)).active).toMatchObject({ permanent: false, endsAt: member.endsAt });

  const early = await ana.post('/api/access/deactivations', { groupId: build });
  expect([early.status, early.body.code]).toEqual([409, 'deactivation-refused']);
  expect(early.body.detail).toMatch(/first 5 min: this one can be ended from \d\d:\d\d:\d\d UTC on/);
  expect(await writes(portal)).toEqual(['POST selfActivate']);

  await portal.advance('PT5M');
  const ended = await ana.post('/api/access/deactivations', { groupId: build });
  expect(ended.status, JSON.stringify(ended.body)).toBe(200);
  expect(Date.parse(ended.body.networkMayStayOpenUntil) - Date.parse(ended.body.endedAt)).toBe(90 * 60_000);
  await portal.advance('PT10S');
  expect(await entryOf(ana, build)).toMatchObject({ active: null, request: null, ended: { at: ended.body.endedAt } });
  expect((await ana.get(`/api/access/requests/${asked.body.id}`)).body).toMatchObject({ state: 'ended', endsAt: ended.body.endedAt });
  expect((await rowsOf(portal)).map((row) => [row.action, row.status])).toEqual([['activate', 'ended'], ['deactivate', 'ended']]);
  expect((await told(portal)).sort()).toEqual(['activation.accepted', 'activation.ended', 'activation.granted', 'activation.requested', 'deactivation.granted', 'deactivation.requested']);

  // What has ended stands in nobody's way.
  await portal.advance('PT1M');
  expect((await activate(ana, build)).status).toBe(201);
});

test('an activation ends when its time is over, seen by its person or by nobody', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  const member = await madeActive(portal, ana, build);

  await portal.advance('PT31M');
  await portal.product.tasks.settleRequests();
  expect(await rowsOf(portal)).toMatchObject([{ status: 'ended' }]);
  expect((await ana.get(`/api/access/requests/${member.id}`)).body).toMatchObject({ state: 'ended', endsAt: member.endsAt });
  expect(await entryOf(ana, build)).toMatchObject({ active: null, ended: { at: member.endsAt } });
});

test.each<[string, object, string, string]>([
  ['a reason that is missing', { justification: '' }, 'body.justification', 'Say in a few words why you need it.'],
  ['a duration over the policy', { minutes: 24 * 60 }, 'body.minutes', 'at the most'],
  ['a start in the past', { startsAt: '2020-01-01T00:00:00Z' }, 'body.startsAt', 'The start lies in the past.'],
])('%s is told at its field, and Entra is not asked', async (_name, more, path, message) => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  const refused = await activate(ana, build, more);
  expect([refused.status, refused.body.code]).toEqual([409, 'activation-refused']);
  expect(refused.body.issues).toEqual([{ path, message: expect.stringContaining(message) }]);
  expect(await writes(portal)).toEqual([]);
  expect(await rowsOf(portal)).toEqual([]);
});

test('a group that the person is not eligible for is refused without asking Entra', async () => {
  await using all = await prepared();
  const refused = await activate(all.ana, randomUUID());
  expect(refused.body).toMatchObject({ code: 'activation-refused', issues: [{ path: 'body.groupId' }] });
  expect(await writes(all.portal)).toEqual([]);
});

test('of two windows that ask at once one is taken up, and Entra hears of one', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  const answers = await Promise.all([activate(ana, build), activate(ana, build), activate(ana, build)]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
  expect(answers.filter((answer) => answer.status === 409).map((answer) => answer.body.code)).toEqual(['activation-refused', 'activation-refused']);
  expect(await rowsOf(portal)).toHaveLength(1);
  expect(await writes(portal)).toEqual(['POST selfActivate']);
});

test('approval: it waits, another approves, it becomes active; and a request can be taken back', async () => {
  await using all = await prepared();
  const { portal, ana, payroll } = all;
  const ticket = { number: 'INC-4711', system: 'ServiceNow' };
  const asked = await activate(ana, payroll, { ticket });
  expect(asked.body, JSON.stringify(asked.body)).toMatchObject({ state: 'awaiting-approval', ticketNumber: 'INC-4711', lapsesAt: new Date(portal.now().getTime() + 24 * 60 * 60_000).toISOString() });
  expect((await activate(ana, payroll, { ticket })).body).toMatchObject({ code: 'activation-refused', issues: [{ message: 'You asked for this access already: it waits for approval.' }] });

  const cancelled = await ana.post(`/api/access/requests/${asked.body.id}/cancel`);
  expect(cancelled.body).toMatchObject({ state: 'cancelled' });
  expect((await portal.emulator.state()).pim.requests.find((request: { id: string }) => request.id === asked.body.entraRequestId).status).toBe('Canceled');
  expect((await ana.post(`/api/access/requests/${asked.body.id}/cancel`)).body).toMatchObject({ code: 'conflict', detail: 'It is cancelled already.' });

  const again = (await activate(ana, payroll, { ticket })).body;
  expect(again).toMatchObject({ state: 'awaiting-approval' });
  const omar = await portal.as(OMAR);
  const item = (await omar.get('/api/approvals')).body.items[0];
  expect((await omar.post(`/api/approvals/${item.id}/decision`, { decision: 'approve', justification: 'Known work' })).status).toBe(200);
  await portal.advance('PT10S');
  // Nobody looks, and it is settled all the same.
  await portal.product.tasks.settleRequests();
  expect((await rowsOf(portal)).map((row) => row.status)).toEqual(['cancelled', 'active']);
  expect((await ana.get(`/api/access/requests/${again.id}`)).body).toMatchObject({ state: 'active' });
});

test('an undecided request lapses after 24 h', async () => {
  await using all = await prepared();
  const { portal, ana, payroll } = all;
  const asked = await activate(ana, payroll, { ticket: { number: 'INC-4711' } });
  await portal.advance('PT24H1M');
  await portal.product.tasks.settleRequests();
  expect((await ana.get(`/api/access/requests/${asked.body.id}`)).body.state).toMatch(/lapsed|failed|denied/);
  expect((await entryOf(ana, payroll)).request).toMatchObject({ id: asked.body.id });
});

test('a later start is scheduled, can be taken back, and begins by itself', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  const startsAt = new Date(portal.now().getTime() + 60 * 60_000).toISOString();
  const first = (await activate(ana, build, { startsAt })).body;
  expect(first).toMatchObject({ state: 'scheduled', startsAt });
  expect((await ana.post(`/api/access/requests/${first.id}/cancel`)).body).toMatchObject({ state: 'cancelled' });

  const second = (await activate(ana, build, { startsAt })).body;
  await portal.advance('PT1H10S');
  expect((await ana.get(`/api/access/requests/${second.id}`)).body).toMatchObject({ state: 'active' });
});

describe('somebody else’s request', () => {
  test('answers like one that does not exist, by our id and by Entra’s', async () => {
    await using all = await prepared();
    const { portal, ana, payroll } = all;
    const asked = (await activate(ana, payroll, { ticket: { number: 'INC-4711' } })).body;
    const unknown = randomUUID();
    for (const upn of [BEN, OMAR]) {
      const other = await portal.as(upn);
      for (const id of [asked.id, asked.entraRequestId]) {
        const [theirs, none] = [await other.get(`/api/access/requests/${id}`), await other.get(`/api/access/requests/${unknown}`)];
        expect(theirs.status).toBe(404);
        expect({ ...theirs.body, requestId: '' }).toEqual({ ...none.body, requestId: '' });
        expect((await other.post(`/api/access/requests/${id}/cancel`)).status).toBe(404);
      }
    }
    expect(await rowsOf(portal)).toMatchObject([{ status: 'awaiting-approval' }]);
    expect(await writes(portal)).toEqual(['POST selfActivate']);
  });
});

const GRAPH_POST = { method: 'POST', path: '**/assignmentScheduleRequests' };

test('Entra does not answer: the request stays on record, and is settled when Entra shows what became of it', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  await portal.emulator.faults([{ match: GRAPH_POST, times: null, fault: { kind: 'status', status: 503 } }]);
  const asked = await activate(ana, build);
  expect([asked.status, asked.body.code]).toEqual([503, 'directory-unavailable']);
  expect(asked.body.detail).toContain('not known whether your request arrived');
  expect(await rowsOf(portal)).toMatchObject([{ status: 'asked', entraRequestId: null }]);
  expect((await entryOf(ana, build)).request).toMatchObject({ state: 'asked' });
  await portal.emulator.faults([]);

  await portal.product.tasks.settleRequests();
  expect(await rowsOf(portal)).toMatchObject([{ status: 'asked' }]);
  await portal.advance('PT2M');
  await portal.product.tasks.settleRequests();
  expect(await rowsOf(portal)).toMatchObject([{ status: 'failed', failure: 'Entra has no such request: it never arrived. Nothing was changed.' }]);
  expect((await activate(ana, build)).status).toBe(201);
});

test('a thousand that are active, and were there before, do not hide one whose answer was lost', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  const calm = { tenantId: portal.tenantId, principalName: 'Somebody', groupId: '00000000-0000-4000-8000-000000000000', action: 'activate', minutes: 480, status: 'active', createdAt: portal.now(), startsAt: portal.now(), provisionedAt: portal.now(), memberAt: portal.now(), lookedAt: portal.now(), endsAt: new Date(portal.now().getTime() + 8 * 60 * 60_000) };
  await portal.db.prisma.accessRequest.createMany({ data: Array.from({ length: 1000 }, () => ({ ...calm, id: randomUUID(), principalId: randomUUID() })) });
  await portal.advance('PT1S');
  await portal.emulator.faults([{ match: GRAPH_POST, times: null, fault: { kind: 'status', status: 503 } }]);
  expect((await activate(ana, build)).status).toBe(503);
  await portal.advance('PT2M');
  await portal.product.tasks.settleRequests();
  expect(await portal.db.prisma.accessRequest.findFirst({ where: { groupId: build } })).toMatchObject({ status: 'failed' });
});

test('the answer is lost after Entra did it: it is found, not asked again', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  await portal.emulator.faults([{ match: GRAPH_POST, times: 1, fault: { kind: 'reset', effect: 'after' } }]);
  const asked = await activate(ana, build);
  expect([asked.status, asked.body.state]).toEqual([201, 'provisioning']);
  await portal.advance('PT10S');
  await portal.product.tasks.settleRequests();
  const [row] = await rowsOf(portal);
  expect(row).toMatchObject({ status: 'active', entraRequestId: expect.any(String) });
  expect(await writes(portal)).toEqual(['POST selfActivate']);
});

test('an answer that we do not know is told as such, and nothing is shown as done', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  await portal.emulator.faults([{ match: GRAPH_POST, times: 1, fault: { kind: 'status', status: 201, body: 'null' } }]);
  const asked = await activate(ana, build);
  expect([asked.status, asked.body.code]).toEqual([502, 'directory-unexpected']);
  expect(await rowsOf(portal)).toMatchObject([{ status: 'asked', provisionedAt: null, memberAt: null }]);
});

test('what cannot be read is said, and the rest is shown', async () => {
  await using all = await prepared();
  const { portal, ana, build } = all;
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/assignmentScheduleRequests**' }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  const { status, body } = await ana.get('/api/access');
  expect(status).toBe(200);
  expect(body.notKnown).toEqual([expect.stringContaining('Your requests could not be read')]);
  expect(body.entries.map((entry: { groupId: string }) => entry.groupId)).toContain(build);
});
