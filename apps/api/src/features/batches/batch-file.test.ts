import { BATCH_COLUMNS_MAX, BATCH_ROWS_MAX } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { readBatchFile, writeBatchFile, type BatchFile, type BatchText } from './batch-file.ts';

const HEADER = 'name,people,applications';
const read = (text: string, more: Partial<BatchText> = {}) => readBatchFile({ format: 'csv', text, ...more });
/** What refuses the file, or what is said of each row. */
const told = (text: string, more: Partial<BatchText> = {}): string[] => {
  const file = read(text, more);
  if ('mistakes' in file) return file.mistakes.map(({ line, message }) => `file ${line}: ${message}`);
  return file.rows.flatMap(({ line, name, read: row }) => ('mistakes' in row ? row.mistakes.map(({ line: at, message }) => `${name} ${at}: ${message}`) : [`${name} ${line}`]));
};
const sourceOf = (text: string, more: Partial<BatchText> = {}, index = 0) => {
  const file = read(text, more);
  const row = 'rows' in file ? file.rows[index]?.read : undefined;
  if (!row || !('source' in row)) throw new Error(told(text, more).join('\n'));
  return row.source;
};
const setup = (name: string): string => `group: { kind: new, displayName: ${name} }\nroleSettings: standard\neligible: [{ user: ana@contoso.example, days: 9 }]\napplications: [{ application: Finance }]\n`;
const indented = (text: string): string => `  - ${text.trimEnd().replaceAll('\n', '\n    ')}\n`;

