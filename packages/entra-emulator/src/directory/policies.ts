import { z } from 'zod';
import type { AuthenticationContext, ConditionalAccessPolicy, Tenant } from '../tenant.ts';
import { bad, isGuid } from './common.ts';

/** An enum's word, in any case; it is printed as published. */
const word = (...words: readonly [string, ...string[]]) => z.preprocess((text) => words.find((one) => typeof text === 'string' && one.toLowerCase() === text.toLowerCase()) ?? text, z.enum(words));
const words = (...known: readonly [string, ...string[]]) => z.array(word(...known)).default([]);
/** Ids, or one of the words that stand for many. */
const ids = (...known: readonly string[]) => z.array(z.string().refine((one) => isGuid(one) || known.includes(one))).default([]);

const risks = words('low', 'medium', 'high', 'none');
const platform = words('android', 'iOS', 'windows', 'windowsPhone', 'macOS', 'linux', 'all');

const Conditions = z.strictObject({
  userRiskLevels: risks, signInRiskLevels: risks, servicePrincipalRiskLevels: risks,
  clientAppTypes: z.array(word('all', 'browser', 'mobileAppsAndDesktopClients', 'exchangeActiveSync', 'easSupported', 'other')).default(['all']),
  platforms: z.strictObject({ includePlatforms: platform, excludePlatforms: platform }).nullable().default(null),
  locations: z.strictObject({ includeLocations: ids('All', 'AllTrusted'), excludeLocations: ids('All', 'AllTrusted') }).nullable().default(null),
  applications: z.strictObject({
    includeApplications: ids('All', 'None', 'Office365', 'MicrosoftAdminPortals'), excludeApplications: ids('Office365', 'MicrosoftAdminPortals'),
    includeUserActions: z.array(z.enum(['urn:user:registersecurityinfo', 'urn:user:registerdevice'])).default([]),
    includeAuthenticationContextClassReferences: z.array(z.string()).default([]),
  }),
  users: z.strictObject({
    includeUsers: ids('All', 'None', 'GuestsOrExternalUsers'), excludeUsers: ids('GuestsOrExternalUsers'), includeGroups: ids(), excludeGroups: ids(), includeRoles: ids(), excludeRoles: ids(),
  }),
});

const GrantControls = z.strictObject({
  operator: word('AND', 'OR'),
  builtInControls: words('block', 'mfa', 'compliantDevice', 'domainJoinedDevice', 'approvedApplication', 'compliantApplication', 'passwordChange'),
  customAuthenticationFactors: z.array(z.string()).default([]), termsOfUse: ids(),
  /** Built in: multifactor, passwordless, phishing-resistant. */
  authenticationStrength: z.strictObject({ id: z.string().regex(/^00000000-0000-0000-0000-00000000000[2-4]$/) }).optional(),
});

const enabled = { isEnabled: z.boolean() };
const SessionControls = z.strictObject({
  applicationEnforcedRestrictions: z.strictObject(enabled).nullable().default(null),
  cloudAppSecurity: z.strictObject({ ...enabled, cloudAppSecurityType: word('mcasConfigured', 'monitorOnly', 'blockDownloads') }).nullable().default(null),
  persistentBrowser: z.strictObject({ ...enabled, mode: word('always', 'never') }).nullable().default(null),
  signInFrequency: z.strictObject({
    ...enabled, value: z.int().min(1).nullable().default(null), type: word('hours', 'days').nullable().default(null),
    authenticationType: word('primaryAndSecondaryAuthentication', 'secondaryAuthentication').default('primaryAndSecondaryAuthentication'), frequencyInterval: word('timeBased', 'everyTime').default('timeBased'),
  }).nullable().default(null),
  disableResilienceDefaults: z.boolean().nullable().default(null),
});

const Policy = z.strictObject({
  displayName: z.string().trim().min(1).max(256),
  state: word('enabled', 'disabled', 'enabledForReportingButNotEnforced'),
  conditions: Conditions,
  grantControls: GrantControls.nullable().default(null),
  sessionControls: SessionControls.nullable().default(null),
});
type Wish = z.infer<typeof Policy>;

