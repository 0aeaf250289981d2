import { SignJWT, decodeJwt, generateKeyPair } from 'jose';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANA, MAYA, startTenant, type Answer, type TestTenant } from '../testing.ts';

const INES = 'ines.moreau@contoso.example';
const DENIED = [403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'];
const ME = '/v1.0/me';

let tenant: TestTenant;
beforeEach(async () => { tenant = await startTenant(); });
afterEach(async () => {
  vi.useRealTimers();
  await tenant[Symbol.asyncDispose]();
});

const refusal = ({ status, body }: Answer) => [status, body?.error?.code, body?.error?.message];
const tokenOf = async (upn: string, scope: string): Promise<string> => (await tenant.redeem(upn, { scope: `openid profile offline_access ${scope}` })).body.access_token;

describe('a token', () => {
  const EMPTY = 'Access token is empty.';
  const INVALID = 'Access token validation failure.';
  test.each<[string, () => Promise<Record<string, string>>, string]>([
    ['that is absent', async () => ({}), EMPTY],
    ['of another scheme', async () => ({ authorization: 'Basic bWF5YTpzZWNyZXQ=' }), EMPTY],
    ['that is not one', async () => ({ authorization: 'Bearer garbage' }), INVALID],
    ['for another audience', async () => ({ authorization: `Bearer ${(await tenant.redeem(ANA)).body.id_token}` }), INVALID],
    ['whose claims were changed', async () => {
      const [head, , signature] = (await tokenOf(ANA, 'User.Read')).split('.');
      const claims = { ...decodeJwt(await tokenOf(ANA, 'User.Read')), scp: 'User.Read Directory.ReadWrite.All' };
      return { authorization: `Bearer ${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}` };
    }, INVALID],
    ['that is not signed', async () => {
      const claims = Buffer.from(JSON.stringify(decodeJwt(await tokenOf(ANA, 'User.Read')))).toString('base64url');
      return { authorization: `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.` };
    }, INVALID],
    ['signed by another key', async () => {
      const { privateKey } = await generateKeyPair('RS256');
      return { authorization: `Bearer ${await new SignJWT(decodeJwt(await tokenOf(ANA, 'User.Read'))).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)}` };
    }, INVALID],
    ['of another tenant', async () => {
      await using other = await startTenant();
      return { authorization: `Bearer ${(await other.redeem(ANA)).body.access_token}` };
    }, INVALID],
    ['that has expired', async () => {
      const token = await tokenOf(ANA, 'User.Read');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      return { authorization: `Bearer ${token}` };
    }, 'Lifetime validation failed, the token is expired.'],
  ])('%s is refused', async (_what, headers, message) => {
    expect(refusal(await tenant.graphWith(undefined)('GET', ME, undefined, await headers()))).toEqual([401, 'InvalidAuthenticationToken', message]);
  });
});

describe('a call without the permission is refused', () => {
  test.each([
    ['a person without the scope', ANA, 'User.Read', 'GET', '/v1.0/users'],
    ['a person with the scope to read, who writes', MAYA, 'Directory.Read.All', 'POST', '/v1.0/groups'],
    ['a person with the scope and without the directory role', ANA, 'Group.ReadWrite.All', 'POST', '/v1.0/groups'],
    ['a person of another directory role', INES, 'Group.ReadWrite.All', 'POST', '/v1.0/groups'],
  ])('%s', async (_what, upn, scope, method, path) => {
    const answer = await (await tenant.as(upn, scope))(method, path, method === 'POST' ? { displayName: 'G', mailEnabled: false, mailNickname: 'g', securityEnabled: true } : undefined);
    expect(refusal(answer)).toEqual(DENIED);
    expect((await tenant.state()).groups.some(({ displayName }: { displayName: string }) => displayName === 'G')).toBe(false);
  });

  test.each([
    ['that it was not given', 'POST', '/v1.0/groups', { displayName: 'G' }],
    ['of a call that is for people only', 'GET', "/v1.0/identityGovernance/privilegedAccess/group/assignmentApprovals/filterByCurrentUser(on='approver')", undefined],
    ['of a call about the person', 'GET', ME, undefined],
  ])('the application alone, %s', async (_what, method, path, body) => {
    expect(refusal(await (await tenant.asApp())(method, path, body))).toEqual(DENIED);
  });
});

test('a call that the tenant does not know says so, by its method and address', async () => {
  const ana = await tenant.as(ANA, 'User.Read');
  expect(refusal(await ana('GET', '/v1.0/me/drive'))).toEqual([501, 'NotImplemented', 'The emulated tenant does not know GET /v1.0/me/drive.']);
  expect(refusal(await ana('DELETE', ME))).toEqual([501, 'NotImplemented', 'The emulated tenant does not know DELETE /v1.0/me.']);
  const nowhere = await fetch(`${tenant.url}/v2.0/me`);
  expect([nowhere.status, await nowhere.json()]).toEqual([501, { error: { code: 'NotImplemented', message: 'The emulated tenant does not know GET /v2.0/me.' } }]);
});

test('a query option that the call does not know is refused', async () => {
  expect(refusal(await (await tenant.as(ANA, 'User.Read'))('GET', `${ME}?$filter=x`))).toEqual([400, 'Request_UnsupportedQuery', "Unsupported query option '$filter'."]);
});

test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example:80', 'evil-127.0.0.1', 'evil.localhost', ''])('a call for the host "%s" is refused, whatever it asks', async (host) => {
  const { port } = new URL(tenant.url);
  for (const path of [ME, '/_emulator/registration', '/_signin']) {
    const status = await new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', path, setHost: false, headers: { host } }, (answer) => { answer.resume(); resolve(answer.statusCode); }).on('error', reject).end();
    });
    expect(status, path).toBe(421);
  }
});

