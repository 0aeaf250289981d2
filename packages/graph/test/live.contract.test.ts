import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { contract, SETUP } from './contract.ts';
import { ANA, MAYA, OMAR, signInAs, startTenant } from './emulated-tenant.ts';
import { inBrowser, MARK, startLiveTenant } from './live-tenant.ts';

/**
 * The same contract, played against Microsoft: `GRAPH_LIVE=1` and the settings below. Three people are asked to sign in, and
 * it waits as life demands (five minutes until access can be ended, an hour for the audit log). It makes a group and an
 * application whose names begin with GatehouseContract, and removes them.
 */
const { env } = process;
const setting = (name: string): string => {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`GRAPH_LIVE=1 needs ${name}`);
  return value;
};

const AUDIT_MINUTES = Number(env['GRAPH_LIVE_AUDIT_MINUTES'] ?? '60');
/** What a step may take: people who sign in, what comes into effect in minutes, and the audit log. */
const STEP_MS = (AUDIT_MINUTES + 30) * 60_000;

describe.skipIf(env['GRAPH_LIVE'] !== '1')('live', () => {
  contract('Microsoft', async () => {
    const redirectUri = env['GRAPH_LIVE_REDIRECT_URI'] ?? 'http://localhost:3000/auth/redirect';
    return startLiveTenant({
      loginUrl: env['GRAPH_LIVE_LOGIN_URL'] ?? 'https://login.microsoftonline.com', graphUrl: env['GRAPH_LIVE_GRAPH_URL'] ?? 'https://graph.microsoft.com',
      tenantId: setting('ENTRA_TENANT_ID'), clientId: setting('ENTRA_CLIENT_ID'), clientSecret: setting('ENTRA_CLIENT_SECRET'), redirectUri,
      people: { admin: setting('GRAPH_LIVE_ADMIN'), analyst: setting('GRAPH_LIVE_ANALYST'), approver: setting('GRAPH_LIVE_APPROVER') },
      throughSignIn: inBrowser(redirectUri, (text) => { process.stderr.write(text); }),
      timer: { now: () => performance.now(), sleep: async (ms) => { await sleep(ms); } }, clock: { now: () => new Date() },
      auditMinutes: AUDIT_MINUTES,
    });
  }, STEP_MS);
});

/** Nobody can reach Microsoft from a build: what the live test is made of is held against the emulated tenant. */
describe('the stage of the live test', () => {
  async function liveOn(tenant: Awaited<ReturnType<typeof startTenant>>) {
    let ms = 0;
    return startLiveTenant({
      loginUrl: tenant.url, graphUrl: tenant.url, tenantId: tenant.registration.tenantId, clientId: tenant.registration.clientId, clientSecret: tenant.registration.clientSecret,
      redirectUri: 'http://localhost:1/auth/redirect', people: { admin: MAYA, analyst: ANA, approver: OMAR }, throughSignIn: signInAs, auditMinutes: 60,
      clock: { now: tenant.now },
      timer: { now: () => ms, sleep: async (wait) => { ms += wait; await tenant.advance(`PT${Math.ceil(wait / 1000)}S`); } },
    });
  }

  test('signs people in, waits for what comes later, and leaves nothing behind', async () => {
    await using tenant = await startTenant();
    const stage = await liveOn(tenant);
    const admin = await stage.as(stage.people.admin, SETUP);
    expect(await stage.mail(stage.people.analyst)).toBe('ana.costa@contoso.example');
    const { group } = await admin.directory.ensureGroup({ uniqueName: stage.mark, displayName: `${stage.mark}-A`, mailNickname: stage.mark, ownerIds: [(await admin.directory.me()).id] });
    const { appId } = await admin.applications.instantiate(`${stage.mark}-B`);
    const policy = await stage.eventually(() => admin.pim.policy(group.id, 'member'));
    expect(policy.rules).toHaveLength(17);
    const state = async () => JSON.stringify(await (await fetch(`${tenant.url}/_emulator/state`)).json().then((all: { groups: unknown; applications: unknown; servicePrincipals: unknown }) => [all.groups, all.applications, all.servicePrincipals]));
    expect(await state()).toContain(MARK);
    expect(appId).not.toBe('');
    await stage[Symbol.asyncDispose]();
    expect(await state()).not.toContain(MARK);
  });

  test('fails where something cannot be removed', async () => {
    await using tenant = await startTenant();
    const stage = await liveOn(tenant);
    const admin = await stage.as(stage.people.admin, SETUP);
    await admin.directory.ensureGroup({ uniqueName: stage.mark, displayName: `${stage.mark}-A`, mailNickname: stage.mark, ownerIds: [(await admin.directory.me()).id] });
    await tenant.faults([{ match: { method: 'DELETE', path: '**' }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
    await expect(stage[Symbol.asyncDispose]()).rejects.toThrow(/could not be removed: 403/);
  });

  test('takes the browser back at the redirect address', async () => {
    const shown: string[] = [];
    const back = inBrowser('http://127.0.0.1:39117/auth/redirect', (text) => { shown.push(text); })('maya@contoso.example', 'https://login.example/authorize');
    await expect.poll(() => shown).toHaveLength(1);
    expect(shown[0]).toContain('https://login.example/authorize');
    await fetch('http://127.0.0.1:39117/favicon.ico');
    await fetch('http://127.0.0.1:39117/auth/redirect?code=abc&state=state-1');
    expect((await back).searchParams.get('code')).toBe('abc');
  });
});
