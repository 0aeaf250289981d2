import { idOf, shortened, visible, type LogRow } from './log-row.rules.ts';

/** As the receiver shows it: ArcSight's Common Event Format, version 0. */
const VENDOR = 'Gatehouse';
const PRODUCT = 'Gatehouse';
const VERSION = '1';

/** In a header `|` and `\` are escaped, and no line ends. */
const header = (text: string, most: number): string => shortened(visible(text).replaceAll(/[\r\n\t]+/g, ' '), most).replaceAll(/[\\|]/g, '\\$&');
/** In a value `=` and `\` are escaped, and line ends are written. */
const value = (text: string, most: number): string => shortened(visible(text), most).replaceAll(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n');

/** Longest value of a field, as CEF's dictionary bounds it. */
const NAME = 512;
const SHORT = 1023;
const LONG = 4000;

/** 0 to 10: what failed or was removed is worth more of a look than what went well. */
function severityOf({ result, kind }: LogRow): number {
  if (result === 'failure') return 6;
  return ['role-settings-changed', 'assigned', 'portal-export', 'portal-retention', 'eligible-added', 'eligible-removed'].includes(kind) ? 5 : 3;
}

type Field = readonly [key: string, text: string | null, most?: number];
/** A key without a meaning of its own says which it has; no label stands without a value. */
const labelled = (key: string, label: string, text: string | null, most = LONG): readonly Field[] => (text === null || text === '' ? [] : [[`${key}Label`, label], [key, text, most]]);

/** One event as one line of CEF, without its end. */
export function cefLine(row: LogRow): string {
  const fields: readonly Field[] = [
    ['rt', String(Date.parse(row.at))],
    // Not externalId, which ends after 40 characters: the directory's ids are longer.
    ...labelled('flexString1', 'eventId', idOf(row), SHORT),
    ['cat', row.kind],
    ['outcome', row.result],
    ['reason', row.reason],
    ['suid', row.actorId], ['suser', row.actorName],
    ['duid', row.subjectId], ['duser', row.subjectName],
    ...labelled('cs1', 'group', row.groupName || row.groupId), ...labelled('cs2', 'groupId', row.groupId), ...labelled('cs3', 'application', row.applicationName),
    ...labelled('cs4', 'requestId', row.requestId), ...labelled('cs5', 'correlationId', row.correlationId), ...labelled('cs6', 'defect', row.defect),
  ];
  const extension = fields.flatMap(([name, text, most]) => (text === null || text === '' ? [] : [`${name}=${value(text, most ?? SHORT)}`])).join(' ');
  return `CEF:0|${VENDOR}|${PRODUCT}|${VERSION}|${header(`${row.service}:${row.kind}`, SHORT)}|${header(row.activity.trim() === '' ? row.kind : row.activity, NAME)}|${severityOf(row)}|${extension}`;
}

export const cefRow = (row: LogRow): string => `${cefLine(row)}\n`;
