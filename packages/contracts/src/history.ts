import { z } from 'zod';
import { ActivationConnections } from './connections.ts';
import type { Endpoint } from './endpoint.ts';
import { Gap } from './sync.ts';
import { Instant } from './words.ts';

/** What an audit event means here; everything else is `other`. */
export const EventKind = z.enum([
  'activation-requested', 'approval-requested', 'approved', 'denied', 'activated', 'activation-cancelled', 'request-lapsed',
  'deactivation-requested', 'deactivated', 'expired',
  'eligible-added', 'eligible-removed', 'assigned', 'assignment-removed',
  'role-settings-changed', 'onboarded', 'member-added', 'member-removed', 'group-changed', 'application-changed',
  'portal-sign-in', 'portal-setup', 'portal-access', 'portal-approval', 'portal-export', 'portal-ledger', 'portal-retention',
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
  'eligibility.cancellation-requested': 'Asked to take the wish for eligibility back', 'eligibility.cancelled': 'The wish for eligibility was taken back',
  'revocation.requested': 'Asked to end access and revoke the sign-ins', 'revocation.granted': 'Entra revoked the sign-ins', 'revocation.failed': 'The sign-ins were not revoked',
  'approval.requested': 'Began to decide a request', 'approval.approved': 'Approved a request', 'approval.denied': 'Denied a request', 'approval.decided': 'Somebody else had decided', 'approval.refused': 'Entra refused the decision', 'approval.failed': 'The decision did not reach Entra',
  'setup.run-started': 'Began to apply a setup', 'setup.run-continued': 'Continued a setup', 'setup.step-applied': 'Applied a step of a setup', 'setup.step-failed': 'A step of a setup failed', 'setup.run-finished': 'Applied a setup to its end', 'setup.run-interrupted': 'A setup was interrupted', 'setup.undo-started': 'Began to take back a run', 'setup.undo-finished': 'Took back a run', 'setup.run-stop-asked': 'Asked a setup to stop', 'setup.run-stopped': 'A setup was stopped', 'setup.restore-started': 'Began to restore a setup', 'setup.restore-finished': 'Restored a setup', 'setup.drift-found': 'The tenant differs from a setup', 'setup.drift-ended': 'The tenant is as a setup says again', 'setup.drift-accepted': 'Took a difference into a setup',
  'batch.created': 'Began to plan many setups', 'batch.planned': 'Planned many setups', 'batch.started': 'Began to apply many setups', 'batch.continued': 'Continued many setups', 'batch.finished': 'Applied many setups to their end', 'batch.stop-asked': 'Asked many setups to stop', 'batch.stopped': 'Many setups were stopped', 'batch.interrupted': 'Many setups were interrupted',
  'notification.resent': 'Sent a notification again',
  'history.exported': 'Exported the history', 'history.point-in-time-read': 'Asked who could reach something at a time',
  'ledger.stopped': 'The ledger found the log changed and stopped', 'ledger.resumed': 'The log is as the ledger has it again',
  'ledger.altered': 'The nightly check found the log altered', 'ledger.whole': 'The nightly check finds the log whole again',
  'history.export-taken': 'Took an export to its end', 'history.export-broken-off': 'An export broke off', 'history.pack-made': 'An evidence pack was made', 'history.pack-failed': 'An evidence pack could not be made',
  'history.read-on': 'Began to read the history past one page', 'history.read-ended': 'Ended reading the history',
  'retention.policy-set': 'Set how long the log is kept', 'retention.hold-set': 'Held months of the log back', 'retention.hold-lifted': 'Lifted a legal hold',
  'retention.drop-planned': 'The time of a month of the log is over', 'retention.month-archived': 'A month of the log was archived and the archive read back', 'retention.month-dropped': 'A month of the log was dropped; its archive has the rows', 'retention.archive-failed': 'A month of the log could not be archived',
  'path.diagnosed': 'Looked at the access path of a person',
} as const;
export type PortalActivity = keyof typeof PORTAL_ACTIVITIES;

export const EventResult = z.enum(['success', 'failure', 'other']);

/** Which log an event is from: Entra's directory audit log, or the portal's own. */
export const EventSource = z.enum(['directory', 'portal']);

export const HistoryEvent = z.object({
  /** `source:eventId`. */
  id: z.string(),
  source: EventSource,
  /** 0 as it first came; counted up each time that the same event came again with other content. */
  revision: z.number().int(),
  /** What is wrong with it as it was received; null where nothing is. */
  defect: z.string().nullable(),
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
  /** The end of the newest month that was dropped when its time was over; null where none was. */
  droppedTo: Instant.nullable(),
  lastError: z.string().nullable(),
  /** What is missing between the two, oldest first. */
  gaps: z.array(Gap),
  /** When the ledger was last signed; null where nothing is sealed. */
  sealedTo: Instant.nullable(),
  /** Whether the ledger found the log changed and stopped. */
  isLedgerStopped: z.boolean(),
});
export type Coverage = z.infer<typeof Coverage>;

export const HistoryFilter = z.strictObject({
  /** Part of a person's name or their id: who acted or whom it concerned. */
  person: z.string().trim().max(200).optional(),
  /** Part of a group's name or its id. */
  group: z.string().trim().max(200).optional(),
  /** Part of an application's name or of a host that it leads to, or its id: events of every group that opens it. */
  application: z.string().trim().max(200).optional(),
  kind: EventKind.optional(),
  result: EventResult.optional(),
  source: EventSource.optional(),
  /** Part of a reason or of a ticket's number, in any case: three letters or digits in a row at the least. */
  text: z.string().trim().max(200).optional(),
  /** Half-open: from ≤ at < to. */
  from: Instant.optional(),
  to: Instant.optional(),
});
export type HistoryFilter = z.infer<typeof HistoryFilter>;

const Paging = { cursor: z.string().max(500).optional(), limit: z.coerce.number().int().min(1).max(200).default(50), order: z.enum(['newest', 'oldest']).default('newest') };

export const SearchEvents = {
  method: 'GET', path: '/api/history/events', permission: 'history:read',
  summary: 'Audit events in the order of time',
  query: HistoryFilter.extend(Paging),
  response: z.object({ events: z.array(HistoryEvent), nextCursor: z.string().nullable(), coverage: Coverage }),
} as const satisfies Endpoint;

/** Up to so many events are counted one by one. */
export const COUNTED_TO = 10_000;

const Share = z.object({ value: z.string(), events: z.number().int() });

export const CountEvents = {
  method: 'GET', path: '/api/history/event-count', permission: 'history:read',
  summary: 'How many events the filters leave, and of which kinds, results and sources',
  query: HistoryFilter,
  response: z.object({
    events: z.number().int(),
    /** `exact`, or `more`: there are more than so many. */
    is: z.enum(['exact', 'more']),
    /** Each as if it were not filtered by; `facetsOf` says of which events. */
    facets: z.object({ kind: z.array(Share), result: z.array(Share), source: z.array(Share) }),
    facetsOf: z.enum(['all', 'some']),
  }),
} as const satisfies Endpoint;

/** Counts of events, as they were added up while the events came in. */
const Counted = HistoryFilter.pick({ kind: true, result: true, source: true, from: true, to: true }).extend({ timeZone: z.string().max(64).default('UTC') });

export const GetEventStatistics = {
  method: 'GET', path: '/api/history/statistics', permission: 'history:read',
  summary: 'Events by weekday and hour and by month, in a time zone: activations unless said otherwise',
  query: Counted.extend({ kind: EventKind.default('activated') }),
  response: z.object({
    /** Weekdays as ISO counts them: 1 is Monday. Hours without events are not there. */
    hours: z.array(z.object({ weekday: z.number().int().min(1).max(7), hour: z.number().int().min(0).max(23), events: z.number().int() })),
    /** `2026-03`. */
    months: z.array(z.object({ month: z.string(), events: z.number().int() })),
    coverage: Coverage,
  }),
} as const satisfies Endpoint;

export const GetEvent = {
  method: 'GET', path: '/api/history/events/:eventId', permission: 'history:read',
  summary: 'One audit event with the JSON that the source sent, whatever came of it later, and the events of the same request',
  params: z.strictObject({ eventId: z.string().max(300) }),
  response: z.object({
    event: HistoryEvent, raw: z.string(), ingestedAt: Instant,
    /** The same event as it came again with other content. */
    revisions: z.array(z.object({ revision: z.number().int(), raw: z.string(), ingestedAt: Instant })),
    related: z.array(HistoryEvent),
  }),
} as const satisfies Endpoint;

export const ActivationStatus = z.enum(['requested', 'awaiting-approval', 'scheduled', 'active', 'denied', 'cancelled', 'lapsed', 'failed', 'ended']);

export const HistoryActivation = z.object({
  requestId: z.string(),
  principalId: z.string(),
  principalName: z.string(),
  groupId: z.string(),
  groupName: z.string(),
  /** What the group opens as the catalog has it now. */
  applications: z.array(z.string()),
  hosts: z.array(z.string()),
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
  /** `revoked`: taken away through this portal, with the sign-ins. */
  endedHow: z.enum(['deactivated', 'expired', 'removed', 'revoked']).nullable(),
  revokedBy: z.string().nullable(),
  /** How long the membership really lasted; null while it lasts, or where the record does not say. */
  lastedSeconds: z.number().int().nullable(),
  /** Until when the network may have stayed open after it; null while it lasts, or where the record does not say. */
  networkUntil: Instant.nullable(),
});
export type HistoryActivation = z.infer<typeof HistoryActivation>;

const ActivationFilter = HistoryFilter.omit({ kind: true, result: true, source: true }).extend({ status: ActivationStatus.optional() });

export const SearchActivations = {
  method: 'GET', path: '/api/history/activations', permission: 'history:read',
  summary: 'Activations from request to end, one row each, in the order of their requests',
  query: ActivationFilter.extend(Paging),
  response: z.object({ activations: z.array(HistoryActivation), nextCursor: z.string().nullable(), coverage: Coverage }),
} as const satisfies Endpoint;

export const GetActivation = {
  method: 'GET', path: '/api/history/activations/:requestId', permission: 'history:read',
  summary: 'The story of one activation: its row, every event of it, oldest first, and the hosts that were reached',
  params: z.strictObject({ requestId: z.string().max(200) }),
  response: z.object({ activation: HistoryActivation, events: z.array(HistoryEvent), connections: ActivationConnections }),
} as const satisfies Endpoint;

export const ListHistoryNames = {
  method: 'GET', path: '/api/history/names', permission: 'history:read',
  summary: 'Groups and applications that the filters can offer',
  response: z.object({ groups: z.array(z.string()), applications: z.array(z.string()) }),
} as const satisfies Endpoint;

/** A timeline has so many bars at the most. */
export const BARS_MAX = 500;

export const GetTimeline = {
  method: 'GET', path: '/api/history/timeline', permission: 'history:read',
  summary: 'Memberships by activation that lay in a span of time, a lane for each person or each application',
  query: HistoryFilter.pick({ person: true, group: true, application: true }).extend({ by: z.enum(['person', 'application']).default('person'), from: Instant, to: Instant }),
  response: z.object({
    lanes: z.array(z.object({
      id: z.string(), name: z.string(),
      bars: z.array(z.object({
        requestId: z.string(), principalName: z.string(), groupName: z.string(), applications: z.array(z.string()), status: ActivationStatus,
        beganAt: Instant,
        /** Null: it was not seen to end. */
        endedAt: Instant.nullable(), expiresAt: Instant.nullable(), networkUntil: Instant.nullable(),
      })),
    })),
    /** There are more than are told: the newest are. */
    more: z.boolean(),
    coverage: Coverage,
  }),
} as const satisfies Endpoint;

/** What an auditor is to look at, each by a rule that its page says. */
export const InsightKind = z.enum(['standing-access', 'unused-eligibility', 'out-of-hours', 'repeated-reason', 'quick-approval', 'settings-weakened']);
export type InsightKind = z.infer<typeof InsightKind>;

export const Insight = z.object({
  kind: InsightKind,
  /** Whom or what it is about, and since when or when. */
  person: z.string().nullable(), personId: z.string().nullable(),
  group: z.string().nullable(), groupId: z.string().nullable(),
  at: Instant.nullable(),
  /** What was found, in words. */
  found: z.string(),
  /** How often, where it is about more than one. */
  times: z.number().int(),
  /** An event or an activation that shows it. */
  eventId: z.string().nullable(), requestId: z.string().nullable(),
});
export type Insight = z.infer<typeof Insight>;

export const ListInsights = {
  method: 'GET', path: '/api/history/insights', permission: 'history:read',
  summary: 'What stands out in the log: standing access, unused eligibility, out-of-hours activations, repeated reasons, quick approvals, weakened settings',
  query: z.strictObject({
    timeZone: z.string().max(64).default('UTC'),
    days: z.coerce.number().int().min(1).max(366).default(90),
    /** Working hours, in whole hours of that zone. */
    opens: z.coerce.number().int().min(0).max(23).default(7), closes: z.coerce.number().int().min(1).max(24).default(19),
  }),
  response: z.object({
    insights: z.array(Insight),
    /** Of each kind there are so many; the newest hundred are told. */
    totals: z.array(z.object({ kind: InsightKind, total: z.number().int() })),
    /** Since when the log can say it: nothing is known of what was before. */
    knownSince: Instant.nullable(),
    lookedFrom: Instant,
    coverage: Coverage,
  }),
} as const satisfies Endpoint;
