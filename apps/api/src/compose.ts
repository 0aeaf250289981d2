import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { grantRoles, migrate, migrationState, openDatabase, startEmbeddedPostgres, type Database } from '@gatehouse/db';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import { createGateway, type Graph, type Timer } from '@gatehouse/graph';
import type { Express, Router } from 'express';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config, Keys, TrustedProxies } from './config.ts';
import { PORTAL, type Actor } from './core/actor.ts';
import type { Clock } from './core/clock.ts';
import { createReconciler } from './features/access/access.reconciler.ts';
import { accessRoutes } from './features/access/access.routes.ts';
import { createEligibility } from './features/access/eligibility.service.ts';
import { createKeepGoing } from './features/access/keep-going.service.ts';
import { createAccess } from './features/access/access.service.ts';
import { doubtEligibleOf } from './features/access/access.ts';
import { createNames } from './features/access/names.service.ts';
import { createOwnAccess } from './features/access/own-access.service.ts';
import { createReadiness } from './features/access/readiness.service.ts';
import { approvalRoutes } from './features/approvals/approvals.routes.ts';
import { createApprovals } from './features/approvals/approvals.service.ts';
import { createBatchFiles } from './features/batches/batch-files.ts';
import { batchRoutes } from './features/batches/batches.routes.ts';
import { createBatches } from './features/batches/batches.service.ts';
import { connectionRoutes } from './features/connections/connections.routes.ts';
import { createConnections } from './features/connections/connections.service.ts';
import { directoryRoutes } from './features/directory/directory.routes.ts';
import { createDirectory } from './features/directory/directory.service.ts';
import { doctorRoutes } from './features/doctor/doctor.routes.ts';
import { createDoctor } from './features/doctor/doctor.service.ts';
import { exportRoutes } from './features/exports/exports.routes.ts';
import { createExports } from './features/exports/exports.service.ts';
import { sealedPart } from './features/exports/ledger-part.ts';
import { createPacks } from './features/exports/pack.service.ts';
import { createReadings } from './features/exports/readings.service.ts';
import { createSyslogSender, type SyslogSettings } from './features/exports/syslog.sender.ts';
import { createSyslog } from './features/exports/syslog.service.ts';
import { historyRoutes } from './features/history/history.routes.ts';
import { createHistory } from './features/history/history.service.ts';
import { ledgerRoutes } from './features/ledger/ledger.routes.ts';
import { createLedgerReading } from './features/ledger/ledger.service.ts';
import { notificationRoutes } from './features/notifications/notifications.routes.ts';
import { createMailSender, createWebhookSender, type MailSettings, type WebhookSettings } from './features/notifications/notifications.senders.ts';
import { createNotifications } from './features/notifications/notifications.service.ts';
import { pointInTimeRoutes } from './features/point-in-time/point-in-time.routes.ts';
import { createPointInTime } from './features/point-in-time/point-in-time.service.ts';
import { residualRoutes } from './features/residual/residual.routes.ts';
import { createResidual } from './features/residual/residual.service.ts';
import { retentionRoutes } from './features/retention/retention.routes.ts';
import { createRetention } from './features/retention/retention.service.ts';
import { setupRoutes } from './features/setup/setup.routes.ts';
import { createDrift } from './features/setup/drift.service.ts';
import { createSetups } from './features/setup/setup.service.ts';
import { record } from './features/audit/audit.ts';
import { syncRoutes } from './features/sync/sync.routes.ts';
import { createSync } from './features/sync/sync.service.ts';
import { healthRoutes } from './http/health.ts';
import { createCookies } from './http/cookies.ts';
import { createMetrics } from './http/metrics.ts';
import { openApiRoutes } from './http/open-api.ts';
import { createDeviceSignIn } from './identity/device.ts';
import { deviceRoutes } from './identity/device.routes.ts';
import { identityRoutes, type DemoControls } from './identity/identity.routes.ts';
import { scopesOf, type ScopeSet } from './identity/scopes.ts';
import { createSessions } from './identity/sessions.ts';
import { createSignIn } from './identity/sign-in.ts';
import { connectEmulator, connectEntra, systemClock, type TenantConnection } from './identity/tenant.ts';
import { createTokens } from './identity/tokens.ts';
import { startJobs, type Jobs } from './jobs/jobs.ts';
import { keptKeys, keptLedgerKeys } from './keys.ts';
import { loadDemoHistory } from './mirror/demo-history.ts';
import { createLedger, type Ledger } from './mirror/ledger/ledger.ts';
import { createMirror, looksBackOf } from './mirror/mirror.ts';
import { createThread } from './thread.ts';

