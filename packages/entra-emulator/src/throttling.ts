/** A limit as Microsoft publishes it: so many units within any window of this length, for one application in one tenant. */
export interface Limit {
  readonly units: number;
  readonly windowMs: number;
  /** Whether the refusal says when to come back; Conditional Access does not. */
  readonly retryAfter: boolean;
}

/** The services behind Graph that count for themselves (CONTRACT.md §13). */
export interface Throttling {
  readonly auditReports: Limit;
  readonly conditionalAccess: Limit;
  readonly directory: Limit;
  readonly directoryWrites: Limit;
  /** Nothing is published: a guess, so that a client that asks without end meets one. */
  readonly pim: Limit;
}

/** The published numbers; of the directory those of a tenant of 50 to 500 people. */
export const PUBLISHED_THROTTLING: Throttling = {
  auditReports: { units: 5, windowMs: 10_000, retryAfter: true },
  conditionalAccess: { units: 1, windowMs: 1_000, retryAfter: false },
  directory: { units: 5_000, windowMs: 10_000, retryAfter: true },
  directoryWrites: { units: 3_000, windowMs: 150_000, retryAfter: true },
  pim: { units: 300, windowMs: 10_000, retryAfter: true },
};

/** What a call is charged: the headers of its answer, and whether it is refused. */
export interface Charge {
  readonly refused: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts what each application asks. A call that is refused counts too, as in life. */
export function createThrottle(limits: () => Throttling | null) {
  const uses = new Map<string, { at: number; units: number }[]>();
  return {
    charge(call: { readonly appId: string; readonly tenantId: string; readonly method: string; readonly path: string; readonly query: Readonly<Record<string, string>> }, now: number): Charge {
      const current = limits();
      if (current === null) return { refused: false, headers: {} };
      const headers: Record<string, string> = {};
      let refused = false;
      for (const { service, units } of costsOf(call)) {
        const limit = current[service];
        const key = `${service}/${call.appId}`;
        const recent = (uses.get(key) ?? []).filter(({ at }) => at > now - limit.windowMs);
        const used = recent.reduce((sum, use) => sum + use.units, 0);
        uses.set(key, [...recent, { at: now, units }]);
        if (service === 'directory') headers['x-ms-resource-unit'] = String(units);
        const share = (used + units) / limit.units;
        if (service === 'directory' && share >= 0.8) headers['x-ms-throttle-limit-percentage'] = String(Math.min(1.8, Math.round(share * 10) / 10));
        if (used + units <= limit.units) continue;
        refused = true;
        headers['x-ms-throttle-scope'] = `Tenant_Application/${call.method === 'GET' ? 'Read' : 'Write'}/${call.appId}/${call.tenantId}`;
        headers['x-ms-throttle-information'] = service === 'directoryWrites' ? 'WriteLimitExceeded' : 'ResourceUnitLimitExceeded';
        const oldest = recent[0]?.at ?? now;
        if (limit.retryAfter) headers['Retry-After'] = String(Math.max(1, Math.ceil((oldest + limit.windowMs - now) / 1000)));
      }
      return { refused, headers };
    },
  };
}

/** Units by address; what is not listed costs one. */
const DIRECTORY_COSTS: readonly (readonly [RegExp, number])[] = [
  [/^\/groups\/[^/]+\/transitiveMembers/i, 5], [/\/checkMemberGroups$/i, 4], [/^\/groups\/[^/]+\/(members|owners)/i, 3], [/^\/directoryObjects\/getByIds$/i, 3],
  [/^\/(users|groups|applications|servicePrincipals)$/i, 2],
];

function costsOf({ method, path, query }: { readonly method: string; readonly path: string; readonly query: Readonly<Record<string, string>> }): { service: keyof Throttling; units: number }[] {
  if (/^\/auditLogs\//i.test(path)) return [{ service: 'auditReports', units: 1 }];
  if (/^\/identity\/conditionalAccess\//i.test(path)) return [{ service: 'conditionalAccess', units: 1 }];
  if (/^\/(identityGovernance|policies)\//i.test(path)) return [{ service: 'pim', units: 1 }];
  if (/^\/(networkAccess|onPremisesPublishingProfiles)/i.test(path)) return [];
  const listed = DIRECTORY_COSTS.find(([pattern]) => pattern.test(path))?.[1] ?? 1;
  const units = Math.max(1, listed - (query['$select'] === undefined ? 0 : 1) - (Number(query['$top'] ?? 20) < 20 ? 1 : 0) + (query['$expand'] === undefined ? 0 : 1));
  const reads = method === 'GET' || /\/(getByIds|checkMemberGroups)$/i.test(path);
  return [{ service: 'directory', units }, ...(reads ? [] : [{ service: 'directoryWrites' as const, units: 1 }])];
}
