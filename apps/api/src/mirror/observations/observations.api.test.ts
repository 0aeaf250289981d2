import { afterAll, beforeAll, expect, test } from 'vitest';
import { otherAdmin, type OtherAdmin } from '../../../../../testing/out-of-band.ts';
import { startPortal, type TestPortal } from '../../testing.ts';

const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const SCHEDULES = ['eligibility-schedule', 'assignment-schedule', 'eligibility-request', 'assignment-request'];
let portal: TestPortal;
let erik: OtherAdmin;
let groupId: string;
let benId: string;
beforeAll(async () => {
  portal = await startPortal();
  erik = await otherAdmin(portal.emulator.url);
  const { groups, users } = await portal.emulator.state();
  groupId = groups.find(({ displayName }: { displayName: string }) => displayName === 'Build-Engineer-SecureAccess').id;
  benId = users.find(({ displayName }: { displayName: string }) => displayName === 'Ben Novak').id;
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

interface Row { readonly kind: string; readonly thing: string; readonly state: string | null; readonly basis: string }
let kept = 0;
/** Schedules and requests that the log has got since the last time. */
async function news(): Promise<Row[]> {
  const { rows } = await portal.db.pool.query<Row>('SELECT kind, thing, state, basis FROM observation WHERE tenant_id = $1 AND kind = ANY ($2) ORDER BY batch_id, ordinal', [portal.tenantId, SCHEDULES]);
  return rows.slice(kept, kept = rows.length);
}
const words = (rows: readonly Row[]): string[] => rows.map(({ kind, state }) => `${kind}${state === null ? ' gone' : ''}`).sort();
/** Calls of PIM's lists since the last time, as list and group. */
async function asked(): Promise<string[]> {
  const journal = await portal.emulator.journal();
  await portal.emulator.clearJournal();
  return journal.flatMap(({ method, url }) => {
    const [, list = '', group = ''] = /\/privilegedAccess\/group\/(\w+)\?.*groupId(?:%20|\+| )eq(?:%20|\+| )(?:%27|')([0-9a-f-]+)/.exec(url) ?? [];
    return method === 'GET' && list !== '' ? [`${list} ${group}`] : [];
  });
}

test('what Entra lists of schedules and requests is on record, of every group that PIM manages, once', async () => {
  await portal.syncNow();
  const { groups, pim } = await portal.emulator.state();
  const managed = groups.filter(({ onboardedToPimAt }: { onboardedToPimAt: string | null }) => onboardedToPimAt !== null);
  const calls = await asked();
  expect([calls.length, new Set(calls).size], 'six lists of each').toEqual([6 * managed.length, 6 * managed.length]);
  const seen = await news();
  const things = [...pim.schedules, ...pim.requests.filter(({ isValidationOnly }: { isValidationOnly: boolean }) => !isValidationOnly)];
  expect(seen.map(({ thing }) => thing).sort()).toEqual(things.map(({ groupId: group, principalId, id }: { groupId: string; principalId: string; id: string }) => `${group}/${principalId}/${id}`).sort());
  expect(new Set(seen.map(({ kind }) => kind))).toEqual(new Set(['eligibility-schedule', 'eligibility-request', 'assignment-request']));
});

test('what another administrator gives and takes away past the portal is read of that group alone, and told', async () => {
  const give = { accessId: 'member', principalId: benId, groupId, action: 'adminAssign', justification: 'Cover', scheduleInfo: { startDateTime: portal.now().toISOString(), expiration: { type: 'afterDuration', duration: 'P5D' } } };
  await erik.graph('POST', `${PIM}/assignmentScheduleRequests`, give);
  await portal.advance('PT10M');
  await asked();
  await portal.syncNow();
  expect(new Set((await asked()).map((call) => call.split(' ')[1]))).toEqual(new Set([groupId]));
  const given = await news();
  expect(words(given)).toEqual(['assignment-request', 'assignment-schedule']);
  expect(given.map(({ state }) => JSON.parse(state ?? '') as unknown)).toContainEqual(expect.objectContaining({ action: 'adminAssign', status: 'Provisioned', justification: 'Cover', completedAt: expect.any(String), createdBy: expect.any(String) }));

  await erik.graph('POST', `${PIM}/assignmentScheduleRequests`, { ...give, action: 'adminRemove', scheduleInfo: undefined });
  await portal.advance('PT10M');
  await portal.syncNow();
  expect(words(await news())).toEqual(['assignment-request', 'assignment-schedule gone']);
});

test('a day later all are read again and nothing is written anew; what Entra has forgotten is told', async () => {
  await portal.advance('P1D');
  await asked();
  await portal.syncNow();
  expect(new Set(await asked()).size % 6).toBe(0);
  expect(await news()).toEqual([]);
  await portal.emulator.settings({ delays: { requestForgotten: 0 } });
  await portal.advance('P1DT1M');
  await portal.syncNow();
  expect(new Set(words(await news()))).toEqual(new Set(['assignment-request gone', 'eligibility-request gone']));
});
