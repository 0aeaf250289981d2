import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { formatInstant, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { EventProofSection } from './event-proof.tsx';
import { Facts, type Fact } from './facts.tsx';
import { event } from './history.queries.ts';
import { RESULTS, titleOf } from './history.words.ts';

const useStyles = makeStyles({
  result: { margin: '0 0 12px' },
  raw: { margin: 0, padding: '12px', maxHeight: '360px', overflow: 'auto', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
  list: { margin: 0, paddingLeft: '20px', lineHeight: '24px' },
});

/** One event: its fields, what belongs to the same request, and the JSON exactly as the source sent it. */
export function EventPanel({ eventId, onOpen, onClose }: { eventId: string; onOpen(eventId: string): void; onClose(): void }) {
  const styles = useStyles();
  const now = useNow();
  const query = useQuery(event(eventId));
  const one = query.data?.event;
  const facts: readonly Fact[] = one && query.data ? [
    ['When', formatInstant(one.at, now), one.at], ['What', one.activity], ['By', one.actorName ?? 'Not named', one.actorId], ['About', one.subjectName, one.subjectId], ['Group', one.groupName, one.groupId], ['Application', one.applicationName],
    ['Reason', one.reason], ['Request', null, one.requestId], ['Written by', one.source === 'portal' ? 'This portal' : `Microsoft Entra, ${one.service}`], ['Event', null, one.id], ['Read at', formatInstant(query.data.ingestedAt, now)], ['Defect', one.defect],
  ] : [];
  return (
    <SidePanel title={one ? titleOf(one) : 'Event'} open onClose={onClose}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={5} />}
      {query.data && (
        <>
          <p className={styles.result}><StatusBadge tone={RESULTS[query.data.event.result].tone}>{RESULTS[query.data.event.result].word}</StatusBadge></p>
          <Facts facts={facts} />
          <EventProofSection eventId={eventId} />
          {query.data.related.length > 0 && (
            <Section title="Of the same request">
              <ul className={styles.list}>{query.data.related.map((related) => <li key={related.id}><Link as="button" onClick={() => { onOpen(related.id); }}>{formatSeconds(related.at)} {titleOf(related)}</Link></li>)}</ul>
            </Section>
          )}
          {query.data.revisions.map((again) => (
            <Section key={again.revision} title={`Came again with other content, ${formatInstant(again.ingestedAt, now)}`}>
              <pre className={styles.raw} tabIndex={0} aria-label={`JSON as it came again, ${again.revision}`}>{pretty(again.raw)}</pre>
            </Section>
          ))}
          <Section title="As received" action={<CopyButton text={query.data.raw} />}>
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
