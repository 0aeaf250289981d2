import { describe, expect, test } from 'vitest';
import type { ListPage } from './history.queries.ts';
import { shownOf } from './newest.rules.ts';
import { coverage } from './testing/history.tsx';

interface Row { readonly id: string; readonly at: string; readonly word: string }

/** Rows are known by their minute: `12` is newer than `11`; `11b` is another of the same. */
const row = (id: string, word = 'as it was'): Row => ({ id, at: `2026-03-02T09:${id.slice(0, 2)}:00Z`, word });
const page = (ids: readonly string[], { more = false, readAt = 0, word = 'as it was' } = {}): ListPage<Row> => ({ rows: ids.map((id) => row(id, word)), nextCursor: more ? 'more' : null, coverage: coverage({ from: String(readAt) }), readAt });
const shown = (pages: readonly ListPage<Row>[], newest?: ListPage<Row>) => shownOf<Row>({ keyOf: ({ id }) => id, timeOf: ({ at }) => at }, pages, newest);
const came = (pages: readonly ListPage<Row>[], newest: ListPage<Row>) => shown(pages, newest).came.map(({ id }) => id);
const outdated = (pages: readonly ListPage<Row>[], newest: ListPage<Row>) => shown(pages, newest).isOutdated;

describe('what came', () => {
  test.each<[string, ListPage<Row>[], ListPage<Row>, string[]]>([
    ['nothing', [page(['12', '11'])], page(['12', '11']), []],
    ['something newer', [page(['12', '11'])], page(['14', '13', '12', '11']), ['14', '13']],
    ['late, between two', [page(['14', '11'])], page(['14', '12', '11']), ['12']],
    ['late, behind the last of a whole list', [page(['14', '12'])], page(['14', '12', '11']), ['11']],
    ['nothing, behind the last of a list that goes on', [page(['14', '12'], { more: true })], page(['14', '12', '11']), []],
    ['late, at the end of a page that lost a place to a newer one', [page(['14', '12', '10'], { more: true })], page(['15', '14', '12', '11'], { more: true }), ['15', '11']],
    ['of the instant of the last', [page(['14', '12'], { more: true })], page(['14', '12', '12b'], { more: true }), ['12b']],
    ['all of it', [page(['12', '11'], { more: true })], page(['16', '15'], { more: true }), ['16', '15']],
    ['into what was read on', [page(['14', '13'], { more: true }), page(['12', '10'])], page(['14', '13', '11'], { more: true }), ['11']],
  ])('%s', (_what, pages, newest, ids) => { expect(came(pages, newest)).toEqual(ids); });
});

describe('what is shown', () => {
  test('stands where it stood, each once, as it was read last', () => {
    const pages = [page(['14', '12'], { more: true, readAt: 1 }), page(['12', '11'], { readAt: 5, word: 'read on' })];
    expect(shown(pages).rows.map(({ id, word }) => [id, word])).toEqual([['14', 'as it was'], ['12', 'read on'], ['11', 'read on']]);
    const newest = page(['15', '14', '12'], { more: true, readAt: 3, word: 'looked at' });
    expect(shown(pages, newest).rows.map(({ id, word }) => [id, word])).toEqual([['14', 'looked at'], ['12', 'read on'], ['11', 'read on']]);
  });

  test('is as complete as the latest look says', () => {
    expect(shown([page(['14'], { readAt: 1 })]).coverage?.from).toBe('1');
    expect(shown([page(['14'], { readAt: 1 })], page(['14'], { readAt: 2 })).coverage?.from).toBe('2');
    expect(shown([page(['14'], { readAt: 3 })], page(['14'], { readAt: 2 })).coverage?.from).toBe('3');
  });
});

describe('whether rows are shown that are not in the list any more', () => {
  test.each<[string, ListPage<Row>[], ListPage<Row>, boolean]>([
    ['none', [page(['12', '11'])], page(['13', '12', '11']), false],
    ['one that is gone from within', [page(['14', '12', '11'])], page(['14', '11']), true],
    ['the last of a whole list', [page(['14', '12'])], page(['14']), true],
    ['all', [page(['14'])], page([]), true],
    ['none that the page does not reach', [page(['14', '12', '11'])], page(['15', '14'], { more: true }), false],
    ['none that was read later', [page(['14', '12'], { readAt: 9 })], page(['14'], { readAt: 5 }), false],
  ])('%s', (_what, pages, newest, is) => { expect(outdated(pages, newest)).toBe(is); });
});
