import { proposeMailNickname } from '@gatehouse/contracts';
import { Combobox, Option } from '@fluentui/react-combobox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { makeStyles } from '@griffel/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Controller, useFormContext, useWatch } from 'react-hook-form';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { TextField } from '../../ui/text-field.tsx';
import type { SetupDraft } from './draft.ts';
import { candidateGroups, groupSettings } from './setups.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '16px', maxWidth: '760px' },
  parts: { display: 'grid', gridTemplateColumns: 'repeat(3, minmax(0, 1fr))', gap: '8px', '@media (max-width: 560px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
});

/** Names a new group by application, role and nature, or takes one that is there. */
export function GroupStep() {
  const styles = useStyles();
  const { control, setValue } = useFormContext<SetupDraft>();
  const group = useWatch({ control, name: 'group' });
  return (
    <div className={styles.form}>
      <Field label="Group">
        <RadioGroup layout="horizontal" value={group.kind} onChange={(_event, data) => {
          setValue('group', data.value === 'new' ? { kind: 'new', displayName: '', mailNickname: '', description: '' } : { kind: 'existing', groupId: '', displayName: '' });
        }}>
          <Radio value="new" label="Create a security group" />
          <Radio value="existing" label="Take one that exists" />
        </RadioGroup>
      </Field>
      {group.kind === 'new' ? <NewGroup /> : <ExistingGroup />}
    </div>
  );
}

function NewGroup() {
  const styles = useStyles();
  const { control, setValue, formState: { errors } } = useFormContext<SetupDraft>();
  const [parts, setParts] = useState({ application: '', role: '', nature: 'SecureAccess' });
  const group = useWatch({ control, name: 'group' });
  const problems = errors.group as { displayName?: { message?: string }; mailNickname?: { message?: string }  } | undefined;
  const change = (part: keyof typeof parts) => (event: { target: { value: string } }): void => {
    const next = { ...parts, [part]: event.target.value.replace(/\s+/g, '') };
    setParts(next);
    name([next.application, next.role, next.nature].filter((one) => one !== '').join('-'));
  };
  const name = (displayName: string): void => {
    setValue('group.displayName', displayName, { shouldDirty: true, shouldValidate: problems?.displayName !== undefined });
    setValue('group.mailNickname', proposeMailNickname(displayName), { shouldValidate: problems?.mailNickname !== undefined });
  };
  return (
    <>
      <div className={styles.parts}>
        <Field label="Application" hint="Such as FinReport"><Input value={parts.application} onChange={change('application')} /></Field>
        <Field label="Role" hint="Such as SeniorAnalyst"><Input value={parts.role} onChange={change('role')} /></Field>
        <Field label="Nature"><Input value={parts.nature} onChange={change('nature')} /></Field>
      </div>
      <Field label="Group name" required validationMessage={problems?.displayName?.message} hint={problems?.displayName ? undefined : 'Made of the three parts above; change it as you like'}>
        <Input value={group.displayName} onChange={(event) => { name(event.target.value); }} />
      </Field>
      <TextField<SetupDraft> name="group.mailNickname" label="Mail nickname" required hint="Entra asks for one, even where a group has no mail" />
      <TextField<SetupDraft> name="group.description" label="What it is for" lines />
    </>
  );
}

function ExistingGroup() {
  const { control, setValue, formState: { errors } } = useFormContext<SetupDraft>();
  const client = useQueryClient();
  const group = useWatch({ control, name: 'group' });
  const [text, setText] = useState(group.displayName);
  const [open, setOpen] = useState(false);
  const query = useQuery(candidateGroups(useDeferredValue(text)));
  const groups = query.data?.groups ?? [];
  const [trouble, setTrouble] = useState<unknown>(null);
  const problem = (errors.group as { groupId?: { message?: string } } | undefined)?.groupId ? 'Choose a group' : undefined;
  return (
    <>
      <ProblemBar error={query.error ?? trouble} />
      <Controller control={control} name="group" render={() => (
        <Field label="Existing group" required validationMessage={problem} hint={problem === undefined ? 'Its role settings are taken over into the next step' : undefined}>
          <Combobox
            value={text} selectedOptions={group.kind === 'existing' && group.groupId !== '' ? [group.groupId] : []} freeform placeholder="Type a name"
            open={open} onOpenChange={(_event, data) => { setOpen(data.open); }}
            onChange={(event) => { setText(event.target.value); setOpen(true); }}
            onOptionSelect={(_event, data) => {
              const picked = groups.find(({ id }) => id === data.optionValue);
              if (!picked) return;
              setText(picked.displayName);
              setValue('group', { kind: 'existing', groupId: picked.id, displayName: picked.displayName }, { shouldDirty: true, shouldValidate: true });
              setTrouble(null);
              client.fetchQuery(groupSettings(picked.id)).then(({ roleSettings }) => { setValue('roleSettings', roleSettings as SetupDraft['roleSettings']); }, setTrouble);
            }}
          >
            {groups.map((one) => (
              <Option key={one.id} value={one.id} text={one.displayName} disabled={one.unfit !== null}>
                {`${one.displayName}${one.unfit !== null ? ` · ${one.unfit}` : one.managedByPim ? ' · managed by PIM' : ''}`}
              </Option>
            ))}
            {query.isSuccess && groups.length === 0 && <Option disabled value="" text="">No group by that name</Option>}
          </Combobox>
        </Field>
      )} />
    </>
  );
}
