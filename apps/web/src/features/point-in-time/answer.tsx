import type { PointAnswer, PointEvidence, PointPath, PointRow } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useEffect, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { formatInstant, formatMinutes, formatZone } from '../../lib/dates.ts';
import { asksOf } from '../../lib/policy.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Hosts } from '../../ui/hosts.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, StatusBadge } from '../../ui/states.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { blindSpots, coverageOf, periodOf, REASONS, reasonsOf, WAYS } from './point-in-time.words.ts';

const useStyles = makeStyles({
  title: { margin: '0 0 4px', fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere', ':focus': { outline: 'none' } },
  coverage: { margin: '0 0 12px', color: tokens.colorNeutralForeground2, maxWidth: '90ch' },
  bar: { margin: '0 0 12px' },
  list: { margin: 0, paddingLeft: '16px' },
  small: { display: 'block', fontWeight: tokens.fontWeightRegular, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  evidence: { listStyleType: 'none', margin: 0, padding: 0, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200 },
  more: { marginTop: '16px' },
});

interface More { readonly hasNextPage: boolean; readonly isFetchingNextPage: boolean; readonly isFetchNextPageError: boolean; readonly error: unknown; fetchNextPage(): unknown }

export function Answer({ pages, isToday, query }: { pages: readonly PointAnswer[]; isToday: boolean; query: More }) {
  const styles = useStyles();
  const [search] = useSearchParams();
  const heading = useRef<HTMLHeadingElement>(null);
  // The form was made anew for the question in the address, and the focus lost with it: it goes to what was asked for.
  useEffect(() => { if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true }); }, []);
  const [first] = pages;
  if (!first) return null;
  const { target, at, knownAt, checkpoint, paths, coverage } = first;
  const [could, had] = (['could', 'had'] as const).map((list) => pages.flatMap((page) => page[list].rows)) as [PointRow[], PointRow[]];
  const open = paths.filter(({ application }) => application?.assignmentRequired === false);
  const spots = blindSpots(first);
  const fixed = new URLSearchParams([...[...search].filter(([name]) => name !== 'known'), ['known', knownAt]]).toString();
  return (
    <div role="region" aria-label="Answer">
      <h2 ref={heading} tabIndex={-1} className={styles.title}>{target.name} at {formatInstant(at)} <span className={styles.small}>{formatZone(at)} · as known {isToday ? `today, ${formatInstant(knownAt)}` : formatInstant(knownAt)}</span></h2>
      <p className={styles.coverage}>
        {coverageOf(coverage, target.kind).join(' ')}{' '}
        {checkpoint && `The answer rests on the ledger as signed ${formatInstant(checkpoint.signedAt)}, with ${checkpoint.size.toLocaleString('en-GB')} entries. `}
        {isToday ? <>What is found later can change this answer. <TextLink to={`/history/point-in-time?${fixed}`}>Keep it as known now</TextLink></> : 'What was found later makes no difference to this answer.'}
      </p>
      {spots.length > 0 && (
        <MessageBar intent="warning" layout="multiline" className={styles.bar}><MessageBarBody>
          {spots.length === 1 ? spots[0] : <ul className={styles.list}>{spots.map((spot) => <li key={spot}>{spot}</li>)}</ul>}
        </MessageBarBody></MessageBar>
      )}
      {open.length > 0 && <MessageBar intent="warning" layout="multiline" className={styles.bar}><MessageBarBody>{open.map(({ application }) => application?.name).join(', ')} asked for no assignment: everybody in the tenant could reach it.</MessageBarBody></MessageBar>}

      {target.kind !== 'group' && paths.length === 0 ? (
        <EmptyState title="No group is known to have opened it">
          {coverage.applicationsFrom === null ? 'Nothing was known of applications at that time.' : target.kind === 'host' ? 'No Private Access application that a group under PIM opens is known to have taken this destination then.' : 'No group under PIM is known to have been assigned to it then.'}
        </EmptyState>
      ) : (
        <>
          <Section title={`Had access (${first.had.total})`}>
            {had.length === 0 ? <EmptyState title="Nobody is known to have had access">No activation was running and no standing member is on record at that time.</EmptyState>
              : <DataTable label="Had access" columns={COLUMNS} rows={had} rowKey={keyOf} />}
          </Section>
          <Section title={`Could reach it (${first.could.total})`}>
            {could.length === 0 ? <EmptyState title="Nobody is known to have been eligible">Neither a reading of Entra nor the audit log names anybody for that time.</EmptyState>
              : <DataTable label="Could reach it" columns={COLUMNS} rows={could} rowKey={keyOf} />}
          </Section>
          {query.isFetchNextPageError && <ProblemBar error={query.error} onRetry={() => void query.fetchNextPage()} />}
          {query.hasNextPage && <Button className={styles.more} disabledFocusable={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{query.isFetchingNextPage ? 'Reading more people' : 'More people'}</Button>}
          <Section title={target.kind === 'group' ? 'What activating it asked for' : 'By which groups'}>
            <DataTable label="Groups" columns={target.kind === 'group' ? OF_GROUP : OF_PATHS} rows={paths} rowKey={({ group, application }) => `${group.id} ${application?.id ?? ''}`} />
          </Section>
        </>
      )}
      <p className={styles.small}>Only groups under PIM are followed. People who were assigned to an application directly, or through other groups, are not in this answer. Members of a group that is itself eligible are listed where Entra lists them.</p>
    </div>
  );
}

const keyOf = ({ principal, group, way }: PointRow): string => `${principal.id} ${group.id} ${way}`;

const COLUMNS: readonly Column<PointRow>[] = [
  { id: 'who', header: 'Who', width: '180px', cell: ({ principal }) => <>{principal.name}{principal.kind === 'group' && <Small>A group, with its members</Small>}</> },
  { id: 'how', header: 'How', cell: ({ way, ...row }) => <>{WAYS[way]}<Small>{periodOf(row)}</Small></> },
  { id: 'group', header: 'Group', cell: ({ group }) => group.name },
  { id: 'certain', header: 'Known?', cell: ({ certainty, reasons }) => <><Certain certainty={certainty} /><Small>{reasonsOf(reasons)}</Small></> },
  { id: 'evidence', header: 'Evidence', width: '200px', cell: ({ requestId, evidence }) => <Evidence evidence={evidence} requestId={requestId} /> },
];

const POLICY: readonly Column<PointPath>[] = [
  { id: 'asked', header: 'Activating asked for', cell: ({ policy, policyCertainty }) => (policy === null ? 'Not known' : <>{['reason', ...asksOf(policy)].filter((word) => word !== 'reason' || policy.requireJustification).join(', ') || 'nothing'}<Small>at most {formatMinutes(policy.maxMinutes)}{policyCertainty === 'not-known' ? ' · as it was seen later: not known for that time' : ''}</Small></>) },
  { id: 'evidence', header: 'Evidence', width: '200px', cell: ({ evidence }) => <Evidence evidence={evidence} requestId={null} /> },
];
const GROUP: Column<PointPath> = { id: 'group', header: 'Group', cell: ({ group }) => group.name };
const OF_GROUP = [GROUP, ...POLICY];
const OF_PATHS: readonly Column<PointPath>[] = [
  GROUP,
  { id: 'application', header: 'Opened', cell: ({ application }) => (application === null ? '' : <>{application.name}<Small><Hosts segments={application.segments} /></Small></>) },
  { id: 'certain', header: 'Known?', cell: ({ certainty, reasons }) => <><Certain certainty={certainty} />{reasons.length > 0 && <Small>{reasons.map((reason) => REASONS[reason]).join('. ')}</Small>}</> },
  ...POLICY,
];

function Small({ children }: { children: React.ReactNode }) {
  return <span className={useStyles().small}>{children}</span>;
}

function Certain({ certainty }: Pick<PointRow, 'certainty'>) {
  return certainty === 'observed' ? <StatusBadge tone="good">Known</StatusBadge> : <StatusBadge tone="warn">Not known</StatusBadge>;
}

/** What it rests on: events lead to the history, readings say when they were made. */
function Evidence({ evidence, requestId }: { evidence: readonly PointEvidence[]; requestId: string | null }) {
  const styles = useStyles();
  return (
    <ul className={styles.evidence}>
      {requestId !== null && <li><TextLink to={`/history/activations?${new URLSearchParams({ activation: requestId }).toString()}`}>The activation</TextLink></li>}
      {evidence.map(({ kind, id, at, what }) => (
        <li key={`${kind} ${id}`}>{kind === 'event' ? <TextLink to={`/history?${new URLSearchParams({ event: id }).toString()}`}>Event of {formatInstant(at)}</TextLink> : <>{READ[what] ?? 'Read'} {formatInstant(at)} · no. {id}</>}</li>
      ))}
    </ul>
  );
}

const READ: Readonly<Record<string, string>> = {
  eligible: 'Eligibility read', standing: 'Member read', activated: 'Activation read', policy: 'Settings read', assignment: 'Assignment read', application: 'Application read', segments: 'Hosts read', group: 'Group read',
};