describe('CSV', () => {
  test('a row becomes a setup by the template, its values of the kind that is expected there', () => {
    expect(sourceOf('name,preset,owners,people,groups,days,applications\nFin,strict,o@x.example,a@x.example;b@x.example,Staff,permanent,One;Two\n')).toEqual({
      group: { kind: 'new', displayName: 'Fin', description: '' }, roleSettings: 'strict', ownerRoleSettings: null, owners: [{ user: 'o@x.example' }],
      eligible: [{ user: 'a@x.example', days: null }, { user: 'b@x.example', days: null }, { group: 'Staff', days: null }], applications: [{ application: 'One' }, { application: 'Two' }],
    });
    expect(sourceOf(`${HEADER}\n007,a@x.example,1e3\n`)).toMatchObject({ group: { displayName: '007' }, eligible: [{ days: 90 }], applications: [{ application: '1e3' }], roleSettings: 'standard' });
  });

  test('a mark of the encoding, line ends of any kind, empty lines and quotes are taken, and lines are those of the file', () => {
    expect(told(`\uFEFF${HEADER}\r\n"A, the ""first""",a@x.example,F\r\n\r\n,,\nB,"a@x.example;\nb@x.example",F\rC,c@x.example,F`)).toEqual(['A, the "first" 2', 'B 5', 'C 7']);
  });

  test.each<[string, string, readonly unknown[]]>([
    ['no row', `${HEADER}\n`, ['file 1: The file has a line of columns and a line for each setup.']],
    ['nothing', ' \n', ['file 1: The file has a line of columns and a line for each setup.']],
    ['an unknown column', 'name,colour,people\nA,red,a@x.example\n', ['file 1: colour is no column of the template; it has name, preset, owners, people, days, groups, applications.']],
    ['a column twice', 'name,people,people\nA,a,b\n', ['file 1: The column people is there twice.']],
    ['a column without a name', 'name,,people\nA,a,b\n', ['file 1: A column has no name.']],
    ['a column that is missing', '\npeople,applications\na@x.example,F\n', ['file 2: The column name is missing.']],
    ['a cell too many between semicolons', 'name;people;applications\nA;a@x.example;b@x.example;F\n', ['A 2: The line has 4 cells, and there are 3 columns. A cell with a semicolon in it stands in quotes.']],
    ['a quote that is not closed', `${HEADER}\nA,"a,F\n`, ['file 2: A quote is out of place. A cell with a quote, a comma or a line break in it stands in quotes, and a quote within is written twice.']],
    ['UTF-16', 'n\u0000a\u0000m\u0000e\u0000', ['file 1: This is no text in UTF-8. Save the file as UTF-8 and open it again.']],
    ['UTF-16 as a browser reads it', '\uFFFD\uFFFDname', ['file 1: This is no text in UTF-8. Save the file as UTF-8 and open it again.']],
    ['half a character', `${HEADER}\n\uD800,a,F\n`, ['file 1: This is no text in UTF-8. Save the file as UTF-8 and open it again.']],
    ['a required cell that is empty', `${HEADER}\n,a@x.example,F\nB,a@x.example,F\n`, ['a@x.example 2: name is empty, and there is no setup without it.', 'B 3']],
    ['nobody who is eligible', `${HEADER}\nA,,F\n`, ['A 2: people, groups: Choose at least one person or group.']],
    ['a cell too many', `${HEADER}\nA,a@x.example,F,G\n`, ['A 2: The line has 4 cells, and there are 3 columns. A cell with a comma in it stands in quotes.']],
    ['a cell too few', `${HEADER}\nA,a@x.example\n`, ['A 2: applications: Choose at least one application.']],
    ['a value of another kind', 'name,people,days,applications,preset\nA,a@x.example;b@x.example,soon,F,lax\n', ['A 2: preset: standard, strict, break-glass, or the settings themselves are expected here.', 'A 2: days: a number is expected here.']],
    ['a formula', `${HEADER}\n"=HYPERLINK(""x"")",a@x.example,F\n`, [expect.stringMatching(/^=HYPERLINK\("x"\) 2: name begins like a formula/)]],
  ])('%s', (_what, text, expected) => { expect(told(text)).toEqual(expected); });

  test('more rows than a batch has are refused as a whole', () => {
    const rows = (count: number): string => `${HEADER}\n${Array.from({ length: count }, (_, index) => `G${index},a@x.example,F\n`).join('')}`;
    expect(told(rows(10_000))).toEqual(['file 1: The file has 10,000 setups, and a batch has at most 1,000. Split it.']);
    expect(told(rows(BATCH_ROWS_MAX))).toHaveLength(BATCH_ROWS_MAX);
  });

  test('more columns than any template has are refused in one sentence, and of many mistakes the first are told', () => {
    const header = (count: number): string => `name,${Array.from({ length: count - 1 }, (_, index) => `c${index}`).join(',')}\nA\n`;
    expect(told(header(100_000))).toEqual(['file 1: The file has 100,000 columns, and a batch reads at most 200. Leave those that the template has: name, preset, owners, people, days, groups, applications.']);
    const many = told(header(BATCH_COLUMNS_MAX));
    expect([many.length, many.at(-1)]).toEqual([21, 'file 1: And 179 more.']);
    expect(told(`name,${'x'.repeat(100_000)}\nA,B\n`).join('').length).toBeLessThan(300);
    expect(told(`name,people,applications,${Array.from({ length: 25 }, (_, index) => `v${index}`).join(',')}\nA,a@x.example,F,${Array.from({ length: 25 }, () => '=1').join(',')}\n`, { template: `group: { kind: new, displayName: "\${name}", description: "${Array.from({ length: 25 }, (_, index) => `\${v${index}}`).join('')}" }\nroleSettings: strict\neligible: [{ user: "\${people}" }]\napplications: [{ application: "\${applications}" }]\n` }).at(-1)).toBe('A 2: And 5 more.');
  });

  test('what is wrong with a value is said of the columns that it is made of', () => {
    const text = 'name,people,groups,applications\nA,a@x.example;b@x.example,Staff,F\n';
    const [row] = (readBatchFile({ format: 'csv', text }) as BatchFile).rows;
    if (!row || 'mistakes' in row.read) throw new Error('refused');
    expect(row.read.mistakesOf([{ path: ['eligible', 1, 'user'], message: 'x' }, { path: ['eligible', 2, 'group'], message: 'x' }, { path: ['group', 'displayName'], message: 'x' }, { path: ['owners'], message: 'x' }, { path: ['ownerRoleSettings'], message: 'x' }]).map(({ message }) => message))
      .toEqual(['people: x.', 'groups: x.', 'name: x.', 'owners: x.', 'ownerRoleSettings of the template: x.']);
  });

  test('a file that a spreadsheet saved with semicolons is read, and its result has them again', () => {
    const text = '\uFEFFname;people;applications\r\nA;"a@x.example;b@x.example";"F, G"\r\n';
    expect(sourceOf(text)).toMatchObject({ eligible: [{ user: 'a@x.example' }, { user: 'b@x.example' }], applications: [{ application: 'F, G' }] });
    const file = read(text) as BatchFile;
    const written = writeBatchFile(file.form, file.rows.map((row) => ({ written: row.written, result: 'failed', reason: '=a; b' })));
    expect(written).toBe('name;people;applications;result;reason\r\nA;"a@x.example;b@x.example";"F, G";failed;"\'=a; b"\r\n');
    expect(sourceOf(written)).toEqual(sourceOf(text));
  });

  test('a cell with several values is written in quotes, whichever of them a spreadsheet takes for the end of a cell', () => {
    const file = read(`${HEADER}\nA,a@x.example;b@x.example,F\n`) as BatchFile;
    expect(writeBatchFile(file.form, file.rows.map(({ written }) => ({ written, result: 'done', reason: '' })))).toBe(`${HEADER},result,reason\r\nA,"a@x.example;b@x.example",F,done,\r\n`);
  });

  test('a template of one’s own', () => {
    const template = 'group: { kind: new, displayName: "Fin-${role}-SecureAccess", description: "${why:-}" }\nroleSettings: strict\neligible: [{ user: "${who}", days: 30 }]\napplications:\n  - kind: new\n    displayName: ${app}\n    connectorGroup: EU-1\n    segments: [{ host: "${hosts}", ports: "${ports:-443}", protocol: tcp }]\n';
    expect(sourceOf('role,who,app,hosts,ports\nReader,a@x.example,Archive,a.corp.example;b.corp.example,443;8000-8010\n', { template })).toMatchObject({
      group: { displayName: 'Fin-Reader-SecureAccess' }, applications: [{ kind: 'new', segments: [{ host: 'a.corp.example', ports: '443' }, { host: 'b.corp.example', ports: '8000-8010' }] }],
    });
    expect(told('role\nA\n', { template: 'group: [' })).toEqual([expect.stringMatching(/^file \d: Of the template: This is neither YAML nor JSON/)]);
    expect(told('role\nA\n', { template: '- a' })).toEqual(['file 1: Of the template: It is a setup with ${variables} in it.']);
  });
});

