import { describe, expect, test } from 'vitest';
import type { EntraInstance, EntraRequest } from './access.rules.ts';
import { decideAsk, endingEligibilities, tellEligibility, type EligibilityFacts } from './eligibility.rules.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const day = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);
const instance = (endsIn: number | undefined, more: Partial<EntraInstance> = {}): EntraInstance => ({ principalId: 'ana', groupId: 'g', accessId: 'member', memberType: 'direct', endsAt: endsIn === undefined ? undefined : day(endsIn).toISOString(), ...more });
const request = (action: string, status: string, madeDays: number, more: Partial<EntraRequest> = {}): EntraRequest => ({ id: action, action, status, principalId: 'ana', groupId: 'g', accessId: 'member', createdAt: day(madeDays).toISOString(), justification: 'Rota', ...more });
const seen = (instances: EntraInstance[], requests: EntraRequest[] = []) => endingEligibilities({ now: NOW, instances, requests });

describe('which are told', () => {
  test.each<[string, EntraInstance[], EntraRequest[], object[]]>([
    ['ends in a fortnight', [instance(14)], [], [{ ended: false, endsAt: day(14) }]],
    ['ends later', [instance(14.1)], [], []],
    ['has no end', [instance(undefined)], [], []],
    ['one ends, another has no end', [instance(3), instance(undefined, { memberType: 'group' })], [], []],
    ['one ends, another lasts longer', [instance(3), instance(9)], [], [{ endsAt: day(9) }]],
    ['as an owner', [instance(3, { accessId: 'owner' })], [], []],
    ['ended within a month', [], [request('adminAssign', 'Provisioned', -100, { startsAt: day(-100).toISOString(), duration: 'P90D' })], [{ ended: true, endsAt: day(-10) }]],
    ['ended earlier', [], [request('adminAssign', 'Provisioned', -200, { endsAt: day(-31).toISOString() })], []],
    ['was taken away', [], [request('adminAssign', 'Provisioned', -100, { endsAt: day(-1).toISOString() }), request('adminRemove', 'Revoked', -5, { endsAt: day(-5).toISOString() })], []],
    ['was given anew', [instance(90)], [request('adminAssign', 'Provisioned', -100, { endsAt: day(-1).toISOString() })], []],
  ])('%s', (_name, instances, requests, told) => {
    expect(seen(instances, requests)).toHaveLength(told.length);
    expect(seen(instances, requests)).toMatchObject(told);
  });

  test('with the newest wish, while it waits or was denied', () => {
    const wish = (status: string) => request('selfExtend', status, -1, { endsAt: day(90).toISOString() });
    expect(seen([instance(3)], [wish('PendingAdminDecision')])).toMatchObject([{ asked: { state: 'waiting', until: day(90), justification: 'Rota' } }]);
    expect(seen([instance(3)], [wish('Denied')])).toMatchObject([{ asked: { state: 'denied' } }]);
    expect(seen([instance(3)], [wish('Canceled')])).toMatchObject([{ asked: null }]);
  });
});

describe('whether it can be asked for', () => {
  const facts: EligibilityFacts = { groupId: 'g', endsAt: day(5), ended: false, through: 'direct', asked: null };
  const asked = (more: Partial<EligibilityFacts>, days = 90, maxDays: number | null = 365) => decideAsk({ now: NOW, facts: { ...facts, ...more }, days, maxDays });

  test('before the end from the end on, after it from now on', () => {
    expect(asked({})).toEqual({ allowed: true, action: 'extend', startsAt: NOW, until: day(95) });
    expect(asked({ ended: true, endsAt: day(-3) })).toEqual({ allowed: true, action: 'renew', startsAt: NOW, until: day(90) });
  });
  test('no longer than the role settings allow from now on', () => {
    expect(asked({}, 90, 92)).toMatchObject({ until: day(92) });
    expect(asked({}, 90, 30)).toMatchObject({ allowed: false, reason: 'longer-than-allowed' });
    expect(asked({ endsAt: day(10) }, 5, 7)).toMatchObject({ allowed: false, reason: 'longer-than-allowed' });
    expect(asked({}, 900, null)).toMatchObject({ allowed: true });
  });
  test('once, by oneself, and in time', () => {
    expect(asked({ asked: { id: 'w', at: NOW, until: null, justification: null, state: 'waiting' } })).toMatchObject({ reason: 'waits' });
    expect(asked({ asked: { id: 'w', at: NOW, until: null, justification: null, state: 'denied' } })).toMatchObject({ allowed: true });
    expect(asked({ through: 'group' })).toMatchObject({ reason: 'through-group' });
    expect(decideAsk({ now: NOW, facts: undefined, days: 90, maxDays: null })).toMatchObject({ reason: 'not-ending' });
  });
  test('where it cannot, the page says whom to ask', () => {
    const told = (askInstead: string[]) => tellEligibility({ ...facts, through: 'group' }, { groupName: 'G', applications: [], maxDays: null, askInstead });
    expect(told(['Maya Lindqvist'])).toMatchObject({ ask: null, message: 'You are eligible through a group, so the eligibility is not yours to ask about. Ask Maya Lindqvist, who owns the group.' });
    expect(told([]).message).toContain('Ask an owner of the group');
  });
});
