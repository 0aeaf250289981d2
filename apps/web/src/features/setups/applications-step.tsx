import type { OpenedApplication } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Controller, useFieldArray, useFormContext, type FieldErrors } from 'react-hook-form';
import { Hosts } from '../../ui/hosts.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { TextField } from '../../ui/text-field.tsx';
import type { SetupDraft } from './draft.ts';
import { applications, connectorGroups } from './setups.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '16px', maxWidth: '760px' },
  heading: { margin: '8px 0 0', fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  list: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', margin: 0, padding: 0, listStyle: 'none', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  one: { padding: '8px 16px', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` } },
  small: { paddingLeft: '36px', display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '2px' },
  fresh: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '12px', padding: '16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  segment: { display: 'grid', gridTemplateColumns: 'minmax(0, 2fr) minmax(0, 1fr) max-content auto', gap: '8px', alignItems: 'start', '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  error: { margin: 0, color: tokens.colorPaletteRedForeground1 },
  row: { display: 'flex', gap: '8px', flexWrap: 'wrap' },
});

const KINDS = [['quick-access', 'Quick Access', 'Tenant-wide: Microsoft recommends an application of its own for each destination'], ['per-app', 'Private Access applications', undefined], ['enterprise', 'Enterprise applications', undefined]] as const;

type NewApplication = Extract<SetupDraft['applications'][number], { kind: 'new' }>;

