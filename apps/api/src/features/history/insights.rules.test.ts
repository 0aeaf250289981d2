import { describe, expect, test } from 'vitest';
import { standingAccess, unusedEligibility, weakenedSettings, weakenings, type RightEvent } from './insights.rules.ts';

const right = (kind: string, at: string, more: Partial<RightEvent> = {}): RightEvent => ({ eventId: `directory:${kind}-${at}`, kind, at, actorName: 'Maya', personId: 'p1', person: 'Ana', groupId: 'g1', group: 'Finance', ...more });

describe('standing access', () => {
  test.each<[string, RightEvent[], string[]]>([
    ['assigned and not taken away', [right('assigned', '2026-01-01T00:00:00Z')], ['Assigned as active by Maya']],
    ['assigned and taken away', [right('assigned', '2026-01-01T00:00:00Z'), right('assignment-removed', '2026-01-02T00:00:00Z')], []],
    ['taken away and assigned again', [right('assignment-removed', '2026-01-01T00:00:00Z'), right('assigned', '2026-01-02T00:00:00Z')], ['Assigned as active by Maya']],
    ['added by hand', [right('member-added', '2026-01-01T00:00:00Z', { actorName: null })], ['Added to the group, past PIM, by somebody not named']],
    ['added by hand and removed', [right('member-added', '2026-01-01T00:00:00Z'), right('member-removed', '2026-01-01T00:00:01Z')], []],
    ['the end of an earlier activation, told a little late, takes no assignment away', [right('assigned', '2026-01-01T00:00:00Z'), right('member-removed', '2026-01-01T00:01:00Z')], ['Assigned as active by Maya']],
  ])('%s', (_name, events, found) => {
    expect(standingAccess(events).map((one) => one.found)).toEqual(found);
  });
});

describe('unused eligibility', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const eligible = right('eligible-added', '2026-01-01T00:00:00Z');
  test.each<[string, RightEvent[], Map<string, string>, string[]]>([
    ['never', [eligible], new Map(), ['Never activated']],
    ['long ago', [eligible], new Map([['p1 g1', '2026-01-05T00:00:00Z']]), ['Last activated 2026-01-05']],
    ['lately', [eligible], new Map([['p1 g1', '2026-05-05T00:00:00Z']]), []],
    ['too new to tell', [right('eligible-added', '2026-05-20T00:00:00Z')], new Map(), []],
    ['not eligible any more', [eligible, right('eligible-removed', '2026-02-01T00:00:00Z')], new Map(), []],
  ])('%s', (_name, events, used, found) => {
    expect(unusedEligibility(events, used, now, 90).map((one) => one.found)).toEqual(found);
  });
});

describe('settings that ask for less', () => {
  test.each<[object, object, string[]]>([
    [{ enabledRules: ['MultiFactorAuthentication', 'Justification'] }, { enabledRules: ['Justification'] }, ['no longer asks for MFA']],
    [{ enabledRules: ['Justification'] }, { enabledRules: ['Justification', 'Ticketing'] }, []],
    [{ setting: { isApprovalRequired: true } }, { setting: { isApprovalRequired: false } }, ['no longer asks for approval']],
    [{ isEnabled: true }, { isEnabled: false }, ['no longer asks for the authentication context']],
    [{ maximumDuration: 'PT30M', isExpirationRequired: true }, { maximumDuration: 'PT8H', isExpirationRequired: true }, ['may last 480 min, before 30 min']],
    [{ maximumDuration: 'P1D' }, { maximumDuration: 'PT30M' }, []],
    [{ isExpirationRequired: true }, { isExpirationRequired: false }, ['no longer has to end']],
  ])('%j to %j', (before, after, found) => {
    expect(weakenings({ ...before }, { ...after })).toEqual(found);
  });

  const change = (at: string, rules: unknown, oldValue: string | null = null) => ({
    eventId: `directory:${at}`, at, groupId: 'g1', group: 'Finance', actorName: 'Maya', actorId: 'm',
    raw: JSON.stringify({ targetResources: [{ type: 'Role', id: 'member', modifiedProperties: [{ displayName: 'Enablement_EndUser_Assignment', oldValue, newValue: JSON.stringify(rules) }] }] }),
  });
  test('what a rule was before is known by the entry before it, or by the entry itself; else nothing is claimed', () => {
    const strict = { enabledRules: ['MultiFactorAuthentication'] };
    expect(weakenedSettings([change('2026-01-01', { enabledRules: [] })])).toEqual([]);
    expect(weakenedSettings([change('2026-01-01', strict), change('2026-01-02', { enabledRules: [] })])).toMatchObject([{ person: 'Maya', group: 'Finance', found: 'no longer asks for MFA', eventId: 'directory:2026-01-02' }]);
    expect(weakenedSettings([change('2026-01-01', { enabledRules: [] }, JSON.stringify(strict))])).toHaveLength(1);
    expect(weakenedSettings([{ ...change('2026-01-01', strict), raw: 'no JSON' }])).toEqual([]);
  });
});
