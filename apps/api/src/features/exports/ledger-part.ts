import type { Connection } from '@gatehouse/db';
import type { Mark } from './log-reader.store.ts';

/** What the ledger adds to a pack: files below `ledger/`, each as it is to stand there. */
export interface LedgerFile { readonly name: string; readonly content: () => AsyncIterable<Buffer> | Promise<AsyncIterable<Buffer>> }

/** The rows that a pack holds: the events of a tenant up to a mark, in a range of time. */
export interface LedgerRows { readonly tenantId: string; readonly mark: Mark; readonly from?: string | undefined; readonly to?: string | undefined }

/** Proofs for the rows of a pack. Reads by the connection of the pack, so that both see the same. */
export type LedgerPart = (connection: Connection, rows: LedgerRows) => Promise<readonly LedgerFile[]>;

const NOT_SEALED = [
  'NO PROOFS YET', '',
  'The events of this pack were not sealed into a ledger when it was made. The pack shows what the portal holds; that',
  'nothing in it was altered or left out rests on the portal and its database alone.', '',
].join('\n');

/** Where there is no ledger: said as it is. */
export const notSealed: LedgerPart = async () => [{ name: 'README.txt', content: async function* content() { yield Buffer.from(NOT_SEALED); } }];