describe('the ids of a call', () => {
  test.each([['of the caller', { 'client-request-id': 'the-callers-own' }], ['made by the service', {}]])('%s are the same in the headers and in an error', async (_what, headers) => {
    const { headers: answered, body } = await tenant.graphWith(undefined)('GET', ME, undefined, headers);
    expect(body.error.innerError).toEqual({ date: '2026-03-02T09:00:00', 'request-id': answered.get('request-id'), 'client-request-id': answered.get('client-request-id') });
    if ('client-request-id' in headers) expect(answered.get('client-request-id')).toBe('the-callers-own');
  });

  test('are others with every call, and are also on a good answer', async () => {
    const ana = await tenant.as(ANA, 'User.Read');
    const [one, two] = [await ana('GET', ME), await ana('GET', ME)];
    expect([one.status, one.headers.get('date'), one.headers.get('odata-version')]).toEqual([200, 'Mon, 02 Mar 2026 09:00:00 GMT', '4.0']);
    expect(one.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(one.headers.get('request-id')).not.toBe(two.headers.get('request-id'));
  });

  test('are on a body that cannot be read too, with Graph’s envelope', async () => {
    const { status, headers, body } = await (await tenant.as(MAYA, 'Group.ReadWrite.All'))('POST', '/v1.0/groups', '{"displayName":');
    expect([status, body.error.code, body.error.message]).toEqual([400, 'BadRequest', 'Unable to read JSON request payload.']);
    expect(body.error.innerError).toMatchObject({ 'request-id': headers.get('request-id'), 'client-request-id': headers.get('client-request-id') });
    expect(headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a body', () => {
  test.each<[string, unknown, Record<string, string>]>([
    ['that is absent', undefined, {}],
    ['that is empty', '', {}],
    ['that is no JSON', 'displayName=G', {}],
    ['that is text', '"G"', {}],
    ['that is a number', '1', {}],
    ['that is null', 'null', {}],
    ['that is a list', '[]', {}],
    ['of another type', '{"displayName":"G","mailEnabled":false,"mailNickname":"g","securityEnabled":true}', { 'content-type': 'text/plain' }],
  ])('%s is refused', async (_what, body, headers) => {
    const answer = await (await tenant.as(MAYA, 'Group.ReadWrite.All'))('POST', '/v1.0/groups', body, headers);
    expect([answer.status, answer.body?.error?.innerError !== undefined]).toEqual([400, true]);
  });

  test('of more than the service takes is refused', async () => {
    const answer = await (await tenant.as(MAYA, 'Group.ReadWrite.All'))('POST', '/v1.0/groups', { displayName: 'G'.repeat(5_000_000) });
    expect(answer.status).toBe(413);
  });
});

test('a query option is read whatever its case', async () => {
  const ana = await tenant.as(ANA, 'User.Read');
  expect(Object.keys((await ana('GET', `${ME}?$SELECT=displayName`)).body).filter((name) => !name.startsWith('@'))).toEqual(['displayName']);
});

describe('a batch', () => {
  const BATCH = '/v1.0/$batch';
  const get = (id: string, url = '/me') => ({ id, method: 'GET', url });

  test('answers each of its calls by itself, in the name of the one token', async () => {
    const ana = await tenant.as(ANA, 'User.Read');
    const { status, body } = await ana('POST', BATCH, { requests: [get('a', '/me?$select=displayName'), get('b', '/users'), get('c', 'me/drive'), get('d', "/me?$filter=x")] });
    expect(status).toBe(200);
    expect(body.responses.map(({ id, status: one, body: answer }: { id: string; status: number; body: { displayName?: string; error?: { code: string } } }) => [id, one, answer.displayName ?? answer.error?.code])).toEqual([
      // Not in the order of asking: nobody is to count on it.
      ['d', 400, 'Request_UnsupportedQuery'], ['c', 501, 'NotImplemented'], ['b', 403, 'Authorization_RequestDenied'], ['a', 200, 'Ana Costa'],
    ]);
  });

  test('without a token has 401 for each of its calls', async () => {
    const { body } = await tenant.graphWith(undefined)('POST', BATCH, { requests: [get('a'), get('b')] });
    expect(body.responses.map(({ status }: Answer) => status)).toEqual([401, 401]);
  });

  const send = (id: string, displayName: string | undefined, dependsOn?: string[]) => ({
    id, method: 'POST', url: '/groups', headers: { 'Content-Type': 'application/json' }, ...(dependsOn && { dependsOn }),
    body: { ...(displayName !== undefined && { displayName }), mailEnabled: false, mailNickname: `batched-${id}`, securityEnabled: true },
  });
  const statusesOf = ({ body }: Answer): unknown => Object.fromEntries(body.responses.map(({ id, status }: { id: string; status: number }) => [id, status]));
  const batched = async (): Promise<unknown> => (await tenant.state()).groups.flatMap(({ mailNickname }: { mailNickname: string }) => (mailNickname.startsWith('batched-') ? [mailNickname] : []));

  test('stops where one of a row fails: what depends on it is not done', async () => {
    const maya = await tenant.as(MAYA, 'Group.ReadWrite.All');
    const answer = await maya('POST', BATCH, { requests: [send('1', 'One'), send('2', undefined, ['1']), send('3', 'Three', ['2']), send('4', 'Four', ['3'])] });
    expect(statusesOf(answer)).toEqual({ 1: 201, 2: 400, 3: 424, 4: 424 });
    expect(await batched()).toEqual(['batched-1']);
    expect(answer.body.responses.find(({ id }: { id: string }) => id === '3').body.error.code).toBe('FailedDependency');
  });

  test('goes on where calls do not depend on each other', async () => {
    const maya = await tenant.as(MAYA, 'Group.ReadWrite.All');
    expect(statusesOf(await maya('POST', BATCH, { requests: [send('1', undefined), send('2', 'Two')] }))).toEqual({ 1: 400, 2: 201 });
    expect(await batched()).toEqual(['batched-2']);
  });

  test('refuses a body that does not say what it is', async () => {
    const maya = await tenant.as(MAYA, 'Group.ReadWrite.All');
    expect(statusesOf(await maya('POST', BATCH, { requests: [{ ...send('1', 'One'), headers: {} }] }))).toEqual({ 1: 400 });
    expect(await batched()).toEqual([]);
  });

  test('meets faults and is written down call by call', async () => {
    const ana = await tenant.as(ANA, 'User.Read');
    await fetch(`${tenant.url}/_emulator/journal`, { method: 'DELETE' });
    await tenant.faults([{ match: { path: '/v1.0/me', nth: 2 }, fault: { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: 5 } }]);
    const { body } = await ana('POST', BATCH, { requests: [get('a'), get('b'), get('c')] });
    expect(body.responses.map(({ id, status, headers }: { id: string; status: number; headers: Record<string, string> }) => [id, status, headers['Retry-After']])).toEqual([['c', 200, undefined], ['b', 429, '5'], ['a', 200, undefined]]);
    expect((await tenant.journal()).map(({ method, url, status }) => [method, url, status])).toEqual([['GET', ME, 200], ['GET', ME, 429], ['GET', ME, 200], ['POST', '/v1.0/$batch', 200]]);
  });

  test('changes the tenant', async () => {
    const maya = await tenant.as(MAYA, 'Group.ReadWrite.All');
    const group = { displayName: 'Batched', mailEnabled: false, mailNickname: 'batched', securityEnabled: true };
    const { body } = await maya('POST', BATCH, { requests: [{ id: '1', method: 'POST', url: '/groups', headers: { 'Content-Type': 'application/json' }, body: group }] });
    expect(body.responses[0]).toMatchObject({ id: '1', status: 201, body: { displayName: 'Batched' } });
    expect((await tenant.state()).groups.filter(({ displayName }: { displayName: string }) => displayName === 'Batched')).toHaveLength(1);
  });

  const many = (length: number) => Array.from({ length }, (_, index) => get(String(index)));
  test.each<[string, unknown, number]>([
    ['1 call', { requests: many(1) }, 200],
    ['20 calls', { requests: many(20) }, 200],
    ['21 calls', { requests: many(21) }, 400],
    ['no call', { requests: [] }, 400],
    ['two of one id', { requests: [get('a'), get('a')] }, 400],
    ['a call without an id', { requests: [{ method: 'GET', url: '/me' }] }, 400],
    ['no list', {}, 400],
    ['calls one after the other', { requests: [get('a'), { ...get('b'), dependsOn: ['a'] }, { ...get('c'), dependsOn: ['b'] }] }, 200],
    ['calls that all wait for the first', { requests: [get('a'), { ...get('b'), dependsOn: ['a'] }, { ...get('c'), dependsOn: ['a'] }] }, 200],
    ['calls that wait in another order', { requests: [get('a'), { ...get('b'), dependsOn: ['c'] }, { ...get('c'), dependsOn: ['a'] }] }, 400],
    ['calls of which some wait', { requests: [get('a'), get('b'), { ...get('c'), dependsOn: ['b'] }] }, 400],
    ['a call that waits for itself', { requests: [{ ...get('a'), dependsOn: ['a'] }] }, 400],
    ['a call with a word that is not known', { requests: [{ ...get('a'), after: 'b' }] }, 400],
  ])('of %s', async (_what, body, status) => {
    const answer = await (await tenant.as(ANA, 'User.Read'))('POST', BATCH, body);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(answer.body.error.innerError['request-id']).toBe(answer.headers.get('request-id'));
  });

  test('cannot leave its version, nor ask for a batch or for what is not Graph', async () => {
    const { body } = await (await tenant.as(ANA, 'User.Read'))('POST', BATCH, { requests: [get('a', '/../_emulator/registration'), { id: 'b', method: 'POST', url: '/$batch', body: { requests: [get('c')] } }, get('d', '//evil.example/me')] });
    expect(body.responses.map(({ status }: Answer) => status)).toEqual([501, 400, 501]);
    expect(JSON.stringify(body)).not.toContain(tenant.registration.clientSecret);
  });
});

test('the journal has every call with its answer in order, and opens nothing', async () => {
  const token = await tokenOf(ANA, 'User.Read');
  const ana = tenant.graphWith(token);
  await fetch(`${tenant.url}/_emulator/journal`, { method: 'DELETE' });
  await tenant.graphWith(undefined)('GET', ME);
  await ana('GET', ME, undefined, { 'client-request-id': 'mine', cookie: 'ESTSAUTH=secret-cookie' });
  await ana('POST', '/v1.0/groups', '{');
  await ana('GET', '/beta/unknown');
  const journal = await tenant.journal();
  expect(journal.map(({ method, url, status }) => [method, url, status])).toEqual([['GET', ME, 401], ['GET', ME, 200], ['POST', '/v1.0/groups', 400], ['GET', '/beta/unknown', 501]]);
  expect(journal[1]).toMatchObject({ at: '2026-03-02T09:00:00.000Z', headers: { authorization: 'Bearer …', cookie: '(present)', 'client-request-id': 'mine' }, answer: { displayName: 'Ana Costa' } });
  for (const secret of [token, 'secret-cookie']) expect(JSON.stringify(journal)).not.toContain(secret);
});
