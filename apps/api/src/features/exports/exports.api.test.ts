import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LARGE_EXPORT, SIGN_IN_TIME_MEND } from '@gatehouse/contracts';
import { parse } from 'csv-parse/sync';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verify } from '../../../../verify/src/verify.ts';
import { until } from '../../../test/until.ts';
import { INES, MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';
import { addRows, rowWith } from './testing/hostile.ts';
import { parseCef } from './testing/parsers.ts';
import { ocsfFaults } from './testing/ocsf-schema.ts';
import { unpacked } from './testing/unpacked.ts';

let portal: TestPortal;
let ines: Client;
const logged: string[] = [];
beforeAll(async () => {
  portal = await startPortal({ log: pino({ level: 'warn' }, { write: (line: string) => { logged.push(line); } }) });
  await portal.syncNow();
  ines = await portal.as(INES);
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

const add = (rows: Parameters<typeof addRows>[1]) => addRows(portal.db, rows, { tenantId: portal.tenantId });
const create = async (format: string, filter: object = {}): Promise<string> => {
  const made = await ines.post('/api/exports', { format, filter });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id as string;
};
const bytesOf = async (path: string, headers: Record<string, string> = {}): Promise<{ status: number; headers: Headers; bytes: Buffer }> => {
  const answer = await fetch(`${portal.url}${path}`, { headers: { cookie: await ines.jar.getCookieString(portal.url), ...headers } });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
};
const portalEvents = async (type: string): Promise<{ actor: { name: string }; data: Record<string, unknown> }[]> =>
  (await portal.db.pool.query<{ raw: string }>(`SELECT raw FROM audit_event WHERE source = 'portal' AND activity = $1 ORDER BY batch_id`, [type])).rows.map(({ raw }) => JSON.parse(raw));

// First, while every row of the log came by the mirror and can be sealed.
test.each([[{}], [{ person: 'Ana' }], [{ group: 'nobody is called so' }]])('gatehouse-verify accepts an evidence pack of %j, and not one whose events were changed', async (filter) => {
  const id = await create('pack', filter);
  await portal.settle();
  const { bytes } = await bytesOf(`/api/exports/${id}/file`);
  const { files } = await unpacked(bytes);
  const events = files['events.ndjson']?.toString() ?? '';
  const lines = events.split('\n').length - 1;
  expect(files['LEDGER.txt']?.toString()).toContain(`All ${lines} events of this pack are in the ledger`);

  const folder = mkdtempSync(join(tmpdir(), 'pack-'));
  const said: string[] = [];
  const verified = (target: string): Promise<number> => verify([target], { out: (line) => { said.push(line); }, err: (line) => { said.push(line); }, cookie: undefined });
  try {
    writeFileSync(join(folder, 'pack.zip'), bytes);
    expect(await verified(join(folder, 'pack.zip')), said.join('\n')).toBe(0);
    expect(said.join('\n')).toContain(`${lines.toLocaleString('en-US')} lines of events.ndjson are among these rows.`);
    if (lines === 0) return;
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'open', name)), { recursive: true });
      writeFileSync(join(folder, 'open', name), content);
    }
    expect(await verified(join(folder, 'open'))).toBe(0);
    writeFileSync(join(folder, 'open', 'events.ndjson'), events.replace('"success"', '"failure"'));
    expect(await verified(join(folder, 'open'))).toBe(1);
    expect(said.find((line) => line.startsWith('✗'))).toMatch(/^✗ 1 line of events\.ndjson is in no row that is proved/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an export holds the log as it stood when it was asked for, in every format, and each taking is on record', async () => {
  const raws = (await portal.db.pool.query<{ raw: string }>('SELECT raw FROM audit_event ORDER BY activity_at, batch_id, ordinal')).rows.map(({ raw }) => raw);
  const ids = { csv: await create('csv'), ndjson: await create('ndjson', { to: '2026-03-02T08:59:00Z' }), ocsf: await create('ocsf'), cef: await create('cef') };
  // What comes later is not in it, wherever in time it lies.
  await add([rowWith({ at: '2026-02-01T00:00:00.000000Z', raw: '{"late":1}' })]);

  const csv = await bytesOf(`/api/exports/${ids.csv}/file`);
  expect(csv.headers.get('content-disposition')).toMatch(/attachment; filename="gatehouse-events-2026-03-02-[0-9a-f]{8}\.csv"/);
  const cells = parse(csv.bytes.toString('utf8'), { bom: true, record_delimiter: '\r\n', columns: true }) as Record<string, string>[];
  expect(cells).toHaveLength(raws.length);
  expect(csv.bytes.includes('late')).toBe(false);

  const ndjson = (await bytesOf(`/api/exports/${ids.ndjson}/file`)).bytes.toString('utf8').trimEnd().split('\n');
  expect(ndjson.length).toBeGreaterThan(50);
  expect(raws.slice(0, ndjson.length)).toEqual(ndjson);
  expect(JSON.parse(ndjson[0] ?? '')).toHaveProperty('activityDateTime');

  const ocsf = (await bytesOf(`/api/exports/${ids.ocsf}/file`)).bytes.toString('utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  // The exports that were asked for before it are themselves events by then.
  expect(ocsf.length).toBe(raws.length + 2);
  expect(ocsf.flatMap(ocsfFaults)).toEqual([]);
  const cef = (await bytesOf(`/api/exports/${ids.cef}/file`)).bytes.toString('utf8').trimEnd().split('\n');
  expect(cef.map((line) => parseCef(line).header[4])).toContain('PIM:activated');

  const taken = (await portalEvents('history.export-taken')).filter(({ data }) => data['format'] === 'csv');
  expect(taken).toMatchObject([{ actor: { name: 'Ines Moreau' }, data: { exportId: ids.csv, rows: raws.length, offset: 0, bytes: csv.bytes.length } }]);
  expect((await ines.get(`/api/exports/${ids.csv}`)).body).toMatchObject({ rows: raws.length, bytes: csv.bytes.length, askedBy: 'Ines Moreau' });
});

test('a download that broke off goes on to the same bytes, whatever came in between', async () => {
  const id = await create('csv', { person: 'Ana' });
  const whole = (await bytesOf(`/api/exports/${id}/file`)).bytes;
  expect(whole.length).toBeGreaterThan(2_000);
  // Among it an event that calls somebody so who was never called so before: what the log has of them is not in the export.
  const { rows: [other] } = await portal.db.pool.query<{ id: string }>(`SELECT subject_id AS id FROM audit_event WHERE subject_id IS NOT NULL GROUP BY 1 HAVING bool_and(subject_name NOT ILIKE '%ana%' AND actor_name NOT ILIKE '%ana%') LIMIT 1`);
  expect(other).toBeDefined();
  await add([rowWith({ subjectName: 'Ana Costa', at: '2026-02-10T00:00:00.000000Z' }), rowWith({ subjectId: other?.id ?? '', subjectName: 'Ana Other', at: '2026-02-10T00:00:00.000000Z' })]);
  for (const offset of [1, 3, 1_000, whole.length - 1, whole.length]) {
    const { bytes } = await bytesOf(`/api/exports/${id}/file?offset=${offset}`);
    expect(bytes.equals(whole.subarray(offset)), `from ${offset}`).toBe(true);
  }
  // From the end of a month it is not made anew from the beginning: with less there, that is what is missing.
  const { rows: parts } = await portal.db.pool.query<{ bytes_to: string }>('SELECT bytes_to FROM export_part WHERE export_id = $1 ORDER BY month', [id]);
  expect(Number(parts.at(-1)?.bytes_to)).toBe(whole.length);
});

test('a batch that was still open when the export was fixed is not in it, though its number is lower', async () => {
  const { rows: [open] } = await portal.db.pool.query<{ id: string }>(`SELECT nextval('log_batch_batch_id_seq') AS id`);
  await add([rowWith({ groupName: 'Marked-Group' })]);
  const id = await create('csv', { group: 'Marked-Group' });
  await portal.db.pool.query(`INSERT INTO log_batch (tenant_id, batch_id, log, source, received_at, rows) VALUES ($1, $2, 'audit_event', 'directory', '2026-03-02T10:00:00Z', 1)`, [portal.tenantId, open?.id]);
  const late = await add([rowWith({ groupName: 'Marked-Group' })]);
  await portal.db.owner.query('UPDATE audit_event SET batch_id = $1 WHERE batch_id = $2', [open?.id, late]);
  expect((await bytesOf(`/api/exports/${id}/file`)).bytes.toString().split('Marked-Group')).toHaveLength(2);
});

test('who leaves in the middle gives the connection back, and that it broke off is on record', async () => {
  const long = 'x'.repeat(60_000);
  await add(Array.from({ length: 300 }, () => rowWith({ reason: long, groupName: 'Long-Group' })));
  const id = await create('csv', { group: 'Long-Group' });
  const asked = request(`${portal.url}/api/exports/${id}/file`, { headers: { cookie: await ines.jar.getCookieString(portal.url) } });
  asked.end();
  const [answer] = await once(asked, 'response');
  await once(answer, 'data');
  asked.destroy();
  const [broken] = await until('the event', async () => { const events = await portalEvents('history.export-broken-off'); return events.length > 0 ? events : undefined; });
  expect(broken?.data).toMatchObject({ exportId: id });
  await until('every connection is back', () => (portal.db.pool.totalCount === portal.db.pool.idleCount ? true : undefined));
  const { rows } = await portal.db.owner.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`);
  expect(rows).toEqual([]);
});

test('an export is read in a transaction in which nothing can be written', async () => {
  const { withSnapshot } = await import('./log-reader.store.ts');
  await expect(withSnapshot(portal.db, (connection) => connection.query('DELETE FROM audit_event'))).rejects.toThrow(/read-only transaction/);
});

test('the estimate counts, and the filter is held to what the database takes', async () => {
  const { body } = await ines.get('/api/exports/estimate?group=Marked-Group');
  // A group is found by what it was ever called, as in the history.
  expect(body).toMatchObject({ rows: (await ines.get('/api/history/event-count?group=Marked-Group')).body.events, exact: true, coverage: { lastError: null } });
  expect((await ines.get('/api/exports/estimate?source=portal&text=nowhere%20said')).body.rows).toBe(0);
  for (const [body, path] of [[{ format: 'csv', filter: { from: '0000-01-01T00:00:00Z' } }, 'body.filter.from'], [{ format: 'csv', filter: { person: 'a\u0000' } }, 'body.filter.person'], [{ format: 'csv', filter: { text: 'a' } }, 'body.filter.text'], [{ format: 'xml', filter: {} }, 'body.format']] as const) {
    expect((await ines.post('/api/exports', body)).body.issues?.[0]?.path).toBe(path);
  }
  expect((await (await portal.as(MAYA)).get('/api/exports')).status).toBe(403);
});

test('reading on past the first page is on record, with how much it was once it rests', async () => {
  const first = await ines.get('/api/history/events?limit=5&person=Ana');
  expect(await portalEvents('history.read-on')).toEqual([]);
  let { nextCursor } = first.body;
  for (let page = 0; page < 3; page += 1) ({ nextCursor } = (await ines.get(`/api/history/events?limit=5&person=Ana&cursor=${nextCursor}`)).body);
  expect(await portalEvents('history.read-on')).toMatchObject([{ actor: { name: 'Ines Moreau' }, data: { list: 'events', filter: { person: 'Ana' } } }]);
  await portal.product.tasks.sweep();
  expect(await portalEvents('history.read-ended')).toEqual([]);
  await portal.advance('PT16M');
  await portal.product.tasks.sweep();
  expect(await portalEvents('history.read-ended')).toMatchObject([{ data: { pagesAfterTheFirst: 3, rowsAfterTheFirst: 15, filter: { person: 'Ana' } } }]);
});

test('an evidence pack is made whole, can be taken in parts, and says what it is', async () => {
  const id = await create('pack');
  await portal.settle();
  const { body } = await ines.get(`/api/exports/${id}`);
  expect(body).toMatchObject({ status: 'ready', error: null });
  const { bytes, headers } = await bytesOf(`/api/exports/${id}/file`);
  expect(headers.get('content-type')).toBe('application/zip');
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(body.sha256);
  expect((await portalEvents('history.pack-made')).at(-1)?.data).toMatchObject({ exportId: id, sha256: body.sha256 });
  const part = await bytesOf(`/api/exports/${id}/file`, { range: 'bytes=100-199' });
  expect([part.status, part.bytes.equals(bytes.subarray(100, 200))]).toEqual([206, true]);

  const { files, manifest } = await unpacked(bytes);
  expect(Object.keys(files).filter((name) => !name.startsWith('ledger/')).sort()).toEqual(['LEDGER.txt', 'README.txt', 'activations.csv', 'coverage.json', 'events.ndjson', 'manifest.json', 'summary.pdf']);
  for (const { name, sha256, bytes: size } of manifest.files) expect([name, createHash('sha256').update(files[name] ?? '').digest('hex'), files[name]?.length]).toEqual([name, sha256, size]);
  // The rows that the tests above put beside the mirror are in no batch that waits for the ledger.
  expect(files['LEDGER.txt']?.toString()).toMatch(/\d+ WERE NOT SEALED/);
  expect(files['events.ndjson']?.toString().trimEnd().split('\n')).toHaveLength(body.rows);
  expect(JSON.parse(files['coverage.json']?.toString() ?? '').statement).toMatch(/^Complete from 2026-01-31 /);
  expect(files['summary.pdf']?.subarray(0, 5).toString()).toBe('%PDF-');
  expect(parse(files['activations.csv'] ?? '', { bom: true, record_delimiter: '\r\n', columns: true }).length).toBeGreaterThan(20);
});

test('of a pack it goes on record how each taking ended: what was taken, from where, and what was not', async () => {
  const id = await create('pack');
  await portal.settle();
  const file = join(portal.filesDir, 'packs', `${id}.zip`);
  const takings = async () => (await portal.db.pool.query<{ activity: string; raw: string }>(`SELECT activity, raw FROM audit_event WHERE source = 'portal' AND activity LIKE 'history.export-%' AND raw LIKE $1 ORDER BY batch_id`, [`%${id}%`]))
    .rows.map(({ activity, raw }) => { const { offset, bytes } = (JSON.parse(raw) as { data: Record<string, unknown> }).data; return [activity, offset, bytes]; });
  /** It is on record after the last byte was sent: a reader may be faster. */
  const recorded = (count: number) => until(`${count} takings`, async () => { const all = await takings(); return all.length === count ? all : undefined; });

  const { bytes } = await bytesOf(`/api/exports/${id}/file`);
  expect(await recorded(1)).toEqual([['history.export-taken', 0, bytes.length]]);
  await bytesOf(`/api/exports/${id}/file`, { range: 'bytes=100-199' });
  expect((await recorded(2)).at(-1)).toEqual(['history.export-taken', 100, 100]);

  // More than lies between two ends of a connection.
  truncateSync(file, 256 * 1024 * 1024);
  const asked = request(`${portal.url}/api/exports/${id}/file`, { headers: { cookie: await ines.jar.getCookieString(portal.url) } });
  asked.end();
  const [answer] = await once(asked, 'response');
  await once(answer, 'data');
  asked.destroy();
  const [activity, offset, sent] = (await recorded(3)).at(-1) ?? [];
  expect([activity, offset]).toEqual(['history.export-broken-off', 0]);
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(256 * 1024 * 1024);

  rmSync(file);
  expect((await bytesOf(`/api/exports/${id}/file`)).status).toBe(404);
  expect((await recorded(4)).at(-1)).toEqual(['history.export-broken-off', 0, 0]);
});

test('more than 10,000 events are taken along only soon after a sign-in, and by who signs in anew at once', async () => {
  const signedIn = (minutesAgo: number) => portal.db.pool.query(`UPDATE session SET authenticated_at = $1 WHERE name = 'Ines Moreau'`, [new Date(Date.now() - minutesAgo * 60_000)]);
  const ask = (format: string, group: string) => ines.post('/api/exports', { format, filter: { group } });
  const few = rowWith({ groupName: 'Few-Group', groupId: 'few' });
  const many = rowWith({ groupName: 'Many-Group', groupId: 'many' });
  await add([few]);
  await add(Array.from({ length: LARGE_EXPORT }, () => many));
  await signedIn(11);
  expect((await ask('csv', 'Many-Group')).status, 'as many as are free').toBe(201);
  await add([many, few]);
  for (const [format, group, why] of [['csv', 'Many-Group', 'one more'], ['pack', 'Few-Group', 'two, whose proofs bring all that lies between']] as const) {
    const refused = await ask(format, group);
    expect([refused.status, refused.body.code], why).toEqual([401, 'step-up-required']);
    expect(refused.body.detail).toMatch(/^More than 10,000 events can be taken along only within 10 minutes of a sign-in\./);
  }
  expect((await ask('csv', 'Few-Group')).status, 'the two alone').toBe(201);

  await signedIn(9);
  const made = await ask('csv', 'Many-Group');
  expect(made.status).toBe(201);
  await signedIn(11);
  expect((await ines.get(`/api/exports/${made.body.id}/file`)).body.code, 'nor is one taken that was made before').toBe('step-up-required');
  const page = (await bytesOf(`/api/exports/${made.body.id}/file`, { accept: 'text/html' })).bytes.toString('utf8');
  expect(page, 'a link that is refused shows why, and leads back').toMatch(/<a href="\/auth\/sign-in\?stepUp=[\w-]+&#38;returnTo=%2Fhistory%2Fexports">Verify<\/a>/);
  const { body: { signInUrl } } = await ask('csv', 'Many-Group');
  // Somebody whom Entra still knows is asked all the same.
  expect(new URL((await ines.get((await ask('csv', 'Many-Group')).body.signInUrl)).headers.get('location') ?? '').searchParams.get('prompt')).toBe('login');
  await ines.stepUp(signInUrl, INES);
  expect((await bytesOf(`/api/exports/${made.body.id}/file`)).bytes.toString('utf8').split('Many-Group')).toHaveLength(LARGE_EXPORT + 2);
});

test('where Entra does not say when people sign in, nobody takes much along, and nobody is sent to a sign-in that changes nothing', async () => {
  const again = portal.anonymous();
  const ask = (format: string, group: string) => again.post('/api/exports', { format, filter: { group } });
  const before = await create('csv', { group: 'Many-Group' });
  await portal.emulator.settings({ idTokenClaims: [] });
  for (const time of ['the first', 'the second']) {
    if (time === 'the second') await again.post('/auth/sign-out');
    await again.signIn(INES);
    for (const format of ['csv', 'pack']) {
      const { status, body } = await ask(format, 'Many-Group');
      expect([status, body.code, body.signInUrl], `${format}, after ${time} sign-in`).toEqual([403, 'sign-in-time-unknown', undefined]);
      expect(body.detail).toBe(`More than 10,000 events can be taken along only within 10 minutes of a sign-in, and Microsoft Entra does not say when yours was. ${SIGN_IN_TIME_MEND}`);
    }
  }
  expect((await again.get(`/api/exports/${before}/file`)).body.code, 'nor what was made before').toBe('sign-in-time-unknown');
  const page = (await bytesOf(`/api/exports/${before}/file`, { accept: 'text/html', cookie: await again.jar.getCookieString(portal.url) })).bytes.toString('utf8');
  expect(page, 'a link that is refused says what to mend').toContain('add the optional claim auth_time');
  expect(page).not.toContain('/auth/sign-in');
  expect((await ask('csv', 'Few-Group')).status, 'little is free').toBe(201);
  expect((await again.get('/api/sync')).body.isSignInTimeKnown).toBe(false);
  expect(logged.filter((line) => line.includes('auth_time')), 'and whoever runs it reads so once').toHaveLength(1);

  await portal.emulator.settings({ idTokenClaims: ['auth_time'] });
  await again.post('/auth/sign-out');
  await again.signIn(INES);
  expect((await ask('csv', 'Many-Group')).status).toBe(201);
  expect((await again.get('/api/sync')).body.isSignInTimeKnown).toBe(true);
});

test('an export that was fixed before a month of it was dropped is not given out as less than it was', async () => {
  const [touched, whole, other] = [await create('csv', { from: '2025-11-01T00:00:00Z', to: '2025-12-01T00:00:00Z' }), await create('ndjson'), await create('csv', { from: '2026-01-01T00:00:00Z' })];
  await portal.db.owner.query(
    `INSERT INTO dropped_month (tenant_id, batch_id, ordinal, log, month, rows, leaves, first_leaf, end_leaf, policy, planned_at, archive, archive_sha256, archive_bytes, verified_at, tree_size, root, dropped_at)
     VALUES ($1, 1000000, 0, 'audit_event', '2025-11', 1, '0-1', 0, 1, 'directory 12', now(), 'a.zip', 'ab', 1, now(), 1, '', '2100-01-01')`, [portal.tenantId]);
  expect([(await bytesOf(`/api/exports/${touched}/file`)).status, (await bytesOf(`/api/exports/${whole}/file`)).status, (await bytesOf(`/api/exports/${other}/file`)).status]).toEqual([409, 409, 200]);
});
