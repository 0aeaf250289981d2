import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

/** What an audit event means here; everything else is `other`. */
export const EventKind = z.enum([
  'activation-requested', 'approval-requested', 'approved', 'denied', 'activated', 'activation-cancelled', 'request-lapsed',
  'deactivation-requested', 'deactivated', 'expired',
  'eligible-added', 'eligible-removed', 'assigned', 'assignment-removed',
  'role-settings-changed', 'onboarded', 'member-added', 'member-removed', 'group-changed', 'application-changed',
  'portal-sign-in', 'portal-setup', 'portal-access', 'portal-approval', 'portal-export', 'portal-retention',
  'other',
]);
export type EventKind = z.infer<typeof EventKind>;

/** What people do through the portal, each as it is stored and in words for people. */
export const PORTAL_ACTIVITIES = {
  'session.begun': 'Signed in to Gatehouse', 'session.ended': 'Signed out of Gatehouse', 'session.other-ended': 'Ended another session of their own',
  'device.allowed': 'Allowed a device to sign in', 'device.denied': 'Denied a device the sign-in',
  'activation.requested': 'Asked to activate', 'activation.accepted': 'Entra took the request', 'activation.awaiting-approval': 'The request waits for approval', 'activation.scheduled': 'The activation is scheduled',
  'activation.granted': 'Entra activated the access', 'activation.refused': 'Entra refused the activation', 'activation.step-up-asked': 'Entra asked for a stronger sign-in', 'activation.denied': 'An approver denied the request', 'activation.cancelled': 'The request was taken back',
  'activation.lapsed': 'Nobody decided in time', 'activation.failed': 'The activation failed', 'activation.ended': 'The access ended', 'cancellation.requested': 'Asked to take the request back',
  'deactivation.requested': 'Asked to end the access', 'deactivation.failed': 'The access could not be ended', 'deactivation.granted': 'Entra ended the access', 'deactivation.refused': 'Entra refused to end the access',
  'keep-going.requested': 'Asked to keep the access going', 'keep-going.finished': 'The access goes on', 'keep-going.failed': 'The access was not ended to keep it going', 'keep-going.lapsed': 'The access ended and was not asked for again',
  'eligibility.requested': 'Asked for a longer or new eligibility', 'eligibility.sent': 'An administrator decides about the eligibility', 'eligibility.refused': 'Entra refused to ask about the eligibility', 'eligibility.failed': 'The wish for eligibility did not reach Entra',
  'revocation.requested': 'Asked to end access and revoke the sign-ins', 'revocation.granted': 'Entra revoked the sign-ins', 'revocation.failed': 'The sign-ins were not revoked',
  'approval.requested': 'Began to decide a request', 'approval.approved': 'Approved a request', 'approval.denied': 'Denied a request', 'approval.decided': 'Somebody else had decided', 'approval.refused': 'Entra refused the decision', 'approval.failed': 'The decision did not reach Entra',
  'setup.run-started': 'Began to apply a setup', 'setup.run-continued': 'Continued a setup', 'setup.step-applied': 'Applied a step of a setup', 'setup.step-failed': 'A step of a setup failed', 'setup.run-finished': 'Applied a setup to its end', 'setup.run-interrupted': 'A setup was interrupted', 'setup.undo-started': 'Began to take back a run', 'setup.undo-finished': 'Took back a run', 'setup.run-stop-asked': 'Asked a setup to stop', 'setup.run-stopped': 'A setup was stopped', 'setup.restore-started': 'Began to restore a setup', 'setup.restore-finished': 'Restored a setup', 'setup.drift-found': 'The tenant differs from a setup', 'setup.drift-ended': 'The tenant is as a setup says again', 'setup.drift-accepted': 'Took a difference into a setup',
  'batch.created': 'Began to plan many setups', 'batch.planned': 'Planned many setups', 'batch.started': 'Began to apply many setups', 'batch.continued': 'Continued many setups', 'batch.finished': 'Applied many setups to their end', 'batch.stop-asked': 'Asked many setups to stop', 'batch.stopped': 'Many setups were stopped', 'batch.interrupted': 'Many setups were interrupted',
  'notification.resent': 'Sent a notification again',
  'history.exported': 'Exported the history', 'history.export-taken': 'Took an export to its end', 'history.export-broken-off': 'An export broke off', 'history.pack-made': 'An evidence pack was made', 'history.pack-failed': 'An evidence pack could not be made',
  'history.read-on': 'Began to read the history past one page', 'history.read-ended': 'Ended reading the history',
  'retention.policy-set': 'Set how long the log is kept', 'retention.hold-set': 'Held months of the log back', 'retention.hold-lifted': 'Lifted a legal hold',
  'retention.drop-planned': 'A month of the log is to be dropped', 'retention.month-archived': 'A month of the log was archived and the archive read back', 'retention.month-dropped': 'A month of the log was dropped', 'retention.archive-failed': 'A month of the log could not be archived',
  'path.diagnosed': 'Looked at the access path of a person',
} as const;
export type PortalActivity = keyof typeof PORTAL_ACTIVITIES;

export const EventResult = z.enum(['success', 'failure', 'other']);

