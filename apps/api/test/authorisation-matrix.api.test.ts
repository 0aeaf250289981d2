import { randomUUID } from 'node:crypto';
import { ENDPOINTS, PAGE_OF, permits, type AppRole, type Endpoint } from '@gatehouse/contracts';
import type { Router } from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointsOf } from '../src/http/endpoint.ts';
import { ANA, BEN, INES, MAYA, startPortal, type Client, type TestPortal } from '../src/testing.ts';
import { callSample, fingerprint, SAMPLES } from './samples.ts';

const PEOPLE: Record<string, { upn: string; roles: readonly AppRole[] }> = {
  'analyst': { upn: ANA, roles: [] },
  'another analyst': { upn: BEN, roles: [] },
  'approver': { upn: 'omar.haddad@contoso.example', roles: [] },
  'setup admin': { upn: MAYA, roles: ['SetupAdmin'] },
  'auditor': { upn: INES, roles: ['Auditor'] },
};

/** Keeps what an export of the auditor holds, and that it was asked for. */
const TAKES_ALONG = ['CreateExport'];
/** It brings the next reading of the log forward, and changes nothing that is read. */
const READS_SOONER = ['SyncNow'];
/** What somebody keeps at the top of their own page. */
const OWN_ORDER = ['SetFavourite', 'SaveAccessSet', 'RemoveAccessSet'];

