import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind } from '@gatehouse/contracts';
import { testDatabase } from '@gatehouse/db/testing';
import { csvCell, csvGuard, CSV_COLUMNS, CSV_HEAD } from './csv.rules.ts';
import { cefLine } from './cef.rules.ts';
import { bulkOf, readMark, rowsOf, withSnapshot } from './log-reader.store.ts';
import type { LogRow } from './log-row.rules.ts';
import { ndjsonLineEnds, ndjsonRow } from './ndjson.rules.ts';
import { ocsfEvent } from './ocsf.rules.ts';
import { addRows, HOSTILE, rowWith, TENANT } from './testing/hostile.ts';
import { syslogFrame } from './syslog.rules.ts';
import { cefFaults, parseCef, parseSyslog } from './testing/parsers.ts';
import { ocsfFaults } from './testing/ocsf-schema.ts';

const FORMULA = /^[\s\u0001-\u0020\u00a0\u200b\u2060\ufeff]*[=+\-@＝＋－＠]|^[\t\r\n]/;
const NUMBER = /^(?=.*\d)[\d.,]+(?:[eE][+-]?\d+)?%?$/;
/** What is a date or a truth, and what begins like one. */
const dated = fc.string({ unit: fc.constantFrom('Mar', 'ch', 'mAY', 'JUN', 'e', 'Wed', 'nesday', 't', 'T', 'rue', 'FAL', 'se', '5', '26', ' ', '\u00a0', '-', ':', '.', 'am', 'x'), minLength: 1, maxLength: 6 });
const text = fc.oneof(fc.constantFrom(...HOSTILE), dated, fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: fc.constantFrom('"', '"', ',', '\n', '\n', '\r', '\t', '=', "'", ' ', '\u001e', '\u202e', '0', '|', '\\') , maxLength: 12 }));
const hostileRow = fc.record({ reason: text, activity: text, actorName: text, groupName: text, service: text, defect: fc.oneof(fc.constant(null), text), raw: fc.oneof(fc.constant('{"id":"1"}'), text) }).map(rowWith);
/** The line of an event as it is to be, cell by cell. */
const csvRow = (row: LogRow): string => `${Object.values(CSV_COLUMNS).map((read) => csvCell(read(row))).join(',')}\r\n`;
/** As the database holds a text. */
const held = (value: string): string => value.toWellFormed().replaceAll('\u0000', '\uFFFD');

test('no cell of a CSV file is a formula or a number, and every value can be had back', () => {
  fc.assert(fc.property(hostileRow, (row) => {
    const [cells = []] = parse(csvRow(row), { record_delimiter: '\r\n' }) as string[][];
    expect(cells).toHaveLength(Object.keys(CSV_COLUMNS).length);
    Object.values(CSV_COLUMNS).forEach((read, index) => {
      const cell = cells[index] ?? '';
      expect(FORMULA.test(cell) || NUMBER.test(cell)).toBe(false);
      expect(cell.startsWith("'") ? cell.slice(1) : cell).toBe(held(read(row) ?? ''));
    });
  }), { numRuns: 300 });
});

// Each was converted by LibreOffice 7.4, by its defaults or with special numbers detected, in English, German or French.
test.each(['00123', '1234567890123456789', '1.', '1.5e-3', '1 e5', '1,000,000', '1.234,5', '1 234,5', '2026-03-02', '2026-3-2', '2026-03-02T09:00:00', '2026-03-02T09:00:00,5', '2026-03-02 09:00', '1/3/26', '3/4', '31.12.', '3. 4. 2026', '10:30', '25:00:00', '-10:30', '12 AM', '6pm', 'Mar 5', 'JAN-1', '3 Jan', 'March 2026', '1 1/2', 'TRUE', 'true', 'FALSE', '5\u00a0%', '.5%', '$ 5', '5 €', '( 5 )', ' 7', '7 '])('a spreadsheet does not convert %j', (cell) => {
  expect(csvCell(cell)).toBe(`"'${cell}"`);
});

test('a time is as the source wrote it where that says UTC, and else in UTC', () => {
  const times = ['2026-03-02T09:00:00.1234567Z', '2026-03-02T09:00:00', '2026-03-02T10:00:00+01:00', '=1+1', ''].map((atRaw) => (parse(csvRow(rowWith({ atRaw })), { record_delimiter: '\r\n' }) as string[][])[0]?.[0]);
  expect(times).toEqual(['2026-03-02T09:00:00.1234567Z', ...Array.from({ length: 4 }, () => '2026-03-02T09:00:00.123456Z')]);
});

