import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANA, BEN, OMAR, startPortal, type TestPortal } from '../../testing.ts';
import { usualTimes } from './readiness.store.ts';

let portal: TestPortal;
beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
});
afterAll(() => portal[Symbol.asyncDispose]());

const since = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(since.getTime() + seconds * 1000);
const person = { principalId: randomUUID(), principalName: 'Ana Costa' };

/** An activation as the mirror has it: asked for, decided where that is given, and provisioned, in seconds. */
async function mirrored(groupId: string, { asked = 0, decided, provisioned, starts }: { asked?: number; decided?: number; provisioned: number | null; starts?: number }, requestId: string = randomUUID()) {
  await portal.db.prisma.activation.create({ data: {
    tenantId: portal.tenantId, requestId, ...person, groupId, groupName: 'Any', status: 'ended', requestedAt: at(asked),
    decidedAt: decided === undefined ? null : at(decided), provisionedAt: provisioned === null ? null : at(provisioned), startsAt: starts === undefined ? null : at(starts),
  } });
}

/** An activation as the portal has it. */
async function recorded(groupId: string, { asked = 0, starts = asked, provisioned, member, entraRequestId = null }: { asked?: number; starts?: number; provisioned: number; member: number | null; entraRequestId?: string | null }) {
  await portal.db.prisma.accessRequest.create({ data: {
    tenantId: portal.tenantId, id: randomUUID(), ...person, groupId, action: 'activate', status: 'ended', entraRequestId,
    createdAt: at(asked), startsAt: at(starts), provisionedAt: at(provisioned), memberAt: member === null ? null : at(member),
  } });
}

const measured = async (groupId: string) => Object.fromEntries((await usualTimes(portal.db.prisma, portal.tenantId, groupId, since)).map(({ stage, count, p50, p95 }) => [stage, [count, p50, p95]]));

test('provisioning counts from the request or its approval, and membership from provisioning on', async () => {
  const groupId = randomUUID();
  for (let seconds = 1; seconds <= 19; seconds += 1) await mirrored(groupId, { provisioned: seconds });
  await mirrored(groupId, { decided: 3600, provisioned: 3660 });
  await recorded(groupId, { provisioned: 3, member: 5.5 });
  // Half took 10 s or less, and 19 of 20 took 19 s or less.
  expect(await measured(groupId)).toEqual({ provisioning: [20, 10, 19], membership: [1, 2.5, 2.5] });
});

test('what waited for its start, is not there yet, is older, or is of another group does not count', async () => {
  const groupId = randomUUID();
  await mirrored(groupId, { provisioned: 2, starts: 2 });
  const later = randomUUID();
  await mirrored(groupId, { provisioned: 300, starts: 300 }, later);
  await recorded(groupId, { starts: 300, provisioned: 300, member: null, entraRequestId: later });
  await mirrored(groupId, { provisioned: 3600, starts: 3600 });
  await mirrored(groupId, { provisioned: null });
  await mirrored(groupId, { asked: -1, provisioned: 50 });
  await mirrored(randomUUID(), { provisioned: 50 });
  // Asked for at once and slow: it counts, however late PIM says that it began.
  const slow = randomUUID();
  await mirrored(groupId, { provisioned: 900, starts: 900 }, slow);
  await recorded(groupId, { provisioned: 900, member: 901, entraRequestId: slow });
  expect(await measured(groupId)).toEqual({ provisioning: [2, 2, 900], membership: [1, 1, 1] });
});

test('a person sees who approved, and what is usual from five activations on; of another person’s request nothing', async () => {
  const [ana, omar] = [await portal.as(ANA), await portal.as(OMAR)];
  const { groups } = await portal.emulator.state(['groups']) as { groups: { id: string; displayName: string }[] };
  const groupId = groups.find(({ displayName }) => displayName.startsWith('Payroll-'))?.id ?? '';
  await portal.db.prisma.activation.deleteMany({ where: { groupId } });
  const { body: asked } = await ana.post('/api/access/activations', { groupId, minutes: 5, justification: 'Pay run' });
  const readiness = async (client = ana) => client.get(`/api/access/requests/${asked.id}/readiness`);
  for (let count = 0; count < 4; count += 1) await mirrored(groupId, { provisioned: -1 }); // before it was asked for: no time at all
  const recent = (seconds: number, count: number) => portal.db.prisma.activation.createMany({ data: Array.from({ length: count }, () => ({
    tenantId: portal.tenantId, requestId: randomUUID(), ...person, groupId, groupName: 'Any', status: 'ended', requestedAt: portal.now(), provisionedAt: new Date(portal.now().getTime() + seconds * 1000),
  })) });
  await recent(4, 4);
  expect((await readiness()).body).toEqual({ approval: null, usual: { provisioning: null, membership: null }, connection: null });
  await recent(9, 1);
  expect((await readiness()).body.usual).toEqual({ provisioning: { count: 5, p50Seconds: 4, p95Seconds: 9 }, membership: null });

  await portal.advance('PT1M');
  const { body: inbox } = await omar.get('/api/approvals');
  expect((await omar.post(`/api/approvals/${inbox.items[0].id}/decision`, { decision: 'approve', justification: 'Known work' })).status).toBe(200);
  const decidedAt = portal.now().toISOString();
  await portal.advance('PT10S');
  expect((await ana.get(`/api/access/requests/${asked.id}`)).body.state).toBe('active');
  await portal.emulator.clearJournal();
  for (let time = 1; time <= 3; time += 1) expect((await readiness()).body.approval).toEqual({ by: 'Omar Haddad', at: decidedAt });
  expect((await portal.emulator.journal()).filter(({ url }) => url.includes('assignmentApprovals')), 'read once').toHaveLength(1);
  expect((await readiness(await portal.as(BEN))).status).toBe(404);
  expect((await readiness(omar)).status, 'nor an approver').toBe(404);

  await portal.emulator.faults([{ match: { method: 'GET', path: '**/assignmentApprovals/**' }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  await portal.db.prisma.accessRequest.updateMany({ data: { approvedAt: null, approvedBy: null } });
  expect((await readiness()).body, 'not knowing is not a no').toMatchObject({ approval: null, usual: { provisioning: { count: 5 } } });
});
