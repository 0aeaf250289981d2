import { MOST_AT_ONCE, saysNothing, type AccessEntry, type AccessSet, type ActivationOutcome } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Field } from '@fluentui/react-field';
import { DeleteRegular } from '@fluentui/react-icons';
import { Input } from '@fluentui/react-input';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useEffect, useRef, useState } from 'react';
import { endsPage, isProblem } from '../../lib/api.ts';
import { formatMinutes } from '../../lib/dates.ts';
import { useDraft, useDrafts } from '../../lib/drafts.ts';
import { asksOf } from '../../lib/policy.ts';
import { serverNow, verifyAddress } from '../../lib/session.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { StatusBadge, type Tone } from '../../ui/states.tsx';
import { useActivateMany, useRemoveSet, useSaveSet, type ManyWishes } from './access.queries.ts';
import { formatNear, sectionsOf, titleOf, usualMinutes } from './access.words.ts';
import { MANY_DRAFT, ManyDraft } from './draft.ts';

const FORM = 'activate-several';

const useStyles = makeStyles({
  form: { display: 'grid', gap: '20px', paddingBottom: '16px' },
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '4px' },
  results: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '16px' },
  item: { minWidth: 0 },
  small: { margin: '0 0 0 32px', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  text: { margin: 0, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  name: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  wrong: { margin: 0, fontSize: tokens.fontSizeBase200, color: tokens.colorPaletteRedForeground1 },
  heading: { margin: '0 0 4px', fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  sets: { display: 'flex', flexWrap: 'wrap', gap: '4px 12px' },
  set: { display: 'inline-flex', alignItems: 'center' },
  save: { display: 'flex', flexWrap: 'wrap', gap: '8px', alignItems: 'end' },
  setName: { width: '200px', maxWidth: '100%' },
  row: { display: 'flex', flexWrap: 'wrap' },
});

const SHORTER = [15, 30, 60];

/** Where the browser comes back to after verifying: what was chosen goes out. */
const RESUME = '/access?several=1&resume=1';

/** Activating several for one reason: what to activate, and after it what became of each. */
export function ManyPanel({ entries, sets, resume, onResumed, onClose }: { entries: readonly AccessEntry[]; sets: readonly AccessSet[]; resume: boolean; onResumed(): void; onClose(): void }) {
  const styles = useStyles();
  const activate = useActivateMany();
  const drafts = useDrafts();
  const draft = useDraft(MANY_DRAFT, ManyDraft);
  const kept = draft?.body;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(kept?.items.map(({ groupId }) => groupId)));
  const [reason, setReason] = useState(kept?.justification ?? '');
  const [ticket, setTicket] = useState(kept?.ticket?.number ?? '');
  const [atMost, setAtMost] = useState<number>();
  const [missing, setMissing] = useState<{ chosen?: string; reason?: string; ticket?: string }>({});
  const { closed } = sectionsOf(entries, serverNow());
  const picked = entries.filter(({ groupId }) => chosen.has(groupId));
  const demands = (ask: 'requireJustification' | 'requireTicket') => picked.some(({ policy }) => policy?.[ask] === true);
  const stepUp = isProblem(activate.error, 'step-up-required') ? activate.error.problem.signInUrl : undefined;

  const verify = (body: ManyWishes, signInUrl: string): void => {
    drafts.keep(MANY_DRAFT, { body, send: true });
    window.location.assign(verifyAddress(signInUrl, RESUME));
  };
  // Once, even where effects run twice: what was asked for before verifying goes out by itself, and is not sent round in circles.
  const sent = useRef(false);
  const send = (body: ManyWishes): void => {
    const announced = !sent.current && picked.some(({ policy }) => policy !== null && policy.signIn !== 'none');
    activate.mutate(body, {
      onError: (error) => {
        if (announced && isProblem(error, 'step-up-required') && error.problem.signInUrl !== undefined) verify(body, error.problem.signInUrl);
        // A session that ended takes the page with it; what was typed is there again after signing in.
        if (endsPage(error)) drafts.keep(MANY_DRAFT, { body, send: false });
      },
    });
  };
  useEffect(() => {
    if (!resume || sent.current) return;
    sent.current = true;
    onResumed();
    if (draft?.send) send(draft.body);
  });

  const submit = (): void => {
    const wrong = {
      ...(picked.length === 0 ? { chosen: 'Choose at least one' } : picked.length > MOST_AT_ONCE && { chosen: `At most ${MOST_AT_ONCE} at once` }),
      ...(demands('requireJustification') && (reason.trim() === '' ? { reason: 'Say in a few words why you need them' } : saysNothing(reason) && { reason: `What for? “${reason.trim()}” does not say why you need them` })),
      ...(demands('requireTicket') && ticket.trim() === '' && { ticket: 'Give the ticket’s number' }),
    };
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) return;
    const body: ManyWishes = { items: picked.map((entry) => ({ groupId: entry.groupId, minutes: minutesOf(entry, atMost) })), justification: reason, ...(ticket.trim() !== '' && { ticket: { number: ticket } }) };
    if (stepUp !== undefined) verify(body, stepUp);
    else send(body);
  };

  const close = useRef<HTMLButtonElement>(null);
  const isDone = activate.data !== undefined;
  useEffect(() => { if (isDone) close.current?.focus(); }, [isDone]);

  return (
    <SidePanel
      title="Activate several" open onClose={onClose}
      footer={activate.data ? <Button ref={close} appearance="primary" onClick={onClose}>Close</Button> : (
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button appearance="primary" type="submit" form={FORM} disabledFocusable={activate.isPending}>{activate.isPending ? 'Asking Microsoft Entra' : stepUp !== undefined ? 'Verify and activate' : picked.length === 0 ? 'Activate' : `Activate ${picked.length}`}</Button>
        </>
      )}
    >
      {activate.data ? <Results outcomes={activate.data.items} entries={entries} /> : (
        <form id={FORM} noValidate className={styles.form} onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}>
          {stepUp !== undefined
            ? <MessageBar intent="info" layout="multiline" role="alert"><MessageBarBody>Microsoft Entra asks you to verify that it is you. Nothing was asked for yet; all of it goes out when you are back.</MessageBarBody></MessageBar>
            : <ProblemBar error={activate.error} />}
          {sets.length > 0 && <Sets sets={sets} onChoose={({ groupIds }) => { setChosen(new Set(groupIds.filter((groupId) => entries.some((entry) => entry.groupId === groupId)))); }} />}
          <div>
            <h3 className={styles.heading}>What</h3>
            <ul className={styles.list} aria-label="What to activate">
              {entries.map((entry) => <Item key={entry.groupId} entry={entry} running={!closed.includes(entry)} checked={chosen.has(entry.groupId)} atMost={atMost} onChange={(checked) => {
                const next = new Set(chosen);
                if (checked) next.add(entry.groupId);
                else next.delete(entry.groupId);
                setChosen(next);
              }} />)}
            </ul>
            {missing.chosen !== undefined && <p className={styles.wrong} role="alert">{missing.chosen}</p>}
          </div>
          <Field label="Why" required={demands('requireJustification')} {...(missing.reason !== undefined ? { validationMessage: missing.reason } : reason.trim() !== '' && saysNothing(reason) && { validationState: 'warning', validationMessage: 'What for? Whoever reads the history will not know from this.' })}>
            <Input value={reason} maxLength={500} autoComplete="off" onChange={(_event, { value }) => { setReason(value); }} />
          </Field>
          {(demands('requireTicket') || ticket !== '') && <Field label="Ticket number" required={demands('requireTicket')} validationMessage={missing.ticket}>
            <Input value={ticket} maxLength={100} autoComplete="off" onChange={(_event, { value }) => { setTicket(value); }} />
          </Field>}
          <Field label="How long">
            <RadioGroup layout="horizontal" className={styles.row} value={String(atMost ?? 'usual')} onChange={(_event, { value }) => { setAtMost(value === 'usual' ? undefined : Number(value)); }}>
              <Radio value="usual" label="As last time" />
              {SHORTER.map((minutes) => <Radio key={minutes} value={String(minutes)} label={`At most ${formatMinutes(minutes)}`} />)}
            </RadioGroup>
          </Field>
          {picked.length > 0 && <SaveSet key={[...chosen].join()} groupIds={picked.map(({ groupId }) => groupId)} />}
        </form>
      )}
    </SidePanel>
  );
}

