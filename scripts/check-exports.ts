/**
 * Takes every export from a portal whose log holds texts that are meant to be run, converted or broken by, and reads each
 * as its reader does: CSV in LibreOffice, by a double click and with the usual choices, where every cell must be the text
 * that was exported; NDJSON against Microsoft's published directoryAudit, where that is beside the repository; OCSF against
 * its schema; CEF and syslog by their grammar. `SOFFICE` names LibreOffice's program where it is not found.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { syslogFrame } from '../apps/api/src/features/exports/syslog.rules.ts';
import { addRows, HOSTILE, rowWith } from '../apps/api/src/features/exports/testing/hostile.ts';
import { ocsfFaults } from '../apps/api/src/features/exports/testing/ocsf-schema.ts';
import { cefFaults, parseSyslog } from '../apps/api/src/features/exports/testing/parsers.ts';
import { unpacked } from '../apps/api/src/features/exports/testing/unpacked.ts';
import { story } from '../apps/api/src/mirror/testing.ts';
import { INES, startPortal, type Client, type TestPortal } from '../apps/api/src/testing.ts';
import startTemplate from '../packages/db/src/testing-global-setup.ts';
import { readGraphContract } from '../testing/graph-contract.ts';
import { DEVIATIONS } from '../testing/graph-deviations.ts';
import { readSheet } from '../testing/sheet.ts';

const root = join(import.meta.dirname, '..');

function findOffice(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/Applications/LibreOffice.app/Contents/MacOS', 'C:\\Program Files\\LibreOffice\\program'];
  const found = [process.env['SOFFICE'], ...folders.flatMap((folder) => ['soffice', 'libreoffice', 'soffice.com'].map((name) => join(folder, name)))].find((path) => path !== undefined && path !== '' && existsSync(path));
  if (found !== undefined) return found;
  console.error('LibreOffice is not installed: the CSV exports cannot be opened. Install its Calc (Debian: apt-get install --no-install-recommends libreoffice-calc), or name its program in SOFFICE.');
  process.exit(1);
}

/**
 * How somebody may open a CSV file: the import filter's options, in its order: separators, quote, UTF-8, first line, columns,
 * language, quoted is text, special numbers. A double click shows them as they are here, for the mark at the beginning says
 * UTF-8; without a window and without options that mark is not read, and only the kinds of the cells can be told.
 */
const OPENINGS: readonly (readonly [how: string, options: string | undefined])[] = [
  ['without any choice', undefined],
  ['by a double click', '44/59/9,34,76,1,,0,false,false'],
  ['with commas and UTF-8', '44,34,76,1'],
  ['with special numbers detected', '44,34,76,1,,1033,false,true'],
  ['with quoted cells as text', '44,34,76,1,,1033,true,false'],
  ['in German', '44,34,76,1,,1031,false,false'],
  ['in French', '44,34,76,1,,1036,false,false'],
];

/** Of a cell, LibreOffice keeps so many characters. */
const LONGEST_CELL = 65_535;
const CONTROL = new RegExp('[\\u0001-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff]', 'g');
const NOT_ASCII = /[^\u0000-\u007f]/;
const LONG = 'long'.repeat(50_000);

const office = findOffice();
const version = spawnSync(office, ['--version'], { encoding: 'utf8' }).stdout.trim();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-exports-'));
const wrong: string[] = [];
const said = (what: string, faults: readonly string[]): void => {
  console.log(`${faults.length === 0 ? '✓' : '✗'} ${what}`);
  for (const fault of faults.slice(0, 10)) console.log(`    ${fault}`);
  if (faults.length > 10) console.log(`    and ${faults.length - 10} more`);
  wrong.push(...faults);
};

