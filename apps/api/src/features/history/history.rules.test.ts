import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { safeCell } from '../../core/cells.ts';
import { cursorOf, positionOf } from '../../core/cursors.ts';
import { containing } from './history.rules.ts';

describe('a cell that a spreadsheet would run is shown as text', () => {
  test.each([
    '=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '=HYPERLINK("http://evil.example","click")', `=cmd|' /C calc'!A0`, '＝1+1', '＋1', '－1', '＠A1', ' =1+1', '  @A1', '\u00a0=1', '\r\n+1', '-', '=',
    '\tlooks harmless',
  ])('%j', (value) => { expect(safeCell(value)).toBe(`'${value}`); });

  test.each(['', 'Month-end close', 'a=b', '1+1', 'Ana Costa', "'=1", 'PIM_1', '2026-03-02T09:00:00.1234567Z', 'é', '"quoted"'])('%j stays as it is', (value) => { expect(safeCell(value)).toBe(value); });

  test('nothing is an empty cell', () => { expect(safeCell(null)).toBe(''); });
});

describe('cursors', () => {
  test('a position comes back with all its decimals', () => {
    fc.assert(fc.property(fc.date({ min: new Date('2000-01-01'), max: new Date('2199-01-01'), noInvalidDate: true }), fc.integer({ min: 0, max: 999 }), fc.string().filter((text) => !text.includes('\u0000') && text.isWellFormed()), (date, micros, id) => {
      const position = [date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`), 'directory', id] as const;
      expect(positionOf(cursorOf(position), 3)).toEqual(position);
    }));
  });

  test.each([
    ['nothing', ''], ['no JSON', 'zzz'], ['no list', Buffer.from('{}').toString('base64url')], ['another list\'s', cursorOf(['2026-03-02T09:00:00.000000Z', 'id'])],
    ['no instant', cursorOf(['now', 'directory', 'id'])], ['an instant that is none', cursorOf(['2026-99-02T09:00:00.000000Z', 'directory', 'id'])], ['other types', Buffer.from('["2026-03-02T09:00:00.000000Z",1,2]').toString('base64url')],
    ['a NUL', cursorOf(['2026-03-02T09:00:00.000000Z', 'directory', 'a\u0000'])], ['SQL', cursorOf([`2026-03-02T09:00:00.000000Z'; drop table audit_event; --`, 'directory', 'id'])],
  ])('%s is no cursor', (_name, cursor) => { expect(positionOf(cursor, 3)).toBeUndefined(); });
});

test('what LIKE would read is only text', () => { expect(containing('50%_a\\b')).toBe('%50\\%\\_a\\\\b%'); });
