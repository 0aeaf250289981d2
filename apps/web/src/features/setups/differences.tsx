import type { Difference, SetupDrift } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { formatAgo, formatInstant } from '../../lib/dates.ts';
import { useNow, usePermits } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useFocusKept } from '../../ui/focus-kept.ts';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton, StatusBadge, type Tone } from '../../ui/states.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { setupDrift, useAccept, useCheck } from './setups.queries.ts';

const useStyles = makeStyles({
  looked: { margin: '0 0 12px', color: tokens.colorNeutralForeground2 },
  bar: { marginBottom: '12px' },
  sentences: { margin: '4px 0 0', paddingLeft: '20px' },
  actions: { display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: '8px', marginBottom: '8px' },
  all: { flex: '1 1 200px' },
  list: { listStyle: 'none', margin: 0, padding: 0, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  one: { display: 'grid', gridTemplateColumns: '32px 112px minmax(0, 1fr)', gap: '4px 8px', alignItems: 'start', padding: '12px 16px 12px 8px', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` }, '@media (max-width: 640px)': { gridTemplateColumns: '32px minmax(0, 1fr)' } },
  // The badge stands on the title's line, beside the box.
  severity: { paddingTop: '6px' },
  body: { paddingTop: '6px', minWidth: 0, '@media (max-width: 640px)': { gridColumn: '2', paddingTop: 0 } },
  title: { margin: 0, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  text: { margin: '4px 0 0', overflowWrap: 'anywhere' },
  small: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  sayer: { color: tokens.colorNeutralForeground2 },
  accepted: { margin: '8px 0', paddingLeft: '20px' },
});

const SEVERITIES: Record<Difference['severity'], { tone: Tone; word: string }> = {
  bypass: { tone: 'bad', word: 'Past PIM' }, weaker: { tone: 'warn', word: 'Weaker' }, broken: { tone: 'warn', word: 'Broken' }, changed: { tone: 'quiet', word: 'Changed' },
};
const ORDER = Object.keys(SEVERITIES);

/** In what the tenant differs from the setup, the most severe first, and the two ways to end that: put it back, or take it in. */
export function Differences({ setupId, inRun }: { setupId: string; inRun: boolean }) {
  const styles = useStyles();
  const query = useQuery(setupDrift(setupId));
  const check = useCheck(setupId);
  useFocusKept(query.data?.differences.length);
  return (
    <Section title="Differences" action={<Button size="small" disabled={check.isPending || inRun} onClick={() => { check.mutate([]); }}>{check.isPending ? 'Checking…' : 'Check now'}</Button>}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      <ProblemBar error={check.error} />
      {query.isPending && <ListSkeleton rows={1} />}
      {query.data && <Looked drift={query.data} inRun={inRun} />}
      {query.data?.failure && <MessageBar intent="warning" layout="multiline"><MessageBarBody>{query.data.failure}</MessageBarBody></MessageBar>}
      {query.data && query.data.notSeen.length > 0 && (
        <MessageBar intent="warning" layout="multiline" className={styles.bar}>
          <MessageBarBody><MessageBarTitle>The last look could not see everything.</MessageBarTitle><ul className={styles.sentences}>{query.data.notSeen.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul></MessageBarBody>
        </MessageBar>
      )}
      {query.data && query.data.differences.length > 0 && <Choice setupId={setupId} differences={query.data.differences} />}
    </Section>
  );
}

function Looked({ drift: { lookedAt, differences, notSeen }, inRun }: { drift: SetupDrift; inRun: boolean }) {
  const styles = useStyles();
  const now = useNow();
  const when = lookedAt === null ? 'The tenant was not compared with this setup yet.'
    : `${differences.length > 0 ? '' : notSeen.length > 0 ? 'As designed, as far as it could be seen. ' : 'As designed. '}Looked at ${formatAgo(lookedAt, now)}.`;
  return <p className={styles.looked} role="status">{when}{inRun && ' A run is under way: what it changes is compared when it rests.'}</p>;
}

function Choice({ setupId, differences }: { setupId: string; differences: readonly Difference[] }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const accept = useAccept(setupId);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [accepting, setAccepting] = useState(false);
  const sorted = differences.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const selectable = sorted.filter(({ restorable, acceptable }) => restorable || acceptable);
  // What is gone by now is no longer chosen.
  const chosen = selectable.filter(({ key }) => ticked.has(key));
  const [restorable, acceptable] = [chosen.filter((one) => one.restorable), chosen.filter((one) => one.acceptable)];
  const bypasses = acceptable.filter(({ severity }) => severity === 'bypass').length;
  const tick = (key: string, on: boolean): void => { setTicked((before) => new Set(on ? [...before, key] : [...before].filter((each) => each !== key))); };
  const restore = (): void => { void navigate(`/setups/${setupId}/restore?${new URLSearchParams(restorable.map(({ key }) => ['keys', key]))}`); };
  const left = [
    ...(restorable.length < chosen.length ? [`no plan restores ${chosen.length - restorable.length} of them`] : []),
    ...(acceptable.length < chosen.length ? [`the setup cannot take in ${chosen.length - acceptable.length} of them`] : []),
  ];
  return (
    <>
      <ProblemBar error={accept.error} />
      {selectable.length > 0 && (
        <div className={styles.actions}>
          <div className={styles.all}>
            <Checkbox label={chosen.length === 0 ? 'Choose all' : `${chosen.length} of ${differences.length} chosen`} checked={chosen.length === 0 ? false : chosen.length === selectable.length ? true : 'mixed'}
              onChange={(_event, data) => { setTicked(new Set(data.checked === true ? selectable.map(({ key }) => key) : [])); }} />
            {left.length > 0 && <span className={styles.small}>{left.join('; ')}</span>}
          </div>
          <Button disabledFocusable={acceptable.length === 0 || accept.isPending} onClick={() => { setAccepting(true); }}>{acceptable.length === 0 ? 'Accept into the setup' : `Accept ${acceptable.length} into the setup`}</Button>
          <Button appearance={chosen.length > 0 ? 'primary' : 'secondary'} disabledFocusable={restorable.length === 0} onClick={restore}>{restorable.length === 0 ? 'Restore in the tenant' : `Restore ${restorable.length} in the tenant`}</Button>
        </div>
      )}
      <ul className={styles.list} aria-label="Differences">
        {sorted.map((one) => <Row key={one.key} one={one} ticked={ticked.has(one.key)} onTick={(on) => { tick(one.key, on); }} />)}
      </ul>
      <ConfirmDialog title={acceptable.length === 1 ? 'Accept this difference into the setup?' : `Accept ${acceptable.length} differences into the setup?`} confirm={acceptable.length === 1 ? 'Accept 1 difference' : `Accept ${acceptable.length} differences`} open={accepting} busy={accept.isPending} onClose={() => { setAccepting(false); }}
        onConfirm={() => {
          setAccepting(false);
          accept.mutate(acceptable.map(({ key }) => key), { onSuccess: () => { setTicked(new Set()); } });
        }}>
        The setup becomes what the tenant says; the tenant stays as it is. From then on this counts as designed, and no look tells of it again:
        <ul className={styles.accepted}>{acceptable.map(({ key, title }) => <li key={key}>{title}</li>)}</ul>
        {bypasses > 0 && <strong>{bypasses === 1 ? '1 of them is a way past PIM. It stays open.' : `${bypasses} of them are ways past PIM. They stay open.`}</strong>}
      </ConfirmDialog>
    </>
  );
}

function Row({ one, ticked, onTick }: { one: Difference; ticked: boolean; onTick(on: boolean): void }) {
  const styles = useStyles();
  const now = useNow();
  const { tone, word } = SEVERITIES[one.severity];
  const selectable = one.restorable || one.acceptable;
  return (
    <li className={styles.one}>
      {selectable ? <Checkbox aria-label={`Choose: ${one.title}`} checked={ticked} onChange={(_event, data) => { onTick(data.checked === true); }} /> : <span />}
      <div className={styles.severity}><StatusBadge tone={tone}>{word}</StatusBadge></div>
      <div className={styles.body}>
        <p className={styles.title}>{one.title}</p>
        <p className={styles.text}><span className={styles.sayer}>Setup:</span> {one.expected} → <span className={styles.sayer}>tenant:</span> {one.found}</p>
        <p className={mergeClasses(styles.text, styles.small)}><Blame by={one.by} now={now} /> · first seen {formatInstant(one.firstSeenAt, now)}</p>
        {one.mend !== null && <p className={styles.text}>{one.mend}</p>}
      </div>
    </li>
  );
}

/** Who changed it and when. The event itself is of the history, which auditors read. */
function Blame({ by, now }: { by: Difference['by']; now: Date }) {
  const audits = usePermits('history:read');
  if (by === null) return <>Changed by: nobody known yet</>;
  const words = `Changed by ${by.name}, ${formatInstant(by.at, now)}`;
  return audits ? <TextLink to={`/history?${new URLSearchParams({ event: by.eventId })}`}>{words}</TextLink> : <>{words}</>;
}
