import { expect, test } from 'vitest';
import { ANA, BEN, INES, MAYA, startPortal } from '../../testing.ts';

test('what happens in the tenant is in the auditor\'s history, from request to end', async () => {
  await using portal = await startPortal();
  await portal.syncNow();
  const ben = await portal.as(BEN);
  const ana = await portal.as(ANA);
  const { groups } = await portal.emulator.state() as { groups: { id: string; displayName: string }[] };
  const group = groups.find(({ displayName }) => /^Build.*-SecureAccess$/.test(displayName));
  if (!group) throw new Error('the seed has no group of the build servers');
  const asked = await ana.post('/api/access/activations', { groupId: group.id, minutes: 30, justification: 'Month-end close, INC-4711' });
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
  await portal.advance('PT1M');
  await portal.advance('PT31M');
  await portal.advance('PT1M');
  await portal.syncNow();

  const ines = await portal.as(INES);
  const found = await ines.get(`/api/history/activations?person=${encodeURIComponent('Ana Costa')}&group=${group.id}&from=${encodeURIComponent('2026-03-02T08:59:00Z')}`);
  expect(found.status).toBe(200);
  expect(found.body.activations).toMatchObject([{ principalName: 'Ana Costa', groupName: group.displayName, status: 'ended', endedHow: 'expired', justification: 'Month-end close, INC-4711' }]);
  expect(found.body.coverage).toMatchObject({ to: portal.now().toISOString(), lastError: null });
  const [{ requestId }] = found.body.activations;

  const story = await ines.get(`/api/history/activations/${requestId}`);
  const kinds = (story.body.events as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['activation-requested', 'activated', 'member-added', 'expired', 'member-removed']));

  const event = await ines.get(`/api/history/events/${encodeURIComponent(story.body.events[0].id)}`);
  expect(event.status).toBe(200);
  expect(event.body.event.id).toBe(story.body.events[0].id);
  // The text that Graph sent, decimals and all.
  if (event.body.event.source === 'directory') expect(event.body.raw).toMatch(/"activityDateTime":\s*"[^"]*\.\d{7}Z"/);

  const made = await ines.post('/api/exports', { format: 'csv', filter: { group: group.id } });
  const csv = await ines.get(`/api/exports/${made.body.id}/file`);
  expect(csv.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
  expect(csv.body).toContain('Month-end close, INC-4711');
  const exports = await ines.get('/api/history/events?kind=portal-export');
  // Both at the same instant of the demo's clock.
  expect(exports.body.events).toHaveLength(2);
  expect(exports.body.events).toEqual(expect.arrayContaining(['history.export-taken', 'history.exported'].map((activity) => expect.objectContaining({ actorName: 'Ines Moreau', activity, source: 'portal' }))));

  // A second pass over the same log brings nothing twice.
  const count = async (): Promise<number> => (await portal.db.pool.query(`SELECT count(*)::int AS n FROM audit_event WHERE source = 'directory'`)).rows[0].n as number;
  const before = await count();
  await portal.syncNow();
  expect(await count()).toBe(before);
  const truth = await portal.emulator.state();
  expect(before).toBe((truth.directoryAudits as { visibleAt: string; entry: { activityDateTime: string } }[]).filter(({ visibleAt, entry: { activityDateTime } }) => new Date(visibleAt) <= portal.now() && Date.parse(activityDateTime) >= portal.now().getTime() - 30 * 86_400_000 - 40 * 60_000).length);

  // It is the auditor's alone, and reading it asks nothing of Graph.
  await portal.emulator.clearJournal();
  for (const other of [ben, ana]) for (const path of ['/api/history/events', `/api/history/activations/${requestId}`, '/api/exports', '/api/history/names', '/api/sync']) expect((await other.get(path)).status).toBe(403);
  expect((await ines.get('/api/history/names')).body.groups).toContain(group.displayName);
  expect(await portal.emulator.journal()).toEqual([]);
});

