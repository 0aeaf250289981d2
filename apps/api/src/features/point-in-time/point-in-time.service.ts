import { RoleSettingsAsRead, type Answer, type AskPointInTime, type Input, type ListPointInTimeTargets, type PointAnswer } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { parseDestination, writeDestination } from '../../core/destination.ts';
import { fieldError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { activationPolicyOf } from '../setup/setup.ts';
import { applicationsAt, coverageOf, pathsAt, peopleAt, type Observed, type Target } from './point-in-time.rules.ts';
import { findDroppedTo, findObservations, findTargets, findTold, type Known, type ObservedRow } from './point-in-time.store.ts';

/** The ledger, which says what was known when. */
export interface KnowledgePort {
  /** What was known at the instant, or is known now: the same for ever. `undefined`: the instant is still to come. */
  knowledge(at?: string): Promise<{ readonly at: string; readonly leaves: number; readonly checkpoint: { readonly size: number; readonly signedAt: Date } | null } | undefined>;
  state(): Promise<{ readonly oldestUnsealedAt: Date | null }>;
}

export interface PointInTimeDeps {
  readonly db: Database;
  readonly ledger: KnowledgePort;
  readonly clock: Clock;
  readonly newId: () => string;
}

export type PointInTime = ReturnType<typeof createPointInTime>;

/** What waits for longer than that is told of: sealing takes some seconds. */
const SEALS_WITHIN_MS = 60_000;

/** Who could reach what, who did, and when that was known: from the log alone, never from Graph. */
export function createPointInTime({ db, ledger, clock, newId }: PointInTimeDeps) {
  /** Since when something that was received waits to be sealed, and is not in an answer about now. */
  async function behindSince(): Promise<string | null> {
    const { oldestUnsealedAt: oldest } = await ledger.state();
    return oldest && clock.now().getTime() - oldest.getTime() > SEALS_WITHIN_MS ? oldest.toISOString() : null;
  }

  return {
    async ask(actor: Actor, { to, at: asked, known, cursor, limit }: Input<typeof AskPointInTime>['query']): Promise<PointAnswer> {
      const target = targetOf(to);
      const now = clock.now();
      const at = instantText(asked, 'at');
      const page = cursor === undefined ? undefined : pageOf(cursor);
      // The pages of one answer rest on what was known when the first was read.
      const knowledge = await ledger.knowledge(page?.knownAt ?? (known === 'today' ? undefined : instantText(known, 'known')));
      if (!knowledge) throw fieldError('invalid-request', 'query.known', 'This is not over yet: what will be known then can still change');
      const { at: knownAt, leaves, checkpoint } = knowledge;
      if (at > knownAt) throw fieldError('invalid-request', 'query.at', known === 'today' ? 'This is not over yet' : 'This lies after the time whose knowledge is asked for: nothing was known of it');
      // Each page: whoever makes a cursor up has still been seen reading.
      await db.prisma.$transaction((tx) => record(tx, { id: newId(), at: now, actor, type: 'history.point-in-time-read', kind: 'portal-export', result: 'success', data: { to, at, knownAt, treeSize: checkpoint?.size ?? 0, from: page?.offset ?? 0 } }));
      const { could, had, ...rest } = await answerTo(db, { tenantId: actor.tenantId, leaves }, target, at);
      const offset = page?.offset ?? 0;
      const end = offset + limit;
      return {
        ...rest, at, knownAt, checkpoint: checkpoint && { size: checkpoint.size, signedAt: checkpoint.signedAt.toISOString() }, behindSince: known === 'today' ? await behindSince() : null,
        could: { total: could.length, rows: could.slice(offset, end) }, had: { total: had.length, rows: had.slice(offset, end) },
        nextCursor: could.length > end || had.length > end ? Buffer.from(JSON.stringify([knownAt, end])).toString('base64url') : null,
      };
    },

    async targets(actor: Actor): Promise<Answer<typeof ListPointInTimeTargets>> {
      const [applications, groups] = await Promise.all([findTargets(db.pool, actor.tenantId, 'application'), findTargets(db.pool, actor.tenantId, 'group')]);
      return { applications, groups };
    },
  };
}

/** The whole answer, as what was known at the instant has it. The same knowledge gives the same answer, whatever came later. */
export async function answerTo(db: Pick<Database, 'pool'>, known: Known, target: Target, at: string) {
  const { pool } = db;
  const read = async (...asked: Parameters<typeof findObservations> extends [unknown, unknown, ...infer Rest] ? Rest : never): Promise<Observed[]> => (await findObservations(pool, known, ...asked)).map(stateOf);
  const watches = await read(['watch'], { things: ['catalog', 'audit-log'] });
  const published = target.kind === 'group' ? [] : await read(['application', 'segments'], target.kind === 'application' ? { applicationIds: [target.id] } : {});
  const applications = applicationsAt(target, published, at);
  const assignments = applications.length === 0 ? [] : await read(['assignment'], { applicationIds: applications.map(({ id }) => id) });
  const groupIds = target.kind === 'group' ? [target.id] : [...new Set(assignments.flatMap(({ groupId }) => groupId ?? []))];
  const [ofGroups, told] = groupIds.length === 0 ? [[], []] : await Promise.all([
    read(['group', 'policy', 'watch', 'eligible', 'standing', 'activated'], { groupIds }),
    findTold(pool, known, groupIds, at),
  ]);
  const paths = pathsAt(target, applications, [...assignments, ...ofGroups], at);
  const principalIds = [...new Set([...ofGroups.flatMap(({ principalId }) => principalId ?? []), ...told.map(({ subjectId }) => subjectId)])];
  const principals = principalIds.length === 0 ? [] : await read(['principal'], { things: principalIds });
  const observations = [...watches, ...ofGroups, ...principals];
  const name = target.kind === 'host' ? writeDestination(target.destination) : target.kind === 'group' ? paths[0]?.group.name ?? target.id : applications[0]?.displayName ?? target.id;
  return { target: { kind: target.kind, id: target.kind === 'host' ? null : target.id, name }, paths, coverage: coverageOf(paths, { observations }, at, await findDroppedTo(pool, known.tenantId)), ...peopleAt(paths, { observations, told }, at) };
}

function stateOf(row: ObservedRow): Observed {
  const state: unknown = row.state === null ? null : JSON.parse(row.state);
  if (row.kind !== 'policy') return { ...row, state };
  const settings = RoleSettingsAsRead.safeParse(state);
  return { ...row, state: settings.success ? activationPolicyOf(settings.data) : null };
}

const GUID = /^(application|group):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

function targetOf(to: string): Target {
  const [, kind, id] = GUID.exec(to) ?? [];
  if (kind !== undefined && id !== undefined) return { kind: kind.toLowerCase() === 'group' ? 'group' : 'application', id: id.toLowerCase() };
  const parsed = /^(application|group):/i.test(to) ? undefined : parseDestination(to);
  if (!parsed?.ok) throw fieldError('invalid-request', 'query.to', parsed?.message ?? 'Name an application, a group, or one host, such as fin-rep.corp.example:443');
  return { kind: 'host', destination: parsed.destination };
}

const isInLog = (instant: Date): boolean => instant.getUTCFullYear() >= 2000 && instant.getUTCFullYear() < 2200;

/** Whether it is what `instantText` gives. */
const isInstant = (text: string): boolean => /^[\d-]{10}T[\d:]{8}\.\d{6}Z$/.test(text) && isInLog(new Date(text)) && new Date(text).toISOString().slice(0, 19) === text.slice(0, 19);

/** In UTC with six decimals, further ones cut. */
function instantText(text: string, field: 'at' | 'known'): string {
  const instant = new Date(text);
  if (!isInLog(instant)) throw fieldError('invalid-request', `query.${field}`, 'No log has such a time');
  const [, fraction = ''] = /\.(\d+)/.exec(text) ?? [];
  return `${instant.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

function pageOf(cursor: string): { readonly knownAt: string; readonly offset: number } {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(value)) {
      const [knownAt, offset] = value as unknown[];
      if (typeof knownAt === 'string' && isInstant(knownAt) && Number.isSafeInteger(offset) && Number(offset) > 0) return { knownAt, offset: Number(offset) };
    }
  } catch { /* none of ours */ }
  throw fieldError('invalid-request', 'query.cursor', 'This is no cursor of a page of this answer');
}
