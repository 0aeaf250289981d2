import { Client, ResponseType } from '@microsoft/microsoft-graph-client';
import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';
import { GraphError } from './errors.ts';
import { failureOf, retryAfterMs } from './failures.ts';
import type { GraphOptions } from './ports.ts';

/** One call of Graph, before it has an address. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
  readonly version: 'v1.0' | 'beta';
  /** Below the version, encoded; see `path` in addresses.ts. */
  readonly path: string;
  /** Query options by name; values are encoded here. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Asks for the eventually consistent index: `$search`, `$count`, and filters that need them. Resent on every page. */
  readonly eventual?: boolean;
  /** Value of `Prefer`. */
  readonly prefer?: 'create-if-missing' | 'include-unknown-enum-members';
  /**
   * The call says what shall be, not what to do, so that saying it twice is harmless. Only such writes are repeated
   * after a time-out or a 5xx, when it is not known what the first one did. GETs always are.
   */
  readonly absolute?: boolean;
}

/** A 2xx answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** An earlier attempt of this call got no answer: it may have done the work that this one found done. */
  readonly afterLostAnswer: boolean;
}

/** The one way to Graph. Throws `GraphError` and nothing else. */
export interface Transport {
  readonly baseUrl: string;
  /** Sends; an answer with a body that is not JSON is none of Graph's. */
  send(call: Call): Promise<Answer>;
  /** Goes on with a list at a link that Graph gave. */
  follow(link: string, call: Call): Promise<Answer>;
  /** Sends and reads the answer's body. */
  read<S extends z.ZodType>(call: Call, shape: S): Promise<z.output<S>>;
  /** The same, `undefined` where Graph says that there is none. */
  find<S extends z.ZodType>(call: Call, shape: S): Promise<z.output<S> | undefined>;
  /** All pages of a list. */
  list<S extends z.ZodType>(call: Call, item: S): Promise<z.output<S>[]>;
  /** The pages of a list one by one, for a reader who may stop early. */
  pages<S extends z.ZodType>(call: Call, item: S): AsyncGenerator<z.output<S>[]>;
}

const MAX_ATTEMPTS = 4;
const MAX_SILENT_ATTEMPTS = 2;
/** All waits of one call together; a person waits behind most calls, and a job comes again by itself. */
const MAX_WAIT_MS = 30_000;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 8_000;

/** How one attempt ended. */
type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Headers; readonly text: string }
  | { readonly kind: 'lost'; readonly why: 'timeout' | 'network' | 'broken off'; readonly cause: unknown }
  | { readonly kind: 'unsent'; readonly error: GraphError };

/** A call on its way through the middleware. The client keys a request's options by class. */
class Journey {
  readonly call: Call;
  /** Graph's own link, sent as it is; the client would take it apart and put it together in another order. */
  readonly link: string | undefined;
  outcome: Outcome = { kind: 'unsent', error: new GraphError('unexpected', 'the call was not sent') };
  attempt = 0;
  afterLostAnswer = false;

  constructor(call: Call, link: string | undefined) {
    this.call = call;
    this.link = link;
  }
}

