import { GraphError } from '@gatehouse/graph';
import { expect, test } from 'vitest';
import { contract, SETUP, type Stage } from './contract.ts';
import { ANA, MAYA, OMAR, startTenant } from './emulated-tenant.ts';

contract('the emulated tenant', async (): Promise<Stage> => {
  const tenant = await startTenant();
  return {
    people: { admin: MAYA, analyst: ANA, approver: OMAR }, mark: 'Contract', auditMinutes: 60,
    as: tenant.as, asPortal: tenant.asPortal, now: tenant.now, mail: async () => 'ana.costa@contoso.example',
    pass: (minutes) => tenant.advance(`PT${minutes}M`),
    eventually: (look) => look(),
    [Symbol.asyncDispose]: () => tenant[Symbol.asyncDispose](),
  };
});

test('PIM does not know a new group at once, and that is said', async () => {
  await using tenant = await startTenant();
  const maya = await tenant.as(MAYA, SETUP);
  const { group } = await maya.directory.ensureGroup({ uniqueName: 'new', displayName: 'New', mailNickname: 'new', ownerIds: [(await maya.directory.me()).id] });
  const wish = { groupId: group.id, principalId: (await maya.directory.me()).id, expiry: { startsAt: '2026-03-02T09:00:00Z', endsAt: '2026-05-31T09:00:00Z' }, justification: 'Team' };
  const outcome = await maya.pim.assignEligible(wish).then(() => undefined, (error: unknown) => error);
  expect(outcome).toBeInstanceOf(GraphError);
  expect((outcome as GraphError).failure).toBe('not-found');
  await tenant.advance('PT1M');
  expect((await maya.pim.assignEligible(wish)).action).toBe('adminAssign');
});

test('what the tenant has is read as what it is', async () => {
  await using tenant = await startTenant();
  const maya = await tenant.as(MAYA, SETUP);
  const all = await maya.applications.privateAccess();
  expect(all.filter((application) => application.kind === 'quick-access')).toHaveLength(1);
  const finance = all.find((application) => application.displayName === 'Finance reports');
  if (!finance) throw new Error('no Finance reports');
  expect(finance).toMatchObject({ kind: 'per-app', enabled: true, assignmentRequired: true });
  expect(await maya.applications.privateAccessByName('Finance reports')).toEqual(finance);
  expect((await maya.applications.segments(finance.appId)).map((segment) => segment.destinationHost)).toContain('fin-rep.corp.contoso.example');
  expect((await maya.applications.searchEnterprise('Finance', 5)).map((found) => found.kind)).not.toContain('per-app');
  const connectors = await maya.applications.connectorGroups();
  expect(connectors.find((group) => group.name === 'EU-1')?.connectors.map((connector) => connector.live)).toEqual([true, true]);
  expect(connectors.find((group) => group.name === 'US-1')?.connectors.map((connector) => connector.live).sort()).toEqual([false, true]);
  expect(await maya.applications.connectorGroupOf(finance.appId)).toEqual(connectors.find((group) => group.name === 'EU-1'));
  const payroll = (await maya.directory.groupsByName(['Payroll-Operator-SecureAccess']))[0];
  if (!payroll) throw new Error('no group of payroll');
  const ana = (await maya.directory.usersByPrincipalName([ANA]))[0];
  const startsAt = '2026-03-10T09:00:00Z';
  const ben = (await maya.directory.usersByPrincipalName(['ben.novak@contoso.example']))[0];
  await maya.pim.assignEligible({ groupId: payroll.id, principalId: ben?.id ?? '', expiry: { startsAt, endsAt: '2026-04-10T09:00:00Z' }, justification: 'Next month' });
  await tenant.advance('PT1M');
  const schedules = await maya.pim.eligibilitySchedules(payroll.id);
  expect(schedules.find(({ principalId }) => principalId === ben?.id)?.startsAt?.slice(0, 19)).toBe('2026-03-10T09:00:00');
  expect(schedules.find(({ principalId }) => principalId === ana?.id)).toMatchObject({ groupId: payroll.id, accessId: 'member' });
  expect((await maya.pim.eligibilities(payroll.id)).some(({ principalId }) => principalId === ben?.id), 'what has not begun is no eligibility yet').toBe(false);
  expect(schedules.find(({ principalId }) => principalId === ben?.id)).toMatchObject({ status: 'Provisioned', createdUsing: expect.any(String), createdAt: expect.any(String) });
  const me = await maya.directory.me();
  expect((await maya.pim.eligibilityRequests(payroll.id)).find(({ principalId }) => principalId === ben?.id)).toMatchObject({ action: 'adminAssign', status: 'Provisioned', statusAsGiven: 'Provisioned', createdBy: me.id, justification: 'Next month', endsAt: '2026-04-10T09:00:00Z' });
  const profile = await maya.network.privateAccessProfile();
  expect(profile.state).toBe('enabled');
  expect(await maya.applications.application(profile.servicePrincipalId ?? '')).toMatchObject({ displayName: 'ZTNA Network Access Client - Private', assignmentRequired: false });
  expect((await maya.conditionalAccess.authenticationContexts()).map((context) => context.id)).toContain('c1');
});

test('many names are looked up in few round trips, whatever their case, and what is nobody’s is left out', async () => {
  await using tenant = await startTenant();
  const maya = await tenant.as(MAYA, SETUP);
  const nobody = Array.from({ length: 40 }, (_, index) => `o'nobody-${index}@contoso.example`);
  expect((await maya.directory.usersByPrincipalName([...nobody, ANA.toUpperCase(), OMAR])).map(({ userPrincipalName }) => userPrincipalName).sort()).toEqual([ANA, OMAR].sort());
  expect((await maya.directory.groupsByName(['build-engineer-secureaccess', ...nobody])).map(({ displayName }) => displayName)).toEqual(['Build-Engineer-SecureAccess']);
  expect((await maya.applications.applicationsByNames([...nobody, 'finance reports'])).map(({ displayName, kind }) => [displayName, kind])).toEqual([['Finance reports', 'per-app']]);
  expect(await maya.directory.usersByPrincipalName([])).toEqual([]);
});
