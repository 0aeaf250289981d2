import { Transport } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { Select } from '@fluentui/react-select';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { ApiError } from '../../lib/api.ts';
import { usePermits, useSession } from '../../lib/session.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { diagnosis, type Asked } from './doctor.queries.ts';
import { Path } from './path.tsx';

const useStyles = makeStyles({
  form: { display: 'flex', flexWrap: 'wrap', alignItems: 'flex-start', gap: '12px', margin: '0 0 24px' },
  wide: { flex: '2 1 280px', minWidth: 0 },
  person: { flex: '1 1 220px', minWidth: 0 },
  protocol: { flex: '0 0 96px', minWidth: 0 },
  field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' }, '& > select': { minWidth: 0 } },
  // As high as a label is, so that the button stands beside the fields and not beside their messages; in between it has a line of its own.
  button: { marginTop: '26px', whiteSpace: 'nowrap', '@media (min-width: 420px) and (max-width: 820px)': { marginTop: 0 } },
});

const PORT = 'Host and port, or an address such as https://…';

/** Why a host and port do not open. What was asked stands in the address, so that it can be sent to somebody. */
export function DoctorPage() {
  const [search, setSearch] = useSearchParams();
  const { person } = useSession();
  const others = usePermits('path:diagnose');
  const [to, name] = [search.get('to')?.trim() ?? '', search.get('person')?.trim() ?? ''];
  const protocol = Transport.catch('tcp').parse(search.get('protocol'));
  const isOwn = name === '' || [person?.id, person?.userPrincipalName].some((mine) => mine?.toLowerCase() === name.toLowerCase());
  const refused = !isOwn && !others;
  const asked: Asked = { to, protocol, person: isOwn ? undefined : name };
  return (
    <Page title="Something does not open?" documentTitle={to === '' ? 'Something does not open?' : to} lead="Type what you connect to. The portal walks the whole path to it, changes nothing, and names the first thing that is in the way.">
      {refused ? (
        <MessageBar intent="warning" layout="multiline" role="status"><MessageBarBody>This address asks about {name}. Only a setup admin or an auditor may look at the path of somebody else.</MessageBarBody></MessageBar>
      ) : <Doctor key={`${to} ${protocol} ${name}`} asked={asked} name={name} others={others} onAsk={(next) => { setSearch({ to: next.to, ...(next.protocol === 'udp' && { protocol: 'udp' }), ...(next.person !== undefined && { person: next.person }) }); }} />}
    </Page>
  );
}

function Doctor({ asked, name, others, onAsk }: { asked: Asked; name: string; others: boolean; onAsk(asked: Asked): void }) {
  const query = useQuery({ ...diagnosis(asked), enabled: asked.to !== '' });
  const wrong = query.error instanceof ApiError ? query.error.problem.issues?.find(({ path }) => path === 'query.to')?.message : undefined;
  const again = () => void query.refetch();
  return (
    <>
      <Question asked={asked} name={name} others={others} wrong={wrong} busy={query.isFetching} onAsk={(next) => { if (isSame(next, asked)) again(); else onAsk(next); }} />
      {wrong === undefined && <ProblemBar error={query.error} onRetry={again} />}
      {query.isLoading && <ListSkeleton rows={6} />}
      {query.data && !query.error && <Path diagnosis={query.data} />}
    </>
  );
}

const isSame = (one: Asked, other: Asked): boolean => one.to === other.to && one.protocol === other.protocol && one.person === other.person;

function Question({ asked, name, others, wrong, busy, onAsk }: { asked: Asked; name: string; others: boolean; wrong: string | undefined; busy: boolean; onAsk(asked: Asked): void }) {
  const styles = useStyles();
  const [to, setTo] = useState(asked.to);
  const [protocol, setProtocol] = useState(asked.protocol);
  const [who, setWho] = useState(name);
  const [empty, setEmpty] = useState(false);
  const message = wrong ?? (empty ? 'Type a host and a port, such as fin-rep.corp.example:443.' : undefined);
  const submit = (): void => {
    setEmpty(to.trim() === '');
    if (to.trim() !== '') onAsk({ to: to.trim(), protocol, person: who.trim() === '' ? undefined : who.trim() });
  };
  return (
    <form noValidate className={styles.form} aria-label="What does not open" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Field className={styles.wide} label="Destination" required validationMessage={message} hint={message === undefined ? PORT : undefined}>
        <Input className={styles.field} value={to} maxLength={2048} autoCapitalize="none" spellCheck={false} placeholder="fin-rep.corp.example:443" onChange={(_event, { value }) => { setTo(value); }} />
      </Field>
      <Field className={styles.protocol} label="Protocol">
        <Select className={styles.field} value={protocol} onChange={(_event, { value }) => { setProtocol(Transport.catch('tcp').parse(value)); }}>
          <option value="tcp">TCP</option>
          <option value="udp">UDP</option>
        </Select>
      </Field>
      {others && (
        <Field className={styles.person} label="Person" hint="User principal name; empty: you. It is recorded that you looked.">
          <Input className={styles.field} value={who} maxLength={320} autoCapitalize="none" spellCheck={false} onChange={(_event, { value }) => { setWho(value); }} />
        </Field>
      )}
      <Button type="submit" appearance="primary" className={styles.button} disabledFocusable={busy}>Check the path</Button>
    </form>
  );
}