export const HistoryEvent = z.object({
  /** `source:eventId`. */
  id: z.string(),
  source: z.enum(['directory', 'portal']),
  /** As the source wrote it, all decimals kept. */
  at: z.string(),
  activity: z.string(),
  kind: EventKind,
  service: z.string(),
  result: EventResult,
  reason: z.string().nullable(),
  actorId: z.string().nullable(),
  actorName: z.string().nullable(),
  subjectId: z.string().nullable(),
  subjectName: z.string().nullable(),
  groupId: z.string().nullable(),
  groupName: z.string().nullable(),
  applicationName: z.string().nullable(),
  requestId: z.string().nullable(),
});
export type HistoryEvent = z.infer<typeof HistoryEvent>;

/** How complete the mirror is: said on every page that reads it. */
export const Coverage = z.object({
  from: Instant.nullable(),
  to: Instant.nullable(),
  lastError: z.string().nullable(),
});
export type Coverage = z.infer<typeof Coverage>;

export const HistoryFilter = z.strictObject({
  /** Part of a person's name or their id: who acted or whom it concerned. */
  person: z.string().trim().max(200).optional(),
  /** Part of a group's name or its id. */
  group: z.string().trim().max(200).optional(),
  /** Part of an application's name or its id: events of every group that opens it. */
  application: z.string().trim().max(200).optional(),
  kind: EventKind.optional(),
  result: EventResult.optional(),
  /** Half-open: from ≤ at < to. */
  from: Instant.optional(),
  to: Instant.optional(),
});
export type HistoryFilter = z.infer<typeof HistoryFilter>;

const Paging = { cursor: z.string().max(500).optional(), limit: z.coerce.number().int().min(1).max(200).default(50) };

export const SearchEvents = {
  method: 'GET', path: '/api/history/events', permission: 'history:read',
  summary: 'Audit events, newest first',
  query: HistoryFilter.extend(Paging),
  response: z.object({ events: z.array(HistoryEvent), nextCursor: z.string().nullable(), coverage: Coverage }),
} as const satisfies Endpoint;

export const GetEvent = {
  method: 'GET', path: '/api/history/events/:eventId', permission: 'history:read',
  summary: 'One audit event with the JSON that the source sent, and the events of the same request',
  params: z.strictObject({ eventId: z.string().max(300) }),
  response: z.object({ event: HistoryEvent, raw: z.string(), ingestedAt: Instant, related: z.array(HistoryEvent) }),
} as const satisfies Endpoint;

export const ExportEvents = {
  method: 'GET', path: '/api/history/events.csv', permission: 'history:read', answers: 'csv',
  summary: 'The same events as CSV (RFC 4180), every cell safe to open in a spreadsheet',
  query: HistoryFilter, response: z.undefined(),
} as const satisfies Endpoint;

export const ActivationStatus = z.enum(['requested', 'awaiting-approval', 'scheduled', 'active', 'denied', 'cancelled', 'lapsed', 'failed', 'ended']);

export const HistoryActivation = z.object({
  requestId: z.string(),
  principalId: z.string(),
  principalName: z.string(),
  groupId: z.string(),
  groupName: z.string(),
  applications: z.array(z.string()),
  status: ActivationStatus,
  requestedAt: Instant,
  justification: z.string().nullable(),
  ticketNumber: z.string().nullable(),
  expiresAt: Instant.nullable(),
  decidedBy: z.string().nullable(),
  decidedAt: Instant.nullable(),
  decisionReason: z.string().nullable(),
  provisionedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
  endedHow: z.enum(['deactivated', 'expired', 'removed']).nullable(),
});
export type HistoryActivation = z.infer<typeof HistoryActivation>;

const ActivationFilter = HistoryFilter.omit({ kind: true, result: true }).extend({ status: ActivationStatus.optional() });

export const SearchActivations = {
  method: 'GET', path: '/api/history/activations', permission: 'history:read',
  summary: 'Activations from request to end, one row each, newest first',
  query: ActivationFilter.extend(Paging),
  response: z.object({ activations: z.array(HistoryActivation), nextCursor: z.string().nullable(), coverage: Coverage }),
} as const satisfies Endpoint;

export const GetActivation = {
  method: 'GET', path: '/api/history/activations/:requestId', permission: 'history:read',
  summary: 'The story of one activation: its row and every event of it, oldest first',
  params: z.strictObject({ requestId: z.string().max(200) }),
  response: z.object({ activation: HistoryActivation, events: z.array(HistoryEvent) }),
} as const satisfies Endpoint;

export const ExportActivations = {
  method: 'GET', path: '/api/history/activations.csv', permission: 'history:read', answers: 'csv',
  summary: 'The same activations as CSV (RFC 4180), every cell safe to open in a spreadsheet',
  query: ActivationFilter, response: z.undefined(),
} as const satisfies Endpoint;

export const ListHistoryNames = {
  method: 'GET', path: '/api/history/names', permission: 'history:read',
  summary: 'Groups and applications that the filters can offer',
  response: z.object({ groups: z.array(z.string()), applications: z.array(z.string()) }),
} as const satisfies Endpoint;
