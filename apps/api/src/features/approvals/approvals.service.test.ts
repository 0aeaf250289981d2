import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testDatabase } from '@gatehouse/db/testing';
import { createGateway } from '@gatehouse/graph';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { createAccess } from '../access/access.service.ts';
import { createReconciler } from '../access/access.reconciler.ts';
import { createNames } from '../access/names.service.ts';
import { createOwnAccess } from '../access/own-access.service.ts';
import { createApprovals } from './approvals.service.ts';

const NOW = new Date('2026-03-02T12:00:00Z');
const GROUP = randomUUID();
const omar: Actor = { tenantId: randomUUID(), principalId: randomUUID(), name: 'Omar Haddad', upn: 'omar@contoso.example', roles: [], accountId: 'omar', device: null };
const STRANGER = randomUUID();

/** A Graph that answers what Microsoft's should never: `answers` by the end of the path, else empty lists. */
async function againstGraph(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    const path = decodeURIComponent((req.url ?? '').split('?')[0] ?? '');
    asked.push(`${req.method} ${path.slice(path.lastIndexOf('/group/') + 7)}`);
    const key = Object.keys(answers).find((end) => `${req.method} ${path}`.endsWith(end));
    res.writeHead(req.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(key === undefined ? { value: [] } : answers[key]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const database = await testDatabase();
  const gateway = createGateway({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, timer: { now: () => 0, sleep: async () => {} }, clock: { now: () => NOW }, random: () => 0.5, log: () => {}, timeoutMs: 5_000,
  });
  const graph = gateway.graph({ token: async () => 'token', priority: 'person', patience: { of: 'action', ms: 30_000 } });
  const clock = { now: () => NOW };
  const deps = { db: database, clock, newId: () => randomUUID(), graphFor: () => graph, appGraph: graph, announce: async () => {}, ownAccess: createOwnAccess({ db: database, clock }), names: createNames({ appGraph: graph, clock }) };
  return {
    asked, database, approvals: createApprovals(deps), access: createAccess(deps), reconciler: createReconciler({ ...deps, tenantId: omar.tenantId, log: pino({ level: 'silent' }) }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
      await database[Symbol.asyncDispose]();
    },
  };
}

const request = (principalId: string, more: object = {}) => ({
  id: randomUUID(), action: 'selfActivate', status: 'PendingApproval', principalId, groupId: GROUP, accessId: 'member', justification: 'Planned work',
  createdDateTime: NOW.toISOString(), scheduleInfo: { startDateTime: NOW.toISOString(), expiration: { type: 'afterDuration', duration: 'PT30M' } }, ...more,
});

test('a request of the approver’s own is neither shown nor decided, though Graph lists it and offers its stage', async () => {
  const own = request(omar.principalId);
  await using all = await againstGraph({
    "GET /v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/filterByCurrentUser(on='approver')": { value: [own] },
    [`/assignmentApprovals/${own.id}/stages`]: { value: [{ id: randomUUID(), assignedToMe: true, status: 'InProgress', reviewResult: 'NotReviewed' }] },
  });
  expect((await all.approvals.list(omar)).items).toEqual([]);
  await expect(all.approvals.decide(omar, own.id, { decision: 'approve', justification: 'Mine' })).rejects.toMatchObject({ code: 'not-permitted' });
  expect(all.asked.filter((call) => call.startsWith('PATCH'))).toEqual([]);
  expect(await all.database.prisma.approvalDecision.count()).toBe(0);
});

test('a request of somebody else that Graph shows among one’s own is not found', async () => {
  const theirs = request(STRANGER);
  await using all = await againstGraph({ "filterByCurrentUser(on='principal')": { value: [theirs] } });
  await expect(all.access.request(omar, theirs.id)).rejects.toMatchObject({ code: 'not-found' });
  await expect(all.access.cancel(omar, theirs.id)).rejects.toMatchObject({ code: 'not-found' });
  expect((await all.access.list(omar)).entries).toEqual([]);
  expect(all.asked.filter((call) => !call.startsWith('GET'))).toEqual([]);
});

test('a status that we do not know is never a success, and stays on record', async () => {
  const odd = request(omar.principalId, { status: 'Marvellous' });
  const eligible = { id: 'e', principalId: omar.principalId, groupId: GROUP, accessId: 'member', memberType: 'direct', startDateTime: null, endDateTime: null };
  await using all = await againstGraph({ 'POST /v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests': odd, "eligibilityScheduleInstances/filterByCurrentUser(on='principal')": { value: [eligible] } });
  const asked = await all.access.requestActivation(omar, { groupId: GROUP, minutes: 30, justification: 'Planned work' });
  expect(asked).toMatchObject({ state: 'asked', entraRequestId: odd.id, provisionedAt: null, memberAt: null, endsAt: null });
  await all.reconciler.settleOpenRequests();
  expect(await all.database.prisma.accessRequest.findMany()).toMatchObject([{ status: 'asked', provisionedAt: null }]);
});