test('the state of the mirror is said as it is, the failure of the last reading too', async () => {
  await using portal = await startPortal();
  const maya = await portal.as(MAYA);
  expect((await maya.get('/api/sync')).body).toMatchObject({ sources: [{ source: 'directory', completeTo: null, events: 0, lastError: null }, { source: 'traffic', completeTo: null, off: false }], catalog: { groups: 0, readAt: null } });
  await portal.syncNow();
  const { body } = await maya.get('/api/sync');
  expect(body.sources[0]).toMatchObject({ completeTo: portal.now().toISOString(), lastSuccessAt: portal.now().toISOString(), lastError: null });
  expect(body.sources[0].events).toBeGreaterThan(0);
  expect(body.catalog.groups).toBeGreaterThan(0);

  await portal.advance('PT5M');
  await portal.emulator.faults([{ match: { path: '**/auditLogs/directoryAudits' }, times: null, fault: { kind: 'status', status: 503, code: 'serviceUnavailable' } }]);
  await expect(portal.syncNow()).rejects.toThrow();
  expect((await maya.get('/api/sync')).body.sources[0]).toMatchObject({ completeTo: body.sources[0].completeTo, lastError: expect.stringContaining('does not answer') });
  await portal.emulator.faults([]);
  await portal.syncNow();
  expect((await maya.get('/api/sync')).body.sources[0]).toMatchObject({ completeTo: portal.now().toISOString(), lastError: null });
  expect((await maya.post('/api/sync', {})).status).toBe(202);
});

test('a request that is not valid is refused with the field that is wrong', async () => {
  await using portal = await startPortal();
  const ines = await portal.as(INES);
  for (const [path, field] of [
    ['/api/history/events?cursor=nonsense', 'query.cursor'], ['/api/history/events?from=yesterday', 'query.from'], ['/api/history/events?kind=nothing', 'query.kind'], ['/api/history/events?limit=0', 'query.limit'],
    ['/api/history/event-count?from=0000-01-01T00:00:00Z', 'query.from'], ['/api/history/activations?person=a%00', 'query.person'],
  ] as const) {
    const answer = await ines.get(path);
    expect([path, answer.status, answer.body.issues?.[0]?.path]).toEqual([path, 400, field]);
  }
  expect((await ines.get('/api/history/events?unknown=1')).status).toBe(400);
  for (const path of ['/api/history/events/directory:none', '/api/history/activations/none']) expect((await ines.get(path)).status).toBe(404);
});

test('the activations that the mirror joined are those that the tenant itself remembers, each with its end', async () => {
  await using portal = await startPortal();
  await portal.syncNow();
  const { pim, groups } = await portal.emulator.state() as {
    pim: { requests: { id: string; action: string; status: string; principalId: string; groupId: string; justification: string; createdDateTime: string; scheduleInfo: { startDateTime: string } }[] };
    groups: { id: string; memberIds: string[] }[];
  };
  const truth = pim.requests.filter(({ action }) => action === 'selfActivate');
  expect(truth.length).toBeGreaterThan(20);
  const rows = new Map((await portal.db.prisma.activation.findMany()).map((row) => [row.requestId, row]));
  const statuses: Record<string, readonly string[]> = { Provisioned: ['active', 'ended'], Denied: ['denied'], Canceled: ['cancelled'], TimedOut: ['lapsed'], PendingApproval: ['awaiting-approval'], Granted: ['scheduled'] };
  for (const request of truth) {
    const row = rows.get(request.id);
    expect(row, `${request.id} ${request.status}`).toMatchObject({ principalId: request.principalId, groupId: request.groupId, justification: request.justification });
    expect(statuses[request.status], request.status).toContain(row?.status);
    const isMember = groups.find(({ id }) => id === request.groupId)?.memberIds.includes(request.principalId) ?? false;
    if (row?.status === 'active') expect(isMember, `${request.id} is active`).toBe(true);
    if (row?.status === 'ended') expect(row.endedAt && row.provisionedAt && row.endedAt > row.provisionedAt, `${request.id} ended`).toBe(true);
  }
  // One end ends one activation: each that was asked for by hand, the one of that person and group at that moment.
  const byHand = [...rows.values()].filter(({ endedHow }) => endedHow === 'deactivated');
  const ends = pim.requests.filter(({ action }) => action === 'selfDeactivate');
  expect(ends.length).toBeGreaterThan(3);
  for (const end of ends) {
    const ended = byHand.filter((row) => row.groupId === end.groupId && row.principalId === end.principalId && Math.abs((row.endedAt?.getTime() ?? 0) - Date.parse(end.createdDateTime)) < 60_000);
    expect(ended, `${end.id} of ${end.createdDateTime}`).toHaveLength(1);
  }
});
