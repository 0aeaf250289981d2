import { COUNTED_TO, EventKind, EventResult, EventSource, type Answer, type CountEvents } from '@gatehouse/contracts';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import type { Filter } from './filter-bar.tsx';
import { eventCount, type EventQuery } from './history.queries.ts';
import { KINDS, RESULTS, SOURCES } from './history.words.ts';

const useStyles = makeStyles({
  line: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '4px 8px', minHeight: '32px', margin: '0 0 12px', padding: 0, listStyle: 'none' },
  total: { marginRight: '8px', fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: 'tabular-nums' },
  facet: { border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusCircular, padding: '2px 10px', minHeight: '24px', color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground1, fontFamily: 'inherit', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, cursor: 'pointer', fontVariantNumeric: 'tabular-nums', ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover } },
  chosen: { backgroundColor: tokens.colorBrandBackground2, border: `1px solid ${tokens.colorBrandStroke1}`, color: tokens.colorBrandForeground2 },
  note: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

const number = new Intl.NumberFormat('en-GB');
/** So many values of a facet are offered; the field has them all. */
const OFFERED = 5;

/** How many events there are, and of which sort: each is a button that narrows the list to it, or takes that back. */
export function CountLine({ filter, wish }: { filter: Filter; wish: EventQuery }) {
  const styles = useStyles();
  const { data } = useQuery(eventCount(wish));
  // Its place is kept: the list below does not move when the numbers come.
  if (!data) return <p className={styles.line} aria-hidden>&nbsp;</p>;
  const shown = facetsShown(data);
  return (
    <ul className={styles.line} aria-label="How many">
      <li className={styles.total}>{data.is === 'more' ? `${number.format(COUNTED_TO)}+ events` : data.events === 1 ? '1 event' : `${number.format(data.events)} events`}</li>
      {shown.map(({ name, value, word, events }) => (
        <li key={`${name} ${value}`}>
          <button type="button" className={mergeClasses(styles.facet, filter.text(name) === value && styles.chosen)} aria-pressed={filter.text(name) === value} onClick={() => { filter.set(name, filter.text(name) === value ? '' : value); }}>
            {word} {number.format(events)}
          </button>
        </li>
      ))}
      {data.facetsOf === 'some' && shown.length > 0 && <li className={styles.note}>of {number.format(COUNTED_TO)} of them</li>}
    </ul>
  );
}

function facetsShown({ facets }: Answer<typeof CountEvents>): { name: string; value: string; word: string; events: number }[] {
  const wordOf = { kind: (value: string) => { const kind = EventKind.safeParse(value).data; return kind && KINDS[kind]; }, result: (value: string) => { const result = EventResult.safeParse(value).data; return result && RESULTS[result].word; }, source: (value: string) => { const source = EventSource.safeParse(value).data; return source && SOURCES[source]; } };
  return (['source', 'result', 'kind'] as const).flatMap((name) => facets[name].slice(0, OFFERED).flatMap(({ value, events }) => { const word = wordOf[name](value); return word === undefined ? [] : [{ name, value, word, events }]; }));
}
