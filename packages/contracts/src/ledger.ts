import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

/** A number of leaves, or the place of one. */
const Size = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** 32 bytes in base64. */
const Hash = z.string();

export const LedgerCheckpoint = z.object({
  size: z.int(),
  root: Hash,
  /** The signed note (C2SP tlog-checkpoint). */
  note: z.string(),
  signedAt: Instant,
});
export type LedgerCheckpoint = z.infer<typeof LedgerCheckpoint>;

export const LedgerAnchor = z.object({
  kind: z.enum(['log', 'file', 'webhook']),
  size: z.int(),
  anchoredAt: Instant.nullable(),
  error: z.string().nullable(),
});

export const GetLedger = {
  method: 'GET', path: '/api/ledger', permission: 'sync:read',
  summary: 'Where the ledger stands: what is sealed, what waits, what went outside, and what is wrong',
  response: z.object({
    now: Instant,
    checkpoint: LedgerCheckpoint.nullable(),
    /** Batches that are committed and not sealed yet. */
    waiting: z.int(),
    /** When the oldest of them was received. */
    waitingSince: Instant.nullable(),
    /** Why nothing is sealed any more. */
    alarm: z.string().nullable(),
    alarmAt: Instant.nullable(),
    /** When everything was last read anew and found whole. */
    checkedAt: Instant.nullable(),
    /** What the last check of everything found, until one finds nothing. */
    found: z.string().nullable(),
    anchors: z.array(LedgerAnchor),
    /** Public keys (C2SP signed-note: name+id+key), oldest first. */
    keys: z.array(z.string()),
  }),
} as const satisfies Endpoint;

export const GetLedgerCheckpoint = {
  method: 'GET', path: '/api/ledger/checkpoint', permission: 'sync:read', answers: 'text',
  summary: 'The newest checkpoint as a signed note (C2SP tlog-checkpoint)',
  response: z.undefined(),
} as const satisfies Endpoint;

export const GetLedgerKeys = {
  method: 'GET', path: '/api/ledger/keys', permission: 'sync:read', answers: 'text',
  summary: 'The public keys of the ledger, one a line, oldest first',
  response: z.undefined(),
} as const satisfies Endpoint;

export const GetLedgerTile = {
  method: 'GET', path: '/api/ledger/tiles/:level/:index', permission: 'sync:read',
  summary: 'The hashes of a tile (C2SP tlog-tiles), as many as the signed tree has of it',
  params: z.strictObject({ level: z.coerce.number().int().min(0).max(6), index: Size }),
  response: z.object({ size: z.int(), hashes: z.array(Hash) }),
} as const satisfies Endpoint;

export const GetLedgerConsistency = {
  method: 'GET', path: '/api/ledger/consistency', permission: 'sync:read',
  summary: 'Proves that one signed tree is the beginning of another (RFC 6962)',
  query: z.strictObject({ from: Size, to: Size }),
  response: z.object({ from: LedgerCheckpoint, to: LedgerCheckpoint, hashes: z.array(Hash) }),
} as const satisfies Endpoint;

export const EventProof = z.object({
  leafIndex: z.int(),
  /** What is hashed: the table's name, a newline, and the row as PostgreSQL's COPY writes it. */
  data: z.string(),
  /** From the leaf upwards (RFC 6962). */
  hashes: z.array(Hash),
  note: z.string(),
  size: z.int(),
  root: Hash,
  keys: z.array(z.string()),
  /** Since when it is known: the signing of the first tree that has it. */
  sealedAt: Instant,
});
export type EventProof = z.infer<typeof EventProof>;

export const GetEventProof = {
  method: 'GET', path: '/api/ledger/events/:eventId', permission: 'history:read',
  summary: 'Proves that an event is in the ledger as it was received; null where it is not sealed yet',
  params: z.strictObject({ eventId: z.string().max(300) }),
  response: z.object({ proof: EventProof.nullable() }),
} as const satisfies Endpoint;

export const ExportLedger = {
  method: 'GET', path: '/api/ledger/pack.zip', permission: 'history:read', answers: 'zip', offeredOn: '/sync',
  summary: 'The ledger’s part of an evidence pack: what was sealed in a time, or everything, with its proofs',
  query: z.strictObject({ from: Instant.optional(), to: Instant.optional() }),
  response: z.undefined(),
} as const satisfies Endpoint;
