import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { RoleSettingsAsRead } from './role-settings.ts';
import { Guid, OpenedApplication, Principal } from './words.ts';

const Search = z.strictObject({ text: z.string().trim().max(100).default('') });

export const SearchPrincipals = {
  method: 'GET', path: '/api/directory/principals', permission: 'setup:manage',
  summary: 'People and groups by the beginning of a word of their name',
  query: z.strictObject({ text: z.string().trim().min(1).max(100), kind: z.enum(['user', 'group', 'any']).default('any') }),
  response: z.object({ principals: z.array(Principal) }),
} as const satisfies Endpoint;

/** A group that a setup could take, or why it cannot. */
export const CandidateGroup = z.object({
  id: z.string(),
  displayName: z.string(),
  description: z.string().nullable(),
  managedByPim: z.boolean(),
  /** Why PIM does not take it; `null` where it does. */
  unfit: z.string().nullable(),
});
export type CandidateGroup = z.infer<typeof CandidateGroup>;

export const SearchGroups = {
  method: 'GET', path: '/api/directory/groups', permission: 'setup:manage',
  summary: 'Groups for a setup, with the reason where one cannot be taken',
  query: Search,
  response: z.object({ groups: z.array(CandidateGroup) }),
} as const satisfies Endpoint;

export const GetGroupSettings = {
  method: 'GET', path: '/api/directory/groups/:groupId/role-settings', permission: 'setup:manage',
  summary: 'The member role settings of a group as they are now',
  params: z.strictObject({ groupId: Guid }),
  response: z.object({ roleSettings: RoleSettingsAsRead }),
} as const satisfies Endpoint;

export const ListApplications = {
  method: 'GET', path: '/api/directory/applications', permission: 'setup:manage',
  summary: 'Quick Access and Private Access applications, and enterprise applications that match the text',
  query: Search,
  response: z.object({ applications: z.array(OpenedApplication) }),
} as const satisfies Endpoint;

export const ListConnectorGroups = {
  method: 'GET', path: '/api/directory/connector-groups', permission: 'setup:manage',
  summary: 'Connector groups with how many of their connectors are live',
  response: z.object({ connectorGroups: z.array(z.object({ id: z.string(), displayName: z.string(), region: z.string().nullable(), live: z.int(), total: z.int() })) }),
} as const satisfies Endpoint;

export const ListAuthenticationContexts = {
  method: 'GET', path: '/api/directory/authentication-contexts', permission: 'setup:manage',
  summary: 'Authentication contexts of Conditional Access',
  response: z.object({ contexts: z.array(z.object({ id: z.string(), displayName: z.string() })) }),
} as const satisfies Endpoint;
