import { PathLinkName } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { matchesOf, parseConnection } from '../../core/destination.ts';
import { diagnose, type ApplicationFacts, type GroupFacts, type PathFacts, type Place } from './doctor.rules.ts';

const NOW = new Date('2026-03-02T14:00:00Z');
const minutesAgo = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);

const policy = { maxMinutes: 120, signIn: 'mfa' as const, requireJustification: true, requireTicket: false, requireApproval: true, approvers: [{ id: 'omar', displayName: 'Omar Haddad' }, { id: 'helena', displayName: 'Helena Kowalska' }] };
const member: GroupFacts = {
  id: 'g', name: 'Finance-Access', policy, member: true, asked: null,
  eligible: { endsAt: new Date('2026-09-01T00:00:00Z'), through: 'direct' }, active: { startsAt: minutesAgo(100), endsAt: minutesAgo(-20), through: 'direct' },
};
/** Eligible, and nothing more. */
const eligible: GroupFacts = { ...member, member: false, active: null };
const stranger: GroupFacts = { ...eligible, eligible: null };
const finance: ApplicationFacts = { state: 'enabled', assignmentRequired: true, direct: false, groups: [member], missing: [], connectors: { group: 'EU-1', live: 1, total: 2 } };
const quick: ApplicationFacts = { ...finance, groups: [{ ...stranger, id: 'q', name: 'Quick-Access' }] };

const PLACES: readonly Place[] = [
  { id: 'finance', displayName: 'Finance reports', kind: 'per-app', segments: [{ host: 'fin.corp.example', ports: ['443-443', '3389-3389'], protocol: 'tcp' }] },
  { id: 'quick', displayName: 'Quick Access', kind: 'quick-access', segments: [{ host: 'fin.corp.example', ports: ['443'], protocol: 'tcp' }, { host: 'corp.example', ports: [], protocol: '0', type: 'dnsSuffix' }] },
];

interface Change {
  readonly to?: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly self?: boolean;
  readonly finance?: Partial<ApplicationFacts>;
  readonly quick?: Partial<ApplicationFacts>;
  readonly group?: Partial<GroupFacts>;
  readonly facts?: Partial<PathFacts>;
}

function walk({ to = 'fin.corp.example:443', protocol = 'tcp', self = false, group, ...change }: Change) {
  const parsed = parseConnection(to, protocol);
  if (!parsed.ok) throw new Error(parsed.message);
  const groups = group ? { groups: [{ ...member, ...group }] } : {};
  return diagnose({
    now: NOW, person: { id: 'ana', name: 'Ana Costa', self }, destination: parsed.destination, matches: matchesOf(parsed.destination, PLACES),
    applications: new Map([['finance', { ...finance, ...groups, ...change.finance }], ['quick', { ...quick, ...change.quick }]]),
    profile: { state: 'enabled', assigned: true }, ...change.facts,
  });
}

test('a path that is in order is told link by link, and nothing of it is broken', () => {
  const path = walk({});
  expect(path).toMatchObject({ broken: null, keepsOut: false, canActivate: false, application: { id: 'finance' }, group: { id: 'g' } });
  expect(path.links.map(({ link }) => link)).toEqual(PathLinkName.options);
  expect(path.links.filter(({ state }) => state !== 'holds')).toEqual([]);
  expect(path.links.every(({ sentence, mend }) => sentence.endsWith('.') && mend === null)).toBe(true);
});

