import type { AccessEntry, AccessRequest, AccessSet, ApprovalItem, MyAccess } from '@gatehouse/contracts';

/** The server's time in tests: what `ANA`'s session says. */
const NOW = Date.parse('2026-03-02T09:00:00.000Z');
export const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();

export const GROUP = 'f0000000-0000-4000-8000-000000000001';
export const REQUEST = 'e0000000-0000-4000-8000-000000000001';

const finance = {
  id: 'app-1', displayName: 'Finance reports', kind: 'per-app' as const, assignmentRequired: true,
  segments: [{ host: 'fin-rep.corp.contoso.example', ports: ['443', '3389'], protocol: 'tcp' }],
};

export const entry = (more: Partial<AccessEntry> = {}): AccessEntry => ({
  groupId: GROUP, groupName: 'FinReport-SeniorAnalyst-SecureAccess', applications: [finance],
  eligibility: { endsAt: at(60 * 24 * 30), through: 'direct' },
  policy: { maxMinutes: 30, signIn: 'mfa', requireJustification: true, requireTicket: false, requireApproval: false, approvers: [] },
  policyReadAt: at(-5), active: null, request: null, lastJustification: null, lastMinutes: null, lastAskedAt: null, favourite: false, ended: null, keepGoing: null, unfinished: null, ...more,
});

export const myAccess = (entries: AccessEntry[] = [entry()], notKnown: string[] = [], sets: AccessSet[] = []): MyAccess => ({ readAt: at(0), entries, sets, notKnown });

export const request = (more: Partial<AccessRequest> = {}): AccessRequest => ({
  id: REQUEST, entraRequestId: REQUEST, groupId: GROUP, state: 'provisioning', askedAt: at(0), startsAt: at(0), minutes: 30, justification: 'Month-end close',
  ticketNumber: null, provisionedAt: null, memberAt: null, endsAt: at(30), lapsesAt: null, failure: null, ...more,
});

export const approval = (more: Partial<ApprovalItem> = {}): ApprovalItem => ({
  id: 'd0000000-0000-4000-8000-000000000001', requesterId: 'a0000000-0000-4000-8000-000000000002', requesterName: 'Ben Novak', requesterDetail: 'ben.novak@contoso.example',
  groupId: GROUP, groupName: 'FinReport-SeniorAnalyst-SecureAccess', applications: [finance], justification: 'Month-end close, INC-4711', ticketNumber: 'INC-4711', minutes: 30,
  startsAt: null, askedAt: at(-10), lapsesAt: at(60 * 24 - 10), lastActivations: [{ requestedAt: at(-60 * 24 * 7), status: 'ended', justification: 'Last close' }],
  activations: { last30Days: 2, last90Days: 5 }, policy: { maxMinutes: 30, signIn: 'mfa', requireJustification: true, requireTicket: true, requireApproval: true, approvers: [{ id: 'o', displayName: 'Omar Haddad' }] }, ...more,
});
