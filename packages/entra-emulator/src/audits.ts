import type { AuditInput } from './graph/route.ts';
import type { DirectoryAudit, Tenant, User } from './tenant.ts';

/** An instant with the 7 decimals of the audit log. */
export function sevenDecimals(instant: Date, extra = '0000'): string {
  return instant.toISOString().replace(/Z$/, `${extra}Z`);
}

/** Address from which everybody in this tenant seems to come (RFC 5737, for documentation). */
const IP_ADDRESS = '203.0.113.24';

/**
 * One entry of the audit log as Graph prints it (CONTRACT.md §10). PIM writes its own and the directory writes the change
 * that follows; the two share no correlation id, as in life.
 */
export function makeAudit(input: AuditInput & { readonly at: Date; readonly visibleAt: Date; readonly initiator: { readonly user: Pick<User, 'id' | 'displayName' | 'userPrincipalName'> } | { readonly app: string } | { readonly service: string } }, newId: () => string): DirectoryAudit {
  const { initiator } = input;
  const correlationId = input.correlationId ?? newId();
  const stem = newId();
  // Ticks below a millisecond differ from event to event, and are the same for the same id.
  const ticks = String(Number.parseInt(stem.slice(0, 4), 16) % 10_000).padStart(4, '0');
  return {
    visibleAt: input.visibleAt.toISOString(),
    entry: {
      id: input.loggedByService === 'PIM' ? `PIM_${stem}_${stem.slice(0, 5).toUpperCase()}_${Number.parseInt(stem.slice(4, 8), 16)}` : `Directory_${stem}_${stem.slice(0, 5).toUpperCase()}_${Number.parseInt(stem.slice(4, 8), 16)}`,
      category: input.category,
      correlationId,
      result: input.result ?? 'success',
      resultReason: input.resultReason ?? '',
      activityDisplayName: input.activityDisplayName,
      activityDateTime: sevenDecimals(input.at, ticks),
      loggedByService: input.loggedByService,
      operationType: input.operationType,
      initiatedBy: 'user' in initiator
        ? { user: { id: initiator.user.id, displayName: initiator.user.displayName, userPrincipalName: initiator.user.userPrincipalName, ipAddress: input.loggedByService === 'PIM' ? null : IP_ADDRESS, roles: [] }, app: null }
        : 'app' in initiator
          ? { user: null, app: { appId: null, displayName: initiator.app, servicePrincipalId: null, servicePrincipalName: null } }
          : { user: { id: null, displayName: initiator.service, userPrincipalName: null, ipAddress: null, roles: [] }, app: null },
      targetResources: [...input.targetResources],
      additionalDetails: [...(input.additionalDetails ?? []), ...('user' in initiator && input.loggedByService === 'PIM' ? [{ key: 'oid', value: initiator.user.id }, { key: 'ipaddr', value: IP_ADDRESS }] : [])],
    },
  };
}

/** The targets of a PIM entry about a person's role in a group. */
export function pimTargets(tenant: Tenant, about: { readonly groupId: string; readonly principalId: string; readonly requestId: string; readonly accessId: string }): Record<string, unknown>[] {
  const group = tenant.groups.find(({ id }) => id === about.groupId);
  const user = tenant.users.find(({ id }) => id === about.principalId);
  const nested = tenant.groups.find(({ id }) => id === about.principalId);
  return [
    { type: 'Role', id: about.accessId, displayName: about.accessId === 'owner' ? 'Owner' : 'Member', modifiedProperties: [] },
    { type: 'Request', id: about.requestId, displayName: null, modifiedProperties: [] },
    { type: nested ? 'Group' : 'User', id: about.principalId, displayName: user?.displayName ?? nested?.displayName ?? null, userPrincipalName: user?.userPrincipalName ?? null, modifiedProperties: [] },
    { type: 'Group', id: about.groupId, displayName: group?.displayName ?? null, modifiedProperties: [] },
    { type: 'Other', id: null, displayName: null, modifiedProperties: [] },
  ];
}

/** The targets of the directory's own entry about a membership. */
export function memberTargets(tenant: Tenant, groupId: string, principalId: string, change: 'added' | 'removed'): Record<string, unknown>[] {
  const group = tenant.groups.find(({ id }) => id === groupId);
  const user = tenant.users.find(({ id }) => id === principalId);
  const value = (text: string | undefined): string => JSON.stringify(text ?? '');
  const property = (displayName: string, text: string | undefined) => ({ displayName, oldValue: change === 'removed' ? value(text) : null, newValue: change === 'added' ? value(text) : null });
  return [
    { type: 'User', id: principalId, displayName: user?.displayName ?? null, userPrincipalName: user?.userPrincipalName ?? null, modifiedProperties: [property('Group.ObjectID', groupId), property('Group.DisplayName', group?.displayName)] },
    { type: 'Group', id: groupId, displayName: group?.displayName ?? null, groupType: 'azureAD', modifiedProperties: [] },
  ];
}
