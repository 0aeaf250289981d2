import { PROPOSED_ROLE_SETTINGS, type Answer, type ListAuthenticationContexts } from '@gatehouse/contracts';
import { Checkbox } from '@fluentui/react-checkbox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Controller, useFieldArray, useFormContext, useWatch, type FieldPath } from 'react-hook-form';
import { formatMinutes } from '../../lib/dates.ts';
import { Chosen } from './chosen.tsx';
import { PresetChoice } from './preset-choice.tsx';
import { PrincipalPicker } from './principal-picker.tsx';
import type { SetupDraft } from './draft.ts';
import { authenticationContexts } from './setups.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '16px', maxWidth: '760px' },
  fields: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '24px' },
  note: { margin: 0, color: tokens.colorNeutralForeground2 },
  // A field is no wider than its column: the longest choice would make it wider than a narrow screen.
  group: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', minWidth: 0, gap: '12px', margin: 0, padding: '16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1, '& .fui-Field': { gridTemplateColumns: 'minmax(0, 1fr)' }, '& .fui-Select': { minWidth: 0 }, '& select': { minWidth: 0, width: '100%', textOverflow: 'ellipsis' } },
  legend: { fontWeight: tokens.fontWeightSemibold, padding: '0 4px' },
  mailTo: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '4px', alignContent: 'start' },
  address: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' } },
  occasions: { display: 'grid', gap: '20px', marginTop: '12px' },
  mails: { display: 'grid', gap: '8px' },
  role: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  mail: { display: 'grid', gridTemplateColumns: 'repeat(3, minmax(0, 1fr))', gap: '8px 16px', '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
});

const DURATIONS = [30, 60, 90, 120, 180, 240, 360, 480, 720, 1440];
const OCCASIONS = [['whenEligible', 'When somebody becomes eligible'], ['whenAssigned', 'When somebody is assigned as active'], ['whenActivated', 'When somebody activates']] as const;
const RECIPIENTS = [['admins', 'Administrators'], ['person', 'The person'], ['approvers', 'Approvers']] as const;

/** What PIM asks of members, and of owners where the setup says so. */
export function RoleSettingsStep() {
  const styles = useStyles();
  const { control, setValue } = useFormContext<SetupDraft>();
  const ofOwners = useWatch({ control, name: 'ownerRoleSettings' });
  const before = useRef(ofOwners);
  return (
    <div className={styles.form}>
      <h3 className={styles.role}>Member</h3>
      <RoleSettingsOf of="roleSettings" />
      <h3 className={styles.role}>Owner</h3>
      <Checkbox label="Set the role settings of Owner too" checked={!!ofOwners} onChange={(_event, data) => {
        // What was filled in comes back when the tick does.
        if (ofOwners) before.current = ofOwners;
        setValue('ownerRoleSettings', data.checked === true ? before.current ?? PROPOSED_ROLE_SETTINGS : null, { shouldDirty: true });
      }} />
      {ofOwners ? <section aria-label="Role settings of Owner"><RoleSettingsOf of="ownerRoleSettings" /></section> : <p className={styles.note}>The settings of Owner stay as they are. Owners may change the members and the role settings of the group.</p>}
    </div>
  );
}

/** One role's settings: a preset to start from, and each of them. */
function RoleSettingsOf({ of }: { of: 'roleSettings' | 'ownerRoleSettings' }) {
  const { control, setValue, clearErrors } = useFormContext<SetupDraft>();
  const settings = useWatch({ control, name: of as 'roleSettings' });
  // Fields that hold a text of their own begin anew with what a preset filled in.
  const [filled, setFilled] = useState(0);
  return (
    <>
      <PresetChoice settings={settings} onFill={(next) => {
        clearErrors(of);
        setValue(of, structuredClone(next), { shouldDirty: true });
        setFilled(filled + 1);
      }} />
      <RoleSettingsFields key={filled} of={of} />
    </>
  );
}

