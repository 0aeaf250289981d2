import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from './emulator.ts';
import { ANA, MAYA, startTenant } from './testing.ts';

let folder: string;
let stateFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'emulated-tenant-'));
  stateFile = join(folder, 'emulated-tenant.json');
});
afterEach(() => { rmSync(folder, { recursive: true }); });

test('a tenant that starts again is the same: people, groups, clock, client, sessions and tokens', async () => {
  const before = await (async () => {
    await using tenant = await startTenant({ stateFile });
    const open = tenant.browser();
    const tokens = (await tenant.redeem(ANA, { scope: 'openid offline_access User.Read' }, open)).body;
    const maya = await tenant.as(MAYA, 'Group.ReadWrite.All');
    expect((await maya('POST', '/v1.0/groups', { displayName: 'Kept', mailEnabled: false, mailNickname: 'kept', securityEnabled: true })).status).toBe(201);
    await tenant.advance('PT31M');
    return { state: await tenant.state(), registration: tenant.registration, tokens };
  })();
  await using tenant = await startTenant({ stateFile, startAt: '2030-01-01T00:00:00.000Z' });
  expect(tenant.registration).toEqual(before.registration);
  expect(await tenant.state()).toEqual(before.state);
  expect(before.state.groups.some(({ displayName }: { displayName: string }) => displayName === 'Kept')).toBe(true);
  expect(await (await fetch(`${tenant.url}/_emulator/clock`)).json()).toMatchObject({ now: '2026-03-02T09:31:00.000Z' });
  expect((await tenant.graphWith(before.tokens.access_token)('GET', '/v1.0/me')).body.userPrincipalName).toBe(ANA);
  expect((await tenant.token({ grant_type: 'refresh_token', refresh_token: before.tokens.refresh_token, scope: 'User.Read' })).status).toBe(200);
});

test('what was under way goes on at its time after the restart', async () => {
  const groupId = await (async () => {
    await using tenant = await startTenant({ stateFile });
    const maya = await tenant.as(MAYA, 'Group.ReadWrite.All PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup');
    const { body } = await maya('POST', '/v1.0/groups', { displayName: 'Kept', mailEnabled: false, mailNickname: 'kept', securityEnabled: true });
    await tenant.advance('PT1M');
    const ana = (await tenant.state()).users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === ANA).id as string;
    const assigned = await maya('POST', '/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests', {
      action: 'adminAssign', accessId: 'member', principalId: ana, groupId: body.id, justification: 'Cover', scheduleInfo: { startDateTime: '2026-03-02T09:01:00.000Z', expiration: { type: 'afterDuration', duration: 'PT1H' } },
    });
    expect([assigned.status, assigned.body.status]).toEqual([201, 'PendingProvisioning']);
    return body.id as string;
  })();
  await using tenant = await startTenant({ stateFile });
  const members = async () => (await tenant.state()).groups.find(({ id }: { id: string }) => id === groupId).memberIds.length as number;
  const seen = [await members()];
  for (const step of ['PT5S', 'PT1H']) {
    await tenant.advance(step);
    seen.push(await members());
  }
  expect(seen).toEqual([0, 1, 0]);
});

test('the file holds secrets: only its owner reads it, and nothing else is left in the folder', async () => {
  await (await startTenant({ stateFile }))[Symbol.asyncDispose]();
  expect((statSync(stateFile).mode & 0o777).toString(8)).toBe('600');
  expect(readdirSync(folder)).toEqual(['emulated-tenant.json']);
});

const whole = async (): Promise<string> => {
  await (await startTenant({ stateFile }))[Symbol.asyncDispose]();
  return readFileSync(stateFile, 'utf8');
};
const without = async (part: string): Promise<string> => JSON.stringify({ ...JSON.parse(await whole()) as object, [part]: undefined });

test.each<[string, () => Promise<string>, RegExp]>([
  ['is torn', async () => (await whole()).slice(0, 5000), /is damaged\. Put it back from a backup, or move it away to begin with a new tenant\. Nothing was changed\.$/],
  ['is empty', async () => '', /is damaged/],
  ['is of something else', async () => '{"name":"another"}', /does not hold an emulated tenant\. Put it back/],
  ['is a list', async () => '[]', /does not hold an emulated tenant/],
  ['is null', async () => 'null', /does not hold an emulated tenant/],
  ['has no tenant', () => without('tenant'), /does not hold an emulated tenant/],
  ['has no key', () => without('key'), /does not hold an emulated tenant/],
  ['has no sign-ins', () => without('signIn'), /does not hold an emulated tenant/],
  ['is of a newer Gatehouse', async () => JSON.stringify({ ...JSON.parse(await whole()) as object, version: 2 }), /was written by a newer Gatehouse/],
])('a file that %s is refused with a sentence, and stays as it is', async (_what, make, sentence) => {
  const text = await make();
  writeFileSync(stateFile, text);
  const refused = await startEmulator({ stateFile }).then(() => undefined, (error: unknown) => error);
  expect(refused).toMatchObject({ name: 'TenantStateRefusal', message: expect.stringMatching(sentence) as unknown });
  expect(String(refused)).toContain(stateFile);
  expect(readFileSync(stateFile, 'utf8')).toBe(text);
});

test('of a tenant that an earlier build kept the ID token says when somebody signed in; one that was set otherwise stays so', async () => {
  const saidAfter = async (change: (registration: Record<string, unknown>) => void): Promise<unknown> => {
    await (async () => { await using tenant = await startTenant({ stateFile }); await tenant.advance('PT1M'); })();
    const kept = JSON.parse(readFileSync(stateFile, 'utf8')) as { tenant: { applications: { registration: Record<string, unknown> | null }[] } };
    for (const { registration } of kept.tenant.applications) if (registration) change(registration);
    writeFileSync(stateFile, JSON.stringify(kept));
    await using tenant = await startTenant({ stateFile });
    return decodeJwt((await tenant.redeem(MAYA)).body.id_token)['auth_time'];
  };
  expect(await saidAfter((registration) => { registration['idTokenClaims'] = undefined; })).toEqual(expect.any(Number));
  expect(await saidAfter((registration) => { registration['idTokenClaims'] = []; })).toBeUndefined();
});

test('a tenant that an earlier build kept grants the portal what it needs now', async () => {
  await (async () => { await using tenant = await startTenant({ stateFile }); await tenant.advance('PT1M'); })();
  const kept = JSON.parse(readFileSync(stateFile, 'utf8')) as { tenant: { applications: { registration: { delegatedScopes: string[]; applicationRoles: string[] } | null }[] } };
  for (const { registration } of kept.tenant.applications) if (registration) Object.assign(registration, { delegatedScopes: ['User.Read'], applicationRoles: [] });
  writeFileSync(stateFile, JSON.stringify(kept));
  await using tenant = await startTenant({ stateFile });
  expect((await tenant.redeem(MAYA, { scope: 'openid Directory.Read.All' })).status).toBe(200);
  expect((await (await tenant.asApp())('GET', '/v1.0/auditLogs/directoryAudits?$top=1')).status).toBe(200);
});
