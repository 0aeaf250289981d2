import type { Connection } from '@gatehouse/db';
import type { ApplicationRow, AssignmentRow, GroupRow } from '../catalog.ts';
import { observe, stateText, type KnownState, type Seen } from './observations.ts';

interface CatalogReading {
  readonly tenantId: string;
  readonly beganAt: Date;
  readonly observedAt: Date;
  readonly groups: readonly GroupRow[];
  readonly applications: readonly ApplicationRow[];
  readonly assignments: readonly AssignmentRow[];
}

/** Puts into the log how the catalog differs from what was seen last, in the transaction that replaces it: nothing is read twice for it. */
export async function observeCatalog(connection: Connection, { tenantId, beganAt, observedAt, groups, applications, assignments }: CatalogReading): Promise<void> {
  const unread = new Set(groups.filter(({ settingsRead }) => !settingsRead).map(({ groupId }) => groupId));
  await observe(connection, {
    tenantId, scope: 'catalog', beganAt, observedAt, source: 'graph', kinds: ['group', 'policy', 'assignment', 'application', 'segments', 'watch'], groupId: null,
    found: [
      { kind: 'watch', thing: 'catalog', state: stateText({ read: true }) },
      ...groups.map(({ groupId, displayName }): Seen => ({ kind: 'group', thing: groupId, groupId, state: stateText({ displayName }) })),
      ...groups.filter(({ settingsRead }) => settingsRead).map(({ groupId, settings }): Seen => ({ kind: 'policy', thing: groupId, groupId, state: stateText(settings) })),
      ...assignments.map(({ groupId, servicePrincipalId }): Seen => ({ kind: 'assignment', thing: `${groupId}/${servicePrincipalId}`, groupId, applicationId: servicePrincipalId, state: stateText({}) })),
      ...applications.map(({ servicePrincipalId, displayName, kind, assignmentRequired }): Seen => ({ kind: 'application', thing: servicePrincipalId, applicationId: servicePrincipalId, state: stateText({ displayName, kind, assignmentRequired }) })),
      ...applications.filter(({ kind }) => kind !== 'enterprise').map(({ servicePrincipalId, segments }): Seen => ({ kind: 'segments', thing: servicePrincipalId, applicationId: servicePrincipalId, state: stateText({ segments: [...segments].sort((one, other) => (stateText(one) < stateText(other) ? -1 : 1)) }) })),
    ],
    keeps: (known) => isElsewhere(known, unread),
  });
}

/** Of what the catalog does not read its silence says nothing: what others watch, settings that could not be read, an enterprise application that no group opens any more. */
function isElsewhere({ kind, thing, state }: KnownState, unread: ReadonlySet<string>): boolean {
  if (kind === 'watch') return thing !== 'catalog';
  if (kind === 'policy') return unread.has(thing);
  return kind === 'application' && state !== null && (JSON.parse(state) as { kind?: unknown }).kind === 'enterprise';
}
