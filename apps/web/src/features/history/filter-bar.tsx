import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Select } from '@fluentui/react-select';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useSearchParams } from 'react-router';
import { names } from './history.queries.ts';

const useStyles = makeStyles({
  bar: { display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(168px, 1fr))', gap: '8px 12px', alignItems: 'end', margin: '12px 0 16px' },
  field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' }, '& > select': { minWidth: 0 } },
});

export interface Choice { readonly name: string; readonly label: string; readonly options: readonly (readonly [string, string])[] }

/** The address bar is the filter's state: a view can be bookmarked, sent to a colleague, and survives a reload. */
export function useFilter() {
  const [search, setSearch] = useSearchParams();
  return {
    text: (name: string): string => search.get(name) ?? '',
    set: (name: string, value: string): void => {
      setSearch((before) => {
        const next = new URLSearchParams(before);
        if (value.trim() === '') next.delete(name);
        else next.set(name, value.trim());
        return next;
      }, { replace: true });
    },
    clear: (): void => { setSearch({}, { replace: true }); },
    isEmpty: search.size === 0,
    /** The first instant of a local day, and of the day after it: ranges are half-open. */
    from: startOf(search.get('from')),
    to: startOf(search.get('to'), 1),
  };
}

function startOf(day: string | null, plusDays = 0): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '');
  if (!match) return undefined;
  const instant = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + plusDays);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
}

/** Who, which group, which application, what and when. Text counts when Enter is pressed or the field is left. */
export function FilterBar({ choices }: { choices: readonly Choice[] }) {
  const styles = useStyles();
  const filter = useFilter();
  const { data } = useQuery(names());
  const lists = { group: useId(), application: useId() };
  const text = (name: 'person' | 'group' | 'application', label: string, list?: string) => (
    <Field label={label}>
      <Input key={filter.text(name)} className={styles.field} type="search" defaultValue={filter.text(name)} {...(list !== undefined && { list })}
        onBlur={(event) => { if (event.target.value.trim() !== filter.text(name)) filter.set(name, event.target.value); }}
        onKeyDown={(event) => { if (event.key === 'Enter') filter.set(name, event.currentTarget.value); }} />
    </Field>
  );
  return (
    <search className={styles.bar} aria-label="Filter">
      {text('person', 'Person')}
      {text('group', 'Group', lists.group)}
      {text('application', 'Application', lists.application)}
      {choices.map(({ name, label, options }) => (
        <Field key={name} label={label}>
          <Select className={styles.field} value={filter.text(name)} onChange={(_event, data_) => { filter.set(name, data_.value); }}>
            <option value="">Any</option>
            {options.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
          </Select>
        </Field>
      ))}
      <Field label="From"><Input className={styles.field} type="date" value={filter.text('from')} onChange={(_event, { value }) => { filter.set('from', value); }} /></Field>
      <Field label="To"><Input className={styles.field} type="date" value={filter.text('to')} onChange={(_event, { value }) => { filter.set('to', value); }} /></Field>
      {!filter.isEmpty && <Button onClick={filter.clear}>Clear the filter</Button>}
      <datalist id={lists.group}>{data?.groups.map((name) => <option key={name} value={name} />)}</datalist>
      <datalist id={lists.application}>{data?.applications.map((name) => <option key={name} value={name} />)}</datalist>
    </search>
  );
}