describe('YAML and JSON', () => {
  const yaml = { format: 'yaml' } as const;
  test('one setup, a list of them, or a template with rows', () => {
    expect(told(setup('A'), yaml)).toEqual(['A 1']);
    expect(told(`setups:\n${indented(setup('A'))}${indented(setup('B'))}`, yaml)).toEqual(['A 2', 'B 6']);
    const rows = 'template:\n  group: { kind: new, displayName: "${name}" }\n  roleSettings: "${preset:-standard}"\n  eligible: [{ user: "${people}", days: "${days:-9}" }]\n  applications: [{ application: "${app}" }]\nrows:\n  - { name: A, people: [a@x.example, b@x.example], days: 30, app: F }\n  - { name: 7, people: c@x.example, app: F }\n  - { name: C, colour: red, people: { a: 1 }, app: F }\n  - nothing\n  - { people: a@x.example, app: F }\n';
    expect(told(rows, yaml)).toEqual([
      'A 7', '7 8', 'C 9: colour is no variable of the template; it has name, preset, people, days, app.', 'C 9: people: a text, a number or a list of them is expected here.',
      'row 4 10: A row has a value for each variable of the template.', 'a@x.example 11: name is empty, and there is no setup without it.',
    ]);
    expect(sourceOf(rows, yaml).eligible).toEqual([{ user: 'a@x.example', days: 30 }, { user: 'b@x.example', days: 30 }]);
    expect(told(JSON.stringify({ setups: [{ ...sourceOf(setup('A'), yaml) }] }), yaml)).toEqual(['A 1']);
  });

  test.each<[string, string, readonly unknown[]]>([
    ['a list', '- a\n', ['file 1: A file has one setup, or setups: and a list of them, or template: and rows:.']],
    ['an empty list', 'setups: []\n', ['file 1: setups: is a list of at least one setup.']],
    ['something beside the list', 'setups: [a]\ncolour: red\n', ['file 2: colour is not known here, beside setups.']],
    ['rows without a template', '\nrows: [{ a: 1 }]\n', [expect.stringMatching(/^file 2: template: is a setup/)]],
    ['a template without rows', 'template: { a: "${b}" }\n', [expect.stringMatching(/^file 1: rows: is a list/)]],
    ['a wrong setup beside a good one', `setups:\n${indented(setup('A').replace('days: 9', 'days: never'))}${indented(`${setup('B')}colour: red\n`)}${indented(setup('C'))}`, ['A 4: eligible.0.days: a number is expected here.', 'B 10: colour is not known here.', 'C 11']],
    ['a character that is none', 'setups: ["\\0"]\n', ['file 1: The file has the code of a character that is none, such as \\u0000.']],
  ])('%s', (_what, text, expected) => { expect(told(text, yaml)).toEqual(expected); });

  test('10,000 setups are refused as a whole', () => {
    expect(told(`setups:\n${Array.from({ length: 10_000 }, () => '  - { group: { kind: new, displayName: A } }\n').join('')}`, yaml)).toEqual(['file 1: The file has 10,000 setups, and a batch has at most 1,000. Split it.']);
  });
});

