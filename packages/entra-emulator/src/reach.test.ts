import { beforeEach, describe, expect, test } from 'vitest';
import { reach } from './reach.ts';
import { seedTenant } from './seed/seed.ts';
import type { Application, ConnectorGroup, Group, Tenant, User } from './tenant.ts';

const ANA = 'ana.costa@contoso.example';
const FINANCE = ['fin-rep.corp.contoso.example', 443] as const;

function need<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('the seed lacks it');
  return found;
}

describe('what Private Access answers', () => {
  let tenant: Tenant;
  beforeEach(() => { tenant = seedTenant('demo', new Date('2026-03-02T09:00:00Z')); });

  const person = (upn: string): User => need(tenant.users.find((user) => user.userPrincipalName === upn));
  const group = (name: string): Group => need(tenant.groups.find((one) => one.displayName === name));
  const application = (name: string): Application => need(tenant.applications.find((one) => one.displayName === name));
  const connectors = (name: string): ConnectorGroup => need(tenant.connectorGroups.find((one) => one.name === name));
  const letIn = (upn: string, name: string): void => { group(name).memberIds.push(person(upn).id); };

  test('who is not in an assigned group is refused, and who is in it enters', () => {
    expect(reach(tenant, ANA, ...FINANCE)).toEqual({ allowed: false, application: 'Finance reports', reason: 'Ana Costa is not assigned to Finance reports: neither directly nor as a direct member of an assigned group.' });
    letIn(ANA, 'FinReport-Controller-SecureAccess');
    expect(reach(tenant, ANA, ...FINANCE)).toEqual({ allowed: true, application: 'Finance reports', reason: 'Ana Costa is a member of FinReport-Controller-SecureAccess, which is assigned.' });
  });

  test('a member of a group inside an assigned group has no access', () => {
    letIn(ANA, 'Finance team');
    group('FinReport-Controller-SecureAccess').memberIds.push(group('Finance team').id);
    expect(reach(tenant, ANA, ...FINANCE).allowed).toBe(false);
  });

  test('assigned directly, or where no assignment is required, one enters', () => {
    const resource = need(tenant.servicePrincipals.find((one) => one.displayName === 'Payroll'));
    resource.appRoleAssignmentRequired = false;
    expect(reach(tenant, ANA, 'payroll.corp.contoso.example', 443)).toMatchObject({ allowed: true, reason: expect.stringContaining('does not require assignment') });
    resource.appRoleAssignmentRequired = true;
    tenant.appRoleAssignments.push({ id: 'a', appRoleId: 'r', principalId: person(ANA).id, principalType: 'User', resourceId: resource.id, createdDateTime: '2026-01-01T00:00:00Z' });
    expect(reach(tenant, ANA, 'payroll.corp.contoso.example', 443).allowed).toBe(true);
  });

  test.each([
    ['fin-rep.corp.contoso.example', 443, 'Finance reports'],
    ['FIN-REP.corp.contoso.example', 3389, 'Finance reports'],
    ['fin-rep.corp.contoso.example', 22, 'Quick Access'],
    ['ci7.build.corp.contoso.example', 22, 'Build servers'],
    ['10.20.0.255', 22, 'Build servers'],
    ['10.20.1.0', 22, undefined],
    ['10.10.200.3', 443, 'Quick Access'],
    ['wiki.corp.contoso.example', 443, 'Quick Access'],
    ['anything.corp.contoso.example', 8080, 'Quick Access'],
    ['example.org', 443, undefined],
  ])('%s:%i belongs to %s', (host, port, name) => {
    expect(reach(tenant, ANA, host, port).application).toBe(name);
  });

  test('an application of its own beats Quick Access, also in refusing', () => {
    letIn(ANA, 'QuickAccess-Helpdesk-SecureAccess');
    expect(reach(tenant, ANA, 'wiki.corp.contoso.example', 443).allowed).toBe(true);
    application('Quick Access').segments.push({ id: 's', destinationHost: FINANCE[0], destinationType: 'fqdn', port: 0, ports: ['443-443'], protocol: 'tcp' });
    expect(reach(tenant, ANA, ...FINANCE)).toMatchObject({ allowed: false, application: 'Finance reports' });
  });

  test('nothing is reached without a profile, a live connector, an enabled account or application', () => {
    const closed: readonly [(tenant: Tenant) => void, (tenant: Tenant) => void, string][] = [
      [() => { need(tenant.forwardingProfiles.find((one) => one.trafficForwardingType === 'private')).state = 'disabled'; }, () => { need(tenant.forwardingProfiles.find((one) => one.trafficForwardingType === 'private')).state = 'enabled'; }, 'not enabled'],
      [() => { for (const one of connectors('EU-1').connectors) one.status = 'inactive'; }, () => { for (const one of connectors('EU-1').connectors) one.status = 'active'; }, 'No connector of the group EU-1 is live'],
      [() => { person(ANA).accountEnabled = false; }, () => { person(ANA).accountEnabled = true; }, 'disabled'],
      [() => { need(tenant.servicePrincipals.find((one) => one.displayName === 'Finance reports')).accountEnabled = false; }, () => {}, 'turned off'],
    ];
    letIn(ANA, 'FinReport-Controller-SecureAccess');
    for (const [close, open, reason] of closed) {
      expect(reach(tenant, ANA, ...FINANCE).allowed).toBe(true);
      close(tenant);
      expect(reach(tenant, ANA, ...FINANCE)).toMatchObject({ allowed: false, reason: expect.stringContaining(reason) });
      open(tenant);
    }
  });

  test('where the traffic profile asks for an assignment, only who has it gets it, and no member of a group inside', () => {
    letIn(ANA, 'FinReport-Controller-SecureAccess');
    const client = need(tenant.servicePrincipals.find(({ id }) => id === tenant.forwardingProfiles.find((one) => one.trafficForwardingType === 'private')?.servicePrincipalId));
    client.appRoleAssignmentRequired = true;
    const assign = (group: Group) => { tenant.appRoleAssignments.push({ id: group.id, appRoleId: 'r', principalId: group.id, principalType: 'Group', resourceId: client.id, createdDateTime: '2026-01-01T00:00:00Z' }); };
    expect(reach(tenant, ANA, ...FINANCE)).toEqual({ allowed: false, reason: 'The Private Access traffic forwarding profile is not assigned to Ana Costa.' });
    assign(group('Engineering'));
    group('Engineering').memberIds.push(group('Finance team').id);
    expect(reach(tenant, ANA, ...FINANCE).allowed).toBe(false);
    assign(group('Finance team'));
    expect(reach(tenant, ANA, ...FINANCE).allowed).toBe(true);
  });

  test('one live connector of two is enough, and a stranger is nobody', () => {
    letIn(ANA, 'Build-Engineer-SecureAccess');
    expect(reach(tenant, ANA, '10.20.0.7', 22).allowed).toBe(true);
    expect(reach(tenant, 'nobody@contoso.example', ...FINANCE)).toEqual({ allowed: false, reason: 'Nobody in Contoso has the name nobody@contoso.example.' });
  });
});