/** One attempt of a call. */
const GRAPH_TIMEOUT_MS = 15_000;
/** How long Graph may take in all, with waits and repetitions: what somebody waits for, one call of a run, one call of a job. */
const PATIENCE = {
  action: { of: 'action', ms: 30_000 },
  /** Reading all that a setup touches; below the minute after which a proxy takes the portal for silent. */
  setup: { of: 'action', ms: 55_000 },
  run: { of: 'call', ms: 120_000 },
  job: { of: 'call', ms: 120_000 },
  /** One call of the portal's own that a person's answer rests on. */
  answers: { of: 'call', ms: 30_000 },
  /** Names beside what a page is about, which does without them. */
  names: { of: 'call', ms: 8_000 },
} as const;
/** Between two passes of the mirror: the demo's audit log shows events after seconds, Microsoft's after minutes. */
const SYNC_EVERY_MS = { emulated: 3_000, entra: 60_000 };
/** Between two passes of the watch over setups; one where nothing changed asks Graph nothing. */
const WATCH_EVERY_MS = { emulated: 5_000, entra: 60_000 };

/** Between two passes of the outbox, which ask our own tables alone while nothing is due. */
const NOTIFY_EVERY_MS = 5_000;
/** Between two looks for what is to be sealed; one that finds nothing is one small query. */
const SEAL_EVERY_MS = 2_000;

/** Between two passes of the feed to a syslog receiver. */
const FEED_EVERY_MS = 5_000;

/** What the product stands on; a test passes its own. */
export interface Ground {
  readonly publicUrl: string;
  readonly trustProxy: TrustedProxies;
  readonly db: Database;
  readonly tenant: TenantConnection;
  readonly sessionKeys: Keys;
  readonly tokenKeys: Keys;
  readonly ledgerKeys: Keys;
  /** Where the ledger's checkpoints go outside of the database; what is left out is off. */
  readonly ledgerAnchors?: { readonly file?: string | undefined; readonly webhook?: WebhookSettings | undefined };
  readonly systemClock: Clock;
  readonly log: Logger;
  readonly webDir: string | undefined;
  /** How approvers are told of requests; what is left out is off. */
  readonly notify?: { readonly mail?: MailSettings | undefined; readonly webhook?: WebhookSettings | undefined };
  /** Where files lie that outlive a request: packs, and months of the log before they are dropped. */
  readonly filesDir: string;
  /** Who is sent the log as it grows; unless said, nobody. */
  readonly syslog?: SyslogSettings | undefined;
  /** Waits for what Entra does in its own time; in a test it is the tenant's clock that passes. */
  readonly wait: (ms: number) => Promise<void>;
  /** By which calls of Graph are spaced, repeated and given up. */
  readonly graphTimer: Timer;
  /** Aborted when the portal begins to stop: nothing waits for Graph any more. */
  readonly stopping?: AbortSignal;
  /** How long one attempt of a Graph call may take. */
  readonly graphTimeoutMs: number;
}

/** The product, built once: every effect is made here and passed on. */
export interface Product {
  readonly app: Express;
  readonly routers: readonly Router[];
  /** One pass of each background task. */
  readonly tasks: { sync(): Promise<void>; watch(): Promise<void>; notify(): Promise<void>; feed(): Promise<void>; settleRequests(): Promise<void>; sweep(): Promise<void> };
  /** Seals what is committed, and reads everything anew. */
  readonly ledger: Pick<Ledger, 'seal' | 'check'>;
  /** On the emulated tenant: what happened before its own log begins, into the mirror, once. */
  loadDemoHistory(): Promise<void>;
  /** Where the routes find the queue, once there is one. */
  attachJobs(jobs: Pick<Jobs, 'wakeSync' | 'wakeWatch'>): void;
  /** Waits until nothing that was begun in the background is still under way. */
  idle(): Promise<void>;
  /** Ends the streams of events, which would hold a stop. */
  endStreams(): void;
  stop(): Promise<void>;
}

