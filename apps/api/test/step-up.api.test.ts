import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OMAR, startPortal, type Client, type TestPortal } from '../src/testing.ts';

/** A group whose role settings ask for an authentication context: what the person is sent to prove, and when. */
let portal: TestPortal;
let omar: Client;
let groupId: string;

beforeEach(async () => {
  portal = await startPortal();
  const { groups, pim } = await portal.emulator.state();
  const policy = pim.policies.find(({ accessId, rules }: { accessId: string; rules: { id: string; isEnabled?: boolean }[] }) => accessId === 'member' && rules.some((rule) => rule.id === 'AuthenticationContext_EndUser_Assignment' && rule.isEnabled === true));
  groupId = policy.groupId;
  expect(groups.some(({ id }: { id: string }) => id === groupId)).toBe(true);
  omar = await portal.as(OMAR);
});
afterEach(() => portal[Symbol.asyncDispose]());

const ask = () => omar.post('/api/access/activations', { groupId, minutes: 30, justification: 'Month-end close' });
const posts = async (): Promise<number[]> => (await portal.emulator.journal()).filter(({ method, url }) => method === 'POST' && url.endsWith('/assignmentScheduleRequests')).map(({ status }) => status);

describe('a stronger sign-in', () => {
  test('that the policy is known to ask for is asked for at once: Entra is not made to refuse', async () => {
    await portal.syncNow();
    const first = await ask();
    expect([first.status, first.body.code]).toEqual([401, 'step-up-required']);
    expect(await posts()).toEqual([]);
    await omar.stepUp(first.body.signInUrl, OMAR);
    const second = await ask();
    expect([second.status, second.body.state], JSON.stringify(second.body)).toEqual([201, 'provisioning']);
    expect(await posts()).toEqual([201]);
  });

  test('that the sign-in has proved already is not asked for again', async () => {
    await portal.syncNow();
    await omar.stepUp((await ask()).body.signInUrl, OMAR);
    const { body } = await ask();
    await portal.advance('PT10M');
    expect((await omar.post('/api/access/deactivations', { groupId })).status, JSON.stringify(body)).toBe(200);
    await portal.advance('PT1M');
    expect((await ask()).status).toBe(201);
  });

  test('that nobody knew of is what Entra demands, and asked for then', async () => {
    // No pass of the mirror yet: what the group asks for is not known.
    const first = await ask();
    expect([first.status, first.body.code]).toEqual([401, 'step-up-required']);
    expect(await posts()).toEqual([400]);
    await omar.stepUp(first.body.signInUrl, OMAR);
    expect((await ask()).status).toBe(201);
    expect(await posts()).toEqual([400, 201]);
  });

  test('leaves the wish on record as a step on the way, and no failure of anybody', async () => {
    await portal.syncNow();
    await ask();
    const events = await portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', kind: 'portal-access' } });
    // Both may happen in the same instant of a standing clock: their order is not on record then.
    expect(events.map(({ activity, result }) => `${activity} ${result}`).toSorted()).toEqual(['activation.requested other', 'activation.step-up-asked other']);
  });
});
