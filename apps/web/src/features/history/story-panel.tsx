import { NETWORK_MAY_STAY_OPEN_MINUTES, type ActivationConnections, type HistoryActivation, type HistoryEvent } from '@gatehouse/contracts';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { Facts } from './facts.tsx';
import { activation } from './history.queries.ts';
import { CLOSED, destinationOf, endOf, lastedOf, noConnections, RESULTS, stateOf, titleOf } from './history.words.ts';

const DOT = { content: '""', position: 'absolute', left: '-6px', top: '5px', width: '10px', height: '10px', borderRadius: '50%', boxSizing: 'border-box' } as const;

const useStyles = makeStyles({
  state: { display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', gap: '0 8px', margin: '0 0 12px' },
  story: { margin: '0 0 0 6px', padding: 0, listStyle: 'none', borderLeft: `2px solid ${tokens.colorNeutralStroke1}` },
  moment: { position: 'relative', padding: '0 0 16px 20px', ':last-child': { paddingBottom: 0 }, '::before': { ...DOT, backgroundColor: tokens.colorBrandBackground } },
  open: { '::before': { ...DOT, backgroundColor: tokens.colorNeutralBackground1, border: `2px solid ${tokens.colorNeutralStrokeAccessible}` } },
  text: { margin: 0, overflowWrap: 'anywhere' },
  small: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  hosts: { display: 'grid', gap: '8px', margin: '0 0 8px', padding: 0, listStyle: 'none' },
  links: { display: 'flex', flexDirection: 'column', gap: '4px', margin: 0, padding: 0, listStyle: 'none' },
  link: { color: tokens.colorBrandForegroundLink, overflowWrap: 'anywhere' },
});

/** One activation as a line of time, and the ways to all of this person, this group and its applications. */
export function StoryPanel({ requestId, onClose }: { requestId: string; onClose(): void }) {
  const styles = useStyles();
  const now = useNow();
  const { data, error, isPending, refetch } = useQuery(activation(requestId));
  const one = data?.activation;
  return (
    <SidePanel title={one ? `${one.principalName}: ${one.applications.join(', ') || one.groupName}` : 'Activation'} open onClose={onClose}>
      <ProblemBar error={error} onRetry={() => void refetch()} />
      {isPending && <ListSkeleton rows={5} />}
      {one && (
        <>
          <p className={styles.state}><StatusBadge tone={stateOf(one, now).tone}>{stateOf(one, now).word}</StatusBadge> <span>{endOf(one, now)}</span></p>
          <Facts facts={[
            ['Reason', one.justification ?? 'No reason recorded'], ['Ticket', one.ticketNumber], ['Group', one.groupName],
            ['Asked', formatInstant(one.requestedAt, now)], ['Decided', one.decidedAt && `${formatInstant(one.decidedAt, now)} by ${one.decidedBy ?? 'somebody not named'}${one.decisionReason === null ? '' : `: ${one.decisionReason}`}`],
            ['Member from', one.provisionedAt && formatInstant(one.provisionedAt, now)], ['Member until', one.endedAt && formatInstant(one.endedAt, now)], ['Lasted', lastedOf(one) ?? null], ['Revoked by', one.revokedBy],
            ['Network', one.networkUntil && `${Date.parse(one.networkUntil) > now.getTime() ? 'may stay open' : 'may have stayed open'} until ${formatInstant(one.networkUntil, now)}`], ['Hosts', one.hosts.length > 0 ? `${one.hosts.join(', ')} (as published now)` : null], ['Request', null, one.requestId],
          ]} />
          <Section title="From request to end"><Line one={one} events={data.events} /></Section>
          <Section title="Hosts reached"><Hosts one={one} connections={data.connections} /></Section>
          <Section title="See all">
            <ul className={styles.links}>
              {[['person', one.principalName] as const, ['group', one.groupName] as const, ...one.applications.map((name) => ['application', name] as const)]
                .map(([name, value]) => <li key={`${name} ${value}`}><Link className={styles.link} to={`/history?${new URLSearchParams({ [name]: value })}`}>Events of {value}</Link></li>)}
            </ul>
          </Section>
        </>
      )}
    </SidePanel>
  );
}

/** What happened, oldest first, and what is still to come or not known. */
function Line({ one, events }: { one: HistoryActivation; events: readonly HistoryEvent[] }) {
  const styles = useStyles();
  const now = useNow();
  const rest = whatIsOpen(one, now);
  return (
    <ol className={styles.story}>
      {events.length === 0 && <li className={mergeClasses(styles.moment, styles.open)}><p className={styles.text}>The record has no event of it</p></li>}
      {events.map(({ id, at, kind, activity, actorName, service, result, reason }) => (
        <li key={id} className={styles.moment}>
          <p className={styles.text}><Link className={styles.link} to={`/history?${new URLSearchParams({ event: id })}`}>{titleOf({ kind, activity })}</Link> {result === 'failure' && <StatusBadge tone="bad">{RESULTS.failure.word}</StatusBadge>}</p>
          <p className={mergeClasses(styles.text, styles.small)}>{formatInstant(at, now)} · {actorName ?? 'Not named'} · {service}</p>
          {reason !== null && reason !== one.justification && <p className={mergeClasses(styles.text, styles.small)}>“{reason}”</p>}
        </li>
      ))}
      {rest !== undefined && <li className={mergeClasses(styles.moment, styles.open)}><p className={styles.text}>{rest}</p></li>}
    </ol>
  );
}

function whatIsOpen(one: HistoryActivation, now: Date): string | undefined {
  switch (one.status) {
    case 'requested': return 'What became of it is not in the record yet';
    case 'awaiting-approval': return 'Waits for approval';
    case 'scheduled': return 'Has not begun';
    case 'active': {
      if (one.expiresAt === null) return 'Until when is not known';
      return Date.parse(one.expiresAt) <= now.getTime() ? `Was to end ${formatInstant(one.expiresAt, now)}; the record does not have its end` : `Ends ${formatInstant(one.expiresAt, now)}`;
    }
    default: return undefined;
  }
}

/** Where the person got to by it, and how sure it is that this is all. */
function Hosts({ one, connections: { reached, cause, complete, changedSince, more, coverage } }: { one: HistoryActivation; connections: ActivationConnections }) {
  const styles = useStyles();
  const now = useNow();
  const span = `from the beginning of the access until ${formatMinutes(NETWORK_MAY_STAY_OPEN_MINUTES)} after its end`;
  const late = one.provisionedAt !== null && coverage.from !== null && Date.parse(coverage.from) > Date.parse(one.provisionedAt);
  const readTo = coverage.to === null ? '' : `The traffic log was read ${late && coverage.from !== null ? `from ${formatInstant(coverage.from, now)} ` : ''}to ${formatInstant(coverage.to, now)}, and rows come late: there may be more.`;
  if (reached === null) return <p className={styles.text}>{noConnections(cause)}</p>;
  return (
    <>
      {reached.length === 0 && <p className={styles.text}>{complete ? `None: the traffic log was read ${span}.` : 'None that the traffic log shows.'}</p>}
      {reached.length > 0 && (
        <ul className={styles.hosts}>
          {reached.map(({ host, port, applicationName, firstAt, lastAt, count }) => (
            <li key={`${host} ${port} ${applicationName}`}>
              <p className={styles.text}>{destinationOf({ host, port })}</p>
              <p className={mergeClasses(styles.text, styles.small)}>{applicationName} · {count === 1 ? `once, ${formatInstant(firstAt, now)}` : `${count} times, ${formatInstant(firstAt, now)} to ${formatInstant(lastAt, now)}`}</p>
            </li>
          ))}
        </ul>
      )}
      {more && <p className={mergeClasses(styles.text, styles.small)}>There are more than these.</p>}
      {complete && !more && reached.length > 0 && <p className={mergeClasses(styles.text, styles.small)}>All of them: the traffic log was read {span}.</p>}
      {!complete && changedSince && <p className={mergeClasses(styles.text, styles.small)}>What the group opens was changed since: only what it opens now is looked for.</p>}
      {!complete && !changedSince && readTo !== '' && <p className={mergeClasses(styles.text, styles.small)}>{readTo}</p>}
      {!complete && coverage.closed !== null && <p className={mergeClasses(styles.text, styles.small)}>What came since cannot be seen: {CLOSED[coverage.closed]}.</p>}
    </>
  );
}
