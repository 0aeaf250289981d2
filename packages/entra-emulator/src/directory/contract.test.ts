import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGraphContract } from '../../../../testing/graph-contract.ts';
import { DEVIATIONS } from '../../../../testing/graph-deviations.ts';
import { auditRoutes } from '../audit-log.ts';
import { directoryRoutes } from './routes.ts';
import { startDirectory, type Answer, type Send } from './testing.ts';

/** Microsoft's published contract, beside the repository where it is developed; a clone by itself has none. */
const contract = readGraphContract(join(import.meta.dirname, '../../../../../shared/graph'));

const SCOPES = [
  'User.Read', 'User.Read.All', 'Group.ReadWrite.All', 'GroupMember.Read.All', 'Directory.Read.All', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'Policy.Read.All',
  'Policy.ReadWrite.ConditionalAccess', 'Application.Read.All', 'AuthenticationContext.ReadWrite.All', 'AuditLog.Read.All',
];
const USER_ROLE = '18d14569-c3bd-439b-9a66-3a2aee01d14f';
const TEMPLATE = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
const CA = '/identity/conditionalAccess';

describe.runIf(contract).each(['v1.0', 'beta'] as const)('the directory of %s answers as it is published:', (version) => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let send: Send;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    directory = await startDirectory([...directoryRoutes, ...auditRoutes]);
    directory.user('Maya Lindqvist').directoryRoles = ['Global Administrator'];
    send = directory.as('Maya Lindqvist', ...SCOPES);
    const { tenant } = directory;
    Object.assign(ids, { GROUP: directory.group('Engineering').id, PERSON: directory.user('Ben Novak').id, SERVICE: tenant.servicePrincipals.find(({ displayName }) => displayName === 'Payroll')?.id ?? '', SIGN_IN: tenant.id });
    tenant.signIns = [{ id: tenant.id, correlationId: tenant.id, createdDateTime: '2026-03-02T08:00:00.000Z', userId: directory.user('Ana Costa').id, appId: tenant.servicePrincipals[0]?.appId ?? '', errorCode: 0, failureReason: null, acrs: ['c1'] }];
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  // One after the other: what one makes, a later one names by the word in its fourth column.
  test.each<[string, string, (object | undefined)?, string?]>([
    ['GET', '/groups/delta?$select=displayName,members'], ['GET', '/groups/delta()'], ['GET', '/groups?$top=3&$expand=members'], ['GET', '/groups/GROUP?$expand=owners'], ['GET', '/groups/GROUP/members'], ['GET', '/groups/GROUP/transitiveMembers'],
    ['GET', '/groups/GROUP/members/$ref'], ['GET', '/groups/GROUP/owners/$ref'], ['GET', '/directoryObjects/GROUP'], ['GET', '/directoryObjects/SERVICE'],
    ['POST', '/directoryObjects/PERSON/checkMemberGroups', { groupIds: ['GROUP'] }], ['POST', '/me/checkMemberGroups', { groupIds: ['GROUP'] }], ['POST', '/users/PERSON/checkMemberGroups', { groupIds: ['GROUP'] }], ['POST', '/directoryObjects/getByIds', { ids: ['GROUP', 'SERVICE'] }],
    ['GET', '/users?$top=3'], ['GET', '/servicePrincipals?$expand=appRoleAssignedTo'], ['GET', '/servicePrincipals/SERVICE/appRoleAssignments'], ['POST', '/servicePrincipals/SERVICE/appRoleAssignments', { principalId: 'PERSON', resourceId: 'SERVICE', appRoleId: USER_ROLE }],
    ['GET', `/applicationTemplates/${TEMPLATE}`], ['POST', '/applications', { displayName: 'Ledger' }, 'APPLICATION'], ['POST', '/servicePrincipals', { appId: 'CLIENT' }], ['GET', '/applications/APPLICATION'],
    ['GET', `${CA}/policies`], ['PATCH', `${CA}/authenticationContextClassReferences/c5`, { displayName: 'Payroll', description: '', isAvailable: true }], ['GET', `${CA}/authenticationContextClassReferences`],
    ['POST', `${CA}/policies`, { displayName: 'Payroll', state: 'enabled', conditions: { applications: { includeAuthenticationContextClassReferences: ['c5'] }, users: { includeUsers: ['All'] } }, grantControls: { operator: 'OR', builtInControls: ['mfa'] }, sessionControls: { signInFrequency: { isEnabled: true, value: 4, type: 'hours' } } }, 'POLICY'],
    ['GET', `${CA}/policies/POLICY`], ['PATCH', `${CA}/policies/POLICY`, { state: 'disabled' }], ['DELETE', `${CA}/policies/POLICY`],
    ['GET', '/auditLogs/signIns'], ['GET', '/auditLogs/signIns/SIGN_IN'], ['GET', '/auditLogs/directoryAudits?$top=5'], ['GET', '/subscriptions'],
  ])('%s %s', async (method, path, body, name) => {
    const named = (text: string): string => text.replaceAll(/[A-Z_]{5,}/g, (word) => ids[word] ?? word);
    const url = `/${version}${named(path)}`;
    const sent: unknown = body && JSON.parse(named(JSON.stringify(body)));
    const answer: Answer = await send(url, { method, ...(body && { body: sent }) });
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    if (name !== undefined) Object.assign(ids, { [name]: answer.body.id, CLIENT: answer.body.appId });
    const { operation, differences } = contract?.check({ method, url, headers: {}, body: sent, status: answer.status, answer: answer.body }) ?? { operation: '', differences: [] };
    expect(differences.filter((one) => !DEVIATIONS.some((known) => known.in.test(operation) && known.differs.test(one)))).toEqual([]);
  });
});
