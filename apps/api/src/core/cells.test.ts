import { describe, expect, test } from 'vitest';
import { safeCell } from './cells.ts';

describe('a cell that a spreadsheet would run is shown as text', () => {
  test.each([
    '=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '=HYPERLINK("http://evil.example","click")', `=cmd|' /C calc'!A0`, '＝1+1', '＋1', '－1', '＠A1', ' =1+1', '  @A1', '\u00a0=1', '\r\n+1', '-', '=',
    '\tlooks harmless', '\u200b=HYPERLINK("http://evil.example","click")', '\u00ad=1', '\ufeff+1', '\u2060@A1', '\u180e-1', '\u0000=1', '\u001f \u009f=1',
  ])('%j', (value) => { expect(safeCell(value)).toBe(`'${value}`); });

  test.each(['', 'Month-end close', 'a=b', '1+1', 'Ana Costa', "'=1", 'PIM_1', '2026-03-02T09:00:00.1234567Z', 'é', '"quoted"', '\u200bAna'])('%j stays as it is', (value) => { expect(safeCell(value)).toBe(value); });

  test('nothing is an empty cell', () => { expect(safeCell(null)).toBe(''); });
});
