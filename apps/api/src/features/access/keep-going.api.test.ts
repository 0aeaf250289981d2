import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANA, OMAR, startPortal, type Client, type TestPortal } from '../../testing.ts';

const WHY = 'Pipeline repair, INC-4711';
let portal: TestPortal;
let ana: Client;
let build: string;
let payroll: string;

beforeAll(async () => {
  portal = await startPortal({ timePasses: true });
  await portal.syncNow();
  ana = await portal.as(ANA);
  const { groups } = (await portal.emulator.state()) as { groups: { id: string; displayName: string }[] };
  [build = '', payroll = ''] = ['Build-', 'Payroll-'].map((start) => groups.find(({ displayName }) => displayName.startsWith(start))?.id);
});
afterAll(() => portal[Symbol.asyncDispose]());

beforeEach(async () => {
  // Each begins where nothing is open and nothing is told of what was.
  await portal.emulator.faults([]);
  await portal.advance('PT4H');
  await portal.product.tasks.settleRequests();
  await portal.db.prisma.keepGoing.deleteMany();
  await portal.emulator.clearJournal();
});

const activate = async (groupId: string, more: object = {}): Promise<void> => {
  const asked = await ana.post('/api/access/activations', { groupId, minutes: 30, justification: WHY, ...more });
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
  await portal.advance('PT10S');
  await portal.product.tasks.settleRequests();
};
const keepGoing = (client = ana, groupId = build, more: object = {}) => client.post('/api/access/keep-going', { groupId, minutes: 30, justification: WHY, ...more });
const entryOf = async (groupId = build) => (await ana.get('/api/access')).body.entries.find((entry: { groupId: string }) => entry.groupId === groupId);
const wishes = () => portal.db.prisma.keepGoing.findMany({ orderBy: { createdAt: 'asc' } });
/** What was asked of Entra and took effect, in order. */
const writes = async (): Promise<string[]> => (await portal.emulator.journal()).filter(({ method, url, status, body }) => method === 'POST' && url.includes('ScheduleRequests') && status < 300 && (body as { isValidationOnly?: boolean }).isValidationOnly !== true).map(({ body }) => (body as { action: string }).action);
const memberships = async (groupId = build): Promise<number> => (await portal.emulator.state()).pim.schedules.filter((one: { kind: string; groupId: string; assignmentType: string }) => one.kind === 'assignment' && one.groupId === groupId && one.assignmentType === 'activated').length;

