import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Select } from '@fluentui/react-select';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fromLocalInput, toLocalInput } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { targets, type Question } from './point-in-time.queries.ts';

const useStyles = makeStyles({
  form: { display: 'flex', flexWrap: 'wrap', alignItems: 'flex-start', gap: '12px', margin: '12px 0 24px' },
  short: { flex: '0 1 160px', minWidth: 0, '@media (max-width: 640px)': { flexBasis: '100%' } },
  wide: { flex: '2 1 260px', minWidth: 0 },
  time: { flex: '1 1 200px', minWidth: 0 },
  field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' }, '& > select': { minWidth: 0 } },
  // As high as a label is, so that the button stands beside the fields and not beside their messages.
  button: { marginTop: '26px', whiteSpace: 'nowrap', '@media (max-width: 820px)': { marginTop: 0 } },
});

type Kind = 'application' | 'group' | 'host';
const kindOf = (to: string): Kind => (to.startsWith('group:') ? 'group' : to.startsWith('application:') || to === '' ? 'application' : 'host');

/** What is refused by the API, at its field. */
export type Wrong = Partial<Record<'to' | 'at' | 'known', string>>;

/** What, when, and by whose knowledge. It is asked only when it is sent: each reading is recorded. */
export function QuestionForm({ asked, wrong, busy, onAsk }: { asked: Partial<Question>; wrong: Wrong; busy: boolean; onAsk(question: Question): void }) {
  const styles = useStyles();
  const now = useNow();
  const [kind, setKind] = useState<Kind>(kindOf(asked.to ?? ''));
  const [to, setTo] = useState(asked.to ?? '');
  const [at, setAt] = useState(localOf(asked.at));
  const [knowledge, setKnowledge] = useState<'today' | 'then'>(asked.known === undefined || asked.known === 'today' ? 'today' : 'then');
  const [known, setKnown] = useState(asked.known === 'today' ? '' : localOf(asked.known));
  const [missing, setMissing] = useState<Wrong>({});
  const choices = useQuery(targets());
  const options = kind === 'group' ? choices.data?.groups : choices.data?.applications;
  const problems = { ...wrong, ...missing };

  const submit = (): void => {
    // What was not touched stays exact: a field holds minutes, the address holds the instant.
    const instant = (text: string, before: string | undefined): string | undefined => (before !== undefined && text === localOf(before) ? before : text === '' ? undefined : fromLocalInput(text, now)?.toISOString());
    const [when, as] = [instant(at, asked.at), knowledge === 'today' ? 'today' : instant(known, asked.known)];
    const found: Wrong = {
      ...(to.trim() === '' && { to: kind === 'host' ? 'Type a host and a port, such as fin-rep.corp.example:443.' : `Choose ${kind === 'group' ? 'a group' : 'an application'}.` }),
      ...(when === undefined && { at: 'Say for what time you ask.' }),
      ...(as === undefined && { known: 'Say as known at what time.' }),
    };
    setMissing(found);
    if (Object.keys(found).length === 0 && when !== undefined && as !== undefined) onAsk({ to: to.trim(), at: when, known: as });
  };

  return (
    <form noValidate className={styles.form} aria-label="What you ask" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Field className={styles.short} label="Ask about">
        <Select className={styles.field} value={kind} onChange={(_event, { value }) => { setKind(value as Kind); setTo(kindOf(asked.to ?? '') === value ? asked.to ?? '' : ''); }}>
          <option value="application">An application</option>
          <option value="host">A host and port</option>
          <option value="group">A group</option>
        </Select>
      </Field>
      <Field className={styles.wide} label={kind === 'host' ? 'Destination' : kind === 'group' ? 'Group' : 'Application'} required validationMessage={problems.to} hint={problems.to === undefined && kind === 'host' ? 'Without a port any port is meant.' : undefined}>
        {kind === 'host' ? <Input className={styles.field} value={to} maxLength={300} autoCapitalize="none" spellCheck={false} placeholder="fin-rep.corp.example:443" onChange={(_event, { value }) => { setTo(value); }} /> : (
          <Select className={styles.field} value={to} onChange={(_event, { value }) => { setTo(value); }}>
            <option value="">{choices.isPending ? 'Reading…' : choices.isError ? 'The names could not be read' : options?.length === 0 ? 'None was seen yet' : 'Choose'}</option>
            {to !== '' && !options?.some(({ id }) => to === `${kind}:${id}`) && <option value={to}>{to.slice(kind.length + 1)}</option>}
            {options?.map(({ id, name, gone }) => <option key={id} value={`${kind}:${id}`}>{name}{gone ? ' (gone)' : ''}</option>)}
          </Select>
        )}
      </Field>
      <Field className={styles.time} label="At" required validationMessage={problems.at} hint={problems.at === undefined ? 'Your local time' : undefined}>
        <Input className={styles.field} type="datetime-local" value={at} max={toLocalInput(now)} onChange={(_event, { value }) => { setAt(value); }} />
      </Field>
      <Field className={styles.short} label="As known">
        <Select className={styles.field} value={knowledge} onChange={(_event, { value }) => { setKnowledge(value === 'then' ? 'then' : 'today'); }}>
          <option value="today">Today</option>
          <option value="then">Then, at</option>
        </Select>
      </Field>
      {knowledge === 'then' && (
        <Field className={styles.time} label="Known at" required validationMessage={problems.known} hint={problems.known === undefined ? 'What came later does not count' : undefined}>
          <Input className={styles.field} type="datetime-local" value={known} max={toLocalInput(now)} onChange={(_event, { value }) => { setKnown(value); }} />
        </Field>
      )}
      <Button type="submit" appearance="primary" className={styles.button} disabledFocusable={busy}>Show who could reach it</Button>
    </form>
  );
}

const localOf = (instant: string | undefined): string => (instant === undefined || Number.isNaN(Date.parse(instant)) ? '' : toLocalInput(new Date(instant)));
