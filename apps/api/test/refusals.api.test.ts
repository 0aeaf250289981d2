import { PROBLEMS, type ProblemCode } from '@gatehouse/contracts';
import { REFUSALS, type GraphFailure, type KnownRefusal } from '@gatehouse/graph';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MAYA, startPortal, type Client, type TestPortal } from '../src/testing.ts';

/** What the portal tells of every refusal of the catalogue, where no feature says it better. That the tenant gives them is packages/graph/test/refusals.contract.test.ts. */
let portal: TestPortal;
let maya: Client;
beforeAll(async () => {
  portal = await startPortal();
  maya = await portal.as(MAYA);
});
afterEach(async () => { await portal.emulator.faults([]); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

const TOLD_AS: Record<GraphFailure, ProblemCode> = {
  'throttled': 'directory-busy', 'unavailable': 'directory-unavailable', 'forbidden': 'directory-forbidden', 'not-signed-in': 'not-signed-in', 'not-found': 'not-found', 'conflict': 'conflict', 'policy': 'directory-refused',
  'step-up-needed': 'step-up-required', 'unexpected': 'directory-unexpected',
};
const STATUS: Partial<Record<GraphFailure, number>> = { 'forbidden': 403, 'not-found': 404, 'not-signed-in': 401, 'throttled': 429 };

function messageOf({ code, about }: KnownRefusal): string {
  if (code === 'RoleAssignmentRequestPolicyValidationFailed') return `The following policy rules failed: ${JSON.stringify(about === undefined ? [] : [about])}`;
  if (code === 'RoleAssignmentRequestAcrsValidationFailed') return `&claims=${encodeURIComponent('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}')}`;
  return about === undefined ? 'No.' : `One or more added object references ${about} for the following modified properties: 'members'.`;
}

describe('the portal says of', () => {
  test.each(REFUSALS.map((one) => [`${one.code}${one.about === undefined ? '' : ` (${one.about})`}`, one] as const))('%s', async (_name, refusal) => {
    const { code, failure, sentence, mend } = refusal;
    await portal.emulator.faults([{ match: { method: 'GET', path: '/v1.0/groups' }, times: null, fault: { kind: 'status', status: STATUS[failure] ?? 400, code, message: messageOf(refusal), ...(failure === 'throttled' && { retryAfter: 7 }) } }]);
    const { status, body } = await maya.get('/api/directory/groups?text=fin');
    const told = TOLD_AS[failure];
    expect(body).toMatchObject({ code: told, status: PROBLEMS[told].status, title: PROBLEMS[told].title });
    expect(status).toBe(PROBLEMS[told].status);
    // The sentence and the mend, and nothing of Graph's own words.
    expect(body.detail).toBe(`${sentence} ${mend}`);
    expect(JSON.stringify(body)).not.toContain(messageOf(refusal).slice(0, 20));
    expect(typeof body.signInUrl).toBe(failure === 'step-up-needed' ? 'string' : 'undefined');
    expect(body.retryAfterSeconds).toBe(failure === 'throttled' ? 7 : undefined);
  });

  test('a refusal that nobody knows: that it is not known, and nothing more', async () => {
    await portal.emulator.faults([{ match: { method: 'GET', path: '/v1.0/groups' }, times: null, fault: { kind: 'status', status: 400, code: 'BrandNewRefusal', message: 'Something that is new.' } }]);
    const { status, body } = await maya.get('/api/directory/groups?text=fin');
    expect([status, body.code]).toEqual([502, 'directory-unexpected']);
    expect(body.detail).toBe('Microsoft Entra answered in a way that we do not know. Nothing is shown as done that is not.');
  });
});
