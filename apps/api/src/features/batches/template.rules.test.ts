import { describe, expect, test } from 'vitest';
import { cellOf, fill, suspicious, variablesOf } from './template.rules.ts';

const filled = (template: unknown, cells: Readonly<Record<string, string>>): unknown => {
  const result = fill(template, new Map(Object.entries(cells).map(([name, text]) => [name, cellOf(text)])));
  return 'value' in result ? result.value : result.reasons;
};

describe('a template is filled with the cells of a row', () => {
  test.each<[string, unknown, Record<string, string>, unknown]>([
    ['a variable in its place', { name: '${name}', other: 7 }, { name: 'Finance' }, { name: 'Finance', other: 7 }],
    ['a variable within a text', '${team}-${role}-SecureAccess', { team: 'Fin', role: 'Reader' }, 'Fin-Reader-SecureAccess'],
    ['a default for an empty cell', '${days:-90}', { days: '' }, '90'],
    ['a default for a column that is not there', '${days:-90}', {}, '90'],
    ['a default that is empty', { description: '${description:-}' }, {}, { description: '' }],
    ['a cell in place of the default', '${days:-90}', { days: '30' }, '30'],
    ['nothing for an empty cell', { name: '${name}' }, { name: ' ' }, ['name is empty, and there is no setup without it']],
    ['several values outside of a list stay as they are', '${note}', { note: 'a; b' }, 'a; b'],
    ['several values repeat the item', { list: [{ user: '${people}', days: 1 }, 'end'] }, { people: 'a; b ;;c' }, { list: [{ user: 'a', days: 1 }, { user: 'b', days: 1 }, { user: 'c', days: 1 }, 'end'] }],
    ['an item with an empty cell is left out', [{ user: '${people}' }, { group: '${groups}' }], { people: '', groups: 'g' }, [{ group: 'g' }]],
    ['so is one with an empty column', ['${people}', '${groups}'], { groups: 'g' }, ['g']],
    ['several cells of an item go side by side', [{ user: '${people}', days: '${days}' }], { people: 'a;b', days: '1;2' }, [{ user: 'a', days: '1' }, { user: 'b', days: '2' }]],
    ['one cell serves all of them', [{ user: '${people}', days: '${days:-9}' }], { people: 'a;b', days: '1' }, [{ user: 'a', days: '1' }, { user: 'b', days: '1' }]],
    ['so does a default', [{ user: '${people}', days: '${days:-9}' }], { people: 'a;b', days: '' }, [{ user: 'a', days: '9' }, { user: 'b', days: '9' }]],
    ['uneven cells are refused', [{ user: '${people}', days: '${days}' }], { people: 'a;b;c', days: '1;2' }, ['people has 3 values and days has 2: give each as many, or one for all']],
    ['a list within an item repeats its own items', [{ app: '${app}', hosts: [{ host: '${hosts}' }] }], { app: 'x', hosts: 'h1;h2' }, [{ app: 'x', hosts: [{ host: 'h1' }, { host: 'h2' }] }]],
    ['a list within an item that is left out goes with it', [{ app: '${app}', hosts: [{ host: '${hosts}' }] }], { app: '', hosts: 'h1' }, []],
    ['what a cell holds is not filled again', '${a}', { a: '${b}', b: 'never' }, '${b}'],
    ['nor does it replace by patterns', '[${a}]', { a: '$& $1 $$' }, '[$& $1 $$]'],
  ])('%s', (_what, template, cells, expected) => { expect(filled(template, cells)).toEqual(expected); });
});

describe('the variables of a template', () => {
  test('those outside of lists and without a default are required', () => {
    expect(variablesOf({ a: '${name} ${x:-1}', b: ['${people}', { c: '${days:-3}' }], d: '${name:-z}' })).toEqual({ variables: [{ name: 'name', required: true }, { name: 'x', required: false }, { name: 'people', required: false }, { name: 'days', required: false }] });
  });
  test.each([
    ['${', /cannot be read/], ['${a b}', /cannot be read/], ['${1}', /cannot be read/], ['${a:-${b}}', /cannot be read/], ['${result}', /says what became of a row/], ['${reason:-x}', /says what became of a row/], ['plain', /every row would be the same/],
  ])('%j is refused', (text, reason) => { expect(variablesOf({ text })).toMatchObject({ reason: expect.stringMatching(reason) }); });
});

describe('a cell that a spreadsheet would run', () => {
  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r1', '\n1', ' =1', '=cmd|\' /C calc\'!A0', '＝1', "'=1+1", "'@x", '\u200b=1', '\u00ad+1', '\u0000 @x', "'\u2060-1"])('%j is refused', (cell) => { expect(suspicious('name', cell)).toMatch(/^name begins like a formula/); });
  test.each(['', 'Finance', 'a=b', "O'Neil", "'quoted'", '1+1'])('%j is taken', (cell) => { expect(suspicious('name', cell)).toBeUndefined(); });
});
