import { Client, ResponseType } from '@microsoft/microsoft-graph-client';
import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';
import type { Allowance } from './allowance.ts';
import { addressOf, headersOf, isLost, isRead, isRepeatable, type Answer, type Call, type Outcome } from './call.ts';
import type { Connection } from './connection.ts';
import { GraphError } from './errors.ts';
import { failureOf, retryAfterMs } from './failures.ts';
import type { Action, GatewayOptions } from './ports.ts';
import type { RetryBudget } from './retry-budget.ts';
import { collecting } from './turn.ts';

/** The one way to Graph, for one action. Throws `GraphError` and nothing else. */
export interface Transport {
  /**
   * The same way, but reads that are asked for in one turn of the event loop travel together, in one round trip for every
   * twenty. Each is judged, and repeated, by itself. Lists go on singly from their second page on.
   */
  readonly together: Transport;
  /**
   * The same way, but writes that are asked for in one turn are done one after the other in that order, in one round trip
   * for every twenty. Each is judged, and repeated, by itself; the first that fails for good is the last that was tried, and
   * those behind it fail as never sent.
   */
  readonly inOrder: Transport;
  readonly baseUrl: string;
  readonly clock: GatewayOptions['clock'];
  /** Sends; an answer with a body that is not JSON is none of Graph's. */
  send(call: Call): Promise<Answer>;
  /** The same, whatever the body is: for a reader who keeps what is not JSON too. */
  fetch(call: Call): Promise<Answer>;
  /** Goes on with a list at a link that Graph gave. */
  follow(link: string, call: Call): Promise<Answer>;
  /** Sends and reads the answer's body. */
  read<S extends z.ZodType>(call: Call, shape: S): Promise<z.output<S>>;
  /** The same, `undefined` where Graph says that there is none. */
  find<S extends z.ZodType>(call: Call, shape: S): Promise<z.output<S> | undefined>;
  /**
   * Sends a write that must not be done twice. Where an answer was lost, `took` looks whether the work was done all the
   * same: what it finds is the answer, and only where it finds nothing, so many `looks` in a row (one unless said), is the
   * write sent again.
   */
  write<T>(call: Call, parseAnswer: (answer: Answer) => T, took: () => Promise<T | undefined>, looks?: number): Promise<T>;
  /** All pages of a list. */
  list<S extends z.ZodType>(call: Call, item: S): Promise<z.output<S>[]>;
  /** The pages of a list one by one, for a reader who may stop early. */
  pages<S extends z.ZodType>(call: Call, item: S): AsyncGenerator<z.output<S>[]>;
  parse<S extends z.ZodType>(call: Call, answer: Answer, shape: S): z.output<S>;
}

/** What all actions of a tenant share. */
export interface Shared {
  readonly options: GatewayOptions;
  readonly allowance: Allowance;
  readonly budget: RetryBudget;
  readonly connection: Connection;
}

/** Silence costs a whole time-out: it is listened to twice, and nobody waits for a third. */
const MAX_SILENT_ATTEMPTS = 2;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 8_000;
/** Calls in one `$batch` (D concepts/json-batching.md). */
const BATCH_SIZE = 20;

/** A call on its way through the middleware. The client keys a request's options by class. */
class Journey {
  readonly call: Call;
  /** Graph's own link, sent as it is; the client would take it apart and put it together in another order. */
  readonly link: string | undefined;
  readonly deadline: number;
  readonly took: (() => Promise<unknown>) | undefined;
  readonly looks: number;
  outcome: Outcome = { kind: 'unsent', error: new GraphError('unexpected', 'the call was not sent') };
  attempt = 0;
  clientRequestId = '';
  firstRequestId: string;
  afterLostAnswer = false;
  /** What `took` found. */
  found: unknown = undefined;

  /** How the attempt within a batch ended, which stands for the first one; taken once. */
  inBatch: Outcome | undefined;

  constructor(call: Call, { link, deadline, took, looks = 1, batch }: Way & { readonly deadline: number }) {
    this.call = call;
    this.link = link;
    this.deadline = deadline;
    this.took = took;
    this.looks = looks;
    this.firstRequestId = batch?.clientRequestId ?? '';
    this.inBatch = batch?.outcome;
  }
}

