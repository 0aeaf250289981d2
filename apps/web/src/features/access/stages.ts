import { CLIENT_FOLLOWS_WITHIN_MINUTES, USUAL_FROM, type AccessRequest, type ActivationPolicy, type RequestReadiness, type UsualTime } from '@gatehouse/contracts';
import { formatClock, formatMinutes, formatSeconds } from '../../lib/dates.ts';
import { formatNear } from './access.words.ts';

/** One stage of a request on its way. `good` alone says that it is proved. */
export interface Stage {
  readonly name: string;
  readonly tone: 'good' | 'busy' | 'warn' | 'bad' | 'quiet';
  readonly text: string;
  /** How long it usually takes, while it is waited for. */
  readonly usual?: string;
}

/** Sooner than this a client may still follow by itself; later, reconnecting it helps. */
const RECONNECT_HELPS_AFTER_MS = 60_000;

const END: Partial<Record<AccessRequest['state'], Stage>> = {
  denied: { name: 'Denied', tone: 'bad', text: 'An approver denied it.' },
  failed: { name: 'Failed', tone: 'bad', text: 'Microsoft Entra did not grant it.' },
  lapsed: { name: 'Lapsed', tone: 'warn', text: 'Nobody decided within 24 h. Ask again if you still need it.' },
  cancelled: { name: 'Cancelled', tone: 'quiet', text: 'You took it back.' },
  ended: { name: 'Ended', tone: 'quiet', text: 'The membership has ended.' },
};

/**
 * What is known of a request, one line a stage: a stage that is not proved is not shown as done. `readiness` is
 * `undefined` until it is read, or where it cannot be.
 */
export function stagesOf(request: AccessRequest, policy: ActivationPolicy | null, readiness: RequestReadiness | undefined, now: Date): Stage[] {
  const { state, askedAt, startsAt, failure } = request;
  const asked: Stage = { name: 'Asked', tone: state === 'asked' ? 'busy' : 'good', text: state === 'asked' ? `${formatSeconds(askedAt)}, Microsoft Entra has not answered yet` : formatSeconds(askedAt) };
  const over = END[state];
  if (over) return [asked, { ...over, text: failure ?? over.text }];
  return [
    asked,
    ...approvalStage(request, policy, readiness, now),
    ...(state === 'scheduled' && startsAt ? [{ name: 'Scheduled', tone: 'busy', text: `starts ${formatNear(startsAt, now)}` } as const] : []),
    provisionedStage(request, readiness, now),
    memberStage(request, readiness, now),
    ...(state === 'active' && request.memberAt ? [clientStage(request.memberAt, readiness, now), connectionStage(readiness)] : [
      { name: 'Connection', tone: 'quiet', text: 'only a connection proves it' } as const,
    ]),
  ];
}

/** Whether the page may say that the access can be used: PIM is done, and the directory itself shows the membership. */
export const isReady = ({ state, memberAt }: AccessRequest): boolean => state === 'active' && memberAt !== null;

/** Whether it is time to advise reconnecting: the client has had its while, and no connection was seen. */
export function reconnectHelps(request: AccessRequest, readiness: RequestReadiness | undefined, now: Date): boolean {
  return isReady(request) && request.memberAt !== null && now.getTime() - Date.parse(request.memberAt) >= RECONNECT_HELPS_AFTER_MS && !readiness?.connection?.firstAllowedAt;
}

function approvalStage({ state, lapsesAt }: AccessRequest, policy: ActivationPolicy | null, readiness: RequestReadiness | undefined, now: Date): Stage[] {
  if (state === 'awaiting-approval') {
    const approvers = policy?.approvers.map(({ displayName }) => displayName).join(' or ');
    return [{ name: 'Approval', tone: 'busy', text: `waits for ${approvers || 'an approver'}${lapsesAt ? `, lapses ${formatNear(lapsesAt, now)}` : ''}` }];
  }
  if (state === 'asked') return [];
  const approval = readiness?.approval;
  if (approval) return [{ name: 'Approved', tone: 'good', text: `${approval.at ? `${formatSeconds(approval.at)} ` : ''}by ${approval.by ?? 'an approver'}` }];
  // The role settings as they were read last say so, and not that somebody did.
  return policy?.requireApproval ? [{ name: 'Approval', tone: 'quiet', text: readiness ? 'no longer waited for; who gave it cannot be seen' : 'no longer waited for' }] : [];
}

