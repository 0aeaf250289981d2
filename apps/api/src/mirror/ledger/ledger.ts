import { randomUUID } from 'node:crypto';
import type { Connection, Database } from '@gatehouse/db';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { withConnection } from '../database.ts';
import { fileAnchor, lastInFile, logAnchor, webhookAnchor, type Anchor, type Post } from './anchors.ts';
import { COPY_SETTINGS, spansOf } from './leaves.ts';
import { checkpointAfter, checkpointOfSize, closeKnowledge, knownKeys, latestCheckpoint, type Knowledge, type StoredCheckpoint } from './checkpoint.store.ts';
import { inSnapshot, readLeaves, sealedBetween } from './leaf.store.ts';
import { isDropToSeal, leavesOfEvent, readLedger, setAnchor, setChecked, setFound, type LedgerRow } from './ledger.store.ts';
import { readTile } from './tile.store.ts';
import { checkLedger } from './check.ts';
import { signerOf } from './note.ts';
import { ledgerPart, zipOf, type PackFile } from './pack.ts';
import { createSealer } from './sealer.ts';
import { consistencyRanges, hashesOf, inclusionRanges, rootsOf } from './tree.ts';

export interface LedgerDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Real time, by which checkpoints are sent outside. */
  readonly systemClock: Clock;
  readonly tenantId: string;
  /** 32 bytes each, newest first. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  readonly log: Logger;
  /** Where checkpoints are appended; without one they are not. */
  readonly file?: string | undefined;
  readonly post?: Post | undefined;
  readonly onAlarm?: (alarm: string | null) => Promise<void>;
  /** The check of everything found a difference, or finds none any more. */
  readonly onFound?: (found: string | null) => Promise<void>;
}

/** A row in the tree, and what proves it; enough to check it with no more than the public key. */
export interface LeafProof {
  readonly leafIndex: number;
  /** The leaf's data: the table's name, a newline, and the row as COPY writes it. */
  readonly data: string;
  readonly hashes: readonly Buffer[];
  /** The checkpoint that the proof leads to. */
  readonly checkpoint: StoredCheckpoint;
  /** When the row was first in a signed tree: since then it is known. */
  readonly sealedAt: Date;
}

export interface Ledger {
  /** Seals what is new and sends the checkpoint outside. Costs next to nothing where nothing is new. */
  seal(): Promise<void>;
  /** Reads the whole ledger anew and looks for rows that it will never number; says what is wrong, a sentence each. */
  check(): Promise<readonly string[]>;
  state(): Promise<LedgerRow>;
  /** What was known at the instant, or is known now: the same for ever. `undefined`: the instant is still to come. */
  knowledge(at?: string): Promise<Knowledge | undefined>;
  checkpoint(): Promise<StoredCheckpoint | undefined>;
  checkpointOf(size: number): Promise<StoredCheckpoint | undefined>;
  /** Public keys, `name+id+key`, oldest first: those that ever signed, and those that will. */
  keys(): Promise<readonly string[]>;
  /** The hashes of a tile, as many as the signed tree has of it. */
  tile(level: number, index: number): Promise<Buffer | undefined>;
  /** Proves the row of an event; `null` where it is not sealed yet, `undefined` where there is no such event. */
  proofOfEvent(source: string, eventId: string): Promise<LeafProof | null | undefined>;
  /** Proves that the tree of one size is the beginning of the tree of the other; `undefined` where nothing of that size was signed. */
  consistency(older: number, newer: number): Promise<readonly Buffer[] | undefined>;
  /** The same part of these leaves, file by file, read by a connection whose transaction sees one state of the database; one file after the other. */
  part(connection: Connection, leaves: readonly [from: number, to: number]): AsyncGenerator<PackFile>;
  /** The ledger's part of an evidence pack: what was sealed from one instant until before the other, or all, as a ZIP in chunks. */
  pack(range: { readonly from?: Date | undefined; readonly to?: Date | undefined }): AsyncGenerator<Buffer>;
}

/** The name that the ledger signs under: it does not change with the portal's address. */
export const originOf = (tenantId: string): string => `gatehouse/${tenantId}`;