describe('the result is a file of the same form, which is read again', () => {
  test.each<[string, BatchText]>([
    ['CSV', { format: 'csv', text: `${HEADER}\nA,a@x.example;b@x.example,"F, G"\nB,,F\n` }],
    ['a list', { format: 'yaml', text: `setups:\n${indented(setup('A'))}${indented(setup('B'))}` }],
    ['a template with rows', { format: 'yaml', text: 'template: { group: { kind: new, displayName: "${name}" } }\nrows: [{ name: A }, { name: B }]\n' }],
  ])('%s', (_what, before) => {
    const file = readBatchFile(before);
    if ('mistakes' in file) throw new Error(JSON.stringify(file.mistakes));
    const told = file.rows.map(({ written }, index) => ({ written, result: index === 0 ? 'done' : 'failed', reason: index === 0 ? '' : '=1+1, she said' }));
    const text = writeBatchFile(file.form, told);
    expect(text).toContain(before.format === 'csv' ? `'=1+1, she said` : '=1+1, she said');
    const again = readBatchFile({ ...before, text });
    if ('mistakes' in again) throw new Error(JSON.stringify(again.mistakes));
    expect(again.rows.map(({ name, read: row }) => [name, 'source' in row ? row.source : row.mistakes.map(({ message }) => message)])).toEqual(file.rows.map(({ name, read: row }) => [name, 'source' in row ? row.source : row.mistakes.map(({ message }) => message)]));
    // Once more, with what was said before.
    expect(writeBatchFile(again.form, again.rows.map(({ written }, index) => ({ ...(told[index] as (typeof told)[number]), written })))).toBe(text);
  });

  test('a cell that was refused for its formula does not get out as one', () => {
    for (const cell of ['=1+1', '\u200b=1+1']) {
      const file = readBatchFile({ format: 'csv', text: `${HEADER}\n${cell},a,F\n` });
      if ('mistakes' in file) throw new Error('refused');
      expect(writeBatchFile(file.form, file.rows.map(({ written }) => ({ written, result: 'refused', reason: '' }))).split('\r\n')[1]).toBe(`'${cell},a,F,refused,`);
    }
  });
});
