import { ENDPOINTS, permits, type Endpoint } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INES, MAYA, startPortal, type Client, type TestPortal } from '../src/testing.ts';
import { fingerprint, pathOf, SAMPLES } from './samples.ts';

let portal: TestPortal;
let clients: { maya: Client; ines: Client };
beforeAll(async () => {
  portal = await startPortal();
  clients = { maya: await portal.as(MAYA), ines: await portal.as(INES) };
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

/** Somebody whose role allows the endpoint: what is refused is the input. */
const allowed = ({ permission }: Endpoint): Client => (permits(permission, ['SetupAdmin']) ? clients.maya : clients.ines);

type Path = readonly (string | number)[];
type Tree = Record<string, unknown>;

/** Every object and every leaf of a JSON value, by path. */
function* parts(value: unknown, path: Path = []): Generator<{ path: Path; value: unknown }> {
  yield { path, value };
  if (Array.isArray(value)) for (const [index, one] of value.entries()) yield* parts(one, [...path, index]);
  else if (typeof value === 'object' && value !== null) for (const [key, one] of Object.entries(value)) yield* parts(one, [...path, key]);
}

/** A copy in which `edit` has changed the object that holds the last part of the path. */
function edited(body: unknown, path: Path, edit: (holder: Tree, key: string) => void): unknown {
  const copy: unknown = structuredClone(body);
  const holder = path.slice(0, -1).reduce<Tree>((node, key) => node[key] as Tree, copy as Tree);
  edit(holder, String(path.at(-1)));
  return copy;
}

const isObject = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const inBody = (path: Path): string => ['body', ...path].join('.');

async function refused(name: string, contract: Endpoint, body: unknown): Promise<string[]> {
  await portal.emulator.clearJournal();
  const before = await fingerprint(portal.db);
  const reply = await allowed(contract).post(pathOf(name, contract), body);
  expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([400, 'invalid-request']);
  expect(await portal.emulator.journal()).toEqual([]);
  expect(await fingerprint(portal.db)).toBe(before);
  return (reply.body.issues as { path: string; message: string }[]).map(({ path, message }) => {
    expect(message).not.toBe('');
    return path;
  });
}

const withBody = Object.entries(ENDPOINTS).flatMap(([name, contract]) => {
  const body = SAMPLES[name]?.body;
  return contract.body !== undefined && isObject(body) && Object.keys(body).length > 0 ? [{ name, contract, body }] : [];
});

describe.each(withBody)('$name', ({ name, contract, body }) => {
  const objects = [...parts(body)].filter(({ value }) => isObject(value)).map(({ path }) => ({ path, at: inBody(path) }));
  test.each(objects)('an unknown field in $at', async ({ path }) => {
    const surplus = [...path, 'surplus'];
    expect(await refused(name, contract, edited(body, surplus, (holder, key) => { holder[key] = 1; }))).toContain(inBody(surplus));
  });

  const fields = [...parts(body)].filter(({ path }) => typeof path.at(-1) === 'string').map(({ path, value }) => ({ path, value, at: inBody(path) }));
  const required = fields.filter(({ path }) => contract.body?.safeParse(edited(body, path, (holder, key) => { Reflect.deleteProperty(holder, key); })).success === false);
  test('has fields that are required', () => { expect(required.length).toBeGreaterThan(0); });
  test.each(required)('without $at', async ({ path, at }) => {
    expect(await refused(name, contract, edited(body, path, (holder, key) => { Reflect.deleteProperty(holder, key); }))).toContain(at);
  });

  test.each(fields)('$at of another type', async ({ path, value, at }) => {
    const other = typeof value === 'string' ? 17 : 'seventeen';
    expect(await refused(name, contract, edited(body, path, (holder, key) => { holder[key] = other; }))).toContain(at);
  });

  test('every wrong field is named, not just the first', async () => {
    const wrong = Object.fromEntries(Object.entries(body).map(([key, value]) => [key, Array.isArray(value) ? { wrong: true } : ['wrong']]));
    expect((await refused(name, contract, { ...wrong, surplus: 1 })).toSorted()).toEqual([...Object.keys(body), 'surplus'].map((key) => inBody([key])).toSorted());
  });

  test.each([['a list', []], ['a text', 'text'], ['nothing', null], ['an empty object', {}]])('%s in place of the body', async (_title, wrong) => {
    await portal.emulator.clearJournal();
    const reply = await allowed(contract).post(pathOf(name, contract), wrong);
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([400, 'invalid-request']);
    expect(await portal.emulator.journal()).toEqual([]);
  });
});

const unsafe = Object.entries(ENDPOINTS).filter(([, { method }]) => method !== 'GET').map(([name, contract]) => ({ name, contract }));

describe.each(unsafe)('the body of $name', ({ name, contract }) => {
  test('has a contract that names every field', () => { expect(contract.body?.safeParse({ ...sampleOf(name), surplus: 1 }).success).toBe(false); });

  test('takes nothing that it does not know', async () => {
    expect(await refused(name, contract, { ...sampleOf(name), surplus: 1, constructor: {} })).toEqual(expect.arrayContaining(['body.surplus', 'body.constructor']));
  });

  test.each([
    ['cut off', '{"groupId":', 400, 'invalid-request'], ['a word', 'yes', 400, 'invalid-request'], ['two of them', '{}{}', 400, 'invalid-request'],
    ['of 1.1 MB', `{"surplus":"${'x'.repeat(1_100_000)}"}`, 413, 'too-large'], ['nested 20,000 deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 400, 'invalid-request'],
  ])('%s is told as such', async (_title, text, status, code) => {
    expect(await untouched(async () => sent(contract, pathOf(name, contract), text))).toEqual([status, code]);
  });

  // JSON.parse makes a field of its own of it; a parser that copies it would change what every object has.
  test('is not led to the prototype of anything', async () => {
    const text = JSON.stringify({ ...sampleOf(name), surplus: 1 }).replace('"surplus":1', '"__proto__":{"minutes":30}');
    const [status] = await untouched(async () => sent(contract, pathOf(name, contract), text));
    expect(status).toBe(400);
  });
});

function sampleOf(name: string): Tree {
  const body = SAMPLES[name]?.body;
  return isObject(body) ? body : {};
}

/** Text as it stands, with every proof that it comes from the portal's own page. */
async function sent(contract: Endpoint, path: string, text: string): Promise<[number, string]> {
  const answer = await fetch(`${portal.url}${path}`, {
    method: contract.method, body: text,
    headers: { 'content-type': 'application/json', origin: portal.url, 'x-requested-with': 'gatehouse', cookie: await allowed(contract).jar.getCookieString(portal.url) },
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return [answer.status, (await answer.json()).code];
}

/** What it does reaches neither Graph nor a row. */
async function untouched<T>(act: () => Promise<T>): Promise<T> {
  await portal.emulator.clearJournal();
  const before = await fingerprint(portal.db);
  const answer = await act();
  expect(await portal.emulator.journal()).toEqual([]);
  expect(await fingerprint(portal.db)).toBe(before);
  return answer;
}

describe('a query', () => {
  const withQuery = Object.entries(ENDPOINTS).filter(([, { query, method, answers }]) => query !== undefined && method === 'GET' && answers !== 'redirect');
  test.each(withQuery)('of %s with an unknown field', async (name, contract) => {
    await portal.emulator.clearJournal();
    const reply = await allowed(contract).get(`${pathOf(name, contract)}?${SAMPLES[name]?.query ?? ''}&surplus=1`);
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([400, 'invalid-request']);
    expect(reply.body.issues.map(({ path }: { path: string }) => path)).toEqual(['query.surplus']);
    expect(await portal.emulator.journal()).toEqual([]);
  });

  test.each([
    ['/api/history/events?from=yesterday', 'query.from'], ['/api/history/events?result=perhaps', 'query.result'], ['/api/history/events?cursor=', 'query.cursor'],
    ['/api/history/activations?state=gone', 'query.state'], ['/api/history/events?person=a&person=b', 'query.person'],
  ])('%s', async (address, path) => {
    const reply = await clients.ines.get(address);
    expect([reply.status, reply.body.code], JSON.stringify(reply.body)).toEqual([400, 'invalid-request']);
    expect(reply.body.issues.map((issue: { path: string }) => issue.path)).toContain(path);
  });
});

test.each([
  ['/api/access/requests/not-an-id', 'params.requestId'], ['/api/access/requests/%00', 'params.requestId'],
])('an address %s that is no id', async (address, path) => {
  const reply = await clients.maya.get(address);
  expect([reply.status, reply.body.code]).toEqual([400, 'invalid-request']);
  expect(reply.body.issues[0].path).toBe(path);
});
