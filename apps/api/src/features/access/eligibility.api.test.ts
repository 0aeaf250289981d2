import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANA, BEN, startPortal, type TestPortal } from '../../testing.ts';

const WHY = 'Still on the rota until summer';
const DAY_MS = 86_400_000;
const POST = { method: 'POST', path: '**/eligibilityScheduleRequests' };
let portal: TestPortal;
/** Of two eligibilities of Ana: the one that ends first, with a limit, and one without. */
let build: string;
let group: string;
let endsAt: string;
let buildEndsAt: string;

interface State { groups: { id: string; displayName: string }[]; users: { id: string; userPrincipalName: string }[]; pim: { schedules: { kind: string; groupId: string; principalId: string; endDateTime: string }[]; requests: { action: string; status: string; principalId: string }[] } }
const state = async (): Promise<State> => (await portal.emulator.state()) as State;

beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
  const { groups, users, pim } = await state();
  const anaId = users.find(({ userPrincipalName }) => userPrincipalName === ANA)?.id;
  const endOf = (groupId: string): string => pim.schedules.find((one) => one.kind === 'eligibility' && one.groupId === groupId && one.principalId === anaId)?.endDateTime ?? '';
  [build = '', group = ''] = ['Build-', 'Payroll-'].map((start) => groups.find(({ displayName }) => displayName.startsWith(start))?.id);
  [buildEndsAt, endsAt] = [endOf(build), endOf(group)];
});
afterAll(() => portal[Symbol.asyncDispose]());
beforeEach(() => portal.emulator.faults([]));

/** Time goes on only, so that the tests stand in the order of what happens to an eligibility. */
const goTo = (days: number, end = endsAt): Promise<void> => portal.advance(`PT${Math.round((Date.parse(end) + days * DAY_MS - portal.now().getTime()) / 1000)}S`);
const itemOf = async (groupId = group) => (await (await portal.as(ANA)).get('/api/access/eligibility')).body.items.find((item: { groupId: string }) => item.groupId === groupId);
const ask = async (body: object = {}, upn = ANA) => (await portal.as(upn)).post('/api/access/eligibility/requests', { groupId: group, days: 90, justification: WHY, ...body });
const recorded = () => portal.db.prisma.eligibilityRequest.findMany({ orderBy: { createdAt: 'asc' } });
const wishes = async () => (await state()).pim.requests.filter(({ action }) => action.startsWith('selfE') || action.startsWith('selfR')).map(({ action, status }) => `${action} ${status}`);

test('long before its end nothing is told, and nothing can be asked', async () => {
  await goTo(-15);
  expect(await itemOf()).toBeUndefined();
  const refused = await ask();
  expect([refused.status, refused.body.code]).toEqual([409, 'eligibility-refused']);
  expect(await recorded()).toEqual([]);
});

test('in its last fortnight it can be asked for, with a reason, within what the role settings allow', async () => {
  await goTo(-10);
  expect(await itemOf()).toMatchObject({ ended: false, ask: 'extend', asked: null, message: null, maxDays: 365, endsAt: new Date(endsAt).toISOString() });
  expect((await ask({ justification: ' ' })).status).toBe(400);
  expect((await ask({ days: 3000 })).body).toMatchObject({ code: 'eligibility-refused', issues: [{ path: 'body.days', message: expect.stringContaining('at the most') }] });
  expect((await ask({ groupId: randomUUID() })).body.code).toBe('eligibility-refused');
  expect((await ask({}, BEN)).body.code).toBe('eligibility-refused');
  expect(await wishes()).toEqual([]);
});

