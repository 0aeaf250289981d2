import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PUBLISHED_THROTTLING } from './throttling.ts';
import { MAYA, startTenant, type Send, type TestTenant } from './testing.ts';

let tenant: TestTenant;
beforeEach(async () => { tenant = await startTenant({ throttling: PUBLISHED_THROTTLING }); });
afterEach(() => tenant[Symbol.asyncDispose]());

const AUDITS = '/v1.0/auditLogs/directoryAudits?$top=1';
const statuses = async (send: Send, path: string, times: number): Promise<number[]> => {
  const all = [];
  for (let count = 0; count < times; count += 1) all.push((await send('GET', path)).status);
  return all;
};

describe('throttling', () => {
  test('audit reports: five in any ten seconds, and the refusal says when', async () => {
    const app = await tenant.asApp();
    expect(await statuses(app, AUDITS, 3)).toEqual([200, 200, 200]);
    await tenant.advance('PT4S');
    expect(await statuses(app, AUDITS, 2)).toEqual([200, 200]);
    const refused = await app('GET', AUDITS);
    expect([refused.status, refused.body.error.code, refused.headers.get('retry-after')]).toEqual([429, 'TooManyRequests', '6']);
    expect(refused.headers.get('x-ms-throttle-scope')).toBe(`Tenant_Application/Read/${tenant.registration.clientId}/${tenant.registration.tenantId}`);
    expect(refused.headers.get('x-ms-throttle-information')).toBe('ResourceUnitLimitExceeded');
    await tenant.advance('PT5S');
    // What was refused counts too: asking again too soon does not help.
    expect(await statuses(app, AUDITS, 1)).toEqual([429]);
    await tenant.advance('PT10S');
    expect(await statuses(app, AUDITS, 1)).toEqual([200]);
  });

  test('Conditional Access: one a second, without a word about when', async () => {
    const maya = await tenant.as(MAYA, 'AuthenticationContext.Read.All');
    const path = '/v1.0/identity/conditionalAccess/authenticationContextClassReferences';
    expect(await statuses(maya, path, 1)).toEqual([200]);
    const refused = await maya('GET', path);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null]);
    await tenant.advance('PT1S');
    expect(await statuses(maya, path, 1)).toEqual([200]);
  });

  test('the directory counts resource units, says what a call cost, and warns from eight tenths on', async () => {
    await set({ throttling: { directory: { units: 10, windowMs: 10_000, retryAfter: true } } });
    const maya = await tenant.as(MAYA, 'User.ReadBasic.All');
    const first = await maya('GET', '/v1.0/users');
    expect([first.headers.get('x-ms-resource-unit'), first.headers.get('x-ms-throttle-limit-percentage')]).toEqual(['2', null]);
    expect((await maya('GET', '/v1.0/users?$select=id&$top=5')).headers.get('x-ms-resource-unit')).toBe('1');
    await statuses(maya, '/v1.0/users', 2);
    const last = await maya('GET', '/v1.0/users');
    expect([last.status, last.headers.get('x-ms-throttle-limit-percentage')]).toEqual([200, '0.9']);
    expect((await maya('GET', '/v1.0/users')).status).toBe(429);
  });

  test('a call of a batch is throttled by itself', async () => {
    const app = await tenant.asApp();
    const { body } = await app('POST', '/v1.0/$batch', { requests: Array.from({ length: 6 }, (_, index) => ({ id: String(index), method: 'GET', url: '/auditLogs/directoryAudits?$top=1' })) });
    expect(body.responses.map(({ id, status, headers }: { id: string; status: number; headers: Record<string, string> }) => [id, status, headers['Retry-After']]).toReversed().slice(4)).toEqual([['4', 200, undefined], ['5', 429, '10']]);
  });

  test('limits are set while it runs, and what is not one is refused', async () => {
    expect((await set({ throttling: null })).status).toBe(200);
    expect(new Set(await statuses(await tenant.asApp(), AUDITS, 12))).toEqual(new Set([200]));
    for (const wrong of [{ throttling: { audit: {} } }, { throttling: { pim: { units: 0, windowMs: 1, retryAfter: true } } }, { delays: { provisioning: -1 } }, { delays: { auditVisible: { min: 5, max: 1 } } }, { pace: 'slow' }]) {
      expect((await set(wrong)).status).toBe(400);
    }
  });
});

const set = async (wish: unknown): Promise<Response> => fetch(`${tenant.url}/_emulator/settings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) });
