import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ANA, BEN, OMAR, startPortal, type Client, type TestPortal } from '../../testing.ts';

const ASK = { minutes: 30, justification: 'Payroll run', ticket: { number: 'INC-4711' } };

/** Ana's request for Payroll waits for Omar. */
async function prepared() {
  const portal = await startPortal();
  await portal.syncNow();
  const { groups } = (await portal.emulator.state()) as { groups: { id: string; displayName: string }[] };
  const payroll = groups.find(({ displayName }) => displayName.startsWith('Payroll'))?.id ?? '';
  const ana = await portal.as(ANA);
  const asked = await ana.post('/api/access/activations', { groupId: payroll, ...ASK });
  expect(asked.body, JSON.stringify(asked.body)).toMatchObject({ state: 'awaiting-approval' });
  return { portal, ana, omar: await portal.as(OMAR), payroll, asked: asked.body, [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose]() };
}

const inbox = async (client: Client) => (await client.get('/api/approvals')).body;
const decide = (client: Client, id: string, decision = 'approve') => client.post(`/api/approvals/${id}/decision`, { decision, justification: 'Known work' });
const patches = async (portal: TestPortal) => (await portal.emulator.journal()).filter((call) => call.method === 'PATCH').length;
const stageOf = async (portal: TestPortal, requestId: string) => (await portal.emulator.state()).pim.approvals.find((approval: { requestId: string }) => approval.requestId === requestId).stage;

test('who wants what, why, for how long and until when; then approved, once', async () => {
  await using all = await prepared();
  const { portal, omar, asked, payroll } = all;
  const { items } = await inbox(omar);
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({ requesterName: 'Ana Costa', requesterDetail: ANA, groupId: payroll, justification: ASK.justification, ticketNumber: 'INC-4711', minutes: 30, askedAt: asked.askedAt, lapsesAt: asked.lapsesAt });
  expect(items[0].applications.map((application: { displayName: string }) => application.displayName)).toEqual(['Payroll']);

  expect((await decide(omar, items[0].id)).body).toMatchObject({ id: items[0].id, decision: 'approve' });
  expect(await stageOf(portal, asked.entraRequestId)).toMatchObject({ reviewResult: 'Approved', justification: 'Known work' });
  const after = await inbox(omar);
  expect(after.items).toEqual([]);
  expect(after.decided).toMatchObject([{ id: items[0].id, decision: 'approve', justification: 'Known work', requesterName: 'Ana Costa' }]);

  const twice = await decide(omar, items[0].id, 'deny');
  expect([twice.status, twice.body.code]).toEqual([409, 'already-decided']);
  expect(twice.body.detail).toContain('approved it already');
  expect(await patches(portal)).toBe(1);
  const events = await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', kind: 'portal-approval' } });
  expect(events.map((event) => event.activity).sort()).toEqual(['approval.approved', 'approval.requested']);
});

test('denied: the person is told, and may ask again', async () => {
  await using all = await prepared();
  const { portal, ana, omar, asked, payroll } = all;
  const [item] = (await inbox(omar)).items;
  expect((await decide(omar, item.id, 'deny')).status).toBe(200);
  await portal.advance('PT3S');
  await portal.product.tasks.settleRequests();
  expect((await ana.get(`/api/access/requests/${asked.id}`)).body).toMatchObject({ state: 'denied', failure: 'Omar Haddad denied it: “Known work”' });
  const entry = (await ana.get('/api/access')).body.entries.find(({ groupId }: { groupId: string }) => groupId === payroll);
  expect(entry.request.failure).toBe('Omar Haddad denied it: “Known work”');
  expect((await ana.post('/api/access/activations', { groupId: payroll, ...ASK })).status).toBe(201);
});