export function compose(ground: Ground): Product {
  const { publicUrl, db, tenant, sessionKeys, tokenKeys, log, wait, graphTimer, graphTimeoutMs } = ground;
  const { authority, clock, graphUrl, emulated } = tenant;
  const { tenantId } = authority;
  const newId = (): string => randomUUID();

  const cookies = createCookies(publicUrl.startsWith('https:'));
  const sessions = createSessions({ tenantId, db, systemClock: ground.systemClock, keys: sessionKeys });
  const tokens = createTokens({ authority, db, keys: tokenKeys, systemClock: ground.systemClock });
  const signIn = createSignIn({ authority, db, clock, systemClock: ground.systemClock, sessionKeys, tokenKeys, tokens, sessions, redirectUri: `${publicUrl}/auth/redirect`, log });

  const deviceSignIn = createDeviceSignIn({ tenantId, db, clock, systemClock: ground.systemClock, keys: sessionKeys, sessions });

  let jobs: Pick<Jobs, 'wakeSync' | 'wakeWatch'> | undefined;
  const wakeSync = async (): Promise<void> => { await jobs?.wakeSync(); };
  const wakeWatch = async (): Promise<void> => { await jobs?.wakeWatch(); };
  const sync = createSync({ db, clock, wakeSync, sources: () => mirror.sources.map((source) => ({ ...source, looksBack: (recordsADay: number) => looksBackOf(source, recordsADay) })) });
  const metrics = createMetrics({ lastSuccesses: () => sync.lastSuccesses(tenantId), gaps: () => sync.gaps(tenantId) });
  const gateway = createGateway({
    baseUrl: graphUrl, timer: graphTimer, clock, timeoutMs: graphTimeoutMs, random: Math.random, ...(ground.stopping && { signal: ground.stopping }),
    log: (attempt) => {
      metrics.countGraphAttempt(attempt);
      const { failure, ...entry } = attempt;
      log[failure === undefined ? 'debug' : 'info']({ graph: { ...entry, failure } }, 'graph');
    },
    onAdmitted: (admitted) => { metrics.countGraphWait(admitted); },
    // It may hold names and reasons: nobody reads it who has not asked for everything.
    onUnreadable: (answer) => { log.debug({ graph: answer }, 'graph answered in another shape'); },
  });
  const graphOf = (actor: Actor, scopes: ScopeSet, patience: 'action' | 'setup' | 'run', claims?: string): Graph =>
    gateway.graph({ token: () => tokens.forPerson(actor.accountId, scopesOf(scopes), claims), priority: 'person', patience: PATIENCE[patience] });
  const graphFor = (actor: Actor, scopes: ScopeSet, claims?: string): Graph => graphOf(actor, scopes, scopes === 'setup' ? 'setup' : 'action', claims);
  const appGraph = gateway.graph({ token: () => tokens.forApp(), priority: 'background', patience: PATIENCE.job });
  /** What an answer rests on: it waits rather than do without. */
  const appGraphForAnswers = gateway.graph({ token: () => tokens.forApp(), priority: 'person', patience: PATIENCE.answers });
  const appGraphForPages = gateway.graph({ token: () => tokens.forApp(), priority: 'person', patience: PATIENCE.names });

  // Asked once: a name that could not be read is asked for again with the next page.
  let tenantName = emulated?.displayName;
  const nameOfTenant = async (): Promise<string> => {
    tenantName ??= await appGraphForPages.directory.organization().then(({ displayName }) => displayName, () => undefined);
    return tenantName ?? tenantId;
  };

  const mirror = createMirror({ db, clock, appGraph, tenantId, log });
  const drift = createDrift({ db, clock, newId, log, tenantId, appGraph, graphFor, wakeWatch });
  const setups = createSetups({ drift, db, clock, newId, log, publicUrl, graphFor, graphForRun: (actor) => graphOf(actor, 'setup', 'run'), wait, onApplied: async (groupId) => {
      await mirror.refreshGroup(groupId);
      await doubtEligibleOf(db.prisma, tenantId, groupId);
      await wakeWatch();
    } });
  const batches = createBatches({ db, clock, newId, log, setups, files: createBatchFiles(createThread(new URL('./batch-files.thread.ts', import.meta.url), FILE_LIMITS)) });
  const directory = createDirectory({ graphFor });
  const { mail, webhook } = ground.notify ?? {};
  const notifications = createNotifications({
    db, clock, newId, log, tenantId, publicUrl, appGraph,
    sendMail: mail && createMailSender(mail), webhook: webhook && { body: webhook.body, post: createWebhookSender(webhook, ground.systemClock) },
  });
  const { announce } = notifications;
  const ownAccess = createOwnAccess({ db, clock });
  const names = createNames({ appGraph: appGraphForPages, clock });
  const access = createAccess({ db, clock, graphFor, ownAccess, names, newId, announce });
  const keepGoing = createKeepGoing({ db, clock, newId, access, graphFor, appGraph: appGraphForAnswers, wait });
  const eligibility = createEligibility({ db, clock, newId, graphFor, ownAccess, names });
  const connections = createConnections({ db });
  const readiness = createReadiness({ db, clock, graphFor, connections });
  const reconciler = createReconciler({ db, clock, newId, announce, tenantId, appGraph, log });
  const approvals = createApprovals({ db, clock, graphFor, appGraph: appGraphForPages, newId });
  const doctor = createDoctor({ db, clock, graphFor, appGraph: appGraphForAnswers, newId });
  const residual = createResidual({ db, clock, newId, graphFor, appGraph: appGraphForAnswers, wait });
  const readings = createReadings({ db, clock, newId });
  const history = createHistory({ db, clock, connections, readings });
  const ledger = createLedger({
    db, clock, systemClock: ground.systemClock, tenantId, keys: ground.ledgerKeys, log, file: ground.ledgerAnchors?.file,
    ...(ground.ledgerAnchors?.webhook && { post: createWebhookSender(ground.ledgerAnchors.webhook, ground.systemClock) }),
    onAlarm: (alarm) => db.prisma.$transaction((tx) => record(tx, {
      id: newId(), at: clock.now(), actor: { tenantId, ...PORTAL }, type: alarm === null ? 'ledger.resumed' : 'ledger.stopped', kind: 'portal-ledger', result: alarm === null ? 'success' : 'failure', reason: alarm ?? undefined,
    })),
    onFound: (found) => db.prisma.$transaction((tx) => record(tx, {
      id: newId(), at: clock.now(), actor: { tenantId, ...PORTAL }, type: found === null ? 'ledger.whole' : 'ledger.altered', kind: 'portal-ledger', result: found === null ? 'success' : 'failure', reason: found ?? undefined,
    })),
  });
  const pointInTime = createPointInTime({ db, ledger, clock, newId });
  const packs = createPacks({ db, clock, systemClock: ground.systemClock, newId, tenantId, nameOfTenant, log, dir: join(ground.filesDir, 'packs'), ledgerPart: sealedPart(ledger) });
  const { syslog: receiver } = ground;
  const syslog = createSyslog({
    db, clock, tenantId, log, hostName: new URL(publicUrl).hostname,
    receiver: receiver && { name: `${receiver.host}:${receiver.port} over ${receiver.tls ? 'TLS' : 'TCP, not encrypted'}`, send: createSyslogSender(receiver) },
  });
  const exports = createExports({ db, clock, systemClock: ground.systemClock, newId, packs, feedStatus: () => syslog.status() });
  const retention = createRetention({ db, clock, newId, tenantId, log, dir: join(ground.filesDir, 'archive'), ledgerPart: sealedPart(ledger) });

  const tasks = {
    sync: () => mirror.syncOnce(),
    watch: () => drift.pass(),
    notify: () => notifications.pass(),
    feed: () => syslog.pass(),
    settleRequests: async () => {
      await reconciler.settleOpenRequests();
      await keepGoing.settleUnfinished(tenantId);
      await residual.settleLost(tenantId);
      await setups.interruptOrphans(tenantId);
      await batches.interruptOrphans(tenantId);
    },
    sweep: async () => {
      await sessions.sweep();
      await notifications.sweep();
      await history.fold(tenantId);
      await readings.sweep(tenantId);
      await packs.pass();
      await retention.pass();
    },
  };

  const demo: DemoControls | undefined = emulated && {
    aheadSeconds: () => emulated.aheadSeconds(),
    privateResourceUrl: `${emulated.url}/private/`,
    advance: async (minutes) => {
      await emulated.advance(minutes);
      await wakeSync();
    },
  };
  const routers = [
    healthRoutes(async () => reasonsNotReady(db)),
    metrics.routes(),
    openApiRoutes(),
    identityRoutes({ tenantId, nameOfTenant, publicUrl, db, clock, systemClock: ground.systemClock, cookies, sessions, signIn, tokens, demo }),
    deviceRoutes(deviceSignIn, publicUrl),
    accessRoutes(access, readiness, keepGoing, eligibility), approvalRoutes(approvals), residualRoutes(residual), setupRoutes(setups, drift), batchRoutes(batches), directoryRoutes(directory), doctorRoutes(doctor), historyRoutes(history), exportRoutes(exports), retentionRoutes(retention), pointInTimeRoutes(pointInTime),
    connectionRoutes(connections), syncRoutes(sync), ledgerRoutes(createLedgerReading({ db, clock, systemClock: ground.systemClock, newId, ledger })), notificationRoutes(notifications),
  ];
  const app = createApp({
    publicUrl, trustProxy: ground.trustProxy, log, cookies, countRequests: metrics.countRequests, routers, webDir: ground.webDir,
    findSession: (credential) => sessions.find(credential),
    beginStepUp: (actor, demand, permission) => signIn.beginStepUp(actor, demand, SCOPES_OF_PERMISSION[permission] ?? 'sign-in'),
  });

  return {
    app, routers, tasks, ledger,
    loadDemoHistory: async () => { if (emulated) await loadDemoHistory({ db, tenantId, emulatorUrl: emulated.url, log, now: () => clock.now() }); },
    attachJobs: (attached) => { jobs = attached; },
    // A batch begins runs, so that they are at rest after it.
    idle: async () => {
      await batches.idle();
      await setups.idle();
      await packs.idle();
    },
    endStreams: () => { setups.endWatches(); },
    // A batch that stops waits for its runs in hand, which stop with the others.
    stop: async () => { await Promise.all([batches.stop(), setups.stop()]); },
  };
}

