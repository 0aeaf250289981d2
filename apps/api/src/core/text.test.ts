import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isStorable, storable } from './text.ts';

test.each([['', true], ['Ana Costa \u{1F600}', true], ['a\u0000', false], ['a\ud800', false], ['\udc00b', false]])('whether PostgreSQL stores %j: %s', (text, is) => { expect(isStorable(text)).toBe(is); });

test('what is stored differs from the text in what is not storable alone', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    expect(isStorable(storable(text))).toBe(true);
    if (isStorable(text)) expect(storable(text)).toBe(text);
    expect(storable(text)).toHaveLength(text.length);
  }));
  expect(storable('a\u0000b\ud800c\u{1F600}')).toBe('a\uFFFDb\uFFFDc\u{1F600}');
});
