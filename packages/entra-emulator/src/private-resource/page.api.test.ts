import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reach } from '../reach.ts';
import { seedTenant } from '../seed/seed.ts';
import type { Tenant } from '../tenant.ts';
import { privateResource } from './page.ts';

const FIN_REP = '/private/fin-rep.corp.contoso.example:443';

let tenant: Tenant;
let signedIn: string | undefined;
let settled: number;
let server: ReturnType<ReturnType<typeof express>['listen']>;

beforeEach(async () => {
  tenant = seedTenant('demo', new Date('2026-03-09T10:00:00.000Z'));
  signedIn = 'ana.costa@contoso.example';
  settled = 0;
  const router = privateResource({
    tenant: () => tenant,
    settle: () => { settled += 1; },
    connect: (upn, host, port) => reach(tenant, upn, host, port),
    signedInUpn: () => signedIn,
    signInUrl: (returnTo, switchAccount) => `/_signin?returnTo=${encodeURIComponent(returnTo)}${switchAccount ? '&prompt=select_account' : ''}`,
  });
  server = express().use('/private', router).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

async function open(path: string) {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { redirect: 'manual' });
  return { status: response.status, location: response.headers.get('location'), policy: response.headers.get('content-security-policy') ?? '', text: await response.text() };
}

test('whoever is not signed in is sent to sign in, and back', async () => {
  signedIn = undefined;
  expect(await open(FIN_REP)).toMatchObject({ status: 302, location: `/_signin?returnTo=${encodeURIComponent(FIN_REP)}` });
});

test('somebody without access reads what, who and why, and can try again or be somebody else', async () => {
  const { status, text } = await open(FIN_REP);
  expect(status).toBe(403);
  for (const words of ['fin-rep.corp.contoso.example:443', 'Ana Costa', 'Finance reports', 'Activate your access in Gatehouse', `href="${FIN_REP}"`, 'prompt=select_account', 'Demo']) expect(text).toContain(words);
  expect(settled).toBe(1);
});

test('a member sees the application, until the membership ends', async () => {
  const group = tenant.groups.find(({ displayName }) => displayName === 'FinReport-Controller-SecureAccess');
  const ana = tenant.users.find(({ displayName }) => displayName === 'Ana Costa');
  group?.memberIds.push(ana?.id ?? '');
  const inside = await open(FIN_REP);
  expect(inside.status).toBe(200);
  expect(inside.text).toContain('<h1>Finance reports</h1>');
  group?.memberIds.pop();
  expect((await open(FIN_REP)).status).toBe(403);
});

test('text from the tenant is text on the page, and scripts are forbidden', async () => {
  const ana = tenant.users.find(({ displayName }) => displayName === 'Ana Costa');
  if (ana) ana.displayName = '<img src=x onerror="alert(1)">';
  const { text, policy } = await open(FIN_REP);
  expect(text).not.toContain('<img');
  expect(text).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe-inline');
});

test.for(['nonsense', 'fin-rep.corp.contoso.example', 'fin-rep.corp.contoso.example:0', 'fin-rep.corp.contoso.example:65536', '%3Cscript%3E:443'])('%s is no address', async (destination) => {
  const { status, text } = await open(`/private/${destination}`);
  expect(status).toBe(404);
  expect(text).not.toContain('<script>');
});
