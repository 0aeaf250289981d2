import { z } from 'zod';
import { storable } from '../core/text.ts';
import { instantText, LONGEST_ID } from './directory-event.ts';

/** A row of the traffic log as Graph sent it: its text, its id and its time (empty where it has none). */
export interface ReceivedTraffic {
  readonly transactionId: string;
  readonly createdDateTime: string;
  readonly raw: string;
}

/** What the mirror knows of one connection. Ids and hosts are lower case; what the row does not say is `null`. */
export interface Connected {
  readonly id: string;
  /** In UTC with six decimals, so that texts compare as instants do. */
  readonly at: string;
  /** As received, with all its decimals; empty where there was none. */
  readonly atRaw: string;
  readonly userId: string | null;
  readonly userPrincipalName: string | null;
  /** `other`: neither surely let through nor surely refused, such as what was allowed and then failed. */
  readonly action: 'allow' | 'block' | 'other';
  readonly host: string | null;
  readonly ip: string | null;
  readonly port: number | null;
  /** The appId of the application. */
  readonly applicationId: string | null;
  readonly raw: string;
}

const LONGEST_TEXT = 400;
const NO_ID = '00000000-0000-0000-0000-000000000000';

const text = z.string().nullish().catch(null).transform((value) => (value ? storable(value.trim()).slice(0, LONGEST_TEXT).toWellFormed() || null : null));
const lower = text.transform((value) => value?.toLowerCase() ?? null);

const Row = z.object({
  transactionId: lower, createdDateTime: text, action: lower, operationStatus: lower, userId: lower, userPrincipalName: text,
  destinationFQDN: lower, destinationIp: lower, destinationPort: z.int().min(1).max(65_535).nullish().catch(null),
  applicationSnapshot: z.object({ appId: lower }).nullish().catch(null),
});

/** Words of the current types and of the older examples (CONTRACT.md §9). */
const ACTIONS: Readonly<Record<string, Connected['action']>> = { allow: 'allow', allowed: 'allow', block: 'block', blocked: 'block', denied: 'block' };

/**
 * Reads one row. Nothing is refused: what is missing or of another type is `null`, text that is no JSON is a row that says
 * nothing, and an instant that is none is replaced by `fallbackAt` (when it was received).
 */
export function parseTraffic(received: ReceivedTraffic, fallbackAt: string): Connected {
  const row = Row.parse(parsed(received.raw));
  const atRaw = storable(received.createdDateTime) || (row.createdDateTime ?? '');
  const action = ACTIONS[row.action ?? ''] ?? 'other';
  const appId = row.applicationSnapshot?.appId ?? null;
  return {
    id: (storable(received.transactionId) || (row.transactionId ?? '')).slice(0, LONGEST_ID),
    at: instantText(atRaw) ?? fallbackAt,
    atRaw,
    userId: row.userId === NO_ID ? null : row.userId,
    userPrincipalName: row.userPrincipalName,
    action: action === 'allow' && row.operationStatus === 'failure' ? 'other' : action,
    host: row.destinationFQDN?.replace(/\.$/, '') || null,
    ip: row.destinationIp,
    port: row.destinationPort ?? null,
    applicationId: appId === NO_ID ? null : appId,
    raw: storable(received.raw),
  };
}

function parsed(raw: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
