import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { EmulatorOptions } from '../emulator.ts';
import { ANA, BEN, MAYA, startTenant, type Send } from '../testing.ts';
import { NOW, startDirectory } from './testing.ts';

const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const SCOPES = 'Group.ReadWrite.All PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup';

interface Told { readonly id: string; readonly [name: string]: unknown }

async function started(options: EmulatorOptions = {}) {
  const tenant = await startTenant(options);
  onTestFinished(() => tenant[Symbol.asyncDispose]());
  const maya = await tenant.as(MAYA, SCOPES);
  const state = await tenant.state();
  return {
    tenant, maya, groups: state.groups as { id: string; displayName: string; memberIds: string[]; ownerIds: string[] }[],
    group: (name: string): string => state.groups.find(({ displayName }: { displayName: string }) => displayName === name).id,
    person: (upn: string): string => state.users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === upn).id,
  };
}

/** All pages of a round, and the link for the next one. */
async function follow(send: Send, address: string, headers: Record<string, string> = {}): Promise<{ value: Told[]; link: string; pages: number }> {
  const value: Told[] = [];
  for (let [next, pages] = [address, 1]; ; pages += 1) {
    const { status, body } = await send('GET', next, undefined, headers);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(Object.keys(body).filter((name) => name.endsWith('Link'))).toHaveLength(1);
    value.push(...body.value);
    if (body['@odata.nextLink'] === undefined) return { value, link: body['@odata.deltaLink'], pages };
    next = body['@odata.nextLink'];
  }
}

const user = (id: string) => ({ '@odata.type': '#microsoft.graph.user', id });
const removed = (id: string) => ({ ...user(id), '@removed': { reason: 'deleted' } });
const change = async (send: Send, method: string, path: string, body?: unknown): Promise<void> => { expect((await send(method, `/v1.0${path}`, body)).status).toBeLessThan(300); };
const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });

test.each(['/v1.0/groups/delta', '/beta/groups/delta', '/v1.0/groups/delta()'])('%s tells every group with its members, in pages, and then nothing', async (path) => {
  const { maya, groups } = await started();
  const first = await follow(maya, path);
  expect(first.pages).toBeGreaterThan(1);
  expect(first.value.map(({ id }) => id).sort()).toEqual(groups.map(({ id }) => id).sort());
  for (const { id, memberIds } of groups) {
    const told = first.value.find((one) => one.id === id);
    expect((told?.['members@delta'] as Told[] | undefined ?? []).map((one) => one.id)).toEqual(memberIds);
    expect(told).not.toHaveProperty('owners@delta');
    expect(Object.values(told ?? {})).not.toContain(null);
  }
  expect((await follow(maya, first.link)).value).toEqual([]);
});

test('an activation by PIM is told as a member who came, and its end as one who went', async () => {
  const { tenant, maya, group, person } = await started();
  const [groupId, principalId] = [group('Payroll-Operator-SecureAccess'), person(BEN)];
  const { link } = await follow(maya, '/v1.0/groups/delta?$select=displayName,members');
  const asked = await maya('POST', `${PIM}/assignmentScheduleRequests`, { accessId: 'member', principalId, groupId, action: 'adminAssign', justification: 'Cover', scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'PT1H' } } });
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
  await tenant.advance('PT1M');
  const begun = await follow(maya, link);
  expect(begun.value).toEqual([{ id: groupId, displayName: 'Payroll-Operator-SecureAccess', 'members@delta': [user(principalId)] }]);
  await tenant.advance('PT2H');
  expect((await follow(maya, begun.link)).value.find(({ id }) => id === groupId)?.['members@delta']).toEqual([removed(principalId)]);
  // The older link knows less, and tells what it comes to: he is not in it.
  expect((await follow(maya, link)).value.find(({ id }) => id === groupId)?.['members@delta']).toEqual([removed(principalId)]);
});

