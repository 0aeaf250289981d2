import type { Connection } from '@gatehouse/db';
import { readLeafRange, type Selection, type WholeMonth } from './log-reader.store.ts';
import type { PackPart } from './pack.writer.ts';

/** What the ledger adds to a pack. */
export interface LedgerPart {
  /** Sees to it that what is committed is sealed, before the pack looks at the log. */
  seal(): Promise<void>;
  /** Files with the proofs of the selected rows, and what they prove, in words. Reads by the connection of the pack, so that both see the same, and one file after the other. */
  filesOf(connection: Connection, selection: Selection | WholeMonth): Promise<readonly PackPart[]>;
}

/** The ledger, which the mirror keeps. */
export interface LedgerPort {
  seal(): Promise<void>;
  /** Files of the ledger's part of a pack; none where nothing is sealed yet. */
  part(connection: Connection, leaves: readonly [from: number, to: number]): AsyncIterable<{ readonly name: string; chunks(): AsyncIterable<Buffer> | Iterable<Buffer> }>;
}

const WORDS = 'LEDGER.txt';
const words = (lines: readonly string[]): PackPart => ({ name: WORDS, content: async function* content() { yield Buffer.from(`${lines.join('\n')}\n`); } });

const NOT_SEALED = [
  'NO PROOFS YET', '',
  'The events of this pack were not sealed into a ledger when it was made. The pack shows what the portal holds; that',
  'nothing in it was altered or left out rests on the portal and its database alone.',
];

/** Proofs out of the ledger. */
export function sealedPart(ledger: LedgerPort): LedgerPart {
  return {
    async seal() {
      // The first may be one that was under way before; the second begins after what is asked for.
      await ledger.seal();
      await ledger.seal();
    },
    async filesOf(connection, selection) {
      const { from, to, sealed, waiting } = await readLeafRange(connection, selection);
      const files: PackPart[] = [];
      for await (const { name, chunks } of ledger.part(connection, [from, to])) files.push({ name, content: async function* content() { yield* chunks(); } });
      return files.length === 0 ? [words(NOT_SEALED)] : [words(proofsInWords({ sealed, waiting })), ...files];
    },
  };
}

function proofsInWords({ sealed, waiting }: { readonly sealed: number; readonly waiting: number }): string[] {
  return [
    'PROOFS', '',
    waiting === 0 ? `All ${sealed} events of this pack are in the ledger of the log.` : `${sealed} events of this pack are in the ledger of the log. ${waiting} WERE NOT SEALED when it was made: nothing proves them.`, '',
    'The folder ledger/ holds a checkpoint that the portal signed, and every row of the log that was sealed from the first of',
    'these events to the last, ALSO ROWS THAT THE FILTER OF THE PACK LEAVES OUT: only so can it be seen that none is missing.',
    'Rows between them that were dropped when their time was over are recorded in the ledger itself; the program names them.',
    'Keep that in mind before the pack is handed on.', '',
    'Check it with the program gatehouse-verify, which shares no code with the portal:', '',
    '  gatehouse-verify PACK.zip', '',
    'It tells whether the rows are what was signed, and whether each line of events.ndjson is one of them. Give it a',
    'checkpoint that was kept elsewhere (--checkpoint) or a public key that you know (--key): a portal that lies could have',
    'signed another log. The format is in docs/ledger-format.md of Gatehouse, for whoever writes a program of their own.',
  ];
}
