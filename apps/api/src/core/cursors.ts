import { isStorable } from './text.ts';

/** Where a page of a list ends: the values that its rows are ordered by, as the database's own text. */
export type Position = readonly [at: string, ...rest: string[]];

/** An instant of the database as text, all its decimals kept. */
export const INSTANT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** A cursor to hand out. Instants stay text with all their decimals: `Date` would lose some, and rows with them. */
export function cursorOf(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position that a cursor stands for; `undefined` where it is none of ours. */
export function positionOf(cursor: string, parts: number): Position | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(value) || value.length !== parts || !value.every((part): part is string => typeof part === 'string' && isStorable(part))) return undefined;
    const [at = '', ...rest] = value;
    return INSTANT.test(at) && !Number.isNaN(Date.parse(at)) ? [at, ...rest] : undefined;
  } catch {
    return undefined;
  }
}