test('a group that is made, changed or deleted is told; what is not tracked is not', async () => {
  const { maya, group, person } = await started();
  const [all, names] = [await follow(maya, '/v1.0/groups/delta'), await follow(maya, '/v1.0/groups/delta?$select=displayName')];
  expect(names.value.every((told) => Object.keys(told).sort().join() === 'displayName,id')).toBe(true);

  const made = (await maya('POST', '/v1.0/groups', { displayName: 'New', mailEnabled: false, mailNickname: 'new', securityEnabled: true })).body.id as string;
  await change(maya, 'POST', `/groups/${made}/members/$ref`, reference(person(ANA)));
  await change(maya, 'PATCH', `/groups/${group('Finance team')}`, { description: null });
  await change(maya, 'POST', `/groups/${group('Engineering')}/owners/$ref`, reference(person(ANA)));
  await change(maya, 'DELETE', `/groups/${group('QuickAccess-Helpdesk-SecureAccess')}`);
  const brief = (await maya('POST', '/v1.0/groups', { displayName: 'Brief', mailEnabled: false, mailNickname: 'brief', securityEnabled: true })).body.id as string;
  expect((await follow(maya, '/v1.0/groups/delta')).value.map(({ id }) => id)).toContain(brief);
  await change(maya, 'DELETE', `/groups/${brief}`);

  const told = new Map((await follow(maya, all.link)).value.map((one) => [one.id, one]));
  expect(told.get(made)).toMatchObject({ displayName: 'New', securityEnabled: true, groupTypes: [], 'members@delta': [user(person(ANA))] });
  expect(told.get(group('Finance team'))).toMatchObject({ displayName: 'Finance team', description: null });
  expect(told.get(group('Finance team'))).not.toHaveProperty('members@delta');
  expect(told.get(group('QuickAccess-Helpdesk-SecureAccess'))).toEqual({ id: group('QuickAccess-Helpdesk-SecureAccess'), '@removed': { reason: 'deleted' } });
  expect([told.has(group('Engineering')), told.has(brief)]).toEqual([false, false]);
  expect((await follow(maya, names.link)).value.map(({ id }) => id).sort()).toEqual([made, group('QuickAccess-Helpdesk-SecureAccess')].sort());
});

test('owners are told where they are selected, and only what changed where no more is wanted', async () => {
  const { maya, group, groups, person } = await started();
  const id = group('Engineering');
  const first = await follow(maya, `/v1.0/groups/delta?$select=displayName,description,owners&$filter=id eq '${id}' or id eq '${group('Finance team')}'`);
  expect(first.value.map((one) => one.id).sort()).toEqual([id, group('Finance team')].sort());
  expect(first.value.find((one) => one.id === id)?.['owners@delta']).toEqual(groups.find((one) => one.id === id)?.ownerIds.map(user));
  await change(maya, 'POST', `/groups/${id}/owners/$ref`, reference(person(ANA)));
  await change(maya, 'PATCH', `/groups/${group('Build team')}`, { description: 'Not asked for' });
  expect((await follow(maya, first.link, { prefer: 'return=minimal' })).value).toEqual([{ id, 'owners@delta': [user(person(ANA))] }]);
  expect((await follow(maya, first.link)).value).toMatchObject([{ id, displayName: 'Engineering', description: expect.any(String) }]);
});

test('whoever begins from now is told nothing of before', async () => {
  const { maya, group } = await started();
  const latest = await follow(maya, '/v1.0/groups/delta?$select=displayName&$deltatoken=latest');
  expect(latest.value).toEqual([]);
  await change(maya, 'PATCH', `/groups/${group('Finance team')}`, { displayName: 'Finance' });
  expect((await follow(maya, latest.link)).value).toEqual([{ id: group('Finance team'), displayName: 'Finance' }]);
});

test('what changes between the pages of a round is told by the link at its end', async () => {
  const { maya, groups, person } = await started();
  const page = (await maya('GET', '/v1.0/groups/delta')).body;
  const { id } = page.value.find((told: Told) => groups.find((one) => one.id === told.id)?.displayName.endsWith('SecureAccess'));
  await change(maya, 'POST', `/groups/${id}/members/$ref`, reference(person('ines.moreau@contoso.example')));
  const { link } = await follow(maya, page['@odata.nextLink']);
  expect((await follow(maya, link)).value).toMatchObject([{ id, 'members@delta': [user(person('ines.moreau@contoso.example'))] }]);
});

