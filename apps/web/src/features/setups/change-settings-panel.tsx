import { MAX_ACTIVATION_MINUTES, RoleSettingsChange, type PresetName, type RoleSettings, type SettingsOf } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Controller, useForm, useWatch } from 'react-hook-form';
import { useNavigate } from 'react-router';
import { formatMinutes } from '../../lib/dates.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { Chosen } from './chosen.tsx';
import { PresetRadios } from './preset-choice.tsx';
import { PrincipalPicker } from './principal-picker.tsx';
import { authenticationContexts, useChangeSetups } from './setups.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '12px' },
  select: { minWidth: 0, '& > select': { minWidth: 0, textOverflow: 'ellipsis' } },
  text: { margin: '0 0 12px', color: tokens.colorNeutralForeground2 },
});

type Approvers = RoleSettings['approval']['approvers'];

/** What is chosen of each setting; an empty text leaves it as it is in each setup. */
interface Wish {
  by: 'preset' | 'settings';
  preset: PresetName | '';
  activationMaxMinutes: string;
  activationSignIn: string;
  requireJustification: string;
  requireTicket: string;
  approval: string;
  approvers: Approvers;
  eligibleMaxDays: string;
  activeMaxDays: string;
  activeRequiresMfa: string;
  activeRequiresJustification: string;
}

const UNTOUCHED: Wish = { by: 'settings', preset: '', activationMaxMinutes: '', activationSignIn: '', requireJustification: '', requireTicket: '', approval: '', approvers: [], eligibleMaxDays: '', activeMaxDays: '', activeRequiresMfa: '', activeRequiresJustification: '' };

const yes = (value: string) => value === 'yes';
const daysOf = (value: string) => (value === 'permanent' ? null : Number(value));

/** The change in the contract's words; what it lacks, the contract says. */
function changeOf(wish: Wish) {
  if (wish.by === 'preset') return { preset: wish.preset };
  const signIn = wish.activationSignIn;
  return {
    ...(wish.activationMaxMinutes !== '' && { activationMaxMinutes: Number(wish.activationMaxMinutes) }),
    ...(signIn !== '' && { activationSignIn: signIn === 'none' || signIn === 'mfa' ? { kind: signIn } : { kind: 'authentication-context', id: signIn } }),
    ...(wish.requireJustification !== '' && { requireJustification: yes(wish.requireJustification) }),
    ...(wish.requireTicket !== '' && { requireTicket: yes(wish.requireTicket) }),
    ...(wish.approval !== '' && { approval: yes(wish.approval) ? { required: true, approvers: wish.approvers } : { required: false, approvers: [] } }),
    ...(wish.eligibleMaxDays !== '' && { eligibleMaxDays: daysOf(wish.eligibleMaxDays) }),
    ...(wish.activeMaxDays !== '' && { activeMaxDays: daysOf(wish.activeMaxDays) }),
    ...(wish.activeRequiresMfa !== '' && { activeRequiresMfa: yes(wish.activeRequiresMfa) }),
    ...(wish.activeRequiresJustification !== '' && { activeRequiresJustification: yes(wish.activeRequiresJustification) }),
  };
}

const REQUIRE = [['yes', 'Require it'], ['no', 'Do not require it']] as const;
const DURATIONS = [30, 60, 90, 120, 180, 240, 360, 480, 720, MAX_ACTIVATION_MINUTES].map((minutes) => [String(minutes), formatMinutes(minutes)] as const);
const DAYS = [...[1, 15, 30, 90, 180, 365].map((days) => [String(days), days === 1 ? '1 day' : `${days} days`] as const), ['permanent', 'Permanent is allowed'] as const];

