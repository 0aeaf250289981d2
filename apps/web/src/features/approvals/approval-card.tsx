import { DecideApproval, type Answer, type ApprovalItem, type ListApprovals } from '@gatehouse/contracts';
import { Avatar } from '@fluentui/react-avatar';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { zodResolver } from '@hookform/resolvers/zod';
import { useEffect, useRef, useState } from 'react';
import { Controller, useForm } from 'react-hook-form';
import { applyIssues, isProblem } from '../../lib/api.ts';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import { leadsAway, useDrafts } from '../../lib/drafts.ts';
import { serverNow } from '../../lib/session.ts';
import { Hosts } from '../../ui/hosts.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { useDecide } from './approvals.queries.ts';
import { howOften, newsOf, policyAsks, wantedOf } from './approvals.words.ts';

const NARROW = '@media (max-width: 720px)';

const useStyles = makeStyles({
  card: { scrollMarginTop: '64px', padding: '16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  linked: { outline: `2px solid ${tokens.colorBrandStroke1}`, outlineOffset: '-1px', ':focus-visible': { outline: `3px solid ${tokens.colorBrandStroke1}` } },
  head: { display: 'flex', gap: '12px', alignItems: 'center', minWidth: 0 },
  who: { flex: 1, minWidth: 0 },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  small: { margin: 0, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  facts: { display: 'grid', gridTemplateColumns: '120px minmax(0, 1fr)', gap: '6px 16px', margin: '16px 0', [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr)', gap: '2px' } },
  term: { color: tokens.colorNeutralForeground2 },
  fact: { margin: 0, overflowWrap: 'anywhere', fontVariantNumeric: 'tabular-nums', [NARROW]: { marginBottom: '8px' } },
  why: { fontWeight: tokens.fontWeightSemibold },
  list: { margin: 0, padding: 0, listStyle: 'none' },
  form: { display: 'grid', gridTemplateColumns: 'auto minmax(0, 1fr) auto', gap: '8px', alignItems: 'start', paddingTop: '16px', borderTop: `1px solid ${tokens.colorNeutralStroke3}`, [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)' } },
  reason: { [NARROW]: { gridColumnStart: 1, gridColumnEnd: 3, gridRowStart: 1 } },
  final: { margin: '8px 0 0', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
});

const Reason = DecideApproval.body.pick({ justification: true });

/** One request: who wants what, why, for how long; approve and deny with the reason between them. */
export function ApprovalCard({ item, inbox, linked, selection, onNews }: {
  item: ApprovalItem;
  /** The list that it stands in. */
  inbox: Pick<Answer<typeof ListApprovals>, 'readAt' | 'historyFrom'>;
  /** A link named this request: the page opens with the focus on it. */
  linked: boolean;
  /** Where several can be decided at once. */
  selection?: { readonly selected: boolean; onChange(selected: boolean): void } | undefined;
  onNews(news: { title: string; text: string }): void;
}) {
  const styles = useStyles();
  const card = useRef<HTMLElement>(null);
  const decide = useDecide(item.id);
  const [pressed, setPressed] = useState<'approve' | 'deny'>();
  const drafts = useDrafts();
  const draft = `approval.${item.id}`;
  // What was typed before verifying with Microsoft Entra is there again.
  const { control, handleSubmit, setError, formState: { errors } } = useForm({ resolver: zodResolver(Reason), defaultValues: drafts.read(draft, Reason) ?? { justification: '' } });
  const now = serverNow();
  const title = `${item.requesterName} wants ${wantedOf(item)}`;
  const placed = applyIssues(decide.error, ['justification'], () => {});

  useEffect(() => { applyIssues(decide.error, ['justification'], (_field, { message }) => { setError('justification', { type: 'server', message }, { shouldFocus: true }); }); }, [decide.error, setError]);

  // After the page's title has taken the focus, which it does when both are there at once.
  useEffect(() => { if (linked) queueMicrotask(() => card.current?.focus()); }, [linked]);

  const send = (decision: 'approve' | 'deny') => handleSubmit(({ justification }) => {
    setPressed(decision);
    decide.mutate({ decision, justification }, {
      onSuccess: () => {
        drafts.forget(draft);
        onNews({ title: decision === 'approve' ? 'Approved' : 'Denied', text: `${item.requesterName}: ${wantedOf(item)}.` });
      },
      onError: (error) => {
        if (leadsAway(error)) drafts.keep(draft, { justification });
        const news = newsOf(error, serverNow());
        if (news) onNews({ title: news.title, text: `${item.requesterName}: ${wantedOf(item)}. ${news.text}` });
      },
    });
  });

  return (
    <article ref={card} tabIndex={-1} className={mergeClasses(styles.card, linked && styles.linked)} aria-label={title}>
      <div className={styles.head}>
        <Avatar name={item.requesterName} color="colorful" aria-hidden />
        <div className={styles.who}>
          <h2 className={styles.title}>{title}</h2>
          <p className={styles.small}>{[item.requesterDetail, `via ${item.groupName}`].filter(Boolean).join(' · ')}</p>
        </div>
        {selection && <Checkbox aria-label={`Select: ${title}`} checked={selection.selected} onChange={(_event, { checked }) => { selection.onChange(checked === true); }} />}
      </div>
      <dl className={styles.facts}>
        <dt className={styles.term}>Why</dt>
        <dd className={mergeClasses(styles.fact, styles.why)}>{item.justification ?? 'No reason given'}</dd>
        {item.ticketNumber && <><dt className={styles.term}>Ticket</dt><dd className={styles.fact}>{item.ticketNumber}</dd></>}
        <dt className={styles.term}>How long</dt>
        <dd className={styles.fact}>{[item.minutes === null ? 'not said' : formatMinutes(item.minutes), item.startsAt && Date.parse(item.startsAt) > now.getTime() ? `from ${formatInstant(item.startsAt, now)}` : 'from the decision on'].join(', ')}</dd>
        {item.applications.some(({ segments }) => segments.length > 0) && <><dt className={styles.term}>Opens</dt><dd className={styles.fact}><Hosts segments={item.applications.flatMap(({ segments }) => segments)} /></dd></>}
        <dt className={styles.term}>Asked</dt>
        <dd className={styles.fact}>{formatInstant(item.askedAt, now)} · lapses {formatInstant(item.lapsesAt, now)}</dd>
        <dt className={styles.term}>Policy asks</dt>
        <dd className={styles.fact}>{policyAsks(item.policy)}</dd>
        <dt className={styles.term}>How often</dt>
        <dd className={styles.fact}>{howOften(item.activations, inbox)}</dd>
        <dt className={styles.term}>Last times</dt>
        <dd className={styles.fact}>
          {item.lastActivations.length === 0 ? 'None that the history has' : (
            <ul className={styles.list}>{item.lastActivations.map(({ requestedAt, status, justification }) => <li key={requestedAt}>{[formatInstant(requestedAt, now), status.replaceAll('-', ' '), justification && `“${justification}”`].filter(Boolean).join(' · ')}</li>)}</ul>
          )}
        </dd>
      </dl>
      {!placed && !isProblem(decide.error, 'already-decided') && <ProblemBar error={decide.error} />}
      <form noValidate className={styles.form} onSubmit={(event) => { event.preventDefault(); }}>
        <Button appearance="primary" disabledFocusable={decide.isPending} onClick={(event) => void send('approve')(event)}>{decide.isPending && pressed === 'approve' ? 'Approving' : 'Approve'}</Button>
        <Field className={styles.reason} validationMessage={errors.justification?.message}>
          <Controller name="justification" control={control} render={({ field }) => <Input {...field} aria-label={`Reason for the decision on: ${title}`} placeholder="Reason, asked for either way" autoComplete="off" maxLength={500} />} />
        </Field>
        <Button disabledFocusable={decide.isPending} onClick={(event) => void send('deny')(event)}>{decide.isPending && pressed === 'deny' ? 'Denying' : 'Deny'}</Button>
      </form>
      <p className={styles.final}>A decision cannot be undone. What was approved ends by itself, or when {item.requesterName} deactivates it.</p>
    </article>
  );
}