let templateUrl = '';
const stopPostgres = await startTemplate({ provide: (_key, url) => { templateUrl = url; } });
try {
  await using portal = await startPortal({ templateUrl });
  const texts = [...new Set([...HOSTILE, LONG])];
  await portal.emulator.audits(texts.flatMap((text, index) => hostileStory(text, index)));
  await portal.syncNow();
  // And what the mirror would have made tidy.
  await addRows(portal.db, texts.map((text) => rowWith({ reason: text, activity: text, service: text, actorName: text, subjectName: text, groupName: text, applicationName: text, raw: `no JSON: ${text}`, defect: 'no JSON' })), { tenantId: portal.tenantId });
  const ines = await portal.as(INES);
  const taken = { csv: await take(portal, ines, 'csv'), ndjson: await take(portal, ines, 'ndjson'), ocsf: await take(portal, ines, 'ocsf'), cef: await take(portal, ines, 'cef'), pack: await take(portal, ines, 'pack') };
  const events = linesOf(taken.csv, 'csv').length - 1;
  console.log(`${events.toLocaleString('en-US')} events, among them ${texts.length} texts that mean harm. ${version}.`);

  const { files } = await unpacked(taken.pack);
  for (const [name, bytes] of [['events.csv', taken.csv], ['activations.csv', files['activations.csv'] ?? Buffer.alloc(0)]] as const) for (const [how, options] of OPENINGS) said(`${name}, opened ${how}`, opened(name, bytes, options));
  const held = new Set(linesOf(taken.csv, 'csv').flat().map((cell) => (cell.startsWith("'") ? cell.slice(1) : cell)));
  said('events.csv holds every text as it was', texts.filter((text) => !held.has(text.toWellFormed().replaceAll('\u0000', '\uFFFD'))).map((text) => `${JSON.stringify(text.slice(0, 40))} is not in it`));

  const lines = taken.ndjson.toString('utf8').split('\n').slice(0, -1);
  said(`NDJSON: ${lines.length} lines`, ndjsonFaults(lines));
  const ocsf = taken.ocsf.toString('utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
  said(`OCSF: ${ocsf.length} events of ${new Set(ocsf.map((event) => event['class_uid'])).size} classes`, ocsf.flatMap((event) => ocsfFaults(event)));
  const cef = taken.cef.toString('utf8').split('\n').slice(0, -1);
  said(`CEF: ${cef.length} lines`, cef.flatMap((line) => cefFaults(line)));
  const rows = texts.map((text) => rowWith({ reason: text, activity: text, groupName: text, actorName: text }));
  said(`syslog: ${rows.length} frames`, parseSyslog(Buffer.concat(rows.map((row) => syslogFrame(row, 'gatehouse.example.com')))).length === rows.length ? [] : ['not as many messages as events']);
} finally {
  await stopPostgres();
  rmSync(folder, { recursive: true, force: true });
}
console.log(wrong.length === 0 ? 'Every export is read as it was meant.' : `${wrong.length} things are not as they were meant.`);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** One activation whose reason, group, person and ticket are called so. */
function hostileStory(text: string, index: number): { visibleAt: string; entry: Record<string, unknown> }[] {
  const entries = story(`hostile-${index}`, `2026-02-${String(1 + (index % 27)).padStart(2, '0')}`).map(({ raw }) => JSON.parse(raw) as Record<string, unknown>);
  return entries.map((entry) => ({ visibleAt: '2026-03-01T00:00:00.000Z', entry: withText(entry, text) }));
}

function withText(entry: Record<string, unknown>, text: string): Record<string, unknown> {
  const named = (list: unknown, key: string, types: readonly string[]): unknown => (Array.isArray(list) ? list.map((one: Record<string, unknown>) => (types.includes(String(one['type'] ?? one['key'])) ? { ...one, [key]: text } : one)) : list);
  return { ...entry, resultReason: text, targetResources: named(entry['targetResources'], 'displayName', ['User', 'Group']), additionalDetails: named(entry['additionalDetails'], 'value', ['Justification', 'TicketNumber', 'TicketSystem']) };
}

async function take(portal: TestPortal, client: Client, format: string): Promise<Buffer> {
  const made = await client.post('/api/exports', { format, filter: {} });
  if (made.status !== 201) throw new Error(`The ${format} export was answered by ${made.status}: ${JSON.stringify(made.body)}`);
  await portal.settle();
  const answer = await fetch(`${portal.url}/api/exports/${String(made.body.id)}/file`, { headers: { cookie: await client.jar.getCookieString(portal.url) } });
  if (!answer.ok) throw new Error(`The ${format} file was answered by ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

function linesOf(bytes: Buffer, name: string): string[][] {
  if (bytes.length === 0) throw new Error(`${name} is empty`);
  return parse(bytes.toString('utf8'), { bom: true, record_delimiter: '\r\n' });
}

/** What LibreOffice makes of a CSV file, cell by cell, against what stands in it. */
function opened(name: string, bytes: Buffer, options: string | undefined): string[] {
  const into = mkdtempSync(join(folder, 'sheet-'));
  const file = join(into, name);
  writeFileSync(file, bytes);
  // A profile of its own: what somebody chose on this machine is not asked.
  const profile = `-env:UserInstallation=${pathToFileURL(join(folder, 'profile')).href}`;
  const { status, stderr } = spawnSync(office, [profile, '--headless', '--norestore', ...(options === undefined ? [] : [`--infilter=CSV:${options}`]), '--convert-to', 'fods', '--outdir', into, file], { encoding: 'utf8', timeout: 300_000 });
  const made = file.replace(/\.csv$/, '.fods');
  if (status !== 0 || !existsSync(made)) return [`LibreOffice did not open it: ${stderr.slice(0, 300)}`];
  const sheet = readSheet(readFileSync(made, 'utf8'));
  const lines = linesOf(bytes, name);
  const faults: string[] = sheet.length === lines.length ? [] : [`${sheet.length} rows, not ${lines.length}`];
  lines.forEach((line, row) => {
    line.forEach((text, column) => {
      const cell = sheet[row]?.[column] ?? { type: undefined, formula: undefined, text: '' };
      const where = `row ${row + 1}, ${String(lines[0]?.[column])}: ${JSON.stringify(text.slice(0, 60))}`;
      if (text !== '' && (cell.type !== 'string' || cell.formula !== undefined)) faults.push(`${where} is ${cell.formula === undefined ? `of type ${String(cell.type)}` : 'a formula'}`);
      else if (cell.text !== asKept(text) && !(options === undefined && (row === 0 || NOT_ASCII.test(text)))) faults.push(`${where} is shown as ${JSON.stringify(cell.text.slice(0, 60))} (${cell.text.length} of ${text.length} characters)`);
    });
  });
  return faults;
}

/** A text as a cell of LibreOffice keeps it: lines end with LF, it is only so long, and its file, being XML, has no control characters. */
function asKept(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(CONTROL, '').slice(0, LONGEST_CELL);
}

function ndjsonFaults(lines: readonly string[]): string[] {
  const contract = readGraphContract(join(root, '../shared/graph'));
  if (!contract) console.log('· The published contract (../shared/graph) is not here: that the lines are directoryAudits was not checked.');
  return lines.flatMap((line, index) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    // The portal's own record of what people did with it is in words of its own, and so is what came as no JSON.
    if (!contract || event['service'] === 'Gatehouse' || 'gatehouse' in event) return [];
    const { operation, differences } = contract.check({ method: 'GET', url: '/v1.0/auditLogs/directoryAudits', headers: {}, status: 200, answer: { value: [event] } });
    // What is known to differ, and why, is kept with the conformance check.
    return differences.filter((difference) => !DEVIATIONS.some(({ in: where, differs }) => where.test(operation) && differs.test(difference))).map((difference) => `line ${index + 1}: ${difference}`);
  });
}
