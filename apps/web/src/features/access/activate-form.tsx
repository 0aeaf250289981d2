import { FIVE_MINUTE_FLOOR, RequestActivation, type AccessEntry } from '@gatehouse/contracts';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { zodResolver } from '@hookform/resolvers/zod';
import { useEffect, useState } from 'react';
import { Controller, useForm } from 'react-hook-form';
import type { z } from 'zod';
import { applyIssues, isProblem } from '../../lib/api.ts';
import { formatMinutes, formatZone, fromLocalInput, toLocalInput } from '../../lib/dates.ts';
import { serverNow } from '../../lib/session.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { asksOf, presetsOf, usualMinutes } from './access.words.ts';
import type { Wish } from './access.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gap: '20px', paddingBottom: '16px' },
  row: { display: 'flex', flexWrap: 'wrap', alignItems: 'center' },
  custom: { width: '112px' },
  asks: { margin: 0, color: tokens.colorNeutralForeground2 },
});

const FIELDS = ['minutes', 'justification', 'ticket.number', 'ticket.system', 'ticket', 'startsAt'] as const;
type FieldName = (typeof FIELDS)[number];

/** The contract's body with what this group's policy asks for besides. */
function bodyFor({ policy }: AccessEntry) {
  return RequestActivation.body.superRefine((body, context) => {
    if (!policy) return;
    if (body.minutes > policy.maxMinutes) context.addIssue({ code: 'custom', path: ['minutes'], message: `This access allows ${formatMinutes(policy.maxMinutes)} at the most` });
    if (policy.requireJustification && body.justification === '') context.addIssue({ code: 'custom', path: ['justification'], message: 'Say in a few words why you need it' });
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

/** Why, how long, from when; what the policy asks for, before it refuses. */
export function ActivateForm({ entry, id, draft, error, onChange, onSubmit }: ActivateFormProps) {
  const styles = useStyles();
  const { policy, groupId } = entry;
  const presets = presetsOf(policy);
  const asksTicket = policy?.requireTicket ?? false;
  const { control, handleSubmit, setError, setValue, formState: { errors } } = useForm<Wish, unknown, z.output<typeof RequestActivation.body>>({
    resolver: zodResolver(bodyFor(entry)),
    defaultValues: { minutes: usualMinutes(policy), justification: entry.lastJustification ?? '', ...(asksTicket && { ticket: { number: '', system: '' } }), ...draft, groupId },
  });
  const [custom, setCustom] = useState(draft?.minutes !== undefined && !presets.includes(draft.minutes));
  const [later, setLater] = useState(draft?.startsAt !== undefined);
  const placed = applyIssues(error, FIELDS, () => {});

  useEffect(() => {
    applyIssues(error, FIELDS, (field, { message }) => { setError(field === 'ticket' ? 'ticket.number' : (field as FieldName), { type: 'server', message }, { shouldFocus: true }); });
  }, [error, setError]);

  return (
    <form id={id} noValidate className={styles.form} onChange={onChange} onSubmit={(event) => void handleSubmit(onSubmit)(event)}>
      {error !== null && !placed && !isProblem(error, 'step-up-required') && <ProblemBar error={error} />}
      <Field label="Why" required={policy?.requireJustification ?? false} validationMessage={errors.justification?.message}>
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
      <p className={styles.asks}>Policy asks: {policy ? policyAsks(entry) : 'not known here, Microsoft Entra will say'}</p>
    </form>
  );
}

const localOf = (iso: string | undefined): string => (iso ? toLocalInput(new Date(iso)) : '');

function policyAsks({ policy }: AccessEntry): string {
  if (!policy) return '';
  return [...asksOf(policy), policy.requireJustification ? 'reason' : 'no reason', ...(policy.requireApproval ? [] : ['no approval'])].join(' · ');
}
