import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { Select } from '@fluentui/react-select';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { formatDay } from '../../lib/dates.ts';
import { names } from './history.queries.ts';

const useStyles = makeStyles({
  bar: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(128px, 1fr))', gap: '8px 12px', alignItems: 'end', margin: '12px 0 16px' },
  field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' }, '& > select': { minWidth: 0 } },
  clear: { minWidth: 0, paddingLeft: '8px', paddingRight: '8px', whiteSpace: 'nowrap' },
  wrong: { marginBottom: '16px' },
});

/** A filter with a fixed list of values, each with its word. */
export interface Choice { readonly name: string; readonly label: string; readonly options: readonly (readonly [string, string])[] }

const NAMES = [['person', 'Person'], ['group', 'Group'], ['application', 'Application or host']] as const;
const TEXTS = [...NAMES, ['text', 'Reason or ticket']] as const;
const DAYS = [['from', 'From'], ['to', 'To']] as const;
/** The part of those days that the timeline shows, as the address names it. */
export const ZOOM = 'zoom';

export type Filter = ReturnType<typeof useFilter>;

/** The address bar is the filter's state: a view can be bookmarked, sent to a colleague, and survives a reload. */
export function useFilter(choices: readonly Choice[], has: { readonly text: boolean } = { text: true }) {
  const [search, setSearch] = useSearchParams();
  // Of two changes before the page is drawn again, the second goes on from the first: the router gives both the same address.
  const latest = useRef(search);
  useEffect(() => { latest.current = search; }, [search]);
  const change = (alter: (next: URLSearchParams) => void): void => {
    const next = new URLSearchParams(latest.current);
    alter(next);
    latest.current = next;
    setSearch(next, { replace: true });
  };
  const text = (name: string): string => search.get(name)?.trim() ?? '';
  const wordOf = ({ name, options }: Choice): string | undefined => options.find(([value]) => value === text(name))?.[1];
  const [from, to] = [startOf(text('from')), startOf(text('to'), 1)];
  const texts = has.text ? TEXTS : NAMES;
  const [isShort, found] = [text('text') !== '' && !/[\p{L}\p{N}]{3}/u.test(text('text')), text('text')];
  const fields = [...texts, ...choices.map(({ name, label }) => [name, label] as const), ...DAYS];
  return {
    text, texts,
    /** The part of a reason or ticket that is long enough to be looked up. */
    found: isShort || found === '' ? undefined : found,
    set: (name: string, value: string): void => {
      change((next) => {
        if (value.trim() === '') next.delete(name);
        else next.set(name, value.trim());
        // Of other days it is no part: they would be chosen and not shown.
        if (DAYS.some(([day]) => day === name)) next.delete(ZOOM);
      });
    },
    /** Takes off the filters; what is open beside the list stays open. */
    clear: (): void => {
      change((next) => { for (const name of [...fields.map(([field]) => field), ZOOM]) next.delete(name); });
    },
    isEmpty: fields.every(([name]) => text(name) === ''),
    /** Which way the list runs. */
    order: text('order') === 'oldest' ? 'oldest' as const : 'newest' as const,
    /** What the list is narrowed by, in words: `person “Ana”, what “Denied”, from 1 Mar 2026`. */
    words: [
      ...texts.flatMap(([name, label]) => (text(name) === '' ? [] : [`${label.toLowerCase()} “${text(name)}”`])),
      ...choices.flatMap((choice) => (wordOf(choice) === undefined ? [] : [`${choice.label.toLowerCase()} “${wordOf(choice)}”`])),
      ...(from === undefined ? [] : [`from ${formatDay(from)}`]),
      ...(to === undefined ? [] : [`to ${formatDay(startOf(text('to')) ?? to)}`]),
    ].join(', '),
    /** What the address asks for and cannot be: an old link or a slip of the hand must not look like an answer. */
    wrong: [
      ...(has.text && isShort ? [`“${found}” is too short: a reason or ticket is looked up by three letters or digits in a row. The list is not narrowed by it.`] : []),
      ...choices.flatMap((choice) => (text(choice.name) !== '' && wordOf(choice) === undefined ? [`${choice.label} “${text(choice.name)}” is not known, so the list is not narrowed by it.`] : [])),
      ...DAYS.flatMap(([name, label]) => (text(name) !== '' && startOf(text(name)) === undefined ? [`${label} “${text(name)}” is not a day, so the list is not narrowed by it.`] : [])),
      ...(from !== undefined && to !== undefined && from >= to ? ['From is after To, so nothing can match.'] : []),
    ],
    /** The first instant of a local day, and of the day after it: ranges are half-open. */
    from,
    to,
  };
}