function provisionedStage({ state, askedAt, startsAt, provisionedAt }: AccessRequest, readiness: RequestReadiness | undefined, now: Date): Stage {
  if (provisionedAt !== null) return { name: 'Provisioned', tone: 'good', text: formatSeconds(provisionedAt) };
  if (state !== 'provisioning') return { name: 'Provisioned', tone: 'quiet', text: 'not yet' };
  const since = Math.max(...[askedAt, startsAt, readiness?.approval?.at].flatMap((iso) => (iso ? [Date.parse(iso)] : [])));
  return { name: 'Provisioned', tone: 'busy', text: 'PIM is at it', ...usualIn(readiness, 'provisioning', now.getTime() - since) };
}

function memberStage({ state, provisionedAt, memberAt }: AccessRequest, readiness: RequestReadiness | undefined, now: Date): Stage {
  if (memberAt !== null) return { name: 'Member', tone: 'good', text: `${formatSeconds(memberAt)}, the directory shows it` };
  if (state !== 'active' || provisionedAt === null) return { name: 'Member', tone: 'quiet', text: 'not yet' };
  return { name: 'Member', tone: 'busy', text: 'the directory does not show it yet', ...usualIn(readiness, 'membership', now.getTime() - Date.parse(provisionedAt)) };
}

function clientStage(memberAt: string, readiness: RequestReadiness | undefined, now: Date): Stage {
  if (readiness?.connection?.firstAllowedAt) return { name: 'Client', tone: 'good', text: 'the Global Secure Access client was let through' };
  const until = new Date(Date.parse(memberAt) + CLIENT_FOLLOWS_WITHIN_MINUTES * 60_000);
  return now < until
    ? { name: 'Client', tone: 'busy', text: `try to connect now; the Global Secure Access client may take until ${formatClock(until.toISOString())}` }
    : { name: 'Client', tone: 'quiet', text: `the Global Secure Access client had until ${formatClock(until.toISOString())}, as Microsoft gives it ${formatMinutes(CLIENT_FOLLOWS_WITHIN_MINUTES)}` };
}

function connectionStage(readiness: RequestReadiness | undefined): Stage {
  const name = 'Connection';
  if (!readiness?.connection) return { name, tone: 'quiet', text: 'only a connection proves it; the portal cannot see yours' };
  const { firstAllowedAt } = readiness.connection;
  return firstAllowedAt ? { name, tone: 'good', text: `${formatSeconds(firstAllowedAt)}, the first that was let through` } : { name, tone: 'busy', text: 'the traffic logs show none yet; they come late' };
}

function usualIn(readiness: RequestReadiness | undefined, stage: keyof RequestReadiness['usual'], waitedMs: number): Pick<Stage, 'usual'> {
  if (!readiness) return {};
  const usual = readiness.usual[stage];
  if (!usual) return { usual: `how long it usually takes is not known: fewer than ${USUAL_FROM} are on record` };
  return { usual: waitedMs > usual.p95Seconds * 1000 ? `longer than usual: ${usualWords(usual)}` : usualWords(usual) };
}

/** `half within 4 s, 19 of 20 within 12 s (of the last 37)`: rounded up, so that it stays true. */
export function usualWords({ count, p50Seconds, p95Seconds }: UsualTime): string {
  const [half, most] = [lengthOf(p50Seconds), lengthOf(p95Seconds)];
  // Of fewer than 20, the time that 19 of 20 stay within is the longest of all.
  const share = count < 20 ? 'all' : '19 of 20';
  return `${half === most ? '' : `half within ${half}, `}${share} within ${most} (of the last ${count})`;
}

function lengthOf(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : formatMinutes(Math.ceil(whole / 60));
}
