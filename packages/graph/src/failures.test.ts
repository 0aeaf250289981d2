import { describe, expect, test } from 'vitest';
import { failureOf, retryAfterMs } from './failures.ts';

const refused = (status: number, code: string | undefined, message = 'no', headers: Record<string, string> = {}) =>
  failureOf({
    method: 'POST',
    path: '/x',
    status,
    headers: new Headers({ 'request-id': 'r-1', ...headers }),
    text: code === undefined ? '<html>gateway</html>' : JSON.stringify({ error: { code, message, innerError: null } }),
  });

const base64url = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

describe('a refusal is named in the portal’s words', () => {
  test.each([
    [400, 'RoleAssignmentExists', 'conflict'],
    [400, 'PendingRoleAssignmentRequest', 'conflict'],
    [400, 'RoleAssignmentDoesNotExist', 'conflict'],
    [400, 'ActiveDurationTooShort', 'conflict'],
    [400, 'MfaAndAcrsConflict', 'conflict'],
    [400, 'ResourceIsLocked', 'conflict'],
    [409, 'Whatever', 'conflict'],
    [404, 'ResourceNotFound', 'not-found'],
    [404, 'Request_ResourceNotFound', 'not-found'],
    [400, 'SubjectNotFound', 'not-found'],
    [404, undefined, 'not-found'],
    [401, 'InvalidAuthenticationToken', 'not-signed-in'],
    [403, 'Authorization_RequestDenied', 'forbidden'],
    [400, 'AadPremiumLicenseRequired', 'forbidden'],
    [403, undefined, 'forbidden'],
    [429, 'TooManyRequests', 'throttled'],
    [500, 'InternalServerError', 'unavailable'],
    [502, undefined, 'unavailable'],
    [503, 'ServiceUnavailable', 'unavailable'],
    [504, undefined, 'unavailable'],
    [400, 'InvalidRoleAssignmentRequest', 'unexpected'],
    [400, 'InvalidPolicy', 'unexpected'],
    [400, 'Request_UnsupportedQuery', 'unexpected'],
    [302, undefined, 'unexpected'],
    [418, undefined, 'unexpected'],
  ] as const)('%i %s is %s', (status, code, failure) => {
    const error = refused(status, code);
    expect(error.failure).toBe(failure);
    expect(error.details).toMatchObject({ status, code, requestId: 'r-1' });
  });

  test('an object that is there already is a conflict, though Graph calls it a bad request', () => {
    expect(refused(400, 'Request_BadRequest', "One or more added object references already exist for the following modified properties: 'members'.").failure).toBe('conflict');
    expect(refused(400, 'Request_BadRequest', 'Permission being assigned already exists on the object').failure).toBe('conflict');
    expect(refused(400, 'Request_BadRequest', 'Value for ArmUniqueName cannot be updated').failure).toBe('unexpected');
  });

  test('the policy’s rules are read from the message', () => {
    const error = refused(400, 'RoleAssignmentRequestPolicyValidationFailed', 'The following policy rules failed: ["ExpirationRule","MfaRule"]');
    expect(error).toMatchObject({ failure: 'policy', details: { failedRules: ['ExpirationRule', 'MfaRule'] } });
    expect(refused(400, 'RoleAssignmentRequestPolicyValidationFailed', 'The following policy rules failed: [oops]')).toMatchObject({ failure: 'policy', details: { failedRules: [] } });
  });

  test('a missing second factor alone asks for one', () => {
    const error = refused(400, 'RoleAssignmentRequestPolicyValidationFailed', 'The following policy rules failed: ["MfaRule"]');
    expect(error).toMatchObject({ failure: 'step-up-needed', details: { claims: '{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}' } });
  });

  test('an authentication context asks for the claims in the message', () => {
    const message = '&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D';
    expect(refused(400, 'RoleAssignmentRequestAcrsValidationFailed', message)).toMatchObject({
      failure: 'step-up-needed',
      details: { claims: '{"access_token":{"acrs":{"essential":true, "value":"c1"}}}' },
    });
    for (const broken of ['no claims at all', '&claims=%7B%2', '&claims=%22text%22']) {
      expect(refused(400, 'RoleAssignmentRequestAcrsValidationFailed', broken).failure).toBe('unexpected');
    }
  });

  test('insufficient_claims asks for the claims in the header', () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"},"käse":{"a":"??>>"}}}';
    for (const encoded of [base64url(claims), btoa('{"access_token":{}}')]) {
      const error = refused(401, 'InvalidAuthenticationToken', 'no', { 'www-authenticate': `Bearer realm="", error="insufficient_claims", claims="${encoded}"` });
      expect(error.failure).toBe('step-up-needed');
    }
    expect(refused(401, 'x', 'no', { 'www-authenticate': `Bearer error="insufficient_claims", claims="${base64url(claims)}"` }).details.claims).toBe(claims);
    expect(refused(401, 'x', 'no', { 'www-authenticate': 'Bearer error="insufficient_claims", claims="%%%"' }).failure).toBe('not-signed-in');
    expect(refused(401, 'x', 'no', { 'www-authenticate': 'Bearer error="invalid_token"' }).failure).toBe('not-signed-in');
  });
});

test.each([
  [{ 'retry-after': '10' }, 10_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': 'Mon, 02 Mar 2026 12:00:07 GMT', date: 'Mon, 02 Mar 2026 12:00:00 GMT' }, 7_000],
  [{ 'retry-after': 'Mon, 02 Mar 2026 11:00:00 GMT', date: 'Mon, 02 Mar 2026 12:00:00 GMT' }, 0],
  [{ 'retry-after': 'Mon, 02 Mar 2026 12:00:07 GMT' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
])('Retry-After %o is %s ms', (headers, expected) => {
  expect(retryAfterMs(new Headers(headers as Record<string, string>))).toBe(expected);
});
