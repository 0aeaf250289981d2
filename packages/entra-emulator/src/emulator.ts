import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import express, { type Request, type Response } from 'express';
import { z } from 'zod';
import { LIFELIKE_DELAYS, type Delays } from './delays.ts';
import { connect, rollOut } from './edge.ts';
import { ConnectionLost, createFaults, FaultWish, serveInBatch, serveWith } from './faults.ts';
import { createFront } from './graph/front.ts';
import { GraphRefusal, type GraphAnswer } from './graph/route.ts';
import { routes } from './graph/routes.ts';
import { licencesOf, type Licences } from './licences.ts';
import { oidc, type SignInState } from './oidc/server.ts';
import { recordVisit } from './network/traffic.ts';
import { createTokens, makeSigningKey } from './oidc/tokens.ts';
import { settle } from './pim/engine.ts';
import { durationMs } from './pim/rules.ts';
import { privateResource } from './private-resource/page.ts';
import type { Reach } from './reach.ts';
import { PORTAL_CLAIMS, PORTAL_GRANTS } from './seed/applications.ts';
import { demoHistoryBefore, seedTenant } from './seed/seed.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { OPTIONAL_CLAIMS } from './tenant.ts';
import { createThrottle, PUBLISHED_THROTTLING, type Throttling } from './throttling.ts';

export interface EmulatorOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  readonly seed?: 'demo' | 'empty';
  /** File that keeps the tenant over a restart. */
  readonly stateFile?: string;
  /** In place of the lifelike ones. */
  readonly delays?: Partial<Delays>;
  /** Limits in place of the published ones; `null`: none, for a client whose time does not pass. */
  readonly throttling?: Partial<Throttling> | null;
  /** Time stands still until it is moved; for tests. */
  readonly frozen?: boolean;
  /** Where time begins; the real time unless said. */
  readonly startAt?: string;
}

export interface Emulator {
  /** `http://127.0.0.1:port`: another site than the portal's localhost, as Microsoft's is. */
  readonly url: string;
  readonly tenantId: string;
  close(): Promise<void>;
}

/** The people whom the sign-in page shows first, with who they are in the demo. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['maya.lindqvist@contoso.example', 'Setup admin'], ['ana.costa@contoso.example', 'Analyst'], ['ben.novak@contoso.example', 'Analyst'],
  ['omar.haddad@contoso.example', 'Approver'], ['ines.moreau@contoso.example', 'Auditor'],
]);

const Ms = z.int().min(0);
const RangeWish = z.strictObject({ min: Ms, max: Ms }).refine(({ min, max }) => min <= max, 'min is at most max');
const LimitWish = z.strictObject({ units: z.int().min(1), windowMs: z.int().min(1), retryAfter: z.boolean() });
/** What may be set while it runs; what is not named stays. */
const SettingsWish = z.strictObject({
  delays: z.strictObject({
    directoryToPim: Ms, provisioning: Ms, membership: Ms, auditVisible: RangeWish, configurationToClient: Ms, clientToken: RangeWish, universalCae: Ms.nullable(), nextLink: Ms, requestForgotten: Ms.nullable(),
  }).partial().optional(),
  /** By the name of the machine: whether its connector answers. Nobody can set that through Graph. */
  connectors: z.record(z.string(), z.enum(['active', 'inactive'])).optional(),
  licences: z.strictObject({ pim: z.boolean(), privateAccess: z.boolean() }).partial().optional(),
  /** Optional claims of the ID token, as the portal's registration has them from now on; none, as a registration begins. */
  idTokenClaims: z.array(z.enum(OPTIONAL_CLAIMS)).optional(),
  throttling: z.strictObject({ auditReports: LimitWish, conditionalAccess: LimitWish, directory: LimitWish, directoryWrites: LimitWish, pim: LimitWish }).partial().nullable().optional(),
});

const JOURNAL_LENGTH = 20_000;

interface JournalEntry {
  at: string; method: string; url: string; headers: Record<string, string>; body: unknown; status: number; answer: unknown;
  /** Of a call within a batch: the batch's address. It stands before the batch itself. */
  batch?: string;
  /** Of a write: whether it changed the tenant's configuration, whatever its caller heard of it. A batch has none: its calls do. */
  effect?: boolean;
}

const effectOf = (method: string, url: string, served: GraphAnswer | undefined): { effect?: boolean } =>
  (method === 'GET' || /\/\$batch(\?|$)/.test(url) ? {} : { effect: served?.effect ?? false });

