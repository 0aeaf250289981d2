import { type AccessEntry, type KeepGoingPlan } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { MessageBar, MessageBarActions, MessageBarBody } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useEffect, useEffectEvent, useState } from 'react';
import { useSearchParams } from 'react-router';
import { isProblem } from '../../lib/api.ts';
import { formatCountdown, formatMinutes } from '../../lib/dates.ts';
import { leadsAway, useDraft, useDrafts } from '../../lib/drafts.ts';
import { useNow, verifyAddress } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { useActivate } from './access.queries.ts';
import { AccessRow, Rows } from './access-row.tsx';
import { formatNear, isUnderWay, titleOf } from './access.words.ts';
import { useAsking, type AskWhenEnded } from './ask-when-ended.ts';
import { activationDraft, ActivationDraft, resumeAddress } from './draft.ts';
import { useKeepGoing, type KeepGoingWish } from './keep-going.queries.ts';
import { useRowDialog } from './row-dialogs.tsx';

const useStyles = makeStyles({
  button: { fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' },
  form: { display: 'grid', gap: '12px' },
  steps: { margin: 0, paddingLeft: '20px', display: 'grid', gap: '4px' },
  quiet: { margin: 0, color: tokens.colorNeutralForeground2 },
  bars: { display: 'grid', gap: '8px', marginTop: '16px' },
  problem: { flexBasis: '100%' },
});

const QUARTER_HOUR_MS = 15 * 60_000;
/** How long after the end a tab still asks by itself: later the person is somewhere else. */
const STILL_WANTED_MS = 10 * 60_000;

/** Whether an activation is in its last quarter, or its last 15 minutes. */
function endsSoon({ active }: AccessEntry, now: Date): boolean {
  if (!active?.endsAt) return false;
  const end = Date.parse(active.endsAt);
  const left = end - now.getTime();
  const quarter = active.since ? (end - Date.parse(active.since)) / 4 : 0;
  return left > 0 && left <= Math.max(QUARTER_HOUR_MS, quarter);
}

/** Offers the next activation in place of one that ends soon. */
export function KeepGoingAction({ entry, onNews }: { entry: AccessEntry; onNews(news: string): void }) {
  const styles = useStyles();
  const now = useNow();
  const [search, setSearch] = useSearchParams();
  const show = useRowDialog();
  const { armed: all, disarm } = useAsking();
  const armed = all.some(({ body }) => body.groupId === entry.groupId);
  const plan = entry.keepGoing?.way === 'no' ? null : entry.keepGoing;
  const ask = (): void => { if (plan) show((close) => <KeepGoingDialog entry={entry} plan={plan} onNews={onNews} onClose={close} />); };
  const askAgain = useEffectEvent(ask);
  // Back from verifying: the dialog is there again, and nothing goes out before the person says so.
  const isBack = search.get('keep') === entry.groupId;
  useEffect(() => {
    if (!isBack) return;
    askAgain();
    setSearch({}, { replace: true });
  }, [isBack, setSearch]);
  if (!plan || (!armed && !endsSoon(entry, now))) return null;
  const title = titleOf(entry);
  if (armed) return <Button aria-label={`Do not ask again for ${title}`} onClick={() => { disarm(entry.groupId); }}>Do not ask again</Button>;
  const waitMs = waitOf(plan, now);
  return (
    <Button className={styles.button} aria-label={waitMs > 0 ? `Keep going in ${formatCountdown(waitMs, true)}: ${title}` : `Keep going: ${title}`} onClick={ask}>
      {waitMs > 0 ? `Keep going in ${formatCountdown(waitMs, true)}` : 'Keep going'}
    </Button>
  );
}

/** Milliseconds until PIM can end it. */
const waitOf = ({ possibleAt }: KeepGoingPlan, now: Date): number => (possibleAt === null ? 0 : Date.parse(possibleAt) - now.getTime());

/** What a row says of an access that this tab asks for again. */
export function useArmedNote({ groupId, active }: AccessEntry): string | undefined {
  const armed = useAsking().armed.some(({ body }) => body.groupId === groupId);
  return armed && active ? 'This tab asks again once it has ended: keep the page open.' : undefined;
}

function KeepGoingDialog({ entry, plan, onNews, onClose }: { entry: AccessEntry; plan: KeepGoingPlan; onNews(news: string): void; onClose(): void }) {
  const styles = useStyles();
  const keep = useKeepGoing();
  const waitMs = waitOf(plan, useNow());
  // What was typed before verifying, once (decision 0005).
  const drafts = useDrafts();
  const { arm } = useAsking();
  const draft = useDraft(activationDraft(entry.groupId), ActivationDraft)?.body;
  const [justification, setJustification] = useState(draft?.justification ?? plan.justification ?? '');
  const [ticket, setTicket] = useState(draft?.ticket?.number ?? plan.ticketNumber ?? '');
  const title = titleOf(entry);
  const { policy } = entry;
  const minutes = plan.minutes ?? policy?.maxMinutes ?? 30;
  const wish: KeepGoingWish = { groupId: entry.groupId, minutes, justification: justification.trim(), ...(ticket.trim() !== '' && { ticket: { number: ticket.trim(), system: '' } }) };
  const stepUp = isProblem(keep.error, 'step-up-required') ? keep.error.problem.signInUrl : undefined;
  const onlyLater = plan.way === 'when-ended' || waitMs > 0;
  const later = () => {
    arm({ body: { ...wish, justification: wish.justification ?? '', ticket: wish.ticket && { number: wish.ticket.number, system: '' } }, title });
    onNews(`${title}: this tab asks again once it has ended. Keep the page open.`);
    onClose();
  };
  const now = () => {
    if (stepUp !== undefined) {
      drafts.keep(activationDraft(entry.groupId), { body: wish, send: false });
      window.location.assign(verifyAddress(stepUp, `/access?keep=${entry.groupId}`));
    } else keep.mutate(wish, { onSuccess: ({ message }) => {
      onNews(`${title}: ${message}`);
      onClose();
    } });
  };
  return (
    <ConfirmDialog
      title={`Keep going: ${title}`} open busy={keep.isPending} onClose={onClose} onConfirm={onlyLater ? later : now}
      confirm={onlyLater ? 'Ask again when it ends' : keep.isPending ? 'Ending and activating' : stepUp !== undefined ? 'Verify' : 'End and activate again'}
    >
      <div className={styles.form}>
        {stepUp === undefined ? <ProblemBar error={keep.error} /> : <MessageBar intent="info" layout="multiline" role="alert"><MessageBarBody>Microsoft Entra asks you to verify that it is you. Nothing has ended; this dialog is here when you are back.</MessageBarBody></MessageBar>}
        {onlyLater ? (
          <>
            {plan.message !== null && <p className={styles.quiet}>{plan.message}</p>}
            {waitMs > 0 && <p className={styles.quiet}>It can be ended in {formatCountdown(waitMs, true)}.</p>}
            <p className={styles.quiet}>This tab can ask for the next {formatMinutes(minutes)} as soon as it has ended. Keep the page open: a closed tab asks for nothing.</p>
          </>
        ) : (
          <>
            <p className={styles.quiet}>Microsoft Entra makes no activation longer, so this happens in its place:</p>
            <ol className={styles.steps}>
              <li>Your membership of {entry.groupName} ends now.</li>
              <li>For some seconds you are out: what you open then may be refused.</li>
              <li>A new activation begins, for {formatMinutes(minutes)}.</li>
            </ol>
            {plan.message !== null && <p className={styles.quiet}>{plan.message}</p>}
            <p className={styles.quiet}>If it stops in between, the page says so, and one button goes on.</p>
          </>
        )}
        <Field label="Why" required={policy?.requireJustification ?? false}><Input value={justification} maxLength={500} autoComplete="off" onChange={(_event, { value }) => { setJustification(value); }} /></Field>
        {policy?.requireTicket && <Field label="Ticket number" required><Input value={ticket} maxLength={100} autoComplete="off" onChange={(_event, { value }) => { setTicket(value); }} /></Field>}
        {!onlyLater && stepUp === undefined && <div><Button appearance="transparent" disabled={keep.isPending} onClick={later}>Rather ask again when it ends</Button></div>}
      </div>
    </ConfirmDialog>
  );
}

/** What stopped between the end and the new activation, said before everything else. */
export function Unfinished({ entries, onNews }: { entries: readonly AccessEntry[]; onNews(news: string): void }) {
  const stopped = entries.filter(({ unfinished }) => unfinished !== null);
  if (stopped.length === 0) return null;
  return <Section title="Stopped on the way"><Rows label="Stopped on the way">{stopped.map((entry) => <UnfinishedRow key={entry.groupId} entry={entry} onNews={onNews} />)}</Rows></Section>;
}

function UnfinishedRow({ entry, onNews }: { entry: AccessEntry; onNews(news: string): void }) {
  const styles = useStyles();
  const now = useNow();
  const keep = useKeepGoing();
  const { unfinished } = entry;
  if (!unfinished) return null;
  const { state, busy, endedAt, minutes, justification, message } = unfinished;
  return (
    <AccessRow entry={entry} state={busy ? { tone: 'busy', word: 'Under way' } : state === 'ended' ? { tone: 'bad', word: 'You are out' } : { tone: 'warn', word: 'Not known' }} notes={[
      message, [endedAt && `ended ${formatNear(endedAt, now)}`, `next: ${formatMinutes(minutes)}`, `via ${entry.groupName}`].filter(Boolean).join(' · '),
    ]}>
      {!busy && (
        <Button appearance="primary" disabledFocusable={keep.isPending} aria-label={`${state === 'ended' ? 'Ask now' : 'Go on'}: ${titleOf(entry)}`} onClick={() => {
          keep.mutate({ groupId: entry.groupId, minutes, justification: justification ?? '' }, { onSuccess: (kept) => { onNews(`${titleOf(entry)}: ${kept.message}`); } });
        }}>{keep.isPending ? 'Asking Microsoft Entra' : state === 'ended' ? 'Ask now' : 'Go on'}</Button>
      )}
      {keep.error && <div className={styles.problem}><ProblemBar error={keep.error} /></div>}
    </AccessRow>
  );
}

/** What came of a wish of this tab. Without words and error it was too late for it. */
interface Told { readonly wish: AskWhenEnded; readonly news?: string; readonly error?: unknown }

/** Asks again for what has ended, where this tab was told to; and says what came of it. */
export function AskingWhenEnded({ entries }: { entries: readonly AccessEntry[] }) {
  const styles = useStyles();
  const { armed, disarm } = useAsking();
  const drafts = useDrafts();
  const now = useNow();
  const { mutateAsync } = useActivate();
  const [told, setTold] = useState<readonly Told[]>([]);
  const tell = (one: Told): void => { setTold((known) => [...known.filter(({ wish }) => wish.body.groupId !== one.wish.body.groupId), one]); };

  const ask = useEffectEvent(async (wish: AskWhenEnded) => {
    const { body, title } = wish;
    try {
      const { state } = await mutateAsync(body);
      tell({ wish, news: `${title}: it ended and was asked for again${state === 'awaiting-approval' ? '; it waits for approval' : ''}.` });
    } catch (error) {
      // The tab has nothing to ask for any more: what was typed is there when the person comes back.
      if (leadsAway(error)) drafts.keep(activationDraft(body.groupId), { body, send: isProblem(error, 'step-up-required') });
      tell({ wish, error });
    }
  });
  const goOn = useEffectEvent((wish: AskWhenEnded) => {
    const entry = entries.find(({ groupId }) => groupId === wish.body.groupId);
    if ((entry && (entry.active !== null || entry.unfinished !== null)) || !disarm(wish.body.groupId)) return;
    const ended = entry?.ended ? Date.parse(entry.ended.at) : undefined;
    if (ended === undefined || now.getTime() - ended > STILL_WANTED_MS) tell({ wish });
    else if (!isUnderWay(entry?.request ?? null)) void ask(wish);
  });
  useEffect(() => { for (const wish of armed) goOn(wish); }, [armed, entries]);

  if (told.length === 0) return null;
  return (
    <div className={styles.bars}>
      {told.map(({ wish: { body: { groupId }, title }, news, error }) => {
        const signInUrl = isProblem(error, 'step-up-required') ? error.problem.signInUrl : undefined;
        if (error !== undefined && signInUrl === undefined) return <ProblemBar key={groupId} error={error} />;
        return (
          <MessageBar key={groupId} intent={news === undefined ? 'warning' : 'success'} layout="multiline" role="status">
            <MessageBarBody>{news ?? (signInUrl === undefined
              ? `${title} has ended, and this tab did not ask again in time: activate it if you still need it.`
              : `${title} has ended, and Microsoft Entra asks you to verify that it is you. What you typed stays, and the request goes out when you are back.`)}</MessageBarBody>
            <MessageBarActions>
              {signInUrl !== undefined && <Button as="a" size="small" appearance="primary" href={verifyAddress(signInUrl, resumeAddress(groupId))}>Verify and activate</Button>}
              <Button size="small" onClick={() => { setTold((known) => known.filter(({ wish }) => wish.body.groupId !== groupId)); }}>Dismiss</Button>
            </MessageBarActions>
          </MessageBar>
        );
      })}
    </div>
  );
}

/** `starts in 00:21:40` for what is scheduled. */
export function StartsIn({ startsAt }: { startsAt: string }) {
  const left = Date.parse(startsAt) - useNow().getTime();
  return <span className={useStyles().button}>{left > 0 ? `Starts in ${formatCountdown(left)}` : 'Starting'}</span>;
}
