import type { Request, Response } from 'express';
import { z } from 'zod';
import type { GraphAnswer } from './graph/route.ts';
import { readSkipToken, skipToken } from './odata.ts';
import { durationMs } from './pim/rules.ts';
import { randomFrom, type Random } from './seed/random.ts';

const Effect = z.enum(['before', 'after']);

/** What goes wrong. `effect` says whether the call had done its work by then. */
const Fault = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'), status: z.int().min(200).max(599), code: z.string().optional(), message: z.string().optional(), effect: Effect.default('before'),
    /** Seconds, or a date; absent: the header is not there. */
    retryAfter: z.union([z.int().min(0), z.string()]).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    /** The body as it stands, JSON or not, in place of the error envelope. */
    body: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('reset'), effect: Effect }),
  /** No answer ever comes; the connection stays open until the client gives up. */
  z.strictObject({ kind: z.literal('timeout'), effect: Effect }),
  z.strictObject({ kind: z.literal('slow'), bytesPerSecond: z.int().min(1) }),
  /** The body ends in its middle, though its length was announced. */
  z.strictObject({ kind: z.literal('truncate') }),
  /** 200 with half of the page, then an error object. */
  z.strictObject({ kind: z.literal('splice') }),
  /** The page's link leads to the same page once more. */
  z.strictObject({ kind: z.literal('repeatPage') }),
  /** The page's link leads past the next page. */
  z.strictObject({ kind: z.literal('dropPage') }),
  z.strictObject({ kind: z.literal('shufflePages') }),
  /** Every other item is not shown yet: the same question asked again has them. */
  z.strictObject({ kind: z.literal('lateEvents') }),
  z.strictObject({ kind: z.literal('sameIdOtherContent') }),
  z.strictObject({ kind: z.literal('expireNextLink') }),
  z.strictObject({ kind: z.literal('emptyPageWithNext') }),
  /** Status words that no documentation names. */
  z.strictObject({ kind: z.literal('unknownEnum') }),
  z.strictObject({ kind: z.literal('nullForObject') }),
]);
type Fault = z.infer<typeof Fault>;

const FaultRule = z.strictObject({
  match: z.strictObject({
    method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']).optional(),
    /** Glob over version and path, decoded and without query, such as `**\/assignmentScheduleRequests`: `*` within a segment, `**` across. */
    path: z.string().default('**'),
    /** Only the n-th of the calls that match otherwise, from 1. */
    nth: z.int().min(1).optional(),
  }),
  /** How often; `null`: until the rules are replaced. */
  times: z.int().min(1).nullable().default(1),
  /** From the first call that it hits no longer than this, by the tenant's clock; an ISO 8601 duration such as `PT30S`. Together with `times: null`. */
  lasting: z.string().refine((text) => (durationMs(text) ?? 0) > 0).optional(),
  probability: z.number().min(0).max(1).default(1),
  /** Of the chances; the same seed and calls, the same faults. */
  seed: z.string().default('faults'),
  fault: Fault,
});
type FaultRule = z.infer<typeof FaultRule>;

/** Rules, of which the first that is due applies; or a mix by its name. */
export const FaultWish = z.union([
  z.array(FaultRule),
  z.strictObject({ preset: z.literal('dev-proxy'), rate: z.number().min(0).max(1), seed: z.string().default('dev-proxy') }),
]);
export type FaultWish = z.infer<typeof FaultWish>;

/** The errors that Microsoft's Dev Proxy mixes for Graph; each carries Retry-After 5. */
const DEV_PROXY = [
  [429, 'TooManyRequests', 'Too many requests'], [500, 'InternalServerError', 'Internal Server Error'], [502, 'BadGateway', 'Bad Gateway'],
  [503, 'ServiceUnavailable', 'Service Unavailable'], [504, 'GatewayTimeout', 'Gateway Timeout'], [507, 'InsufficientStorage', 'Insufficient Storage'],
] as const;

export type Faults = ReturnType<typeof createFaults>;

