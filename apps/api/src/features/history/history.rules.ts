import type { HistoryActivation, HistoryEvent } from '@gatehouse/contracts';
import { safeCell } from '../../core/cells.ts';
import { INSTANT } from '../../core/cursors.ts';

/** An instant in UTC with six decimals, as PostgreSQL takes it: it knows no year 0 and not every zone that ISO 8601 can write. `undefined` where it is none. */
export function instantOf(text: string): string | undefined {
  const [, seconds = '', fraction = '', zone = ''] = /^(.*T\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$/i.exec(text) ?? [];
  const whole = new Date(`${seconds}${zone}`);
  if (Number.isNaN(whole.getTime())) return undefined;
  const instant = `${whole.toISOString().slice(0, -5)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
  return INSTANT.test(instant) ? instant : undefined;
}

/** A pattern that finds the text anywhere, with nothing in it that LIKE would read. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

interface Columns<Row> { readonly [title: string]: (row: Row) => string | null }

export const EVENT_COLUMNS: Columns<HistoryEvent> = {
  'Time (UTC)': (event) => event.at,
  'Source': (event) => event.source,
  'Service': (event) => event.service,
  'Activity': (event) => event.activity,
  'Kind': (event) => event.kind,
  'Result': (event) => event.result,
  'Reason': (event) => event.reason,
  'Actor': (event) => event.actorName,
  'Actor id': (event) => event.actorId,
  'Person': (event) => event.subjectName,
  'Person id': (event) => event.subjectId,
  'Group': (event) => event.groupName,
  'Group id': (event) => event.groupId,
  'Application': (event) => event.applicationName,
  'Request id': (event) => event.requestId,
  'Event id': (event) => event.id,
};

export const ACTIVATION_COLUMNS: Columns<HistoryActivation> = {
  'Requested (UTC)': (row) => row.requestedAt,
  'Status': (row) => row.status,
  'Person': (row) => row.principalName,
  'Person id': (row) => row.principalId,
  'Group': (row) => row.groupName,
  'Group id': (row) => row.groupId,
  'Applications': (row) => row.applications.join('; '),
  'Reason': (row) => row.justification,
  'Ticket': (row) => row.ticketNumber,
  'Decided by': (row) => row.decidedBy,
  'Decided (UTC)': (row) => row.decidedAt,
  'Decision reason': (row) => row.decisionReason,
  'Active from (UTC)': (row) => row.provisionedAt,
  'Expires (UTC)': (row) => row.expiresAt,
  'Ended (UTC)': (row) => row.endedAt,
  'Ended how': (row) => row.endedHow,
  'Request id': (row) => row.requestId,
};

export const titlesOf = <Row>(columns: Columns<Row>): string[] => Object.keys(columns);
export const cellsOf = <Row>(columns: Columns<Row>, row: Row): string[] => Object.values(columns).map((read) => safeCell(read(row)));
