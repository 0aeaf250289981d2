import { within, type Delays } from './delays.ts';
import { assignedThrough, reach, type Reach } from './reach.ts';
import type { Application, Tenant } from './tenant.ts';

/** What the Global Secure Access client goes by, later than the directory knows it: part of the tenant, so that a restart finds it again. */
export interface Edge {
  /** Configurations that were set, oldest first, each from when clients follow it. */
  rollouts: { from: string; configuration: Configuration }[];
  /** At most one a person. */
  tokens: ClientToken[];
}

interface Configuration {
  readonly privateAccess: 'enabled' | 'disabled';
  readonly applications: readonly Pick<Application, 'id' | 'connectorGroupId' | 'segments' | 'onPremisesPublishing'>[];
}

interface ClientToken {
  readonly userId: string;
  readonly issuedAt: string;
  readonly endsAt: string;
  /** Service principals that the person was assigned to when it was issued. */
  readonly opens: readonly string[];
}

interface World { readonly tenant: Tenant; readonly now: Date; readonly delays: Delays; newId(): string }

const edgeOf = (tenant: Tenant): Edge => (tenant.edge ??= { rollouts: [], tokens: [] });

/** What was rolled out is not changed any more, and is compared at every call. */
const texts = new WeakMap<Configuration, string>();
function textOf(configuration: Configuration): string {
  const text = texts.get(configuration) ?? JSON.stringify(configuration);
  texts.set(configuration, text);
  return text;
}

/** Sends a changed configuration on its way to the clients. Answers whether there was one. */
export function rollOut({ tenant, now, delays }: World): boolean {
  const edge = edgeOf(tenant);
  const configuration = configurationOf(tenant);
  const newest = edge.rollouts.at(-1);
  if (newest && textOf(newest.configuration) === JSON.stringify(configuration)) return false;
  // What stood before anybody looked is with the clients already.
  const from = newest ? new Date(now.getTime() + delays.configurationToClient) : now;
  const inForce = edge.rollouts.findLastIndex((one) => new Date(one.from) <= now);
  edge.rollouts = [...edge.rollouts.slice(Math.max(0, inForce)), { from: from.toISOString(), configuration: structuredClone(configuration) }];
  return true;
}

/** Whether the client lets the person through now: by what it knows of the configuration, and by a token that may be older than an end of access. */
export function connect(world: World, upn: string, host: string, port: number): Reach {
  const { tenant, now } = world;
  const user = tenant.users.find((one) => one.userPrincipalName.toLowerCase() === upn.toLowerCase());
  const seen = asClientsSeeIt(tenant, now);
  if (!user) return reach(seen, upn, host, port);
  const token = tokenOf(world, user.id);
  return reach(seen, upn, host, port, (servicePrincipalId) =>
    (token?.opens.includes(servicePrincipalId) === true ? `the client’s token of ${token.issuedAt} opens it until ${token.endsAt} at the latest` : undefined));
}

function configurationOf(tenant: Tenant): Configuration {
  return {
    privateAccess: tenant.forwardingProfiles.find(({ trafficForwardingType }) => trafficForwardingType === 'private')?.state ?? 'disabled',
    applications: tenant.applications.filter(({ onPremisesPublishing }) => onPremisesPublishing !== null)
      .map(({ id, connectorGroupId, segments, onPremisesPublishing }) => ({ id, connectorGroupId, segments, onPremisesPublishing })),
  };
}

function asClientsSeeIt(tenant: Tenant, now: Date): Tenant {
  const configuration = edgeOf(tenant).rollouts.findLast(({ from }) => new Date(from) <= now)?.configuration;
  if (!configuration) return tenant;
  return {
    ...tenant,
    forwardingProfiles: tenant.forwardingProfiles.map((profile) => (profile.trafficForwardingType === 'private' ? { ...profile, state: configuration.privateAccess } : profile)),
    applications: tenant.applications.map((application) => ({
      ...application, segments: [], onPremisesPublishing: null, ...configuration.applications.find(({ id }) => id === application.id),
    })),
  };
}

/** The person's token, a new one where there is none or it has ended. */
function tokenOf({ tenant, now, delays, newId }: World, userId: string): ClientToken | undefined {
  if (delays.clientToken.max === 0) return undefined;
  const edge = edgeOf(tenant);
  const standing = edge.tokens.find((token) => token.userId === userId);
  if (standing && endOf(standing, tenant, delays) > now.getTime()) return standing;
  const token: ClientToken = {
    userId, issuedAt: now.toISOString(), endsAt: new Date(now.getTime() + within(delays.clientToken, newId)).toISOString(),
    opens: tenant.servicePrincipals.filter(({ id }) => assignedThrough(tenant, userId, id) !== undefined).map(({ id }) => id),
  };
  edge.tokens = [...edge.tokens.filter((one) => one.userId !== userId), token];
  return token;
}

/** Revoking all sign-ins is a signal of Universal CAE; the end of a membership is none (CONTRACT.md §15). */
function endOf(token: ClientToken, tenant: Tenant, delays: Delays): number {
  const ends = Date.parse(token.endsAt);
  const revokedAt = Date.parse(tenant.users.find(({ id }) => id === token.userId)?.signInSessionsValidFromDateTime ?? '');
  return delays.universalCae !== null && revokedAt > Date.parse(token.issuedAt) ? Math.min(ends, revokedAt + delays.universalCae) : ends;
}
