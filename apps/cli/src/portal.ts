import { Problem, type Answer, type CallInput, type Endpoint } from '@gatehouse/contracts';
import { CommandError, plain, type Terminal } from './terminal.ts';

/** A refusal that the portal explained. */
export class Refusal extends CommandError {
  readonly code: Problem['code'];

  constructor(problem: Problem, origin: string) {
    super(inWords(problem, origin), { ...problem });
    this.name = 'Refusal';
    this.code = problem.code;
  }
}

/** The portal did not answer: whether a change took effect is not known. */
export class Unreachable extends CommandError {}

/** One portal, with the token of a session or without. */
export interface Portal {
  readonly origin: string;
  call<const E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<Answer<E>>;
  /** The same for what is read while it is waited for: an answer that fails to come is asked for again for a while. */
  look<const E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<Answer<E>>;
}

const TIMEOUT_MS = 90_000;
const LOOK_AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 16_000];

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** The origin of a portal's address; a token goes over https, or does not leave the machine. */
export function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new CommandError(`"${plain(address)}" is not the address of a portal. Give one such as https://gatehouse.example.com.`);
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '') throw new CommandError(`"${plain(address)}" is more than the address of a portal. Give ${url.protocol}//${url.host} alone.`);
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) throw new CommandError(`${url.origin} is not encrypted: whoever listens on the way could act as you. Give its https address.`);
  return url.origin;
}

export function connect(terminal: Terminal, origin: string, token?: string): Portal {
  const call = async <const E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<Answer<E>> => {
    const { body } = input as { body?: unknown };
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(`${origin}${addressOf(endpoint, input)}`, {
        method: endpoint.method,
        // A token follows nobody elsewhere.
        redirect: 'error',
        signal: AbortSignal.any([terminal.signal, AbortSignal.timeout(TIMEOUT_MS)]),
        headers: {
          'Origin': origin, 'X-Requested-With': 'gatehouse',
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          ...(endpoint.body && { 'Content-Type': 'application/json' }),
        },
        ...(endpoint.body && { body: JSON.stringify(body) }),
      });
      text = await answer.text();
    } catch (error) {
      if (terminal.signal.aborted) throw error;
      throw new Unreachable(`${origin} does not answer.${endpoint.method === 'GET' ? '' : ' Whether the last step took effect is not known: look in the portal.'} Is the address right, and the portal running?`);
    }
    const content = /json/.test(answer.headers.get('content-type') ?? '') ? parsedJson(text) : undefined;
    if (!answer.ok) {
      const problem = Problem.safeParse(content);
      if (problem.success) throw new Refusal(problem.data, origin);
      if (answer.status === 503) throw new Unreachable(`${origin} is not ready yet. Try again in a moment.`);
      throw strange(origin);
    }
    const parsed = endpoint.response.safeParse(endpoint.answers === 'text' ? text : content);
    if (!parsed.success) throw strange(origin);
    return parsed.data as Answer<E>;
  };

  return {
    origin,
    call,
    async look(endpoint, input) {
      for (const pause of LOOK_AGAIN_MS) {
        try {
          return await call(endpoint, input);
        } catch (error) {
          if (!isPassing(error)) throw error;
          await terminal.sleep(pause);
        }
      }
      return call(endpoint, input);
    },
  };
}

/** Whether asking again may help: nobody refused anything, only the answer is missing. */
export function isPassing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refusal && error.problem?.['status'] === 503);
}

function strange(origin: string): CommandError {
  return new CommandError(`${origin} answered in a way that this command does not know. Is it a Gatehouse portal, of the same version as this command?`);
}

function addressOf(endpoint: Endpoint, input: object): string {
  const { params = {}, query = {} } = input as { params?: Record<string, unknown>; query?: Record<string, unknown> };
  const path = endpoint.path.replace(/:([A-Za-z]+)/g, (_all, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return search.size > 0 ? `${path}?${search}` : path;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What happened, what to do, where the request was wrong, and the reference to quote. */
function inWords({ code, title, detail, issues = [], requestId, graphRequestId }: Problem, origin: string): string {
  const todo = code === 'not-signed-in' ? `Your sign-in at ${origin} has ended. Run: gatehouse sign-in --portal ${origin}` : plain(detail ?? '');
  return [
    `${title}. ${todo}`.trim(),
    ...issues.filter(({ message }) => message !== detail).map(({ path, message }) => `  ${plain(path)}: ${plain(message)}`),
    ...(requestId === '' ? [] : [`  Ref ${plain(requestId)}${graphRequestId === undefined ? '' : ` (Microsoft Graph request-id ${plain(graphRequestId)})`}`]),
  ].join('\n');
}
