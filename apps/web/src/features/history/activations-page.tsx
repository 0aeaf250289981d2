import { ActivationStatus, ExportActivations, type HistoryActivation } from '@gatehouse/contracts';
import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link as RouterLink } from 'react-router';
import { addressOf } from '../../lib/api.ts';
import { formatDay, formatInstant, formatMinutes, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import type { Column } from '../../ui/data-table.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { FilterBar, useFilter } from './filter-bar.tsx';
import { eachOnce, HistoryList, useOpened } from './history-list.tsx';
import { HistoryPage } from './history-page.tsx';
import { activation, activations, type ActivationQuery } from './history.queries.ts';
import { ENDS, KINDS, STATUSES } from './history.words.ts';

const useStyles = makeStyles({
  time: { whiteSpace: 'nowrap', textAlign: 'left' },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  story: { margin: '0 0 0 6px', padding: 0, listStyle: 'none', borderLeft: `2px solid ${tokens.colorNeutralStroke1}` },
  moment: { position: 'relative', padding: '0 0 16px 20px', '::before': { content: '""', position: 'absolute', left: '-6px', top: '6px', width: '10px', height: '10px', borderRadius: '50%', backgroundColor: tokens.colorBrandBackground } },
  text: { margin: 0, overflowWrap: 'anywhere' },
  links: { display: 'flex', flexWrap: 'wrap', gap: '4px 16px' },
  link: { color: tokens.colorBrandForegroundLink },
});

const CHOICES = [{ name: 'status', label: 'State', options: ActivationStatus.options.map((status) => [status, STATUSES[status].word] as const) }];

/** One row an activation, from its reason to its end. */
export function ActivationsPage() {
  const styles = useStyles();
  const filter = useFilter(CHOICES);
  const { opened, open, close } = useOpened('activation');
  const wish: ActivationQuery = {
    person: filter.text('person') || undefined, group: filter.text('group') || undefined, application: filter.text('application') || undefined,
    status: ActivationStatus.safeParse(filter.text('status')).data, from: filter.from, to: filter.to,
  };
  const query = useInfiniteQuery({ ...activations(wish), placeholderData: keepPreviousData });
  const rows = eachOnce(query.data?.pages.flatMap((page) => page.activations) ?? [], ({ requestId }) => requestId);
  const columns: readonly Column<HistoryActivation>[] = [
    {
      id: 'asked', header: 'Asked', width: '168px',
      cell: ({ requestId, requestedAt }) => <Link as="button" className={styles.time} onClick={(event) => { event.stopPropagation(); open(requestId); }}>{formatSeconds(requestedAt)}<span className={styles.small}>{formatDay(requestedAt)}</span></Link>,
    },
    { id: 'who', header: 'Who', cell: ({ principalName }) => principalName },
    { id: 'what', header: 'Opens', cell: ({ groupName, applications }) => <>{applications.length > 0 ? applications.join(', ') : groupName}{applications.length > 0 && <span className={styles.small}>{groupName}</span>}</> },
    { id: 'why', header: 'Reason', cell: ({ justification, ticketNumber }) => <>{justification ?? ''}{ticketNumber !== null && <span className={styles.small}>{ticketNumber}</span>}</> },
    { id: 'state', header: 'State', cell: (one) => <><StatusBadge tone={STATUSES[one.status].tone}>{STATUSES[one.status].word}</StatusBadge><span className={styles.small}>{endOf(one)}</span></> },
    { id: 'decided', header: 'Decided by', cell: ({ decidedBy }) => decidedBy ?? '' },
  ];
  return (
    <HistoryPage title="History: activations" exportUrl={addressOf(ExportActivations, { query: wish })} coverage={query.data?.pages[0]?.coverage}>
      <FilterBar filter={filter} choices={CHOICES} />
      <HistoryList label="Activations" noun="activations" query={query} filter={filter} columns={columns} rows={rows} rowKey={({ requestId }) => requestId} onOpen={({ requestId }) => { open(requestId); }} />
      {opened !== undefined && <Story requestId={opened} onClose={close} />}
    </HistoryPage>
  );
}

/** How it ended, and how long it really lasted. */
function endOf({ provisionedAt, endedAt, endedHow }: HistoryActivation): string {
  if (provisionedAt === null || endedAt === null) return '';
  const lasted = formatMinutes(Math.max(1, Math.round((Date.parse(endedAt) - Date.parse(provisionedAt)) / 60_000)));
  return `after ${lasted}, ${endedHow === null ? 'how is not known' : ENDS[endedHow]}`;
}

/** One activation as a line of time, and the ways to all of this person and of this group. */
function Story({ requestId, onClose }: { requestId: string; onClose(): void }) {
  const styles = useStyles();
  const now = useNow();
  const query = useQuery(activation(requestId));
  const one = query.data?.activation;
  return (
    <SidePanel title={one ? `${one.principalName}: ${one.applications.join(', ') || one.groupName}` : 'Activation'} open onClose={onClose}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={5} />}
      {query.data && one && (
        <>
          <p className={styles.text}><StatusBadge tone={STATUSES[one.status].tone}>{STATUSES[one.status].word}</StatusBadge> {endOf(one)}</p>
          <p className={styles.text}>{one.justification ?? 'No reason given'}{one.ticketNumber !== null && ` · ticket ${one.ticketNumber}`}</p>
          {one.decidedBy !== null && <p className={styles.text}>Decided by {one.decidedBy}{one.decisionReason !== null && `: ${one.decisionReason}`}</p>}
          <Section title="From request to end">
            <ol className={styles.story}>
              {query.data.events.map(({ id, at, kind, activity, actorName, service }) => (
                <li key={id} className={styles.moment}>
                  <p className={styles.text}>{kind === 'other' ? activity : KINDS[kind]}</p>
                  <p className={styles.text}><span className={styles.small}>{formatInstant(at, now)} · {actorName ?? 'not named'} · {service}</span></p>
                </li>
              ))}
            </ol>
          </Section>
          <div className={styles.links}>
            <RouterLink className={styles.link} to={`/history?person=${encodeURIComponent(one.principalName)}`} onClick={onClose}>Everything of {one.principalName}</RouterLink>
            <RouterLink className={styles.link} to={`/history?group=${encodeURIComponent(one.groupName)}`} onClick={onClose}>Everything of {one.groupName}</RouterLink>
          </div>
        </>
      )}
    </SidePanel>
  );
}
