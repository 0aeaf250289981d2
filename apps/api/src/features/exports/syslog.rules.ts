import { cefLine } from './cef.rules.ts';
import type { LogRow } from './log-row.rules.ts';

/** Facility "log audit" (RFC 5424 §6.2.1). */
const FACILITY = 13;
const WARNING = 4;
const NOTICE = 5;

/** Printable ASCII without spaces, as the header takes it. */
const token = (text: string, most: number): string => text.replaceAll(/[^\u0021-\u007e]/g, '-').slice(0, most) || '-';

/**
 * One event as a syslog message (RFC 5424) whose text is CEF, with its length before it (RFC 6587 §3.4.1): no event can
 * be taken for two, whatever somebody wrote into it.
 */
export function syslogFrame(row: LogRow, host: string): Buffer {
  const priority = FACILITY * 8 + (row.result === 'failure' ? WARNING : NOTICE);
  const message = Buffer.from(`<${priority}>1 ${row.at} ${token(host, 255)} gatehouse - ${token(row.kind, 32)} - ${cefLine(row)}`);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

const SECOND = 1000;
const LONGEST_MS = 10 * 60 * SECOND;

/** How long to leave a receiver alone that failed so many times in a row. */
export const pauseAfter = (failures: number): number => Math.min(LONGEST_MS, 5 * SECOND * 2 ** Math.min(failures - 1, 10));
