import type { PathDiagnosis, PathLinkName } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otherAdmin, type OtherAdmin } from '../../../../../testing/out-of-band.ts';
import { ANA, BEN, INES, MAYA, OMAR, startPortal, type Client, type TestPortal } from '../../testing.ts';

/**
 * One tenant, and one fault at a time: made past the portal by another administrator, looked at, and mended again. Whether
 * the person gets through is the emulated network's own word, which knows nothing of the portal.
 */

const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const FINANCE = 'fin-rep.corp.contoso.example:443';
const PAYROLL = 'payroll.corp.contoso.example:443';
const ARCHIVE = 'hr-arch.corp.contoso.example:443';
const WIKI = 'wiki.corp.contoso.example:443';
const BUILD = 'ci7.build.corp.contoso.example:22';
const MINUTE = 60_000;

const upnOf = (name: string): string => `${name.toLowerCase().normalize('NFD').replaceAll(/[^a-z ]/g, '').replace(' ', '.').replaceAll(' ', '')}@contoso.example`;

interface Stage {
  readonly portal: TestPortal;
  readonly maya: Client;
  readonly erik: OtherAdmin;
  /** Ids by display name. */
  user(name: string): string;
  group(name: string): string;
  principal(name: string): string;
  object(name: string): string;
}
let stage: Stage;

async function staged(): Promise<Stage> {
  const portal = await startPortal();
  const [maya, erik, state] = await Promise.all([portal.as(MAYA), otherAdmin(portal.emulator.url), portal.emulator.state()]);
  const idIn = (list: readonly { id: string; displayName: string }[]) => (name: string): string => {
    const found = list.find(({ displayName }) => displayName === name);
    if (!found) throw new Error(`the seed has no ${name}`);
    return found.id;
  };
  return { portal, maya, erik, user: idIn(state.users), group: idIn(state.groups), principal: idIn(state.servicePrincipals), object: idIn(state.applications) };
}

/** Eligible or active, from so many minutes from now on and for so many minutes. */
async function give(kind: 'eligibility' | 'assignment', name: string, group: string, minutes: number, from = 0): Promise<void> {
  const starts = stage.portal.now().getTime() + from * MINUTE;
  await stage.erik.graph('POST', `${PIM}/${kind}ScheduleRequests`, {
    accessId: 'member', principalId: stage.user(name), groupId: stage.group(group), action: 'adminAssign', justification: 'For a while',
    scheduleInfo: { startDateTime: new Date(starts).toISOString(), expiration: { type: 'afterDateTime', endDateTime: new Date(starts + minutes * MINUTE).toISOString() } },
  });
}

const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });
const principal = (name: string, change: Record<string, unknown>): Promise<unknown> => stage.erik.graph('PATCH', `/v1.0/servicePrincipals/${stage.principal(name)}`, change);
const segmentsPath = (name: string): string => `/beta/applications/${stage.object(name)}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;
const addSegment = (name: string, destinationHost: string, ...ports: number[]): Promise<unknown> => stage.erik.graph('POST', segmentsPath(name), { destinationHost, destinationType: 'fqdn', port: 0, ports: ports.map((port) => `${port}-${port}`), protocol: 'tcp' });
async function removeSegment(name: string, host: string): Promise<void> {
  const { value } = await stage.erik.graph('GET', segmentsPath(name));
  await stage.erik.graph('DELETE', `${segmentsPath(name)}/${value.find((one: { destinationHost: string }) => one.destinationHost === host).id}`);
}
async function unassign(name: string, group: string): Promise<void> {
  const { value } = await stage.erik.graph('GET', `/v1.0/servicePrincipals/${stage.principal(name)}/appRoleAssignedTo`);
  await stage.erik.graph('DELETE', `/v1.0/servicePrincipals/${stage.principal(name)}/appRoleAssignedTo/${value.find((one: { principalId: string }) => one.principalId === stage.group(group)).id}`);
}
const assign = (name: string, principalId: string): Promise<unknown> =>
  stage.erik.graph('POST', `/v1.0/servicePrincipals/${stage.principal(name)}/appRoleAssignedTo`, { principalId, resourceId: stage.principal(name), appRoleId: '18d14569-c3bd-439b-9a66-3a2aee01d14f' });
const activate = async (upn: string, group: string, more: object = {}): Promise<void> => {
  const asked = await (await stage.portal.as(upn)).post('/api/access/activations', { groupId: stage.group(group), minutes: 30, justification: 'Month-end close', ...more });
  expect(asked.status, JSON.stringify(asked.body)).toBe(201);
};
/** Graph answers this in place of what the tenant has. */
const answers = (path: string, value: readonly unknown[]) => stage.portal.emulator.faults([{ match: { method: 'GET', path }, times: null, fault: { kind: 'status', status: 200, body: JSON.stringify({ value }) } }]);
const noFaults = () => stage.portal.emulator.faults([]);

async function askedBy(client: Client, to: string, name?: string, protocol = 'tcp'): Promise<PathDiagnosis> {
  const address = name === undefined ? '/api/doctor' : `/api/doctor/people/${encodeURIComponent(upnOf(name))}`;
  const { status, body } = await client.get(`${address}?to=${encodeURIComponent(to)}&protocol=${protocol}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as PathDiagnosis;
}
const reaches = async (name: string, to: string): Promise<boolean> => (await (await fetch(`${stage.portal.emulator.url}/_emulator/reach?user=${upnOf(name)}&to=${to}`)).json() as { allowed: boolean }).allowed;
const linkOf = ({ links }: PathDiagnosis, name: PathLinkName | null) => links.find(({ link }) => link === name);
const statesOf = ({ links }: PathDiagnosis): string => links.filter(({ state }) => state !== 'holds').map(({ link, state }) => `${link} ${state}`).join(', ');

