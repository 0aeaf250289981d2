import type { Answer, GetGroupSettings, ListApplications, ListAuthenticationContexts, ListConnectorGroups, OpenedApplication, Principal, PrincipalKind, SearchGroups, SearchPrincipals } from '@gatehouse/contracts';
import { GraphError, type ApplicationSegment, type Graph, type GraphApplication } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import { PortalError } from '../../core/errors.ts';
import { readRoleSettings, unfit } from '../setup/setup.ts';

/** What the tenant offers for a setup, read on the person's own token and kept nowhere. */

export interface DirectoryDeps {
  readonly graphFor: (actor: Actor, scopes: 'setup') => Graph;
}

export type DirectoryService = ReturnType<typeof createDirectory>;

/** As many as a person looks through; who wants another types more of its name. */
const MATCHES = 25;

export function createDirectory({ graphFor }: DirectoryDeps) {
  return {
    async principals(actor: Actor, { text, kind }: { readonly text: string; readonly kind: PrincipalKind | 'any' }): Promise<Answer<typeof SearchPrincipals>> {
      const { directory } = graphFor(actor, 'setup');
      const [users, groups] = await Promise.all([
        kind === 'group' ? [] : directory.searchUsers(text, MATCHES),
        kind === 'user' ? [] : directory.searchGroups(text, MATCHES),
      ]);
      const found: Principal[] = [
        ...users.map((user) => ({ id: user.id, kind: 'user' as const, displayName: user.displayName, detail: user.userPrincipalName })),
        ...groups.filter((group) => group.securityEnabled).map((group) => ({ id: group.id, kind: 'group' as const, displayName: group.displayName, detail: group.description ?? null })),
      ];
      return { principals: found.sort(byName) };
    },

    async groups(actor: Actor, text: string): Promise<Answer<typeof SearchGroups>> {
      const { directory, pim } = graphFor(actor, 'setup');
      const [groups, onboarded] = await Promise.all([directory.searchGroups(text, MATCHES), pim.onboardedGroups()]);
      const managed = new Set(onboarded.map((id) => id.toLowerCase()));
      return {
        groups: groups.map((group) => ({
          id: group.id, displayName: group.displayName, description: group.description ?? null,
          managedByPim: managed.has(group.id.toLowerCase()), unfit: unfit(group)?.reason ?? null,
        })),
      };
    },

    /** Of a group that PIM does not manage yet they are what PIM would begin with. */
    async groupSettings(actor: Actor, groupId: string): Promise<Answer<typeof GetGroupSettings>> {
      const { directory, pim } = graphFor(actor, 'setup');
      if (!(await directory.group(groupId))) throw new PortalError('not-found', { detail: 'The group does not exist, or not any more.' });
      return { roleSettings: readRoleSettings((await unlessNotFound(pim.policy(groupId, 'member')))?.rules ?? []) };
    },

    async applications(actor: Actor, text: string): Promise<Answer<typeof ListApplications>> {
      const { applications } = graphFor(actor, 'setup');
      const [published, enterprise] = await Promise.all([
        applications.privateAccess(),
        text === '' ? [] : applications.searchEnterprise(text, MATCHES),
      ]);
      const segments = await applications.segmentsOfAll(published.map(({ appId }) => appId));
      const opened = published.map((one) => openedOf(one, segments.get(one.appId) ?? []));
      const matches = opened.filter((one) => matchesText(one, text)).sort((one, other) => Number(other.kind === 'quick-access') - Number(one.kind === 'quick-access') || byName(one, other));
      return { applications: [...matches, ...enterprise.map((one) => openedOf(one, []))] };
    },

    async connectorGroups(actor: Actor): Promise<Answer<typeof ListConnectorGroups>> {
      const groups = await graphFor(actor, 'setup').applications.connectorGroups();
      return {
        connectorGroups: groups.map((one) => ({ id: one.id, displayName: one.name, region: one.region ?? null, live: one.connectors.filter((connector) => connector.live).length, total: one.connectors.length })),
      };
    },

    /** Those alone that can be asked for. */
    async authenticationContexts(actor: Actor): Promise<Answer<typeof ListAuthenticationContexts>> {
      const contexts = await graphFor(actor, 'setup').conditionalAccess.authenticationContexts();
      return { contexts: contexts.filter((context) => context.available).map(({ id, displayName }) => ({ id, displayName })) };
    },
  };
}

const byName = (one: { readonly displayName: string }, other: { readonly displayName: string }): number => one.displayName.localeCompare(other.displayName, 'en');

function openedOf(application: GraphApplication, segments: readonly ApplicationSegment[]): OpenedApplication {
  return {
    id: application.servicePrincipalId, displayName: application.displayName, kind: application.kind, assignmentRequired: application.assignmentRequired,
    segments: segments.map((segment) => ({ host: segment.destinationHost, ports: segment.ports.map(portWords), protocol: segment.protocol })),
  };
}

/** `443-443` → `443`. */
function portWords(range: string): string {
  const [from, to] = range.split('-');
  return from !== undefined && from === to ? from : range;
}

function matchesText(application: OpenedApplication, text: string): boolean {
  const wanted = text.toLowerCase();
  return application.displayName.toLowerCase().includes(wanted) || application.segments.some((segment) => segment.host.toLowerCase().includes(wanted));
}

async function unlessNotFound<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure === 'not-found') return undefined;
    throw error;
  });
}
