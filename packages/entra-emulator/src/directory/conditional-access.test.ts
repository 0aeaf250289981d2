import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startDirectory, type Send } from './testing.ts';

const POLICIES = '/v1.0/identity/conditionalAccess/policies';
const CONTEXTS = '/v1.0/identity/conditionalAccess/authenticationContextClassReferences';
const SCOPES = ['Policy.Read.All', 'Policy.ReadWrite.ConditionalAccess', 'Application.Read.All', 'AuthenticationContext.ReadWrite.All'];
const NOBODY = '00000000-0000-4000-8000-000000000000';
const WISH = {
  displayName: 'Strong sign-in for finance', state: 'enabled', grantControls: { operator: 'OR', builtInControls: ['mfa'] },
  conditions: { applications: { includeAuthenticationContextClassReferences: ['c1'] }, users: { includeUsers: ['All'] } },
};
const CONDITIONS = WISH.conditions;

describe('Conditional Access', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let admin: Send;
  beforeEach(async () => {
    directory = await startDirectory();
    directory.user('Grace Kim').directoryRoles = ['Conditional Access Administrator'];
    admin = directory.as('Grace Kim', ...SCOPES);
  });
  afterEach(async () => directory[Symbol.asyncDispose]());

  test('has a policy for the context that is offered, and prints it whole', async () => {
    const { body } = await admin(POLICIES);
    expect(body.value).toMatchObject([{ state: 'enabled', conditions: { applications: { includeAuthenticationContextClassReferences: ['c1'], includeApplications: [] }, users: { includeUsers: ['All'], excludeRoles: [] }, clientAppTypes: ['all'] }, grantControls: { builtInControls: ['mfa'] } }]);
    expect((await admin(`${POLICIES}/${body.value[0].id}`)).body).toMatchObject(body.value[0]);
    expect((await admin(`${POLICIES}?$filter=state eq 'disabled'`)).body.value).toEqual([]);
    expect((await admin(`${POLICIES}?$filter=createdDateTime ge 2020-01-01T00:00:00Z`)).status).toBe(400);
  });

  test('takes a policy, changes it in parts and lets it go', async () => {
    const made = await admin(POLICIES, { body: { ...WISH, state: 'ENABLED', conditions: { ...CONDITIONS, users: { includeGroups: [directory.group('Finance team').id] } } } });
    expect(made).toMatchObject({ status: 201, body: { displayName: WISH.displayName, state: 'enabled', modifiedDateTime: null, sessionControls: null, conditions: { users: { includeUsers: [], includeGroups: [directory.group('Finance team').id] } } } });
    expect(made.body.createdDateTime).toMatch(/\.\d{7}Z$/);
    const path = `${POLICIES}/${made.body.id}`;
    expect((await admin(path, { method: 'PATCH', body: { state: 'disabled', conditions: { signInRiskLevels: ['high'] } } })).status).toBe(204);
    expect((await admin(path)).body).toMatchObject({ displayName: WISH.displayName, state: 'disabled', modifiedDateTime: expect.any(String), conditions: { signInRiskLevels: ['high'], applications: CONDITIONS.applications } });
    expect((await admin(path, { method: 'DELETE' })).status).toBe(204);
    expect((await admin(path)).status).toBe(404);
    expect((await admin(POLICIES)).body.value).toHaveLength(1);
  });

  test('a policy that is changed stays changed, and a new context has none', async () => {
    const [{ id }] = (await admin(POLICIES)).body.value;
    expect((await admin(`${CONTEXTS}/c7`, { method: 'PATCH', body: { displayName: 'Payroll', description: '', isAvailable: true } })).status).toBe(204);
    expect((await admin(POLICIES)).body.value).toHaveLength(1);
    expect((await admin(`${POLICIES}/${id}`, { method: 'PATCH', body: { displayName: 'Mine' } })).status).toBe(204);
    expect((await admin(`${POLICIES}/${id}`)).body.displayName).toBe('Mine');
    expect((await admin(POLICIES, { body: { ...WISH, conditions: { ...CONDITIONS, applications: { includeAuthenticationContextClassReferences: ['c7'] } } } })).status).toBe(201);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no name', { displayName: undefined }, '\'displayName\''],
    ['an unknown state', { state: 'on' }, '\'state\''],
    ['no conditions', { conditions: undefined }, '\'conditions\''],
    ['what is unknown', { colour: 'red' }, '\'colour\''],
    ['an unknown condition', { conditions: { ...CONDITIONS, moon: 'full' } }, '\'moon\''],
    ['an unknown rule for users', { conditions: { ...CONDITIONS, users: { includeUsers: ['All'], includeFriends: [] } } }, '\'includeFriends\''],
    ['everybody in other words', { conditions: { ...CONDITIONS, users: { includeUsers: ['Everybody'] } } }, '\'conditions/users/includeUsers\''],
    ['nobody', { conditions: { ...CONDITIONS, users: {} } }, 'users, groups or roles'],
    ['a person who does not exist', { conditions: { ...CONDITIONS, users: { includeUsers: [NOBODY] } } }, `the user '${NOBODY}'`],
    ['a group that does not exist', { conditions: { ...CONDITIONS, users: { includeGroups: [NOBODY] } } }, `the group '${NOBODY}'`],
    ['a context that does not exist', { conditions: { ...CONDITIONS, applications: { includeAuthenticationContextClassReferences: ['c9'] } } }, 'authentication context \'c9\''],
    ['no application', { conditions: { ...CONDITIONS, applications: {} } }, 'one kind of them alone'],
    ['applications and a context', { conditions: { ...CONDITIONS, applications: { includeApplications: ['All'], includeAuthenticationContextClassReferences: ['c1'] } } }, 'one kind of them alone'],
    ['no control', { grantControls: null }, 'grant control or a session control'],
    ['empty controls', { grantControls: { operator: 'OR', builtInControls: [] } }, 'empty'],
    ['controls without an operator', { grantControls: { builtInControls: ['mfa'] } }, '\'grantControls/operator\''],
    ['an unknown control', { grantControls: { operator: 'OR', builtInControls: ['password'] } }, '\'grantControls/builtInControls\''],
    ['a block with more', { grantControls: { operator: 'OR', builtInControls: ['block', 'mfa'] } }, '\'block\''],
    ['a second factor twice', { grantControls: { operator: 'OR', builtInControls: ['mfa'], authenticationStrength: { id: '00000000-0000-0000-0000-000000000004' } } }, 'authentication strength'],
    ['a frequency without a unit that is known', { sessionControls: { signInFrequency: { isEnabled: true, value: 4, type: 'weeks' } } }, '\'sessionControls/signInFrequency/type\''],
  ])('refuses a policy with %s', async (_what, change, message) => {
    const answer = await admin(POLICIES, { body: { ...WISH, ...change } });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BadRequest', message: expect.stringContaining(message) } } });
    expect((await admin(POLICIES)).body.value).toHaveLength(1);
  });

  test('refuses a change that would leave no policy', async () => {
    const [{ id }] = (await admin(POLICIES)).body.value;
    expect((await admin(`${POLICIES}/${id}`, { method: 'PATCH', body: { grantControls: null } })).status).toBe(400);
    expect((await admin(`${POLICIES}/${id}`, { method: 'PATCH', body: { conditions: { users: { includeUsers: [NOBODY] } } } })).status).toBe(400);
    expect((await admin(`${POLICIES}/${id}`)).body).toMatchObject({ grantControls: { builtInControls: ['mfa'] }, conditions: { users: { includeUsers: ['All'] } } });
  });

  test.each<[string, string, object | undefined, number]>([['POST', '', WISH, 201], ['PATCH', '/ID', { displayName: 'Mine' }, 204], ['DELETE', '/ID', undefined, 204]])('%s is for who administers it, with all permissions for it', async (method, rest, body, done) => {
    const path = `${POLICIES}${rest.replace('ID', (await admin(POLICIES)).body.value[0].id)}`;
    const options = { method, ...(body && { body }) };
    expect((await directory.as('Maya Lindqvist', ...SCOPES)(path, options)).status).toBe(403);
    expect((await directory.as('Grace Kim', 'Policy.ReadWrite.ConditionalAccess')(path, options)).status).toBe(403);
    expect((await directory.as('Grace Kim', 'Policy.Read.All')(path, options)).status).toBe(403);
    expect((await admin(path, options)).status).toBe(done);
  });

  test('is read by who may read policies', async () => {
    expect((await directory.as('Ana Costa', 'Policy.Read.All')(POLICIES)).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'Policy.Read.All')(POLICIES)).status).toBe(200);
    expect((await directory.as('Maya Lindqvist', 'Policy.Read.ConditionalAccess')(POLICIES)).status).toBe(403);
    expect((await directory.asApp('Policy.Read.All')(`${POLICIES}/${NOBODY}`)).status).toBe(404);
    expect((await directory.asApp('Policy.Read.All')(`${POLICIES}/mine`)).status).toBe(400);
  });

  test('has contexts c1 to c99', async () => {
    const set = async (id: string, body: object = { displayName: 'Payroll', description: '', isAvailable: true }) => (await admin(`${CONTEXTS}/${id}`, { method: 'PATCH', body })).status;
    expect([await set('c99'), await set('c100'), await set('c0'), await set('x1')]).toEqual([204, 400, 400, 400]);
    expect((await admin(`${CONTEXTS}/c99`)).body).toMatchObject({ id: 'c99', displayName: 'Payroll', isAvailable: true });
    expect([await set('c99', { isAvailable: false }), await set('c98', {}), await set('c99', { colour: 'red' })]).toEqual([204, 400, 400]);
    expect((await admin(`${CONTEXTS}/c99`)).body).toMatchObject({ displayName: 'Payroll', isAvailable: false });
    expect((await directory.as('Grace Kim', 'AuthenticationContext.Read.All')(`${CONTEXTS}/c99`, { method: 'PATCH', body: { isAvailable: true } })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', ...SCOPES)(`${CONTEXTS}/c99`, { method: 'PATCH', body: { isAvailable: true } })).status).toBe(403);
  });
});
