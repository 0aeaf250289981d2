import type { Connection, Database } from '@gatehouse/db';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { withConnection } from '../database.ts';
import { latestCheckpoint, type StoredCheckpoint } from './checkpoint.store.ts';
import { inSnapshot, readLeaves } from './leaf.store.ts';
import { dequeue, insertSealed, isSomethingToSeal, LeadLost, leaveLead, readQueue, setAlarm, takeLead } from './sealing.store.ts';
import { readEdge } from './tile.store.ts';
import { LedgerMismatch, leavesOf, spansOf } from './leaves.ts';
import { openCheckpoint, signCheckpoint, type Signer } from './note.ts';
import { EMPTY_ROOT, prefixedLeafHash, type FullTile } from './tree.ts';

export interface SealerDeps {
  readonly db: Pick<Database, 'pool'>;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly origin: string;
  /** All of them sign: whoever knows an older key can follow to a newer one. */
  readonly signers: readonly [Signer, ...Signer[]];
  readonly log: Logger;
  /** Leaves that one checkpoint adds at most; the rest follows at once. */
  readonly leavesAtOnce?: number;
  /** The newest checkpoint that was kept outside of the database, where it can be read. */
  readonly keptOutside?: () => Promise<string | undefined>;
  /** Told once when sealing stops, and once when it goes on. */
  readonly onAlarm?: (alarm: string | null) => Promise<void>;
  /** For tests: called between what was read and what is written. */
  readonly beforeWrite?: () => Promise<void>;
}

export interface Sealer {
  /**
   * Seals what is committed and not sealed yet; answers the newest checkpoint where it signed one. Somebody else who seals
   * is left alone. Never signs over a log that is not what was signed before: then it stops and raises the alarm.
   */
  pass(): Promise<StoredCheckpoint | undefined>;
}

const LEAVES_AT_ONCE = 65_536;

export function createSealer({ db, clock, tenantId, origin, signers, log, leavesAtOnce = LEAVES_AT_ONCE, keptOutside, onAlarm, beforeWrite }: SealerDeps): Sealer {
  const keys = signers.map(({ verifierKey }) => verifierKey);
  let isComparedOutside = keptOutside === undefined;

  /** The last checkpoint, and that it is ours: signed, of this tree, and the same as its columns say. */
  async function head(connection: Connection): Promise<StoredCheckpoint | undefined> {
    const stored = await latestCheckpoint(connection, tenantId);
    if (!stored) return undefined;
    const opened = openCheckpoint(stored.note, keys);
    if (!opened) throw new LedgerMismatch(`The last checkpoint, of ${stored.size} leaves, is signed by none of the keys in LEDGER_KEY. After a change of the key put the new one first, a comma, then the old one.`);
    if (opened.origin !== origin || opened.size !== stored.size || !opened.root.equals(stored.root)) throw new LedgerMismatch(`The last checkpoint, of ${stored.size} leaves, is not what was signed.`);
    return stored;
  }

  /** A database that was put back from a backup goes on from where it was: what was signed since would be signed again, and otherwise. */
  async function compareOutside(connection: Connection, last: StoredCheckpoint | undefined): Promise<void> {
    if (isComparedOutside) return;
    const note = await keptOutside?.();
    const kept = note === undefined ? undefined : openCheckpoint(note, keys);
    if (kept && kept.origin === origin) {
      if (kept.size > (last?.size ?? 0)) throw new LedgerMismatch(`The database ends at leaf ${last?.size ?? 0}, and the file of checkpoints knows ${kept.size}: it was put back from an older backup, or rows were cut off.`);
      const root = kept.size === last?.size ? last.root : (await readEdge(connection, tenantId, kept.size)).root();
      if (!root.equals(kept.root)) throw new LedgerMismatch(`The first ${kept.size} leaves are not those of the checkpoint that the file of checkpoints holds.`);
    }
    isComparedOutside = true;
  }

  /** One checkpoint further; `undefined` where nothing is left. */
  async function step(connection: Connection, fence: number): Promise<{ checkpoint: StoredCheckpoint; isAll: boolean } | undefined> {
    const read = await inSnapshot(connection, async () => {
      const last = await head(connection);
      const size = last?.size ?? 0;
      const edge = await readEdge(connection, tenantId, size);
      if (!edge.root().equals(last?.root ?? EMPTY_ROOT)) throw new LedgerMismatch(`What is stored below leaf ${size} is not what the last checkpoint signed.`);
      await compareOutside(connection, last);
      const queue = await readQueue(connection, tenantId, size);
      const spans = spansOf(queue.batches, queue.skip, leavesAtOnce);
      const tiles: FullTile[] = [];
      for await (const leaf of readLeaves(connection, tenantId, spans)) {
        if (!leaf) throw new LedgerMismatch(`Leaf ${edge.size} is recorded as dropped and was never sealed.`);
        tiles.push(...edge.add(prefixedLeafHash(leaf)));
      }
      return { last, size, edge, queue, spans, tiles };
    });
    const { last, size, edge, queue, spans, tiles } = read;
    if (spans.length === 0) {
      await dequeue(connection, tenantId, queue.done);
      return undefined;
    }
    let leaf = size;
    const seals = [];
    for (const { batch, from, to } of spans) {
      if (from === 0) seals.push({ batchId: batch.batchId, firstLeaf: leaf });
      leaf += to - from;
    }
    const root = edge.root();
    const done = [...queue.done, ...spans.filter(({ batch, to }) => to === leavesOf(batch)).map(({ batch }) => batch.batchId)];
    await beforeWrite?.();
    const checkpoint = await insertSealed(connection, tenantId, { fence, seals, tiles, done, keys: signers }, (after) => {
      const signedAt = new Date(Math.max(clock.now().getTime(), last?.signedAt.getTime() ?? 0, after === null ? 0 : after.getTime() + 1));
      return { size: edge.size, root, signedAt, note: signCheckpoint({ origin, size: edge.size, root, signedAt, previous: size }, signers) };
    });
    return { checkpoint, isAll: queue.isAll && edge.size - size < leavesAtOnce };
  }

  async function alarm(connection: Connection, sentence: string | null): Promise<void> {
    if (!await setAlarm(connection, tenantId, sentence, clock.now())) return;
    if (sentence === null) log.warn('the log is as the ledger has it again: sealing goes on');
    else log.error({ ledger: sentence }, 'the ledger is not as the log: nothing is sealed any more');
    await onAlarm?.(sentence);
  }

  return {
    async pass() {
      if (isComparedOutside && !await isSomethingToSeal(db.pool, tenantId)) return undefined;
      return withConnection(db, async (connection) => {
        const fence = await takeLead(connection, tenantId);
        if (fence === undefined) return undefined;
        let newest: StoredCheckpoint | undefined;
        try {
          for (let next = await step(connection, fence); next; next = next.isAll ? undefined : await step(connection, fence)) newest = next.checkpoint;
          await alarm(connection, null);
        } catch (error) {
          if (error instanceof LeadLost) log.info('somebody else has taken over the sealing');
          else if (error instanceof LedgerMismatch) await alarm(connection, error.message);
          else throw error;
        }
        await leaveLead(connection, tenantId, fence);
        return newest;
      });
    },
  };
}
