import { REVOCATION_TAKES_MINUTES, type Answer, type GetTimeline, type HistoryActivation } from '@gatehouse/contracts';
import { INSTANT } from '../../core/cursors.ts';
import { addMinutes, networkEndOf } from '../../core/durations.ts';

/** An instant in UTC with six decimals, as PostgreSQL takes it: it knows no year 0 and not every zone that ISO 8601 can write. `undefined` where it is none. */
export function instantOf(text: string): string | undefined {
  const [, seconds = '', fraction = '', zone = ''] = /^(.*T\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$/i.exec(text) ?? [];
  const whole = new Date(`${seconds}${zone}`);
  if (Number.isNaN(whole.getTime())) return undefined;
  const instant = `${whole.toISOString().slice(0, -5)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
  return INSTANT.test(instant) ? instant : undefined;
}

/** A pattern that finds the text anywhere, with nothing in it that LIKE would read. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

type Stored = Omit<HistoryActivation, 'applications' | 'hosts' | 'revokedBy' | 'lastedSeconds' | 'networkUntil'>;
interface KnownBeside {
  readonly applications: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  /** Of the same person and group. */
  readonly revocations: readonly { readonly createdAt: string; readonly goneAt: string | null; readonly revokedAt: string | null; readonly askedBy: string }[];
}

/** A revocation and the end that it brought are told of within this time of each other. */
const SAME_END_MS = 2 * 60_000;

/** An activation with what it opened, how long it lasted, who revoked it, and until when the network may have stayed open. */
export function completed(one: Stored, { applications, revocations }: KnownBeside): HistoryActivation {
  const end = one.endedAt === null ? undefined : new Date(one.endedAt);
  const revocation = end && revocations.find(({ createdAt, goneAt }) => createdAt >= (one.provisionedAt ?? one.requestedAt) && Math.abs(Date.parse(goneAt ?? createdAt) - end.getTime()) <= SAME_END_MS);
  const closes = revocation?.revokedAt ? addMinutes(new Date(revocation.revokedAt), REVOCATION_TAKES_MINUTES) : undefined;
  const usual = end && networkEndOf(end);
  return {
    ...one, applications: applications.map(({ name }) => name), hosts: [...new Set(applications.flatMap(({ hosts }) => hosts))],
    endedHow: revocation && one.endedHow === 'removed' ? 'revoked' : one.endedHow, revokedBy: revocation?.askedBy ?? null,
    lastedSeconds: end && one.provisionedAt !== null ? Math.max(0, Math.round((end.getTime() - Date.parse(one.provisionedAt)) / 1000)) : null,
    networkUntil: (closes && usual && closes < usual ? closes : usual)?.toISOString() ?? null,
  };
}

/** The memberships as bars in lanes; who or what had the most is first. */
export function lanesOf(activations: readonly HistoryActivation[], by: 'person' | 'application'): Answer<typeof GetTimeline>['lanes'] {
  const lanes = new Map<string, Answer<typeof GetTimeline>['lanes'][number]>();
  for (const one of activations) {
    if (one.provisionedAt === null) continue;
    const { requestId, principalName, groupName, applications, status, provisionedAt: beganAt, endedAt, expiresAt, networkUntil } = one;
    // A group that opens nothing now is shown by its own name.
    const of = by === 'person' ? [{ id: one.principalId, name: principalName }] : applications.length > 0 ? applications.map((name) => ({ id: name, name })) : [{ id: one.groupId, name: groupName }];
    for (const { id, name } of of) {
      const lane = lanes.get(id) ?? { id, name, bars: [] };
      lane.bars.push({ requestId, principalName, groupName, applications, status, beganAt, endedAt, expiresAt, networkUntil });
      lanes.set(id, lane);
    }
  }
  return [...lanes.values()].map((lane) => ({ ...lane, bars: lane.bars.toSorted((a, b) => (a.beganAt < b.beganAt ? -1 : 1)) })).sort((a, b) => b.bars.length - a.bars.length || (a.name < b.name ? -1 : 1));
}

interface Columns<Row> { readonly [title: string]: (row: Row) => string | null }

export const ACTIVATION_COLUMNS: Columns<HistoryActivation> = {
  'Requested (UTC)': (row) => row.requestedAt,
  'Status': (row) => row.status,
  'Person': (row) => row.principalName,
  'Person id': (row) => row.principalId,
  'Group': (row) => row.groupName,
  'Group id': (row) => row.groupId,
  'Applications': (row) => row.applications.join('; '),
  'Hosts': (row) => row.hosts.join('; '),
  'Reason': (row) => row.justification,
  'Ticket': (row) => row.ticketNumber,
  'Decided by': (row) => row.decidedBy,
  'Decided (UTC)': (row) => row.decidedAt,
  'Decision reason': (row) => row.decisionReason,
  'Active from (UTC)': (row) => row.provisionedAt,
  'Expires (UTC)': (row) => row.expiresAt,
  'Ended (UTC)': (row) => row.endedAt,
  'Ended how': (row) => row.endedHow,
  'Revoked by': (row) => row.revokedBy,
  'Lasted (seconds)': (row) => row.lastedSeconds?.toString() ?? null,
  'Network until (UTC)': (row) => row.networkUntil,
  'Request id': (row) => row.requestId,
};

export const titlesOf = <Row>(columns: Columns<Row>): string[] => Object.keys(columns);
