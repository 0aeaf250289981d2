import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANA, BEN, startPortal, type Client, type TestPortal } from '../../testing.ts';

let portal: TestPortal;
let ana: Client;
let ben: Client;
const groups: Record<string, string> = {};

beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
  [ana, ben] = [await portal.as(ANA), await portal.as(BEN)];
  for (const client of [ana, ben]) for (const { groupName, groupId } of (await client.get('/api/access')).body.entries) groups[groupName.split('-')[0]] = groupId;
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });
beforeEach(async () => { await portal.emulator.clearJournal(); });

const WHY = 'Month-end close, INC-4711';
const group = (name: string): string => groups[name] ?? '';
const many = (client: Client, names: readonly string[], more: object = {}) => client.post('/api/access/activations/many', { items: names.map((name) => ({ groupId: group(name), minutes: 30 })), justification: WHY, ...more });
const outcomes = (body: { items: { groupId: string; outcome: string }[] }) => body.items.map(({ groupId, outcome }) => [Object.keys(groups).find((name) => groups[name] === groupId), outcome]);
/** Groups that Graph was asked to activate, and its answers; what only asks whether is told apart. */
const posts = async () => (await portal.emulator.journal()).filter(({ method, url }) => method === 'POST' && url.endsWith('/assignmentScheduleRequests'))
  .map(({ body, status }) => { const { groupId, isValidationOnly } = body as { groupId: string; isValidationOnly: boolean }; return [Object.keys(groups).find((name) => groups[name] === groupId), status, isValidationOnly]; });

test('whether an activation would be granted is Entra’s word, and changes nothing', async () => {
  const check = async (client: Client, name: string, more: object = {}) => (await client.post('/api/access/activations/check', { groupId: group(name), minutes: 30, justification: WHY, ...more })).body;
  expect(await check(ana, 'Build')).toEqual({ verdict: 'would-activate', issues: [], checkedAt: portal.now().toISOString() });
  expect(await check(ana, 'Payroll')).toMatchObject({ verdict: 'would-wait-for-approval' });
  expect(await check(ana, 'HRArchive')).toMatchObject({ verdict: 'would-refuse', issues: [{ path: 'body.ticket', message: 'The role settings ask for a ticket.' }] });
  expect(await check(ana, 'Build', { minutes: 24 * 60, justification: '' })).toMatchObject({ verdict: 'would-refuse', issues: [{ path: 'body.minutes' }, { path: 'body.justification' }] });
  expect(await check(ana, 'JumpHost')).toMatchObject({ verdict: expect.stringMatching(/would-refuse|would-ask-to-verify/) });
  expect(await check(ben, 'JumpHost')).toMatchObject({ verdict: 'would-ask-to-verify' });
  expect((await posts()).every(([, , isValidationOnly]) => isValidationOnly === true)).toBe(true);
  expect((await portal.emulator.journal()).filter(({ effect }) => effect)).toEqual([]);
  expect(await portal.db.prisma.accessRequest.count()).toBe(0);
  expect((await ana.get('/api/access')).body.entries.map(({ request }: { request: unknown }) => request)).toEqual([null, null, null]);
});

test('several are asked for with one reason; what goes wrong with one stops no other, and what runs is skipped', async () => {
  const first = await many(ana, ['HRArchive', 'Build', 'Payroll']);
  expect(first.status, JSON.stringify(first.body)).toBe(200);
  expect(outcomes(first.body)).toEqual([['HRArchive', 'refused'], ['Build', 'asked'], ['Payroll', 'asked']]);
  expect(first.body.items).toMatchObject([{ request: null, reason: 'This access asks for a ticket: give its number.' }, { request: { justification: WHY, state: 'provisioning' }, reason: null }, { request: { state: 'awaiting-approval' } }]);
  await portal.advance('PT10S');
  await portal.emulator.clearJournal();

  const again = await many(ana, ['HRArchive', 'Build', 'Payroll'], { ticket: { number: 'INC-4711' } });
  expect(outcomes(again.body)).toEqual([['HRArchive', 'asked'], ['Build', 'skipped'], ['Payroll', 'skipped']]);
  expect(again.body.items).toMatchObject([{}, { reason: expect.stringContaining('You have this access already') }, { reason: 'You asked for this access already: it waits for approval.' }]);
  expect(await posts()).toEqual([['HRArchive', 201, false]]);
});

test('who has to verify does so once, before anything is asked for', async () => {
  const first = await many(ben, ['Build', 'JumpHost']);
  expect([first.status, first.body.code]).toEqual([401, 'step-up-required']);
  expect(await posts()).toEqual([]);
  await ben.stepUp(first.body.signInUrl, BEN);
  expect(outcomes((await many(ben, ['Build', 'JumpHost'])).body)).toEqual([['Build', 'asked'], ['JumpHost', 'asked']]);
  expect((await posts()).toSorted()).toEqual([['Build', 201, false], ['JumpHost', 201, false]]);
});

test('two clicks at once ask for each once', async () => {
  await portal.advance('PT2H');
  await portal.product.tasks.settleRequests();
  await portal.emulator.clearJournal();
  const answers = await Promise.all([many(ana, ['Build']), many(await portal.onReplica(ANA), ['Build'])]);
  expect(answers.flatMap(({ body }) => outcomes(body)).toSorted()).toEqual([['Build', 'asked'], ['Build', 'skipped']]);
  expect(await posts()).toEqual([['Build', 201, false]]);
});

test('an answer that is lost is neither a success nor a refusal, and the others go on', async () => {
  await portal.advance('PT2H');
  await portal.product.tasks.settleRequests();
  await portal.emulator.faults([{ match: { method: 'POST', path: '**/assignmentScheduleRequests' }, times: null, fault: { kind: 'status', status: 503 } }]);
  const { body } = await many(ana, ['Build', 'HRArchive']);
  await portal.emulator.faults([]);
  expect(outcomes(body)).toEqual([['Build', 'unknown'], ['HRArchive', expect.stringMatching(/refused|skipped|unknown/)]]);
});

test('the same one twice, none, or too many is no request', async () => {
  expect((await many(ana, ['Build', 'Build'])).status).toBe(400);
  expect((await many(ana, [])).status).toBe(400);
});