export function createFaults(now: () => Date) {
  let rules: { rule: FaultRule; pattern: RegExp; random: Random; left: number; seen: number; over?: number }[] = [];
  let mix: { rate: number; random: Random } | undefined;
  return {
    replace(wish: FaultWish): void {
      mix = Array.isArray(wish) ? undefined : { rate: wish.rate, random: randomFrom(wish.seed) };
      rules = (Array.isArray(wish) ? wish : []).map((rule) => ({ rule, pattern: globOf(rule.match.path), random: randomFrom(rule.seed), left: rule.times ?? Number.POSITIVE_INFINITY, seen: 0 }));
    },
    /** The fault of this call, if one is due; using it up. */
    next(method: string, path: string): Fault | undefined {
      // As in Dev Proxy, it is the calls within a batch that fail, and not the batch.
      if (mix !== undefined && !path.endsWith('/$batch') && mix.random.chance(mix.rate)) {
        const [status, code, message] = mix.random.pick(DEV_PROXY);
        return { kind: 'status', status, code, message, retryAfter: 5, effect: 'before' };
      }
      for (const one of rules) {
        const { match, probability, fault } = one.rule;
        if ((match.method !== undefined && match.method !== method) || !one.pattern.test(path)) continue;
        one.seen += 1;
        if (one.over !== undefined && now().getTime() >= one.over) continue;
        if (one.left <= 0 || (match.nth !== undefined && match.nth !== one.seen) || !one.random.chance(probability)) continue;
        one.left -= 1;
        if (one.rule.lasting !== undefined) one.over ??= now().getTime() + (durationMs(one.rule.lasting) ?? 0);
        return fault;
      }
      return undefined;
    },
  };
}

function globOf(glob: string): RegExp {
  const pattern = glob.split(/(\*\*?)/).map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))).join('');
  return new RegExp(`^${pattern}$`);
}

interface Served {
  readonly req: Request;
  readonly res: Response;
  /** Lets the tenant do the work. */
  serve(): Promise<GraphAnswer>;
  /** Sends what the tenant answered. */
  send(answer: GraphAnswer): void;
  /** Writes down what the caller saw, status 0 where nothing came; and of what the tenant did, if it did it. */
  record(status: number, answer: unknown, served?: GraphAnswer): void;
}

/** The connection is gone, or nothing will ever come over it: the fault of one call of a batch is that of them all. */
export class ConnectionLost extends Error {
  readonly kind: 'reset' | 'timeout';
  /** What the tenant did in the call that was hit. */
  readonly served: GraphAnswer | undefined;

  constructor(kind: 'reset' | 'timeout', served: GraphAnswer | undefined) {
    super(`The connection of the batch is lost (${kind}).`);
    this.kind = kind;
    this.served = served;
  }
}