test('it is ended, proved gone and activated again, for as long and with the same reason', async () => {
  await activate(build);
  expect((await entryOf()).keepGoing).toMatchObject({ way: 'now', possibleAt: expect.any(String), minutes: 30, justification: WHY, shortened: false });
  await portal.advance('PT10M');
  expect((await entryOf()).keepGoing).toMatchObject({ way: 'now', possibleAt: null });
  const before = await entryOf();

  const kept = await keepGoing();
  expect(kept.status, JSON.stringify(kept.body)).toBe(200);
  expect(kept.body).toMatchObject({ state: 'asked', requestId: expect.any(String), endedAt: expect.any(String) });
  expect(await writes()).toEqual(['selfActivate', 'selfDeactivate', 'selfActivate']);
  await portal.advance('PT10S');
  const after = await entryOf();
  expect(after.active.permanent).toBe(false);
  expect(Date.parse(after.active.endsAt)).toBeGreaterThan(Date.parse(before.active.endsAt));
  expect(after).toMatchObject({ unfinished: null, lastJustification: WHY });
  expect(await memberships()).toBe(1);
  expect(await wishes()).toMatchObject([{ status: 'done', activationId: kept.body.requestId, workedAt: null, failure: null }]);
  const told = (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', activity: { startsWith: 'keep-going.' } }, orderBy: { activityAt: 'asc' } })).map(({ activity, actorName }) => `${activity} ${actorName ?? ''}`);
  expect(told).toEqual(['keep-going.requested Ana Costa', 'keep-going.finished Ana Costa']);
});

test.each<[string, object | undefined, RegExp]>([
  ['within the first five minutes', undefined, /first 5 min/],
  ['for longer than allowed', { minutes: 600 }, /at the most/],
  ['without the reason that is asked for', { justification: '' }, /why you need it/],
  ['with a reason that says nothing', { justification: '.' }, /does not say why/],
])('%s it is refused, and nothing has ended', async (_name, more, sentence) => {
  await activate(build);
  if (more) await portal.advance('PT6M');
  const refused = await keepGoing(ana, build, more);
  expect([refused.status, refused.body.code]).toEqual([409, 'keep-going-refused']);
  expect(refused.body.detail).toMatch(sentence);
  expect(await writes()).toEqual(['selfActivate']);
  expect(await memberships()).toBe(1);
  expect(await wishes()).toEqual([]);
});

test('where an activation waits for approval nothing is ended: it is asked for again once it has ended', async () => {
  await activate(payroll, { ticket: { number: 'INC-4711' } });
  const omar = await portal.as(OMAR);
  const [item] = (await omar.get('/api/approvals')).body.items;
  await omar.post(`/api/approvals/${item.id}/decision`, { decision: 'approve', justification: 'Known work' });
  await portal.advance('PT7M');
  expect((await entryOf(payroll)).keepGoing).toMatchObject({ way: 'when-ended', message: expect.stringContaining('you would be out until') });
  const refused = await keepGoing(ana, payroll, { ticket: { number: 'INC-4711' } });
  expect([refused.status, refused.body.code]).toEqual([409, 'keep-going-refused']);
  expect(await writes()).toEqual(['selfActivate']);
  expect(await memberships(payroll)).toBe(1);
});

test('approval that was switched on since the catalog was read is seen before anything ends, and so is what cannot be read', async () => {
  await activate(build);
  await portal.advance('PT6M');
  const POLICY = { method: 'GET', path: '**/policies/roleManagementPolicyAssignments' };
  await portal.emulator.faults([{ match: POLICY, times: null, fault: { kind: 'status', status: 503 } }]);
  const unread = await keepGoing();
  expect([unread.body.code, unread.body.detail]).toEqual(['keep-going-refused', expect.stringContaining('nothing is ended')]);

  const answer = JSON.stringify(await policyAnswer());
  await portal.emulator.faults([{ match: POLICY, times: null, fault: { kind: 'status', status: 200, body: answer.replace('"isApprovalRequired":false', '"isApprovalRequired":true').replace('"primaryApprovers":[]', `"primaryApprovers":[{"@odata.type":"#microsoft.graph.singleUser","userId":"${build}","description":"Omar"}]`) } }]);
  const refused = await keepGoing();
  expect([refused.status, refused.body.code, refused.body.detail]).toEqual([409, 'keep-going-refused', expect.stringContaining('you would be out until')]);
  expect(await writes()).toEqual(['selfActivate']);
  expect(await memberships()).toBe(1);
});

test('what the catalog says is older than what was decided on, and refuses nothing once the membership has ended', async () => {
  const of = { tenantId_groupId: { tenantId: portal.tenantId, groupId: build } };
  const { settings } = await portal.db.prisma.catalogGroup.findUniqueOrThrow({ where: of });
  const catalogSays = (said: unknown) => portal.db.prisma.catalogGroup.update({ where: of, data: { settings: said as object } });
  await activate(build);
  await portal.advance('PT6M');
  // Until a moment ago no more than half an hour was allowed.
  await catalogSays({ ...(settings as object), activationMaxMinutes: 30 });
  expect((await keepGoing(ana, build, { minutes: 60 })).body).toMatchObject({ state: 'asked' });
  await portal.advance('PT6M');
  await crashBetween(60);
  expect((await keepGoing()).body).toMatchObject({ state: 'asked' });
  expect(await writes()).toEqual(['selfActivate', 'selfDeactivate', 'selfActivate', 'selfDeactivate', 'selfActivate']);
  await catalogSays(settings);
});

test('of windows that keep it going at once one does it', async () => {
  await activate(build);
  await portal.advance('PT6M');
  const replica = await portal.onReplica(ANA);
  const answers = await Promise.all([keepGoing(), keepGoing(replica), keepGoing()]);
  expect(answers.map(({ status }) => status).sort(), JSON.stringify(answers.map(({ body }) => body))).toEqual([200, 409, 409]);
  expect(await writes()).toEqual(['selfActivate', 'selfDeactivate', 'selfActivate']);
  expect((await wishes()).map(({ status }) => status)).toEqual(['done']);
});

test('it stops between the two: the page says so, and the same button goes on', async () => {
  await activate(build);
  await portal.advance('PT6M');
  const row = await crashBetween();
  const entry = await entryOf();
  expect(entry.active).toBeNull();
  expect(entry.unfinished).toMatchObject({ state: 'ended', busy: false, minutes: 30, message: expect.stringContaining('was not asked for: ask now') });
  await portal.product.tasks.settleRequests();
  expect(await wishes()).toMatchObject([{ id: row.id, status: 'open' }]);

  // In two windows: one goes on, the other is told so.
  const answers = await Promise.all([keepGoing(), keepGoing()]);
  expect(answers.map(({ status }) => status).sort(), JSON.stringify(answers.map(({ body }) => body))).toEqual([200, 409]);
  expect(answers.find(({ status }) => status === 200)?.body).toMatchObject({ state: 'asked' });
  expect(await writes()).toEqual(['selfActivate', 'selfDeactivate', 'selfActivate']);
  expect(await wishes()).toMatchObject([{ id: row.id, status: 'done' }]);
  expect((await entryOf()).unfinished).toBeNull();
});

test('as long as the directory does not show that the person is out, nothing new is asked for', async () => {
  await activate(build);
  await portal.advance('PT6M');
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/memberOf/**' }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  const kept = await keepGoing();
  expect(kept.body, JSON.stringify(kept.body)).toMatchObject({ state: 'ending', requestId: null });
  expect(await writes()).toEqual(['selfActivate', 'selfDeactivate']);
  await portal.emulator.faults([]);
  expect((await entryOf()).unfinished).toMatchObject({ state: 'ended', busy: false });
  expect((await keepGoing()).body).toMatchObject({ state: 'asked' });
});

test('Entra refuses the new activation: that the person is out is said, and asking again goes on', async () => {
  await activate(build);
  await portal.advance('PT6M');
  // The check, the end, and then the activation.
  await portal.emulator.faults([{ match: { ...POST, nth: 3 }, fault: { kind: 'status', status: 400, code: 'RoleAssignmentRequestPolicyValidationFailed', message: 'The following policy rules failed: ["ExpirationRule"]' } }]);
  const refused = await keepGoing();
  expect([refused.status, refused.body.code, refused.body.detail]).toEqual([409, 'keep-going-refused', expect.stringContaining('Your membership has ended, and the new activation was not taken')]);
  expect((await entryOf()).unfinished).toMatchObject({ state: 'ended', message: expect.stringContaining('was refused: The role settings do not allow this duration.') });
  expect((await keepGoing()).body).toMatchObject({ state: 'asked' });
});

test('what nobody goes on with lapses, with a word in the history', async () => {
  await activate(build);
  await portal.advance('PT6M');
  await crashBetween();
  await portal.advance('PT61M');
  await portal.product.tasks.settleRequests();
  expect(await wishes()).toMatchObject([{ status: 'lapsed', failure: expect.stringContaining('within an hour') }]);
  expect((await entryOf()).unfinished).toBeNull();
});

test('Entra does not end it: the access stands, and so it is told', async () => {
  await activate(build);
  await portal.advance('PT6M');
  await portal.emulator.faults([{ match: { ...POST, nth: 2 }, fault: { kind: 'status', status: 400, code: 'ActiveDurationTooShort' } }]);
  const refused = await keepGoing();
  expect([refused.status, refused.body.code, refused.body.detail]).toEqual([409, 'keep-going-refused', expect.stringContaining('You have the access still')]);
  expect(await memberships()).toBe(1);
  expect(await wishes()).toMatchObject([{ status: 'failed' }]);
  expect((await entryOf()).unfinished).toBeNull();
});

test('a stronger sign-in is asked for before anything ends', async () => {
  await activate(build);
  await portal.advance('PT6M');
  await portal.emulator.faults([{ match: { ...POST, nth: 1 }, fault: { kind: 'status', status: 400, code: 'RoleAssignmentRequestAcrsValidationFailed', message: '&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D' } }]);
  expect((await keepGoing()).body.code).toBe('step-up-required');
  expect(await writes()).toEqual(['selfActivate']);
  expect(await wishes()).toEqual([]);
});

const POST = { method: 'POST', path: '**/assignmentScheduleRequests' };

/** Ends the membership as the first step does, and leaves the wish as a process that died then would. */
async function crashBetween(minutes = 30) {
  const { person } = (await ana.get('/api/session')).body;
  const row = await portal.db.prisma.keepGoing.create({ data: { tenantId: portal.tenantId, id: randomUUID(), principalId: person.id, principalName: person.displayName, groupId: build, minutes, justification: WHY, status: 'open', createdAt: portal.now() } });
  expect((await ana.post('/api/access/deactivations', { groupId: build })).status).toBe(200);
  await portal.advance('PT10S');
  return row;
}

/** The role settings of the group as Graph prints them. */
async function policyAnswer(): Promise<unknown> {
  await portal.emulator.faults([]);
  await keepGoing(ana, build, { minutes: 600 });
  return (await portal.emulator.journal()).findLast(({ url, status }) => url.includes('roleManagementPolicyAssignments') && status === 200)?.answer;
}
