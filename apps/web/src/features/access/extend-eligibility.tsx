import type { AccessEntry, EndingEligibility } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Select } from '@fluentui/react-select';
import { Textarea } from '@fluentui/react-textarea';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { formatDay } from '../../lib/dates.ts';
import { leadsAway, useDrafts } from '../../lib/drafts.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useFocusKept } from '../../ui/focus-kept.ts';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { AccessRow, Rows } from './access-row.tsx';
import { formatNear, titleOf } from './access.words.ts';
import { eligibilityDraft, EligibilityDraft } from './draft.ts';
import { endingEligibilities, useAskForEligibility, useTakeBack } from './eligibility.queries.ts';
import { useRowDialog } from './row-dialogs.tsx';

const useStyles = makeStyles({
  form: { display: 'grid', gap: '12px' },
  quiet: { margin: 0, color: tokens.colorNeutralForeground2 },
  problem: { flexBasis: '100%' },
  days: { minWidth: '160px', maxWidth: '240px' },
});

const DAY_MS = 86_400_000;
const PRESETS = [30, 90, 180, 365];

/** The eligibility of a row that ends soon; `undefined` where none does, or where it could not be read. */
export function useEnding(groupId: string): EndingEligibility | undefined {
  const { data } = useQuery(endingEligibilities());
  return data?.items.find((item) => item.groupId === groupId && !item.ended);
}

/** What a row says of it. */
export function endingNotes(item: EndingEligibility | undefined, now: Date): ReactNode[] {
  if (!item) return [];
  const { endsAt, ended, asked, message } = item;
  const days = Math.ceil(Math.abs(Date.parse(endsAt) - now.getTime()) / DAY_MS);
  const when = ended ? `Eligibility ended ${formatNear(endsAt, now)}` : `Eligibility ends ${formatNear(endsAt, now)}${days > 1 ? `, in ${days} days` : ''}`;
  return [
    <StatusBadge key="ends" tone={ended ? 'bad' : 'warn'}>{when}</StatusBadge>,
    ...(asked?.state === 'waiting' ? [`You asked ${formatNear(asked.at, now)}${asked.until === null ? '' : ` for until ${formatDay(asked.until)}`}: an administrator decides.`] : []),
    ...(asked?.state === 'denied' ? [`An administrator denied what you asked ${formatNear(asked.at, now)}.`] : []),
    ...(message === null ? [] : [message]),
  ];
}

/** Asks an administrator for more time, or for a new time; takes back what waits for one. */
export function AskToExtend({ item, title }: { item: EndingEligibility | undefined; title: string }) {
  const show = useRowDialog();
  // What was taken back takes its button with it.
  useFocusKept(item?.asked?.state);
  if (item?.asked?.state === 'waiting') return <TakeBack requestId={item.asked.id} title={title} />;
  if (!item?.ask) return null;
  const word = item.ask === 'extend' ? 'Ask to extend' : 'Ask to renew';
  return (
    <Button aria-label={`${word}: ${title}`} onClick={() => { show((close) => <AskDialog item={item} title={`${word}: ${title}`} onClose={close} />); }}>{word}…</Button>
  );
}

function TakeBack({ requestId, title }: { requestId: string; title: string }) {
  const styles = useStyles();
  const take = useTakeBack();
  return (
    <>
      <Button disabledFocusable={take.isPending} aria-label={`Take back what you asked: ${title}`} onClick={() => { take.mutate(requestId); }}>{take.isPending ? 'Asking Microsoft Entra' : 'Take back'}</Button>
      {take.error && <div className={styles.problem}><ProblemBar error={take.error} /></div>}
    </>
  );
}

function AskDialog({ item, title, onClose }: { item: EndingEligibility; title: string; onClose(): void }) {
  const styles = useStyles();
  const ask = useAskForEligibility();
  const longest = item.maxDays ?? 365;
  const presets = [...PRESETS.filter((days) => days < longest), longest].slice(-4);
  const drafts = useDrafts();
  const draft = eligibilityDraft(item.groupId);
  // What was typed before verifying.
  const [kept] = useState(() => drafts.read(draft, EligibilityDraft));
  const [days, setDays] = useState(kept && presets.includes(kept.days) ? kept.days : presets.find((preset) => preset >= 90) ?? longest);
  const [justification, setJustification] = useState(kept?.justification ?? '');
  const [missing, setMissing] = useState(false);
  const now = serverNow();
  const close = (): void => {
    drafts.forget(draft);
    onClose();
  };
  return (
    <ConfirmDialog title={title} confirm={ask.isPending ? 'Asking Microsoft Entra' : 'Ask'} open busy={ask.isPending} onClose={close} onConfirm={() => {
      if (justification.trim() === '') return setMissing(true);
      ask.mutate({ groupId: item.groupId, days, justification: justification.trim() }, {
        onSuccess: close,
        onError: (error) => { if (leadsAway(error)) drafts.keep(draft, { days, justification }); },
      });
    }}>
      <div className={styles.form}>
        <ProblemBar error={ask.error} />
        <p className={styles.quiet}>
          Your eligibility for {item.groupName} {item.ended ? 'ended' : 'ends'} {formatNear(item.endsAt, now)}. An administrator of the group decides; until then {item.ended ? 'you cannot activate it' : 'nothing changes'}.
        </p>
        <Field label="For how long">
          <Select className={styles.days} value={String(days)} onChange={(_event, { value }) => { setDays(Number(value)); }}>{presets.map((preset) => <option key={preset} value={preset}>{preset} days</option>)}</Select>
        </Field>
        <Field label="Why" required validationMessage={missing && justification.trim() === '' ? 'Say in a few words why you need it' : undefined}>
          <Textarea value={justification} maxLength={500} onChange={(_event, { value }) => { setJustification(value); }} />
        </Field>
      </div>
    </ConfirmDialog>
  );
}

/** Eligibilities that have ended: their access is in no other list. And what of this could not be read. */
export function EndedEligibilities({ entries }: { entries: readonly AccessEntry[] }) {
  const styles = useStyles();
  const now = useNow();
  const { data, error } = useQuery(endingEligibilities());
  const ended = (data?.items ?? []).filter((item) => item.ended && !entries.some(({ groupId, eligibility }) => groupId === item.groupId && eligibility !== null));
  const unread = error ? ['Which of your eligibilities end soon could not be read.'] : data?.notKnown ?? [];
  if (ended.length === 0 && unread.length === 0) return null;
  return (
    <>
      {ended.length > 0 && (
        <Section title="Eligibility ended">
          <Rows label="Eligibility ended">
            {ended.map((item) => {
              const entry: AccessEntry = { groupId: item.groupId, groupName: item.groupName, applications: item.applications, eligibility: null, policy: null, policyReadAt: null, active: null, request: null, lastJustification: null, lastMinutes: null, lastAskedAt: null, favourite: false, ended: null, keepGoing: null, unfinished: null };
              return <AccessRow key={item.groupId} entry={entry} notes={[...endingNotes(item, now), `via ${item.groupName}`]}><AskToExtend item={item} title={titleOf(entry)} /></AccessRow>;
            })}
          </Rows>
        </Section>
      )}
      {unread.map((sentence) => <p key={sentence} className={styles.quiet}>{sentence}</p>)}
    </>
  );
}
