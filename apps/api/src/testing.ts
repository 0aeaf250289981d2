import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import type { Timer } from '@gatehouse/graph';
import { pino, type Logger } from 'pino';
import { createClient, type Client } from '../test/client.ts';
import { compose, type Ground, type Product } from './compose.ts';
import { connectEmulator, systemClock } from './identity/tenant.ts';

export { type Client, type Reply } from '../test/client.ts';

export const MAYA = 'maya.lindqvist@contoso.example';
export const ANA = 'ana.costa@contoso.example';
export const BEN = 'ben.novak@contoso.example';
export const OMAR = 'omar.haddad@contoso.example';
export const INES = 'ines.moreau@contoso.example';

/** One call to the emulated Graph, as its journal has it; a call within a batch has an entry too, before the batch's. */
export interface JournalEntry {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  readonly status: number;
  readonly answer: unknown;
  /** The tenant's time. */
  readonly at: string;
  /** Of a call within a batch: the batch's address. */
  readonly batch?: string;
  /** Of a write: whether it changed the tenant. */
  readonly effect?: boolean;
}

/** The controls of an emulated tenant. */
export interface EmulatorControls {
  readonly url: string;
  // The tenant as plain data, or those parts of it, to look into freely.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  state(parts?: readonly string[]): Promise<any>;
  journal(): Promise<readonly JournalEntry[]>;
  clearJournal(): Promise<void>;
  settings(wish: { readonly delays?: Readonly<Record<string, unknown>>; readonly connectors?: Readonly<Record<string, 'active' | 'inactive'>>; readonly idTokenClaims?: readonly string[] }): Promise<void>;
  /** Entries of the audit log that the service writes by itself, each from when it shows; one whose id is there takes its place. */
  audits(entries: readonly { readonly visibleAt: string; readonly entry: Readonly<Record<string, unknown>> }[]): Promise<void>;
  faults(rules: readonly unknown[] | { readonly preset: 'dev-proxy'; readonly rate: number; readonly seed?: string }): Promise<void>;
}

/** The whole product on a real database and an emulated tenant whose clock stands until it is moved. */
export interface TestPortal extends AsyncDisposable {
  readonly url: string;
  /** What the product has, and beside it a connection of the owner's. */
  readonly db: TestDatabase;
  readonly product: Product;
  readonly tenantId: string;
  /** Where the product puts files. */
  readonly filesDir: string;
  now(): Date;
  /** Moves tenant and portal, such as `PT31M`. */
  advance(duration: string): Promise<void>;
  /** Where time passes: waits like everything else does. */
  pass(ms: number): Promise<void>;
  /** A browser without a screen, signed in as the person. One for each person. */
  as(upn: string): Promise<Client>;
  /** The person at a second portal on the same database and tenant. */
  onReplica(upn: string): Promise<Client>;
  /** A browser that nobody has signed in with. */
  anonymous(): Client;
  syncNow(): Promise<void>;
  /** One pass of the mirror by another portal on the same database and tenant, always the same one. */
  syncOnReplica(): Promise<void>;
  settle(): Promise<void>;
  readonly emulator: EmulatorControls;
}

export interface TestPortalOptions {
  readonly at?: string;
  readonly graphTimeoutMs?: number;
  /** What the tenant holds; the demo's unless said. */
  readonly seed?: 'demo' | 'empty';
  /**
   * Whatever waits, for Graph or for Entra, moves the tenant's clock to the end of its wait and goes on; unless said, only
   * the test moves it, and waits before a repetition take no time of the tenant's.
   */
  readonly timePasses?: boolean;
  readonly log?: Logger;
  /** Where the portal reaches the tenant, in place of the emulator's own address; its replicas reach it directly. */
  readonly through?: (emulatorUrl: string) => Promise<string>;
  /** The tenant counts what is asked of it and refuses what is too much, by the published limits; unless said, it does not. */
  readonly throttling?: boolean;
  /** How approvers are told of requests; unless said, they are not. */
  readonly notify?: Ground['notify'];
  /** Who is sent the log as it grows; unless said, nobody. */
  readonly syslog?: Ground['syslog'];
  /** How many proxies stand in front of the portal; unless said, none. */
  readonly trustProxy?: number;
  /** How far the portal's clock is ahead of the tenant's. */
  readonly skewMs?: () => number;
  /** Database to copy, outside of a test run. */
  readonly templateUrl?: string | undefined;
}

