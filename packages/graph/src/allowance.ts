import { GraphError } from './errors.ts';
import type { Call } from './call.ts';
import type { GatewayOptions, Priority, ThrottlingLimit, ThrottlingLimits, Timer } from './ports.ts';

/**
 * Limits that Microsoft publishes for an application in one tenant (CONTRACT.md §13), the middle size where they grow
 * with the tenant. For PIM none is published, only that it is strict: that one is a guess.
 */
export const PUBLISHED_LIMITS: ThrottlingLimits = {
  'audit-reports': { units: 5, windowMs: 10_000 },
  'conditional-access': { units: 1, windowMs: 1_000 },
  'pim': { units: 200, windowMs: 10_000 },
  'directory': { units: 5_000, windowMs: 10_000 },
  'directory-writes': { units: 3_000, windowMs: 150_000 },
};

/** What of a limit the background leaves to people, where there is so much that it can be shared. */
const LEFT_TO_PEOPLE = 0.2;
const SHARED_FROM = 10;

interface Use { readonly at: number; readonly units: number }
interface Waiting { readonly units: number; readonly go: () => void; readonly refuse: (error: GraphError) => void }

export interface Allowance {
  /**
   * Waits until the call fits within the limits; people go first. Throws `throttled`, unsent, where that would be after
   * the deadline (by the timer), and `unavailable`, unsent, where the portal stops.
   */
  admit(call: Call, priority: Priority, deadline: number): Promise<void>;
  /** Graph asked for a pause of this long: what the background wants of the same service waits for its end. */
  pause(call: Call, ms: number): void;
}

/** One for a tenant. A limit counts what was sent within its window, so that no window of that length ever holds more. */
export function createAllowance(limits: ThrottlingLimits, timer: Timer, signal?: AbortSignal, onAdmitted?: GatewayOptions['onAdmitted']): Allowance {
  const lines = new Map(Object.entries(limits).map(([name, limit]) => [name, createLine(limit, timer, signal)]));
  return {
    async admit(call, priority, deadline) {
      const costs = costsOf(call);
      const from = timer.now();
      for (const { service, units } of costs) await lines.get(service)?.admit(units, priority, deadline);
      if (costs.length > 0) onAdmitted?.({ priority, waitedMs: timer.now() - from });
    },
    pause(call, ms) {
      for (const { service } of costsOf(call)) lines.get(service)?.pause(ms);
    },
  };
}

/** The queue before one limit. */
function createLine(limit: ThrottlingLimit, timer: Timer, signal: AbortSignal | undefined) {
  const waiting: Record<Priority, Waiting[]> = { person: [], background: [] };
  let uses: Use[] = [];
  let pausedUntil = 0;
  let wakesAt = Number.POSITIVE_INFINITY;

  const unitsFor = (priority: Priority): number => (priority === 'person' || limit.units < SHARED_FROM ? limit.units : Math.floor(limit.units * (1 - LEFT_TO_PEOPLE)));

  /** How long until so many units are free, if nobody else takes any. */
  const waitFor = (units: number, priority: Priority): number => {
    const now = timer.now();
    uses = uses.filter(({ at }) => at > now - limit.windowMs);
    let excess = uses.reduce((sum, use) => sum + use.units, 0) + units - unitsFor(priority);
    let wait = priority === 'background' ? Math.max(0, pausedUntil - now) : 0;
    for (const use of uses) {
      if (excess <= 0) break;
      excess -= use.units;
      wait = Math.max(wait, use.at + limit.windowMs - now);
    }
    return wait;
  };

  const next = (): Priority | undefined => (waiting.person.length > 0 ? 'person' : waiting.background.length > 0 ? 'background' : undefined);

  const wakeIn = (ms: number): void => {
    const at = timer.now() + ms;
    if (at >= wakesAt) return;
    wakesAt = at;
    void timer.sleep(ms).then(() => {
      if (wakesAt === at) wakesAt = Number.POSITIVE_INFINITY;
      letIn();
    });
  };

  /** Lets in who fits, the people first, and comes back when the first of the others may fit. */
  const letIn = (): void => {
    if (signal?.aborted === true) {
      for (const one of [...waiting.person.splice(0), ...waiting.background.splice(0)]) one.refuse(new GraphError('unavailable', 'the portal is stopping', { sent: false }));
      return;
    }
    for (let priority = next(); priority !== undefined; priority = next()) {
      const [first] = waiting[priority];
      if (!first) return;
      const wait = waitFor(first.units, priority);
      if (wait > 0) return wakeIn(wait);
      waiting[priority].shift();
      uses.push({ at: timer.now(), units: first.units });
      first.go();
    }
  };

  signal?.addEventListener('abort', letIn);

  return {
    pause(ms: number): void {
      pausedUntil = Math.max(pausedUntil, timer.now() + ms);
    },
    async admit(wanted: number, priority: Priority, deadline: number): Promise<void> {
      // A call that alone is more than the limit goes when nothing else was sent.
      const units = Math.min(wanted, unitsFor(priority));
      const ahead = [...waiting.person, ...(priority === 'background' ? waiting.background : [])].reduce((sum, one) => sum + one.units, 0);
      const wait = Math.floor(ahead / limit.units) * limit.windowMs + waitFor(units, priority);
      if (timer.now() + wait > deadline) {
        throw new GraphError('throttled', 'the limit of what the portal asks Graph is reached', { retryAfterMs: wait, sent: false });
      }
      await new Promise<void>((go, refuse) => {
        waiting[priority].push({ units, go, refuse });
        letIn();
      });
    },
  };
}

/** Units of a directory call by its address (CONTRACT.md §13); what is not listed costs one. */
const DIRECTORY_COSTS: readonly (readonly [RegExp, number])[] = [
  [/^\/groups\/[^/]+\/transitiveMembers/, 5],
  [/checkMemberGroups$/, 4],
  [/^\/groups\/[^/]+\/(members|owners)/, 3],
  [/^\/directoryObjects\/getByIds$/, 3],
  [/^\/(users|groups|applications|servicePrincipals)$/, 2],
];

function costsOf({ method, path, query, body }: Call): readonly { readonly service: keyof ThrottlingLimits; readonly units: number }[] {
  if (path === '/$batch') return [];
  if (path.startsWith('/auditLogs/')) return [{ service: 'audit-reports', units: 1 }];
  if (path.startsWith('/identity/conditionalAccess/')) return [{ service: 'conditional-access', units: 1 }];
  if (path.startsWith('/identityGovernance/') || path.startsWith('/policies/')) return [{ service: 'pim', units: 1 }];
  const listed = DIRECTORY_COSTS.find(([pattern]) => pattern.test(path))?.[1] ?? 1;
  const isWrite = method !== 'GET' && !(body !== undefined && /getByIds$|checkMemberGroups$/.test(path));
  const saved = (query?.['$select'] === undefined ? 0 : 1) + (Number(query?.['$top'] ?? 20) < 20 ? 1 : 0);
  const read = { service: 'directory', units: Math.max(1, listed - saved + (query?.['$expand'] === undefined ? 0 : 1)) } as const;
  return isWrite ? [read, { service: 'directory-writes', units: 1 }] : [read];
}