/** As long as the person takes it usually, and no longer than is wished or allowed. */
const minutesOf = (entry: AccessEntry, atMost: number | undefined): number => (atMost === undefined ? usualMinutes(entry) : Math.min(atMost, entry.policy?.maxMinutes ?? atMost));

function Item({ entry, running, checked, atMost, onChange }: { entry: AccessEntry; running: boolean; checked: boolean; atMost: number | undefined; onChange(checked: boolean): void }) {
  const styles = useStyles();
  const { active, policy } = entry;
  return (
    <li className={styles.item}>
      <Checkbox label={titleOf(entry)} checked={checked} onChange={(_event, data) => { onChange(data.checked === true); }} />
      <p className={styles.small}>{running
        ? `${active ? `Open${active.endsAt ? ` until ${formatNear(active.endsAt, serverNow())}` : ''}` : 'Asked for already'}: it will be skipped`
        : [`for ${formatMinutes(minutesOf(entry, atMost))}`, ...(policy ? asksOf(policy) : ['what it asks for is not known'])].join(' · ')}</p>
    </li>
  );
}

function Sets({ sets, onChoose }: { sets: readonly AccessSet[]; onChoose(set: AccessSet): void }) {
  const styles = useStyles();
  const remove = useRemoveSet();
  return (
    <section aria-label="Saved sets">
      <h3 className={styles.heading}>Saved sets</h3>
      <ProblemBar error={remove.error} />
      <div className={styles.sets}>
        {sets.map((set) => (
          <span key={set.id} className={styles.set}>
            <Button size="small" onClick={() => { onChoose(set); }}>{`${set.name} (${set.groupIds.length})`}</Button>
            <Button size="small" appearance="subtle" icon={<DeleteRegular />} aria-label={`Remove the set ${set.name}`} disabledFocusable={remove.isPending} onClick={() => { remove.mutate(set.id); }} />
          </span>
        ))}
      </div>
    </section>
  );
}