test('a link lives for seven days, and a page as long as any other; then the client begins again where it is told to', async () => {
  const { tenant, maya, groups, group } = await started();
  const page = (await maya('GET', '/v1.0/groups/delta')).body['@odata.nextLink'];
  const { link } = await follow(maya, '/v1.0/groups/delta');
  await change(maya, 'PATCH', `/groups/${group('Finance team')}`, { displayName: 'Finance' });
  const { link: later } = await follow(maya, '/v1.0/groups/delta');
  await tenant.advance('PT167H');
  const young = await follow(maya, link);
  expect(young.value.map(({ id }) => id)).toContain(group('Finance team'));
  await tenant.advance('PT61M');
  const gone = await maya('GET', link);
  expect([gone.status, gone.body.error.code]).toEqual([410, 'syncStateNotFound']);
  expect((await follow(maya, gone.headers.get('location') ?? '')).value).toHaveLength(groups.length);
  expect((await maya('GET', later)).status).toBe(410);
  expect((await maya('GET', page)).body.error.code).toBe('Directory_ExpiredPageToken');
  // The change is forgotten by now, and still a young link goes on from it.
  expect((await tenant.state()).groupChanges.changes.filter(({ groupId }: { groupId: string }) => groupId === group('Finance team'))).toEqual([]);
  expect((await follow(maya, young.link)).value).toEqual([]);
});

test('a link goes on after a restart, and not in another tenant', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'emulated-tenant-'));
  onTestFinished(() => { rmSync(folder, { recursive: true }); });
  const stateFile = join(folder, 'emulated-tenant.json');
  const before = await (async () => {
    await using tenant = await startTenant({ stateFile });
    const maya = await tenant.as(MAYA, SCOPES);
    const { link } = await follow(maya, '/v1.0/groups/delta?$select=displayName');
    const id = (await maya('GET', '/v1.0/groups?$filter=displayName eq \'Finance team\'')).body.value[0].id as string;
    await change(maya, 'PATCH', `/groups/${id}`, { displayName: 'Finance' });
    return { link: link.slice(tenant.url.length), id };
  })();
  const { maya } = await started({ stateFile });
  expect((await follow(maya, before.link)).value).toEqual([{ id: before.id, displayName: 'Finance' }]);
  const again = await (await started()).maya('GET', before.link);
  expect([again.status, again.body.error.code]).toEqual([410, 'resyncRequired']);
});

test.each([
  ['$filter=displayName eq \'x\'', 'Request_UnsupportedQuery'],
  [`$filter=${Array.from({ length: 51 }, () => `id eq '00000000-0000-4000-8000-000000000000'`).join(' or ')}`, 'Request_BadRequest'],
  ['$select=colour', 'BadRequest'],
  ['$top=5', 'Request_UnsupportedQuery'],
  ['$expand=members', 'Request_UnsupportedQuery'],
  ['$orderby=displayName', 'Request_UnsupportedQuery'],
  ['$deltatoken=nonsense', 'Request_BadRequest'],
  ['$skiptoken=nonsense', 'Request_BadRequest'],
  ['$skiptoken=e30&$select=displayName', 'Request_UnsupportedQuery'],
])('a query with %s is refused', async (query, code) => {
  const { maya } = await started();
  const answer = await maya('GET', `/v1.0/groups/delta?${query}`);
  expect([answer.status, answer.body.error.code]).toEqual([400, code]);
});

test('so much changes that the oldest is forgotten early', async () => {
  await using directory = await startDirectory();
  const maya = directory.as('Maya Lindqvist', 'Group.Read.All');
  const latest = async (): Promise<string> => (await maya('/v1.0/groups/delta?$deltatoken=latest')).body['@odata.deltaLink'];
  const [before, log] = [await latest(), directory.tenant.groupChanges];
  const change = (number: number) => ({ id: String(number), at: NOW.toISOString(), groupId: directory.group('Finance team').id, facets: ['displayName'] });
  log?.changes.push(...Array.from({ length: 20_000 }, (_, number) => change(number)));
  expect((await maya(before)).status).toBe(200);
  log?.changes.push(change(20_000));
  expect(await maya(before)).toMatchObject({ status: 410, body: { error: { code: 'resyncRequired' } } });
  expect((await maya(await latest())).status).toBe(200);
});

test('is for who may read groups', async () => {
  const { tenant } = await started();
  expect((await (await tenant.as(ANA, 'User.Read'))('GET', '/v1.0/groups/delta')).status).toBe(403);
});
