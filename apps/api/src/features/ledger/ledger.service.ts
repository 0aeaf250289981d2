import { LARGE_EXPORT, type Answer, type GetEventProof, type GetLedger, type GetLedgerConsistency, type GetLedgerTile, type LedgerCheckpoint } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { proofNeeded, proofOf } from '../../core/proof.ts';
import { record } from '../audit/audit.ts';

interface Checkpoint {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly signedAt: Date;
}

/** What is read of the ledger, which the mirror keeps. */
export interface LedgerPort {
  state(): Promise<{
    readonly unsealedBatches: number; readonly oldestUnsealedAt: Date | null; readonly alarm: string | null; readonly alarmAt: Date | null; readonly checkedAt: Date | null; readonly found: string | null;
    readonly anchors: readonly { readonly kind: 'log' | 'file' | 'webhook'; readonly size: number; readonly anchoredAt: Date | null; readonly error: string | null }[];
  }>;
  checkpoint(): Promise<Checkpoint | undefined>;
  checkpointOf(size: number): Promise<Checkpoint | undefined>;
  keys(): Promise<readonly string[]>;
  tile(level: number, index: number): Promise<Buffer | undefined>;
  proofOfEvent(source: string, eventId: string): Promise<{ readonly leafIndex: number; readonly data: string; readonly hashes: readonly Buffer[]; readonly checkpoint: Checkpoint; readonly sealedAt: Date } | null | undefined>;
  consistency(older: number, newer: number): Promise<readonly Buffer[] | undefined>;
  pack(range: { readonly from?: Date | undefined; readonly to?: Date | undefined }): AsyncGenerator<Buffer>;
}

export interface LedgerReadingDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Sign-ins are judged by real time, also where the demo's clock goes ahead. */
  readonly systemClock: Clock;
  readonly newId: () => string;
  readonly ledger: LedgerPort;
}

export type LedgerReading = ReturnType<typeof createLedgerReading>;

const HASH_BYTES = 32;
const base64 = (bytes: Buffer): string => bytes.toString('base64');
const shown = ({ size, root, note, signedAt }: Checkpoint): LedgerCheckpoint => ({ size, root: base64(root), note, signedAt: signedAt.toISOString() });

/** What auditors and whoever runs the portal see of the ledger, and take with them to check elsewhere. */
export function createLedgerReading({ db, clock, systemClock, newId, ledger }: LedgerReadingDeps) {
  return {
    async state(): Promise<Answer<typeof GetLedger>> {
      const [state, checkpoint, keys] = await Promise.all([ledger.state(), ledger.checkpoint(), ledger.keys()]);
      return {
        now: clock.now().toISOString(), checkpoint: checkpoint ? shown(checkpoint) : null,
        waiting: state.unsealedBatches, waitingSince: state.oldestUnsealedAt?.toISOString() ?? null,
        alarm: state.alarm, alarmAt: state.alarmAt?.toISOString() ?? null, checkedAt: state.checkedAt?.toISOString() ?? null, found: state.found,
        anchors: state.anchors.map((anchor) => ({ ...anchor, anchoredAt: anchor.anchoredAt?.toISOString() ?? null })),
        keys: [...keys],
      };
    },

    async note(): Promise<string> {
      const checkpoint = await ledger.checkpoint();
      if (!checkpoint) throw new PortalError('not-found', { detail: 'Nothing is sealed yet.' });
      return checkpoint.note;
    },

    async keys(): Promise<string> {
      return (await ledger.keys()).map((key) => `${key}\n`).join('');
    },

    async tile(level: number, index: number): Promise<Answer<typeof GetLedgerTile>> {
      const [checkpoint, tile] = [await ledger.checkpoint(), await ledger.tile(level, index)];
      if (!checkpoint || !tile) throw new PortalError('not-found', { detail: 'The tree has no such tile yet.' });
      return { size: checkpoint.size, hashes: Array.from({ length: tile.length / HASH_BYTES }, (_, at) => base64(tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))) };
    },

    async consistency(older: number, newer: number): Promise<Answer<typeof GetLedgerConsistency>> {
      if (older > newer) throw fieldError('invalid-request', 'query.from', 'The older tree is the smaller one');
      const [from, to, hashes] = [await ledger.checkpointOf(older), await ledger.checkpointOf(newer), await ledger.consistency(older, newer)];
      if (!from || !to || !hashes) throw new PortalError('not-found', { detail: 'No tree of this size was signed.' });
      return { from: shown(from), to: shown(to), hashes: hashes.map(base64) };
    },

    async proofOfEvent(id: string): Promise<Answer<typeof GetEventProof>> {
      const [, source, eventId] = /^(directory|portal):([^\0]+)$/.exec(id) ?? [];
      const found = source !== undefined && eventId?.isWellFormed() === true ? await ledger.proofOfEvent(source, eventId) : undefined;
      if (found === undefined) throw new PortalError('not-found');
      if (found === null) return { proof: null };
      const { leafIndex, data, hashes, checkpoint, sealedAt } = found;
      return { proof: { leafIndex, data, hashes: hashes.map(base64), note: checkpoint.note, size: checkpoint.size, root: base64(checkpoint.root), keys: [...await ledger.keys()], sealedAt: sealedAt.toISOString() } };
    },

    /** Of a large ledger soon after a sign-in only. First that it happens, then the file: whoever cuts the download has taken what came until then. */
    async pack(actor: Actor, { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }): Promise<{ fileName: string; chunks: AsyncGenerator<Buffer> }> {
      const checkpoint = await ledger.checkpoint();
      if (!checkpoint) throw new PortalError('not-found', { detail: 'Nothing is sealed yet.' });
      const proof = proofOf(actor, systemClock.now());
      if (proof !== 'fresh' && checkpoint.size > LARGE_EXPORT) throw proofNeeded(proof, `A ledger of more than ${LARGE_EXPORT.toLocaleString('en-US')} rows can be taken along`);
      await db.prisma.$transaction((tx) => record(tx, { id: newId(), at: clock.now(), actor, type: 'history.exported', kind: 'portal-export', result: 'success', data: { what: 'ledger', filter: { from, to } } }));
      return { fileName: `gatehouse-ledger-${clock.now().toISOString().slice(0, 10)}.zip`, chunks: ledger.pack({ from: from === undefined ? undefined : new Date(from), to: to === undefined ? undefined : new Date(to) }) };
    },
  };
}
