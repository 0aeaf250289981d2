import { UserCode, type Answer, type GetDeviceSignIn } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { zodResolver } from '@hookform/resolvers/zod';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { FormProvider, useForm } from 'react-hook-form';
import { useSearchParams } from 'react-router';
import { z } from 'zod';
import { formatInstant } from '../../lib/dates.ts';
import { serverNow, useNow, useSession } from '../../lib/session.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { TextField } from '../../ui/text-field.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { deviceSignIn, useDecideDevice, type DeviceDecision } from './device.queries.ts';

const NARROW = '@media (max-width: 640px)';

const useStyles = makeStyles({
  card: { maxWidth: '640px', padding: '16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  form: { display: 'grid', gap: '16px', maxWidth: '320px' },
  code: { margin: '4px 0 0', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase600, lineHeight: tokens.lineHeightBase600, letterSpacing: '2px' },
  question: { margin: 0, color: tokens.colorNeutralForeground2 },
  facts: { display: 'grid', gridTemplateColumns: '120px minmax(0, 1fr)', gap: '6px 16px', margin: '16px 0', [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr)', gap: '2px' } },
  term: { color: tokens.colorNeutralForeground2 },
  fact: { margin: 0, overflowWrap: 'anywhere', fontVariantNumeric: 'tabular-nums', [NARROW]: { marginBottom: '8px' } },
  warning: { marginBottom: '16px' },
  buttons: { display: 'flex', flexWrap: 'wrap', gap: '8px' },
});

type Asking = Answer<typeof GetDeviceSignIn>;

/** Where a person allows a command line that waits for them, or denies it. The code is in the address, so that signing in leads back to it. */
export function DevicePage() {
  const [search, setSearch] = useSearchParams();
  const given = search.get('code') ?? '';
  const code = UserCode.safeParse(given).data;
  const [decided, setDecided] = useState<{ decision: DeviceDecision; deviceName: string }>();
  if (decided) return <Decided {...decided} />;
  return (
    <Page title="Sign in a command line" lead="The command gatehouse sign-in shows a code. Enter it here to let that command line manage setups as you.">
      {code === undefined
        ? <CodeForm given={given} onCode={(entered) => { setSearch({ code: entered }); }} />
        : <Compare key={code} code={code} onOther={() => { setSearch({}); }} onDecided={setDecided} />}
    </Page>
  );
}

const Entry = z.object({ code: z.string() }).superRefine(({ code }, context) => {
  const { error } = UserCode.safeParse(code);
  if (error) context.addIssue({ code: 'custom', path: ['code'], message: error.issues[0]?.message ?? 'This is no code' });
});

function CodeForm({ given, onCode }: { given: string; onCode(code: string): void }) {
  const styles = useStyles();
  const form = useForm({ resolver: zodResolver(Entry), defaultValues: { code: given } });
  return (
    <FormProvider {...form}>
      <form noValidate className={styles.form} onSubmit={(event) => void form.handleSubmit(({ code }) => { onCode(code); })(event)}>
        <TextField<{ code: string }> name="code" label="Code" required hint="Eight letters, such as WDJB-MJHT" />
        <div className={styles.buttons}><Button type="submit" appearance="primary">Show the device</Button></div>
      </form>
    </FormProvider>
  );
}

function Compare({ code, onOther, onDecided }: { code: string; onOther(): void; onDecided(decided: { decision: DeviceDecision; deviceName: string }): void }) {
  const styles = useStyles();
  const query = useQuery(deviceSignIn(code));
  if (query.isPending) return <ListSkeleton rows={2} />;
  if (query.error) {
    return (
      <>
        <ProblemBar error={query.error} />
        <div className={styles.buttons}><Button onClick={onOther}>Enter another code</Button></div>
      </>
    );
  }
  return <Decide asking={query.data} onOther={onOther} onDecided={onDecided} />;
}

function Decide({ asking, onOther, onDecided }: { asking: Asking; onOther(): void; onDecided(decided: { decision: DeviceDecision; deviceName: string }): void }) {
  const styles = useStyles();
  const { person } = useSession();
  // Of who was signed in when the page was read: the session may become another's in another tab, and is asked for again by itself.
  const [shown] = useState(person);
  const decide = useDecideDevice(asking.userCode, shown?.id ?? '');
  const over = useNow().getTime() >= Date.parse(asking.expiresAt);
  const now = serverNow();
  const send = (decision: DeviceDecision) => { decide.mutate(decision, { onSuccess: () => { onDecided({ decision, deviceName: asking.deviceName }); } }); };
  const pressed = decide.isPending ? decide.variables : undefined;
  return (
    <article className={styles.card} aria-label={`${asking.deviceName} asks to sign in`}>
      <p className={styles.question}>Is this the code that your own terminal shows?</p>
      <p className={styles.code}>{asking.userCode}</p>
      <dl className={styles.facts}>
        <dt className={styles.term}>Device</dt>
        <dd className={styles.fact}>{asking.deviceName}, as it calls itself</dd>
        <dt className={styles.term}>Asked from</dt>
        <dd className={styles.fact}>{asking.address}</dd>
        <dt className={styles.term}>Asked</dt>
        <dd className={styles.fact}>{formatInstant(asking.askedAt, now)} · lapses {formatInstant(asking.expiresAt, now)}</dd>
        <dt className={styles.term}>Will be able to</dt>
        <dd className={styles.fact}>Read, plan, apply and take back setups in your name ({shown?.displayName}), until {formatInstant(asking.sessionEndsAt, now)} at the latest, when your session here ends; it ends after 30 min without use, and when you sign out of Gatehouse. It cannot activate access, approve requests or read the history.</dd>
      </dl>
      <MessageBar intent="warning" layout="multiline" className={styles.warning}>
        <MessageBarBody>
          <MessageBarTitle>Allow only what you started yourself</MessageBarTitle>{' '}
          Did somebody send you this code or this link? Deny: whoever started it would act in your name.
        </MessageBarBody>
      </MessageBar>
      {over && !decide.error && <p role="status">The code has lapsed. Start again in the terminal.</p>}
      <ProblemBar error={decide.error} />
      <div className={styles.buttons}>
        <Button appearance="primary" disabledFocusable={over || decide.isPending} onClick={() => { send('allow'); }}>{pressed === 'allow' ? 'Allowing' : 'Allow'}</Button>
        <Button disabledFocusable={over || decide.isPending} onClick={() => { send('deny'); }}>{pressed === 'deny' ? 'Denying' : 'Deny'}</Button>
        {(over || decide.error) && <Button appearance="subtle" onClick={onOther}>Enter another code</Button>}
      </div>
    </article>
  );
}

function Decided({ decision, deviceName }: { decision: DeviceDecision; deviceName: string }) {
  return decision === 'allow'
    ? <Page title="Go back to the terminal"><p role="status">{deviceName} is signed in as you. You can close this page. gatehouse sign-out ends it, and so does signing out of Gatehouse here. You find it under <TextLink to="/sessions">Signed-in devices</TextLink>.</p></Page>
    : <Page title="The device was denied"><p role="status">{deviceName} gets nothing, and is told so. You can close this page.</p></Page>;
}
