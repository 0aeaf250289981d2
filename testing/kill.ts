import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAYA, startPortal, type JournalEntry, type TestPortal } from '../apps/api/src/testing.ts';
import { begin, configurationOf, definitionOf, isBatch, isWrite, signInMaya, toItsRest } from './setup-runs.ts';

/**
 * A run whose portal is killed in the middle, and another portal that continues it. Of the killed one nothing reaches
 * Graph or its answers any more, and its connection that held the run's lock is gone: what kill -9 leaves of a process.
 */

/** What is set up here. */
export const WISH = { name: 'Ledger-Clerk-SecureAccess', people: 2, applications: 'of every kind' } as const;

/** Each write of the run that is played here, by what its address ends in, and which of them. */
export const WRITES = {
  'create group': { method: 'PATCH', path: '**/groups(*)', nth: 1 },
  'onboard, role settings': { method: 'PATCH', path: '**/roleManagementPolicies/*', nth: 1 },
  'require assignment': { method: 'PATCH', path: '**/servicePrincipals/*', nth: 1 },
  'first eligible': { method: 'POST', path: '**/eligibilityScheduleRequests', nth: 1 },
  'second eligible': { method: 'POST', path: '**/eligibilityScheduleRequests', nth: 2 },
  'create application': { method: 'POST', path: '**/instantiate', nth: 1 },
  'publish application': { method: 'PATCH', path: '/beta/applications/*', nth: 1 },
  'connector group': { method: 'PUT', path: '**/connectorGroup/$ref', nth: 1 },
  'destination': { method: 'POST', path: '**/applicationSegments', nth: 1 },
  'first assignment': { method: 'POST', path: '**/appRoleAssignedTo', nth: 1 },
  'second assignment': { method: 'POST', path: '**/appRoleAssignedTo', nth: 2 },
} as const;
export type WriteName = keyof typeof WRITES;
export interface Write { readonly method: string; readonly path: string; readonly nth: number }

/** What happens to the write the first time it is tried. */
export const FAULTS = {
  'ok': undefined,
  '429': { kind: 'status', status: 429, retryAfter: 1 },
  '503': { kind: 'status', status: 503 },
  '504 after commit': { kind: 'status', status: 504, effect: 'after' },
  'timeout after commit': { kind: 'timeout', effect: 'after' },
  'reset': { kind: 'reset', effect: 'after' },
  'unknown subject for 30 s': { kind: 'status', status: 404, code: 'Request_ResourceNotFound' },
} as const;
export type FaultName = keyof typeof FAULTS;

