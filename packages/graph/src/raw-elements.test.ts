import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rawElements } from './raw-elements.ts';

describe('each element comes back as the text that was received', () => {
  test.each([
    ['brackets, commas and quotes inside strings', ['{"a":"}],[{\\"value\\":[1,2]"}', '{"b":"\\\\"}', '{"c":"\\\\\\""}']],
    ['escapes that JSON.parse would undo', ['{"a":"\\u00e9\\/\\ud83d\\ude00\\n"}', '{"a":"é/😀"}']],
    ['seven-digit fractions and numbers beyond a double', ['{"at":"2026-03-02T12:00:00.1234567Z","n":12345678901234567890.10}', '{"n":1E400}']],
    ['spacing and order', ['{ "b" : 1 ,\n\t"a" : [ ] }', '{"1":1,"0":0}']],
    ['elements that are no objects', ['null', '"x,]"', '-1.5e3', 'true', '[[1],[2]]', '[]', '{}']],
    ['repeated names inside an element', ['{"id":"1","id":"2"}']],
    ['a value array inside an element', ['{"value":[{"value":[]}]}']],
  ])('%s', (_what, elements) => {
    for (const [open, between, close] of [['{"value":[', ',', ']}'], [' {\r\n"@odata.context":"a\\"value\\":[9]", "value" : [ ', '\n ,\t', ' ] , "@odata.nextLink":"http://x" } ']]) {
      const text = `${open}${elements.join(between)}${close}`;
      JSON.parse(text);
      expect(rawElements(text)).toEqual(elements);
    }
  });

  test('whatever the elements are', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.json(), (elements, other) => {
        const text = `{"other":${other},"value":[${elements.join(', ')}],"more":${other}}`;
        expect(rawElements(text)).toEqual(elements.map((element) => element.trim()));
      }),
    );
  });
});

test('only the top level counts, and the last of repeated names', () => {
  expect(rawElements('{"a":{"value":[1]},"value":[2],"b":[{"value":[3]}]}')).toEqual(['2']);
  expect(rawElements('{"value":[1],"value":[2,3]}')).toEqual(['2', '3']);
  expect(rawElements('{"val\\u0075e":[1]}')).toEqual(['1']);
});

test('an empty list is empty, and a text without the list is none', () => {
  expect(rawElements('{"value":[ ]}')).toEqual([]);
  for (const text of ['{}', '{"value":{}}', '{"value":null}', '[1]', '"value"', 'null']) expect(rawElements(text)).toBeUndefined();
});