beforeAll(async () => {
  stage = await staged();
  // Who has had access for longer than a token of the client lives, and who had it until a moment ago.
  for (const [name, group, minutes] of [['Omar Haddad', 'FinReport-Controller-SecureAccess', 1440], ['Grace Kim', 'Build-Engineer-SecureAccess', 1440], ['Tomás Herrera', 'QuickAccess-Helpdesk-SecureAccess', 1440], ['Yuki Tanaka', 'JumpHost-DomainAdmin-SecureAccess', 1440], ['Zoë Peeters', 'QuickAccess-Helpdesk-SecureAccess', 100]] as const) await give('assignment', name, group, minutes);
  await give('eligibility', 'Kwame Boateng', 'Payroll-Operator-SecureAccess', 60);
  await stage.portal.advance('PT2H');
  await give('eligibility', 'Noah van Dijk', 'Payroll-Operator-SecureAccess', 1440, 3 * 1440);
  await give('eligibility', 'Omar Haddad', 'HRArchive-Reader-SecureAccess', 1440);
  await stage.portal.advance('PT1M');
  await stage.portal.syncNow();
}, 30_000);
afterAll(async () => { await stage.portal[Symbol.asyncDispose](); });

describe('of what is in order nothing is said', () => {
  test.each([
    ['an application of its own', FINANCE, 'Omar Haddad', 'Finance reports'],
    ['its second port, as a URL', 'rdp://fin-rep.corp.contoso.example/', 'Omar Haddad', 'Finance reports'],
    ['Quick Access', WIKI, 'Tomás Herrera', 'Quick Access'],
    ['a range of addresses of Quick Access', '10.10.200.3:443', 'Tomás Herrera', 'Quick Access'],
    ['a wildcard', BUILD, 'Grace Kim', 'Build servers'],
    ['a range of addresses', '10.20.0.17:22', 'Grace Kim', 'Build servers'],
  ])('%s', async (_what, to, name, application) => {
    const path = await askedBy(stage.maya, to, name);
    expect(statesOf(path)).toBe('');
    expect(path).toMatchObject({ broken: null, keepsOut: false, application: { displayName: application } });
    expect(await reaches(name, to.includes('//') ? 'fin-rep.corp.contoso.example:3389' : to)).toBe(true);
  });

  test('assigned to the application directly, or put into the group for good', async () => {
    await assign('HR archive', stage.user('Isabella Romano'));
    for (const [to, name] of [[ARCHIVE, 'Isabella Romano'], [FINANCE, 'Sofia Marchetti']] as const) {
      const path = await askedBy(stage.maya, to, name);
      expect(path.broken, JSON.stringify(path.links)).toBeNull();
      // Since when is not known, so the age of a token is not either.
      expect(statesOf(path)).toBe('token-age not-known');
      expect(await reaches(name, to)).toBe(true);
    }
  });

  test('a name that only a suffix covers opens for who has Quick Access, as far as anybody knows', async () => {
    const path = await askedBy(stage.maya, 'anything.corp.contoso.example:8080', 'Tomás Herrera');
    expect(path).toMatchObject({ broken: null, application: { displayName: 'Quick Access' } });
    expect(statesOf(path)).toBe('segment not-known');
  });
});