const FAULTS: readonly [string, PathLinkName, RegExp, Change][] = [
  ['a short name', 'destination', /short name/, { to: 'fin:443' }],
  ['nothing publishes it', 'segment', /No application publishes fin\.other\.example:443/, { to: 'fin.other.example:443' }],
  ['another port', 'segment', /TCP 443 and 3389, and not on 22\. Quick Access resolves the name, and Ana Costa could not open it/, { to: 'fin.corp.example:22' }],
  ['another protocol', 'segment', /not for UDP/, { protocol: 'udp' }],
  ['only a suffix, of an application that is not theirs', 'segment', /No application publishes x\.corp\.example/, { to: 'x.corp.example:443' }],
  ['one that is theirs is passed over', 'application', /Finance reports takes fin\.corp\.example:443 before Quick Access, which Ana Costa could open/, { finance: { groups: [stranger] }, quick: { groups: [eligible] } }],
  ['sign-in is off', 'application', /turned off/, { finance: { state: 'disabled' } }],
  ['the application is gone', 'application', /no enterprise application/, { finance: { state: 'gone' } }],
  ['everybody is let in', 'assignment-required', /lets everybody in/, { finance: { assignmentRequired: false } }],
  ['no group', 'group', /No group is assigned/, { finance: { groups: [] } }],
  ['the group of the setup is not assigned', 'group', /as its setup says/, { finance: { groups: [{ ...stranger, id: 'other' }], missing: [eligible] } }],
  ['in a group inside', 'group', /in Finance team, which is inside Finance-Access/, { group: { ...stranger, nestedIn: 'Finance team' } }],
  ['not eligible', 'eligibility', /Ana Costa is not eligible for Finance-Access\./, { group: stranger }],
  ['not eligible for any', 'eligibility', /any of the groups that open Finance reports: Finance-Access and Other-Access/, { finance: { groups: [stranger, { ...stranger, id: 'other', name: 'Other-Access' }] } }],
  ['eligibility to come', 'eligibility', /begins on 2026-03-05 09:00 UTC/, { group: { ...stranger, begins: new Date('2026-03-05T09:00:00Z') } }],
  ['eligibility over', 'eligibility', /ended on 2026-02-01 09:00 UTC/, { group: { ...stranger, eligibilityEnded: new Date('2026-02-01T09:00:00Z') } }],
  ['waits for approval', 'policy', /request of 13:50 UTC waits/, { group: { ...eligible, asked: { status: 'PendingApproval', at: minutesAgo(10) } } }],
  ['the only approver', 'policy', /only approver/, { group: { ...eligible, policy: { ...policy, approvers: [{ id: 'ANA', displayName: 'Ana Costa' }] } } }],
  ['not active', 'active', /eligible for Finance-Access and not active/, { group: eligible }],
  ['begins later', 'active', /begins 15:00 UTC/, { group: { ...eligible, asked: { status: 'Granted', at: minutesAgo(10), startsAt: minutesAgo(-60) } } }],
  ['under way', 'active', /taken Ana Costa’s request of 13:59 UTC/, { group: { ...eligible, asked: { status: 'Provisioned', at: minutesAgo(1), startsAt: minutesAgo(1) } } }],
  ['provisioning', 'active', /not made the membership yet/, { group: { ...eligible, asked: { status: 'PendingProvisioning', at: minutesAgo(30) } } }],
  ['not yet in the directory', 'active', /directory does not show/, { group: { member: false } }],
  ['ended, and the network may be open', 'active', /ended 13:00 UTC\. A token from before may keep the network open until 14:30 UTC/, { group: { ...eligible, ended: minutesAgo(60) } }],
  ['ended long ago', 'active', /eligible for Finance-Access and not active/, { group: { ...eligible, ended: minutesAgo(91) } }],
  ['denied', 'active', /An approver denied/, { group: { ...eligible, asked: { status: 'Denied', at: minutesAgo(30) } } }],
  ['no live connector', 'connector', /None of the 2 connectors of EU-1/, { finance: { connectors: { group: 'EU-1', live: 0, total: 2 } } }],
  ['no connector', 'connector', /EU-1, which serves Finance reports, has no connector/, { finance: { connectors: { group: 'EU-1', live: 0, total: 0 } } }],
  ['no connector group', 'connector', /no connector group/, { finance: { connectors: null } }],
  ['the profile is off', 'traffic-profile', /profile is off/, { facts: { profile: { state: 'disabled', assigned: true } } }],
  ['the profile is for others', 'traffic-profile', /not assigned to Ana Costa/, { facts: { profile: { state: 'enabled', assigned: false } } }],
];

describe('a single fault', () => {
  test.each(FAULTS)('%s: %s', (_what, link, says, change) => {
    for (const self of [false, true]) {
      const path = walk({ ...change, self });
      expect(path, JSON.stringify(path.links)).toMatchObject({ broken: link, keepsOut: link !== 'assignment-required' });
      const at = path.links.findIndex((one) => one.link === link);
      expect(path.links.slice(0, at).map(({ state }) => state)).toEqual(Array.from({ length: at }, () => 'holds'));
      // One who is let in with everybody else still needs a connector and a profile; else nothing after it is looked at.
      const after = path.links.slice(at + 1).map(({ state }) => state);
      expect(new Set(after.slice(0, link === 'assignment-required' ? -2 : undefined))).toEqual(new Set(after.length === 0 ? [] : ['not-reached']));
      expect(path.links[at]?.mend).toMatch(/\.$/);
      if (self) expect(path.links.map(({ sentence, mend }) => `${sentence}${mend ?? ''}`).join()).not.toContain('Ana Costa');
      else expect(path.links[at]?.sentence).toMatch(says);
    }
  });

  test('only who asks for themselves is offered to activate, and only where activating mends it', () => {
    const offered = FAULTS.filter(([, , , change]) => walk({ ...change, self: true }).canActivate).map(([what]) => what);
    expect(offered).toEqual(['not active', 'ended, and the network may be open', 'ended long ago', 'denied']);
    expect(FAULTS.some(([, , , change]) => walk(change).canActivate)).toBe(false);
  });

  test('where everybody is let in and something else is in the way, that is what is named', () => {
    const path = walk({ finance: { assignmentRequired: false, groups: [stranger], connectors: null } });
    expect(path).toMatchObject({ broken: 'connector', keepsOut: true });
    expect(path.links.filter(({ state }) => state === 'broken').map(({ link }) => link)).toEqual(['assignment-required', 'connector']);
  });
});