/** A day that the calendar has, in years that a log can have; while a year is typed, it is 0002 first. */
function startOf(day: string, plusDays = 0): string | undefined {
  const match = /^([12]\d{3})-(\d{2})-(\d{2})$/.exec(day);
  if (!match) return undefined;
  const [year, month, date] = [Number(match[1]), Number(match[2]) - 1, Number(match[3])];
  // 31 February would be a day of March.
  if (new Date(year, month, date).getMonth() !== month) return undefined;
  return new Date(year, month, date + plusDays).toISOString();
}

/** What is typed, until it counts; it follows the address when that changes by itself. */
function useDraft(value: string) {
  const [draft, setDraft] = useState({ text: value, of: value });
  if (draft.of !== value) setDraft({ text: value, of: value });
  return [draft.text, (text: string): void => { setDraft({ text, of: value }); }] as const;
}

function TextFilter({ filter, name, label, list }: { filter: Filter; name: string; label: string; list?: string }) {
  const styles = useStyles();
  const [text, setText] = useDraft(filter.text(name));
  const commit = (): void => { if (text.trim() !== filter.text(name)) filter.set(name, text); };
  return (
    <Field label={label}>
      <Input className={styles.field} type="search" maxLength={200} value={text} {...(list !== undefined && { list })} onBlur={commit}
        onChange={(_event, { value }) => { setText(value); if (value === '') filter.set(name, ''); }} onKeyDown={(event) => { if (event.key === 'Enter') commit(); }} />
    </Field>
  );
}

function DayFilter({ filter, name, label }: { filter: Filter; name: string; label: string }) {
  const styles = useStyles();
  const [day, setDay] = useDraft(filter.text(name));
  return (
    <Field label={label}>
      <Input className={styles.field} type="date" value={day} onChange={(_event, { value }) => { setDay(value); if (value === '' || startOf(value) !== undefined) filter.set(name, value); }} />
    </Field>
  );
}

/** Who, which group, which application, what and when. Text counts when Enter is pressed or the field is left. */
export function FilterBar({ filter, choices, orders }: { filter: Filter; choices: readonly Choice[]; orders?: readonly (readonly [string, string])[] }) {
  const styles = useStyles();
  const { data } = useQuery(names());
  const lists = { group: useId(), application: useId() };
  return (
    <>
      <div role="search" className={styles.bar} aria-label="Filter">
        {filter.texts.map(([name, label]) => <TextFilter key={name} filter={filter} name={name} label={label} {...((name === 'group' || name === 'application') && { list: lists[name] })} />)}
        {choices.map(({ name, label, options }) => (
          <Field key={name} label={label}>
            <Select className={styles.field} value={options.some(([value]) => value === filter.text(name)) ? filter.text(name) : ''} onChange={(_event, { value }) => { filter.set(name, value); }}>
              <option value="">Any</option>
              {options.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
            </Select>
          </Field>
        ))}
        {DAYS.map(([name, label]) => <DayFilter key={name} filter={filter} name={name} label={label} />)}
        {orders && (
          <Field label="Order">
            <Select className={styles.field} value={filter.order} onChange={(_event, { value }) => { filter.set('order', value === orders[0]?.[0] ? '' : value); }}>{orders.map(([value, word]) => <option key={value} value={value}>{word}</option>)}</Select>
          </Field>
        )}
        {/* Its place is kept, so that no field moves when the first one is filled. */}
        {filter.isEmpty ? <span /> : <Button className={styles.clear} onClick={filter.clear}>Clear the filter</Button>}
        <datalist id={lists.group}>{data?.groups.map((name) => <option key={name} value={name} />)}</datalist>
        <datalist id={lists.application}>{data?.applications.map((name) => <option key={name} value={name} />)}</datalist>
      </div>
      {filter.wrong.length > 0 && <MessageBar intent="warning" layout="multiline" role="status" className={styles.wrong}><MessageBarBody>{filter.wrong.join(' ')}</MessageBarBody></MessageBar>}
    </>
  );
}