/** One change of many setups: a preset, or single settings. It becomes a batch, which is reviewed before anything changes. */
export function ChangeSettingsPanel({ of, setups, onClose }: { of: SettingsOf; setups: readonly { id: string; name: string }[]; onClose(): void }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const formId = useId();
  const change = useChangeSetups();
  const { control, handleSubmit, setValue } = useForm<Wish>({ defaultValues: UNTOUCHED });
  const wish = useWatch({ control }) as Wish;
  const contexts = useQuery(authenticationContexts());
  const [lacking, setLacking] = useState<string>();
  const count = setups.length === 1 ? '1 setup' : `${setups.length} setups`;
  const plan = handleSubmit((values) => {
    if (values.by === 'preset' && values.preset === '') return setLacking('Choose a preset');
    if (values.by === 'settings' && values.approval === 'yes' && values.approvers.length === 0) return setLacking('Name at least one approver');
    const parsed = RoleSettingsChange.safeParse(changeOf(values));
    if (!parsed.success) return setLacking('Name at least one setting');
    setLacking(undefined);
    change.mutate({ setupIds: setups.map(({ id }) => id), of, change: parsed.data }, { onSuccess: ({ id }) => void navigate(`/setups/batches/${id}`) });
  });
  const pick = (name: Exclude<keyof Wish, 'by' | 'preset' | 'approvers'>, label: string, options: readonly (readonly [string, string])[]) => (
    <Controller control={control} name={name} render={({ field }) => (
      <Field label={label}>
        <Select className={styles.select} value={field.value} onChange={(_event, data) => { setLacking(undefined); field.onChange(data.value); }}>
          <option value="">Leave as it is</option>
          {options.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </Select>
      </Field>
    )} />
  );
  return (
    <SidePanel open title={`Change a setting of ${of === 'owner' ? 'Owner in ' : ''}${count}`} onClose={onClose}
      footer={<><Button onClick={onClose}>Cancel</Button><Button type="submit" form={formId} appearance="primary" disabled={change.isPending}>{`Plan the change of ${count}`}</Button></>}>
      <p className={styles.text}>{setups.length <= 3 ? `${setups.map(({ name }) => name).join(', ')}. ` : ''}The change is planned for each and reviewed before anything changes.</p>
      <form id={formId} className={styles.form} noValidate onSubmit={(event) => { void plan(event); }}>
        <Controller control={control} name="by" render={({ field }) => (
          <Field label="Change">
            <RadioGroup layout="horizontal" value={field.value} onChange={(_event, data) => { setLacking(undefined); field.onChange(data.value); }}>
              <Radio value="settings" label="Single settings" />
              <Radio value="preset" label="All to a preset" />
            </RadioGroup>
          </Field>
        )} />
        {wish.by === 'preset' && <Controller control={control} name="preset" render={({ field }) => <PresetRadios label="Preset" value={field.value} onChange={(name) => { setLacking(undefined); field.onChange(name); }} />} />}
        {wish.by === 'settings' && (
          <>
            {pick('activationMaxMinutes', 'Activation maximum duration', DURATIONS)}
            {pick('activationSignIn', 'On activation, require', [['none', 'No stronger sign-in'], ['mfa', 'Azure MFA'], ...(contexts.data?.contexts ?? []).map(({ id, displayName }) => [id, `Authentication context ${displayName} (${id})`] as const)])}
            {pick('requireJustification', 'Reason', REQUIRE)}
            {pick('requireTicket', 'Ticket', REQUIRE)}
            {pick('approval', 'Approval', REQUIRE)}
            {wish.approval === 'yes' && (
              <>
                <Chosen label="Approvers" people={wish.approvers.map(({ id, displayName }) => ({ key: id, displayName }))} onRemove={(index) => { setValue('approvers', wish.approvers.toSpliced(index, 1)); }} />
                <PrincipalPicker label="Approvers" exclude={wish.approvers.map(({ id }) => id)} hint="Any one of them decides; a request lapses after 24 h" onPick={({ id, kind, displayName }) => { setLacking(undefined); setValue('approvers', [...wish.approvers, { id, kind, displayName }]); }} />
              </>
            )}
            {pick('eligibleMaxDays', 'Eligible for at most', DAYS)}
            {pick('activeMaxDays', 'Assigned as active for at most', DAYS)}
            {pick('activeRequiresMfa', 'MFA to assign somebody as active', REQUIRE)}
            {pick('activeRequiresJustification', 'Reason to assign somebody as active', REQUIRE)}
          </>
        )}
        {lacking !== undefined && <div role="alert">{lacking}.</div>}
        <ProblemBar error={change.error} />
      </form>
    </SidePanel>
  );
}