interface Way {
  readonly link?: string;
  readonly took?: () => Promise<unknown>;
  readonly looks?: number | undefined;
  /** The call was in a batch of this client request id, and this is what became of it there, if it was tried. */
  readonly batch?: { readonly clientRequestId: string; readonly outcome: Outcome | undefined };
}

/** Where a call came to: an answer, or, of a write whose answer was lost, what was found of its work. */
type Arrival = { readonly answer: Answer } | { readonly found: unknown };

/** A call that waits for its turn. */
interface Asked {
  readonly call: Call;
  readonly way: Way;
  readonly arrived: PromiseWithResolvers<Arrival>;
}

type Pace = 'singly' | 'together' | 'in order';

/** When a call of the action that begins now must be over: the action has one time for all its calls, or each call its own. */
function deadlines({ options: { timer } }: Shared, { patience }: Action): () => number {
  let endsAt: number | undefined;
  return () => {
    const fromNow = timer.now() + patience.ms;
    return patience.of === 'call' ? fromNow : (endsAt ??= fromNow);
  };
}

/** The transport over the official client, with a chain of our own: its handlers repeat POSTs and give tokens to https hosts alone. */
export function createTransport(shared: Shared, action: Action, pace: Pace = 'singly', deadlineOf = deadlines(shared, action)): Transport {
  const { options: { baseUrl, clock, onUnreadable }, allowance } = shared;
  const origin = new URL(baseUrl).origin;
  const client = Client.initWithMiddleware({
    baseUrl,
    middleware: [repeating(shared, action), recorded(shared), authorised(action, origin), sending(shared)],
  });
  let together: Transport | undefined;
  let inOrder: Transport | undefined;

  const send = async (call: Call, way: Way = {}): Promise<Journey> => {
    const journey = new Journey(call, { ...way, deadline: deadlineOf() });
    const request = client.api(addressOf(call)).version(call.version).responseType(ResponseType.RAW).headers(headersOf(call)).middlewareOptions([journey]);
    try {
      if (call.method === 'GET') await request.get();
      else if (call.method === 'POST') await request.post(call.body);
      else if (call.method === 'PATCH') await request.patch(call.body);
      else if (call.method === 'PUT') await request.put(call.body);
      else await request.delete();
    } catch (error) {
      // The chain throws nothing: what arrives here is the client's own, such as a body that JSON cannot hold.
      throw new GraphError('unexpected', `${call.method} ${call.path} could not be sent`, { cause: error });
    }
    return journey;
  };
  const arrival = (journey: Journey): Arrival => (journey.found !== undefined ? { found: journey.found } : { answer: settle(journey) });
  const singly = async (call: Call, way?: Way): Promise<Arrival> => arrival(await send(call, way));

  /** One round trip for up to twenty calls; answers what became of each, and nothing of one that was not tried. */
  const sendBatch = async (calls: readonly Call[], shape: 'parallel' | 'sequential') => {
    for (const call of calls) await allowance.admit(call, action.priority, deadlineOf());
    const envelope: Call = {
      method: 'POST', version: calls[0]?.version ?? 'v1.0', path: '/$batch', absolute: calls.every(isRepeatable),
      body: {
        requests: calls.map((call, index) => ({
          id: String(index), method: call.method, url: addressOf(call),
          headers: { ...headersOf(call), ...(call.body !== undefined && { 'Content-Type': 'application/json' }) },
          ...(call.body !== undefined && { body: call.body }),
          ...(shape === 'sequential' && index > 0 && { dependsOn: [String(index - 1)] }),
        })),
      },
    };
    const journey = await send(envelope);
    const { outcome: whole, clientRequestId } = journey;
    // With the envelope's answer those of all its writes are lost: each looks for its own work.
    if (isLost(whole) && !isRepeatable(envelope)) return calls.map(() => ({ clientRequestId, outcome: whole }));
    const { responses } = parse(envelope, settle(journey), BatchAnswer);
    return calls.map((_call, index) => {
      // They come in any order, and one may be missing.
      const one = responses.find(({ id }) => id === String(index));
      const outcome: Outcome | undefined = one && one.status !== 424
        ? received(one.status, new Headers(one.headers ?? {}), one.body === undefined || one.body === null ? '' : JSON.stringify(one.body))
        : undefined;
      return { clientRequestId, outcome };
    });
  };

  /** What a batch says of a call is believed where it is for good; else the call goes on by itself. */
  const judge = async ({ call, way }: Asked, batch: NonNullable<Way['batch']>): Promise<Arrival> => {
    const { outcome, clientRequestId } = batch;
    const forGood = outcome?.kind === 'answered' && outcome.status !== 429 && !isLost(outcome);
    return forGood ? { answer: settle({ call, outcome, clientRequestId, afterLostAnswer: false }) } : singly(call, { ...way, batch });
  };

  const deliverTogether = async (asked: readonly Asked[]): Promise<void> => {
    for (const version of ['v1.0', 'beta'] as const) {
      const calls = asked.filter(({ call }) => call.version === version);
      for (let start = 0; start < calls.length; start += BATCH_SIZE) {
        const some = calls.slice(start, start + BATCH_SIZE);
        const [only] = some;
        const batch = some.length === 1 ? undefined : await sendBatch(some.map(({ call }) => call), 'parallel').catch((error: unknown) => fail(some, error));
        if (some.length === 1 && only) await singly(only.call, only.way).then(only.arrived.resolve, only.arrived.reject);
        else await Promise.all(some.map(async (one, index) => batch?.[index] && judge(one, batch[index]).then(one.arrived.resolve, one.arrived.reject)));
      }
    }
  };

  const deliverInOrder = async (asked: readonly Asked[]): Promise<void> => {
    let rest = asked;
    while (rest.length > 0) {
      const version = rest[0]?.call.version;
      const end = rest.findIndex(({ call }, index) => index === BATCH_SIZE || call.version !== version);
      const some = end < 0 ? rest : rest.slice(0, end);
      const batch = some.length === 1 ? [{ clientRequestId: '', outcome: undefined }] : await sendBatch(some.map(({ call }) => call), 'sequential');
      let done = 0;
      for (const [index, one] of some.entries()) {
        const here = batch[index];
        // Behind one that had to be repeated nothing was tried: the rest begins anew, together.
        if (!here || (here.outcome === undefined && index > 0)) break;
        try {
          one.arrived.resolve(await judge(one, here));
        } catch (error) {
          one.arrived.reject(error);
          return fail(rest.slice(index + 1), new GraphError('unavailable', `${one.call.method} ${one.call.path} failed, and this was to come after it`, { sent: false, cause: error }));
        }
        done = index + 1;
      }
      rest = rest.slice(done);
    }
  };

  const fail = (asked: readonly Asked[], error: unknown): undefined => {
    for (const one of asked) one.arrived.reject(error);
    return undefined;
  };

  const wait = pace === 'singly' ? undefined : collecting<Asked>((asked) => {
    (pace === 'together' ? deliverTogether(asked) : deliverInOrder(asked)).catch((error: unknown) => fail(asked, error));
  });
  const travel = (call: Call, way: Way = {}): Promise<Arrival> => {
    if (!wait || way.link !== undefined || isRead(call) !== (pace === 'together')) return singly(call, way);
    const arrived = Promise.withResolvers<Arrival>();
    wait({ call, way, arrived });
    return arrived.promise;
  };
  const run = async (call: Call, way?: Way): Promise<Answer> => {
    const arrived = await travel(call, way);
    if (!('answer' in arrived)) throw new Error('only a write is looked for');
    return arrived.answer;
  };

  /** Reads a body by its shape. Graph promised it; another one is not the person's mistake and not the portal's to guess at. */
  const parse = <S extends z.ZodType>(call: Call, { text, status, requestId }: Answer, shape: S): z.output<S> => {
    const fail = (why: string, cause: unknown): GraphError => {
      onUnreadable?.({ method: call.method, path: `/${call.version}${call.path}`, status, requestId, body: text });
      return new GraphError('unexpected', `${call.method} ${call.path}: ${why}`, { status, requestId, cause });
    };
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (error) {
      throw fail('the answer is not JSON', error);
    }
    const parsed = shape.safeParse(body);
    if (!parsed.success) throw fail(`the answer has another shape: ${z.prettifyError(parsed.error)}`, parsed.error);
    return parsed.data;
  };

  async function* pages<S extends z.ZodType>(call: Call, item: S, first?: Answer): AsyncGenerator<z.output<S>[]> {
    const shape = z.object({ value: z.array(item), '@odata.nextLink': z.string().nullish() });
    const seen = new Set<string>();
    let answer = first ?? await run(call);
    for (;;) {
      const page = parse(call, answer, shape);
      yield page.value;
      const link = page['@odata.nextLink'];
      if (!link) return;
      if (seen.has(link)) throw new GraphError('unexpected', `GET ${call.path}: the pages go in a circle`);
      seen.add(link);
      answer = await run(call, { link });
    }
  }

  const read = async <S extends z.ZodType>(call: Call, shape: S): Promise<z.output<S>> => parse(call, await run(call), shape);

  return {
    get together() {
      return (together ??= createTransport(shared, action, 'together', deadlineOf));
    },
    get inOrder() {
      return (inOrder ??= createTransport(shared, action, 'in order', deadlineOf));
    },
    baseUrl: baseUrl.replace(/\/+$/, ''),
    clock,
    parse,
    async send(call) {
      const answer = await run(call);
      // What stands between us and Graph may answer 200 with a page of its own: that is nobody's word that it is done.
      if (answer.text !== '') parse(call, answer, z.unknown());
      return answer;
    },
    fetch: (call) => run(call),
    follow: (link, call) => run(call, { link }),
    read,
    async find(call, shape) {
      try {
        return await read(call, shape);
      } catch (error) {
        if (error instanceof GraphError && error.failure === 'not-found') return undefined;
        throw error;
      }
    },
    async write<T>(call: Call, parseAnswer: (answer: Answer) => T, took: () => Promise<T | undefined>, looks?: number): Promise<T> {
      const arrived = await travel(call, { took, looks });
      // What was found is what `took` answered, and nothing else writes it.
      if ('found' in arrived) return arrived.found as T;
      const { answer } = arrived;
      try {
        if (answer.text !== '') parse(call, answer, z.unknown());
        return parseAnswer(answer);
      } catch (error) {
        // A 2xx that cannot be read is nobody's word that it is done, nor that it is not.
        const found = await took().catch(() => undefined);
        if (found === undefined) throw error;
        return found;
      }
    },
    list: (call, item) => whole(pages(call, item)),
    pages: (call, item) => pages(call, item),
  };
}

