import { GetSync, SyncNow, type SyncSource } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import type { ReactNode } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge, type Tone } from '../../ui/states.tsx';

/** Behind by more than this is worth a word: passes come every minute or so. */
const LATE_MINUTES = 15;

const useStyles = makeStyles({
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  news: { margin: '0 0 16px', color: tokens.colorNeutralForeground2 },
  text: { margin: 0 },
});

/** Where the mirror stands with each source, and a way to read now; below it what else runs in the background. */
export function SyncPage({ children }: { children?: ReactNode }) {
  const styles = useStyles();
  const client = useQueryClient();
  const now = useNow();
  const query = useQuery({ queryKey: ['sync'], queryFn: ({ signal }) => call(GetSync, {}, signal), refetchInterval: 5_000 });
  const sync = useMutation({
    mutationFn: async () => {
      const askedAt = serverNow();
      await call(SyncNow, { body: {} });
      return askedAt;
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['sync'] }),
  });
  const columns: readonly Column<SyncSource>[] = [
    { id: 'source', header: 'Source', cell: ({ title }) => title },
    { id: 'state', header: 'State', cell: (source) => <State source={source} now={now} /> },
    { id: 'complete', header: 'Complete', cell: ({ completeFrom, completeTo }) => (completeFrom === null || completeTo === null ? 'Not yet' : <>{formatInstant(completeFrom, now)}<span className={styles.small}>to {formatInstant(completeTo, now)}</span></>) },
    { id: 'lag', header: 'Behind', cell: ({ completeTo }) => (completeTo === null ? 'Not known' : lagOf(completeTo, now)) },
    { id: 'last', header: 'Last read', cell: ({ lastSuccessAt }) => (lastSuccessAt === null ? 'Never' : formatInstant(lastSuccessAt, now)) },
    { id: 'events', header: 'Events', cell: ({ events }) => events.toLocaleString('en-GB') },
  ];
  const sources = query.data?.sources ?? [];
  return (
    <Page title="Sync & health" action={<Button appearance="primary" disabled={sync.isPending} onClick={() => { sync.mutate(); }}>{sync.isPending ? 'Asking' : 'Read now'}</Button>}>
      <ProblemBar error={sync.error} />
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.error !== null && query.data && <p className={styles.news}>What stands below is of {formatInstant(query.data.now, now)}.</p>}
      <p role="status" className={sync.isSuccess ? styles.news : styles.text}>{sync.isSuccess && newsOf(sync.data, sources, now)}</p>
      {query.isPending && <ListSkeleton rows={3} />}
      {query.data && sources.length === 0 && <EmptyState title="No source is known">The first pass begins when the portal starts.</EmptyState>}
      {sources.length > 0 && <DataTable label="Sources" columns={columns} rows={sources} rowKey={({ source }) => source} />}
      {query.data && (
        <Section title="Catalog">
          <p className={styles.text}>{query.data.catalog.readAt === null ? 'Not read yet.' : `${counted(query.data.catalog.groups, 'group')} that PIM manages and ${counted(query.data.catalog.applications, 'application')}, read ${formatInstant(query.data.catalog.readAt, now)}.`}</p>
        </Section>
      )}
      {children}
    </Page>
  );
}

/** A word for the state; what went wrong stands below it in full. */
function State({ source, now }: { source: SyncSource; now: Date }) {
  const styles = useStyles();
  const { tone, word, more } = stateOf(source, now);
  return <><StatusBadge tone={tone}>{word}</StatusBadge>{more !== undefined && <span className={styles.small}>{more}</span>}</>;
}

function stateOf({ lastError, lastSuccessAt, completeTo, off }: SyncSource, now: Date): { tone: Tone; word: string; more?: string } {
  if (off) return { tone: 'quiet', word: 'Off', ...(lastError !== null && { more: lastError }) };
  if (lastError !== null) return { tone: 'bad', word: 'Fails', more: lastError };
  if (lastSuccessAt === null) return { tone: 'busy', word: 'Not read to the end yet' };
  if (completeTo !== null && minutesBehind(completeTo, now) > LATE_MINUTES) return { tone: 'warn', word: 'Late', more: 'What happened since is not here yet.' };
  return { tone: 'good', word: 'Read' };
}

const minutesBehind = (iso: string, now: Date): number => Math.max(0, Math.floor((now.getTime() - Date.parse(iso)) / 60_000));

function lagOf(iso: string, now: Date): string {
  const minutes = minutesBehind(iso, now);
  if (minutes < 1) return 'Less than 1 min';
  return minutes < 48 * 60 ? formatMinutes(minutes) : `${Math.floor(minutes / (24 * 60))} days`;
}

/** What became of the asking: a source that was read to the end after it, or one that still is not. */
function newsOf(askedAt: Date, sources: readonly SyncSource[], now: Date): string {
  const asked = sources.filter(({ off }) => !off);
  const isRead = asked.length > 0 && asked.every(({ lastSuccessAt }) => lastSuccessAt !== null && Date.parse(lastSuccessAt) > askedAt.getTime());
  const at = formatInstant(askedAt.toISOString(), now);
  return isRead ? `Asked ${at}, and read to the end since.` : `Asked ${at}. The pass is not at its end yet.`;
}

const counted = (count: number, noun: string): string => `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;
