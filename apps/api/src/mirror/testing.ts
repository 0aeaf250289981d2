import type { ReceivedEvent } from './directory-event.ts';

export const MS_PIM = { user: null, app: { appId: null, displayName: 'MS-PIM', servicePrincipalId: null, servicePrincipalName: null } };
export const AZURE_AD_PIM = { user: { id: null, displayName: 'Azure AD PIM', userPrincipalName: null, ipAddress: null, roles: [] }, app: null };

const person = (id: string, displayName: string) => ({ user: { id, displayName, userPrincipalName: `${displayName}@contoso.example`, ipAddress: null, roles: [] }, app: null });

export const ANA = { id: 'aaaaaaaa-0000-4000-8000-000000000001', name: 'Ana Costa' };
export const OMAR = { id: 'aaaaaaaa-0000-4000-8000-000000000002', name: 'Omar Haddad' };
export const FINANCE = { id: 'bbbbbbbb-0000-4000-8000-000000000001', name: 'FinReport-SeniorAnalyst-SecureAccess' };

interface Sample {
  readonly id: string;
  readonly at: string;
  readonly activity: string;
  readonly by?: typeof MS_PIM | typeof AZURE_AD_PIM | ReturnType<typeof person>;
  readonly requestId?: string;
  readonly subject?: { readonly id: string; readonly name: string };
  readonly group?: { readonly id: string; readonly name: string };
  readonly reason?: string;
  readonly result?: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** An entry as PIM writes it about a person's activation. */
export function pimEvent({ id, at, activity, by = person(ANA.id, ANA.name), requestId, subject = ANA, group = FINANCE, reason, result = 'success', details = {} }: Sample): ReceivedEvent {
  return received(id, at, {
    id, category: 'GroupManagement', correlationId: `c-${id}`, result, resultReason: reason ?? '', activityDisplayName: activity, activityDateTime: at, loggedByService: 'PIM', operationType: 'ActivateRole', initiatedBy: by,
    targetResources: [
      { type: 'Role', id: 'member', displayName: 'Member', modifiedProperties: [] }, { type: 'Request', id: requestId ?? null, displayName: null, modifiedProperties: [] },
      { type: 'User', id: subject.id, displayName: subject.name, modifiedProperties: [] }, { type: 'Group', id: group.id, displayName: group.name, modifiedProperties: [] },
      { type: 'Other', id: null, displayName: null, modifiedProperties: [] },
    ],
    additionalDetails: [...Object.entries(details).map(([key, value]) => ({ key, value })), ...(requestId === undefined ? [] : [{ key: 'RequestId', value: requestId }])],
  });
}

/** The directory's own entry about the same membership. */
export function memberEvent({ id, at, change, by = MS_PIM, subject = ANA, group = FINANCE }: Pick<Sample, 'id' | 'at' | 'by' | 'subject' | 'group'> & { readonly change: 'added' | 'removed' }): ReceivedEvent {
  const property = (displayName: string, value: string) => ({ displayName, oldValue: change === 'removed' ? JSON.stringify(value) : null, newValue: change === 'added' ? JSON.stringify(value) : null });
  return received(id, at, {
    id, category: 'GroupManagement', correlationId: `c-${id}`, result: 'success', resultReason: '', activityDisplayName: change === 'added' ? 'Add member to group' : 'Remove member from group', activityDateTime: at,
    loggedByService: 'Core Directory', operationType: 'Assign', initiatedBy: by,
    targetResources: [
      { type: 'User', id: subject.id, displayName: subject.name, modifiedProperties: [property('Group.ObjectID', group.id), property('Group.DisplayName', group.name)] },
      { type: 'Group', id: group.id, displayName: null, modifiedProperties: [] },
    ],
    additionalDetails: [],
  });
}

export const received = (id: string, activityDateTime: string, event: unknown): ReceivedEvent => ({ id, activityDateTime, raw: JSON.stringify(event) });

/** The whole of one activation that needed approval and was ended by the person: seven entries. */
export function story(requestId: string, day: string): ReceivedEvent[] {
  const at = (time: string): string => `${day}T${time}.1234567Z`;
  const details = { Justification: 'Month-end close', TicketNumber: 'INC-4711', TicketSystem: 'ServiceNow', StartTime: `${day}T09:00:00Z`, ExpirationTime: `${day}T09:31:00Z` };
  return [
    pimEvent({ id: `${requestId}-1`, at: at('09:00:00'), activity: 'Add member to role requested (PIM activation)', requestId, reason: 'Month-end close', details }),
    pimEvent({ id: `${requestId}-2`, at: at('09:00:01'), activity: 'Add member to role approval requested (PIM activation)', requestId }),
    pimEvent({ id: `${requestId}-3`, at: at('09:01:00'), activity: 'Add member to role request approved (PIM activation)', requestId, by: person(OMAR.id, OMAR.name), reason: 'Planned work' }),
    pimEvent({ id: `${requestId}-4`, at: at('09:01:02'), activity: 'Add member to role completed (PIM activation)', requestId, reason: 'Month-end close', details: { ExpirationTime: `${day}T09:31:02Z` } }),
    memberEvent({ id: `${requestId}-5`, at: at('09:01:04'), change: 'added' }),
    pimEvent({ id: `${requestId}-6`, at: at('09:20:00'), activity: 'Remove member from role completed (PIM deactivate)', requestId: `${requestId}-end` }),
    memberEvent({ id: `${requestId}-7`, at: at('09:20:01'), change: 'removed' }),
  ];
}
