import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ensureAuditPartitions } from '@gatehouse/db';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import type { Actor } from '../apps/api/src/core/actor.ts';
import { createPointInTime } from '../apps/api/src/features/point-in-time/point-in-time.service.ts';
import { createLedger } from '../apps/api/src/mirror/ledger/ledger.ts';
import type { Measure } from './measure.ts';

const AT_MOST_MS = 200;
const MONTHS = 24;
const [GROUPS, PEOPLE, ELIGIBLE_EACH] = [200, 5_000, 40];
const END = Date.UTC(2026, 2, 1);
const START = Date.UTC(2026 - MONTHS / 12, 2, 1);

/** Who could reach an application, a host or a group at a random instant, as known today or then, among a million activations. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const activations = quick ? 100_000 : 1_000_000;
  await using db = await testDatabase(templateUrl);
  const tenantId = randomUUID();
  const events = await seed(db, tenantId, activations);
  const now = new Date(END);
  const clock = { now: () => now };
  const ledger = createLedger({ db, clock, systemClock: clock, tenantId, keys: [Buffer.alloc(32, 1)], log: pino({ level: 'silent' }) });
  const pointInTime = createPointInTime({ db, ledger, clock, newId: randomUUID });
  const actor: Actor = { tenantId, principalId: randomUUID(), name: 'Auditor', upn: 'auditor@contoso.example', roles: ['Auditor'], accountId: 'a', device: null };

  // By a generator of its own, so that two runs ask the same.
  let state = 42;
  const random = (below: number): number => { state = (state * 1_103_515_245 + 12_345) % 2_147_483_648; return Math.floor(state / 2_147_483_648 * below); };
  const times = new Map<string, number[]>();
  const rows = new Map<string, number>();
  const rounds = quick ? 40 : 100;
  for (let round = -5; round < rounds; round += 1) {
    const n = random(GROUPS);
    const at = new Date(START + 86_400_000 + random(END - START - 2 * 86_400_000)).toISOString();
    const to = { application: `application:${idOf(2, n)}`, group: `group:${idOf(1, n)}`, host: `app-${n}.corp.example:443` };
    for (const [kind, target] of Object.entries(to)) {
      for (const known of ['today', new Date(Date.parse(at) + random(END - Date.parse(at))).toISOString()]) {
        const began = performance.now();
        const answer = await pointInTime.ask(actor, { to: target, at, known, limit: 100, cursor: undefined });
        if (round < 0) continue;
        const name = `${kind}, ${known === 'today' ? 'as known today' : 'as known then'}`;
        times.set(name, [...(times.get(name) ?? []), performance.now() - began]);
        rows.set(name, (rows.get(name) ?? 0) + answer.could.total + answer.had.total);
      }
    }
  }
  const p95 = (list: readonly number[]): number => [...list].sort((one, other) => one - other)[Math.ceil(list.length * 0.95) - 1] ?? Number.NaN;
  const value = p95([...times.values()].flat());
  return {
    table: [...times].map(([asked, list]) => ({ asked, activations, events, questions: list.length, 'rows each': Number(((rows.get(asked) ?? 0) / list.length).toFixed(1)), 'median (ms)': Number((list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0).toFixed(1)), 'p95 (ms)': Number(p95(list).toFixed(1)) })),
    value,
    holds: value <= AT_MOST_MS && [...rows.values()].every((count) => count > 0),
  };
};

/** The ids that the SQL makes: of groups (1), applications (2) and people (3). */
const idOf = (kind: 1 | 2 | 3, n: number): string => `${kind}0000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

async function seed({ owner }: TestDatabase, tenantId: string, activations: number): Promise<number> {
  const months = Array.from({ length: MONTHS + 2 }, (_, month) => new Date(Date.UTC(2026 - MONTHS / 12, 2 + month, 1)));
  await ensureAuditPartitions(owner, months);
  const connection = await owner.connect();
  try {
    await connection.query('SET synchronous_commit = off');
    // A batch for each hundred activations, known a few minutes after the last of them.
    const step = (END - START) / activations;
    const batches = Math.ceil(activations / 100);
    await connection.query(
      `INSERT INTO log_batch (tenant_id, batch_id, log, source, received_at, rows) SELECT $1, b, 'audit_event', 'directory', to_timestamp(($2::bigint + (b + 1) * 100 * $3::double precision) / 1000) + interval '5 minutes', 400 FROM generate_series(0, $4::int - 1) AS b`,
      [tenantId, START, step, batches]);
    const id = (kind: number, n: string): string => `'${kind}0000000-0000-4000-8000-' || lpad((${n})::text, 12, '0')`;
    for (const [ordinal, kind, service, activity, actor, offset] of [
      [0, 'activated', 'PIM', 'Add member to role completed (PIM activation)', `'A person'`, '0 s'], [1, 'member-added', 'Core Directory', 'Add member to group', `'MS-PIM'`, '2 s'],
      [2, 'expired', 'PIM', 'Remove member from role (PIM activation expired)', `'Azure AD PIM'`, '30 min'], [3, 'member-removed', 'Core Directory', 'Remove member from group', `'MS-PIM'`, '30 min 2 s'],
    ] as const) {
      await connection.query(
        `INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, actor_name, subject_id, subject_name, group_id, group_name, request_id, raw, ingested_at, batch_id, ordinal)
         SELECT $1, 'directory', 'e${ordinal}-' || n, at, at::text, '${activity}', '${kind}', '${service}', 'success', ${actor}, ${id(3, 'person')}, 'Person ' || person, ${id(1, 'grp')}, 'Group ' || grp, 'r-' || n,
           '{"id":"e${ordinal}-' || n || '","activityDisplayName":"${activity}","targetResources":[{"type":"Role","id":"member","displayName":"Member"}],"additionalDetails":[{"key":"StartTime","value":"' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '"},{"key":"ExpirationTime","value":"' || to_char((at + interval '30 min') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '"}]}',
           at, n / 100, (n % 100) * 4 + ${ordinal}
         FROM (SELECT n, (n::bigint * 7919) % ${PEOPLE} AS person, (n::bigint * 104729) % ${GROUPS} AS grp, to_timestamp(($2::bigint + n * $3::double precision) / 1000) + interval '${offset}' AS at FROM generate_series(0, $4::int - 1) AS n) AS made`,
        [tenantId, START, step, activations]);
    }
    const first = batches + 1;
    await connection.query(`INSERT INTO log_batch (tenant_id, batch_id, log, source, received_at, rows) SELECT $1, $2::bigint + m, 'observation', 'graph', to_timestamp($3::bigint / 1000) + m * interval '1 month', 1 FROM generate_series(0, ${MONTHS}) AS m`, [tenantId, first, START]);
    const observe = (kind: string, things: string, of: { readonly thing: string; readonly principal?: string; readonly group?: string; readonly application?: string; readonly state: string; readonly basis?: string; readonly changes?: number }): Promise<unknown> =>
      connection.query(
        `INSERT INTO observation (tenant_id, batch_id, ordinal, kind, thing, principal_id, group_id, application_id, state, valid_from, basis, observed_at, source)
         SELECT $1, $2::bigint + c * 6, row_number() OVER () + (SELECT coalesce(max(ordinal), 0) FROM observation WHERE tenant_id = $1), '${kind}', ${of.thing}, ${of.principal ?? 'NULL'}, ${of.group ?? 'NULL'}, ${of.application ?? 'NULL'}, ${of.state},
           to_timestamp($3::bigint / 1000) + c * interval '6 months', '${of.basis ?? 'observed'}', to_timestamp($3::bigint / 1000) + c * interval '6 months', 'graph' FROM ${things}, generate_series(0, ${(of.changes ?? 1) - 1}) AS c`, [tenantId, first, START]);
    const groups = `generate_series(0, ${GROUPS - 1}) AS g`;
    await observe('watch', `(VALUES ('catalog')) AS w (name)`, { thing: 'name', state: `'{"read":true}'` });
    await observe('watch', groups, { thing: id(1, 'g'), group: id(1, 'g'), state: `'{"read":true}'` });
    await observe('group', groups, { thing: id(1, 'g'), group: id(1, 'g'), state: `'{"displayName":"Group ' || g || '"}'` });
    await observe('policy', groups, { thing: id(1, 'g'), group: id(1, 'g'), state: `'{"activationMaxMinutes":' || 30 * (c + 1) || ',"padding":"' || repeat('x', 1200) || '"}'`, changes: 4 });
    await observe('application', groups, { thing: id(2, 'g'), application: id(2, 'g'), state: `'{"assignmentRequired":true,"displayName":"Application ' || g || '","kind":"per-app"}'` });
    await observe('segments', groups, { thing: id(2, 'g'), application: id(2, 'g'), state: `'{"segments":[{"host":"app-' || g || '.corp.example","ports":["443"],"protocol":"tcp"},{"host":"app-' || g || '-' || c || '.corp.example","ports":["8443"],"protocol":"tcp"}]}'`, changes: 4 });
    await observe('assignment', groups, { thing: `${id(1, 'g')} || '/' || ${id(2, 'g')}`, group: id(1, 'g'), application: id(2, 'g'), state: `'{}'` });
    await observe('assignment', groups, { thing: `${id(1, '(g + 1) % 200')} || '/' || ${id(2, 'g')}`, group: id(1, '(g + 1) % 200'), application: id(2, 'g'), state: `'{}'` });
    const person = `(g * 25 + p) % ${PEOPLE}`;
    await observe('eligible', `${groups}, generate_series(0, ${ELIGIBLE_EACH - 1}) AS p`, { thing: `${id(1, 'g')} || '/' || ${id(3, person)} || '/direct'`, principal: id(3, person), group: id(1, 'g'), state: `CASE WHEN c = 1 AND p % 5 = 0 THEN NULL ELSE '{"periods":[{"endsAt":null,"startsAt":"2020-01-01T00:00:0' || c || '.000000Z"}]}' END`, basis: 'entra', changes: 4 });
    await observe('principal', `generate_series(0, ${PEOPLE - 1}) AS p`, { thing: id(3, 'p'), principal: id(3, 'p'), state: `'{"displayName":"Person ' || p || '","kind":"user"}'` });
    // Each batch was sealed a second after it was received. The numbers are the ledger's, without its hashes, which nothing here reads.
    await connection.query(
      `INSERT INTO ledger_seal (tenant_id, batch_id, first_leaf) SELECT tenant_id, batch_id, sum(rows + 1) OVER by_time - rows - 1 FROM log_batch WHERE tenant_id = $1 WINDOW by_time AS (ORDER BY received_at, batch_id)`, [tenantId]);
    await connection.query(
      `INSERT INTO ledger_checkpoint (tenant_id, tree_size, root_hash, note, signed_at) SELECT s.tenant_id, s.first_leaf + b.rows + 1, sha256('made'), 'made', b.received_at + interval '1 second' + s.first_leaf * interval '0.000001 second' FROM ledger_seal AS s JOIN log_batch AS b USING (tenant_id, batch_id) WHERE tenant_id = $1`, [tenantId]);
    await connection.query(`SELECT setval(pg_get_serial_sequence('log_batch', 'batch_id'), $1)`, [first + MONTHS + 1]);
    await connection.query('ANALYZE audit_event, observation, log_batch, ledger_seal, ledger_checkpoint');
    const { rows: [count] } = await connection.query<{ n: number }>('SELECT count(*)::int AS n FROM audit_event WHERE tenant_id = $1', [tenantId]);
    return count?.n ?? 0;
  } finally {
    connection.release();
  }
}
