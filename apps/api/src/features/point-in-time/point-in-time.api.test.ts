import type { PointAnswer } from '@gatehouse/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { otherAdmin } from '../../../../../testing/out-of-band.ts';
import { ANA, BEN, INES, MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';

let portal: TestPortal;
let ines: Client;
beforeAll(async () => {
  portal = await startPortal();
  await know();
  ines = await portal.as(INES);
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

/** Reads what there is in the tenant, and seals it: from then on it is known. */
const know = async (): Promise<void> => {
  await portal.syncNow();
  await portal.product.ledger.seal();
};
const HOST = 'build01.build.corp.contoso.example:22';
const ask = async (query: Readonly<Record<string, string>>, by = ines) => by.get(`/api/point-in-time?${new URLSearchParams({ at: portal.now().toISOString(), ...query }).toString()}`);
const answer = async (query: Readonly<Record<string, string>>): Promise<PointAnswer> => {
  const asked = await ask(query);
  expect(asked.status, JSON.stringify(asked.body)).toBe(200);
  return asked.body as PointAnswer;
};
const of = (name: string, rows: PointAnswer['could']['rows']) => rows.filter(({ principal }) => principal.name === name).map(({ way, certainty }) => `${way} ${certainty}`);
const buildGroup = async (): Promise<string> => {
  const { groups } = await portal.emulator.state(['groups']) as { groups: { id: string; displayName: string }[] };
  return groups.find(({ displayName }) => /^Build.*-SecureAccess$/.test(displayName))?.id ?? '';
};

test('who may activate could reach it; who has activated did, until it ended; and what was known before stays as it was', async () => {
  const groupId = await buildGroup();
  const group = `group:${groupId}`;
  const before = portal.now().toISOString();
  const first = await answer({ to: HOST });
  expect(first.paths).toMatchObject([{ group: { id: groupId }, application: { name: 'Build servers', assignmentRequired: true }, certainty: 'observed', policy: { signIn: 'none', requireJustification: true } }]);
  expect(of('Ana Costa', first.could.rows)).toEqual(['eligible observed']);
  expect(of('Ana Costa', first.had.rows)).toEqual([]);
  const frozen = JSON.stringify(await answer({ to: HOST, at: before, known: before }));

  const ana = await portal.as(ANA);
  expect((await ana.post('/api/access/activations', { groupId, minutes: 30, justification: 'Month-end close' })).status).toBe(201);
  await portal.advance('PT2M');
  await know();
  const during = portal.now().toISOString();
  const running = await answer({ to: HOST });
  expect(of('Ana Costa', running.had.rows)).toEqual(['activated observed']);
  expect(of('Ana Costa', running.could.rows)).toEqual(['activated observed', 'eligible observed']);
  const [row] = running.had.rows.filter(({ way }) => way === 'activated');
  const [evidence] = row?.evidence ?? [];
  expect((await ines.get(`/api/history/events/${encodeURIComponent(evidence?.id ?? '')}`)).body.event).toMatchObject({ kind: 'activated' });
  expect((await ines.get(`/api/history/activations/${row?.requestId ?? ''}`)).body.activation).toMatchObject({ principalName: 'Ana Costa' });

  await portal.advance('PT40M');
  await portal.advance('PT1M');
  await know();
  expect(of('Ana Costa', (await answer({ to: group })).had.rows)).toEqual([]);
  expect(of('Ana Costa', (await answer({ to: group, at: during })).had.rows)).toEqual(['activated observed']);
  expect(JSON.stringify(await answer({ to: HOST, at: before, known: before }))).toBe(frozen);
  // Of what happened afterwards nothing was known then.
  expect((await ask({ to: HOST, at: during, known: before })).body).toMatchObject({ code: 'invalid-request', issues: [{ path: 'query.at' }] });
}, 20_000);

test('somebody who was put in behind PIM’s back is found after the log tells of it, and dated by it', async () => {
  const groupId = await buildGroup();
  const { users } = await portal.emulator.state(['users']) as { users: { id: string; userPrincipalName: string }[] };
  const maya = users.find(({ userPrincipalName }) => userPrincipalName === MAYA)?.id ?? '';
  await portal.advance('PT1M');
  const before = portal.now().toISOString();
  await portal.advance('PT1M');
  const erik = await otherAdmin(portal.emulator.url);
  await erik.graph('POST', `/v1.0/groups/${groupId}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${maya}` });
  await portal.advance('PT5M');
  await know();
  expect(of('Maya Lindqvist', (await answer({ to: `group:${groupId}` })).had.rows)).toEqual(['standing observed']);
  expect(of('Maya Lindqvist', (await answer({ to: `group:${groupId}`, at: before })).had.rows)).toEqual([]);
});

test('is the auditor’s alone, asks nothing of Graph, and is on record each time', async () => {
  await portal.emulator.clearJournal();
  for (const upn of [BEN, MAYA]) {
    const other = await portal.as(upn);
    for (const path of [`/api/point-in-time?to=${HOST}&at=${portal.now().toISOString()}`, '/api/point-in-time/targets']) expect((await other.get(path)).status, `${upn} ${path}`).toBe(403);
  }
  const recorded = async () => ((await ines.get('/api/history/events?kind=portal-export&limit=200')).body.events as { activity: string }[]).filter(({ activity }) => activity === 'history.point-in-time-read').length;
  const count = await recorded();
  const page = await answer({ to: HOST, limit: '1' });
  expect([page.could.rows.length, page.could.total > 1, page.nextCursor !== null]).toEqual([1, true, true]);
  await answer({ to: HOST, limit: '1', cursor: page.nextCursor ?? '' });
  expect(await recorded()).toBe(count + 2);
  const { applications, groups } = (await ines.get('/api/point-in-time/targets')).body as { applications: { name: string }[]; groups: { name: string }[] };
  expect([applications.map(({ name }) => name), groups.length]).toEqual([expect.arrayContaining(['Build servers', 'Quick Access']), 6]);
  expect(await portal.emulator.journal()).toEqual([]);
});

test('the pages of an answer are of one knowledge, and hold each line once', async () => {
  const whole = await answer({ to: HOST });
  const rows: PointAnswer['could']['rows'] = [];
  let cursor: string | null | undefined;
  do {
    const page: PointAnswer = await answer({ to: HOST, at: whole.at, limit: '2', ...(cursor && { cursor }) });
    rows.push(...page.could.rows);
    cursor = page.nextCursor;
    await portal.advance('PT1S');
  } while (cursor !== null);
  expect(rows).toEqual(whole.could.rows);
});

test.each([
  [{ to: '*.corp.contoso.example' }, 'query.to'], [{ to: 'group:finance' }, 'query.to'], [{ at: '2999-01-01T00:00:00Z' }, 'query.at'], [{ at: '2027-01-01T00:00:00Z' }, 'query.at'],
  [{ known: '2027-01-01T00:00:00Z' }, 'query.known'], [{ cursor: 'WzEsMl0' }, 'query.cursor'], ...['0000-01-01T00:00:00.000000Z', '2026-02-30T00:00:00.000000Z'].map((knownAt): [object, string] => [{ cursor: Buffer.from(JSON.stringify([knownAt, 1])).toString('base64url') }, 'query.cursor']), [{ limit: '501' }, 'query.limit'], [{ to: '' }, 'query.to'],
])('what cannot be answered is refused at its field: %o', async (wrong, field) => {
  const { status, body } = await ask({ to: HOST, ...wrong });
  expect([status, (body as { issues?: { path: string }[] }).issues?.[0]?.path]).toEqual([400, field]);
});

test('of what was never there the answer is that nothing is known of it', async () => {
  const nothing = await answer({ to: 'group:00000000-0000-4000-8000-000000000000' });
  expect(nothing).toMatchObject({ could: { total: 0 }, had: { total: 0 }, coverage: { groups: [{ from: null, readThen: false }] } });
});
