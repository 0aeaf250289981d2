import type { GraphError } from './errors.ts';

/** One call of Graph, before it has an address. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly version: 'v1.0' | 'beta';
  /** Below the version, encoded; see `path` in addresses.ts. */
  readonly path: string;
  /** Query options by name; values are encoded on the way. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Asks for the eventually consistent index: `$search`, `$count`, and filters that need them. Resent on every page. */
  readonly eventual?: boolean;
  /** Value of `Prefer`. */
  readonly prefer?: 'create-if-missing' | 'include-unknown-enum-members';
  /**
   * The call says what shall be, not what to do, so that saying it twice is harmless. Only such writes are repeated
   * blindly after a time-out or a 5xx, when it is not known what the first one did. GETs always are.
   */
  readonly absolute?: boolean;
  /** A POST that changes nothing. */
  readonly reads?: boolean;
}

/** A 2xx answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly requestId: string | undefined;
  /** Graph's own time when it answered; within a batch it does not say. */
  readonly date: string | undefined;
  /** Ours, of the attempt that was answered. */
  readonly clientRequestId: string;
  /** An earlier attempt of this call got no answer: it may have done the work that this one found done. */
  readonly afterLostAnswer: boolean;
}

/** How one attempt ended. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Headers; readonly text: string }
  | { readonly kind: 'lost'; readonly why: 'timeout' | 'network' | 'broken off'; readonly cause: unknown }
  | { readonly kind: 'unsent'; readonly error: GraphError };

export const isRead = ({ method, reads }: Call): boolean => method === 'GET' || reads === true;

/** Whether the call may be sent again without asking first what became of it. */
export const isRepeatable = (call: Call): boolean => isRead(call) || call.absolute === true;

/** What the attempt did is not known. 501 is for good: the service does not know the call. */
export const isLost = (outcome: Outcome): boolean => outcome.kind === 'lost' || (outcome.kind === 'answered' && outcome.status >= 500 && outcome.status !== 501);

/** The call's address below the version, with its query. */
export function addressOf({ path, query }: Call): string {
  const options = Object.entries(query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${path}${options.length === 0 ? '' : `?${options.join('&')}`}`;
}

/** Headers that the call itself asks for. */
export function headersOf({ eventual, prefer }: Call): Record<string, string> {
  return { ...(eventual === true && { ConsistencyLevel: 'eventual' }), ...(prefer !== undefined && { Prefer: prefer }) };
}