export async function startPortal(options: TestPortalOptions = {}): Promise<TestPortal> {
  const { timePasses = false } = options;
  const database = await testDatabase(options.templateUrl);
  const filesDir = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
  const emulator = await startEmulator({ port: 0, seed: options.seed ?? 'demo', frozen: true, delays: DEMO_DELAYS, ...(options.throttling !== true && { throttling: null }), startAt: options.at ?? '2026-03-02T09:00:00.000Z' });
  const connection = await connectEmulator(emulator.url);
  const own = options.through ? await connectEmulator(await options.through(emulator.url)) : connection;
  let now = new Date((await json(`${emulator.url}/_emulator/clock`) as { now: string }).now);

  const advance = async (duration: string): Promise<void> => {
    now = new Date((await json(`${emulator.url}/_emulator/clock`, { advance: duration }) as { now: string }).now);
    for (const one of waiting) if (one.until <= now.getTime()) release(one);
  };
  /** What waits for Entra waits by the standing clock, until the test moves it. */
  const waiting = new Set<{ readonly until: number; readonly resolve: () => void }>();
  const release = (one: { readonly until: number; readonly resolve: () => void }): void => {
    waiting.delete(one);
    one.resolve();
  };
  let over = false;
  const passing = passingTimer(() => now.getTime(), async (ms) => { if (!over) await advance(`PT${(ms / 1000).toFixed(3)}S`); });
  const keys = { sessionKeys: [randomBytes(32)] as const, tokenKeys: [randomBytes(32)] as const, ledgerKeys: [randomBytes(32)] as const };
  const serve = async (tenant = connection) => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    const product = compose({
      publicUrl: url, trustProxy: options.trustProxy ?? 0, db: database, systemClock, webDir: undefined, log: options.log ?? pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
      tenant: { ...tenant, clock: { now: () => new Date(now.getTime() + (options.skewMs?.() ?? 0)) } },
      ...keys, filesDir, syslog: options.syslog, ...(options.notify && { notify: options.notify }),
      wait: timePasses ? passing.sleep : (ms) => new Promise((resolve) => { waiting.add({ until: now.getTime() + ms, resolve }); }),
      graphTimer: timePasses ? passing : skippingTimer(), graphTimeoutMs: options.graphTimeoutMs ?? 15_000,
    });
    server.on('request', product.app);
    const stop = async (): Promise<void> => {
      product.endStreams();
      for (const one of waiting) release(one);
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
      await product.stop();
    };
    return { url, product, stop };
  };
  const { url, product, stop } = await serve(own);
  const replicas: { stop: () => Promise<void> }[] = [];
  let second: ReturnType<typeof serve> | undefined;
  const clients = new Map<string, Promise<Client>>();

  return {
    url, db: database, product, filesDir, tenantId: connection.authority.tenantId,
    now: () => new Date(now),
    advance,
    pass: passing.sleep,
    as(upn) {
      const known = clients.get(upn) ?? (async () => {
        const client = createClient(url);
        await client.signIn(upn);
        return client;
      })();
      clients.set(upn, known);
      return known;
    },
    anonymous: () => createClient(url),
    async onReplica(upn) {
      const replica = await serve();
      replicas.push(replica);
      const client = createClient(replica.url);
      await client.signIn(upn);
      return client;
    },
    syncNow: () => product.tasks.sync(),
    async syncOnReplica() {
      second ??= serve();
      await (await second).product.tasks.sync();
    },
    settle: () => product.idle(),
    emulator: controlsOf(emulator.url),
    async [Symbol.asyncDispose]() {
      for (const each of [...replicas, ...(second ? [await second] : []), { stop }]) await each.stop();
      over = true;
      connection.close();
      own.close();
      await emulator.close();
      await database[Symbol.asyncDispose]();
      await rm(filesDir, { recursive: true, force: true });
    },
  };
}

export function controlsOf(url: string): EmulatorControls {
  return {
    url,
    state: (parts) => json(`${url}/_emulator/state${parts ? `?parts=${parts.join(',')}` : ''}`),
    journal: async () => await json(`${url}/_emulator/journal`) as readonly JournalEntry[],
    clearJournal: async () => { await fetch(`${url}/_emulator/journal`, { method: 'DELETE' }); },
    settings: async (wish) => { await json(`${url}/_emulator/settings`, wish); },
    audits: async (entries) => { await json(`${url}/_emulator/audits`, entries); },
    faults: async (rules) => { await json(`${url}/_emulator/faults`, rules); },
  };
}

/** How long nothing may begin to wait before time passes; what is under way between two waits takes less. */
const QUIET_MS = 6;

/**
 * Time that passes when everything waits: then the clock is moved to the earliest end of a wait. Who waits at the same time
 * waits in parallel, however long a computer takes between two waits.
 */
function passingTimer(now: () => number, advance: (ms: number) => Promise<void>): Timer {
  const waiting = new Set<{ readonly until: number; readonly wake: () => void }>();
  let quiet: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      if (waiting.size === 0) return;
      const until = Math.min(...[...waiting].map((one) => one.until));
      void (until > now() ? advance(until - now()) : Promise.resolve()).then(() => {
        for (const one of waiting) {
          if (one.until > now()) continue;
          waiting.delete(one);
          one.wake();
        }
        if (waiting.size > 0) watch();
      });
    }, QUIET_MS);
  };
  return {
    now,
    sleep: (ms) => new Promise((wake) => {
      waiting.add({ until: now() + Math.ceil(ms), wake });
      watch();
    }),
  };
}

/** Waits that are over at once, by a clock of their own. */
function skippingTimer(): Timer {
  let now = 0;
  return { now: () => now, sleep: async (ms) => { now += ms; } };
}

async function json(url: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