let portal: TestPortal;
beforeAll(async () => { portal = await startPortal(); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

/** Refused as it should be: the status, no Graph call, no changed row. */
async function expectRefusal(client: Pick<Client, 'get' | 'post'>, name: string, contract: Endpoint, status: number, code: string): Promise<void> {
  await portal.emulator.clearJournal();
  const before = await fingerprint(portal.db);
  const reply = await callSample(client, name, contract);
  expect(reply.status, `${name}: ${JSON.stringify(reply.body)}`).toBe(status);
  expect(reply.body.code, name).toBe(code);
  expect(await portal.emulator.journal(), `${name} called Graph`).toEqual([]);
  expect(await fingerprint(portal.db), `${name} changed a row`).toBe(before);
}

test('every route of the running app is served by a contract, and every contract is served', () => {
  const contracted = new Set(Object.values(ENDPOINTS).map(({ method, path }) => `${method} ${path}`));
  const running = portal.product.routers.flatMap((router) => routesOf(router));
  const served = portal.product.routers.flatMap((router) => endpointsOf(router)).map(({ method, path }) => `${method} ${path}`);
  expect(running.filter((route) => !contracted.has(route)), 'routes without a contract').toEqual([]);
  expect(running.toSorted(), 'a route that did not come through endpoint()').toEqual(served.toSorted());
  expect([...contracted].filter((route) => !running.includes(route)), 'contracts that nothing serves').toEqual([]);
  expect(Object.keys(ENDPOINTS).filter((name) => !(name in SAMPLES)), 'contracts without a sample here').toEqual([]);
});

function routesOf(router: Router): string[] {
  return router.stack.flatMap(({ route }) => {
    if (!route) return [];
    const methods = route.stack.map(({ method }) => method.toUpperCase());
    return [...new Set(methods)].map((method) => `${method} ${String(route.path)}`);
  });
}

describe.each(Object.entries(ENDPOINTS))('%s', (name, contract) => {
  if (contract.permission !== 'public') {
    test('nobody does it from the page of somebody else', async () => {
      const upn = Object.values(PEOPLE).find(({ roles }) => permits(contract.permission, roles))?.upn ?? '';
      const client = await portal.as(upn);
      const from = { [PAGE_OF]: randomUUID() };
      await expectRefusal({ get: (path) => client.get(path, from), post: (path, body) => client.post(path, body, from) }, name, contract, 409, 'signed-in-as-another');
    });

    test('anonymous is asked to sign in', async () => {
      await expectRefusal(portal.anonymous(), name, contract, 401, 'not-signed-in');
    });
  }

  for (const [title, { upn, roles }] of Object.entries(PEOPLE)) {
    if (permits(contract.permission, roles)) {
      // Signing out would end the client that the other cells use.
      if (name === 'SignOut') continue;
      test(`${title} is let in`, async () => {
        const reply = await callSample(await portal.as(upn), name, contract);
        expect([401, 403], `${title}: ${JSON.stringify(reply.body)}`).not.toContain(reply.status);
        expect(reply.status, `${title}: ${JSON.stringify(reply.body)}`).not.toBe(500);
        await portal.settle();
      });
    } else {
      test(`${title} is refused`, async () => {
        await expectRefusal(await portal.as(upn), name, contract, 403, 'not-permitted');
      });
    }
  }
});

test('an auditor changes nothing: each unsafe route refuses, but for what everybody may do for themselves, which is not theirs to do here', async () => {
  const OWN = new Set(['public', 'session:own', 'session:manage', 'access:use', 'approval:decide', 'demo:use']);
  const unsafe = Object.entries<Endpoint>(ENDPOINTS).filter(([, { method }]) => method !== 'GET');
  expect(unsafe.length).toBeGreaterThan(20);
  const mayTry = unsafe.filter(([, { permission }]) => permits(permission, ['Auditor']));
  expect(mayTry.filter(([, { permission }]) => !OWN.has(permission)).map(([name]) => name), 'what an auditor may change').toEqual([...TAKES_ALONG, ...READS_SOONER]);
  const client = await portal.as(INES);
  for (const [name, contract] of unsafe) {
    // Their own sessions and the demo's clock are no part of what is audited.
    if (['public', 'session:own', 'session:manage', 'demo:use'].includes(contract.permission) || TAKES_ALONG.includes(name) || READS_SOONER.includes(name) || OWN_ORDER.includes(name)) continue;
    await portal.emulator.clearJournal();
    const before = await fingerprint(portal.db);
    const reply = await callSample(client, name, contract);
    // Of several at once each is refused on its own.
    expect([200, 400, 403, 404, 409], `${name}: ${JSON.stringify(reply.body)}`).toContain(reply.status);
    expect((await portal.emulator.journal()).filter(({ method, body }) => method !== 'GET' && !JSON.stringify(body ?? '').includes('isValidationOnly":true')), `${name} wrote to Graph`).toEqual([]);
    expect(await fingerprint(portal.db), `${name} changed a row`).toBe(before);
  }
});

test('from their own page everybody does what they may', async () => {
  for (const { upn } of Object.values(PEOPLE)) {
    const client = await portal.as(upn);
    const { body } = await client.get('/api/session');
    expect((await client.get('/api/access', { [PAGE_OF]: body.person.id })).status).toBe(200);
  }
});

describe('an object of somebody else answers as one that does not exist', () => {
  test('a request for access', async () => {
    await using own = await startPortal();
    const state = await own.emulator.state();
    const build = state.groups.find((group: { displayName: string }) => group.displayName === 'Build-Engineer-SecureAccess');
    const made = await (await own.as(ANA)).post('/api/access/activations', { groupId: build.id, minutes: 30, justification: 'Pipeline repair' });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const ben = await own.as(BEN);
    const without = ({ requestId: _reference, ...rest }: Record<string, unknown>) => rest;
    for (const id of [made.body.id, made.body.entraRequestId]) {
      expect(without((await ben.get(`/api/access/requests/${id}`)).body)).toEqual(without((await ben.get(`/api/access/requests/${randomUUID()}`)).body));
      const cancelled = await ben.post(`/api/access/requests/${id}/cancel`);
      expect([cancelled.status, cancelled.body.code]).toEqual([404, 'not-found']);
    }
    expect((await (await own.as(ANA)).get(`/api/access/requests/${made.body.id}`)).status).toBe(200);
  });
});