/** The portal is killed before the exchange that carries the write leaves it, when its answer has been made, or before the one after. */
export const MOMENTS = ['before', 'after', 'later'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface KilledRun {
  readonly configuration: readonly string[];
  /** Writes that changed the tenant. */
  readonly effective: number;
  /** Whether the portal was killed before its run was over. */
  readonly killed: boolean;
}

/** The way of a portal to its tenant. Once it is closed, the portal reaches nothing more and hears of nothing. */
export interface Gate {
  readonly through: (emulatorUrl: string) => Promise<string>;
  arm(write: Write, moment: Moment): void;
  readonly closed: Promise<void>;
  stop(): void;
}

export function gate(): Gate {
  const closed = Promise.withResolvers<void>();
  let armed: { readonly write: Write; readonly moment: Moment } | undefined;
  let seen = 0;
  let passed = false;
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    closed.resolve();
  };
  const carries = (req: IncomingMessage, body: string): boolean => {
    if (!armed) return false;
    const { method, path, nth } = armed.write;
    const ending = path.replace(/^.*\*\*|\*.*$|^\/beta/g, '').replace('(*)', '(');
    const calls = (req.url ?? '').endsWith('$batch') ? (JSON.parse(body) as { requests: { method: string; url: string }[] }).requests : [{ method: req.method ?? '', url: (req.url ?? '').replace(/^\/(v1\.0|beta)/, '') }];
    const isIt = calls.filter((call) => call.method === method && call.url.includes(ending) && !call.url.includes('/members')).length;
    const before = seen;
    seen += isIt;
    return isIt > 0 && before < nth && seen >= nth;
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const isGraph = /^\/(v1\.0|beta)\//.test(req.url ?? '');
      const isIt = isGraph && carries(req, body);
      if (isGraph && passed) close();
      if (isIt && armed?.moment === 'before') close();
      if (isIt && armed?.moment === 'later') passed = true;
      // Nobody is there to send it, or to hear the answer.
      if (isClosed) return;
      forward(req, body, res, () => {
        if (isIt && armed?.moment === 'after') close();
        return !isClosed;
      });
    });
  });
  let upstream = 0;
  const forward = (req: IncomingMessage, body: string, res: ServerResponse, mayAnswer: () => boolean): void => {
    const out = send({ host: '127.0.0.1', port: upstream, method: req.method, path: req.url, headers: req.headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        if (!mayAnswer()) return;
        // Links to next pages lead here, where the portal has the tenant.
        const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        const text = Buffer.concat(chunks).toString().replaceAll(/(?<="@odata\.nextLink":")http:\/\/127\.0\.0\.1:\d+\//g, here);
        const { 'content-length': _length, ...headers } = answer.headers;
        res.writeHead(answer.statusCode ?? 502, headers).end(text);
      });
    });
    // What breaks behind breaks in front.
    out.on('error', () => { if (mayAnswer()) req.socket.destroy(); });
    out.end(body);
  };
  return {
    closed: closed.promise,
    through: async (emulatorUrl) => {
      upstream = Number(new URL(emulatorUrl).port);
      await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    arm(write, moment) {
      armed = { write, moment };
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What kill -9 does to the locks of a portal: they go with their connections. */
export async function cutLocks(portal: TestPortal): Promise<void> {
  await portal.db.owner.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()`);
}

/** Plays a setup with everything in it, killed at the moment while the write has the fault; without one, undisturbed. */
export async function playKilled(cut: { readonly write: WriteName; readonly fault: FaultName; readonly moment: Moment } | undefined, templateUrl?: string): Promise<KilledRun> {
  const way = gate();
  using _way = { [Symbol.dispose]: () => { way.stop(); } };
  await using portal = await startPortal({ timePasses: true, graphTimeoutMs: 250, through: way.through, templateUrl });
  const maya = await signInMaya(portal);
  const rescuer = await portal.onReplica(MAYA);
  const definition = await definitionOf(portal, maya, WISH);
  await portal.emulator.clearJournal();
  const begun = await begin({ ...maya, post: async (...args) => {
    if (cut && !String(args[0]).endsWith('plans')) {
      const fault = FAULTS[cut.fault];
      if (fault) await portal.emulator.faults([{ match: WRITES[cut.write], times: cut.fault.startsWith('unknown') ? 3 : 1, fault }]);
      // Where no answer ever comes, after it is before the next exchange.
      way.arm(WRITES[cut.write], cut.moment === 'after' && cut.fault.startsWith('timeout') ? 'later' : cut.moment);
    }
    return maya.post(...args);
  } }, definition);

  const over = portal.settle().then(() => false);
  const killed = await Promise.race([way.closed.then(() => true), over]);
  if (killed) await cutLocks(portal);
  for (let tries = 0; ; tries += 1) {
    const run = await toItsRest(portal, rescuer, begun.id);
    if (run.status === 'succeeded') break;
    if (tries === 10) throw new Error(`${run.status} after ${tries} continuations: ${JSON.stringify(run.steps.filter(({ status }) => status === 'failed').map(({ detail }) => detail))}`);
    const continued = await rescuer.post(`/api/runs/${begun.id}/continue`, {});
    if (continued.status !== 202) throw new Error(`not continued: ${JSON.stringify(continued.body)}`);
  }
  await portal.emulator.faults([]);
  return { configuration: await configurationOf(portal), effective: effectiveIn(await portal.emulator.journal()), killed };
}

/** Plays the same setup while one write fails for good, with or without its effect, until the run has failed; then it is continued. */
export async function playFailing(write: WriteName, effect: 'before' | 'after'): Promise<KilledRun & { readonly failed: readonly string[] }> {
  await using portal = await startPortal({ timePasses: true });
  const maya = await signInMaya(portal);
  const definition = await definitionOf(portal, maya, WISH);
  await portal.emulator.clearJournal();
  const { nth: _any, ...match } = WRITES[write];
  await portal.emulator.faults([{ match, times: null, fault: { kind: 'status', status: 503, effect } }]);
  const begun = await begin(maya, definition);
  const failed = await toItsRest(portal, maya, begun.id);
  await portal.emulator.faults([]);
  // Where the work was found done in spite of its answers nothing failed.
  if (failed.status !== 'succeeded') {
    const continued = await maya.post(`/api/runs/${begun.id}/continue`, {});
    if (continued.status !== 202) throw new Error(`not continued: ${JSON.stringify(continued.body)}`);
  }
  const run = await toItsRest(portal, maya, begun.id);
  if (run.status !== 'succeeded') throw new Error(JSON.stringify(run.steps));
  return {
    configuration: await configurationOf(portal), effective: effectiveIn(await portal.emulator.journal()), killed: false,
    failed: failed.steps.filter(({ status }) => status === 'failed').map(({ detail }) => detail ?? ''),
  };
}

/** Writes that changed the tenant. */
export function effectiveIn(journal: readonly JournalEntry[]): number {
  return journal.filter((entry) => isWrite(entry) && !isBatch(entry) && entry.effect === true).length;
}