export function createLedger({ db, clock, systemClock, tenantId, keys: seeds, log, file, post, onAlarm, onFound }: LedgerDeps): Ledger {
  const origin = originOf(tenantId);
  const [firstSeed, ...olderSeeds] = seeds;
  const signers = [signerOf(origin, firstSeed), ...olderSeeds.map((seed) => signerOf(origin, seed))] as const;
  const sealer = createSealer({ db, clock, tenantId, origin, signers, log, ...(file !== undefined && { keptOutside: () => lastInFile(file) }), ...(onAlarm && { onAlarm }) });
  const anchors: readonly Anchor[] = [logAnchor(log), ...(file === undefined ? [] : [fileAnchor(file)]), ...(post ? [webhookAnchor(post, randomUUID)] : [])];
  /** By real time, when each was last tried; what is due is sent by whoever runs, also after a crash. */
  const triedAt = new Map<Anchor, number>();
  let isAnchored = false;
  let sealing: Promise<void> | undefined;

  const read = <T>(work: (connection: Connection) => Promise<T>): Promise<T> => withConnection(db, (connection) => inSnapshot(connection, () => work(connection)));

  async function sendOutside(): Promise<void> {
    const checkpoint = await latestCheckpoint(db.pool, tenantId);
    if (!checkpoint) return;
    const { anchors: states } = await readLedger(db.pool, tenantId);
    isAnchored = true;
    for (const anchor of anchors) {
      if ((states.find(({ kind }) => kind === anchor.kind)?.size ?? 0) >= checkpoint.size) continue;
      const now = systemClock.now().getTime();
      if (now - (triedAt.get(anchor) ?? Number.NEGATIVE_INFINITY) < anchor.everyMs) {
        isAnchored = false;
        continue;
      }
      triedAt.set(anchor, now);
      const failed = await anchor.send(checkpoint).then(() => null, (error: unknown) => (error instanceof Error ? error.message : String(error)));
      if (failed !== null) {
        isAnchored = false;
        log.warn({ anchor: anchor.kind, failed }, 'a checkpoint did not get outside');
      }
      await setAnchor(db.pool, tenantId, anchor.kind, checkpoint.size, clock.now(), failed);
    }
  }

  async function pass(): Promise<void> {
    if (await sealer.pass()) isAnchored = false;
    if (!isAnchored) await sendOutside();
  }

  const seal = (): Promise<void> => (sealing ??= pass().finally(() => { sealing = undefined; }));

  const allKeys = async (): Promise<string[]> => [...new Set([...await knownKeys(db.pool, tenantId), ...signers.map(({ verifierKey }) => verifierKey)])];

  return {
    seal,

    async check() {
      const { size, found } = await read((connection) => checkLedger(connection, { tenantId, origin, verifierKeys: signers.map(({ verifierKey }) => verifierKey) }));
      const [first = null] = found;
      if (first !== null) log.error({ ledger: found }, 'the nightly check of the ledger found differences');
      else if (size > 0) await setChecked(db.pool, tenantId, clock.now(), size);
      // Not the sealer's alarm, which goes as soon as the edge is as it was: what was found may lie years before it.
      if (await setFound(db.pool, tenantId, first)) await onFound?.(first);
      return found;
    },

    state: () => readLedger(db.pool, tenantId),
    knowledge(at) {
      const now = clock.now();
      return closeKnowledge(db.pool, tenantId, { now, aheadMs: now.getTime() - systemClock.now().getTime() }, at);
    },
    checkpoint: () => latestCheckpoint(db.pool, tenantId),
    checkpointOf: (size) => checkpointOfSize(db.pool, tenantId, size),
    keys: allKeys,

    async tile(level, index) {
      const checkpoint = await latestCheckpoint(db.pool, tenantId);
      return checkpoint && read((connection) => readTile(connection, tenantId, checkpoint.size, level, index));
    },

    async proofOfEvent(source, eventId) {
      const [[row], checkpoint] = await Promise.all([leavesOfEvent(db.pool, tenantId, source, eventId), latestCheckpoint(db.pool, tenantId)]);
      if (!row) return undefined;
      const { leaf } = row;
      if (leaf === null || !checkpoint || leaf >= checkpoint.size) return null;
      const [since, proof] = await Promise.all([checkpointAfter(db.pool, tenantId, leaf), read(async (connection) => {
        const { batches, skip } = await sealedBetween(connection, tenantId, leaf, leaf + 1);
        let data = '';
        for await (const prefixed of readLeaves(connection, tenantId, spansOf(batches, skip, 1))) data = prefixed?.subarray(1).toString() ?? '';
        const hashes = await rootsOf(inclusionRanges(leaf, checkpoint.size), async (level, index) => hashesOf(await readTile(connection, tenantId, checkpoint.size, level, index) ?? Buffer.alloc(0)));
        return { leafIndex: leaf, data, hashes };
      })]);
      return { ...proof, checkpoint, sealedAt: (since ?? checkpoint).signedAt };
    },

    async consistency(older, newer) {
      const [one, other] = [await checkpointOfSize(db.pool, tenantId, older), await checkpointOfSize(db.pool, tenantId, newer)];
      if (!one || !other || older > newer) return undefined;
      return read((connection) => rootsOf(consistencyRanges(older, newer), async (level, index) => hashesOf(await readTile(connection, tenantId, newer, level, index) ?? Buffer.alloc(0))));
    },

    async *part(connection, leaves) {
      await connection.query(COPY_SETTINGS);
      yield* ledgerPart(connection, { tenantId, origin, range: {}, leaves, keys: signers.map(({ verifierKey }) => verifierKey) });
    },

    pack: async function* pack(range) {
      // What was dropped a moment ago has its record sealed first: without it the pack would not hold.
      if (await isDropToSeal(db.pool, tenantId)) await seal();
      yield* zipOf(db, (connection) => ledgerPart(connection, { tenantId, origin, range, keys: signers.map(({ verifierKey }) => verifierKey) }));
    },
  };
}
