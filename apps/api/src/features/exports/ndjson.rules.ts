import { idOf, type LogRow } from './log-row.rules.ts';

/**
 * One event a line, as it was received and never written anew. Line ends between the tokens of its JSON become spaces: the
 * same JSON, of the same length. What is no JSON object is put into one, so that every line can be read.
 */
export function ndjsonRow(row: LogRow): string {
  if (row.defect === null || isObject(row.raw)) return `${row.raw.replaceAll(/[\r\n]/g, ' ')}\n`;
  return `${JSON.stringify({ gatehouse: { eventId: idOf(row), defect: row.defect, received: row.raw } })}\n`;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