test('Entra says no: it is told in words, with whom to ask instead', async () => {
  await portal.emulator.faults([{ match: POST, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  const refused = await ask();
  expect([refused.status, refused.body.code, refused.body.detail]).toEqual([409, 'eligibility-refused', expect.stringMatching(/does not let you ask for this yourself\. Ask .+owns? the group/)]);
  expect((await recorded()).at(-1)).toMatchObject({ status: 'failed', action: 'extend' });
});

test('an answer that is lost is looked for, and what never arrived is told as such', async () => {
  await portal.emulator.faults([{ match: POST, times: null, fault: { kind: 'status', status: 503 } }]);
  expect((await ask()).body.code).toBe('directory-unavailable');
  expect((await recorded()).at(-1)).toMatchObject({ status: 'asked' });
  expect((await ask()).body).toMatchObject({ code: 'eligibility-refused', detail: expect.stringContaining('already') });
  await portal.emulator.faults([]);
  await portal.advance('PT3M');
  await itemOf();
  expect((await recorded()).at(-1)).toMatchObject({ status: 'failed', failure: expect.stringContaining('never arrived') });
});

test('asked once, in however many windows: then an administrator decides', async () => {
  const answers = await Promise.all([ask(), ask()]);
  expect(answers.map(({ status }) => status).sort(), JSON.stringify(answers.map(({ body }) => body))).toEqual([201, 409]);
  expect(await wishes()).toEqual(['selfExtend PendingAdminDecision']);
  const waiting = { state: 'waiting', justification: WHY, until: new Date(Date.parse(endsAt) + 90 * DAY_MS).toISOString() };
  expect(answers.find(({ status }) => status === 201)?.body).toMatchObject({ ask: null, asked: waiting });
  expect(await itemOf()).toMatchObject({ ask: null, asked: waiting });
  expect((await ask()).body.detail).toBe('You asked already: an administrator decides.');
  // All of one instant: they have no order.
  expect(await recorded()).toEqual(expect.arrayContaining([expect.objectContaining({ status: 'sent', entraRequestId: expect.any(String) })]));
  const told = (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', activity: { startsWith: 'eligibility.' } }, orderBy: { activityAt: 'asc' } })).map(({ activity }) => activity);
  expect(told).toEqual(expect.arrayContaining(['eligibility.requested', 'eligibility.sent']));
});

test('what has ended is asked for anew within a month', async () => {
  await goTo(10, buildEndsAt);
  expect(await itemOf(build)).toMatchObject({ ended: true, ask: 'renew', asked: null, endsAt: new Date(buildEndsAt).toISOString() });
  const asked = await ask({ groupId: build });
  expect([asked.status, asked.body.asked], JSON.stringify(asked.body)).toEqual([201, { id: expect.any(String), at: portal.now().toISOString(), state: 'waiting', justification: WHY, until: new Date(portal.now().getTime() + 90 * DAY_MS).toISOString() }]);
  expect(await wishes()).toEqual(['selfExtend PendingAdminDecision', 'selfRenew PendingAdminDecision']);
  expect((await recorded()).at(-1)).toMatchObject({ action: 'renew', status: 'sent' });
});

test('a wish that waits can be taken back by who asked, once, and asked anew', async () => {
  const { id } = (await itemOf(build)).asked;
  const cancel = async (requestId = id, upn = ANA) => (await portal.as(upn)).post(`/api/access/eligibility/requests/${requestId}/cancel`, {});
  for (const [requestId, upn] of [[id, BEN], [randomUUID(), ANA]] as const) expect((await cancel(requestId, upn)).status).toBe(404);
  await portal.emulator.faults([{ match: { method: 'POST', path: '**/cancel' }, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  expect((await cancel()).body).toMatchObject({ code: 'eligibility-refused', detail: expect.stringMatching(/does not let you take this back yourself\. Ask /) });
  expect((await itemOf(build)).asked, 'it waits as before').toMatchObject({ id, state: 'waiting' });

  expect((await cancel()).body).toEqual({ requestId: id, groupId: build });
  await portal.emulator.clearJournal();
  expect(await itemOf(build), 'shown at once').toMatchObject({ ask: 'renew', asked: null });
  expect(await portal.emulator.journal(), 'and without a reading').toEqual([]);
  expect(await wishes()).toContain('selfRenew Canceled');
  expect((await cancel()).body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('decided or taken back by now') });
  const told = (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', activity: { startsWith: 'eligibility.cancel' } } })).map(({ activity }) => activity);
  expect(told.toSorted()).toEqual(['eligibility.cancellation-requested', 'eligibility.cancellation-requested', 'eligibility.cancelled']);
  expect((await ask({ groupId: build })).status).toBe(201);
});
