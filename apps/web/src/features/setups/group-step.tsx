import { proposeMailNickname } from '@gatehouse/contracts';
import { Combobox, Option } from '@fluentui/react-combobox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useRef, useState } from 'react';
import { Controller, useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { TextField } from '../../ui/text-field.tsx';
import { Chosen } from './chosen.tsx';
import type { SetupDraft } from './draft.ts';
import { follows } from './naming.ts';
import { PrincipalPicker } from './principal-picker.tsx';
import { candidateGroups, groupSettings } from './setups.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '16px', maxWidth: '760px' },
  // Why it cannot be taken has to be legible, unlike what Fluent shows of a disabled choice.
  unfit: { color: tokens.colorNeutralForeground2 },
  owners: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '8px' },
  kept: { overflowWrap: 'anywhere' },
  input: { minWidth: 0, '& > input': { minWidth: 0, width: '100%' } },
  parts: { display: 'grid', gridTemplateColumns: 'repeat(3, minmax(0, 1fr))', gap: '8px', '@media (max-width: 560px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
});

/** Names a new group by application, role and nature, or takes one that is there. A setup that was applied keeps its group: only `first` setups choose it. */
export function GroupStep({ first }: { first: boolean }) {
  const styles = useStyles();
  const { control, setValue, formState: { errors } } = useFormContext<SetupDraft>();
  const group = useWatch({ control, name: 'group' });
  const other = useRef<SetupDraft['group']>(undefined);
  const problem = errors.group?.message;
  if (!first && group.kind === 'existing') return <div className={styles.form}><Kept name={group.displayName} problem={problem} /><Owners isNew={false} /></div>;
  return (
    <div className={styles.form}>
      {first ? (
        <Field label="Which group" validationMessage={problem}>
          <RadioGroup layout="horizontal" value={group.kind} onChange={(_event, data) => {
            const back = other.current;
            other.current = group;
            setValue('group', back?.kind === data.value ? back : data.value === 'new' ? { kind: 'new', displayName: '', mailNickname: '', description: '' } : { kind: 'existing', groupId: '', displayName: '' });
          }}>
            <Radio value="new" label="Create a security group" />
            <Radio value="existing" label="Take one that exists" />
          </RadioGroup>
        </Field>
      ) : <Kept name={group.kind === 'new' ? group.mailNickname : group.displayName} problem={problem} />}
      {group.kind === 'new' ? <NewGroup first={first} /> : <ExistingGroup />}
      <Owners isNew={group.kind === 'new' && first} />
    </div>
  );
}

function Kept({ name, problem }: { name: string; problem: string | undefined }) {
  const styles = useStyles();
  return (
    <Field label="Group" validationMessage={problem} hint={problem === undefined ? 'A setup keeps its group. For another group, make another setup.' : undefined}>
      <div className={styles.kept}>{name}</div>
    </Field>
  );
}

const NATURE = 'SecureAccess';

/** The parts of a name that is made of them, or is in the making; of any other name only the usual nature is proposed. */
function partsOf(displayName: string): { application: string; role: string; nature: string } {
  const [application = '', role = '', nature = ''] = displayName.split('-');
  if (follows(displayName) === undefined) return { application, role, nature };
  // Before the role is filled in, the name is the application and the nature alone.
  return nature === '' && role === NATURE ? { application, role: '', nature: NATURE } : { application: '', role: '', nature: NATURE };
}

/** Who own the group, as far as the setup says; those who own it besides stay. */
function Owners({ isNew }: { isNew: boolean }) {
  const styles = useStyles();
  const { control, formState: { errors } } = useFormContext<SetupDraft>();
  const owners = useFieldArray({ control, name: 'owners', keyName: 'key' });
  const nobody = isNew ? 'Nobody named: you will own it.' : 'Nobody named: its owners stay as they are.';
  return (
    <div className={styles.owners}>
      <PrincipalPicker label="Owners" kind="user" exclude={owners.fields.map(({ principalId }) => principalId)} error={errors.owners?.message ?? errors.owners?.root?.message} hint={`${owners.fields.length === 0 ? `${nobody} ` : ''}Owners may change members and role settings`}
        onPick={({ id, displayName }) => { owners.append({ principalId: id, displayName }); }} />
      <Chosen label="Owners of the group" people={owners.fields} onRemove={(index) => { owners.remove(index); }} />
    </div>
  );
}

