import { within, type Delays } from '../delays.ts';
import type { Reach } from '../reach.ts';
import type { Tenant } from '../tenant.ts';

/** One connection that a person's client tried to make, as the logs of Global Secure Access know it. */
export interface Visit {
  readonly transactionId: string;
  readonly connectionId: string;
  readonly createdDateTime: string;
  /** From when the logs show it. */
  readonly visibleAt: string;
  readonly userId: string;
  readonly host: string;
  readonly port: number;
  readonly allowed: boolean;
  /** Of the application whose segment takes the destination. */
  readonly appId: string | null;
}

/** More is not kept: it is a log of a demo, not of a year. */
const KEPT = 5_000;

/** How long the service keeps its log, as is commonly said (CONTRACT.md §9). */
export const TRAFFIC_KEPT_MS = 30 * 24 * 60 * 60_000;

/** Writes down what the client did. What no segment takes is not Private Access's matter, and is not in its log. */
export function recordVisit({ tenant, now, delays, newId }: { readonly tenant: Tenant; readonly now: Date; readonly delays: Delays; newId(): string }, upn: string, host: string, port: number, { allowed, application }: Reach): void {
  const user = tenant.users.find((one) => one.userPrincipalName.toLowerCase() === upn.toLowerCase());
  const published = tenant.applications.find(({ displayName, onPremisesPublishing }) => displayName === application && onPremisesPublishing !== null);
  if (!user || !published) return;
  const visit: Visit = {
    transactionId: newId(), connectionId: newId(), createdDateTime: now.toISOString(), visibleAt: new Date(now.getTime() + within(delays.auditVisible, newId)).toISOString(),
    userId: user.id, host, port, allowed, appId: published.appId,
  };
  tenant.visits = [...(tenant.visits ?? []), visit].slice(-KEPT);
}
