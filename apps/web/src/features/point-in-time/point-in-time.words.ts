import type { PointAnswer, PointCoverage, PointReason, PointWay } from '@gatehouse/contracts';
import { formatInstant } from '../../lib/dates.ts';

export const WAYS: Record<PointWay, string> = { eligible: 'Eligible: could activate', standing: 'Member without activating', activated: 'Activated' };

/** What a line rests on, or why it is not certain. */
export const REASONS: Record<PointReason, string> = {
  'eligible-as-read': 'Entra listed the eligibility',
  'eligible-as-logged': 'The audit log tells of the eligibility',
  'standing-as-read': 'Entra listed the member',
  'standing-as-logged': 'The audit log tells of the membership',
  'activation-as-logged': 'The audit log tells of the activation',
  'activation-as-read': 'Entra listed the activation',
  'before-first-observation': 'Seen only later: whether it was so already is not known',
  'between-readings': 'It changed between two readings: when is not known',
  'removal-not-confirmed': 'The audit log tells of its removal, and Entra was not seen without it',
  'end-not-known': 'When it ended is not known',
  'group-not-read': 'PIM did not manage the group then, so that it was not read',
  'opening-not-known': 'Whether the group opened it then is not known',
};

/** What it rests on first, then what makes it uncertain. */
export const reasonsOf = (reasons: readonly PointReason[]): string => reasons.map((reason) => REASONS[reason]).join('. ');

/** `until 23 May 2027 14:02`, `from …`, both, or that neither is known. */
export function periodOf({ from, until }: { readonly from: string | null; readonly until: string | null }): string {
  if (from === null && until === null) return 'No end; its beginning is not known';
  return [from === null ? '' : `from ${formatInstant(from)}`, until === null ? 'without an end' : `to ${formatInstant(until)}`].filter((part) => part !== '').join(' ');
}

/** Since when facts are known, a sentence each. */
export function coverageOf({ eventsFrom, applicationsFrom, groups }: PointCoverage, kind: PointAnswer['target']['kind']): string[] {
  const read = groups.flatMap(({ from }) => from ?? []).sort();
  const [first = '', last = ''] = [read[0] ?? '', read.at(-1) ?? ''].map((from) => (from === '' ? '' : formatInstant(from)));
  return [
    eventsFrom === null ? 'Nothing of the audit log was known.' : `The audit log is known from ${formatInstant(eventsFrom)} on.`,
    groups.length === 0 ? '' : read.length < groups.length ? `${groups.length === 1 ? 'Who is eligible' : 'Who is eligible for some of the groups'} was not read yet.` : `Who is eligible is read since ${first === last ? last : `${first} to ${last}, by group`}.`,
    kind === 'group' ? '' : applicationsFrom === null ? 'Which group opens what was not read yet.' : `Which group opens what is read since ${formatInstant(applicationsFrom)}.`,
  ].filter((sentence) => sentence !== '');
}

/** What the instant lies before, in words: what the answer cannot have. Nothing, where everything was being read. */
export function blindSpots({ at, checkpoint, behindSince, coverage: { eventsFrom, applicationsFrom, groups }, target }: Pick<PointAnswer, 'at' | 'checkpoint' | 'behindSince' | 'coverage' | 'target'>): string[] {
  const lies = (from: string | null): boolean => from === null || at < from;
  const waits = behindSince === null ? '' : `What was received since ${formatInstant(behindSince)} waits to be sealed in the ledger, and is not in this answer. Sync & health says why.`;
  // Nothing more is worth saying where nothing counts.
  if (checkpoint === null) return ['Nothing was sealed in the ledger by then, so nothing counts as known.', waits].filter((sentence) => sentence !== '');
  return [
    waits,
    target.kind !== 'group' && lies(applicationsFrom) ? 'Nobody had looked yet which group opens what: the groups below are those that were seen later.' : '',
    groups.some(({ readThen }) => !readThen) ? 'Who was eligible was not read at that time: people whose eligibility had ended before the first reading may be missing.' : '',
    lies(eventsFrom) ? 'The audit log does not reach back to that time: activations of that time are missing.' : '',
  ].filter((sentence) => sentence !== '');
}
