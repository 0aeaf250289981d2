import { idOf, shortened, visible, type LogRow } from './log-row.rules.ts';

/** As the receiver shows it: ArcSight's Common Event Format, version 0. */
const VENDOR = 'Gatehouse';
const PRODUCT = 'Gatehouse';
const VERSION = '1';

/** In a header `|` and `\` are escaped, and no line ends. */
const header = (text: string): string => visible(text).replaceAll(/[\r\n\t]+/g, ' ').replaceAll(/[\\|]/g, '\\$&');
/** In a value `=` and `\` are escaped, and line ends are written. */
const value = (text: string, most: number): string => shortened(visible(text), most).replaceAll(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n');

/** Longest value of a field, as CEF's dictionary bounds it. */
const SHORT = 1023;
const LONG = 4000;

/** 0 to 10: what failed or was removed is worth more of a look than what went well. */
function severityOf({ result, kind }: LogRow): number {
  if (result === 'failure') return 6;
  return ['role-settings-changed', 'assigned', 'portal-export', 'portal-retention', 'eligible-added', 'eligible-removed'].includes(kind) ? 5 : 3;
}

/** One event as one line of CEF, without its end. */
export function cefLine(row: LogRow): string {
  const fields: (readonly [string, string | null, number?])[] = [
    ['rt', String(Date.parse(row.at))],
    ['externalId', idOf(row)],
    ['cat', row.kind],
    ['outcome', row.result],
    ['reason', row.reason],
    ['suid', row.actorId], ['suser', row.actorName],
    ['duid', row.subjectId], ['duser', row.subjectName],
    ['cs1Label', row.groupName === null && row.groupId === null ? null : 'group'], ['cs1', row.groupName ?? row.groupId, LONG],
    ['cs2Label', row.groupId === null ? null : 'groupId'], ['cs2', row.groupId, LONG],
    ['cs3Label', row.applicationName === null ? null : 'application'], ['cs3', row.applicationName, LONG],
    ['cs4Label', row.requestId === null ? null : 'requestId'], ['cs4', row.requestId, LONG],
    ['cs5Label', row.correlationId === null ? null : 'correlationId'], ['cs5', row.correlationId, LONG],
    ['cs6Label', row.defect === null ? null : 'defect'], ['cs6', row.defect, LONG],
  ];
  const extension = fields.flatMap(([name, text, most]) => (text === null || text === '' ? [] : [`${name}=${value(text, most ?? SHORT)}`])).join(' ');
  return `CEF:0|${VENDOR}|${PRODUCT}|${VERSION}|${header(shortened(`${row.service}:${row.kind}`, SHORT))}|${header(shortened(row.activity, SHORT))}|${severityOf(row)}|${extension}`;
}

export const cefRow = (row: LogRow): string => `${cefLine(row)}\n`;
