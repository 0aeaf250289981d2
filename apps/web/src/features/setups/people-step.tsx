import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { DismissRegular } from '@fluentui/react-icons';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { Controller, useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { EmptyState } from '../../ui/states.tsx';
import type { SetupDraft } from './draft.ts';
import { PrincipalPicker } from './principal-picker.tsx';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '16px', maxWidth: '760px' },
  list: { display: 'grid', gap: '8px', margin: 0, padding: 0, listStyle: 'none' },
  one: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) 200px auto', alignItems: 'end', gap: '8px 16px', padding: '12px 16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1, '@media (max-width: 560px)': { gridTemplateColumns: 'minmax(0, 1fr) auto' } },
  days: { '@media (max-width: 560px)': { gridRow: '2', gridColumn: '1 / -1' } },
  name: { alignSelf: 'center', overflowWrap: 'anywhere' },
  kind: { color: tokens.colorNeutralForeground2 },
});

/** Who may activate: people and groups, each for some days or for good. */
export function PeopleStep() {
  const styles = useStyles();
  const { control, formState: { errors } } = useFormContext<SetupDraft>();
  const eligible = useFieldArray({ control, name: 'eligible', keyName: 'key' });
  const longest = useWatch({ control, name: 'roleSettings.eligibleMaxDays' });
  const list = errors.eligible?.message ?? errors.eligible?.root?.message;
  return (
    <div className={styles.form}>
      <PrincipalPicker label="Add a person or group" exclude={eligible.fields.map(({ principalId }) => principalId)} error={list} hint="Each active member of a group may activate for themselves"
        onPick={({ id, kind, displayName }) => { eligible.append({ principalId: id, kind, displayName, days: longest === null ? null : Math.min(longest, 180) }); }} />
      {eligible.fields.length === 0 && <EmptyState title="Nobody is eligible yet">Find people or groups by name; they get the right to activate, not access.</EmptyState>}
      <ul className={styles.list} aria-label="Eligible members">
        {eligible.fields.map((one, index) => (
          <li key={one.key} className={styles.one}>
            <span className={styles.name}>{one.displayName} {one.kind === 'group' && <span className={styles.kind}>· group</span>}</span>
            <Controller control={control} name={`eligible.${index}.days`} render={({ field }) => (
              <Field className={styles.days} label="Eligible for" validationMessage={errors.eligible?.[index]?.days?.message ?? errors.eligible?.[index]?.principalId?.message}>
                <Select value={field.value === null ? 'permanent' : String(field.value)} aria-label={`How long ${one.displayName} is eligible`} onChange={(_event, data) => { field.onChange(data.value === 'permanent' ? null : Number(data.value)); }}>
                  {[...new Set([30, 90, 180, 365, ...(field.value === null ? [] : [field.value])])].filter((days) => longest === null || days <= longest || days === field.value).toSorted((a, b) => a - b).map((days) => <option key={days} value={days}>{days} days</option>)}
                  {(longest === null || field.value === null) && <option value="permanent">Permanent</option>}
                </Select>
              </Field>
            )} />
            <Button appearance="subtle" icon={<DismissRegular />} aria-label={`Remove ${one.displayName}`} onClick={() => { eligible.remove(index); }} />
          </li>
        ))}
      </ul>
    </div>
  );
}
