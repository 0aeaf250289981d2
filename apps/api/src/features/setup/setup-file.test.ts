import { PROPOSED_ROLE_SETTINGS, SetupDefinition } from '@gatehouse/contracts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readSetupFile as readSource, SETUP_FILE_SCHEMA, writeSetupFile } from './setup-file.ts';
import { NOTHING_FOUND, resolver } from './setup-source.rules.ts';

const SCHEMA = 'https://gatehouse.example/api/setup-schema.json';
const ID = '6f1c3f0e-0b6e-4a37-9b0a-5d8d7f6a1c01';
const definition = SetupDefinition.parse({
  group: { kind: 'new', displayName: 'FinReport-SeniorAnalyst-SecureAccess', mailNickname: 'FinReport-SeniorAnalyst-SecureAccess', description: 'Yes: "no" # of course\nand a second line' },
  roleSettings: { ...PROPOSED_ROLE_SETTINGS, approval: { required: true, approvers: [{ id: ID, kind: 'user', displayName: 'Omar Haddad' }] } },
  eligible: [{ principalId: ID, kind: 'user', displayName: 'İlker “No” Yılmaz', days: 180 }],
  applications: [
    { kind: 'existing', servicePrincipalId: ID, displayName: '1e3', applicationKind: 'per-app' },
    { kind: 'new', displayName: 'Archive', connectorGroupId: ID, connectorGroupName: 'EU-1', segments: [{ host: 'fin-arch.corp.contoso.example', ports: '443', protocol: 'tcp' }] },
  ],
});
/** A file without names, made whole. */
function readSetupFile(text: string) {
  const read = readSource(text);
  if ('mistakes' in read) return read;
  const whole = resolver(NOTHING_FOUND)(read.source);
  return 'definition' in whole ? whole : { mistakes: read.mistakesOf(whole.issues) };
}
const yaml = writeSetupFile(definition, 'yaml', SCHEMA);
const lineOf = (text: string, part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1;
const mistakes = (text: string): string[] => {
  const read = readSetupFile(text);
  return 'mistakes' in read ? read.mistakes.map(({ line, message }) => `${line}: ${message}`) : [];
};

describe('a setup as a file', () => {
  test.each(['yaml', 'json'] as const)('%s comes back as it went, and the second file is the first, byte by byte', (format) => {
    const text = writeSetupFile(definition, format, SCHEMA);
    const read = readSetupFile(text);
    expect(read).toEqual({ definition });
    expect(writeSetupFile((read as { definition: SetupDefinition }).definition, format, SCHEMA)).toBe(text);
  });

  test('is the same whatever the order in which its parts were kept', () => {
    const { group, owners, roleSettings, ownerRoleSettings, eligible, applications } = definition;
    expect(writeSetupFile({ applications, eligible, ownerRoleSettings, roleSettings, owners, group }, 'yaml', SCHEMA)).toBe(yaml);
  });

  test('names the schema to editors, and holds to it', () => {
    expect(yaml.split('\n')[0]).toBe(`# yaml-language-server: $schema=${SCHEMA}`);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(SETUP_FILE_SCHEMA);
    expect(validate(parse(yaml)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate(JSON.parse(writeSetupFile(definition, 'json', SCHEMA)))).toBe(true);
    expect(validate({ ...definition, colour: 'red' })).toBe(false);
    expect(validate({ ...definition, eligible: [] })).toBe(false);
  });

  test('may begin with a mark of its encoding, and leave out what has a value of its own', () => {
    expect(readSetupFile(`\uFEFF${yaml}`)).toEqual({ definition });
    expect(readSetupFile(yaml.replace(/ {2}description: \|-\n(?: {4}.*\n)+/, ''))).toMatchObject({ definition: { group: { description: '' } } });
  });
});

describe('what is wrong in a file is said with its line', () => {
  test.each<[string, (text: string) => string, (text: string) => readonly [line: unknown, message: RegExp]]>([
    ['an unknown name', (text) => text.replace('  requireTicket: false', '  requireTicket: false\n  colour: red'), (text) => [lineOf(text, 'colour'), /^roleSettings\.colour is not known here\.$/]],
    ['an unknown name at the top', (text) => `${text}owner: maya\n`, (text) => [lineOf(text, 'owner: maya'), /^owner is not known here\.$/]],
    ['a value of another kind', (text) => text.replace('days: 180', 'days: soon'), (text) => [lineOf(text, 'days: soon'), /^eligible\.0\.days: a number is expected here\.$/]],
    ['a word that is none of those', (text) => text.replace('protocol: tcp', 'protocol: icmp'), (text) => [lineOf(text, 'protocol: icmp'), /^applications\.1\.segments\.0\.protocol: one of tcp, udp, tcp,udp is expected here\.$/]],
    ['a number out of bounds', (text) => text.replace('activationMaxMinutes: 30', 'activationMaxMinutes: 35'), (text) => [lineOf(text, 'activationMaxMinutes: 35'), /In steps of 15 min\.$/]],
    ['what is missing', (text) => text.replace(/.*ports: .*\n/, ''), (text) => [lineOf(text, 'host: fin-arch'), /^applications\.1\.segments\.0\.ports: a text is expected here\.$/]],
    ['somebody chosen twice', (text) => text.replace('eligible:\n', `eligible:\n  - principalId: ${ID}\n    kind: user\n    displayName: Omar\n    days: 30\n`), (text) => [lineOf(text, 'eligible:') + 1, /^eligible: Somebody is chosen twice\.$/]],
    ['longer than the settings allow', (text) => text.replace('days: 180', 'days: 999'), (text) => [lineOf(text, 'days: 999'), /The role settings allow 365 days at the most\.$/]],
    ['a host that is none', (text) => text.replace('host: fin-arch.corp.contoso.example', 'host: nowhere'), (text) => [lineOf(text, 'host: nowhere'), /A host is a full name/]],
    ['a name twice', (text) => text.replace('  requireTicket: false', '  requireTicket: false\n  requireTicket: true'), (text) => [lineOf(text, 'requireTicket: true'), /^requireTicket is there twice\.$/]],
    ['broken YAML', (text) => text.replace('kind: new', 'kind: [new'), () => [expect.any(Number), /^This is neither YAML nor JSON here: /]],
  ])('%s', (_what, spoil, expected) => {
    const text = spoil(yaml);
    expect(text).not.toBe(yaml);
    const [line, message] = expected(text);
    const read = readSetupFile(text);
    expect(read).toMatchObject({ mistakes: expect.arrayContaining([{ line, message: expect.stringMatching(message) }]) });
  });

  test.each([['nothing', ' \n'], ['a word', 'setup'], ['a list', '- a\n- b'], ['a number', '7']])('%s is no setup', (_what, text) => {
    expect(mistakes(text)).toEqual(['1: A setup has group, roleSettings, eligible and applications. Download one to see how it looks.']);
  });

  test('a file in another encoding is told so', () => {
    expect(mistakes('g\u0000r\u0000o\u0000u\u0000p\u0000')).toEqual(['1: This is no text in UTF-8. Save the file as UTF-8 and open it again.']);
  });

  test('a file that stands for more than it holds is refused, quickly', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`).join('\n')}\n`;
    expect(mistakes(bomb)).toEqual(['1: The file repeats itself by aliases too often.']);
  });

  test('lists within lists without end are refused, and so is a name without one', () => {
    for (const depth of [150, 2_000, 20_000]) expect(mistakes(`${'['.repeat(depth)}${']'.repeat(depth)}`), String(depth)).toEqual(['1: The file has lists and fields within each other far deeper than a setup has them.']);
    expect(mistakes(`${yaml}${'x'.repeat(100_000)}: 1\n`).join('').length).toBeLessThan(200);
  });

  test('ten thousands of names are refused as quickly as one', () => {
    const text = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1\n`).join('');
    const began = performance.now();
    expect(mistakes(text).at(-1)).toMatch(/: And 39,98\d more\.$/);
    expect(mistakes(`${text}k7: 1\n`)).toEqual(['40001: k7 is there twice.']);
    expect(performance.now() - began, 'milliseconds; each name compared with each other one takes over a minute').toBeLessThan(10_000);
  });

  test('twenty mistakes at the most are listed, in the order of the file, and how many more there are', () => {
    const text = `${yaml}${Array.from({ length: 30 }, (_, index) => `extra${index}: 1\n`).join('')}`;
    const lines = mistakes(text).map((one) => Number(one.split(':')[0]));
    expect(lines).toHaveLength(21);
    expect(mistakes(text).at(-1)).toMatch(/: And 10 more\.$/);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
    const first = `extra: 1\n${yaml.replace('days: 180', 'days: soon')}`;
    expect(mistakes(first).map((one) => Number(one.split(':')[0]))).toEqual([1, lineOf(first, 'days: soon')]);
  });
});
