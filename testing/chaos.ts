import { createServer, request as send } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { countBetween, countZone, foldCounts, readStatistics } from '../apps/api/src/features/history/counts.store.ts';
import { startPortal, type TestPortal } from '../apps/api/src/testing.ts';
import { randomFrom, type Random } from '../packages/entra-emulator/src/seed/random.ts';

/** What one schedule of faults did to the mirror of the audit log. Everything but the counts should be empty. */
export interface ChaosOutcome {
  readonly seed: string;
  /** What went wrong, in its order. */
  readonly faults: readonly string[];
  readonly events: number;
  /** Events that Entra showed and the mirror lacks, by id. */
  readonly lost: readonly string[];
  /** Events that are there more than once with the same content. */
  readonly doubled: readonly string[];
  /** Events whose content as Entra has it is not among what is kept of them. */
  readonly altered: readonly string[];
  /** Rows that Entra never sent. */
  readonly invented: readonly string[];
  /** Counts and statistics of the history that are not those of its rows, each told twice: as they came in, and summed up. */
  readonly miscounted: readonly string[];
  /** Passes that failed when nothing was wrong any more. */
  readonly stalled: readonly string[];
}

export interface ChaosWish {
  readonly seed: string;
  /** How many faults; at least 20 are what the bar is about. */
  readonly faults?: number;
  /** Outside of a test run: database to copy. */
  readonly templateUrl?: string | undefined;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const AUDITS = '**/auditLogs/directoryAudits';

/** Faults of an answer, as the emulator takes them. */
const ANSWERS: readonly ((random: Random) => Readonly<Record<string, unknown>>)[] = [
  (random) => ({ kind: 'status', status: 429, retryAfter: random.pick([0, 1, 30]) }),
  () => ({ kind: 'status', status: 429 }),
  (random) => ({ kind: 'status', status: random.pick([500, 502, 503, 504, 507]) }),
  () => ({ kind: 'status', status: 200, body: '{"value": [{"id": "half' }),
  () => ({ kind: 'status', status: 200, body: '<html>Service unavailable</html>' }),
  (random) => ({ kind: 'reset', effect: random.pick(['before', 'after']) }),
  ...['truncate', 'splice', 'repeatPage', 'dropPage', 'shufflePages', 'lateEvents', 'sameIdOtherContent', 'expireNextLink', 'emptyPageWithNext', 'unknownEnum', 'nullForObject'].map((kind) => () => ({ kind })),
];
const NEMESES = ['database cut', 'two portals', 'clock ahead', 'clock behind', 'outage', 'rewritten'] as const;

/**
 * Lets a tenant's log grow while its answers, the clock and the database go wrong, by a schedule that the seed decides; then
 * lets all be well until whatever Entra showed late must be there, and compares. Whoever plays it knows what Entra wrote:
 * the mirror is asked nothing but its rows.
 */
export async function playChaos({ seed, faults: count = 20, templateUrl }: ChaosWish): Promise<ChaosOutcome> {
  const random = randomFrom(seed);
  let skewMs = 0;
  /** Done while the call of that number is under way. */
  const during = new Map<number, () => Promise<void>>();
  let calls = 0;
  const proxies: { stop: () => Promise<void> }[] = [];
  const through = async (target: string): Promise<string> => {
    const proxy = await pass(target, async (url) => {
      if (!url.includes('/auditLogs/directoryAudits')) return;
      calls += 1;
      const act = during.get(calls);
      during.delete(calls);
      await act?.();
    });
    proxies.push(proxy);
    return proxy.url;
  };
  const portal = await startPortal({ seed: 'empty', templateUrl, through, skewMs: () => skewMs, graphTimeoutMs: 2_000 });
  try {
    const tenant = await truthOf(portal, random);
    const told: string[] = [];
    const sync = async (): Promise<unknown> => portal.syncNow().then(() => undefined, (error: unknown) => error ?? 'unknown');
    await sync();
    while (told.length < count) {
      await tenant.write(random.between(1, 30));
      const rules: unknown[] = [];
      let twice = false;
      for (let left = random.between(1, 3); left > 0 && told.length < count; left -= 1) {
        if (random.chance(0.7)) {
          const fault = random.pick(ANSWERS)(random);
          rules.push({ match: { method: 'GET', path: AUDITS, nth: random.between(1, 3) }, times: 1, fault });
          told.push(String(fault['kind']) + (fault['status'] === undefined ? '' : ` ${String(fault['status'])}`));
          continue;
        }
        const nemesis = random.pick(NEMESES);
        told.push(nemesis);
        if (nemesis === 'database cut') during.set(calls + random.between(1, 3), () => cut(portal));
        if (nemesis === 'two portals') twice = true;
        if (nemesis === 'clock ahead') skewMs = random.between(1, 60) * MINUTE;
        if (nemesis === 'clock behind') skewMs = -random.between(1, 60) * MINUTE;
        if (nemesis === 'outage') await portal.advance(`PT${random.between(1, 60)}H`);
        if (nemesis === 'rewritten') await tenant.rewrite();
      }
      await portal.emulator.faults(rules);
      // Nobody reads it, and it holds every page.
      await portal.emulator.clearJournal();
      await Promise.all([sync(), ...(twice ? [portal.syncOnReplica().catch(() => undefined)] : [])]);
      await portal.advance(`PT${random.between(1, 20 * 60)}S`);
      if (random.chance(0.3)) skewMs = 0;
    }

    // All is well again, for as long as Entra may still show something late.
    await portal.emulator.faults([]);
    during.clear();
    skewMs = 0;
    const stalled: string[] = [];
    for (const until = tenant.lastShown() + DAY; ;) {
      const failure = await sync();
      if (failure !== undefined) stalled.push(`${portal.now().toISOString()}: ${String(failure)}`);
      if (portal.now().getTime() > until) break;
      // What shows on the 29th day is gone after the 30th: between two daily looks is no room for a pass that misses its day.
      await portal.advance('PT12H');
    }
    return { seed, faults: told, stalled, ...await compare(portal, tenant), miscounted: await miscounted(portal) };
  } finally {
    await portal[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy.stop();
  }
}

type Truth = Awaited<ReturnType<typeof truthOf>>;

/** What the tenant writes into its log, and every content that an event has had. */
async function truthOf(portal: TestPortal, random: Random) {
  const contents = new Map<string, string[]>();
  const shown = new Map<string, number>();
  /** Most logs are late by minutes; of some, a few events by weeks. */
  const isSlow = random.chance(0.2);
  const note = (entry: Readonly<Record<string, unknown>>): void => {
    const id = String(entry['id']);
    contents.set(id, [...(contents.get(id) ?? []), JSON.stringify(entry)]);
  };
  /** Some the tenant wrote by itself: those of its past, and of what ends while its clock goes on. */
  const noteOthers = async (): Promise<void> => {
    const { directoryAudits } = await portal.emulator.state(['directoryAudits']) as { directoryAudits: { entry: Record<string, unknown> }[] };
    for (const { entry } of directoryAudits) if (!contents.has(String(entry['id']))) note(entry);
  };

  const lateness = (): number => {
    const chance = random.next();
    if (chance < 0.3) return 0;
    if (chance < 0.8) return random.between(0, 15 * MINUTE);
    if (chance < 0.9) return random.between(0, 30 * MINUTE);
    if (chance < 0.96 || !isSlow) return random.between(0, DAY);
    return random.between(0, 29 * DAY);
  };
  return {
    contents, noteOthers,
    lastShown: (): number => Math.max(0, ...shown.values()),
    async write(count: number): Promise<void> {
      const now = portal.now().getTime();
      let instant = now;
      const entries = Array.from({ length: count }, () => {
        // Some share an instant, to the last of its decimals.
        if (!random.chance(0.2)) instant = now - random.between(0, 5 * MINUTE);
        const visibleAt = instant + lateness();
        const entry = strangeEvent(random, instant);
        note(entry);
        shown.set(entry.id, visibleAt);
        return { visibleAt: new Date(visibleAt).toISOString(), entry };
      });
      await portal.emulator.audits(entries);
    },
    /** The service writes an event of its own anew, with other words. */
    async rewrite(): Promise<void> {
      const id = [...shown.keys()].at(-1);
      const old = id === undefined ? undefined : contents.get(id)?.at(-1);
      if (id === undefined || old === undefined) return;
      const entry = { ...JSON.parse(old) as Record<string, unknown>, resultReason: `Rewritten ${random.guid()}` };
      note(entry);
      await portal.emulator.audits([{ visibleAt: new Date(shown.get(id) ?? 0).toISOString(), entry }]);
    },
  };
}

const WORDS = ['Month-end close', 'INC-4711', '=HYPERLINK("http://example.test")', 'naïve – ünïcode \u202Etxt', '"quoted"\nand a line', '\\u0041 \\ backslash', ''];
const ACTIVITIES = [
  'Add member to role requested (PIM activation)', 'Add member to role completed (PIM activation)', 'Remove member from role completed (PIM deactivate)', 'Remove member from role (PIM activation expired)',
  'Add member to role approval requested (PIM activation)', 'Add member to role request approved (PIM activation)', 'Update role setting in PIM', 'Something that no documentation names',
];

/** An entry as Graph prints it, with what real ones have had: nulls, unknown words, text of every kind, and one in a thousand of more than a mebibyte. */
function strangeEvent(random: Random, instant: number): { readonly id: string } & Readonly<Record<string, unknown>> {
  const activityDateTime = new Date(instant).toISOString().replace('Z', `${String(random.between(0, 9999)).padStart(4, '0')}Z`);
  const [person, group] = [random.between(1, 6), random.between(1, 3)];
  const guid = (kind: string, n: number): string => `${kind.repeat(8)}-0000-4000-8000-00000000000${n}`;
  return {
    id: `PIM_${random.guid()}_CHAOS_${random.between(1, 1_000_000)}`, category: 'GroupManagement', correlationId: random.guid(), result: random.pick(['success', 'failure', 'timeout', 'unheardOf']),
    resultReason: random.chance(0.001) ? 'x'.repeat(1_200_000) : random.pick(WORDS), activityDisplayName: random.pick(ACTIVITIES), activityDateTime, loggedByService: random.pick(['PIM', 'PIM', 'Core Directory', 'Access Reviews']),
    operationType: 'ActivateRole',
    initiatedBy: random.pick([null, { user: null, app: null }, { user: { id: guid('a', person), displayName: `Person ${person}`, userPrincipalName: null, ipAddress: null, roles: [] }, app: null }]),
    targetResources: random.chance(0.1) ? null : [
      { type: 'User', id: guid('a', person), displayName: `Person ${person}`, modifiedProperties: [] }, { type: 'Group', id: guid('b', group), displayName: `Group ${group}`, modifiedProperties: random.chance(0.2) ? null : [] },
    ],
    additionalDetails: random.chance(0.1) ? [{ key: null, value: 7 }] : [{ key: 'RequestId', value: random.guid() }, { key: 'Justification', value: random.pick(WORDS) }],
  };
}

/** Marks of what the emulator's faults make of an event: kept beside it, as another content of the same id. No event has one by itself. */
const SPOILED = [' (again)', 'unknownFutureValue'];

async function compare({ db, tenantId }: TestPortal, { contents, noteOthers }: Truth): Promise<Pick<ChaosOutcome, 'events' | 'lost' | 'doubled' | 'altered' | 'invented'>> {
  const { rows } = await db.pool.query<{ id: string; raw: string; revision: number; defect: string | null }>(`SELECT event_id AS id, raw, revision, defect FROM audit_event WHERE tenant_id = $1 AND source = 'directory'`, [tenantId]);
  await noteOthers();
  const kept = Map.groupBy(rows, ({ id }) => id);
  const lost = [...contents.keys()].filter((id) => !kept.has(id));
  const altered = [...contents].filter(([id, versions]) => kept.has(id) && !kept.get(id)?.some(({ raw }) => raw === versions.at(-1))).map(([id]) => id);
  const doubled = [...kept].filter(([, same]) => new Set(same.map(({ raw }) => raw)).size < same.length || new Set(same.map(({ revision }) => revision)).size < same.length).map(([id]) => id);
  const invented = rows.filter(({ id, raw, defect }) => {
    const versions = contents.get(id);
    if (versions === undefined) return defect === null;
    return !versions.includes(raw) && !SPOILED.some((mark) => raw.includes(mark));
  }).map(({ id }) => id);
  return { events: contents.size, lost, doubled, altered, invented };
}

/** What the history shows as counted, against a plain GROUP BY of the rows; in a zone that is half an hour off the others. */
async function miscounted({ db, tenantId }: TestPortal): Promise<string[]> {
  const timeZone = 'Asia/Kolkata';
  const raw = async <Row extends object>(columns: readonly string[], kind?: string): Promise<Row[]> => (await db.pool.query<Row>(
    `SELECT ${columns.join(', ')}, count(*)::float8 AS events FROM audit_event, LATERAL (SELECT activity_at AT TIME ZONE '${timeZone}' AS local) AS clock WHERE tenant_id = $1 AND ($2::text IS NULL OR kind = $2) GROUP BY ${columns.map((_, at) => at + 1).join(', ')}`, [tenantId, kind ?? null])).rows;
  const inOrder = (rows: readonly object[]): string => JSON.stringify(rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort());
  const facets = await raw<{ kind: string }>(['kind', 'result', 'source']);
  const found: string[] = [];
  const compareAll = async (when: string): Promise<void> => {
    const differs = (what: string, one: readonly object[], other: readonly object[]): void => { if (inOrder(one) !== inOrder(other)) found.push(`${what}, ${when}`); };
    differs('counts', await countBetween(db.reader, tenantId, undefined, undefined), facets);
    for (const kind of new Set(facets.map((facet) => facet.kind))) {
      const { hours, months } = await readStatistics(db.reader, tenantId, { kind, timeZone });
      differs(`hours of ${kind}`, hours, await raw(['extract(isodow FROM local)::int AS weekday', 'extract(hour FROM local)::int AS hour'], kind));
      differs(`months of ${kind}`, months, await raw([`to_char(local, 'YYYY-MM') AS month`], kind));
    }
  };
  await compareAll('as they came in');
  await countZone(db, tenantId, timeZone);
  await foldCounts(db, tenantId);
  await compareAll('summed up');
  return found;
}

/** Every connection of the portal to its database is cut, whatever it is in the middle of. */
async function cut({ db }: TestPortal): Promise<void> {
  await db.owner.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()').catch(() => undefined);
}

/** A proxy that does something before it passes a call on. */
async function pass(target: string, before: (url: string) => Promise<void>): Promise<{ url: string; stop: () => Promise<void> }> {
  const { port } = new URL(target);
  const server = createServer((req, res) => {
    void before(req.url ?? '').then(() => {
      const onward = send({ host: '127.0.0.1', port, method: req.method, path: req.url, headers: { ...req.headers, host: `127.0.0.1:${port}` } }, (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
        // What ends in its middle there ends in its middle here.
        answer.on('error', () => { res.destroy(); });
      });
      onward.on('error', () => { res.destroy(); });
      req.pipe(onward);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
