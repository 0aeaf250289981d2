import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ANA, MAYA, OMAR, startPortal, type Client, type TestPortal } from '../src/testing.ts';

/** What Graph does to the one write that a person's act comes down to: whether the act is told as done, and what is on record. */
let portal: TestPortal;
let ana: Client;
let omar: Client;
let build: string;
let payroll: string;

beforeAll(async () => {
  portal = await startPortal();
  [ana, omar] = [await portal.as(ANA), await portal.as(OMAR)];
  await portal.syncNow();
  const { groups } = await portal.emulator.state() as { groups: { id: string; displayName: string }[] };
  const named = (start: string): string => groups.find(({ displayName }) => displayName.startsWith(start))?.id ?? '';
  [build, payroll] = [named('Build-'), named('Payroll')];
});
afterEach(async () => { await portal.emulator.faults([]); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

interface Case { readonly how: string; readonly fault: unknown; readonly status: number; readonly code?: string; readonly outcome: 'done' | 'not done' | 'not known' }

/** `done`: Entra did it, and the portal finds it. `not done`: Entra said so. `not known`: the portal must look again, and say so. */
const CASES: readonly Case[] = [
  { how: 'down', fault: { kind: 'status', status: 503 }, status: 503, code: 'directory-unavailable', outcome: 'not known' },
  { how: 'cut before it is done', fault: { kind: 'reset', effect: 'before' }, status: 503, code: 'directory-unavailable', outcome: 'not known' },
  { how: 'cut after it is done', fault: { kind: 'reset', effect: 'after' }, status: 200, outcome: 'done' },
  { how: 'failing after it is done', fault: { kind: 'status', status: 500, effect: 'after' }, status: 200, outcome: 'done' },
  { how: 'busy for 7 s', fault: { kind: 'status', status: 429, retryAfter: 7 }, status: 503, code: 'directory-busy', outcome: 'not done' },
  { how: 'busy for it does not say how long', fault: { kind: 'status', status: 429 }, status: 503, code: 'directory-busy', outcome: 'not done' },
  { how: 'a page of somebody else', fault: { kind: 'status', status: 200, body: '<html>Sign in to the hotel</html>' }, status: 502, code: 'directory-unexpected', outcome: 'not known' },
  { how: 'a cut-off answer before it is done', fault: { kind: 'status', status: 200, body: '{"id":' }, status: 502, code: 'directory-unexpected', outcome: 'not known' },
  { how: 'a cut-off answer after it is done', fault: { kind: 'status', status: 200, body: '{"id":', effect: 'after' }, status: 200, outcome: 'done' },
  { how: 'refusing', fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' }, status: 502, code: 'directory-forbidden', outcome: 'not done' },
];

const during = (match: unknown, fault: unknown): Promise<void> => portal.emulator.faults([{ match, times: null, fault }]);
const told = async (kind: string): Promise<string[]> => (await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', kind } })).map(({ activity }) => activity).toSorted();
/** Events that came since, by name. */
function since(earlier: readonly string[], now: readonly string[]): string[] {
  const left = [...earlier];
  return now.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

async function asked(): Promise<{ id: string }> {
  const reply = await ana.post('/api/access/activations', { groupId: payroll, minutes: 30, justification: 'Payroll run', ticket: { number: 'INC-4711' } });
  expect(reply.body, JSON.stringify(reply.body)).toMatchObject({ state: 'awaiting-approval' });
  return reply.body;
}

describe('a decision, Graph being', () => {
  const stage = { method: 'PATCH', path: '**/assignmentApprovals/*/stages/*' };
  const inbox = async () => (await omar.get('/api/approvals')).body as { items: { id: string }[]; decided: { id: string }[] };

  test.each(CASES)('$how', async ({ fault, status, code, outcome }) => {
    const done = outcome === 'done';
    const request = await asked();
    const [item] = (await inbox()).items;
    const approval = item?.id ?? '';
    const earlier = await told('portal-approval');
    await during(stage, fault);
    const reply = await omar.post(`/api/approvals/${approval}/decision`, { decision: 'deny', justification: 'Not today' });
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([status, code]);
    const rows = async () => (await portal.db.prisma.approvalDecision.findMany({ where: { approvalId: approval } })).map((row) => row.status);
    expect(await rows()).toEqual([{ 'done': 'decided', 'not done': 'failed', 'not known': 'asked' }[outcome]]);
    expect(since(earlier, await told('portal-approval'))).toEqual({ 'done': ['approval.denied', 'approval.requested'], 'not done': ['approval.refused', 'approval.requested'], 'not known': ['approval.requested'] }[outcome]);

    await portal.emulator.faults([]);
    const after = await inbox();
    expect(after.decided.map(({ id }) => id).includes(approval), 'told as decided').toBe(done);
    expect(after.items.map(({ id }) => id).includes(approval), 'still waits').toBe(!done);
    expect(since(earlier, await told('portal-approval')).includes('approval.denied')).toBe(done);
    if (!done) {
      const again = await omar.post(`/api/approvals/${approval}/decision`, { decision: 'deny', justification: 'Not today' });
      expect(again.status, JSON.stringify(again.body)).toBe(200);
    }
    // Who follows a request looks at Entra now and then, not with every question.
    await portal.advance('PT3S');
    expect((await ana.get(`/api/access/requests/${request.id}`)).body.state).toBe('denied');
  });
});

describe('taking a request back, Graph being', () => {
  test.each(CASES)('$how', async ({ fault, status, code, outcome }) => {
    const done = outcome === 'done';
    const { id } = await asked();
    const earlier = await told('portal-access');
    await during({ method: 'POST', path: '**/assignmentScheduleRequests/*/cancel' }, fault);
    const reply = await ana.post(`/api/access/requests/${id}/cancel`);
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([status, code]);
    expect(since(earlier, await told('portal-access'))).toEqual(done ? ['activation.cancelled', 'cancellation.requested'] : ['cancellation.requested']);

    await portal.emulator.faults([]);
    expect((await ana.get(`/api/access/requests/${id}`)).body.state).toBe(done ? 'cancelled' : 'awaiting-approval');
    if (!done) expect((await ana.post(`/api/access/requests/${id}/cancel`)).body.state).toBe('cancelled');
  });
});

describe('ending access, Graph being', () => {
  const entry = async () => (await ana.get('/api/access')).body.entries.find(({ groupId }: { groupId: string }) => groupId === build);

  test.each(CASES)('$how', async ({ fault, status, code, outcome }) => {
    const done = outcome === 'done';
    const begun = await ana.post('/api/access/activations', { groupId: build, minutes: 30, justification: 'Pipeline repair' });
    expect(begun.status, JSON.stringify(begun.body)).toBe(201);
    await portal.advance('PT6M');
    expect((await entry()).active).not.toBeNull();
    const earlier = await told('portal-access');
    await during({ method: 'POST', path: '**/assignmentScheduleRequests' }, fault);
    const reply = await ana.post('/api/access/deactivations', { groupId: build });
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([status, code]);
    const rows = async () => (await portal.db.prisma.accessRequest.findMany({ where: { groupId: build, action: 'deactivate' }, orderBy: { createdAt: 'asc' } })).at(-1)?.status;
    expect(await rows()).toBe({ 'done': 'ended', 'not done': 'failed', 'not known': 'asked' }[outcome]);
    expect(since(earlier, await told('portal-access'))).toEqual({ 'done': ['activation.ended', 'deactivation.granted', 'deactivation.requested'], 'not done': ['deactivation.refused', 'deactivation.requested'], 'not known': ['deactivation.requested'] }[outcome]);

    await portal.emulator.faults([]);
    await portal.advance('PT3M');
    await portal.product.tasks.settleRequests();
    expect((await entry()).active === null, 'told as ended').toBe(done);
    expect(await rows()).toBe(done ? 'ended' : 'failed');
    if (!done) expect((await ana.post('/api/access/deactivations', { groupId: build })).status).toBe(200);
    await portal.advance('PT1M');
  });
});

test('a Graph that says nothing at all is left after a time, everywhere, and what it did is found', async () => {
  await using silent = await startPortal({ graphTimeoutMs: 1_000 });
  const person = { ana: await silent.as(ANA), omar: await silent.as(OMAR), maya: await silent.as(MAYA) };
  await silent.syncNow();
  const group = (await person.ana.get('/api/access')).body.entries.find(({ groupName }: { groupName: string }) => groupName.startsWith('Build-')).groupId as string;
  const entry = async () => (await person.ana.get('/api/access')).body.entries.find(({ groupId }: { groupId: string }) => groupId === group);
  await silent.emulator.faults([{ match: { method: 'POST', path: '**/assignmentScheduleRequests' }, times: null, fault: { kind: 'timeout', effect: 'after' } }]);
  const asking = await person.ana.post('/api/access/activations', { groupId: group, minutes: 30, justification: 'Pipeline repair' });
  expect([asking.status, asking.body.state], 'found, though nothing was answered').toEqual([201, 'provisioning']);
  expect((await entry()).active, 'Entra has it, and has not provisioned it').toBeNull();
  await silent.advance('PT10S');
  expect((await entry()).active).not.toBeNull();
  expect((await silent.emulator.journal()).filter(({ method, url }) => method === 'POST' && url.includes('assignmentScheduleRequests')), 'asked once').toHaveLength(1);

  await silent.emulator.faults([{ match: { path: '**' }, times: null, fault: { kind: 'timeout', effect: 'before' } }]);
  await silent.db.prisma.ownAccess.deleteMany({});
  const reads = await Promise.all([person.ana.get('/api/access'), person.omar.get('/api/approvals'), person.maya.get('/api/directory/applications'), person.maya.get('/api/directory/groups?text=fin')]);
  expect(reads.map(({ status, body }) => [status, body.code])).toEqual(reads.map(() => [503, 'directory-unavailable']));
});