/** Does away with something; that it is gone already is as good. */
export async function remove(transport: Transport, call: Call): Promise<void> {
  try {
    await transport.send(call);
  } catch (error) {
    if (!(error instanceof GraphError && (error.failure === 'not-found' || (error.failure === 'unavailable' && isNotFound(error.details.cause))))) throw error;
  }
}

const isNotFound = (cause: unknown): boolean => cause instanceof GraphError && cause.failure === 'not-found';

/** The value, or what was thrown. */
export function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

async function whole<T>(pages: AsyncGenerator<T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

const BatchAnswer = z.object({
  responses: z.array(z.object({ id: z.string(), status: z.int(), headers: z.record(z.string(), z.string()).nullish(), body: z.unknown().optional() })),
});

function settle({ call, outcome, clientRequestId, afterLostAnswer }: Pick<Journey, 'call' | 'outcome' | 'clientRequestId' | 'afterLostAnswer'>): Answer {
  if (outcome.kind === 'unsent') throw outcome.error;
  if (outcome.kind === 'lost') {
    throw new GraphError('unavailable', `${call.method} ${call.path}: ${outcome.why}`, { cause: outcome.cause });
  }
  if (outcome.status >= 200 && outcome.status < 300) return { status: outcome.status, text: outcome.text, requestId: outcome.headers.get('request-id') ?? undefined, date: outcome.headers.get('date') ?? undefined, clientRequestId, afterLostAnswer };

  const error = failureOf({ method: call.method, path: call.path, status: outcome.status, headers: outcome.headers, text: outcome.text });
  if (afterLostAnswer && call.method !== 'GET' && (error.failure === 'not-found' || error.failure === 'conflict')) {
    // The lost attempt may have been the one that decided, or that gave the policy a new id. What holds now must be read.
    throw new GraphError('unavailable', `${error.message} (after an attempt without answer)`, { ...error.details, cause: error });
  }
  throw error;
}

/** One link of the client's chain. */
function link(run: (journey: Journey, context: Context, next: () => Promise<void>) => Promise<void>): Middleware {
  let following: Middleware | undefined;
  return {
    setNext(next) {
      following = next;
    },
    async execute(context) {
      const journey: unknown = context.middlewareControl?.getMiddlewareOptions(Journey);
      if (!(journey instanceof Journey)) throw new Error('a request came without its journey');
      await run(journey, context, async () => following?.execute(context));
    },
  };
}

/** Sends until there is an answer, as often and as soon as the call, Graph, the deadline and the budget allow. */
function repeating({ options: { timer, random, signal }, allowance, budget, connection }: Shared, { priority }: Action): Middleware {
  const look = async (journey: Journey): Promise<void> => {
    journey.found = await journey.took?.();
  };

  return link(async (journey, _context, next) => {
    const { call, deadline } = journey;
    budget.deposit();
    for (;;) {
      const { inBatch } = journey;
      if (inBatch) {
        journey.inBatch = undefined;
        journey.outcome = inBatch;
        journey.attempt += 1;
      } else {
        const refused = await allowance.admit(call, priority, deadline).then(() => undefined, (error: unknown) => error);
        if (refused instanceof GraphError) {
          // An earlier attempt, if there was one, says more than that another one does not fit.
          if (journey.attempt === 0) journey.outcome = { kind: 'unsent', error: refused };
          return;
        }
        journey.attempt += 1;
        await next();
      }
      const { outcome } = journey;
      if (outcome.kind === 'answered' && outcome.status === 503) connection.renew();
      if (outcome.kind === 'answered' && outcome.status === 429) allowance.pause(call, retryAfterMs(outcome.headers) ?? 0);

      const mayBeDone = journey.took !== undefined && (isLost(outcome) || (journey.afterLostAnswer && saysDone(journey)));
      if (mayBeDone) {
        if (isLost(outcome)) journey.afterLostAnswer = true;
        for (let looked = 0; looked < (isLost(outcome) ? journey.looks : 1); looked += 1) {
          const wait = waitAfter(outcome, journey.attempt + looked, random);
          if (timer.now() + wait > deadline || !budget.withdraw()) return;
          await timer.sleep(wait);
          if (signal?.aborted === true) return;
          // Not knowing whether it was done, it must not be done again.
          if (await look(journey).then(() => false, () => true)) return;
          if (journey.found !== undefined) return;
        }
        if (!isLost(outcome) || isSilentForGood(journey)) return;
        continue;
      }

      if (!isWorthRepeating(journey)) return;
      if (isLost(outcome)) journey.afterLostAnswer = true;
      const wait = waitAfter(outcome, journey.attempt, random);
      if (timer.now() + wait > deadline || !budget.withdraw()) return;
      await timer.sleep(wait);
      if (signal?.aborted === true) return;
    }
  });
}

/** Whether the answer is what a write gets that was done before. */
function saysDone({ call, outcome }: Journey): boolean {
  if (outcome.kind !== 'answered' || outcome.status < 400) return false;
  const { failure } = failureOf({ method: call.method, path: call.path, ...outcome });
  return failure === 'conflict' || failure === 'not-found';
}

function isWorthRepeating({ call, outcome, attempt }: Journey): boolean {
  if (outcome.kind === 'unsent') return false;
  // Throttled: nothing was done.
  if (outcome.kind === 'answered' && outcome.status === 429) return true;
  return isRepeatable(call) && isLost(outcome) && !isSilentForGood({ outcome, attempt });
}

const isSilentForGood = ({ outcome, attempt }: Pick<Journey, 'outcome' | 'attempt'>): boolean => outcome.kind === 'lost' && outcome.why === 'timeout' && attempt >= MAX_SILENT_ATTEMPTS;

/** As long as Graph asks, and a little more, so that not everybody comes back in the same instant; full jitter where it does not say. */
function waitAfter(outcome: Outcome, attempt: number, random: () => number): number {
  const asked = outcome.kind === 'answered' ? retryAfterMs(outcome.headers) : undefined;
  return asked === undefined ? random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt) : asked + random() * 250;
}

