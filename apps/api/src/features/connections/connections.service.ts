import type { ActivationConnections, Answer, GetExceptions, Input, RequestReadiness } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { Actor } from '../../core/actor.ts';
import { cursorOf, positionOf, type Position } from '../../core/cursors.ts';
import { fieldError } from '../../core/errors.ts';
import { activationsJudged, comparable, spanOf, tellConnections, trafficJudged, type Judged } from './connections.rules.ts';
import { findActivated, findFirstAllowed, findHostsReached, findOpening, findUncovered, findUnused, readCoverages, type Listed } from './connections.store.ts';

export interface ConnectionsDeps {
  readonly db: Pick<Database, 'reader'>;
}

export type Connections = ReturnType<typeof createConnections>;

/** Hosts that the story of one activation lists. */
const MOST_HOSTS = 200;

/** A request as far as it is known without the mirror. */
export interface Asked {
  readonly principalId: string;
  readonly groupId: string;
  readonly entraRequestId: string | null;
  readonly provisionedAt: Date | null;
  /** When it ended; `null`: it has not. */
  readonly endedAt: Date | null;
}

/** What the traffic log says of activations: of the mirror alone, never of Graph. */
export function createConnections({ db: { reader: pool } }: ConnectionsDeps) {
  /** One row more than asked for is read, to know whether there is a next page. */
  async function pageOf<T>(judged: Judged | null, limit: number, read: (judged: Judged, limit: number) => Promise<Listed<T>[]>): Promise<{ rows: T[]; nextCursor: string | null; judged: Judged | null }> {
    const found = judged === null ? [] : await read(judged, limit + 1);
    const last = found[limit - 1];
    return { rows: found.slice(0, limit).map(({ row }) => row), nextCursor: found.length > limit && last ? cursorOf(last.position) : null, judged };
  }

  return {
    /** Which hosts were reached during an activation of the mirror. */
    async ofActivation(tenantId: string, requestId: string): Promise<ActivationConnections> {
      const [{ traffic: coverage }, activated] = await Promise.all([readCoverages(pool, tenantId), findActivated(pool, tenantId, requestId)]);
      const span = activated ? spanOf(activated) : null;
      if (!activated || span === null) return tellConnections({ span: null, coverage, opens: false, changedSince: false, found: [], limit: MOST_HOSTS });
      const [opening, found] = await Promise.all([
        findOpening(pool, tenantId, activated.groupId, span.from),
        findHostsReached(pool, tenantId, { principalId: activated.principalId, groupId: activated.groupId, span }, MOST_HOSTS + 1),
      ]);
      return tellConnections({ span, coverage, ...opening, found, limit: MOST_HOSTS });
    },

    /** When a request was first let through; `null`: the portal cannot see connections. */
    async firstAllowed(tenantId: string, { principalId, groupId, entraRequestId, provisionedAt, endedAt }: Asked): Promise<RequestReadiness['connection']> {
      const mirrored = provisionedAt === null && entraRequestId !== null ? await findActivated(pool, tenantId, entraRequestId.toLowerCase()) : undefined;
      const span = spanOf(mirrored ?? { provisionedAt: comparable(provisionedAt?.toISOString() ?? null), endedAt: comparable(endedAt?.toISOString() ?? null), expiresAt: null });
      const [firstAllowedAt, { traffic: { to, closed } }] = await Promise.all([
        span === null ? null : findFirstAllowed(pool, tenantId, { principalId: principalId.toLowerCase(), groupId: groupId.toLowerCase(), span }),
        readCoverages(pool, tenantId),
      ]);
      return firstAllowedAt === null && (to === null || closed !== null) ? null : { firstAllowedAt };
    },

    /** What does not fit together, as far as both logs were read. */
    async exceptions({ tenantId }: Actor, { list, cursor, limit }: Input<typeof GetExceptions>['query']): Promise<Answer<typeof GetExceptions>> {
      const after = afterOf(cursor);
      const { traffic: coverage, directory } = await readCoverages(pool, tenantId);
      const [traffic, activations] = await Promise.all([
        list === 'activations' ? null : pageOf(trafficJudged(coverage, directory), limit, (judged, most) => findUncovered(pool, tenantId, judged, after, most)),
        list === 'traffic' ? null : pageOf(activationsJudged(coverage), limit, (judged, most) => findUnused(pool, tenantId, judged, after, most)),
      ]);
      return { traffic, activations, cause: coverage.closed ?? (coverage.to === null ? 'not-read' : null), coverage };
    },
  };
}

function afterOf(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const position = positionOf(cursor, 2);
  if (!position) throw fieldError('invalid-request', 'query.cursor', 'This is no cursor of a page of this list');
  return position;
}