/** The first thing that is wrong, in the words of Graph. */
function refuse({ issues }: z.ZodError): never {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys') throw bad(`Invalid property '${issue.keys[0] ?? ''}' for the type 'conditionalAccess${String(issue.path.at(-1) ?? 'policy')}'.`, 'BadRequest');
  throw bad(`Policy contains an invalid value of '${(issue?.path ?? []).filter((part) => typeof part === 'string').join('/')}'.`, 'BadRequest');
}

/** What a policy must be over and above its shape. */
function check(tenant: Tenant, { conditions: { applications, users }, grantControls, sessionControls }: Wish): void {
  const targets = [applications.includeApplications, applications.includeUserActions, applications.includeAuthenticationContextClassReferences].filter((one) => one.length > 0);
  if (targets.length !== 1) throw bad('Policy must name applications, user actions or authentication contexts, and one kind of them alone.', 'BadRequest');
  if (users.includeUsers.length + users.includeGroups.length + users.includeRoles.length === 0) throw bad('Policy must name users, groups or roles.', 'BadRequest');
  if (grantControls === null && (sessionControls === null || Object.values(sessionControls).every((one) => one === null))) throw bad('Policy must have a grant control or a session control.', 'BadRequest');
  if (grantControls !== null) {
    const { builtInControls, customAuthenticationFactors, termsOfUse, authenticationStrength } = grantControls;
    const count = builtInControls.length + customAuthenticationFactors.length + termsOfUse.length + (authenticationStrength ? 1 : 0);
    if (count === 0) throw bad('Grant controls are empty.', 'BadRequest');
    if (builtInControls.includes('block') && count > 1) throw bad('Grant control \'block\' cannot be combined with others.', 'BadRequest');
    if (builtInControls.includes('mfa') && authenticationStrength) throw bad('Grant control \'mfa\' cannot be combined with an authentication strength.', 'BadRequest');
  }
  const known = (name: string, wanted: readonly string[], there: readonly { readonly id: string }[]): void => {
    for (const one of wanted) if ((isGuid(one) || name === 'authentication context') && !there.some(({ id }) => id.toLowerCase() === one.toLowerCase())) throw bad(`Policy contains the ${name} '${one}', which does not exist.`, 'BadRequest');
  };
  known('user', [...users.includeUsers, ...users.excludeUsers], tenant.users);
  known('group', [...users.includeGroups, ...users.excludeGroups], tenant.groups);
  known('authentication context', applications.includeAuthenticationContextClassReferences, tenant.authenticationContexts);
}

export function policyFrom(tenant: Tenant, body: unknown): Wish {
  const parsed = Policy.safeParse(body);
  if (!parsed.success) return refuse(parsed.error);
  check(tenant, parsed.data);
  return parsed.data;
}

/** Conditions are changed one by one, the rest as a whole. */
export function changedPolicy(tenant: Tenant, { displayName, state, conditions, grantControls, sessionControls }: ConditionalAccessPolicy, body: unknown): Wish {
  const change = z.looseObject({ conditions: z.looseObject({}).default({}) }).safeParse(body);
  if (!change.success) return refuse(change.error);
  return policyFrom(tenant, { displayName, state, grantControls, sessionControls, ...change.data, conditions: { ...conditions, ...change.data.conditions } });
}

/** A context that is offered asks for a second factor, until somebody says otherwise. */
const policyOf = ({ id, displayName }: AuthenticationContext): ConditionalAccessPolicy => ({
  id: `00000000-0000-4000-8000-0000000000${id.slice(1).padStart(2, '0')}`, createdDateTime: '2025-01-01T00:00:00.0000000Z', modifiedDateTime: null,
  ...Policy.parse({
    displayName: `${displayName} asks for a second factor`, state: 'enabled', grantControls: { operator: 'OR', builtInControls: ['mfa'] },
    conditions: { applications: { includeAuthenticationContextClassReferences: [id] }, users: { includeUsers: ['All'] } },
  }),
});

/** The tenant's policies; as long as nobody changed one, those of its contexts. */
export const policiesOf = (tenant: Tenant): ConditionalAccessPolicy[] => tenant.conditionalAccessPolicies ?? tenant.authenticationContexts.filter(({ isAvailable }) => isAvailable).map(policyOf);