interface Fault {
  readonly name: string;
  readonly link: PathLinkName;
  readonly person: string;
  readonly to: string;
  readonly says: RegExp;
  readonly mend: RegExp;
  readonly protocol?: 'udp';
  readonly make?: () => Promise<unknown>;
  readonly unmake?: () => Promise<unknown>;
  /** `false`: the emulated network does not know of it. */
  readonly seenByNetwork?: false;
  readonly keepsOut?: boolean;
}

const FAULTS: readonly Fault[] = [
  { name: 'a short name', link: 'destination', person: 'Omar Haddad', to: 'fin-rep:443', says: /fin-rep is a short name/, mend: /full name: fin-rep\.corp\.contoso\.example\./ },
  { name: 'nothing publishes it', link: 'segment', person: 'Omar Haddad', to: 'nowhere.example.net:443', says: /No application publishes nowhere\.example\.net:443/, mend: /publish it/ },
  { name: 'the segment was taken away', link: 'segment', person: 'Omar Haddad', to: FINANCE, says: /No application publishes .* Quick Access resolves the name, and Omar Haddad could not open it/, mend: /publish it/,
    make: () => removeSegment('Finance reports', 'fin-rep.corp.contoso.example'), unmake: () => addSegment('Finance reports', 'fin-rep.corp.contoso.example', 443, 3389) },
  { name: 'another port', link: 'segment', person: 'Omar Haddad', to: 'fin-rep.corp.contoso.example:8443', says: /Finance reports publishes fin-rep\.corp\.contoso\.example on TCP 443 and 3389, and not on 8443/, mend: /8443 added to the segment of Finance reports/ },
  { name: 'another protocol', link: 'segment', person: 'Omar Haddad', to: FINANCE, protocol: 'udp', says: /on TCP 443 and 3389, and not for UDP/, mend: /UDP added to the segment/, seenByNetwork: false },
  { name: 'an application of its own takes it from Quick Access', link: 'application', person: 'Tomás Herrera', to: WIKI, says: /Payroll takes wiki\.corp\.contoso\.example:443 before Quick Access, which Tomás Herrera could open/, mend: /Get access to Payroll/,
    make: () => addSegment('Payroll', 'wiki.corp.contoso.example', 443), unmake: () => removeSegment('Payroll', 'wiki.corp.contoso.example') },
  { name: 'sign-in to the application is off', link: 'application', person: 'Omar Haddad', to: FINANCE, says: /Sign-in to Finance reports is turned off/, mend: /turned on/,
    make: () => principal('Finance reports', { accountEnabled: false }), unmake: () => principal('Finance reports', { accountEnabled: true }) },
  { name: 'no assignment is required', link: 'assignment-required', person: 'Emma Fischer', to: FINANCE, says: /lets everybody in/, mend: /Assignment required/, keepsOut: false,
    make: () => principal('Finance reports', { appRoleAssignmentRequired: false }), unmake: () => principal('Finance reports', { appRoleAssignmentRequired: true }) },
  { name: 'no group is assigned', link: 'group', person: 'Omar Haddad', to: FINANCE, says: /No group is assigned to Finance reports/, mend: /group assigned to Finance reports/,
    make: () => unassign('Finance reports', 'FinReport-Controller-SecureAccess'), unmake: () => assign('Finance reports', stage.group('FinReport-Controller-SecureAccess')) },
  { name: 'the group of a setup is not assigned, and another one is', link: 'group', person: 'Grace Kim', to: PAYROLL, says: /Build-Engineer-SecureAccess is not assigned to Payroll, as its setup says/, mend: /setup of Build-Engineer-SecureAccess applied again/,
    make: async () => {
      const { portal } = stage;
      const wish = { kind: 'existing', servicePrincipalId: stage.principal('Payroll'), displayName: 'Payroll', applicationKind: 'per-app' };
      await portal.db.prisma.setup.create({ data: { tenantId: portal.tenantId, id: stage.group('Engineering'), name: 'Build', definition: { applications: [wish] }, groupId: stage.group('Build-Engineer-SecureAccess'), createdById: stage.user('Maya Lindqvist'), createdBy: 'Maya Lindqvist', createdAt: portal.now(), updatedAt: portal.now() } });
    },
    unmake: () => stage.portal.db.prisma.setup.deleteMany() },
  { name: 'in a group that is inside the assigned one', link: 'group', person: 'Camille Roux', to: PAYROLL, says: /Camille Roux is in Finance team, which is inside Payroll-Operator-SecureAccess/, mend: /eligible for Payroll-Operator-SecureAccess itself/,
    make: () => stage.erik.graph('POST', `/v1.0/groups/${stage.group('Payroll-Operator-SecureAccess')}/members/$ref`, reference(stage.group('Finance team'))),
    unmake: () => stage.erik.graph('DELETE', `/v1.0/groups/${stage.group('Payroll-Operator-SecureAccess')}/members/${stage.group('Finance team')}/$ref`) },
  { name: 'not eligible', link: 'eligibility', person: 'Emma Fischer', to: FINANCE, says: /Emma Fischer is not eligible for FinReport-Controller-SecureAccess/, mend: /make Emma Fischer eligible/ },
  { name: 'the eligibility has ended', link: 'eligibility', person: 'Kwame Boateng', to: PAYROLL, says: /eligibility for Payroll-Operator-SecureAccess ended on 10:00 UTC/, mend: /eligible again/ },
  { name: 'the eligibility has not begun', link: 'eligibility', person: 'Noah van Dijk', to: PAYROLL, says: /eligibility for Payroll-Operator-SecureAccess begins on 2026-03-05 11:00 UTC/, mend: /Wait until then/ },
  { name: 'the only approver is the person', link: 'policy', person: 'Omar Haddad', to: ARCHIVE, says: /Omar Haddad is the only approver/, mend: /second approver/ },
  { name: 'not activated', link: 'active', person: 'Ben Novak', to: BUILD, says: /eligible for Build-Engineer-SecureAccess and not active/, mend: /activates Build-Engineer-SecureAccess in My access/ },
  { name: 'the membership has ended', link: 'active', person: 'Zoë Peeters', to: WIKI, says: /ended 10:40 UTC\. A token from before may keep the network open until 12:10 UTC/, mend: /activates/ },
  { name: 'no connector is live', link: 'connector', person: 'Omar Haddad', to: FINANCE, says: /None of the 1 connectors of EU-1, which serves Finance reports, is live/, mend: /connector of EU-1 started/, seenByNetwork: false,
    make: () => answers('/beta/**/connectorGroups/*/members', [{ id: 'c', machineName: 'ber-conn-01', status: 'inactive' }]), unmake: noFaults },
  { name: 'the traffic profile is off', link: 'traffic-profile', person: 'Omar Haddad', to: FINANCE, says: /profile is off/, mend: /turned on in Global Secure Access/, seenByNetwork: false,
    make: () => answers('/beta/networkAccess/forwardingProfiles', [{ id: 'p', state: 'disabled', servicePrincipal: null }]), unmake: noFaults },
  { name: 'the traffic profile is not for the person', link: 'traffic-profile', person: 'Omar Haddad', to: FINANCE, says: /not assigned to Omar Haddad/, mend: /profile assigned to Omar Haddad/,
    make: () => principal('ZTNA Network Access Client - Private', { appRoleAssignmentRequired: true }), unmake: () => principal('ZTNA Network Access Client - Private', { appRoleAssignmentRequired: false }) },
];

