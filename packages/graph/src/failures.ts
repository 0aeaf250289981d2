import { z } from 'zod';
import { MFA_CLAIMS } from './claims.ts';
import { GraphError } from './errors.ts';
import type { GraphErrorDetails, GraphFailure } from './errors.ts';
import { knownRefusal } from './refusals.ts';

/** An answer that is not 2xx, read whole. */
export interface Refusal {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const Envelope = z.object({
  error: z.object({
    code: z.string(),
    message: z.string().nullish(),
    innerError: z.looseObject({ 'request-id': z.string().nullish() }).nullish(),
  }),
});

/** Directory refusals that share one code; only the text tells that the object is there already. */
const EXISTS_ALREADY = /object references? already exists?|permission being assigned already exists/i;

/** Names a refusal in the portal's words. */
export function failureOf(refusal: Refusal): GraphError {
  const body = parseEnvelope(refusal.text);
  const code = body?.error.code;
  const message = body?.error.message ?? '';
  const details: GraphErrorDetails = {
    status: refusal.status,
    code,
    requestId: refusal.headers.get('request-id') ?? body?.error.innerError?.['request-id'] ?? undefined,
  };
  const fail = (failure: GraphFailure, more: GraphErrorDetails = {}): GraphError =>
    new GraphError(failure, `${refusal.method} ${refusal.path}: ${refusal.status} ${code ?? '(no code)'} ${message}`.trimEnd(), { ...details, ...more });

  const challenge = challengedClaims(refusal);
  if (challenge !== undefined) return fail('step-up-needed', { claims: challenge });

  if (code === 'RoleAssignmentRequestAcrsValidationFailed') {
    const claims = claimsInMessage(message);
    return claims === undefined ? fail('unexpected') : fail('step-up-needed', { claims });
  }
  if (code === 'RoleAssignmentRequestPolicyValidationFailed') {
    const failedRules = rulesInMessage(message);
    // Entra names no claims to echo here: the portal asks for a second factor itself.
    return failedRules.length === 1 && failedRules[0] === 'MfaRule'
      ? fail('step-up-needed', { claims: MFA_CLAIMS, failedRules })
      : fail('policy', { failedRules });
  }

  const { status } = refusal;
  if (status === 429) return fail('throttled', { retryAfterMs: retryAfterMs(refusal.headers) });
  if (status >= 500 || status === 408) return fail('unavailable', { retryAfterMs: retryAfterMs(refusal.headers) });
  if (status === 401) return fail('not-signed-in');
  // PIM answers nearly everything with 400: the code says more than the status.
  const known = knownRefusal(code)?.failure;
  if (known !== undefined && known !== 'unexpected') return fail(known);
  if (status === 403) return fail('forbidden');
  if (status === 404) return fail('not-found');
  if (status === 409) return fail('conflict');
  if (status === 400 && EXISTS_ALREADY.test(message)) return fail('conflict');
  return fail('unexpected');
}

/** How long Graph asks us to wait: seconds, or a date, which is read against the answer's own `Date` and not against our clock. */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const wait = Date.parse(value) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

function parseEnvelope(text: string): z.output<typeof Envelope> | undefined {
  try {
    return Envelope.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** `The following policy rules failed: ["ExpirationRule","JustificationRule"]`. */
function rulesInMessage(message: string): readonly string[] {
  const list = /\[[^\]]*\]/.exec(message)?.[0];
  if (list === undefined) return [];
  try {
    return z.array(z.string()).safeParse(JSON.parse(list)).data ?? [];
  } catch {
    return [];
  }
}

/** `&claims=%7B…%7D`, percent-encoded JSON inside the message. */
function claimsInMessage(message: string): string | undefined {
  const encoded = /claims=([^&\s"]+)/.exec(message)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return jsonObject(decodeURIComponent(encoded));
  } catch {
    return undefined;
  }
}

/** Continuous access evaluation: `WWW-Authenticate: Bearer … error="insufficient_claims", claims="<base64>"`. */
function challengedClaims(refusal: Refusal): string | undefined {
  if (refusal.status !== 401 && refusal.status !== 403) return undefined;
  const header = refusal.headers.get('www-authenticate') ?? '';
  if (!/error="?insufficient_claims"?/i.test(header)) return undefined;
  const encoded = /claims="([^"]+)"/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
    return jsonObject(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** The text itself when it is a JSON object: what is sent on to Entra must at least be that. */
function jsonObject(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? text : undefined;
}