/** Gives each attempt an id of its own and writes it down. */
function recorded({ options: { log } }: Shared): Middleware {
  return link(async (journey, context, next) => {
    const clientRequestId = crypto.randomUUID();
    journey.clientRequestId = clientRequestId;
    journey.firstRequestId ||= clientRequestId;
    headersIn(context).set('client-request-id', clientRequestId);
    if (journey.link !== undefined) context.request = journey.link;
    const started = performance.now();
    await next();
    const { outcome, call, attempt, firstRequestId } = journey;
    log({
      method: call.method,
      path: `/${call.version}${call.path}`,
      attempt,
      durationMs: Math.round(performance.now() - started),
      clientRequestId,
      firstRequestId,
      ...(outcome.kind === 'answered' && { status: outcome.status, requestId: outcome.headers.get('request-id') ?? undefined }),
      failure: failureWord(journey),
    });
  });
}

function failureWord({ call, outcome }: Journey): string | undefined {
  if (outcome.kind === 'lost') return outcome.why;
  if (outcome.kind === 'unsent') return outcome.error.failure;
  if (outcome.status >= 200 && outcome.status < 300) return undefined;
  const { failure, details } = failureOf({ method: call.method, path: call.path, ...outcome });
  return details.code === undefined ? failure : `${failure} (${details.code})`;
}

