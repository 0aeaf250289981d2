import { FIVE_MINUTE_FLOOR, RequestActivation, saysNothing, type AccessEntry } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { zodResolver } from '@hookform/resolvers/zod';
import { useEffect, useState } from 'react';
import { Controller, useForm, useWatch, type Control } from 'react-hook-form';
import type { z } from 'zod';
import { applyIssues, isProblem } from '../../lib/api.ts';
import { formatAgo, formatMinutes, formatZone, fromLocalInput, toLocalInput } from '../../lib/dates.ts';
import { asksOf } from '../../lib/policy.ts';
import { serverNow } from '../../lib/session.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { isStale, presetsOf, usualMinutes } from './access.words.ts';
import { useCheck, type Wish } from './access.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gap: '20px', paddingBottom: '16px' },
  row: { display: 'flex', flexWrap: 'wrap', alignItems: 'center' },
  custom: { width: '112px' },
  asks: { margin: 0, color: tokens.colorNeutralForeground2 },
  policy: { display: 'grid', gap: '4px' },
});

const FIELDS = ['minutes', 'justification', 'ticket.number', 'ticket.system', 'ticket', 'startsAt'] as const;
type FieldName = (typeof FIELDS)[number];

/** The contract's body with what this group's policy asks for besides. */
function bodyFor({ policy, eligibility }: AccessEntry) {
  return RequestActivation.body.superRefine((body, context) => {
    const left = eligibility?.endsAt ? Math.floor((Date.parse(eligibility.endsAt) - (body.startsAt === undefined ? serverNow().getTime() : Date.parse(body.startsAt))) / 60_000) : Infinity;
    if (left < FIVE_MINUTE_FLOOR) context.addIssue({ code: 'custom', path: ['minutes'], message: 'Your eligibility ends before that' });
    else if (body.minutes > left) context.addIssue({ code: 'custom', path: ['minutes'], message: `Your eligibility ends before that: choose ${formatMinutes(left)} at the most` });
    if (!policy) return;
    if (body.minutes > policy.maxMinutes) context.addIssue({ code: 'custom', path: ['minutes'], message: `This access allows ${formatMinutes(policy.maxMinutes)} at the most` });
    if (policy.requireJustification && body.justification === '') context.addIssue({ code: 'custom', path: ['justification'], message: 'Say in a few words why you need it' });
    else if (policy.requireJustification && saysNothing(body.justification)) context.addIssue({ code: 'custom', path: ['justification'], message: `What for? “${body.justification}” does not say why you need it` });
  });
}

export interface ActivateFormProps {
  readonly entry: AccessEntry;
  readonly id: string;
  /** What was typed before, brought back. */
  readonly draft: Partial<Wish> | undefined;
  readonly error: unknown;
  onChange(): void;
  onSubmit(body: Wish): void;
}

const VERDICTS = {
  'would-activate': { tone: 'good', word: 'Would be activated', text: undefined },
  'would-wait-for-approval': { tone: 'busy', word: 'Would wait for approval', text: undefined },
  'would-ask-to-verify': { tone: 'busy', word: 'Would ask you to verify', text: 'Microsoft Entra looks at the rest when it knows that it is you.' },
  'would-refuse': { tone: 'bad', word: 'Would be refused', text: undefined },
} as const;

/** Entra's own word on what is typed, asked for by the person. */
function Check({ control, onAsk, check }: { control: Control<Wish, unknown, z.output<typeof RequestActivation.body>>; onAsk(): void; check: ReturnType<typeof useCheck> }) {
  const styles = useStyles();
  const { data, error, isPending, reset } = check;
  // What was checked is not what is typed by now.
  const typed = JSON.stringify(useWatch({ control }));
  useEffect(() => { reset(); }, [typed, reset]);
  return (
    <div className={styles.policy}>
      <ProblemBar error={error} />
      {data && <div role="status">
        <StatusBadge tone={VERDICTS[data.verdict].tone}>{VERDICTS[data.verdict].word}</StatusBadge>
        {VERDICTS[data.verdict].text !== undefined && <p className={styles.asks}>{VERDICTS[data.verdict].text}</p>}
        {data.issues.map(({ message }) => <p key={message} className={styles.asks}>{message}</p>)}
      </div>}
      <div><Button size="small" disabledFocusable={isPending} onClick={onAsk}>{isPending ? 'Asking Microsoft Entra' : 'Check without activating'}</Button></div>
    </div>
  );
}