/** One role's settings in words; each is one of PIM's 17 rules. */
function RoleSettingsFields({ of }: { of: 'roleSettings' | 'ownerRoleSettings' }) {
  const styles = useStyles();
  const { control, setValue, formState: { errors } } = useFormContext<SetupDraft>();
  // Both have the same fields: the names are checked as those of the one.
  const at = <P extends string>(path: P) => `${of}.${path}` as `roleSettings.${P}`;
  const settings = useWatch({ control, name: of as 'roleSettings' });
  // Read before one is asked for: the first of them is what the form begins with.
  const contexts = useQuery(authenticationContexts());
  const approvers = useFieldArray({ control, name: at('approval.approvers'), keyName: 'key' });
  const problems = errors[of] as typeof errors.roleSettings;
  const check = (name: FieldPath<SetupDraft>, label: string) => (
    <Controller control={control} name={name} render={({ field }) => <Checkbox label={label} checked={field.value === true} onChange={(_event, data) => { field.onChange(data.checked === true); }} />} />
  );
  const days = (name: `roleSettings.${'eligibleMaxDays' | 'activeMaxDays'}`, label: string, proposed: number, problem: string | undefined) => (
    <Controller control={control} name={name} render={({ field }) => (
      <Field label={label} validationMessage={problem}>
        <Select value={field.value === null ? 'permanent' : String(field.value)} onChange={(_event, data) => { field.onChange(data.value === 'permanent' ? null : Number(data.value)); }}>
          {[...new Set([15, 30, 90, 180, 365, proposed, ...(field.value === null ? [] : [field.value])])].toSorted((a, b) => a - b).map((count) => <option key={count} value={count}>{count} days</option>)}
          <option value="permanent">Permanent is allowed</option>
        </Select>
      </Field>
    )} />
  );
  return (
    <div className={styles.fields}>
      <fieldset className={styles.group}>
        <legend className={styles.legend}>To activate</legend>
        <Controller control={control} name={at('activationMaxMinutes')} render={({ field }) => (
          <Field label="Activation maximum duration" required validationMessage={problems?.activationMaxMinutes?.message}>
            <Select value={String(field.value)} onChange={(_event, data) => { field.onChange(Number(data.value)); }}>
              {[...new Set([...DURATIONS, field.value])].toSorted((a, b) => a - b).map((minutes) => <option key={minutes} value={minutes}>{formatMinutes(minutes)}</option>)}
            </Select>
          </Field>
        )} />
        <Controller control={control} name={at('activationSignIn')} render={({ field }) => (
          <Field label="On activation, require" hint="MFA and an authentication context exclude each other">
            <Select value={field.value.kind} onChange={(_event, data) => { field.onChange(data.value === 'authentication-context' ? { kind: data.value, id: contexts.data?.contexts[0]?.id ?? 'c1' } : { kind: data.value }); }}>
              <option value="none">No stronger sign-in</option>
              <option value="mfa">Azure MFA</option>
              <option value="authentication-context" disabled={contexts.isPending}>Authentication context of Conditional Access</option>
            </Select>
          </Field>
        )} />
        {settings.activationSignIn.kind === 'authentication-context' && (
          <Controller control={control} name={at('activationSignIn')} render={({ field }) => (
            <Field label="Authentication context" validationMessage={(problems?.activationSignIn as { id?: { message?: string } } | undefined)?.id?.message ?? (contexts.error ? 'The contexts of the tenant could not be read, so there is no other to choose' : undefined)}>
              <Select value={field.value.kind === 'authentication-context' ? field.value.id : ''} onChange={(_event, data) => { field.onChange({ kind: 'authentication-context', id: data.value }); }}>
                {contextsWith(field.value, contexts.data?.contexts).map(({ id, words }) => <option key={id} value={id}>{words}</option>)}
              </Select>
            </Field>
          )} />
        )}
        {check(at('requireJustification'), 'Require a reason')}
        {check(at('requireTicket'), 'Require a ticket')}
        {check(at('approval.required'), 'Require approval')}
        {settings.approval.required && (
          <>
            <Chosen label="Approvers" people={approvers.fields} onRemove={(index) => { approvers.remove(index); }} />
            <PrincipalPicker label="Approvers" exclude={settings.approval.approvers.map(({ id }) => id)} error={problems?.approval?.approvers?.message ?? problems?.approval?.approvers?.root?.message} hint="Any one of them decides; a request lapses after 24 h"
              onPick={({ id, kind, displayName }) => { approvers.append({ id, kind, displayName }); }} />
          </>
        )}
      </fieldset>
      <fieldset className={styles.group}>
        <legend className={styles.legend}>Assignments</legend>
        {days(at('eligibleMaxDays'), 'Eligible for at most', 365, problems?.eligibleMaxDays?.message)}
        {days(at('activeMaxDays'), 'Assigned as active for at most', 180, problems?.activeMaxDays?.message)}
        {check(at('activeRequiresMfa'), 'Require MFA to assign somebody as active')}
        {check(at('activeRequiresJustification'), 'Require a reason to assign somebody as active')}
      </fieldset>
      <details className={styles.group} open={problems?.notifications !== undefined || undefined}>
        <summary className={styles.legend}>Mails of Entra: {mailsInWords(settings.notifications)}</summary>
        <div className={styles.occasions}>
          {OCCASIONS.map(([occasion, title]) => (
            <div key={occasion} className={styles.mails}>
              <span>{title}</span>
              <div className={styles.mail}>
                {RECIPIENTS.map(([recipient, name]) => {
                  const mail = settings.notifications[occasion][recipient];
                  return (
                    <div key={recipient} className={styles.mailTo}>
                      <Field label={name} size="small">
                        <Select size="small" aria-label={`${title}: mails to ${name.toLowerCase()}`} value={!mail.defaultRecipients ? 'none' : mail.criticalOnly ? 'critical' : 'all'} onChange={(_event, data) => {
                          setValue(at(`notifications.${occasion}.${recipient}`), { ...mail, defaultRecipients: data.value !== 'none', criticalOnly: data.value === 'critical' || (data.value === 'none' && mail.criticalOnly) }, { shouldDirty: true });
                        }}>
                          <option value="all">All mails</option>
                          <option value="critical">Critical mails only</option>
                          <option value="none">No mails</option>
                        </Select>
                      </Field>
                      <Input size="small" className={styles.address} aria-label={`${title}: more addresses for ${name.toLowerCase()}`} placeholder="More addresses" defaultValue={mail.additionalRecipients.join(', ')}
                        // Kept with each key, checked when left: an address in the making is wrong until then.
                        onChange={(_event, data) => { setValue(at(`notifications.${occasion}.${recipient}.additionalRecipients`), addressesOf(data.value), { shouldDirty: true }); }}
                        onBlur={(event) => { setValue(at(`notifications.${occasion}.${recipient}.additionalRecipients`), addressesOf(event.target.value), { shouldValidate: true }); }} />
                      {problems?.notifications?.[occasion]?.[recipient]?.additionalRecipients && <span role="alert">One of these is not an e-mail address.</span>}
                    </div>
                  );
                })}
              </div>
            </div>
          ))}
        </div>
      </details>
    </div>
  );
}