describe('a single fault is named, and no other', () => {
  test.each(FAULTS)('$link: $name', async (fault) => {
    await fault.make?.();
    try {
      await expectNamed(fault);
    } finally {
      await fault.unmake?.();
    }
  });

  // What takes requests of people is not unmade, so it comes last and in this order.
  test('policy: the request waits for approval', async () => {
    await activate(ANA, 'Payroll-Operator-SecureAccess');
    await expectNamed({ name: '', link: 'policy', person: 'Ana Costa', to: PAYROLL, says: /request of 11:01 UTC waits for approval/, mend: /Ask Omar Haddad or Helena Kowalska to decide; it lapses 2026-03-03 11:01 UTC/ });
    expect(await askedBy(await stage.portal.as(ANA), PAYROLL)).toMatchObject({ broken: 'policy', canActivate: false });
  });

  test('active: an approver denied it', async () => {
    const nora = 'nora.bergstrom@contoso.example';
    await activate(nora, 'Payroll-Operator-SecureAccess');
    const omar = await stage.portal.as(OMAR);
    const { items } = (await omar.get('/api/approvals')).body as { items: { id: string; requesterName: string }[] };
    const decided = await omar.post(`/api/approvals/${items.find(({ requesterName }) => requesterName === 'Nora Bergström')?.id}/decision`, { decision: 'deny', justification: 'Not this month' });
    expect(decided.status, JSON.stringify(decided.body)).toBe(200);
    await expectNamed({ name: '', link: 'active', person: 'Nora Bergström', to: PAYROLL, says: /An approver denied Nora Bergström’s request of 11:01 UTC/, mend: /asks the approvers/ });
  });

  test('active: it begins later', async () => {
    await activate('samuel.osei@contoso.example', 'QuickAccess-Helpdesk-SecureAccess', { startsAt: new Date(stage.portal.now().getTime() + 60 * MINUTE).toISOString() });
    await expectNamed({ name: '', link: 'active', person: 'Samuel Osei', to: WIKI, says: /begins 12:01 UTC/, mend: /Wait until then/ });
  });

  test('active: PIM is done, and the directory does not show the membership yet; then the client may hold an older token', async () => {
    const ben = await stage.portal.as(BEN);
    expect(await askedBy(ben, BUILD)).toMatchObject({ broken: 'active', canActivate: true, group: { id: stage.group('Build-Engineer-SecureAccess') } });
    await stage.portal.emulator.settings({ delays: { membership: 2 * MINUTE } });
    await activate(BEN, 'Build-Engineer-SecureAccess');
    await expectNamed({ name: '', link: 'active', person: 'Ben Novak', to: BUILD, says: /Entra has taken Ben Novak’s request of 11:01 UTC/, mend: /Wait a minute/ });
    await stage.portal.advance('PT10S');
    await expectNamed({ name: '', link: 'active', person: 'Ben Novak', to: BUILD, says: /directory does not show the membership yet/, mend: /Wait a minute/ });
    await stage.portal.advance('PT3M');
    const path = await askedBy(stage.maya, BUILD, 'Ben Novak');
    expect([path.broken, statesOf(path)]).toEqual([null, 'token-age not-known']);
    expect(linkOf(path, 'token-age')).toMatchObject({ sentence: expect.stringMatching(/token from before 11:01 UTC.*ended by 12:31 UTC/), mend: expect.stringMatching(/reconnect the Global Secure Access client/) });
    expect(await reaches('Ben Novak', BUILD)).toBe(true);
  });

  test('application: it has no enterprise application any more', async () => {
    const to = 'jump01.corp.contoso.example:3389';
    expect((await askedBy(stage.maya, to, 'Yuki Tanaka')).broken).toBeNull();
    await stage.erik.graph('DELETE', `/v1.0/applications/${stage.object('Domain admin jump host')}`);
    await expectNamed({ name: '', link: 'application', person: 'Yuki Tanaka', to, says: /Domain admin jump host has no enterprise application any more/, mend: /published again/ });
  });

  async function expectNamed({ link, person, to, protocol, says, mend, seenByNetwork, keepsOut = true }: Fault): Promise<void> {
    const path = await askedBy(stage.maya, to, person, protocol);
    expect(path, JSON.stringify(path.links)).toMatchObject({ broken: link, keepsOut });
    expect(path.links.filter(({ state }) => state === 'broken').map((one) => one.link)).toEqual([link]);
    expect(linkOf(path, link)?.sentence).toMatch(says);
    expect(linkOf(path, link)?.mend).toMatch(mend);
    const before = path.links.slice(0, path.links.findIndex((one) => one.link === link));
    expect(before.filter(({ state }) => state !== 'holds'), 'what comes before it holds').toEqual([]);
    if (seenByNetwork !== false) expect(await reaches(person, to)).toBe(!keepsOut);
  }
});