/** Serves one call with its fault. */
export async function serveWith(fault: Fault | undefined, { req, res, serve, send, record }: Served): Promise<void> {
  if (!fault) {
    const answer = await serve();
    record(answer.status, answer.body, answer);
    return send(answer);
  }
  switch (fault.kind) {
    case 'status': {
      const served = fault.effect === 'after' ? await serve() : undefined;
      const text = fault.body ?? JSON.stringify({ error: { code: fault.code ?? 'UnknownError', message: fault.message ?? 'A fault that was asked for.', innerError: {} } });
      record(fault.status, parsed(text), served);
      return void res.status(fault.status).set({ ...(fault.retryAfter !== undefined && { 'Retry-After': String(fault.retryAfter) }), ...fault.headers }).type('json').send(text);
    }
    case 'reset':
      record(0, null, fault.effect === 'after' ? await serve() : undefined);
      return void req.socket.destroy();
    case 'timeout':
      return record(0, null, fault.effect === 'after' ? await serve() : undefined);
    case 'slow': {
      const answer = await serve();
      record(answer.status, answer.body, answer);
      return drip(res, answer, fault.bytesPerSecond);
    }
    case 'truncate': {
      const answer = await serve();
      record(answer.status, answer.body, answer);
      const body = Buffer.from(JSON.stringify(answer.body ?? null));
      res.writeHead(answer.status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
      return void res.write(body.subarray(0, Math.floor(body.length / 2)), () => { req.socket.destroy(); });
    }
    case 'expireNextLink':
      if (!req.originalUrl.includes('skiptoken')) break;
      record(400, null);
      return send({ status: 400, body: { error: { code: 'Directory_ExpiredPageToken', message: 'The specified page token value has expired and can no longer be included in your request.', innerError: {} } } });
    default:
  }
  const answer = spoiled(fault.kind, await serve(), req);
  record(answer.status, answer.body, answer);
  send(answer);
}

/**
 * The same for a call within a batch, whose connection is not its own. Where its fault cuts the connection, or leaves it without an
 * answer, that is the end of the batch: what stands before the call is done, the call itself as its fault says, and the rest is not.
 */
export async function serveInBatch(fault: Fault | undefined, req: Request, serve: () => Promise<GraphAnswer>): Promise<GraphAnswer> {
  if (!fault) return serve();
  switch (fault.kind) {
    case 'status': {
      const served = fault.effect === 'after' ? await serve() : undefined;
      return {
        ...(served?.effect !== undefined && { effect: served.effect }),
        status: fault.status, headers: { ...(fault.retryAfter !== undefined && { 'Retry-After': String(fault.retryAfter) }), ...fault.headers },
        body: fault.body === undefined ? { error: { code: fault.code ?? 'UnknownError', message: fault.message ?? 'A fault that was asked for.', innerError: {} } } : parsed(fault.body),
      };
    }
    case 'reset':
    case 'timeout':
      throw new ConnectionLost(fault.kind, fault.effect === 'after' ? await serve() : undefined);
    case 'slow':
    case 'truncate':
    case 'expireNextLink':
      return serve();
    default:
      return spoiled(fault.kind, await serve(), req);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The body a second's worth at a time. */
function drip(res: Response, answer: GraphAnswer, bytesPerSecond: number): void {
  const body = Buffer.from(JSON.stringify(answer.body ?? null));
  res.status(answer.status).type('json');
  let at = 0;
  const timer = setInterval(() => {
    res.write(body.subarray(at, at + bytesPerSecond));
    at += bytesPerSecond;
    if (at < body.length) return;
    clearInterval(timer);
    res.end();
  }, 1_000);
  res.once('close', () => { clearInterval(timer); });
}

const NEXT = '@odata.nextLink';
type Body = Record<string, unknown>;

/** The answer with something wrong in it; one that has no such part (no page, no link) stays as it is. */
function spoiled(kind: Fault['kind'], answer: GraphAnswer, req: Request): GraphAnswer {
  if (answer.status >= 300 || typeof answer.body !== 'object' || answer.body === null) return answer;
  const body = answer.body as Body;
  const items = Array.isArray(body['value']) ? body['value'] as Body[] : undefined;
  const next = typeof body[NEXT] === 'string' ? body[NEXT] : undefined;
  const here = `http://${req.headers.host ?? ''}${req.originalUrl}`;
  const withBody = (change: Body): GraphAnswer => ({ ...answer, body: { ...body, ...change } });
  switch (kind) {
    case 'splice': {
      const { [NEXT]: _link, ...rest } = body;
      return items ? { ...answer, body: { ...rest, value: items.slice(0, Math.ceil(items.length / 2)), error: { code: 'UnknownError', message: 'The service failed in the middle of the page.', innerError: {} } } } : answer;
    }
    case 'repeatPage': return items ? withBody({ [NEXT]: here }) : answer;
    case 'dropPage': return next === undefined ? answer : withBody({ [NEXT]: past(next, items?.length ?? 0) });
    case 'shufflePages': return items ? withBody({ value: items.toReversed() }) : answer;
    case 'lateEvents': return items ? withBody({ value: items.filter((_item, index) => index % 2 === 0) }) : answer;
    case 'sameIdOtherContent': return items?.[0] ? withBody({ value: [...items, { ...items[0], ...changedText(items[0]) }] }) : answer;
    case 'emptyPageWithNext': return items ? withBody({ value: [], [NEXT]: here }) : answer;
    case 'unknownEnum': return { ...answer, body: strange(body) };
    case 'nullForObject': return items ? withBody({ value: [null, ...items] }) : { ...answer, body: null };
    default: return answer;
  }
}

/** A link that passes over as many items as the page had: its token counts items. */
function past(link: string, count: number): string {
  const url = new URL(link);
  const token = readSkipToken(url.searchParams.get('$skiptoken') ?? '');
  if (token) url.searchParams.set('$skiptoken', skipToken(token.skip + count, token.issuedAt));
  return url.href;
}

/** The first text that is no id, with something added. */
function changedText(item: Body): Body {
  const [name, value] = Object.entries(item).find(([key, one]) => typeof one === 'string' && !/id$|DateTime$/i.test(key)) ?? [];
  return name === undefined ? {} : { [name]: `${String(value)} (again)` };
}

const ENUMS = new Set(['status', 'reviewResult', 'memberType', 'assignmentType', 'result', 'onboardingStatus', 'state']);
function strange(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strange);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, ENUMS.has(key) && typeof one === 'string' ? 'unknownFutureValue' : strange(one)]));
}
