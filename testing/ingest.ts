import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { copyRows, copyText, type Connection, type Database } from '@gatehouse/db';
import { testDatabase } from '@gatehouse/db/testing';
import { createGateway } from '@gatehouse/graph';
import { pino } from 'pino';
import { withConnection } from '../apps/api/src/mirror/database.ts';
import { directorySource } from '../apps/api/src/mirror/directory-source.ts';
import { syncSource } from '../apps/api/src/mirror/sync.ts';

/** How fast the mirror takes in what a source has: from the page over HTTP to the commit, against a raw COPY of the same rows. */

export interface IngestRound {
  readonly round: number;
  readonly ours: number;
  readonly copy: number;
  readonly ratio: number;
  /** Of ours: joining the activations, which follows the commits. */
  readonly joinSeconds: number;
  /** Processor time of the portal for a page of a thousand, in milliseconds. */
  readonly cpuAPage: number;
}

const PAGE = 1_000;
const TENANT = '11111111-1111-4111-8111-111111111111';
const START = Date.parse('2026-03-01T00:00:00.000Z');

const guid = (kind: string, number: number): string => `${kind}-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** An event as Entra writes it, about 1.4 kB. Of ten, three tell of an activation, one of a membership; the others change users and applications. Each round has ids of its own. */
function eventOf(round: number, index: number, at: number): string {
  const [person, group, request] = [guid('aaaaaaaa', (index * 7919) % 5_000), guid('bbbbbbbb', (index * 31) % 300), guid('cccccccc', Math.floor(index / 10))];
  const stage = index % 10;
  const pim = stage < 3;
  const activity = ['Add member to role requested (PIM activation)', 'Add member to role request approved (PIM activation)', 'Add member to role completed (PIM activation)', 'Add member to group', 'Update user', 'Update group', 'Update application', 'Change user license', 'Update device', 'Update user'][stage];
  return JSON.stringify({
    id: `${pim ? 'PIM' : 'Directory'}_${guid('dddddddd', round * 100_000_000 + index)}_${index % 1000}`, category: 'GroupManagement', correlationId: guid('eeeeeeee', index), result: 'success', resultReason: pim ? 'Month-end close "Q1", ticket 4711' : '',
    activityDisplayName: activity, activityDateTime: `${new Date(at).toISOString().slice(0, -1)}${String(index % 10_000).padStart(4, '0')}Z`, loggedByService: pim ? 'PIM' : 'Core Directory', operationType: pim ? 'ActivateRole' : 'Update',
    initiatedBy: { user: { id: person, displayName: `Person ${index % 5_000}`, userPrincipalName: `person${index % 5_000}@contoso.example`, ipAddress: null, roles: [] }, app: null },
    targetResources: [
      { type: 'Role', id: 'member', displayName: 'Member', modifiedProperties: [{ displayName: 'RoleDefinitionOriginId', oldValue: '""', newValue: '"member"' }] }, { type: 'Request', id: request, displayName: null, modifiedProperties: [] },
      { type: 'User', id: person, displayName: `Person ${index % 5_000}`, modifiedProperties: [] }, { type: 'Group', id: group, displayName: `FinReport-${index % 300}-SecureAccess`, modifiedProperties: [] }, { type: 'Other', id: null, displayName: null, modifiedProperties: [] },
    ],
    additionalDetails: [{ key: 'RoleDefinitionOriginId', value: 'member' }, { key: 'StartTime', value: new Date(at).toISOString() }, { key: 'ExpirationTime', value: new Date(at + 1_800_000).toISOString() }, { key: 'oid', value: person }, { key: 'ipaddr', value: '203.0.113.24' }, { key: 'RequestId', value: request }],
  });
}

/** Serves one day of events, a page a thousand, as quickly as it can: the pages are made beforehand. */
async function servingDay(round: number, events: number) {
  const pages: Buffer[] = [];
  const step = (24 * 3_600_000 - 2) / events;
  for (let first = 0; first < events; first += PAGE) {
    const texts = Array.from({ length: Math.min(PAGE, events - first) }, (_, index) => eventOf(round, first + index, Math.floor(START + 1 + (first + index) * step)));
    const next = first + PAGE < events ? `"@odata.nextLink":"BASE/v1.0/auditLogs/directoryAudits?$skiptoken=${first / PAGE + 1}",` : '';
    pages.push(Buffer.from(`{"@odata.context":"x",${next}"value":[${texts.join(',')}]}`));
  }
  const server = createServer((req, res) => {
    const page = Number(/skiptoken=(\d+)/.exec(decodeURIComponent(req.url ?? ''))?.[1] ?? 0);
    // Earlier windows are empty.
    const isDay = page > 0 || decodeURIComponent(req.url ?? '').includes(`ge ${new Date(START).toISOString()}`);
    res.writeHead(200, { 'content-type': 'application/json', date: new Date(START + 86_400_000).toUTCString() });
    res.end(isDay ? pages[page] : '{"value":[]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [index, page] of pages.entries()) pages[index] = Buffer.from(page.toString().replace('BASE', url));
  return { url, async [Symbol.asyncDispose]() { server.closeAllConnections(); await new Promise((resolve) => { server.close(resolve); }); } };
}

const log = pino({ level: 'silent' });

/** The first reading of a tenant whose newest day holds so many events; answers seconds, and those of the join in them. */
async function readDay(db: Database, url: string): Promise<{ seconds: number; joinSeconds: number; cpuSeconds: number }> {
  const now = new Date(START + 86_400_000);
  const gateway = createGateway({
    baseUrl: url, timer: { now: () => performance.now(), sleep: () => Promise.resolve() }, clock: { now: () => now }, timeoutMs: 30_000, random: Math.random, log: () => {}, limits: { 'audit-reports': { units: 1_000_000, windowMs: 1 }, 'conditional-access': { units: 1, windowMs: 1 }, 'pim': { units: 1, windowMs: 1 }, 'directory': { units: 1, windowMs: 1 }, 'directory-writes': { units: 1, windowMs: 1 } },
  });
  const source = directorySource({ appGraph: gateway.graph({ token: async () => 'token', priority: 'background', patience: { of: 'call', ms: 60_000 } }), log });
  let joinSeconds = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await syncSource({ db, clock: { now: () => now }, tenantId: TENANT, log }, {
    ...source,
    settle: async (connection, tenantId) => {
      const from = performance.now();
      await source.settle?.(connection, tenantId);
      joinSeconds += (performance.now() - from) / 1000;
    },
  });
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, joinSeconds, cpuSeconds: (user + system) / 1_000_000 };
}

/** A raw COPY of the rows that were read, with the text that is looked for in, into a table with the same indexes, in as large pieces as the pages were. */
async function copyDay(connection: Connection, events: number): Promise<number> {
  await connection.query('DROP TABLE IF EXISTS copied; CREATE TABLE copied (LIKE audit_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)');
  const columns = 'tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, subject_id, subject_name, group_id, group_name, application_id, application_name, request_id, correlation_id, raw, ingested_at, revision, defect, batch_id, ordinal, search';
  const { rows } = await connection.query<{ row: (string | number | null)[] }>(`SELECT json_build_array(${columns.split(', ').map((column) => `${column}::text`).join(', ')}) AS row FROM audit_event WHERE tenant_id = $1 ORDER BY activity_at`, [TENANT]);
  if (rows.length !== events) throw new Error(`${rows.length} of ${events} events were read`);
  await connection.query('CHECKPOINT');
  const began = performance.now();
  for (let first = 0; first < rows.length; first += PAGE) await copyRows(connection, `copied (${columns})`, Buffer.from(rows.slice(first, first + PAGE).map(({ row }) => `${copyText(row)}\n`).join('')));
  const seconds = (performance.now() - began) / 1000;
  await connection.query('DROP TABLE copied');
  return seconds;
}

/** Each round on a database of its own, the two after each other; the first is for warming up and is not among the answers. */
export async function playIngest({ events, rounds, templateUrl }: { readonly events: number; readonly rounds: number; readonly templateUrl?: string }): Promise<IngestRound[]> {
  const played: IngestRound[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    await using db = await testDatabase(templateUrl);
    await using day = await servingDay(round, events);
    await db.owner.query('CHECKPOINT');
    const { seconds, joinSeconds, cpuSeconds } = await readDay(db, day.url);
    const copied = await withConnection({ pool: db.owner }, (connection) => copyDay(connection, events));
    const [ours, copy] = [events / (seconds - joinSeconds), events / copied];
    if (round > 0) played.push({ round, ours, copy, ratio: ours / copy, joinSeconds, cpuAPage: (cpuSeconds * 1_000) / (events / PAGE) });
  }
  return played;
}
