import { describe, expect, test } from 'vitest';
import { approvalIdOf, decidable, decideApproval, outcomeOf, tellItem, type PendingRequest, type Stage } from './approvals.rules.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const OMAR = 'omar';
const DAY = 24 * 60 * 60_000;
const request: PendingRequest = {
  id: 'REQUEST', action: 'selfActivate', status: 'PendingApproval', principalId: 'ana', groupId: 'group', accessId: 'member',
  justification: 'Month-end close', approvalId: 'APPROVAL', createdAt: NOON.toISOString(), startsAt: NOON.toISOString(), duration: 'PT30M',
};
const stage: Stage = { id: 'stage', assignedToMe: true, status: 'InProgress', reviewResult: 'NotReviewed' };
const facts = { now: NOON, approverId: OMAR, request, stages: [stage] };

test.each<[string, Partial<PendingRequest>, Date, number]>([
  ['of somebody else that waits', {}, NOON, 1],
  ['of one’s own', { principalId: OMAR }, NOON, 0],
  ['that is decided', { status: 'Provisioned' }, NOON, 0],
  ['for ownership', { accessId: 'owner' }, NOON, 0],
  ['that ends something', { action: 'selfDeactivate' }, NOON, 0],
  ['a moment before it lapses', {}, new Date(NOON.getTime() + DAY - 1), 1],
  ['that lapsed', {}, new Date(NOON.getTime() + DAY), 0],
])('a request %s', (_name, other, now, count) => {
  expect(decidable([{ ...request, ...other }], OMAR, now)).toHaveLength(count);
});

describe('decideApproval', () => {
  test('is allowed at the stage that is the person’s and open', () => {
    expect(decideApproval({ ...facts, stages: [{ ...stage, id: 'other', assignedToMe: false }, stage] })).toEqual({ kind: 'allowed', stageId: 'stage' });
  });

  test('one’s own is never allowed, whatever Entra lists', () => {
    expect(decideApproval({ ...facts, request: { ...request, principalId: OMAR } })).toEqual({ kind: 'own' });
    expect(decideApproval({ ...facts, request: { ...request, principalId: OMAR.toUpperCase() } })).toEqual({ kind: 'own' });
  });

  test.each<[string, Parameters<typeof decideApproval>[0], string]>([
    ['not in the person’s list', { ...facts, request: undefined }, 'unknown'],
    ['at a stage of others', { ...facts, stages: [{ ...stage, assignedToMe: false }] }, 'unknown'],
    ['without a stage', { ...facts, stages: [] }, 'unknown'],
    ['at a stage in a state that we do not know', { ...facts, stages: [{ ...stage, status: 'unknown' }] }, 'unknown'],
    ['with a result that we do not know', { ...facts, stages: [{ ...stage, reviewResult: 'unknown' }] }, 'unknown'],
    ['not in the list, decided by others only', { ...facts, request: undefined, stages: [{ ...stage, assignedToMe: false, reviewResult: 'Approved' }] }, 'unknown'],
    ['lapsed', { ...facts, now: new Date(NOON.getTime() + DAY) }, 'lapsed'],
  ])('%s: %o', (_name, other, kind) => {
    expect(decideApproval(other)).toEqual({ kind });
  });

  test('decided by another approver: says by whom and why', () => {
    const decided = { ...stage, status: 'Completed', reviewResult: 'Denied', reviewedByName: 'Maya Lindqvist', justification: 'Not today', reviewedAt: '2026-03-02T11:58:00.1234567Z' };
    expect(decideApproval({ ...facts, request: undefined, stages: [decided] })).toEqual({
      kind: 'decided', news: 'Maya Lindqvist has denied it already (“Not today”). Nothing was changed.',
      decided: { by: 'Maya Lindqvist', at: '2026-03-02T11:58:00.123Z', decision: 'deny', justification: 'Not today' },
    });
  });
});

describe('a decision whose answer was lost', () => {
  const asked = { approverId: OMAR, decision: 'approve', justification: 'Fine', createdAt: NOON };
  const later = (ms: number): Date => new Date(NOON.getTime() + ms);
  const approved: Stage = { ...stage, status: 'Completed', reviewResult: 'Approved', justification: 'Fine', reviewedById: OMAR };

  test.each<[string, Parameters<typeof outcomeOf>[0], readonly Stage[] | undefined, Date, ReturnType<typeof outcomeOf>]>([
    ['shown as it was asked', asked, [approved], NOON, 'decided'],
    ['by whom, Entra does not say', asked, [{ ...approved, reviewedById: undefined }], NOON, 'decided'],
    ['in other words', asked, [{ ...approved, justification: 'Another’s words' }], NOON, 'failed'],
    ['the other way round', { ...asked, decision: 'deny' }, [approved], NOON, 'failed'],
    ['by another approver, in the same words', asked, [{ ...approved, reviewedById: 'helena' }], NOON, 'failed'],
    ['waiting still, a moment before two minutes', asked, [stage], later(119_999), undefined],
    ['waiting still after two minutes', asked, [stage], later(120_000), 'failed'],
    ['with a result that we do not know', asked, [{ ...stage, reviewResult: 'unknown' }], later(120_000), undefined],
    ['not shown', asked, undefined, later(120_000), undefined],
    ['shown without a stage', asked, [], later(120_000), undefined],
  ])('%s', (_name, row, stages, now, outcome) => { expect(outcomeOf(row, stages, now)).toBe(outcome); });
});

test('an item tells who wants what, why, for how long, and when it lapses; without names it shows ids', () => {
  const none = { names: new Map(), catalog: new Map(), lastActivations: [], activations: { last30Days: 0, last90Days: 0 } };
  expect(tellItem(request, none)).toMatchObject({ id: 'approval', requesterName: 'ana', groupName: 'group', minutes: 30, lapsesAt: '2026-03-03T12:00:00.000Z', justification: 'Month-end close' });
  expect(tellItem(request, { ...none, names: new Map([['ana', { displayName: 'Ana Costa', userPrincipalName: 'ana@contoso.example' }]]) })).toMatchObject({ requesterName: 'Ana Costa', requesterDetail: 'ana@contoso.example' });
});

test('an approval without an id of its own has the request’s', () => {
  expect(approvalIdOf({ ...request, approvalId: undefined })).toBe('request');
});
