import type { EventKind, HistoryEvent } from '@gatehouse/contracts';

/** One event of the log as it is stored; what an encoder is given. */
export interface LogRow {
  readonly source: HistoryEvent['source'];
  readonly eventId: string;
  /** 0 as first received; counted up where the same event came again with other content. */
  readonly revision: number;
  /** In UTC, with six decimals. */
  readonly at: string;
  /** As the source wrote it. */
  readonly atRaw: string;
  readonly activity: string;
  readonly kind: EventKind;
  readonly service: string;
  readonly result: HistoryEvent['result'];
  readonly reason: string | null;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly subjectId: string | null;
  readonly subjectName: string | null;
  readonly groupId: string | null;
  readonly groupName: string | null;
  readonly applicationId: string | null;
  readonly applicationName: string | null;
  readonly requestId: string | null;
  readonly correlationId: string | null;
  readonly raw: string;
  readonly defect: string | null;
}

/** The time of the event in UTC: as the source wrote it, or, where that is none or says no Z, as it was understood. */
export const timeOf = ({ at, atRaw, defect }: Pick<LogRow, 'at' | 'atRaw' | 'defect'>): string => (defect === null && /^\d[\s\S]{9}T[^\n]*Z$/.test(atRaw) ? atRaw : at);

/** The event's id across sources; a later version of the same event is told apart. */
export const idOf = ({ source, eventId, revision }: Pick<LogRow, 'source' | 'eventId' | 'revision'>): string => `${source}:${eventId}${revision > 0 ? `#${revision}` : ''}`;

/**
 * Text for a log line that people read in a terminal: no line ends, and nothing that moves the cursor or turns the
 * writing round. What is taken away is named, so that it can be seen that it was there.
 */
export function visible(text: string): string {
  return text.toWellFormed().replaceAll(UNSEEN, (character) => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`);
}

/** Control characters but line ends, marks of direction, and what has no width. */
const UNSEEN = new RegExp('[\\u0000-\\u0009\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]', 'gu');

/** The first so many characters, with a mark that there were more; no character is cut in half. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
