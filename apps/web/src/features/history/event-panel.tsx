import { Button } from '@fluentui/react-button';
import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { formatInstant, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { event } from './history.queries.ts';
import { KINDS, RESULTS } from './history.words.ts';

const useStyles = makeStyles({
  facts: { display: 'grid', gridTemplateColumns: 'minmax(96px, auto) minmax(0, 1fr)', gap: '4px 16px', margin: 0 },
  term: { color: tokens.colorNeutralForeground2 },
  fact: { margin: 0, overflowWrap: 'anywhere' },
  raw: { margin: 0, padding: '12px', maxHeight: '360px', overflow: 'auto', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
  list: { margin: 0, paddingLeft: '20px', lineHeight: '24px' },
});

/** One event: its fields, what belongs to the same request, and the JSON exactly as the source sent it. */
export function EventPanel({ eventId, onOpen, onClose }: { eventId: string; onOpen(eventId: string): void; onClose(): void }) {
  const styles = useStyles();
  const now = useNow();
  const query = useQuery(event(eventId));
  const one = query.data?.event;
  const facts: (readonly [string, string | null])[] = one ? [
    ['When', `${one.at} (${formatInstant(one.at, now)})`], ['What', one.activity], ['By', one.actorName], ['About', one.subjectName], ['Group', one.groupName], ['Application', one.applicationName],
    ['Result', RESULTS[one.result].word], ['Reason', one.reason], ['Request', one.requestId], ['Written by', one.service], ['Read at', query.data ? formatInstant(query.data.ingestedAt, now) : null],
  ] : [];
  return (
    <SidePanel title={one ? (one.kind === 'other' ? one.activity : KINDS[one.kind]) : 'Event'} open onClose={onClose}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={5} />}
      {query.data && (
        <>
          <dl className={styles.facts}>{facts.filter(([, value]) => value !== null && value !== '').map(([name, value]) => [<dt key={name} className={styles.term}>{name}</dt>, <dd key={`${name} value`} className={styles.fact}>{value}</dd>])}</dl>
          {query.data.related.length > 0 && (
            <Section title="Of the same request">
              <ul className={styles.list}>{query.data.related.map(({ id, at, kind, activity }) => <li key={id}><Link as="button" onClick={() => { onOpen(id); }}>{formatSeconds(at)} {kind === 'other' ? activity : KINDS[kind]}</Link></li>)}</ul>
            </Section>
          )}
          <Section title="As received" action={<Button size="small" onClick={() => void navigator.clipboard.writeText(query.data.raw)}>Copy</Button>}>
            <pre className={styles.raw} tabIndex={0} aria-label="JSON as received">{pretty(query.data.raw)}</pre>
          </Section>
        </>
      )}
    </SidePanel>
  );
}

/** Indented for reading; what is copied is the text as it came. */
function pretty(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}
