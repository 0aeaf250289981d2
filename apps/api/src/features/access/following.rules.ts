import { recordedState, type RecordedRequest } from './access.rules.ts';

/** What one request may cost in readings of Entra, whoever looks: a page, another portal, or the reconciler. */
export const MOST_READS = 6;
export const READS_WITHIN_MINUTES = 10;

/** A request with when it was last looked for. */
export interface Followed extends RecordedRequest {
  readonly lookedAt: Date | null;
}

/** How long a group's activations took, from asking to the directory's word, in seconds. */
export interface Usual {
  readonly p50: number;
  readonly p95: number;
}

/** In seconds, where nothing was measured: most are provisioned within the first few. */
const UNMEASURED = [2, 6, 20, 120] as const;
/** From then on; and while an approver decides, or a start is waited for, from the beginning: the audit log tells of it sooner. */
const LATER_EVERY_SECONDS = 240;
const WAITING_EVERY_SECONDS = 150;
/** A membership that is active and proved ends by the clock, or by an event of the audit log. In case there was none: */
const CALM_EVERY_SECONDS = 15 * 60;

const SOON_SECONDS = 5;

/** When to look, in seconds since the request moved: where half, and where nearly all of the group's are through; and once soon, for it may be quicker than usual. */
export function looksAt(usual: Usual | undefined): readonly number[] {
  if (!usual) return UNMEASURED;
  const half = within(Math.ceil(usual.p50), 2, 60);
  const most = within(Math.ceil(usual.p95), Math.max(6, half + 2), 180);
  const late = Math.max(20, most * 2);
  return half <= SOON_SECONDS ? [half, most, late, Math.max(120, late * 2)] : [SOON_SECONDS, half, most, late];
}

const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Active as PIM says, shown by the directory, and not over: nothing moves. */
export const isCalm = (row: RecordedRequest, now: Date): boolean => recordedState(row) === 'active' && row.memberAt !== null && (row.endsAt === null || row.endsAt > now);

/**
 * Whether the request is worth a look at Entra now; between looks the record answers. `newsAt`: when the audit log, or the
 * portal's own approvals, last told of something that the record does not.
 */
export function isDueForLook(row: Followed, { now, usual, newsAt }: { readonly now: Date; readonly usual: Usual | undefined; readonly newsAt: Date | undefined }): boolean {
  const isNews = newsAt !== undefined && (row.lookedAt === null || newsAt > row.lookedAt);
  if (isCalm(row, now)) return isNews || secondsBetween(latest(row.lookedAt, row.memberAt) ?? row.createdAt, now) >= CALM_EVERY_SECONDS;
  const waitsForStart = row.startsAt !== null && row.startsAt > now;
  const seldom = newsAt === undefined && (recordedState(row) === 'awaiting-approval' || waitsForStart);
  const base = latest(row.startsAt !== null && row.startsAt <= now ? row.startsAt : null, newsAt ?? null, row.createdAt) ?? row.createdAt;
  const quick = looksAt(usual);
  const looksUntil = (at: Date): number => {
    const age = secondsBetween(base, at);
    const [soon, every] = seldom ? [0, WAITING_EVERY_SECONDS] : [quick.filter((seconds) => seconds <= age).length, LATER_EVERY_SECONDS];
    return soon + Math.floor(Math.max(0, age) / every);
  };
  return looksUntil(now) > looksUntil(row.lookedAt ?? base);
}

const secondsBetween = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000;
const latest = (...instants: readonly (Date | null)[]): Date | undefined => instants.reduce<Date | undefined>((last, at) => (at && (!last || at > last) ? at : last), undefined);
