import { describe, expect, test } from 'vitest';
import { failureOf } from './failures.ts';
import { knownRefusal, REFUSALS } from './refusals.ts';

const CLAIMS = encodeURIComponent('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}');
/** The message in which Graph says what the code leaves open. */
const messageOf = (code: string, about: string | undefined): string => {
  if (code === 'RoleAssignmentRequestPolicyValidationFailed') return `The following policy rules failed: ${JSON.stringify(about === undefined ? [] : [about])}`;
  if (code === 'RoleAssignmentRequestAcrsValidationFailed') return `&claims=${CLAIMS}`;
  return about === undefined ? 'No.' : `One or more added object references ${about} for the following modified properties: 'members'.`;
};

describe('every refusal of the catalogue', () => {
  test.each(REFUSALS.map((one) => [`${one.code} ${one.about ?? ''}`, one] as const))('%s is what it says', (_name, { code, about, failure }) => {
    const status = { 'forbidden': 403, 'not-found': 404, 'not-signed-in': 401, 'throttled': 429 }[failure as string] ?? 400;
    const refusal = failureOf({ method: 'POST', path: '/x', status, headers: new Headers(), text: JSON.stringify({ error: { code, message: messageOf(code, about) } }) });
    expect(refusal.failure).toBe(failure);
    expect(knownRefusal(code, about)).toMatchObject({ code, failure });
  });
});

test('a code that nobody knows is in no catalogue, and a rule that nobody knows is told as its code', () => {
  expect(knownRefusal('SomethingNew')).toBeUndefined();
  expect(knownRefusal(undefined)).toBeUndefined();
  expect(knownRefusal('RoleAssignmentRequestPolicyValidationFailed', 'NewRule')?.sentence).toBe('The role settings of the group do not allow it.');
});