/** Starts a tenant behind real HTTP, on loopback; throws `TenantStateRefusal` where the state file is not one. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { seed = 'demo', stateFile, frozen = false } = options;
  let delays: Delays = { ...LIFELIKE_DELAYS, ...options.delays };
  let throttling: Throttling | null = options.throttling === null ? null : { ...PUBLISHED_THROTTLING, ...options.throttling };
  const newId = (): string => randomUUID();
  const began = options.startAt === undefined ? undefined : Date.parse(options.startAt);

  const kept = stateFile === undefined ? undefined : readSnapshot(stateFile);
  let offsetMs = kept?.offsetMs ?? (began === undefined ? 0 : began - Date.now());
  let frozenAt = kept?.now === undefined ? began ?? Date.now() : Date.parse(kept.now);
  const now = (): Date => new Date(frozen ? frozenAt : Date.now() + offsetMs);
  let tenant = kept?.tenant ?? seedTenant(seed, now(), newId);
  // A tenant that was kept by an earlier build lacks what the portal has come to need: it is granted as the guide has it.
  for (const { registration } of tenant.applications) if (registration) Object.assign(registration, structuredClone(PORTAL_GRANTS), 'idTokenClaims' in registration ? {} : { idTokenClaims: [...PORTAL_CLAIMS] });
  const key = kept?.key ?? await makeSigningKey(newId);
  let signIn: SignInState = kept?.signIn ?? { sessions: {}, refreshTokens: {} };
  let journal: JournalEntry[] = [];
  const clockWatchers = new Set<Response>();

  const keep = (): void => {
    if (stateFile === undefined) return;
    writeSnapshot(stateFile, { version: 1, tenant, offsetMs, now: now().toISOString(), key, signIn });
  };
  const settleNow = (): void => {
    const world = { tenant, now: now(), delays, newId };
    const settled = settle(world);
    if (rollOut(world) || settled) keep();
  };

  /** A connection that somebody's client tries to make: unlike a mere question, it stands in the logs afterwards. */
  const visit = (upn: string, host: string, port: number): Reach => {
    const world = { tenant, now: now(), delays, newId };
    const reached = connect(world, upn, host, port);
    recordVisit(world, upn, host, port, reached);
    keep();
    return reached;
  };

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', false);
  const server = createServer(app);
  const baseUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  // Only this machine speaks to it, and by these names: a foreign name that resolves here (DNS rebinding) is refused.
  app.use((req, res, next) => {
    if (/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(req.headers.host ?? '')) return next();
    res.status(421).json({ error: { code: 'MisdirectedRequest', message: 'The emulated tenant answers on loopback only.' } });
  });

  const tokens = await createTokens({ key, tenant: () => tenant, newId });
  const { router: oidcRouter, signedInUser } = oidc({ tenant: () => tenant, tokens, state: () => signIn, keep, hints: HINTS, baseUrl, now });
  app.use('/private', privateResource({
    tenant: () => tenant, settle: settleNow,
    connect: visit,
    signedInUpn: (req: Request) => signedInUser(req)?.userPrincipalName,
    signInUrl: (returnTo: string, switchAccount: boolean) => `/_signin?returnTo=${encodeURIComponent(returnTo)}${switchAccount ? '&prompt=select_account' : ''}`,
  }));

  const faults = createFaults(now);
  const throttle = createThrottle(() => throttling);
  controls();
  graph();
  app.use(oidcRouter);
  app.use((req, res) => { res.status(501).json({ error: { code: 'NotImplemented', message: `The emulated tenant does not know ${req.method} ${req.path}.` } }); });
  app.use((error: unknown, _req: Request, res: Response, _next: unknown) => {
    res.status(500).json({ error: { code: 'InternalServerError', message: error instanceof Error ? error.stack ?? error.message : String(error) } });
  });

  function controls(): void {
    const json = express.json({ limit: '1mb' });
    const clockState = () => ({ now: now().toISOString(), offsetMs: frozen ? frozenAt - Date.now() : offsetMs });
    app.get('/_emulator/clock', (_req, res) => { res.json(clockState()); });
    app.post('/_emulator/clock', json, (req, res) => {
      const wish = z.strictObject({ advance: z.string() }).safeParse(req.body);
      const ms = wish.success ? durationMs(wish.data.advance) : undefined;
      if (ms === undefined) return void res.status(400).json({ error: 'advance is an ISO 8601 duration of days, hours, minutes and seconds, such as PT31M' });
      offsetMs += ms;
      frozenAt += ms;
      settleNow();
      keep();
      for (const watcher of clockWatchers) watcher.write(`data: ${JSON.stringify(clockState())}\n\n`);
      res.json(clockState());
    });
    app.get('/_emulator/clock/events', (_req, res) => {
      res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      res.write(`data: ${JSON.stringify(clockState())}\n\n`);
      clockWatchers.add(res);
      res.on('close', () => clockWatchers.delete(res));
    });
    app.get('/_emulator/journal', (_req, res) => { res.json(journal); });
    app.delete('/_emulator/journal', (_req, res) => {
      journal = [];
      res.status(204).end();
    });
    app.post('/_emulator/faults', json, (req, res) => {
      const wish = FaultWish.safeParse(req.body);
      if (!wish.success) return void res.status(400).json({ error: wish.error.issues });
      faults.replace(wish.data);
      res.status(204).end();
    });
    const registrationNow = () => tenant.applications.find(({ registration }) => registration !== null)?.registration ?? undefined;
    const settingsNow = () => ({ delays, throttling, licences: licencesOf(tenant), idTokenClaims: registrationNow()?.idTokenClaims ?? [], connectors: Object.fromEntries(tenant.connectorGroups.flatMap((group) => group.connectors.map(({ machineName, status }) => [machineName, status]))) });
    app.get('/_emulator/settings', (_req, res) => { res.json(settingsNow()); });
    app.post('/_emulator/settings', json, (req, res) => {
      const wish = SettingsWish.safeParse(req.body);
      if (!wish.success) return void res.status(400).json({ error: wish.error.issues });
      const connectors = tenant.connectorGroups.flatMap((group) => group.connectors);
      const wished = Object.entries(wish.data.connectors ?? {}).map(([machineName, status]) => ({ machineName, status, connector: connectors.find((one) => one.machineName === machineName) }));
      const unknown = wished.find(({ connector }) => !connector);
      if (unknown) return void res.status(400).json({ error: `no connector runs on ${unknown.machineName}; there are ${connectors.map((one) => one.machineName).join(', ')}` });
      for (const { connector, status } of wished) if (connector) connector.status = status;
      if (wished.length > 0) keep();
      delays = { ...delays, ...wish.data.delays } as Delays;
      if (wish.data.throttling !== undefined) throttling = wish.data.throttling === null ? null : { ...PUBLISHED_THROTTLING, ...throttling, ...wish.data.throttling } as Throttling;
      if (wish.data.licences !== undefined) {
        tenant.licences = { ...licencesOf(tenant), ...wish.data.licences } as Licences;
        keep();
      }
      const registration = registrationNow();
      if (wish.data.idTokenClaims !== undefined && registration) {
        registration.idTokenClaims = wish.data.idTokenClaims;
        keep();
      }
      res.json(settingsNow());
    });
    app.post('/_emulator/reset', json, (req, res) => {
      const wish = z.strictObject({ seed: z.enum(['demo', 'empty']) }).safeParse(req.body);
      if (!wish.success) return void res.status(400).json({ error: 'seed is demo or empty' });
      const id = tenant.id;
      tenant = { ...seedTenant(wish.data.seed, now(), newId), id };
      signIn = { sessions: {}, refreshTokens: {} };
      journal = [];
      keep();
      res.status(204).end();
    });
    // Whoever is signed in at the tenant did so that much earlier, by real time, as sign-ins live; what was handed out before stays as it is.
    app.post('/_emulator/sign-ins', json, (req, res) => {
      const wish = z.strictObject({ age: z.string() }).safeParse(req.body);
      const ms = wish.success ? durationMs(wish.data.age) : undefined;
      if (ms === undefined) return void res.status(400).json({ error: 'age is an ISO 8601 duration of days, hours, minutes and seconds, such as PT11M' });
      signIn = { ...signIn, sessions: Object.fromEntries(Object.entries(signIn.sessions).map(([id, proof]) => [id, { ...proof, authTime: proof.authTime - Math.round(ms / 1000) }])) };
      keep();
      res.status(204).end();
    });
    app.get('/_emulator/registration', (_req, res) => {
      const client = tenant.applications.find(({ registration }) => registration !== null);
      res.json({
        tenantId: tenant.id, tenantName: tenant.displayName, clientId: client?.appId, clientSecret: client?.registration?.secret,
        accounts: [...HINTS].flatMap(([upn, hint]) => tenant.users.filter(({ userPrincipalName }) => userPrincipalName === upn).map(({ displayName }) => ({ upn, displayName, hint }))),
      });
    });
    app.get('/_emulator/reach', (req, res) => {
      settleNow();
      const query = new URLSearchParams(req.url.split('?')[1] ?? '');
      const [host = '', port = ''] = (query.get('to') ?? '').split(/:(?=\d+$)/);
      res.json(connect({ tenant, now: now(), delays, newId }, query.get('user') ?? '', host, Number(port)));
    });
    app.post('/_emulator/connections', json, (req, res) => {
      const wish = z.strictObject({ user: z.string(), to: z.string().regex(/^[^:]+:\d{1,5}$/) }).safeParse(req.body);
      if (!wish.success) return void res.status(400).json({ error: 'user is a user principal name, to is HOST:PORT' });
      settleNow();
      const [host = '', port = ''] = wish.data.to.split(':');
      res.json(visit(wish.data.user, host, Number(port)));
    });
    // Whole, or the parts that are named, such as `?parts=groups,pim`: the audit log is most of it.
    app.get('/_emulator/state', (req, res) => {
      settleNow();
      const state = { ...tenant, applications: tenant.applications.map(({ registration: _secret, ...application }) => application) };
      const parts = new URLSearchParams(req.url.split('?')[1] ?? '').get('parts')?.split(',');
      res.json(parts ? Object.fromEntries(Object.entries(state).filter(([name]) => parts.includes(name))) : state);
    });
    // What the service wrote by itself: entries as Graph prints them, each from when it shows. One whose id is there takes its place.
    app.post('/_emulator/audits', express.json({ limit: '32mb' }), (req, res) => {
      const wish = z.array(z.strictObject({ visibleAt: z.iso.datetime(), entry: z.looseObject({ id: z.string().min(1), activityDateTime: z.iso.datetime(), activityDisplayName: z.string() }) })).safeParse(req.body);
      if (!wish.success) return void res.status(400).json({ error: wish.error.issues });
      // As it was sent, not as it was parsed: the order of an entry's fields is a part of its text.
      const given = new Map((req.body as typeof wish.data).map((audit) => [audit.entry.id, audit]));
      tenant.directoryAudits = [...tenant.directoryAudits.filter(({ entry }) => !given.has(entry.id)), ...given.values()];
      keep();
      res.status(204).end();
    });
    app.get('/_emulator/history', (req, res) => {
      const months = Number(new URLSearchParams(req.url.split('?')[1] ?? '').get('months') ?? '6');
      res.type('application/x-ndjson').send(demoHistoryBefore(tenant, now(), months).map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    });
  }

  function graph(): void {
    const front = createFront({
      routes, delays: () => delays, newId, now, settle: settleNow, keep: () => { rollOut({ tenant, now: now(), delays, newId }); keep(); }, baseUrl,
      tenant: () => tenant, caller: (authorization) => tokens.caller(authorization),
      charge: (call) => throttle.charge({ ...call, tenantId: tenant.id }, now().getTime()),
      async inBatch(req, { method, url, headers, body }, serve) {
        const entry = { method, url, headers: { ...headers }, body, batch: req.originalUrl };
        try {
          const answer = await serveInBatch(faults.next(method, decodeURIComponent(url.split('?')[0] ?? '')), req, serve);
          write({ ...entry, status: answer.status, answer: answer.body, ...effectOf(method, url, answer) });
          return answer;
        } catch (error) {
          if (error instanceof ConnectionLost) write({ ...entry, status: 0, answer: null, ...effectOf(method, url, error.served) });
          throw error;
        }
      },
    });
    const write = (entry: Omit<JournalEntry, 'at'>): void => {
      journal.push({ at: now().toISOString(), ...entry });
      if (journal.length > JOURNAL_LENGTH) journal.shift();
    };
    app.use(['/v1.0', '/beta'], express.json({ limit: '4mb', strict: false }), (req, res, next) => {
      const url = req.originalUrl;
      req.url = url;
      const record = (status: number, answer: unknown, served?: GraphAnswer): void => {
        write({ method: req.method, url, headers: safeHeaders(req), body: req.body as unknown, status, answer, ...effectOf(req.method, url, served) });
      };
      serveWith(faults.next(req.method, decodeURIComponent(url.split('?')[0] ?? '')), {
        req, res, record,
        serve: () => front.handle(req, res),
        send: ({ status, body }) => {
          if (body === undefined) res.status(status).end();
          else res.status(status).json(body);
        },
      }).catch((error: unknown) => {
        if (!(error instanceof ConnectionLost)) return next(error);
        record(0, null);
        if (error.kind === 'reset') req.socket.destroy();
      });
    });
    app.use(['/v1.0', '/beta'], (error: unknown, req: Request, res: Response, next: (error: unknown) => void) => {
      const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
      if (status >= 500) return next(error);
      const answer = front.unreadable(req, res, new GraphRefusal(status, 'BadRequest', 'Unable to read JSON request payload.'));
      write({ method: req.method, url: req.originalUrl, headers: safeHeaders(req), body: null, status, answer: answer.body, ...effectOf(req.method, req.originalUrl, undefined) });
      res.status(status).json(answer.body);
    });
  }

  await listen(server, options.port ?? 0);
  keep();
  return {
    url: baseUrl(),
    tenantId: tenant.id,
    async close() {
      keep();
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

/** Headers without what opens anything: of the token only its kind. */
function safeHeaders(req: Request): Record<string, string> {
  return Object.fromEntries(Object.entries(req.headers).map(([name, value]) => {
    if (name === 'authorization') return [name, 'Bearer …'];
    if (name === 'cookie') return [name, '(present)'];
    return [name, Array.isArray(value) ? value.join(', ') : value ?? ''];
  }));
}
