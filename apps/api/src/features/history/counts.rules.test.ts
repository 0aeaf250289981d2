import fc from 'fast-check';
import { expect, test } from 'vitest';
import { facetsOf, spansOf } from './counts.rules.ts';

const instant = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2026, 0) }).chain((ms) => fc.constantFrom('000Z', '001Z', '999Z').map((micros) => new Date(ms).toISOString().replace('Z', micros)));
const boundary = fc.integer({ min: 0, max: 70_000 }).map((quarters) => new Date(Date.UTC(2024, 0) + quarters * 900_000).toISOString().replace('Z', '000Z'));
const SIZE = { quarter: /T\d\d:(?:00|15|30|45):00\.000000Z$/, day: /T00:00:00\.000000Z$/, month: /-01T00:00:00\.000000Z$/, event: /Z$/ };

test('a span is cut into buckets that touch, each whole, with the odd ends told one by one', () => {
  fc.assert(fc.property(fc.oneof(instant, boundary), fc.oneof(instant, boundary), (from, to) => {
    const spans = spansOf(from, to).sort((a, b) => (a.from < b.from ? -1 : 1));
    if (from >= to) {
      expect(spans).toEqual([]);
      return;
    }
    expect([spans[0]?.from, spans.at(-1)?.to]).toEqual([from, to]);
    spans.forEach((span, index) => {
      expect(span.from < span.to).toBe(true);
      if (index > 0) expect(span.from).toBe(spans[index - 1]?.to);
      expect([span.from, span.to].every((text) => SIZE[span.grain].test(text))).toBe(true);
      if (span.grain === 'event') expect(Date.parse(span.to) - Date.parse(span.from)).toBeLessThan(30 * 60_000);
    });
    // No more buckets than there need be: at most 95 quarters and 30 days at each end.
    expect(spans.length).toBeLessThanOrEqual(7);
  }), { numRuns: 500 });
});

test('without ends it is months alone', () => {
  expect(spansOf().map(({ grain }) => grain)).toEqual(['month']);
});

test('a facet counts as if it were not filtered by', () => {
  const counted = [{ kind: 'activated', result: 'success', source: 'directory', events: 5 }, { kind: 'activated', result: 'failure', source: 'directory', events: 2 }, { kind: 'denied', result: 'success', source: 'directory', events: 1 }];
  expect(facetsOf(counted, { kind: 'activated', result: 'failure' })).toEqual({
    kind: [{ value: 'activated', events: 2 }], result: [{ value: 'success', events: 5 }, { value: 'failure', events: 2 }], source: [{ value: 'directory', events: 2 }],
  });
});
