import { policiesOf as conditionalAccessOf } from './directory/policies.ts';
import { defaultRules } from './pim/rules.ts';
import type { Tenant } from './tenant.ts';

/** The configuration at one instant, as texts part by part and item by item: to be held against that of another. */
export type Configuration = Readonly<Record<string, readonly string[]>>;

/**
 * What an administrator calls the tenant's configuration, and the requests and assignments that follow from it. Left out
 * are the logs, what clients and readers have seen, when something was modified last, and ids that are given out anew.
 */
export function configurationOf(tenant: Tenant): Configuration {
  const { pim } = tenant;
  const parts: Record<string, readonly unknown[]> = {
    users: tenant.users, groups: tenant.groups, applications: tenant.applications, servicePrincipals: tenant.servicePrincipals, appRoleAssignments: tenant.appRoleAssignments,
    connectorGroups: tenant.connectorGroups, forwardingProfiles: tenant.forwardingProfiles.map(({ lastModifiedDateTime: _at, ...profile }) => profile), authenticationContexts: tenant.authenticationContexts,
    conditionalAccess: conditionalAccessOf(tenant).map(({ modifiedDateTime: _at, ...policy }) => policy), customExtensions: tenant.customExtensions ?? [],
    policies: pim.policies.map(({ groupId, accessId, rules }) => ({ groupId, accessId, rules })), requests: pim.requests, schedules: pim.schedules, approvals: pim.approvals,
  };
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.map((item) => JSON.stringify(item))]));
}

/** Whether the two say different things. Most writes leave most items as they were, letter by letter; only what differs is read again. */
export function differs(before: Configuration, after: Configuration): boolean {
  return Object.entries(after).some(([name, items]) => {
    const earlier = before[name] ?? [];
    const rest = (some: readonly string[], others: readonly string[]): readonly string[] => some.filter((text, index) => text !== others[index]);
    return meaning(name, rest(earlier, items)) !== meaning(name, rest(items, earlier));
  });
}

function meaning(part: string, texts: readonly string[]): string {
  const items = texts.map((text) => JSON.parse(text) as unknown);
  // A policy with the default rules is there or not as somebody looked at it or not.
  return plain(part === 'policies' ? items.filter((one) => plain((one as { rules: unknown }).rules) !== PLAIN_DEFAULTS) : items) ?? '[]';
}

/** Neither the order of properties nor that of lists has a meaning here; nothing, an empty list and an absent property are the same. */
function plain(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object') return JSON.stringify(value);
  const texts = Array.isArray(value)
    ? value.map((one) => plain(one) ?? 'null')
    : Object.entries(value).flatMap(([name, one]) => { const text = plain(one); return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`]; });
  if (texts.length === 0) return undefined;
  return Array.isArray(value) ? `[${texts.toSorted().join(',')}]` : `{${texts.toSorted().join(',')}}`;
}

const PLAIN_DEFAULTS = plain(defaultRules());
