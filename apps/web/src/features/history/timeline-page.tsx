import { type Answer, type GetEventStatistics, type GetTimeline } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { Link, useSearchParams } from 'react-router';
import { formatClock, formatDay, formatInstant } from '../../lib/dates.ts';
import { usePutParam } from '../../lib/search-param.ts';
import { useNow } from '../../lib/session.ts';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { Awaiting, EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { FilterBar, useFilter, ZOOM } from './filter-bar.tsx';
import { useOpened } from './history-list.tsx';
import { HistoryPage } from './history-page.tsx';
import { statistics, timeline } from './history.queries.ts';
import { STATUSES } from './history.words.ts';
import { moved, placeOf, ticksOf, zoomed, type Span } from './spans.ts';
import { StoryPanel } from './story-panel.tsx';

const NARROW = '@media (max-width: 720px)';
/** A day at the scale begins at its tick: the last one ends in this margin. */
const LABEL = '76px';
const useStyles = makeStyles({
  tools: { display: 'flex', flexWrap: 'wrap', alignItems: 'end', gap: '8px', marginBottom: '12px' },
  span: { margin: '0 0 8px', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  chart: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1, padding: '8px 12px' },
  row: { display: 'grid', gridTemplateColumns: '160px minmax(0, 1fr)', gap: '0 12px', alignItems: 'center', padding: `4px ${LABEL} 4px 0`, ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` }, [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr)' } },
  name: { overflowWrap: 'anywhere', margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightRegular },
  lane: { position: 'relative', height: '24px', margin: 0, padding: 0, listStyle: 'none', overflow: 'hidden' },
  bar: { position: 'absolute', top: '4px', height: '16px', minWidth: '4px', padding: 0, border: `1px solid ${tokens.colorBrandStroke1}`, borderRadius: tokens.borderRadiusSmall, backgroundColor: tokens.colorBrandBackground, cursor: 'pointer', ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}`, outlineOffset: '1px' } },
  unended: { borderRightStyle: 'dashed', backgroundColor: tokens.colorBrandBackground2 },
  tail: { position: 'absolute', top: '10px', height: '4px', backgroundColor: tokens.colorStatusWarningBackground3 },
  scale: { position: 'relative', height: '20px', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  tick: { position: 'absolute', top: 0, paddingLeft: '4px', borderLeft: `1px solid ${tokens.colorNeutralStroke1}`, whiteSpace: 'nowrap', fontVariantNumeric: 'tabular-nums', ':nth-child(even)': { '@media (max-width: 1000px)': { display: 'none' } } },
  scroll: { overflowX: 'auto' },
  heat: { borderCollapse: 'separate', borderSpacing: '2px', fontSize: tokens.fontSizeBase100, fontVariantNumeric: 'tabular-nums', width: '100%', minWidth: '560px', tableLayout: 'fixed' },
  weekday: { textAlign: 'left', fontWeight: tokens.fontWeightRegular, color: tokens.colorNeutralForeground2, width: '40px' },
  hour: { fontWeight: tokens.fontWeightRegular, color: tokens.colorNeutralForeground2 },
  cell: { height: '22px', textAlign: 'center', borderRadius: tokens.borderRadiusSmall, color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground3 },
  months: { display: 'grid', gridTemplateColumns: 'auto minmax(0, 1fr) auto', gap: '4px 12px', alignItems: 'center', margin: 0, fontVariantNumeric: 'tabular-nums' },
  term: { margin: 0 },
  value: { margin: 0, textAlign: 'right' },
  month: { height: '12px', minWidth: '2px', borderRadius: tokens.borderRadiusSmall, backgroundColor: tokens.colorBrandBackground },
  note: { margin: '8px 0 0', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

const DAY = 86_400_000;
const BY = [{ name: 'by', label: 'Lanes', options: [['application', 'Applications']] as const }];

/** Who had what, when: memberships by activation as bars over time, and when in the week people activate. */
export function TimelinePage() {
  const styles = useStyles();
  const now = useNow();
  const [search] = useSearchParams();
  const set = usePutParam();
  const filter = useFilter(BY, { text: false });
  const { opened, open, close } = useOpened('activation');
  // Without days in the address: the last thirty. Minutes of a zoom stand in the address beside the days of the filter.
  const end = filter.to === undefined ? midnightOf(now.getTime() + DAY) : Date.parse(filter.to);
  const whole: Span = { from: filter.from === undefined ? midnightOf(end - 30 * DAY) : Date.parse(filter.from), to: end };
  const zoom = zoomOf(search.get(ZOOM));
  const span = zoom ?? (whole.from < whole.to ? whole : { from: whole.from, to: whole.from + DAY });
  const zoomTo = (to: Span): void => { set(ZOOM, `${new Date(to.from).toISOString()}_${new Date(to.to).toISOString()}`); };
  const by = filter.text('by') === 'application' ? 'application' : 'person';
  const names = { person: filter.text('person') || undefined, group: filter.text('group') || undefined, application: filter.text('application') || undefined };
  const query = useQuery({ ...timeline({ ...names, by, from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() }), placeholderData: keepPreviousData });
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const counts = useQuery(statistics({ timeZone, result: 'success', ...(filter.from !== undefined && { from: filter.from }), ...(filter.to !== undefined && { to: filter.to }) }));
  // They are counted as events come in, by time alone.
  const ofAll = Object.values(names).some((name) => name !== undefined) ? ', all people and groups' : '';
  return (
    <HistoryPage title="History: timeline" coverage={query.data?.coverage}>
      <FilterBar filter={filter} choices={[]} />
      <div className={styles.tools} role="group" aria-label="Span of the timeline">
        <Field label="A lane for each"><Select value={by} onChange={(_event, { value }) => { set('by', value === 'application' ? value : undefined); }}><option value="person">Person</option><option value="application">Application</option></Select></Field>
        <Button onClick={() => { zoomTo(moved(span, -0.5)); }}>Earlier</Button>
        <Button onClick={() => { zoomTo(moved(span, 0.5)); }}>Later</Button>
        <Button onClick={() => { zoomTo(zoomed(span, 0.5)); }}>Zoom in</Button>
        <Button onClick={() => { zoomTo(zoomed(span, 2)); }}>Zoom out</Button>
        {zoom && <Button onClick={() => { set(ZOOM, undefined); }}>Whole span</Button>}
      </div>
      <p className={styles.span} aria-live="polite">{formatInstant(new Date(span.from).toISOString(), now)} to {formatInstant(new Date(span.to).toISOString(), now)}</p>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={6} />}
      {query.data && (query.data.lanes.length === 0
        ? query.isPlaceholderData ? <ListSkeleton rows={6} /> : <EmptyState title="Nobody had access by activation in this time">{filter.words === '' ? 'Zoom out or go earlier.' : `Looked for: ${filter.words}.`}</EmptyState>
        : <Awaiting isStale={query.isPlaceholderData}><Lanes data={query.data} span={span} now={now} onOpen={open} /></Awaiting>)}
      <Section title={`When people activate${ofAll}`}><ProblemBar error={counts.error} onRetry={() => void counts.refetch()} />{counts.isPending && <ListSkeleton rows={4} />}{counts.data && <HeatMap data={counts.data} timeZone={timeZone} />}</Section>
      <Section title={`Activations by month${ofAll}`}>{counts.isPending && <ListSkeleton rows={2} />}{counts.data && <Months data={counts.data} />}</Section>
      {opened !== undefined && <StoryPanel requestId={opened} onClose={close} />}
    </HistoryPage>
  );
}

/** The start of the local day, so that the same question is asked all day long. */
const midnightOf = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

function zoomOf(text: string | null): Span | undefined {
  const [from = Number.NaN, to = Number.NaN] = (text ?? '').split('_').map((one) => Date.parse(one));
  return from < to ? { from, to } : undefined;
}

function Lanes({ data, span, now, onOpen }: { data: Answer<typeof GetTimeline>; span: Span; now: Date; onOpen(requestId: string): void }) {
  const styles = useStyles();
  return (
    <div className={styles.chart}>
      {data.lanes.map(({ id, name, bars }) => (
        <div key={id} className={styles.row}>
          <p className={styles.name}>{name}</p>
          <ul className={styles.lane} aria-label={`Memberships of ${name}`}>
            {bars.map((bar) => {
              const [began, ended] = [Date.parse(bar.beganAt), bar.endedAt === null ? undefined : Date.parse(bar.endedAt)];
              const place = placeOf({ from: began, to: ended ?? now.getTime() }, span);
              const tail = ended !== undefined && bar.networkUntil !== null ? placeOf({ from: ended, to: Date.parse(bar.networkUntil) }, span) : undefined;
              const words = `${bar.principalName}, ${bar.applications.join(', ') || bar.groupName}: ${formatInstant(bar.beganAt, now)} to ${bar.endedAt === null ? 'now, not seen to end' : formatInstant(bar.endedAt, now)}, ${STATUSES[bar.status].word.toLowerCase()}`;
              return (
                <li key={bar.requestId}>
                  {tail && <span aria-hidden className={styles.tail} style={{ left: `${tail.left}%`, width: `${tail.width}%` }} />}
                  <button type="button" className={mergeClasses(styles.bar, ended === undefined && styles.unended)} style={{ left: `${place.left}%`, width: `${place.width}%` }} title={words} aria-label={words} onClick={() => { onOpen(bar.requestId); }} />
                </li>
              );
            })}
          </ul>
        </div>
      ))}
      <div className={styles.row} aria-hidden>
        <span />
        <div className={styles.scale}>{ticksOf(span).map(({ at, isDay }) => <span key={at} className={styles.tick} style={{ left: `${placeOf({ from: at, to: at }, span).left}%` }}>{isDay ? formatDay(new Date(at).toISOString()) : formatClock(new Date(at).toISOString())}</span>)}</div>
      </div>
      <p className={styles.note}>A bar is a membership, the thin line after it until when the network may have stayed open. A bar that ends dashed was not seen to end.{data.more && ' There are more than are shown: these are the newest. Zoom in or narrow it.'}</p>
    </div>
  );
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** A table as it stands: each cell has its number, the shade only helps the eye. */
function HeatMap({ data, timeZone }: { data: Answer<typeof GetEventStatistics>; timeZone: string }) {
  const styles = useStyles();
  const id = useId();
  const most = Math.max(1, ...data.hours.map(({ events }) => events));
  const of = new Map(data.hours.map(({ weekday, hour, events }) => [`${weekday} ${hour}`, events]));
  return (
    <>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Activations by weekday and hour">
        <table className={styles.heat} aria-labelledby={id}>
          <thead><tr><th scope="col" className={styles.weekday}>Day</th>{HOURS.map((hour) => <th key={hour} scope="col" className={styles.hour}>{String(hour).padStart(2, '0')}</th>)}</tr></thead>
          <tbody>
            {WEEKDAYS.map((name, index) => (
              <tr key={name}>
                <th scope="row" className={styles.weekday}>{name}</th>
                {HOURS.map((hour) => {
                  const events = of.get(`${index + 1} ${hour}`) ?? 0;
                  // Light enough at its strongest that the number stays readable on it, in both themes.
                  return <td key={hour} className={styles.cell} style={events === 0 ? undefined : { backgroundColor: `color-mix(in srgb, ${tokens.colorBrandBackground} ${Math.round(10 + (events / most) * 50)}%, ${tokens.colorNeutralBackground3})` }}>{events === 0 ? '' : events}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {/* Not a caption: that would scroll with the table, and be cut off beside it. */}
      <p id={id} className={styles.note}>Activations that began in each hour of the week, by the clock of {timeZone}</p>
    </>
  );
}

const monthName = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' });

function Months({ data }: { data: Answer<typeof GetEventStatistics> }) {
  const styles = useStyles();
  const most = Math.max(1, ...data.months.map(({ events }) => events));
  if (data.months.length === 0) return <p className={styles.note}>No activation in this time.</p>;
  return (
    <dl className={styles.months}>
      {data.months.map(({ month, events }) => (
        <div key={month} style={{ display: 'contents' }}>
          <dt className={styles.term}><Link to={`/history?${new URLSearchParams({ kind: 'activated', result: 'success', from: `${month}-01`, to: lastDayOf(month) })}`} style={{ color: tokens.colorBrandForegroundLink }}>{monthName.format(new Date(`${month}-01T00:00:00Z`))}</Link></dt>
          <dd className={styles.term} aria-hidden><div className={styles.month} style={{ width: `${(events / most) * 100}%` }} /></dd>
          <dd className={styles.value}>{events}</dd>
        </div>
      ))}
    </dl>
  );
}

function lastDayOf(month: string): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
}
