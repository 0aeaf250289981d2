import { describe, expect, test } from 'vitest';
import type { AccessEntry, AccessRequest, OpenedApplication, RequestState } from '@gatehouse/contracts';
import { findTarget } from './target.rules.ts';

const app = (id: string, host: string, more: Partial<OpenedApplication> = {}): OpenedApplication => ({ id, displayName: `Application ${id}`, kind: 'per-app', assignmentRequired: true, segments: [{ host, ports: ['443'], protocol: 'tcp' }], ...more });
const finance = app('finance', 'fin.corp.example', { displayName: 'Finance reports' });
const payroll = app('payroll', 'pay.corp.example', { displayName: 'Payroll' });
const wide = app('wide', '*.corp.example', { displayName: 'All of corp' });
const quick = app('quick', '*.corp.example', { kind: 'quick-access', displayName: 'Quick Access' });

const entry = (groupId: string, applications: OpenedApplication[], more: Partial<AccessEntry> = {}): AccessEntry => ({
  groupId, groupName: groupId, applications, eligibility: { endsAt: null, through: 'direct' }, policy: null, policyReadAt: null, active: null, request: null,
  lastJustification: null, lastMinutes: null, lastAskedAt: null, favourite: false, ended: null, keepGoing: null, unfinished: null, ...more,
});
const active = { since: null, endsAt: null, canEndAt: null, memberAt: null, permanent: false };
const request = (state: RequestState): AccessRequest => ({ id: 'r', entraRequestId: null, groupId: 'g', state, askedAt: '2026-03-02T12:00:00Z', startsAt: null, minutes: null, justification: null, ticketNumber: null, provisionedAt: null, memberAt: null, endsAt: null, lapsesAt: null, failure: null });
const to = (address: string, entries: AccessEntry[], published: OpenedApplication[] = []) => {
  const { outcome, groupIds } = findTarget({ wanted: { to: address }, entries, published });
  return [outcome, ...groupIds];
};
const named = (application: string, ...entries: AccessEntry[]) => {
  const { outcome, groupIds } = findTarget({ wanted: { application }, entries, published: [] });
  return [outcome, ...groupIds];
};

describe('a destination', () => {
  test.each<[string, AccessEntry[], (string | undefined)[]]>([
    ['the only one that opens it', [entry('a', [finance]), entry('b', [payroll])], ['activate', 'a']],
    ['its own application before Quick Access', [entry('q', [quick]), entry('a', [finance])], ['activate', 'a']],
    ['the application that gets the traffic before a wider one', [entry('w', [wide]), entry('a', [finance])], ['activate', 'a']],
    ['the group that opens the least besides', [entry('both', [finance, payroll]), entry('a', [finance]), entry('q', [finance, quick])], ['activate', 'a']],
    ['without Quick Access before fewer applications', [entry('q', [finance, quick]), entry('three', [finance, payroll, wide])], ['activate', 'three']],
    ['fewer segments before more', [entry('more', [finance, { ...payroll, segments: [...payroll.segments, ...wide.segments] }]), entry('less', [finance, payroll])], ['activate', 'less']],
    ['two that open as much: the person chooses', [entry('a', [finance]), entry('b', [finance])], ['ambiguous', 'a', 'b']],
    ['what is open already', [entry('a', [finance]), entry('b', [finance, payroll], { active })], ['open', 'b']],
    ['what is open already, although the person is not eligible', [entry('a', [finance], { active, eligibility: null })], ['open', 'a']],
    ['what is under way', [entry('a', [finance]), entry('b', [finance], { request: request('awaiting-approval') })], ['waiting', 'b']],
    ['a request that was denied is not under way', [entry('a', [finance], { request: request('denied') })], ['activate', 'a']],
    ['membership that ended, and no eligibility', [entry('a', [finance], { eligibility: null })], ['unknown']],
    ['nothing', [entry('b', [payroll])], ['unknown']],
  ])('%s', (_name, entries, expected) => {
    expect(to('https://fin.corp.example/x', entries)).toEqual(expected);
    expect(to('https://fin.corp.example/x', entries.toReversed()).slice().sort()).toEqual([...expected].sort());
  });

  test('what the person may open but what would not get the traffic is no answer', () => {
    expect(to('fin.corp.example:443', [entry('w', [wide])], [finance])).toEqual(['unknown']);
    expect(to('fin.corp.example:443', [entry('q', [quick])], [wide])).toEqual(['unknown']);
    expect(to('other.corp.example:443', [entry('w', [wide])], [finance])).toEqual(['activate', 'w']);
  });

  test('without a port, applications at other ports are meant as well', () => {
    const desktop = app('desktop', 'fin.corp.example', { segments: [{ host: 'fin.corp.example', ports: ['3389'], protocol: 'tcp' }] });
    expect(to('fin.corp.example', [entry('a', [finance]), entry('d', [desktop, payroll])])).toEqual(['ambiguous', 'a', 'd']);
    expect(to('fin.corp.example:3389', [entry('a', [finance]), entry('d', [desktop, payroll])])).toEqual(['activate', 'd']);
    expect(to('fin.corp.example', [entry('w', [wide])], [finance])).toEqual(['activate', 'w']);
  });

  test('what names no machine is said to be that, as it was written', () => {
    expect(findTarget({ wanted: { to: '*.corp.example' }, entries: [], published: [] })).toEqual({ wanted: '*.corp.example', outcome: 'malformed', groupIds: [] });
  });
});

describe('an application', () => {
  test.each(['finance-reports', 'Finance Reports', 'FINANCE', 'finance'])('%s', (name) => {
    expect(named(name, entry('a', [finance]), entry('b', [payroll]))).toEqual(['activate', 'a']);
  });

  test('two of one name are told apart by the person, or by their ids', () => {
    const other = { ...payroll, displayName: 'Finance Reports' };
    expect(named('finance-reports', entry('a', [finance]), entry('b', [other]))).toEqual(['ambiguous', 'a', 'b']);
    expect(named('payroll', entry('a', [finance]), entry('b', [other]))).toEqual(['activate', 'b']);
  });

  test.each(['nothing', '---', ''])('%o is unknown, and never the first of all', (name) => {
    expect(named(name, entry('a', [{ ...finance, displayName: '…' }]))).toEqual(['unknown']);
  });
});
