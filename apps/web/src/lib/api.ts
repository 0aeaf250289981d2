import { PAGE_OF, Problem, type Answer, type CallInput, type Endpoint } from '@gatehouse/contracts';

/** A refusal that the API explained. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.name = 'ApiError';
    this.problem = problem;
  }
}

/** Whose page this is, by their id. */
let pageOf: string | undefined;

/** Says whose the page is from now on: no call goes out in the name of whoever else signed in, in another tab. */
export function setPageOf(personId: string | undefined): void {
  pageOf = personId;
}

/** Whose page it is now. What is done in several calls stops where it becomes another's. */
export const pageOfNow = (): string | undefined => pageOf;

type Parts = { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown };

/**
 * Calls one endpoint and parses the answer by its contract. Throws `ApiError` with the problem, also where the portal
 * could not be reached or answered something else: then it says so, and no more.
 */
export async function call<const E extends Endpoint>(endpoint: E, input: CallInput<E>, signal?: AbortSignal): Promise<Answer<E>> {
  const parts = input as Parts;
  let answer: Response;
  let body: unknown;
  try {
    answer = await fetch(addressOf(endpoint, parts), {
      method: endpoint.method,
      ...(signal && { signal }),
      headers: { 'X-Requested-With': 'gatehouse', ...(pageOf !== undefined && { [PAGE_OF]: pageOf }), ...(endpoint.body && { 'Content-Type': 'application/json' }) },
      ...(endpoint.body && { body: JSON.stringify(parts.body) }),
    });
    body = answer.status === 204 ? undefined : await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(unreachable(endpoint.method === 'GET' ? 'The portal does not answer. Nothing was changed: try again, or reload the page.' : 'The portal does not answer. Whether the last step took effect is not known: reload to see.'));
  }
  if (!answer.ok) {
    const problem = Problem.safeParse(body);
    throw new ApiError(problem.success ? problem.data : unreachable('The portal answered in a way that this page does not know. Reload it.'));
  }
  const parsed = endpoint.response.safeParse(body);
  if (!parsed.success) throw new ApiError(unreachable('The portal answered in a way that this page does not know. Reload it.'));
  return parsed.data as Answer<E>;
}

/** Address of an endpoint with its parameters, for links and downloads. */
export function addressOf(endpoint: Endpoint, { params = {}, query = {} }: Pick<Parts, 'params' | 'query'>): string {
  const path = endpoint.path.replace(/:([A-Za-z]+)/g, (_all, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  return search.size > 0 ? `${path}?${search}` : path;
}

function unreachable(detail: string): Problem {
  return { type: 'about:blank', code: 'not-ready', status: 503, title: 'The portal cannot be reached', detail, requestId: '' };
}

/** Whether the error is the problem of this code. */
export function isProblem(error: unknown, code: Problem['code']): error is ApiError {
  return error instanceof ApiError && error.problem.code === code;
}

/** Whether the page is nobody's any more, or somebody else's: the session ended, or another tab signed them in. */
export const endsPage = (error: unknown): boolean => isProblem(error, 'not-signed-in') || isProblem(error, 'signed-in-as-another');

/**
 * Puts the issues of a refusal at the fields of a form, `body.minutes` at `minutes`. Answers whether every issue found a
 * field of those that the form has; what did not belongs above the form.
 */
export function applyIssues(error: unknown, fields: readonly string[], setError: (field: string, error: { message: string }) => void): boolean {
  const issues = error instanceof ApiError ? error.problem.issues ?? [] : [];
  const placed = issues.map(({ path, message }) => {
    const name = path.replace(/^body\./, '');
    const field = fields.find((known) => name === known || name.startsWith(`${known}.`));
    if (field !== undefined) setError(field, { message });
    return field !== undefined;
  });
  return placed.length > 0 && placed.every(Boolean);
}