/** The contexts that can be asked for, and the one that is: the page shows what the form holds, whether the tenant has it or not. */
function contextsWith(signIn: SetupDraft['roleSettings']['activationSignIn'], known: Answer<typeof ListAuthenticationContexts>['contexts'] | undefined): { id: string; words: string }[] {
  const options = (known ?? []).map(({ id, displayName }) => ({ id, words: `${displayName} (${id})` }));
  if (signIn.kind !== 'authentication-context' || options.some(({ id }) => id === signIn.id)) return options;
  return [{ id: signIn.id, words: known === undefined ? signIn.id : `${signIn.id}, which the tenant does not offer` }, ...options];
}

const addressesOf = (text: string): string[] => text.split(/[,;\s]+/).filter((address) => address !== '');

/** Whether anybody gets other mails than Entra sends by itself. */
function mailsInWords(notifications: SetupDraft['roleSettings']['notifications']): string {
  const mails = OCCASIONS.flatMap(([occasion]) => RECIPIENTS.map(([recipient]) => notifications[occasion][recipient]));
  const different = mails.filter((mail) => !mail.defaultRecipients || mail.criticalOnly || mail.additionalRecipients.length > 0).length;
  return different === 0 ? 'as Entra sends them' : `${different} of ${mails.length} changed`;
}