/** What the group opens: Quick Access, per-app and enterprise applications, and new ones. */
export function ApplicationsStep() {
  const styles = useStyles();
  const { control, formState: { errors } } = useFormContext<SetupDraft>();
  const chosen = useFieldArray({ control, name: 'applications', keyName: 'key' });
  const [text, setText] = useState('');
  const query = useQuery(applications(useDeferredValue(text)));
  const known = query.data?.applications ?? [];
  const indexOf = (id: string): number => chosen.fields.findIndex((one) => one.kind === 'existing' && one.servicePrincipalId === id);
  const toggle = ({ id, displayName, kind }: OpenedApplication): void => {
    const index = indexOf(id);
    if (index >= 0) chosen.remove(index);
    else chosen.append({ kind: 'existing', servicePrincipalId: id, displayName, applicationKind: kind });
  };
  // What was chosen under another search stays in sight.
  const hidden = chosen.fields.flatMap((one, index) => (one.kind === 'existing' && !known.some(({ id }) => id === one.servicePrincipalId) ? [{ one, index }] : []));
  // What the portal refuses of one that was chosen.
  const refused = (index: number) => {
    const message = (errors.applications?.[index] as { servicePrincipalId?: { message?: string } } | undefined)?.servicePrincipalId?.message;
    return message !== undefined && <p className={styles.error}>{message}</p>;
  };
  const problem = errors.applications?.message ?? errors.applications?.root?.message;
  return (
    <div className={styles.form}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {problem !== undefined && <p className={styles.error} role="alert">{problem}</p>}
      <Field label="Find an application" hint="Enterprise applications appear when you type"><Input value={text} placeholder="Type a name" onChange={(event) => { setText(event.target.value); }} /></Field>
      {query.isPending && <ListSkeleton rows={4} />}
      {KINDS.map(([kind, title, remark]) => {
        const list = known.filter((one) => one.kind === kind);
        if (list.length === 0) return null;
        return (
          <section key={kind} aria-label={title}>
            <h2 className={styles.heading}>{title}</h2>
            <ul className={styles.list}>
              {list.map((one) => (
                <li key={one.id} className={styles.one}>
                  <Checkbox label={one.displayName} checked={indexOf(one.id) >= 0} onChange={() => { toggle(one); }} />
                  <div className={styles.small}>
                    {refused(indexOf(one.id))}
                    <Hosts segments={one.segments} />
                    {remark !== undefined && <small>{remark}</small>}
                    {!one.assignmentRequired && <><StatusBadge tone="warn">Assignment required is off</StatusBadge><small>Now everybody gets in. The plan switches it on.</small></>}
                  </div>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
      {query.isSuccess && known.length === 0 && <EmptyState title={text.trim() === '' ? 'No application is published yet' : 'No application by that name'}>{text.trim() === '' ? 'Type the name of an enterprise application, or make a new Private Access application.' : 'A new Private Access application can be made below.'}</EmptyState>}
      {hidden.map(({ one, index }) => <div key={one.key} className={styles.row}><span>{one.displayName}</span><Button size="small" onClick={() => { chosen.remove(index); }}>Remove {one.displayName}</Button>{refused(index)}</div>)}
      {chosen.fields.map((one, index) => (one.kind === 'new' ? <NewApplicationForm key={one.key} index={index} onRemove={() => { chosen.remove(index); }} /> : null))}
      <div><Button onClick={() => { chosen.append({ kind: 'new', displayName: '', connectorGroupId: '', connectorGroupName: '', segments: [{ host: '', ports: '443', protocol: 'tcp' }] }); }}>New Private Access application</Button></div>
    </div>
  );
}

function NewApplicationForm({ index, onRemove }: { index: number; onRemove(): void }) {
  const styles = useStyles();
  const { control, setValue, watch, formState: { errors } } = useFormContext<SetupDraft>();
  const segments = useFieldArray({ control, name: `applications.${index}.segments`, keyName: 'key' });
  const groups = useQuery(connectorGroups());
  const problems = errors.applications?.[index] as FieldErrors<NewApplication> | undefined;
  const connectorGroupId = watch(`applications.${index}.connectorGroupId`);
  return (
    <section className={styles.fresh} aria-label="New Private Access application">
      <h2 className={styles.heading}>New Private Access application</h2>
      <TextField<SetupDraft> name={`applications.${index}.displayName`} label="Application name" required />
      <Field label="Connector group" required validationMessage={problems?.connectorGroupId ? 'Choose a connector group' : groups.error ? 'The connector groups could not be read' : undefined}>
        <Select value={connectorGroupId} onChange={(_event, data) => {
          setValue(`applications.${index}.connectorGroupId`, data.value, { shouldValidate: problems?.connectorGroupId !== undefined });
          setValue(`applications.${index}.connectorGroupName`, groups.data?.connectorGroups.find(({ id }) => id === data.value)?.displayName ?? '');
        }}>
          <option value="">Choose one</option>
          {groups.data?.connectorGroups.map((one) => <option key={one.id} value={one.id}>{`${one.displayName} (${one.live} of ${one.total} live)`}</option>)}
        </Select>
      </Field>
      {problems?.segments?.message !== undefined && <p className={styles.error}>{problems.segments.message}</p>}
      {segments.fields.map((segment, at) => (
        <div key={segment.key} className={styles.segment}>
          <TextField<SetupDraft> name={`applications.${index}.segments.${at}.host`} label="Host" required placeholder="fs.corp.example" />
          <TextField<SetupDraft> name={`applications.${index}.segments.${at}.ports`} label="Ports" required />
          <Controller control={control} name={`applications.${index}.segments.${at}.protocol`} render={({ field }) => (
            <Field label="Protocol"><Select value={field.value} onChange={(_event, data) => { field.onChange(data.value); }}><option value="tcp">TCP</option><option value="udp">UDP</option><option value="tcp,udp">TCP and UDP</option></Select></Field>
          )} />
          {segments.fields.length > 1 && <Button onClick={() => { segments.remove(at); }}>Remove</Button>}
        </div>
      ))}
      <div className={styles.row}>
        <Button onClick={() => { segments.append({ host: '', ports: '443', protocol: 'tcp' }); }}>Add a destination</Button>
        <Button appearance="subtle" onClick={onRemove}>Remove this application</Button>
      </div>
    </section>
  );
}