/** Far more than a file of the largest size takes on a busy machine. */
const FILE_LIMITS = { patienceMs: 60_000, memoryMb: 512 };

/** Which scopes a stronger sign-in asks for, by what the person was doing. */
const SCOPES_OF_PERMISSION: Partial<Record<string, ScopeSet>> = { 'access:use': 'access', 'current-access:end': 'end-access', 'approval:decide': 'approvals', 'setup:manage': 'setup' };

async function reasonsNotReady(db: Database): Promise<string[]> {
  try {
    return [...(await migrationState(db)).problems];
  } catch {
    return ['The database does not answer.'];
  }
}

/** The running product: what `npm start` starts, and what a signal stops. */
export interface Portal {
  readonly url: string;
  /** Resolves, with a sentence, when something that it stands on is gone for good. */
  readonly broken: Promise<string>;
  /** What the terminal shows. */
  readonly greeting: string;
  stop(): Promise<void>;
}

/**
 * Starts everything in order, and stops it in the reverse: requests, jobs, database, emulator. What was started is
 * stopped as well when a later part refuses.
 */
export async function startPortal(config: Config, log: Logger): Promise<Portal> {
  const undo: (() => Promise<void>)[] = [];
  const stopping = new AbortController();
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => { log.error({ err: error }, 'a part did not stop in order'); });
  };
  try {
    // The port first: whether it is free is known at once, and nothing has to be undone.
    const { server, port } = await listen(config.host, config.port);
    undo.push(() => closeServer(server));
    const publicUrl = config.port === 0 ? `http://localhost:${port}` : config.publicUrl;

    // Before anything is started: keys that cannot be read are refused, and the database is not touched without them.
    const kept = config.sessionKeys && config.tokenKeys ? { session: config.sessionKeys, token: config.tokenKeys } : keptKeys(config.dataDir);
    const ledgerKeys = config.ledgerKeys ?? keptLedgerKeys(config.dataDir);
    const emulatedHere = config.tenant.kind === 'emulated' && config.tenant.url === undefined
      ? await startEmulator({ port: 0, seed: 'demo', delays: DEMO_DELAYS, stateFile: join(config.dataDir, 'emulated-tenant.json') })
      : undefined;
    if (emulatedHere) undo.push(() => emulatedHere.close());

    const embedded = config.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log: (line: string) => { log.debug({ postgres: line }, 'postgres'); } }) : undefined;
    if (embedded) undo.push(() => embedded.stop());
    const databaseUrl = config.databaseUrl ?? embedded?.url ?? '';
    await migrate(databaseUrl);
    await grantRoles(databaseUrl);
    const db = await openDatabase({ url: databaseUrl, onError: (error) => { log.debug({ err: error }, 'a connection to the database ended'); } });
    undo.push(() => db.close());

    const tenant = config.tenant.kind === 'entra' ? connectEntra(config.tenant) : await connectEmulator(config.tenant.url ?? emulatedHere?.url ?? '');
    undo.push(async () => { tenant.close(); });

    const product = compose({
      publicUrl, trustProxy: config.trustProxy, db, tenant,
      sessionKeys: config.sessionKeys ?? kept.session, tokenKeys: config.tokenKeys ?? kept.token, ledgerKeys, ledgerAnchors: { file: join(config.dataDir, 'checkpoints.log'), webhook: config.ledgerWebhook }, systemClock, log,
      webDir: webDir(), filesDir: config.filesDir, syslog: config.syslog, notify: config.notify, wait: pause, graphTimer: { now: () => performance.now(), sleep: (ms) => pause(ms, stopping.signal) }, stopping: stopping.signal, graphTimeoutMs: GRAPH_TIMEOUT_MS,
    });
    undo.push(() => product.stop());
    const jobs = await startJobs({ db, log, syncEveryMs: SYNC_EVERY_MS[config.tenant.kind], watchEveryMs: WATCH_EVERY_MS[config.tenant.kind], notifyEveryMs: NOTIFY_EVERY_MS, feedEveryMs: FEED_EVERY_MS, ledger: { everyMs: SEAL_EVERY_MS, seal: () => product.ledger.seal(), check: () => product.ledger.check() }, tasks: { ...product.tasks, sync: withDemoHistory(product) } });
    undo.push(() => jobs.stop());
    product.attachJobs(jobs);
    undo.push(() => drain(server));
    undo.push(async () => {
      product.endStreams();
      stopping.abort();
    });
    server.off('request', notReadyYet);
    server.on('request', product.app);
    log.info({ publicUrl, port }, 'listening');
    return { url: publicUrl, broken: embedded?.ended ?? new Promise(() => {}), greeting: greeting(publicUrl, tenant), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends early where the signal is aborted. */
const pause = async (ms: number, signal?: AbortSignal): Promise<void> => { await sleep(ms, undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined); };

/** After the first pass, for pages wait for the catalog; again with the next pass where it failed. */
function withDemoHistory(product: Product): () => Promise<void> {
  let loaded = false;
  return async () => {
    await product.tasks.sync();
    if (!loaded) await product.loadDemoHistory();
    loaded = true;
  };
}

/** The web app, where it was built; `npm run dev` serves it by itself. */
function webDir(): string | undefined {
  const dir = join(import.meta.dirname, '../../web/dist');
  return existsSync(join(dir, 'index.html')) ? dir : undefined;
}

async function listen(host: string, port: number): Promise<{ server: Server; port: number }> {
  const server = createServer(notReadyYet);
  server.listen(port, host);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** The port is taken at once, so that a second start finds out; until the product stands it says so. */
function notReadyYet(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '2', 'cache-control': 'no-store' }).end('Gatehouse is starting.\n');
}

/** Lets requests under way end, and cuts what does not within a few seconds (streams of events never do by themselves). */
async function drain(server: Server): Promise<void> {
  const closed = closeServer(server);
  server.closeIdleConnections();
  const cut = setTimeout(() => { server.closeAllConnections(); }, 3_000);
  await closed;
  clearTimeout(cut);
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
}

function greeting(publicUrl: string, { emulated }: TenantConnection): string {
  if (!emulated) return `Gatehouse is ready: ${publicUrl}`;
  const accounts = emulated.accounts.map(({ displayName, upn, hint }) => `    ${displayName.padEnd(18)} ${hint.padEnd(14)} ${upn}`);
  return ['', `  Gatehouse is ready: ${publicUrl}`, '', `  Demo: an emulated tenant (${emulated.displayName}) at ${emulated.url}. Sign in as one of:`, ...accounts, '', '  Ctrl-C stops it; what you did stays for the next start.', ''].join('\n');
}