function NewGroup({ first }: { first: boolean }) {
  const styles = useStyles();
  const { control, setValue, formState: { errors } } = useFormContext<SetupDraft>();
  const group = useWatch({ control, name: 'group' });
  const [parts, setParts] = useState(() => partsOf(group.displayName));
  const problems = errors.group as { displayName?: { message?: string }; mailNickname?: { message?: string } } | undefined;
  const change = (part: keyof typeof parts) => (event: { target: { value: string } }): void => {
    const next = { ...parts, [part]: event.target.value.replace(/\s+/g, '') };
    setParts(next);
    name([next.application, next.role, next.nature].filter((one) => one !== '').join('-'));
  };
  const name = (displayName: string): void => {
    // A nickname of one's own stays; one that was proposed follows the name. Of a setup that was applied it names the group, and stays too.
    const goesAlong = first && group.kind === 'new' && group.mailNickname === proposeMailNickname(group.displayName);
    setValue('group.displayName', displayName, { shouldDirty: true, shouldValidate: problems?.displayName !== undefined });
    if (goesAlong) setValue('group.mailNickname', proposeMailNickname(displayName), { shouldValidate: problems?.mailNickname !== undefined });
  };
  const unlike = first && group.displayName !== '' ? follows(group.displayName) : undefined;
  return (
    <>
      {first && (
        <div className={styles.parts}>
          <Field label="Application" hint="Such as FinReport"><Input className={styles.input} value={parts.application} onChange={change('application')} /></Field>
          <Field label="Role" hint="Such as SeniorAnalyst"><Input className={styles.input} value={parts.role} onChange={change('role')} /></Field>
          <Field label="Nature" hint="What it grants"><Input className={styles.input} value={parts.nature} onChange={change('nature')} /></Field>
        </div>
      )}
      <Field label="Group name" required validationMessage={problems?.displayName?.message} hint={problems?.displayName || !first ? undefined : unlike ?? 'Made of the three parts above; change it as you like'}>
        <Input value={group.displayName} onChange={(event) => { name(event.target.value); }} />
      </Field>
      {first && <TextField<SetupDraft> name="group.mailNickname" label="Mail nickname" required hint="Entra asks for one, even where a group has no mail" />}
      <TextField<SetupDraft> name="group.description" label="What it is for" lines />
    </>
  );
}

function ExistingGroup() {
  const styles = useStyles();
  const { control, getValues, setValue, formState: { errors } } = useFormContext<SetupDraft>();
  const client = useQueryClient();
  const group = useWatch({ control, name: 'group' });
  const [text, setText] = useState(group.displayName);
  const [open, setOpen] = useState(false);
  const query = useQuery(candidateGroups(useDeferredValue(text)));
  const groups = query.data?.groups ?? [];
  const [trouble, setTrouble] = useState<unknown>(null);
  const [reading, setReading] = useState(false);
  const takeOver = (groupId: string): void => {
    const still = (): boolean => {
      const now = getValues('group');
      return now.kind === 'existing' && now.groupId === groupId;
    };
    setTrouble(null);
    setReading(true);
    client.fetchQuery(groupSettings(groupId))
      .then(({ roleSettings }) => { if (still()) setValue('roleSettings', roleSettings as SetupDraft['roleSettings'], { shouldDirty: true }); })
      .catch((error: unknown) => { if (still()) setTrouble(error); })
      .finally(() => { if (still()) setReading(false); });
  };
  const problem = (errors.group as { groupId?: { message?: string } } | undefined)?.groupId ? 'Choose a group' : undefined;
  return (
    <>
      <ProblemBar error={query.error ?? trouble} onRetry={query.error ? () => void query.refetch() : group.kind === 'existing' && group.groupId !== '' ? () => { takeOver(group.groupId); } : undefined} />
      <Controller control={control} name="group" render={() => (
        <Field label="Existing group" required validationMessage={problem} hint={problem !== undefined ? undefined : reading ? 'Reading its role settings' : trouble !== null ? 'Its role settings could not be read: the next step shows the proposed ones' : 'Its role settings are taken over into the next step'}>
          <Combobox
            value={text} selectedOptions={group.kind === 'existing' && group.groupId !== '' ? [group.groupId] : []} freeform placeholder="Type a name"
            open={open} onOpenChange={(_event, data) => { setOpen(data.open); }}
            onChange={(event) => {
              setText(event.target.value);
              setOpen(true);
              // What is typed on is no longer the group that was picked.
              if (group.kind === 'existing' && group.groupId !== '') setValue('group', { kind: 'existing', groupId: '', displayName: '' }, { shouldDirty: true });
            }}
            onOptionSelect={(_event, data) => {
              const picked = groups.find(({ id }) => id === data.optionValue);
              if (!picked) return;
              setText(picked.displayName);
              setValue('group', { kind: 'existing', groupId: picked.id, displayName: picked.displayName }, { shouldDirty: true, shouldValidate: true });
              takeOver(picked.id);
            }}
          >
            {groups.map((one) => (
              <Option key={one.id} value={one.id} text={one.displayName} disabled={one.unfit !== null}>
                <span className={one.unfit !== null ? styles.unfit : undefined}>{`${one.displayName}${one.unfit !== null ? ` · ${one.unfit}` : one.managedByPim ? ' · managed by PIM' : ''}`}</span>
              </Option>
            ))}
            {query.isPending && <Option disabled value="" text="">Searching</Option>}
            {query.isSuccess && groups.length === 0 && <Option disabled value="" text="">No group by that name</Option>}
          </Combobox>
        </Field>
      )} />
    </>
  );
}
