import type { AccessEntry, AccessRequest } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { endsPage, isProblem } from '../../lib/api.ts';
import { useDraft, useDrafts } from '../../lib/drafts.ts';
import { serverNow, verifyAddress } from '../../lib/session.ts';
import { Hosts } from '../../ui/hosts.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { accessRequest, useActivate, type Wish } from './access.queries.ts';
import { formatNear, isUnderWay, segmentsOf, titleOf } from './access.words.ts';
import { ActivateForm } from './activate-form.tsx';
import { activationDraft, ActivationDraft, resumeAddress } from './draft.ts';
import { requestReadiness } from './readiness.queries.ts';
import { isReady } from './stages.ts';
import { Timeline } from './timeline.tsx';
import { TryLinks } from './try-links.tsx';

const FORM = 'activate-form';

const useStyles = makeStyles({
  opens: { display: 'grid', gap: '2px', margin: '0 0 20px' },
  group: { margin: 0, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  verify: { marginBottom: '16px' },
});

/** Activating one access: the form, and after it what becomes of the request. `resume`: the person comes from verifying. */
export function ActivatePanel({ entry, resume, onResumed, onClose }: { entry: AccessEntry; resume: boolean; onResumed(): void; onClose(): void }) {
  const styles = useStyles();
  const activate = useActivate();
  const drafts = useDrafts();
  const draft = useDraft(activationDraft(entry.groupId), ActivationDraft);
  const [typed, setTyped] = useState<Wish>();
  // One that was under way as the panel saw it is followed to its end, also where another window has asked for it.
  const [followed, setFollowed] = useState<AccessRequest>();
  // Only one that is still under way stands in place of the form.
  if (isUnderWay(entry.request) && entry.request.id !== followed?.id) setFollowed(entry.request);
  const asked = activate.data ?? followed;
  const stepUp = isProblem(activate.error, 'step-up-required') ? activate.error.problem.signInUrl : undefined;

  const verify = (body: Wish, signInUrl: string): void => {
    drafts.keep(activationDraft(entry.groupId), { body, send: true });
    window.location.assign(verifyAddress(signInUrl, resumeAddress(entry.groupId)));
  };
  const submit = (body: Wish): void => {
    setTyped(body);
    if (stepUp !== undefined) {
      verify(body, stepUp);
      return;
    }
    activate.mutate(body, {
      onError: (error) => {
        // Said beforehand, so it needs no click of its own; but who comes from verifying is not sent round in circles.
        const announced = entry.policy !== null && entry.policy.signIn !== 'none' && !sent.current;
        if (announced && isProblem(error, 'step-up-required') && error.problem.signInUrl !== undefined) verify(body, error.problem.signInUrl);
        // A session that ended takes the page with it; what was typed is there again after signing in.
        if (endsPage(error)) drafts.keep(activationDraft(entry.groupId), { body, send: false });
      },
    });
  };

  // The button that had the focus is gone with the form: without this Escape and the keyboard would lead nowhere.
  const close = useRef<HTMLButtonElement>(null);
  const isAsked = asked !== undefined;
  useEffect(() => { if (isAsked) close.current?.focus(); }, [isAsked]);

  // Once, even where effects run twice: what was asked for before verifying goes out by itself.
  const sent = useRef(false);
  useEffect(() => {
    if (!resume || sent.current) return;
    sent.current = true;
    onResumed();
    const { minutes } = draft?.body ?? {};
    if (draft?.send && minutes !== undefined) submit({ ...draft.body, minutes });
  });

  return (
    <SidePanel
      title={`Activate: ${titleOf(entry)}`} open onClose={onClose}
      footer={asked || entry.active ? <Button ref={close} appearance="primary" onClick={onClose}>Close</Button> : (
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button appearance="primary" type="submit" form={FORM} disabledFocusable={activate.isPending}>{activate.isPending ? 'Asking Microsoft Entra' : stepUp === undefined ? 'Activate' : 'Verify and activate'}</Button>
        </>
      )}
    >
      <div className={styles.opens}>
        <Hosts segments={segmentsOf(entry)} />
        <p className={styles.group}>via {entry.groupName}</p>
      </div>
      {stepUp !== undefined && (
        <MessageBar intent="info" layout="multiline" className={styles.verify} role="alert"><MessageBarBody>Microsoft Entra asks you to verify that it is you. What you typed stays, and the request goes out when you are back.</MessageBarBody></MessageBar>
      )}
      {asked ? <Progress asked={asked} entry={entry} /> : entry.active ? <p>You have this access{entry.active.endsAt ? ` until ${formatNear(entry.active.endsAt, serverNow())}` : ''}.</p> : (
        <ActivateForm entry={entry} id={FORM} draft={typed ?? draft?.body} error={activate.error} onChange={() => { if (activate.error && stepUp === undefined) activate.reset(); }} onSubmit={submit} />
      )}
    </SidePanel>
  );
}

function Progress({ asked, entry }: { asked: AccessRequest; entry: AccessEntry }) {
  const { data = asked, error } = useQuery(accessRequest(asked.id, asked));
  const { data: readiness } = useQuery(requestReadiness(data));
  return (
    <>
      <ProblemBar error={error} />
      <Timeline request={data} entry={entry} readiness={readiness} />
      {isReady(data) && <TryLinks segments={segmentsOf(entry)} />}
    </>
  );
}