test('what is no number, date or truth stands as it is, and no length of it takes long to tell', () => {
  for (const cell of ['', '.', 'Finance 2', 'May', 'Marketing 5', 'truly', '2026-03-02T09:00:00.1234567Z', '12h', '11111111-1111-4111-8111-111111111111', '1e111111-1111-4111-8111-111111111111']) expect(csvCell(cell)).toBe(`"${cell}"`);
  for (const piece of [' ', '0', '5 ', 'may', 'june', '5june', 'sept5', 'septue', '5am', '1t', '1e5']) expect(csvCell(`5${piece.repeat(50_000)}x`)).toMatch(/^"5/);
});

test('the head of a CSV file is a byte order mark and a line of quoted titles', () => {
  expect(CSV_HEAD.startsWith('\uFEFF"Time (UTC)","Source",')).toBe(true);
  expect(CSV_HEAD.endsWith('\r\n')).toBe(true);
});

test('an event is one line of NDJSON, as received, or within an object where it was none', () => {
  fc.assert(fc.property(hostileRow, (row) => {
    const line = ndjsonRow({ ...row, defect: row.defect ?? 'broken' });
    expect(line.slice(0, -1)).not.toMatch(/[\r\n]/);
    expect(() => JSON.parse(line)).not.toThrow();
  }), { numRuns: 200 });
  const received = '{"b":  1.50,"a":"\\u00e9"}';
  expect(ndjsonRow(rowWith({ raw: received }))).toBe(`${received}\n`);
  expect(ndjsonRow(rowWith({ raw: '{\r\n "a": 1\n}' }))).toBe('{   "a": 1 }\n');
});

test('an event is one line of CEF that a strict reader takes apart into what went in', () => {
  fc.assert(fc.property(hostileRow, (row) => {
    const line = cefLine(row);
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(cefFaults(line)).toEqual([]);
    const { header, extension } = parseCef(line);
    expect(header.slice(0, 4)).toEqual(['CEF:0', 'Gatehouse', 'Gatehouse', '1']);
    expect(extension['cat']).toBe(row.kind);
    if (row.reason !== null && /^[A-Za-z][A-Za-z ,-]{0,999}$/.test(row.reason)) expect(extension['reason']).toBe(row.reason);
  }), { numRuns: 300 });
  const { extension } = parseCef(cefLine(rowWith({ reason: 'a=b\\c|d\nnext\u001b[31m\u202e', groupName: 'x'.repeat(70_000) })));
  expect(extension['reason']).toBe('a=b\\c|d\nnext<U+001B>[31m<U+202E>');
  expect(extension['cs1']).toHaveLength(4000);
});

test('an id as long as the directory gives is whole in CEF, and a value too long for its key is refused by the reader', () => {
  const eventId = `Directory_${'7df5c4ad-68c0-4763-95ed-bd1ea0ee1f5e'}_UVLOO_154213_${'9'.repeat(20)}`;
  const line = cefLine(rowWith({ eventId }));
  expect(parseCef(line).extension).toMatchObject({ flexString1Label: 'eventId', flexString1: `directory:${eventId}` });
  expect(cefFaults(`${line} externalId=directory:${eventId}`)).toHaveLength(1);
  expect(cefFaults(`${line} eventId=1`)).toEqual(['eventId is no key of the dictionary']);
});

test('events in a row are told apart by a receiver that counts octets, each with a header after RFC 5424', () => {
  fc.assert(fc.property(fc.array(hostileRow, { maxLength: 4 }), fc.oneof(text, fc.constant('gatehouse.example.com')), (rows, host) => {
    const messages = parseSyslog(Buffer.concat(rows.map((row) => syslogFrame(row, host))));
    expect(messages.map(({ message }) => message)).toEqual(rows.map(cefLine));
    expect(messages.every(({ priority, app }) => app === 'gatehouse' && [108, 109].includes(priority))).toBe(true);
  }), { numRuns: 100 });
});

describe('OCSF 1.9.0', () => {
  test('every kind of event is of a class whose requirements it meets', () => {
    fc.assert(fc.property(hostileRow, fc.constantFrom(...EventKind.options), fc.constantFrom<LogRow['result']>('success', 'failure', 'other'), fc.boolean(), fc.constantFrom(null, 'Finance reports'), (row, kind, result, named, applicationName) => {
      const event = ocsfEvent({ ...row, kind, result, applicationName, ...(!named && { groupId: null, groupName: null, actorId: null, actorName: null, subjectId: null, subjectName: null }) });
      expect(ocsfFaults(event)).toEqual([]);
      expect(JSON.parse(JSON.stringify(event))['raw_data']).toBe(JSON.parse(JSON.stringify(row.raw)));
    }), { numRuns: 200 });
  });

  test.each<[string, Record<string, unknown>]>([
    ['another type', { type_uid: 1 }], ['another category', { category_uid: 6 }], ['no time', { time: undefined }], ['a time in words', { time: '2026-03-02' }], ['a severity that is none', { severity_id: 7 }], ['a caption of another number', { activity_name: 'Remove User' }],
    ['an attribute of no class', { resource: { name: 'x' } }], ['one user where a list is', { users: { name: 'x' } }], ['a group without name and id', { group: {} }], ['a product that is missing', { metadata: { version: '1.9.0' } }], ['another version', { metadata: { version: '1.8.0', product: { name: 'x' } } }],
  ])('an event with %s is refused', (_what, changed) => {
    expect(ocsfFaults(ocsfEvent(rowWith({})))).toEqual([]);
    expect(ocsfFaults({ ...ocsfEvent(rowWith({})), ...changed })).toHaveLength(1);
  });

  test('what became a member is group management, a sign-in is authentication, an export is API activity', () => {
    const classOf = (row: Partial<LogRow>): unknown[] => [ocsfEvent(rowWith(row))['class_uid'], ocsfEvent(rowWith(row))['activity_id']];
    expect(classOf({ kind: 'activated' })).toEqual([3006, 3]);
    expect(classOf({ kind: 'expired' })).toEqual([3006, 4]);
    expect(classOf({ kind: 'portal-sign-in', activity: 'session.begun' })).toEqual([3002, 1]);
    expect(classOf({ kind: 'portal-sign-in', activity: 'session.ended' })).toEqual([3002, 2]);
    expect(classOf({ kind: 'portal-export' })).toEqual([6003, 2]);
    expect(classOf({ kind: 'role-settings-changed' })).toEqual([3004, 3]);
  });
});

test('what PostgreSQL writes in bulk is byte for byte what the encoders write', async () => {
  await using db = await testDatabase();
  // What is stored without a defect was read as JSON.
  const rows = [...fc.sample(hostileRow, { numRuns: 200, seed: 7 }).map((row) => ({ ...row, defect: row.raw.startsWith('{"id') ? row.defect : row.defect ?? 'no JSON' })), ...HOSTILE.map((one) => rowWith({ reason: one, actorName: one, raw: one, defect: 'no JSON' })), rowWith({ raw: '{\n "a": 1\r\n}' }), ...['2026-03-02T09:00:00', '2026-03-02T10:00:00+01:00', '2026-03-02T09:00:00Z'].map((atRaw) => rowWith({ atRaw })),
    // Dashes where an id has them by bytes and not by characters, and in the next cell.
    rowWith({ reason: '1’’1-1111-1' }), rowWith({ reason: '1', actorName: 'abcd-efgh-' })];
  await addRows(db, rows);
  const selection = { tenantId: TENANT, filter: {}, mark: await readMark(db.pool, TENANT) };
  const month = { month: '2026-03-01', next: '2026-04-01' };
  await withSnapshot(db, async (connection) => {
    const stored: LogRow[] = [];
    for await (const page of rowsOf(connection, selection, month)) stored.push(...page);
    expect(stored).toHaveLength(rows.length);
    const bulk = async (what: 'csv' | 'ndjson'): Promise<string> => {
      const chunks: Buffer[] = [];
      const encode = what === 'csv' ? csvGuard() : ndjsonLineEnds();
      let lines = 0;
      for await (const chunk of await bulkOf(connection, what, selection, month)) {
        // However it is cut into pieces.
        for (let at = 0; at < chunk.length; at += 13) {
          const made = encode(chunk.subarray(at, at + 13));
          chunks.push(made.bytes);
          lines += made.lines;
        }
      }
      expect(lines).toBe(rows.length);
      return Buffer.concat(chunks).toString('utf8');
    };
    const parts = (whole: string): string[] => whole.split(/(?<=\n)/);
    // Said by the first that differs, and shortly: some are long.
    const differing = (sent: readonly string[], wanted: readonly string[]): unknown => sent.map((line, index) => [line, wanted[index]]).find(([one, other]) => one !== other)?.map((line) => line?.slice(0, 300));
    const cells = parts(await bulk('csv'));
    expect(differing(cells, parts(stored.map(csvRow).join('')))).toBeUndefined();
    expect(cells.length).toBeGreaterThan(rows.length);
    const [sent, wanted] = [parts(await bulk('ndjson')), stored.map(ndjsonRow)];
    expect(sent).toHaveLength(wanted.length);
    // What is put into an object is the same JSON; all else is the same text.
    const same = (line: string): string => (line.startsWith('{"gatehouse"') ? JSON.stringify(Object.entries((JSON.parse(line) as { gatehouse: object }).gatehouse).sort()) : line);
    expect(differing(sent.map(same), wanted.map(same))).toBeUndefined();
  });
});
