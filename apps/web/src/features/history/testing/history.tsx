import type { ActivationConnections, Answer, CountEvents, Coverage, GetActivation, GetEvent, HistoryActivation, HistoryEvent } from '@gatehouse/contracts';
import { useLocation } from 'react-router';
import { useSession } from '../../../lib/session.ts';
import { at, GROUP, REQUEST } from '../../../testing/fixtures.ts';
import { ANA } from '../../../testing/testing.tsx';

export const INES = { ...ANA, person: { id: 'a0000000-0000-4000-8000-000000000005', displayName: 'Ines Moreau', userPrincipalName: 'ines.moreau@contoso.example', roles: ['Auditor' as const] } };

export const coverage = (more: Partial<Coverage> = {}): Coverage => ({ from: at(-60 * 24 * 30), to: at(-2), droppedTo: null, lastError: null, gaps: [], sealedTo: null, isLedgerStopped: false, ...more });

export const historyEvent = (more: Partial<HistoryEvent> = {}): HistoryEvent => ({
  id: 'directory:1', source: 'directory', revision: 0, defect: null, at: at(-8), activity: 'Add member to role completed (PIM activation)', kind: 'activated', service: 'PIM', result: 'success', reason: 'Month-end close, INC-4711',
  actorId: 'a1', actorName: 'Ana Costa', subjectId: 'a1', subjectName: 'Ana Costa', groupId: GROUP, groupName: 'FinReport-SeniorAnalyst-SecureAccess', applicationName: 'Finance reports', requestId: REQUEST, ...more,
});

export const eventDetail = (more: Partial<HistoryEvent> = {}, rest: Partial<Answer<typeof GetEvent>> = {}): Answer<typeof GetEvent> => ({
  event: historyEvent(more), raw: '{"id":"1","category":"RoleManagement","loggedByService":"PIM"}', ingestedAt: at(-1), revisions: [], related: [], ...rest,
});

export const historyActivation = (more: Partial<HistoryActivation> = {}): HistoryActivation => ({
  requestId: REQUEST, principalId: 'a1', principalName: 'Ana Costa', groupId: GROUP, groupName: 'FinReport-SeniorAnalyst-SecureAccess', applications: ['Finance reports'], hosts: ['fin-rep.corp.contoso.com'], status: 'ended', requestedAt: at(-45),
  justification: 'Month-end close', ticketNumber: 'INC-4711', expiresAt: at(-10), decidedBy: 'Omar Haddad', decidedAt: at(-42), decisionReason: 'Known work', provisionedAt: at(-40), endedAt: at(-10), endedHow: 'expired', revokedBy: null, lastedSeconds: 1800, networkUntil: at(80), ...more,
});

export const connections = (more: Partial<ActivationConnections> = {}): ActivationConnections => ({
  reached: [], cause: null, complete: true, changedSince: false, more: false, coverage: { ...coverage(), closed: null }, ...more,
});

export const story = (more: Partial<HistoryActivation> = {}, events: HistoryEvent[] = [], reached: ActivationConnections = connections()): Answer<typeof GetActivation> => ({ activation: historyActivation(more), events, connections: reached });

export const eventCount = (more: Partial<Answer<typeof CountEvents>> = {}): Answer<typeof CountEvents> => ({ events: 1, is: 'exact', facets: { kind: [], result: [], source: [] }, facetsOf: 'all', ...more });

/** The address bar, for tests to read. It waits for the session as the shell does, so that the page goes by the server's clock. */
export function AddressBar() {
  useSession();
  const { pathname, search } = useLocation();
  return <output aria-label="Address">{`${pathname}${search}`}</output>;
}
