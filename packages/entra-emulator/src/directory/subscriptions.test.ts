import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOW, startDirectory, type Send } from './testing.ts';

const PATH = '/v1.0/subscriptions';
const minutes = (count: number): string => new Date(NOW.getTime() + count * 60_000).toISOString();
const WISH = { changeType: 'updated,deleted', notificationUrl: 'https://portal.contoso.example/changes', resource: 'groups', expirationDateTime: minutes(41_760), clientState: 'secret' };

describe('change notifications', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let maya: Send;
  beforeAll(async () => {
    directory = await startDirectory();
    maya = directory.as('Maya Lindqvist', 'Group.Read.All', 'User.Read.All');
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  test.each(['groups', '/groups', 'users', 'groups/ID'])('of %s are refused in the end, since nobody answers the validation', async (resource) => {
    const answer = await maya(PATH, { body: { ...WISH, resource: resource.replace('ID', directory.group('Finance team').id) } });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidRequest', message: expect.stringContaining('Subscription validation request failed.') } } });
    expect((await maya(PATH)).body.value).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['no address', { notificationUrl: undefined }, 'notificationUrl is required'],
    ['no resource', { resource: undefined }, 'resource is required'],
    ['no kind of change', { changeType: '' }, 'changeType is required'],
    ['no end', { expirationDateTime: undefined }, 'expirationDateTime is required'],
    ['an address without encryption', { notificationUrl: 'http://127.0.0.1:3000/changes' }, 'https'],
    ['an address that is none', { notificationUrl: 'changes' }, 'https'],
    ['a second address without encryption', { lifecycleNotificationUrl: 'http://127.0.0.1/' }, 'https'],
    ['what PIM does', { resource: 'identityGovernance/privilegedAccess/group/assignmentScheduleRequests' }, 'does not support change notifications'],
    ['the audit log', { resource: 'auditLogs/directoryAudits' }, 'does not support change notifications'],
    ['network access', { resource: 'networkAccess/logs/traffic' }, 'does not support change notifications'],
    ['one person', { resource: 'users/11111111-2222-4333-8444-555555555555' }, 'does not support change notifications'],
    ['new groups', { changeType: 'created' }, 'Change type \'created\''],
    ['one change twice', { changeType: 'updated,updated' }, 'Change type'],
    ['a minute too many', { expirationDateTime: minutes(41_761) }, '41760 minutes'],
    ['an end that is over', { expirationDateTime: minutes(-1) }, 'in the future'],
    ['an end that is no instant', { expirationDateTime: 'tomorrow' }, 'not an instant'],
    ['a long secret', { clientState: 'x'.repeat(129) }, '128 characters'],
    ['the data themselves', { includeResourceData: true }, 'Resource data'],
  ])('with %s are refused for it', async (_what, change, message) => {
    expect(await maya(PATH, { body: { ...WISH, ...change } })).toMatchObject({ status: 400, body: { error: { code: 'InvalidRequest', message: expect.stringContaining(message) } } });
  });

  test('with what is unknown, or of a group that is not there, are refused', async () => {
    expect((await maya(PATH, { body: { ...WISH, colour: 'red' } })).body.error.message).toContain('\'colour\'');
    expect((await maya(PATH, { body: { ...WISH, resource: 'groups/00000000-0000-4000-8000-000000000000' } })).status).toBe(404);
  });

  test('take the permission to read what is watched', async () => {
    expect((await directory.as('Maya Lindqvist', 'User.Read.All')(PATH, { body: WISH })).status).toBe(403);
    expect((await directory.asApp('Group.Read.All')(PATH, { body: { ...WISH, resource: 'users' } })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'Group.ReadWrite.All')(PATH, { body: WISH })).status).toBe(403);
    expect((await directory.asApp('Group.Read.All')(PATH, { body: WISH })).status).toBe(400);
  });

  test('are none, so none is read, prolonged or removed', async () => {
    const one = `${PATH}/7f105c7d-2dc5-4530-97cd-4e7ae6534c07`;
    const codes = [await maya(one), await maya(one, { method: 'PATCH', body: { expirationDateTime: minutes(60) } }), await maya(one, { method: 'DELETE' })].map(({ status, body }) => [status, body.error.code]);
    expect(codes).toEqual(Array.from({ length: 3 }, () => [404, 'ResourceNotFound']));
    expect((await maya(one, { method: 'PATCH', body: { expirationDateTime: minutes(50_000) } })).status).toBe(400);
    expect((await maya(one, { method: 'PATCH', body: { resource: 'users' } })).status).toBe(400);
  });
});