describe('what is not known is neither broken nor in order', () => {
  const UNKNOWN: readonly [string, Change, readonly PathLinkName[]][] = [
    ['the application', { finance: { state: undefined } }, ['application']],
    ['whether assignment is required', { finance: { assignmentRequired: undefined } }, ['assignment-required']],
    ['the assignments', { finance: { groups: undefined } }, ['group']],
    ['the assignments, where Quick Access would open it', { finance: { groups: undefined }, quick: { groups: [member] } }, ['group']],
    ['the eligibilities', { group: { ...eligible, eligible: undefined } }, ['eligibility']],
    ['the policy', { group: { ...eligible, policy: null, active: undefined } }, ['policy', 'active']],
    ['the active assignments', { group: { ...eligible, active: undefined } }, ['active']],
    ['the membership', { group: { member: undefined } }, ['active']],
    ['when the membership began', { group: { active: { through: 'direct' } } }, ['token-age']],
    ['how old the client’s token is', { group: { active: { startsAt: minutesAgo(89), through: 'direct' } } }, ['token-age']],
    ['the connectors', { finance: { connectors: undefined } }, ['connector']],
    ['the profile', { facts: { profile: undefined } }, ['traffic-profile']],
    ['the state of the profile', { facts: { profile: { state: 'unknown', assigned: true } } }, ['traffic-profile']],
    ['whom the profile is for', { facts: { profile: { state: 'enabled', assigned: undefined } } }, ['traffic-profile']],
  ];
  test.each(UNKNOWN)('%s', (_what, change, links) => {
    const path = walk(change);
    const notKnown = path.links.filter(({ state }) => state === 'not-known').map(({ link }) => link);
    expect(path.links.filter(({ state }) => state === 'broken').map(({ link }) => link).filter((link) => links.includes(link))).toEqual([]);
    expect(notKnown).toEqual(expect.arrayContaining([...links]));
  });

  test('without a word of what is published nothing after it is claimed', () => {
    const path = walk({ facts: { matches: undefined, applications: new Map() } });
    expect(path).toMatchObject({ broken: null, application: null });
    expect(path.links.slice(1).map(({ state }) => state)).toEqual(['not-known', ...Array.from({ length: 9 }, () => 'not-reached')]);
  });

  test('a token that may be older than the membership: reconnect; one that cannot be is in order', () => {
    const young = walk({ group: { active: { startsAt: minutesAgo(89), through: 'direct' } } });
    expect(young.broken).toBeNull();
    expect(young.links.find(({ link }) => link === 'token-age')).toMatchObject({ state: 'not-known', sentence: expect.stringMatching(/before 12:31 UTC.*ended by 14:01 UTC/), mend: expect.stringMatching(/reconnect/) });
    expect(walk({ group: { active: { startsAt: minutesAgo(90), through: 'direct' } } }).links.find(({ link }) => link === 'token-age')?.state).toBe('holds');
  });
});

describe('who gets in otherwise', () => {
  test.each<[string, Change]>([
    ['assigned directly', { finance: { direct: true, groups: [] } }],
    ['a member for good', { group: { eligible: null, active: { through: 'direct' } } }],
    ['a member whom PIM is about to end', { group: { active: null } }],
    ['eligible through a group, and active', { group: { eligible: { through: 'group' } } }],
    ['in one of two groups', { finance: { groups: [stranger, member] } }],
    ['only a suffix, of an application that is theirs', { to: 'x.corp.example:8080', quick: { groups: [member] } }],
  ])('%s', (_what, change) => {
    expect(walk(change).broken).toBeNull();
  });
});
