import type { EventKind } from '@gatehouse/contracts';
import { idOf, type LogRow } from './log-row.rules.ts';

/** Open Cybersecurity Schema Framework, the version published on 3 August 2026. */
export const OCSF_VERSION = '1.9.0';

const IAM = { uid: 3, name: 'Identity & Access Management' };
const APPLICATION = { uid: 6, name: 'Application Activity' };
const CLASSES = {
  authentication: { uid: 3002, name: 'Authentication', category: IAM },
  entity: { uid: 3004, name: 'Entity Management', category: IAM },
  group: { uid: 3006, name: 'Group Management', category: IAM },
  api: { uid: 6003, name: 'API Activity', category: APPLICATION },
} as const;

interface Meaning { readonly as: keyof typeof CLASSES; readonly activity: readonly [id: number, name: string] }

const add: Meaning = { as: 'group', activity: [3, 'Add User'] };
const remove: Meaning = { as: 'group', activity: [4, 'Remove User'] };
const entity = (id: number, name: string): Meaning => ({ as: 'entity', activity: [id, name] });

/** What became a member of a group or ceased to be one is group management; what was asked and decided about it concerns an entity. */
const MEANINGS: Readonly<Record<EventKind, Meaning>> = {
  'activated': add, 'member-added': add, 'assigned': add,
  'deactivated': remove, 'expired': remove, 'member-removed': remove, 'assignment-removed': remove,
  'activation-requested': entity(10, 'Activate'), 'deactivation-requested': entity(11, 'Deactivate'), 'activation-cancelled': entity(99, 'Cancel'), 'request-lapsed': entity(99, 'Lapse'),
  'approval-requested': entity(99, 'Ask for approval'), 'approved': entity(99, 'Approve'), 'denied': entity(99, 'Deny'),
  'eligible-added': entity(8, 'Enable'), 'eligible-removed': entity(9, 'Disable'), 'onboarded': entity(6, 'Enroll'),
  'role-settings-changed': entity(3, 'Update'), 'group-changed': entity(3, 'Update'), 'application-changed': entity(3, 'Update'),
  'portal-sign-in': { as: 'authentication', activity: [1, 'Logon'] },
  'portal-setup': entity(3, 'Update'), 'portal-access': entity(99, 'Ask for access'), 'portal-approval': entity(99, 'Decide'), 'portal-ledger': entity(99, 'Check the log'), 'portal-retention': entity(3, 'Update'),
  'portal-export': { as: 'api', activity: [2, 'Read'] },
  'other': entity(99, 'Other'),
};

function meaningOf(row: LogRow): Meaning {
  const meaning = MEANINGS[row.kind];
  if (row.kind === 'portal-sign-in') return /ended$/.test(row.activity) ? { as: 'authentication', activity: [2, 'Logoff'] } : meaning;
  // A class whose required object is not known says less than one that can be filled.
  if (meaning.as === 'group' && row.groupId === null && row.groupName === null) return entity(99, meaning.activity[1]);
  return meaning;
}

const named = (uid: string | null, name: string | null): { uid?: string; name?: string } | undefined => (uid === null && name === null ? undefined : { ...(uid !== null && { uid }), ...(name !== null && { name }) });
const orUnknown = <T>(thing: T | undefined): T | { name: string } => thing ?? { name: 'unknown' };

const STATUS = { success: [1, 'Success'], failure: [2, 'Failure'], other: [99, 'Other'] } as const;

type Named = ReturnType<typeof named>;

/** What was asked, decided or changed: an application before a group, a group before a person. What the schema has an object for stands in it too. */
function entityOf(application: Named, group: Named, user: Named): Record<string, unknown> {
  if (application) return { ...application, type_id: 99, type: 'Application' };
  if (group) return { ...group, type_id: 3, type: 'Group', group };
  if (user) return { ...user, type_id: 2, type: 'User', user };
  return { name: 'unknown', type_id: 0, type: 'Unknown' };
}

/** One event as an OCSF event: its class, what it requires, and the text as it was received in `raw_data`. */
export function ocsfEvent(row: LogRow): Record<string, unknown> {
  const { as, activity: [activityId, activityName] } = meaningOf(row);
  const { uid, name, category } = CLASSES[as];
  const [statusId, status] = STATUS[row.result];
  const actor = named(row.actorId, row.actorName);
  const subject = named(row.subjectId, row.subjectName);
  const group = named(row.groupId, row.groupName);
  const application = named(row.applicationId, row.applicationName);
  const of = {
    authentication: { user: orUnknown(subject ?? actor), service: { name: row.service === '' ? 'unknown' : row.service } },
    entity: { entity: entityOf(application, group, subject), ...(row.reason !== null && { comment: row.reason }) },
    group: { group: orUnknown(group), ...(subject && { users: [subject] }), ...(application && { resources: [application] }) },
    api: { api: { operation: row.activity }, src_endpoint: { name: row.service === '' ? 'unknown' : row.service } },
  }[as];
  return {
    metadata: { version: OCSF_VERSION, product: { name: 'Gatehouse', vendor_name: 'Gatehouse' }, uid: idOf(row), original_event_uid: row.eventId, ...(row.correlationId !== null && { correlation_uid: row.correlationId }), log_name: row.source, log_provider: row.service, original_time: row.atRaw },
    category_uid: category.uid, category_name: category.name, class_uid: uid, class_name: name,
    activity_id: activityId, activity_name: activityName, type_uid: uid * 100 + activityId,
    time: Date.parse(row.at), severity_id: row.result === 'failure' ? 3 : 1, severity: row.result === 'failure' ? 'Medium' : 'Informational',
    status_id: statusId, status, ...(row.reason !== null && { status_detail: row.reason }),
    message: row.activity,
    ...((actor !== undefined || as === 'api') && { actor: { user: orUnknown(actor) } }),
    ...of,
    unmapped: { kind: row.kind, ...(row.requestId !== null && { request_id: row.requestId }), ...(row.defect !== null && { defect: row.defect }) },
    raw_data: row.raw,
  };
}

export const ocsfRow = (row: LogRow): string => `${JSON.stringify(ocsfEvent(row))}\n`;