test('two decisions at once: one counts, the other is told so', async () => {
  await using all = await prepared();
  const { portal, omar } = all;
  const [item] = (await inbox(omar)).items;
  const answers = await Promise.all([decide(omar, item.id, 'approve'), decide(omar, item.id, 'deny')]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
  expect((await portal.db.prisma.approvalDecision.findMany()).filter((row) => row.status === 'decided')).toHaveLength(1);
});

test('nobody decides their own request, whether or not Entra would list it', async () => {
  await using all = await prepared();
  const { portal, ana, omar, payroll } = all;
  const own = await omar.post('/api/access/activations', { groupId: payroll, ...ASK });
  expect(own.body, JSON.stringify(own.body)).toMatchObject({ state: 'awaiting-approval' });
  const { pim } = await portal.emulator.state();
  const approvalId = pim.requests.find((request: { id: string }) => request.id === own.body.entraRequestId).approvalId;

  expect((await inbox(omar)).items.map((item: { id: string }) => item.id)).not.toContain(approvalId);
  await portal.emulator.clearJournal();
  for (const decision of ['approve', 'deny']) {
    const refused = await decide(omar, approvalId, decision);
    expect([refused.status, refused.body.code]).toEqual([403, 'not-permitted']);
  }
  expect(await portal.emulator.journal()).toEqual([]);
  expect(await portal.db.prisma.approvalDecision.count()).toBe(0);

  // A request of theirs that the portal has no record of: Entra's list says whose it is.
  await portal.db.prisma.accessRequest.deleteMany({});
  const unrecorded = await decide(omar, approvalId);
  expect([403, 404]).toContain(unrecorded.status);
  expect(await patches(portal)).toBe(0);
  expect((await decide(ana, approvalId)).status).toBe(404);
});

test('nobody decides their own request from another tab, another replica, under another name, or by another of its ids', async () => {
  await using all = await prepared();
  const { portal, omar, payroll } = all;
  const own = (await omar.post('/api/access/activations', { groupId: payroll, ...ASK })).body;
  expect(own).toMatchObject({ state: 'awaiting-approval' });
  const second = portal.anonymous();
  await second.signIn(OMAR);
  const elsewhere = await portal.onReplica(OMAR);
  // Entra knows a person by the id alone; name and address may have changed since they signed in, or since they asked.
  await portal.db.prisma.session.updateMany({ where: { upn: OMAR }, data: { name: 'Omar Haddad-Lind', upn: 'omar.lind@contoso.example' } });
  await portal.emulator.clearJournal();
  for (const client of [omar, second, elsewhere]) {
    expect((await inbox(client)).items.map(({ requesterName }: { requesterName: string }) => requesterName)).toEqual(['Ana Costa']);
    for (const id of [own.id, own.entraRequestId, String(own.entraRequestId).toUpperCase()]) {
      const refused = await decide(client, id);
      expect([refused.status, refused.body.code], id).toEqual([403, 'not-permitted']);
    }
  }
  expect(await patches(portal)).toBe(0);
  expect(await portal.db.prisma.approvalDecision.count()).toBe(0);
});

test('a decision that another approver took first is news: who, when, how and why', async () => {
  await using all = await prepared();
  const { portal, omar } = all;
  const [item] = (await inbox(omar)).items;
  const helena = await portal.as('helena.kowalska@contoso.example');
  expect((await helena.post(`/api/approvals/${item.id}/decision`, { decision: 'deny', justification: 'Not today' })).status).toBe(200);
  const late = await decide(omar, item.id);
  expect([late.status, late.body.code, late.body.decided]).toEqual([409, 'already-decided', { by: 'Helena Kowalska', at: portal.now().toISOString(), decision: 'deny', justification: 'Not today' }]);
});

test('what the policy asks, and how often the requester had it of late', async () => {
  await using all = await prepared();
  const { portal, ana, omar, payroll, asked } = all;
  const { activation } = portal.db.prisma;
  const requester = (await ana.get('/api/session')).body.person.id;
  await activation.deleteMany({ where: { principalId: requester, groupId: payroll } });
  const daysAgo = (days: number): Date => new Date(portal.now().getTime() - days * 24 * 60 * 60_000);
  const had = (days: number, more: object = {}) => ({ tenantId: portal.tenantId, requestId: randomUUID(), principalId: requester, principalName: 'Ana Costa', groupId: payroll, groupName: 'Payroll', status: 'ended', requestedAt: daysAgo(days), provisionedAt: daysAgo(days), ...more });
  await activation.createMany({ data: [
    had(1), had(29), had(31), had(89), had(91),
    // Asked for, and not given; of somebody else; of another group.
    had(2, { status: 'denied', provisionedAt: null }), had(2, { principalId: randomUUID() }), had(2, { groupId: randomUUID() }),
  ] });
  const { items: [item], historyFrom } = await inbox(omar);
  expect(item).toMatchObject({ id: asked.entraRequestId, activations: { last30Days: 2, last90Days: 4 }, policy: { maxMinutes: 60, signIn: 'none', requireJustification: true, requireTicket: false, requireApproval: true } });
  expect(item.policy.approvers.map(({ displayName }: { displayName: string }) => displayName)).toEqual(['Omar Haddad', 'Helena Kowalska']);
  expect(item.lastActivations).toHaveLength(3);
  expect(Date.parse(historyFrom)).toBeLessThan(portal.now().getTime());
});

test('the link of a notification leads there after signing in', async () => {
  await using all = await prepared();
  const page = `/approvals?request=${all.asked.entraRequestId}`;
  const start = await fetch(`${all.portal.url}/auth/sign-in?${new URLSearchParams({ returnTo: page })}`, { redirect: 'manual' });
  const binding = start.headers.getSetCookie().find((line) => line.startsWith('gatehouse-sign-in='))?.split(';')[0] ?? '';
  const picker = await (await fetch(start.headers.get('location') ?? '')).text();
  const picked = await fetch(`${all.portal.emulator.url}/_signin/account`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ ticket: /name="ticket" value="([\w-]+)"/.exec(picker)?.[1] ?? '', upn: OMAR }) });
  const back = await fetch(picked.headers.get('location') ?? '', { redirect: 'manual', headers: { cookie: binding } });
  expect([back.status, back.headers.get('location')]).toEqual([302, page]);
});

