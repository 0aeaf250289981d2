import { writeSetups, type Mistake, type SourceIssue } from '../setup/setup.ts';
import { readBatchFile, writeBatchFile, type BatchFile, type BatchText } from './batch-file.ts';

/** What is done with files of many setups in a thread of its own: what comes and what goes is data, so that it can be handed over. */

function opened(text: BatchText): BatchFile {
  const file = readBatchFile(text);
  if ('mistakes' in file) throw new Error(`a file was read once and is not any more: ${file.mistakes.map(({ line, message }) => `line ${line}: ${message}`).join(' ')}`);
  return file;
}

const TASKS = {
  read(text: BatchText) {
    const file = readBatchFile(text);
    return 'mistakes' in file ? file : { rows: file.rows.map(({ line, name, read }) => ({ line, name, read: 'source' in read ? { source: read.source } : read })) };
  },
  mistakesIn(text: BatchText, found: readonly { readonly ordinal: number; readonly issues: readonly SourceIssue[] }[]): (readonly Mistake[])[] {
    const { rows } = opened(text);
    return found.map(({ ordinal, issues }) => {
      const read = rows[ordinal]?.read;
      return read && 'source' in read ? read.mistakesOf(issues) : [];
    });
  },
  result(text: BatchText, told: readonly { readonly ordinal: number; readonly result: string; readonly reason: string }[]): string {
    const { form, rows } = opened(text);
    return writeBatchFile(form, told.flatMap(({ ordinal, result, reason }) => {
      const row = rows[ordinal];
      return row ? [{ written: row.written, result, reason }] : [];
    }));
  },
  setups: writeSetups,
};
export type Tasks = typeof TASKS;
/** One task with its arguments. */
export type Asked = { readonly [K in keyof Tasks]: { readonly task: K; readonly args: Parameters<Tasks[K]> } }[keyof Tasks];

export function done(asked: Asked): unknown {
  switch (asked.task) {
    case 'read': return TASKS.read(...asked.args);
    case 'mistakesIn': return TASKS.mistakesIn(...asked.args);
    case 'result': return TASKS.result(...asked.args);
    case 'setups': return TASKS.setups(...asked.args);
  }
}