/** The transport over the official client, with a chain of our own: its handlers repeat POSTs and give tokens to https hosts alone. */
export function createTransport(options: GraphOptions): Transport {
  const origin = new URL(options.baseUrl).origin;
  const client = Client.initWithMiddleware({
    baseUrl: options.baseUrl,
    middleware: [repeating(options), recorded(options), authorised(options, origin), sending(options)],
  });

  const run = async (call: Call, link?: string): Promise<Answer> => {
    const journey = new Journey(call, link);
    const query = Object.entries(call.query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const request = client
      .api(query.length === 0 ? call.path : `${call.path}?${query.join('&')}`)
      .version(call.version)
      .responseType(ResponseType.RAW)
      .middlewareOptions([journey]);
    if (call.eventual) request.header('ConsistencyLevel', 'eventual');
    if (call.prefer) request.header('Prefer', call.prefer);
    try {
      if (call.method === 'GET') await request.get();
      else if (call.method === 'POST') await request.post(call.body);
      else if (call.method === 'PATCH') await request.patch(call.body);
      else await request.put(call.body);
    } catch (error) {
      // The chain throws nothing: what arrives here is the client's own, such as a body that JSON cannot hold.
      throw new GraphError('unexpected', `${call.method} ${call.path} could not be sent`, { cause: error });
    }
    return settle(journey);
  };

  async function* pages<S extends z.ZodType>(call: Call, item: S): AsyncGenerator<z.output<S>[]> {
    const shape = z.object({ value: z.array(item), '@odata.nextLink': z.string().nullish() });
    const seen = new Set<string>();
    let answer = await run(call);
    for (;;) {
      const page = parse(call, answer, shape);
      yield page.value;
      const link = page['@odata.nextLink'];
      if (!link) return;
      if (seen.has(link)) throw new GraphError('unexpected', `GET ${call.path}: the pages go in a circle`);
      seen.add(link);
      answer = await run(call, link);
    }
  }

  const read = async <S extends z.ZodType>(call: Call, shape: S): Promise<z.output<S>> => parse(call, await run(call), shape);

  return {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    async send(call) {
      const answer = await run(call);
      // What stands between us and Graph may answer 200 with a page of its own: that is nobody's word that it is done.
      if (answer.text !== '') parse(call, answer, z.unknown());
      return answer;
    },
    follow: (link, call) => run(call, link),
    read,
    async find(call, shape) {
      try {
        return await read(call, shape);
      } catch (error) {
        if (error instanceof GraphError && error.failure === 'not-found') return undefined;
        throw error;
      }
    },
    async list(call, item) {
      const items = [];
      for await (const page of pages(call, item)) items.push(...page);
      return items;
    },
    pages,
  };
}

/** Reads a body by its shape. Graph promised it; another one is not the person's mistake and not the portal's to guess at. */
export function parse<S extends z.ZodType>(call: Call, answer: Answer, shape: S): z.output<S> {
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch (error) {
    throw new GraphError('unexpected', `${call.method} ${call.path}: the answer is not JSON`, { status: answer.status, cause: error });
  }
  const parsed = shape.safeParse(body);
  if (!parsed.success) {
    throw new GraphError('unexpected', `${call.method} ${call.path}: the answer has another shape: ${z.prettifyError(parsed.error)}`, { status: answer.status, cause: parsed.error });
  }
  return parsed.data;
}

function settle({ call, outcome, afterLostAnswer }: Journey): Answer {
  if (outcome.kind === 'unsent') throw outcome.error;
  if (outcome.kind === 'lost') {
    throw new GraphError('unavailable', `${call.method} ${call.path}: ${outcome.why}`, { cause: outcome.cause });
  }
  if (outcome.status >= 200 && outcome.status < 300) return { status: outcome.status, text: outcome.text, afterLostAnswer };

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

function repeating({ sleep, random }: GraphOptions): Middleware {
  return link(async (journey, _context, next) => {
    let waited = 0;
    for (;;) {
      journey.attempt += 1;
      await next();
      const wait = waitBeforeRepeat(journey, random);
      if (wait === undefined || journey.attempt >= MAX_ATTEMPTS || waited + wait > MAX_WAIT_MS) return;
      if (isLost(journey.outcome)) journey.afterLostAnswer = true;
      waited += wait;
      await sleep(wait);
    }
  });
}

/** What the attempt did is not known. */
const isLost = (outcome: Outcome): boolean => outcome.kind === 'lost' || (outcome.kind === 'answered' && outcome.status >= 500);

/** How long to wait before the call is repeated; `undefined` when it must not be. */
function waitBeforeRepeat({ call, outcome, attempt }: Journey, random: () => number): number | undefined {
  if (outcome.kind === 'unsent') return undefined;
  const backOff = random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt);
  const asked = outcome.kind === 'answered' ? retryAfterMs(outcome.headers) : undefined;
  // Never before the time that Graph names; a little after it, so that not everybody comes back in the same instant.
  const wait = asked === undefined ? backOff : asked + random() * 250;

  if (outcome.kind === 'answered' && outcome.status === 429) return wait;
  // Somebody waits behind it: silence is listened to twice, not four times a quarter of a minute.
  if (outcome.kind === 'lost' && outcome.why === 'timeout' && attempt >= MAX_SILENT_ATTEMPTS) return undefined;
  const mayRepeat = call.method === 'GET' || call.absolute === true;
  // 501 is for good: the service does not know the call.
  const passes = outcome.kind === 'lost' || (outcome.status >= 500 && outcome.status !== 501);
  return mayRepeat && passes ? wait : undefined;
}

/** Gives each attempt an id of its own and writes it down. */
function recorded({ log }: GraphOptions): Middleware {
  return link(async (journey, context, next) => {
    const clientRequestId = crypto.randomUUID();
    headersOf(context).set('client-request-id', clientRequestId);
    if (journey.link !== undefined) context.request = journey.link;
    const started = performance.now();
    await next();
    const { outcome, call, attempt } = journey;
    log({
      method: call.method,
      path: `/${call.version}${call.path}`,
      attempt,
      durationMs: Math.round(performance.now() - started),
      clientRequestId,
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
function authorised({ token }: GraphOptions, origin: string): Middleware {
  return link(async (journey, context, next) => {
    const url = typeof context.request === 'string' ? URL.parse(context.request) : null;
    if (url === null || url.origin !== origin || url.username !== '' || url.password !== '') {
      journey.outcome = { kind: 'unsent', error: new GraphError('unexpected', `${journey.call.path}: the next page is on another host`) };
      return;
    }
    try {
      headersOf(context).set('authorization', `Bearer ${await token()}`);
    } catch (error) {
      journey.outcome = { kind: 'unsent', error: error instanceof GraphError ? error : new GraphError('unexpected', 'no token could be had', { cause: error }) };
      return;
    }
    await next();
  });
}

/** What may go out. A cookie never does: nothing that a browser sent reaches Graph. */
const SENT_HEADERS = ['authorization', 'client-request-id', 'consistencylevel', 'content-type', 'prefer'];

/** One attempt: its time covers the body too, so that a trickling answer ends as well. */
function sending({ timeoutMs }: GraphOptions): Middleware {
  return link(async (journey, context) => {
    const given = headersOf(context);
    const headers = new Headers({ accept: 'application/json' });
    for (const name of SENT_HEADERS) {
      const value = given.get(name);
      if (value !== null) headers.set(name, value);
    }
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(context.request, {
        method: journey.call.method,
        headers,
        body: context.options?.body ?? null,
        redirect: 'manual',
        credentials: 'omit',
        signal,
      });
      context.response = response;
      const text = await response.text();
      journey.outcome = response.ok && breaksOff(text)
        ? { kind: 'lost', why: 'broken off', cause: new Error('the answer has an error in place of its end') }
        : { kind: 'answered', status: response.status, headers: response.headers, text };
    } catch (error) {
      journey.outcome = { kind: 'lost', why: signal.aborted ? 'timeout' : 'network', cause: error };
    }
  });
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
function headersOf(context: Context): Headers {
  const options = (context.options ??= {});
  if (!(options.headers instanceof Headers)) options.headers = new Headers(options.headers);
  return options.headers;
}