/** Why, how long, from when; what the policy asks for, before it refuses. */
export function ActivateForm({ entry, id, draft, error, onChange, onSubmit }: ActivateFormProps) {
  const styles = useStyles();
  const { policy, groupId } = entry;
  const presets = presetsOf(entry);
  const asksTicket = policy?.requireTicket ?? false;
  const { control, getValues, handleSubmit, setError, setValue, formState: { errors } } = useForm<Wish, unknown, z.output<typeof RequestActivation.body>>({
    resolver: zodResolver(bodyFor(entry)),
    defaultValues: { minutes: usualMinutes(entry), justification: entry.lastJustification ?? '', ...(asksTicket && { ticket: { number: '', system: '' } }), ...draft, groupId },
  });
  const [custom, setCustom] = useState(draft?.minutes !== undefined && !presets.includes(draft.minutes));
  const [later, setLater] = useState(draft?.startsAt !== undefined);
  const reason = useWatch({ control, name: 'justification' }) ?? '';
  const asksMore = reason.trim() !== '' && saysNothing(reason);
  const check = useCheck();
  // Where what the portal knows may be old, and what was typed last time would do, Entra is asked without a click.
  const { mutate: ask } = check;
  const [stale] = useState(() => isStale(entry, serverNow()) && entry.lastJustification !== null && error === null);
  useEffect(() => { if (stale) ask(getValues()); }, [stale, ask, getValues]);
  const placed = applyIssues(error, FIELDS, () => {});

  useEffect(() => {
    applyIssues(error, FIELDS, (field, { message }) => { setError(field === 'ticket' ? 'ticket.number' : (field as FieldName), { type: 'server', message }, { shouldFocus: true }); });
  }, [error, setError]);

  return (
    <form id={id} noValidate className={styles.form} onChange={onChange} onSubmit={(event) => void handleSubmit(onSubmit)(event)}>
      {error !== null && !placed && !isProblem(error, 'step-up-required') && <ProblemBar error={error} />}
      <Field label="Why" required={policy?.requireJustification ?? false} {...(errors.justification ? { validationMessage: errors.justification.message } : asksMore && { validationState: 'warning', validationMessage: 'What for? Whoever reads the history will not know from this.' })}>
        <Controller name="justification" control={control} render={({ field: { value, ...field } }) => <Input {...field} value={value ?? ''} data-first-focus="" maxLength={500} autoComplete="off" />} />
      </Field>
      <Controller name="minutes" control={control} render={({ field }) => (
        <Field label="How long" validationMessage={custom ? undefined : errors.minutes?.message}>
          <RadioGroup layout="horizontal" className={styles.row} value={custom ? 'custom' : String(field.value)} onChange={(_event, { value }) => {
            setCustom(value === 'custom');
            if (value !== 'custom') field.onChange(Number(value));
          }}>
            {presets.map((minutes) => <Radio key={minutes} value={String(minutes)} label={formatMinutes(minutes)} />)}
            <Radio value="custom" label="Other" />
          </RadioGroup>
        </Field>
      )} />
      {custom && (
        <Field label="Minutes" hint={policy ? `${FIVE_MINUTE_FLOOR} min to ${formatMinutes(policy.maxMinutes)}` : `${FIVE_MINUTE_FLOOR} min at the least`} validationMessage={errors.minutes?.message}>
          <Controller name="minutes" control={control} render={({ field: { value, onChange: change, ...field } }) => (
            <Input {...field} type="number" className={styles.custom} min={FIVE_MINUTE_FLOOR} step={1} value={Number.isNaN(value) ? '' : String(value)} onChange={(_event, data) => { change(data.value === '' ? NaN : Number(data.value)); }} />
          )} />
        </Field>
      )}
      <Field label="Start">
        <RadioGroup layout="horizontal" value={later ? 'later' : 'now'} onChange={(_event, { value }) => {
          setLater(value === 'later');
          setValue('startsAt', value === 'later' ? new Date(Math.ceil((serverNow().getTime() + 30 * 60_000) / 900_000) * 900_000).toISOString() : undefined);
        }}>
          <Radio value="now" label="Now" />
          <Radio value="later" label="Later" />
        </RadioGroup>
      </Field>
      {later && (
        <Controller name="startsAt" control={control} render={({ field }) => (
          <Field label="Starts at" hint={`Your local time${field.value === undefined ? '' : `, ${formatZone(field.value)}`}`} validationMessage={errors.startsAt?.message}>
            <Input type="datetime-local" value={localOf(field.value)} onBlur={field.onBlur} onChange={(_event, { value }) => { field.onChange(fromLocalInput(value, serverNow())?.toISOString() ?? ''); }} />
          </Field>
        )} />
      )}
      {asksTicket && (
        <>
          <Field label="Ticket number" required validationMessage={errors.ticket?.number?.message}><Controller name="ticket.number" control={control} render={({ field: { value, ...field } }) => <Input {...field} value={value ?? ''} maxLength={100} autoComplete="off" />} /></Field>
          <Field label="Ticket system" validationMessage={errors.ticket?.system?.message}><Controller name="ticket.system" control={control} render={({ field: { value, ...field } }) => <Input {...field} value={value ?? ''} maxLength={100} />} /></Field>
        </>
      )}
      <div className={styles.policy}>
        <p className={styles.asks}>Policy asks: {policy ? policyAsks(entry) : 'not known here, Microsoft Entra will say'}</p>
        {policy && policy.signIn !== 'none' && <p className={styles.asks}>Unless you verified lately, Microsoft Entra asks you to, and brings you back here.</p>}
        {policy && entry.policyReadAt !== null && isStale(entry, serverNow()) && <p className={styles.asks}>This was read {formatAgo(entry.policyReadAt, serverNow())} and may have changed.</p>}
      </div>
      <Check control={control} check={check} onAsk={() => { check.mutate(getValues()); }} />
    </form>
  );
}

const localOf = (iso: string | undefined): string => (iso ? toLocalInput(new Date(iso)) : '');

function policyAsks({ policy }: AccessEntry): string {
  if (!policy) return '';
  return [...asksOf(policy), policy.requireJustification ? 'reason' : 'no reason', ...(policy.requireApproval ? [] : ['no approval'])].join(' · ');
}