test('who is not an approver gets the answer of an unknown one', async () => {
  await using all = await prepared();
  const { portal, omar } = all;
  const [item] = (await inbox(omar)).items;
  const ben = await portal.as(BEN);
  expect((await inbox(ben)).items).toEqual([]);
  const [theirs, none] = [await decide(ben, item.id), await decide(ben, randomUUID())];
  expect(theirs.status).toBe(404);
  expect({ ...theirs.body, requestId: '' }).toEqual({ ...none.body, requestId: '' });
  expect(await patches(portal)).toBe(0);
});

test('a decision without a reason is told at the field, and Entra is not asked', async () => {
  await using all = await prepared();
  const { portal, omar } = all;
  const [item] = (await inbox(omar)).items;
  await portal.emulator.clearJournal();
  const refused = await omar.post(`/api/approvals/${item.id}/decision`, { decision: 'approve', justification: ' ' });
  expect(refused.body).toMatchObject({ code: 'invalid-request', issues: [{ path: 'body.justification', message: 'Say in a few words why' }] });
  expect(await portal.emulator.journal()).toEqual([]);
});

/** Takes the answer to the decision away, and then the first sight of what became of it. */
const LOSES_THE_ANSWER = [
  { match: { method: 'PATCH', path: '**/assignmentApprovals/**' }, times: 1, fault: { kind: 'reset', effect: 'after' } },
  { match: { method: 'GET', path: '**/assignmentApprovals/*/stages', nth: 2 }, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } },
];

test('Entra does not answer: the decision stays on record until Entra shows whether it arrived', async () => {
  await using all = await prepared();
  const { portal, omar } = all;
  const [item] = (await inbox(omar)).items;
  await portal.emulator.faults(LOSES_THE_ANSWER);
  expect((await decide(omar, item.id)).body).toMatchObject({ code: 'directory-unavailable' });
  expect(await portal.db.prisma.approvalDecision.findMany()).toMatchObject([{ status: 'asked' }]);
  expect((await inbox(omar)).decided).toMatchObject([{ id: item.id, decision: 'approve' }]);
  expect(await portal.db.prisma.approvalDecision.findMany()).toMatchObject([{ status: 'decided' }]);
});

test('as long as Entra does not show what became of the decision, it has not failed', async () => {
  await using all = await prepared();
  const { portal, omar } = all;
  const [item] = (await inbox(omar)).items;
  await portal.emulator.faults(LOSES_THE_ANSWER);
  expect((await decide(omar, item.id)).body).toMatchObject({ code: 'directory-unavailable' });
  await portal.advance('PT5M');
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/assignmentApprovals/*/stages' }, times: null, fault: { kind: 'status', status: 404, code: 'ResourceNotFound' } }]);
  expect((await inbox(omar)).decided).toEqual([]);
  const decisions = () => portal.db.prisma.approvalDecision.findMany();
  expect(await decisions()).toMatchObject([{ status: 'asked' }]);
  await portal.emulator.faults([]);
  expect((await inbox(omar)).decided).toMatchObject([{ id: item.id, decision: 'approve' }]);
  expect(await decisions()).toMatchObject([{ status: 'decided' }]);
  expect(await portal.db.prisma.auditEvent.count({ where: { activity: 'approval.failed' } })).toBe(0);
});