describe('what cannot be read', () => {
  test('a person’s own sign-in shows no connectors and no profile, and neither is called broken or healthy', async () => {
    const omar = await stage.portal.as(OMAR);
    const path = await askedBy(omar, FINANCE);
    expect([path.broken, statesOf(path)]).toEqual([null, 'connector not-known, traffic-profile not-known']);
    expect(linkOf(path, 'active')?.sentence).toMatch(/^You are a member of FinReport/);
    expect(path.neverSeen.length).toBeGreaterThan(0);
  });

  test.each([
    ['who is assigned', '/v1.0/servicePrincipals/*/appRoleAssignedTo', 'group not-known, eligibility not-reached, policy not-reached, active not-reached, token-age not-reached'],
    ['PIM’s eligibilities', '/v1.0/**/eligibilityScheduleInstances', ''],
    ['PIM’s assignments', '/v1.0/**/assignmentScheduleInstances', 'token-age not-known'],
    ['who is a member', '/v1.0/users/*/memberOf/*', 'active not-known'],
    ['the connectors', '/beta/applications/*/connectorGroup', 'connector not-known'],
    ['the traffic profile', '/beta/networkAccess/forwardingProfiles', 'traffic-profile not-known'],
  ])('%s: not known, and nothing is broken', async (_what, path, states) => {
    await stage.portal.emulator.faults([{ match: { method: 'GET', path }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' } }]);
    try {
      const found = await askedBy(stage.maya, FINANCE, 'Omar Haddad');
      expect([found.broken, statesOf(found)]).toEqual([null, states]);
    } finally {
      await noFaults();
    }
  });

  test('what is published: nothing after it is claimed', async () => {
    await stage.portal.emulator.faults([{ match: { method: 'GET', path: '/v1.0/servicePrincipals' }, times: null, fault: { kind: 'status', status: 403 } }]);
    try {
      const found = await askedBy(stage.maya, 'nowhere.example.net:443', 'Omar Haddad');
      expect([found.broken, linkOf(found, 'segment')?.state, linkOf(found, 'connector')?.state]).toEqual([null, 'not-known', 'not-reached']);
    } finally {
      await noFaults();
    }
  });
});

describe('who asks', () => {
  const events = () => stage.portal.db.prisma.auditEvent.findMany({ where: { source: 'portal', activity: 'path.diagnosed' }, orderBy: { activityAt: 'asc' } });

  test('for oneself anybody, and no event; for another an admin or an auditor, and it is recorded', async () => {
    const before = (await events()).length;
    await askedBy(await stage.portal.as(ANA), WIKI);
    expect((await events()).length).toBe(before);
    const path = await askedBy(await stage.portal.as(INES), FINANCE, 'Emma Fischer');
    expect(path).toMatchObject({ broken: 'eligibility', person: { displayName: 'Emma Fischer' } });
    const made = (await events()).filter(({ actorName }) => actorName === 'Ines Moreau');
    expect(made).toMatchObject([{ subjectName: 'Emma Fischer', kind: 'portal-access', actorName: 'Ines Moreau' }]);
    expect(JSON.parse(made[0]?.raw ?? '{}')).toMatchObject({ data: { host: 'fin-rep.corp.contoso.example', port: 443, protocol: 'tcp' } });
    const refused = await (await stage.portal.as(ANA)).get(`/api/doctor/people/${BEN}?to=${FINANCE}`);
    expect([refused.status, refused.body.code]).toEqual([403, 'not-permitted']);
  });

  test('nobody of that name, and a destination that cannot be read, are told what to type, and recorded as nothing', async () => {
    const before = (await events()).length;
    const nobody = await stage.maya.get(`/api/doctor/people/nobody@contoso.example?to=${FINANCE}`);
    expect([nobody.status, nobody.body.detail]).toEqual([404, expect.stringMatching(/Nobody in the tenant has/)]);
    const wrong = await stage.maya.get(`/api/doctor/people/${BEN}?to=fin-rep.corp.contoso.example`);
    expect([wrong.status, wrong.body.issues]).toEqual([400, [{ path: 'query.to', message: 'Add the port that the application uses, such as fin-rep.corp.contoso.example:443 or fin-rep.corp.contoso.example:3389.' }]]);
    expect((await events()).length).toBe(before);
    const byId = await stage.maya.get(`/api/doctor/people/${stage.user('Ben Novak')}?to=${FINANCE}`);
    expect(byId.body.person).toMatchObject({ displayName: 'Ben Novak', userPrincipalName: BEN });
  });
});