/** The token goes to the configured origin and nowhere else, whatever a link says. */
function authorised({ token, priority }: Action, origin: string): Middleware {
  return link(async (journey, context, next) => {
    const url = typeof context.request === 'string' ? URL.parse(context.request) : null;
    if (url === null || url.origin !== origin || url.username !== '' || url.password !== '') {
      journey.outcome = { kind: 'unsent', error: new GraphError('unexpected', `${journey.call.path}: the next page is on another host`) };
      return;
    }
    try {
      headersIn(context).set('authorization', `Bearer ${await token()}`);
    } catch (error) {
      journey.outcome = { kind: 'unsent', error: error instanceof GraphError ? error : new GraphError('unexpected', 'no token could be had', { cause: error }) };
      return;
    }
    // What Graph drops first when it must (D concepts/throttling-limits.md).
    headersIn(context).set('x-ms-throttle-priority', priority === 'person' ? 'High' : 'Low');
    await next();
  });
}

/** What may go out. A cookie never does: nothing that a browser sent reaches Graph. */
const SENT_HEADERS = ['authorization', 'client-request-id', 'consistencylevel', 'content-type', 'prefer', 'x-ms-throttle-priority'];

/** One attempt: its time covers the body too, so that a trickling answer ends as well. */
function sending({ options: { timeoutMs, timer }, connection }: Shared): Middleware {
  return link(async (journey, context) => {
    const given = headersIn(context);
    const headers = new Headers({ accept: 'application/json' });
    for (const name of SENT_HEADERS) {
      const value = given.get(name);
      if (value !== null) headers.set(name, value);
    }
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(Math.min(timeoutMs, journey.deadline - timer.now()))));
    try {
      const response = await connection.fetch(String(context.request), {
        method: journey.call.method,
        headers: Object.fromEntries(headers),
        body: typeof context.options?.body === 'string' ? context.options.body : null,
        redirect: 'manual',
        signal,
      });
      const text = await response.text();
      // The client asks for it, though the answer is read from the journey.
      context.response = new Response(null, { status: 204 });
      journey.outcome = received(response.status, new Headers([...response.headers]), text);
    } catch (error) {
      journey.outcome = { kind: 'lost', why: signal.aborted ? 'timeout' : 'network', cause: error };
    }
  });
}

/** What was received, by itself or within a batch. */
function received(status: number, headers: Headers, text: string): Outcome {
  return status >= 200 && status < 300 && breaksOff(text)
    ? { kind: 'lost', why: 'broken off', cause: new Error('the answer has an error in place of its end') }
    : { kind: 'answered', status, headers, text };
}

/**
 * Whether a 2xx has an error object beside what it answers: the service failed when the status was sent already, and the
 * page is not whole. The text is parsed only where it may be so.
 */
function breaksOff(text: string): boolean {
  if (!/"error"\s*:\s*\{/.test(text)) return false;
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object';
  } catch {
    return false;
  }
}

/** The request's headers as one mutable object; the client hands them over in any of three forms. */
function headersIn(context: Context): Headers {
  const options = (context.options ??= {});
  if (!(options.headers instanceof Headers)) options.headers = new Headers(options.headers);
  return options.headers;
}
