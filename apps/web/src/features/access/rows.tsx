import { NETWORK_MAY_STAY_OPEN_MINUTES, REVOCATION_TAKES_MINUTES, type AccessEntry, type AccessRequest } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { formatClock, formatCountdown, formatMinutes } from '../../lib/dates.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { residualAccess, useCancel, useDeactivate, useEndResidual } from './access.queries.ts';
import { AccessRow } from './access-row.tsx';
import { formatNear, policyLine, titleOf } from './access.words.ts';
import { AskToExtend, endingNotes, useEnding } from './extend-eligibility.tsx';
import { KeepGoingAction, StartsIn, useArmedNote } from './keep-going.tsx';
import { useRowDialog } from './row-dialogs.tsx';

const useStyles = makeStyles({
  left: { fontVariantNumeric: 'tabular-nums', fontWeight: tokens.fontWeightSemibold, whiteSpace: 'nowrap' },
  button: { fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' },
  problem: { flexBasis: '100%' },
});

/** How long the directory may lag behind PIM before a membership without end is taken for an assigned one. */
const LAG_MS = 60_000;

export function OpenRow({ entry, onEnded }: { entry: AccessEntry; onEnded(news: string): void }) {
  const styles = useStyles();
  const now = useNow();
  const ending = useEnding(entry.groupId);
  const armed = useArmedNote(entry);
  const { active } = entry;
  if (!active) return null;
  const left = active.endsAt ? Date.parse(active.endsAt) - now.getTime() : undefined;
  // PIM is done with it and the directory is not: for a moment the membership looks as if somebody had assigned it.
  const leaving = active.permanent && entry.ended !== null && now.getTime() - Date.parse(entry.ended.at) < LAG_MS;
  const tooEarly = active.canEndAt !== null && Date.parse(active.canEndAt) > now.getTime();
  return (
    <AccessRow entry={entry} state={leaving || (left !== undefined && left <= 0) ? { tone: 'busy', word: 'Ending' } : active.memberAt !== null ? { tone: 'good', word: 'Open' } : { tone: 'busy', word: active.permanent ? 'Assigned' : 'Activated' }} notes={[
      [stageOf(active, now), active.endsAt && `ends ${formatNear(active.endsAt, now)}`, `via ${entry.groupName}`].filter(Boolean).join(' · '),
      ...(tooEarly ? ['PIM ends no membership in its first 5 min.'] : []),
      ...(armed === undefined ? [] : [armed]), ...endingNotes(ending, now),
      ...(leaving && entry.ended ? [`Your membership ended ${formatNear(entry.ended.at, now)}; the directory still shows it.`] : active.permanent ? ['Assigned to you, not activated: an administrator of the group can end it.'] : []),
    ]}>
      {left !== undefined && <span className={styles.left}>{left > 0 ? `${formatCountdown(left)} left` : 'Time is over'}</span>}
      <KeepGoingAction entry={entry} onNews={onEnded} />
      <AskToExtend item={ending} title={titleOf(entry)} />
      {!active.permanent && <Deactivate entry={entry} waitMs={tooEarly ? Date.parse(active.canEndAt ?? '') - now.getTime() : 0} onEnded={onEnded} />}
    </AccessRow>
  );
}

/** No more than is proved: PIM's word is that it is activated, and only the directory's that somebody is a member. */
function stageOf({ since, memberAt, permanent }: NonNullable<AccessEntry['active']>, now: Date): string {
  if (memberAt !== null) return `Member since ${formatNear(memberAt, now)}`;
  return `${permanent ? 'Assigned' : 'Activated'}${since === null ? '' : ` ${formatNear(since, now)}`} · the directory does not show you as a member yet`;
}

function Deactivate({ entry, waitMs, onEnded }: { entry: AccessEntry; waitMs: number; onEnded(news: string): void }) {
  const styles = useStyles();
  const show = useRowDialog();
  const title = titleOf(entry);
  return (
    <Button className={styles.button} disabledFocusable={waitMs > 0} aria-label={waitMs > 0 ? `Deactivate in ${formatCountdown(waitMs, true)}: ${title}` : `Deactivate ${title}`} onClick={() => { show((close) => <DeactivateDialog entry={entry} onEnded={onEnded} onClose={close} />); }}>
      {waitMs > 0 ? `Deactivate in ${formatCountdown(waitMs, true)}` : 'Deactivate'}
    </Button>
  );
}

function DeactivateDialog({ entry, onEnded, onClose }: { entry: AccessEntry; onEnded(news: string): void; onClose(): void }) {
  const deactivate = useDeactivate();
  const title = titleOf(entry);
  const end = () => {
    deactivate.mutate(entry.groupId, {
      onSuccess: ({ endedAt, networkMayStayOpenUntil, provedGone }) => {
        onClose();
        onEnded(`${title}: your membership ended at ${formatClock(endedAt)}${provedGone ? ', and the directory shows that you are out' : '; the directory does not show it yet'}. The network may stay open until ${formatClock(networkMayStayOpenUntil)}.`);
      },
    });
  };
  return (
    <ConfirmDialog title={`Deactivate ${title}`} confirm="Deactivate" open busy={deactivate.isPending} onConfirm={end} onClose={onClose}>
      <ProblemBar error={deactivate.error} />
      <p>Your membership of {entry.groupName} ends now. To come in again you activate again, with all that the policy asks.</p>
      <p>The network may stay open for up to {formatMinutes(NETWORK_MAY_STAY_OPEN_MINUTES)}, until {formatClock(new Date(serverNow().getTime() + NETWORK_MAY_STAY_OPEN_MINUTES * 60_000).toISOString())}: the Global Secure Access client keeps the token that it has. Close your connections.</p>
    </ConfirmDialog>
  );
}

const WAITING: Partial<Record<AccessRequest['state'], string>> = { 'asked': 'Asked', 'awaiting-approval': 'Waits for approval', 'scheduled': 'Scheduled', 'provisioning': 'Provisioning' };

export function WaitingRow({ entry }: { entry: AccessEntry }) {
  const styles = useStyles();
  const cancel = useCancel();
  const { request, policy } = entry;
  if (!request) return null;
  const now = serverNow();
  const approvers = policy?.approvers.map(({ displayName }) => displayName).join(' or ');
  const lines = [
    `asked ${formatNear(request.askedAt, now)}`,
    ...(request.minutes === null ? [] : [`for ${formatMinutes(request.minutes)}`]),
    ...(request.state === 'awaiting-approval' ? [`${approvers || 'an approver'} decides`] : []),
    ...(request.state === 'awaiting-approval' && request.lapsesAt ? [`lapses ${formatNear(request.lapsesAt, now)}`] : []),
    ...(request.state === 'scheduled' && request.startsAt ? [`starts ${formatNear(request.startsAt, now)}`] : []),
    ...(request.state === 'asked' ? ['Microsoft Entra has not answered yet: whether it arrived is being looked up'] : []),
  ];
  return (
    <AccessRow entry={entry} state={{ tone: 'busy', word: WAITING[request.state] ?? 'Waiting' }} notes={[lines.join(' · '), `via ${entry.groupName}`]}>
      {request.state === 'scheduled' && request.startsAt && <StartsIn startsAt={request.startsAt} />}
      {(request.state === 'awaiting-approval' || request.state === 'scheduled') && (
        <Button disabledFocusable={cancel.isPending} aria-label={`Cancel the request for ${titleOf(entry)}`} onClick={() => { cancel.mutate(request.id); }}>Cancel</Button>
      )}
      {cancel.error && <div className={styles.problem}><ProblemBar error={cancel.error} /></div>}
    </AccessRow>
  );
}

const NEWS: Partial<Record<AccessRequest['state'], string>> = { denied: 'Denied', lapsed: 'Lapsed: nobody decided in time', failed: 'Failed' };

export function ClosedRow({ entry, onActivate }: { entry: AccessEntry; onActivate(): void }) {
  const ending = useEnding(entry.groupId);
  const { request, policy, eligibility, lastAskedAt } = entry;
  const now = serverNow();
  const news = request && NEWS[request.state];
  return (
    <AccessRow entry={entry} notes={[
      `${policyLine(policy)}${lastAskedAt === null ? '' : ` · last asked ${formatNear(lastAskedAt, now)}`}`,
      `via ${entry.groupName}${eligibility?.endsAt && !ending ? ` · eligible until ${formatNear(eligibility.endsAt, now)}` : ''}${eligibility?.through === 'group' ? ' · through a group' : ''}`,
      ...endingNotes(ending, now),
      ...(news && request ? [<StatusBadge key="news" tone="bad">{`${news} · asked ${formatNear(request.askedAt, now)}`}</StatusBadge>, ...(request.failure ? [request.failure] : [])] : []),
    ]}>
      <AskToExtend item={ending} title={titleOf(entry)} />
      <Button appearance="primary" aria-label={`Activate ${titleOf(entry)}`} onClick={onActivate}>Activate</Button>
    </AccessRow>
  );
}

export function EndedRow({ entry, onClosed }: { entry: AccessEntry; onClosed(news: string): void }) {
  const now = useNow();
  const { data } = useQuery(residualAccess());
  const { ended } = entry;
  if (!ended) return null;
  const left = Date.parse(ended.networkMayStayOpenUntil) - now.getTime();
  const cut = data?.items.find(({ groupId }) => groupId === entry.groupId)?.revocation;
  const revoked = cut?.state === 'revoked' && cut.takesEffectBy !== null ? cut.takesEffectBy : undefined;
  return (
    <AccessRow entry={entry} state={revoked === undefined ? { tone: 'warn', word: 'Ended' } : { tone: 'quiet', word: 'Sign-ins revoked' }} notes={[
      `membership ended ${formatNear(ended.at, now)} · network until ${formatNear(ended.networkMayStayOpenUntil, now)} · via ${entry.groupName}`,
      revoked === undefined
        ? `Connections that are open may go on for ${formatMinutes(Math.max(1, Math.ceil(left / 60_000)))}: close them.`
        : `Connections close by ${formatNear(revoked, now)} on a current Windows client; another client may keep them until ${formatNear(ended.networkMayStayOpenUntil, now)}.`,
    ]}>
      {data && revoked === undefined && <EndNow entry={entry} networkEnd={ended.networkMayStayOpenUntil} onClosed={onClosed} />}
    </AccessRow>
  );
}

/** Closes the network before its tokens end, at the price of every other sign-in. */
function EndNow({ entry, networkEnd, onClosed }: { entry: AccessEntry; networkEnd: string; onClosed(news: string): void }) {
  const [asking, setAsking] = useState(false);
  const end = useEndResidual();
  const title = titleOf(entry);
  const close = () => {
    setAsking(false);
    end.reset();
  };
  return (
    <>
      <Button aria-label={`End now… the network to ${title}`} onClick={() => { setAsking(true); }}>End now…</Button>
      <ConfirmDialog title={`Close the network to ${title} now`} confirm={end.isPending ? 'Revoking' : 'Revoke my sign-ins'} open={asking} busy={end.isPending} onClose={close} onConfirm={() => {
        end.mutate(entry.groupId, {
          onSuccess: ({ revocation }) => {
            setAsking(false);
            onClosed(`${title}: your sign-ins are revoked. Connections close${revocation?.takesEffectBy ? ` by ${formatClock(revocation.takesEffectBy)}` : ''} on a current Windows client.`);
          },
        });
      }}>
        <ProblemBar error={end.error} />
        <p>Your membership of {entry.groupName} is over. To close the network before {formatClock(networkEnd)}, all your sign-ins are revoked: every application on every device, this portal too, asks you to sign in again.</p>
        <p>Open connections close within {formatMinutes(REVOCATION_TAKES_MINUTES)} on a Windows client that knows continuous access evaluation. Another client may keep them until {formatClock(networkEnd)}.</p>
      </ConfirmDialog>
    </>
  );
}
