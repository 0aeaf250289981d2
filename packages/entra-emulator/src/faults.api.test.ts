import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANA, MAYA, startTenant, type Answer, type Send, type TestTenant } from './testing.ts';

const ME = '/v1.0/me';
const GROUPS = '/v1.0/groups';

let tenant: TestTenant;
let ana: Send;
let maya: Send;
beforeEach(async () => {
  tenant = await startTenant();
  [ana, maya] = [await tenant.as(ANA, 'User.Read'), await tenant.as(MAYA, 'Group.ReadWrite.All PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup')];
});
afterEach(async () => { await tenant[Symbol.asyncDispose](); });

const unavailable = { kind: 'status', status: 503 };
const outcome = (call: Promise<Answer>): Promise<number | 'cut'> => call.then(({ status }) => status, () => 'cut');
const newGroup = { displayName: 'Lost', mailEnabled: false, mailNickname: 'lost', securityEnabled: true };
const made = async (): Promise<number> => (await tenant.state()).groups.filter(({ displayName }: { displayName: string }) => displayName === 'Lost').length;

describe('which calls', () => {
  test('by method and path, within a segment and across', async () => {
    await tenant.faults([{ match: { method: 'GET', path: '/v1.0/m*' }, times: null, fault: unavailable }]);
    expect((await ana('GET', ME)).status).toBe(503);
    expect((await ana('GET', '/v1.0/me/memberOf')).status).not.toBe(503);
    await tenant.faults([{ match: { path: '/v1.0/me/**' }, times: null, fault: unavailable }]);
    expect((await ana('GET', ME)).status).toBe(200);
    expect((await ana('GET', '/v1.0/me/memberOf/x')).status).toBe(503);
  });

  test('the n-th, as often as it says, and until the rules are replaced', async () => {
    const answers = async (count: number): Promise<number[]> => {
      const statuses: number[] = [];
      for (let call = 0; call < count; call += 1) statuses.push((await ana('GET', ME)).status);
      return statuses;
    };
    await tenant.faults([{ match: { nth: 2 }, fault: unavailable }]);
    expect(await answers(3)).toEqual([200, 503, 200]);
    await tenant.faults([{ match: {}, times: 2, fault: unavailable }]);
    expect(await answers(3)).toEqual([503, 503, 200]);
    await tenant.faults([{ match: {}, times: null, fault: unavailable }]);
    expect(await answers(3)).toEqual([503, 503, 503]);
    await tenant.faults([]);
    expect(await answers(1)).toEqual([200]);
  });

  test('for a time from the first one on, by the tenant’s clock', async () => {
    await tenant.faults([{ match: { path: '/v1.0/me' }, times: null, lasting: 'PT30S', fault: { kind: 'status', status: 404, code: 'SubjectNotFound' } }]);
    await tenant.advance('PT1M');
    const seen: number[] = [];
    for (const step of ['PT0S', 'PT29S', 'PT1S', 'PT1M']) {
      await tenant.advance(step);
      seen.push((await ana('GET', ME)).status);
    }
    expect(seen).toEqual([404, 404, 200, 200]);
  });

  test('by chance, the same for the same seed', async () => {
    const play = async (seed: string): Promise<number[]> => {
      await tenant.faults([{ match: {}, times: null, probability: 0.5, seed, fault: unavailable }]);
      const statuses: number[] = [];
      for (let call = 0; call < 24; call += 1) statuses.push((await ana('GET', ME)).status);
      return statuses;
    };
    const first = await play('one');
    expect(new Set(first)).toEqual(new Set([200, 503]));
    expect(await play('one')).toEqual(first);
    expect(await play('two')).not.toEqual(first);
  });

  test.each([
    [[{ match: {}, fault: { kind: 'status', status: 99 } }]], [[{ match: {}, fault: unavailable, times: 0 }]], [[{ match: { method: 'HEAD' }, fault: unavailable }]], [[{ match: {}, fault: unavailable, lasting: '30 s' }]], [[{ match: {}, fault: { kind: 'flood' } }]],
    [[{ match: {} }]], [{ rules: [] }], [{ preset: 'dev-proxy', rate: 2 }], [{ preset: 'none', rate: 0.5 }],
  ])('what is not understood is refused: %j', async (wish) => {
    const answer = await fetch(`${tenant.url}/_emulator/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) });
    expect(answer.status).toBe(400);
  });
});

describe('what goes wrong', () => {
  test.each([
    ['a status before the effect', { kind: 'status', status: 500 }, 500, 0], ['a status after the effect', { kind: 'status', status: 500, effect: 'after' }, 500, 1],
    ['a reset before the effect', { kind: 'reset', effect: 'before' }, 'cut', 0], ['a reset after the effect', { kind: 'reset', effect: 'after' }, 'cut', 1], ['a body that ends in its middle', { kind: 'truncate' }, 'cut', 1],
  ])('%s', async (_what, fault, seen, count) => {
    await tenant.faults([{ match: { method: 'POST' }, fault }]);
    expect(await outcome(maya('POST', GROUPS, newGroup))).toBe(seen);
    expect(await made()).toBe(count);
  });

  test.each([['before', 0], ['after', 1]])('no answer at all, %s the effect', async (effect, count) => {
    await tenant.faults([{ match: { method: 'POST' }, fault: { kind: 'timeout', effect } }]);
    const patience = new AbortController();
    const call = fetch(`${tenant.url}${GROUPS}`, { method: 'POST', signal: patience.signal, headers: { authorization: `Bearer ${await tenant.tokenOf(MAYA, 'Group.ReadWrite.All')}`, 'content-type': 'application/json' }, body: JSON.stringify(newGroup) }).then(() => 'answered', () => 'nothing');
    await expect.poll(async () => (await tenant.journal()).at(-1)).toMatchObject({ method: 'POST', status: 0 });
    patience.abort();
    expect(await call).toBe('nothing');
    expect(await made()).toBe(count);
  });

  test('a status carries its code, its words and Retry-After in seconds, as a date or not at all', async () => {
    await tenant.faults([
      { match: { nth: 1 }, fault: { kind: 'status', status: 429, code: 'TooManyRequests', message: 'Slow down', retryAfter: 7 } },
      { match: { nth: 1 }, fault: { kind: 'status', status: 429, retryAfter: 'Mon, 02 Mar 2026 09:00:30 GMT' } },
      { match: {}, fault: { kind: 'status', status: 502, body: '<html>' } },
    ]);
    const first = await ana('GET', ME);
    expect([first.status, first.body.error.code, first.body.error.message, first.headers.get('retry-after')]).toEqual([429, 'TooManyRequests', 'Slow down', '7']);
    expect((await ana('GET', ME)).headers.get('retry-after')).toBe('Mon, 02 Mar 2026 09:00:30 GMT');
    const html = await fetch(`${tenant.url}${ME}`);
    expect([html.status, html.headers.get('retry-after'), await html.text()]).toEqual([502, null, '<html>']);
  });

  test('a body that drips arrives whole', async () => {
    await tenant.faults([{ match: {}, fault: { kind: 'slow', bytesPerSecond: 100_000 } }]);
    expect((await ana('GET', ME)).body.userPrincipalName).toBe(ANA);
  });
});

describe('pages', () => {
  const FIRST = `${GROUPS}?$top=4&$select=id,displayName`;
  interface Page { readonly ids: string[]; readonly next: string | undefined; readonly body: Answer['body'] }
  const page = async (path: string): Promise<Page> => {
    const { body } = await maya('GET', path);
    return { body, ids: body.value.map((one: { id: string } | null) => one?.id), next: body['@odata.nextLink'] };
  };
  const fault = (kind: string): Promise<void> => tenant.faults([{ match: { method: 'GET' }, fault: { kind } }]);

  test('one comes twice', async () => {
    const proper = await page(FIRST);
    await fault('repeatPage');
    const first = await page(FIRST);
    expect(first.ids).toEqual(proper.ids);
    expect((await page(first.next ?? '')).ids).toEqual(proper.ids);
  });

  test('one is missing', async () => {
    const second = await page((await page(FIRST)).next ?? '');
    const third = await page(second.next ?? '');
    await fault('dropPage');
    expect((await page((await page(FIRST)).next ?? '')).ids).toEqual(third.ids);
  });

  test('the order, the content and the number of items are not what they were', async () => {
    const proper = await page(FIRST);
    await fault('shufflePages');
    expect((await page(FIRST)).ids).toEqual(proper.ids.toReversed());
    await fault('lateEvents');
    expect((await page(FIRST)).ids).toEqual([proper.ids[0], proper.ids[2]]);
    await fault('sameIdOtherContent');
    const twice = await page(FIRST);
    expect(twice.ids).toEqual([...proper.ids, proper.ids[0]]);
    expect(twice.body.value.at(-1)).not.toEqual(twice.body.value[0]);
    await fault('nullForObject');
    expect((await page(FIRST)).ids).toEqual([undefined, ...proper.ids]);
  });

  test('an empty one still leads on, and half of one ends in an error with status 200', async () => {
    const proper = await page(FIRST);
    await fault('emptyPageWithNext');
    const empty = await page(FIRST);
    expect(empty.ids).toEqual([]);
    expect((await page(empty.next ?? '')).ids).toEqual(proper.ids);
    await fault('splice');
    const broken = await maya('GET', FIRST);
    expect([broken.status, broken.body.value.length, broken.body.error.code, broken.body['@odata.nextLink']]).toEqual([200, 2, 'UnknownError', undefined]);
  });

  test('a link is too old', async () => {
    const { next } = await page(FIRST);
    await fault('expireNextLink');
    const expired = await maya('GET', next ?? '');
    expect([expired.status, expired.body.error.code]).toEqual([400, 'Directory_ExpiredPageToken']);
  });
});

test('status words that nobody knows, and null where an object should be', async () => {
  const path = "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/filterByCurrentUser(on='principal')";
  const person = await tenant.as(ANA, 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup');
  await tenant.faults([{ match: { nth: 1 }, fault: { kind: 'unknownEnum' } }]);
  const { value } = (await person('GET', path)).body;
  expect(value.length).toBeGreaterThan(0);
  expect(new Set(value.map(({ status }: { status: string }) => status))).toEqual(new Set(['unknownFutureValue']));
  await tenant.faults([{ match: {}, fault: { kind: 'nullForObject' } }]);
  expect((await ana('GET', ME)).body).toBeNull();
});

test('the mix of Dev Proxy: its six errors, each with Retry-After 5, at the rate that is asked for and the same for the same seed', async () => {
  const play = async (): Promise<number[]> => {
    await tenant.faults({ preset: 'dev-proxy', rate: 0.5 });
    const statuses: number[] = [];
    for (let call = 0; call < 120; call += 1) {
      const answer = await ana('GET', ME);
      statuses.push(answer.status);
      expect(answer.headers.get('retry-after')).toBe(answer.status === 200 ? null : '5');
    }
    return statuses;
  };
  const first = await play();
  expect(new Set(first)).toEqual(new Set([200, 429, 500, 502, 503, 504, 507]));
  expect(first.filter((status) => status === 200).length).toBeGreaterThan(40);
  expect(first.filter((status) => status === 200).length).toBeLessThan(80);
  expect(await play()).toEqual(first);
});
