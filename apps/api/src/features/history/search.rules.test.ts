import { expect, test } from 'vitest';
import { canBeLookedUp, driveOf, type Facts, type Named } from './search.rules.ts';

const named = (events: number, role: Named['role'] = 'group', count = 1): Named[] => Array.from({ length: count }, (_, index) => ({ role, key: `k${index}`, events }));
const facets = (events: number) => [{ kind: 'activated', result: 'success', source: 'directory', events }];
const drive = (facts: Partial<Facts>) => driveOf({ names: [], facets: undefined, allEvents: 1_000_000, hasText: false, ...facts });

test.each<[string, Partial<Facts>, ReturnType<typeof driveOf>]>([
  ['without a filter the time alone', {}, { by: 'time' }],
  ['the rarer name leads', { names: [named(500_000, 'actor'), named(10_000)] }, { by: 'names', filter: 1 }],
  ['a person leads before a group that is not far rarer: the index of people tells the group', { names: [named(60_000, 'actor'), named(10_000)] }, { by: 'names', filter: 0 }],
  ['a group that is leads', { names: [named(60_000, 'actor'), named(5_000)] }, { by: 'names', filter: 1 }],
  ['of an application it tells nothing', { names: [named(60_000, 'actor'), named(10_000, 'application')] }, { by: 'names', filter: 1 }],
  ['a name that nothing has ends it', { names: [named(5), []] }, { by: 'nothing' }],
  ['a kind that never came ends it', { facets: [] }, { by: 'nothing' }],
  ['a rare kind leads before a frequent name', { names: [named(400_000)], facets: facets(900) }, { by: 'facets' }],
  ['what is most of the log leads nothing', { facets: facets(600_000) }, { by: 'time' }],
  ['text leads before what is frequent', { names: [named(400_000)], hasText: true }, { by: 'text' }],
  ['and follows what is rare', { names: [named(4_000)], hasText: true }, { by: 'names', filter: 0 }],
  ['more names than can be merged are checked row by row', { names: [named(10, 'group', 101)] }, { by: 'time' }],
])('%s', (_name, facts, expected) => {
  expect(drive(facts)).toEqual(expected);
});

test.each([['INC-4711', true], ['471', true], ['abc', true], ['Ähm', true], ['ab', false], ['a-b c', false], ['%%%', false], ['', false]])('%s can be looked up: %s', (text, expected) => {
  expect(canBeLookedUp(text)).toBe(expected);
});