/** Not a form of its own: it stands within one. */
function SaveSet({ groupIds }: { groupIds: readonly string[] }) {
  const styles = useStyles();
  const save = useSaveSet();
  const [name, setName] = useState('');
  const keep = () => { if (name.trim() !== '' && !save.isPending) save.mutate({ name, groupIds: [...groupIds] }); };
  return (
    <div>
      <ProblemBar error={save.error} />
      <div className={styles.save}>
        <Field label="Keep this choice as a set" className={styles.setName}>
          <Input value={name} maxLength={60} autoComplete="off" placeholder="Name" onChange={(_event, { value }) => { setName(value); }} onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            keep();
          }} />
        </Field>
        <Button onClick={keep} disabledFocusable={save.isPending}>Save set</Button>
      </div>
      <p className={styles.text} role="status">{save.data ? `Saved as “${save.data.name}”.` : ''}</p>
    </div>
  );
}

const TOLD: Record<ActivationOutcome['outcome'], { readonly tone: Tone; readonly word: string }> = {
  asked: { tone: 'good', word: 'Asked for' },
  skipped: { tone: 'quiet', word: 'Skipped' },
  refused: { tone: 'bad', word: 'Refused' },
  verify: { tone: 'warn', word: 'Not asked for: verify first' },
  unknown: { tone: 'warn', word: 'Not known' },
};
const STANDS: Partial<Record<string, string>> = { 'awaiting-approval': 'waits for approval', 'provisioning': 'being provisioned', 'active': 'provisioned', 'scheduled': 'scheduled' };

function Results({ outcomes, entries }: { outcomes: readonly ActivationOutcome[]; entries: readonly AccessEntry[] }) {
  const styles = useStyles();
  return (
    <ul className={styles.results} aria-label="What became of each" aria-live="polite">
      {outcomes.map(({ groupId, outcome, request, reason }) => {
        const entry = entries.find((other) => other.groupId === groupId);
        const stands = request && STANDS[request.state];
        return (
          <li key={groupId} className={styles.item}>
            <h3 className={styles.name}>{entry ? titleOf(entry) : groupId}</h3>
            <StatusBadge tone={request && request.state !== 'active' ? 'busy' : TOLD[outcome].tone}>{TOLD[outcome].word}{stands ? `, ${stands}` : ''}</StatusBadge>
            {reason !== null && <p className={styles.text}>{reason}</p>}
          </li>
        );
      })}
    </ul>
  );
}
