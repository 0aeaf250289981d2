import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applicationsAt, coverageOf, heldAt, inOrder, pathsAt, peopleAt, type Facts, type Observed, type Target, type Told } from './point-in-time.rules.ts';

const GROUPS = ['g1', 'g2'];
const PEOPLE = ['p1', 'p2', 'p3'];
/** Whole hours of the first days of March. */
const at = (hours: number): string => new Date(Date.UTC(2026, 2, 1) + Math.round(hours * 3_600_000)).toISOString().replace(/Z$/, '000Z');

let ids = 0;
const observed = (more: Partial<Observed> & Pick<Observed, 'kind' | 'thing'>): Observed => ({
  id: `${++ids}.0`, principalId: null, groupId: null, applicationId: null, state: {}, validFrom: at(0), basis: 'observed', eventId: null, notBefore: null, observedAt: more.validFrom ?? at(0), ...more,
});
const membership = (kind: 'eligible' | 'standing' | 'activated', principalId: string, more: Partial<Observed> = {}, period: { startsAt: string | null; endsAt: string | null } = { startsAt: null, endsAt: null }, through: 'direct' | 'group' = 'direct'): Observed =>
  observed({ kind, thing: `g1/${principalId}/${through}`, groupId: 'g1', principalId, state: { periods: [period] }, ...more });
const told = (kind: Told['kind'], when: number, more: Partial<Told> = {}): Told => ({ id: `directory:${++ids}`, kind, at: at(when), subjectId: 'p1', subjectName: 'Ana', groupId: 'g1', groupName: 'G', requestId: null, startsAt: null, expiresAt: null, permanent: false, byPim: false, ...more });
const read = (from = 0): Observed => observed({ kind: 'watch', thing: 'g1', groupId: 'g1', state: { read: true }, validFrom: at(from) });

/** `p1 eligible observed`, by way and certainty, for the group g1. */
const asked = (when: number, observations: readonly Observed[], events: readonly Told[] = [], which: 'could' | 'had' = 'could'): string[] =>
  peopleAt(pathsAt({ kind: 'group', id: 'g1' }, [], observations, at(when)), { observations, told: events }, at(when))[which].map(({ principal, way, certainty }) => `${principal.id} ${way} ${certainty}`);
const reasons = (when: number, observations: readonly Observed[], events: readonly Told[] = []) => peopleAt(pathsAt({ kind: 'group', id: 'g1' }, [], observations, at(when)), { observations, told: events }, at(when)).could.map((row) => row.reasons);

describe('eligibility', () => {
  test('holds from its beginning to before its end, by Entra’s own word', () => {
    const facts = [read(5), membership('eligible', 'p1', { validFrom: at(1), basis: 'entra' }, { startsAt: at(1), endsAt: at(9) })];
    expect([0.9, 1, 8.9, 9].map((when) => asked(when, facts))).toEqual([[], ['p1 eligible observed'], ['p1 eligible observed'], []]);
    expect(asked(2, facts, [], 'had'), 'who could had no access by that').toEqual([]);
  });

  test('what was first seen without a beginning may have been so before, and is not claimed', () => {
    const facts = [read(5), membership('standing', 'p1', { validFrom: at(5) })];
    expect(asked(4, facts)).toEqual(['p1 standing not-known']);
    expect(reasons(4, facts)).toEqual([['standing-as-read', 'before-first-observation']]);
    expect(asked(5, facts)).toEqual(['p1 standing observed']);
  });

  test('a change that lies between two readings is certain before the first and after the second alone', () => {
    const facts = [read(), membership('eligible', 'p1', { validFrom: at(0), basis: 'entra' }, { startsAt: at(0), endsAt: null }), membership('eligible', 'p1', { state: null, validFrom: at(8), notBefore: at(4) })];
    expect([3, 4, 7.9, 8].map((when) => asked(when, facts))).toEqual([['p1 eligible observed'], ['p1 eligible not-known'], ['p1 eligible not-known'], []]);
    expect(reasons(5, facts)).toEqual([['eligible-as-read', 'between-readings']]);
  });

  test('one that the log tells of holds as long as the log says, and not for certain where it does not say how long', () => {
    expect([1, 4].map((when) => asked(when, [], [told('eligible-added', 1, { expiresAt: at(4) })]))).toEqual([['p1 eligible observed'], []]);
    expect(asked(30, [], [told('eligible-added', 1, { permanent: true })])).toEqual(['p1 eligible observed']);
    expect(reasons(30, [], [told('eligible-added', 1)])).toEqual([['eligible-as-logged', 'end-not-known']]);
    expect(asked(3, [], [told('eligible-added', 1, { permanent: true }), told('eligible-removed', 3)])).toEqual([]);
    expect([1, 2].map((when) => asked(when, [], [told('eligible-added', 1, { startsAt: at(2), expiresAt: at(4) })]))).toEqual([[], ['p1 eligible observed']]);
  });

  test('a removal that no reading has confirmed makes it uncertain; confirmed, it ends it', () => {
    const on = membership('eligible', 'p1', { validFrom: at(0), basis: 'entra' }, { startsAt: at(0), endsAt: null });
    expect(reasons(4, [read(), on], [told('eligible-removed', 3)])).toEqual([['eligible-as-read', 'removal-not-confirmed']]);
    expect(asked(4, [read(), on, membership('eligible', 'p1', { state: null, validFrom: at(3), basis: 'event', eventId: 'directory:x' })], [told('eligible-removed', 3)])).toEqual([]);
  });

  test('what the first reading of the group did not find was over by then', () => {
    const added = [told('eligible-added', 1, { permanent: true })];
    expect([2, 5].map((when) => asked(when, [read(5)], added))).toEqual([['p1 eligible observed'], []]);
    expect(asked(7, [read(5)], [told('eligible-added', 6, { permanent: true })]), 'told of since').toEqual(['p1 eligible observed']);
  });

  test('through another group it is as it was read: no event is about it', () => {
    const through = membership('eligible', 'p1', { validFrom: at(0), basis: 'entra' }, { startsAt: at(0), endsAt: null }, 'group');
    expect(asked(4, [read(), through], [told('eligible-removed', 3)])).toEqual(['p1 eligible observed']);
  });

  test('of a group that PIM manages no more nothing that was read is certain', () => {
    const facts = [read(), membership('eligible', 'p1', { validFrom: at(0), basis: 'entra' }, { startsAt: at(0), endsAt: null }), observed({ kind: 'watch', thing: 'g1', groupId: 'g1', state: null, validFrom: at(6) })];
    expect(asked(5, facts)).toEqual(['p1 eligible observed']);
    expect(reasons(6, facts)).toEqual([['eligible-as-read', 'group-not-read']]);
    expect(coverageOf(pathsAt({ kind: 'group', id: 'g1' }, [], facts, at(6)), { observations: facts }, at(6)).groups).toMatchObject([{ id: 'g1', from: at(0), readThen: false }]);
  });

  test('months that were dropped since are not known, whatever was known then', () => {
    const log = observed({ kind: 'watch', thing: 'audit-log', state: { completeFrom: at(2) }, validFrom: at(1) });
    const from = (droppedTo: string | null) => coverageOf([], { observations: [log] }, at(6), droppedTo).eventsFrom;
    expect([from(null), from(at(1)), from(at(4))]).toEqual([at(2), at(2), at(4)]);
    expect(coverageOf([], { observations: [] }, at(6), at(4)).eventsFrom).toBeNull();
  });
});

describe('access that somebody had', () => {
  const begun = (when: number, more: Partial<Told> = {}) => told('activated', when, { expiresAt: at(when + 2), requestId: 'r', ...more });

  test('an activation runs from its beginning to before its end, however it ended', () => {
    for (const kind of ['deactivated', 'expired', 'assignment-removed', 'member-removed'] as const) {
      expect([0.9, 1, 1.4, 1.5].map((when) => asked(when, [], [begun(1), told(kind, 1.5)], 'had')), kind).toEqual([[], ['p1 activated observed'], ['p1 activated observed'], []]);
    }
    expect([2.9, 3].map((when) => asked(when, [], [begun(1)], 'had')), 'its end is told of late').toEqual([['p1 activated observed'], []]);
  });

  test('without an end that is told of it is not certain, and over after a day', () => {
    const open = [begun(1, { expiresAt: null })];
    expect([2, 24.9, 25].map((when) => asked(when, [], open, 'had'))).toEqual([['p1 activated not-known'], ['p1 activated not-known'], []]);
  });

  test('approved later than it was to start, it also ends later', () => {
    expect(asked(4.9, [], [begun(3, { startsAt: at(1), expiresAt: at(3) })], 'had')).toEqual(['p1 activated observed']);
    expect(asked(5, [], [begun(3, { startsAt: at(1), expiresAt: at(3) })], 'had')).toEqual([]);
  });

  test('the directory’s entry stands for PIM’s that is missing, and adds nothing where it is there', () => {
    const added = told('member-added', 1, { byPim: true, permanent: true });
    expect(asked(2, [], [added], 'had')).toEqual(['p1 activated not-known']);
    expect(asked(2, [], [told('assigned', 1, { permanent: true }), added], 'had')).toEqual(['p1 standing observed']);
  });

  test('somebody put in by hand is a standing member until taken out', () => {
    const events = [told('member-added', 1, { permanent: true }), told('member-removed', 5)];
    expect([1, 4.9, 5].map((when) => asked(when, [], events, 'had'))).toEqual([['p1 standing observed'], ['p1 standing observed'], []]);
  });

  test('an activation that was read counts where the log tells nothing, and ends where it tells of the end', () => {
    const running = membership('activated', 'p1', { validFrom: at(1), basis: 'entra' }, { startsAt: at(1), endsAt: at(3) });
    expect([1, 2.9, 3].map((when) => asked(when, [running], [], 'had'))).toEqual([['p1 activated observed'], ['p1 activated observed'], []]);
    expect(asked(2, [running], [told('deactivated', 1.5)], 'had')).toEqual([]);
  });
});

describe('the way to an application', () => {
  const application = (id: string, segments: readonly unknown[], more: Partial<Observed> = {}) => [
    observed({ kind: 'application', thing: id, applicationId: id, state: { displayName: id, kind: 'per-app', assignmentRequired: true }, ...more }),
    observed({ kind: 'segments', thing: id, applicationId: id, state: { segments }, ...more }),
  ];
  const opens = (group: string, id: string, more: Partial<Observed> = {}) => observed({ kind: 'assignment', thing: `${group}/${id}`, groupId: group, applicationId: id, ...more });
  const FIN = { host: 'fin.corp.example', ports: ['443'], protocol: 'tcp' };
  const fin: Target = { kind: 'host', destination: { host: 'fin.corp.example', isAddress: false, port: 443, protocol: 'tcp' } };
  const ways = (target: Target, when: number, facts: readonly Observed[]) => pathsAt(target, applicationsAt(target, facts, at(when)), facts, at(when)).map(({ group, application: one, certainty }) => `${group.id} ${one?.id} ${certainty}`);

  test('is by the segments and the assignments of that time', () => {
    const moved = [
      ...application('a', [FIN]), ...application('b', []), opens('g1', 'a'), opens('g2', 'b'),
      observed({ kind: 'segments', thing: 'a', applicationId: 'a', state: { segments: [] }, validFrom: at(5), basis: 'event', eventId: 'directory:e', notBefore: at(4) }),
      observed({ kind: 'segments', thing: 'b', applicationId: 'b', state: { segments: [FIN] }, validFrom: at(5), basis: 'event', eventId: 'directory:e', notBefore: at(4) }),
    ];
    expect(ways(fin, 4.9, moved)).toEqual(['g1 a observed']);
    expect(ways(fin, 5, moved)).toEqual(['g2 b observed']);
    expect(ways({ kind: 'application', id: 'a' }, 5, moved)).toEqual(['g1 a observed']);
  });

  test('is not claimed for a time before anybody looked, and then makes nobody certain', () => {
    const facts = [...application('a', [FIN], { validFrom: at(5) }), opens('g1', 'a', { validFrom: at(5) }), membership('eligible', 'p1', { validFrom: at(0), basis: 'entra' }, { startsAt: at(0), endsAt: null })];
    expect(ways(fin, 4, facts)).toEqual(['g1 a not-known']);
    const paths = pathsAt(fin, applicationsAt(fin, facts, at(4)), facts, at(4));
    expect(peopleAt(paths, { observations: facts, told: [] }, at(4)).could.map(({ certainty, reasons: why }) => [certainty, why])).toEqual([['not-known', ['eligible-as-read', 'opening-not-known']]]);
  });

  test('which of two takes the port is not known where one of them is not', () => {
    const facts = [...application('wide', [{ ...FIN, host: '*.corp.example' }]), ...application('exact', [FIN], { validFrom: at(5) }), opens('g1', 'wide'), opens('g2', 'exact', { validFrom: at(5) })];
    expect(ways(fin, 4, facts)).toEqual(['g1 wide not-known', 'g2 exact not-known']);
    expect(ways(fin, 5, facts)).toEqual(['g2 exact observed']);
  });

  test('what activating asked for is that of the time', () => {
    const policy = (maxMinutes: number, validFrom: string, more: Partial<Observed> = {}) => observed({ kind: 'policy', thing: 'g1', groupId: 'g1', state: { maxMinutes }, validFrom, ...more });
    const facts = [policy(30, at(1)), policy(60, at(5), { basis: 'event', eventId: 'directory:e', notBefore: at(4) })];
    const then = (when: number) => pathsAt({ kind: 'group', id: 'g1' }, [], facts, at(when)).map(({ policy: one, policyCertainty }) => [one?.maxMinutes, policyCertainty]);
    expect([0, 1, 4.9, 5].flatMap(then)).toEqual([[30, 'not-known'], [30, 'observed'], [30, 'observed'], [60, 'observed']]);
  });
});

/** Plainly: for one instant, each person and group by itself, the facts one after the other. Shares no code with the rules. */
function replay({ observations, told: events }: Facts, now: string): string[] {
  const answers: string[] = [];
  for (const group of GROUPS) {
    const firstRead = observations.filter((one) => one.kind === 'watch' && one.thing === group)[0];
    for (const person of PEOPLE) {
      const mine = events.filter((one) => one.groupId === group && one.subjectId === person && one.at <= now).sort((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1));
      for (const way of ['eligible', 'standing'] as const) {
        let best = 0;
        for (const route of ['direct', 'group']) {
          let current: Observed | undefined;
          let after: Observed[] = [];
          for (const one of observations) {
            if (one.kind !== way || one.thing !== `${group}/${person}/${route}`) continue;
            if (one.validFrom <= now) { current = one; after = []; } else after.push(one);
          }
          const maybe = after.filter((one) => one.basis === 'observed' && (one.notBefore === null || one.notBefore <= now))[0];
          const on = (one: Observed | undefined): boolean => one !== undefined && one.state !== null && (one.state as { periods: { startsAt: string | null; endsAt: string | null }[] }).periods.some(({ startsAt, endsAt }) => !(startsAt !== null && startsAt > now) && !(endsAt !== null && endsAt <= now));
          const shown = current !== undefined && current.state !== null ? current : maybe ?? current;
          const reading = on(shown) ? (maybe ? 1 : 2) : 0;
          let log: Told | undefined;
          for (const one of mine) {
            const gives = way === 'eligible' ? one.kind === 'eligible-added' : one.kind === 'assigned' || (one.kind === 'member-added' && !one.byPim);
            const takes = way === 'eligible' ? one.kind === 'eligible-removed' : one.kind === 'assignment-removed' || (one.kind === 'member-removed' && !one.byPim);
            if (gives || takes) log = one;
          }
          let result = reading;
          if (route === 'direct' && log && !(current && current.validFrom >= log.at)) {
            const at_ = log.at;
            if (log.kind.endsWith('-removed')) {
              const confirmed = observations.some((one) => one.kind === way && one.thing === `${group}/${person}/direct` && one.validFrom >= at_);
              result = current && !confirmed && reading > 0 ? 1 : 0;
            } else if (!(current === undefined && firstRead && firstRead.validFrom <= now && log.at < firstRead.validFrom) && reading < (current ? 2 : 3)) {
              const notYet = log.startsAt !== null && log.startsAt > now;
              const over = log.expiresAt !== null && log.expiresAt <= now;
              if (!notYet && !over) result = log.permanent || log.expiresAt !== null ? 2 : 1;
            }
          }
          best = Math.max(best, result);
        }
        if (best > 0) answers.push(`${group} ${person} ${way} ${best === 2 ? 'observed' : 'not-known'}`);
      }
      // An activation: walk the log, and keep what runs.
      let running: Told | undefined;
      for (const one of mine) {
        const twin = mine.concat(events.filter((other) => other.groupId === group && other.subjectId === person)).some((other) => (other.kind === 'activated' || other.kind === 'assigned') && Math.abs(Date.parse(other.at) - Date.parse(one.at)) <= 120_000);
        if (one.kind === 'activated' || (one.kind === 'member-added' && one.byPim && !twin)) running = one;
        else if (['deactivated', 'expired', 'assignment-removed', 'member-removed'].includes(one.kind) && running && running.at < one.at) running = undefined;
      }
      let state = 0;
      if (running && Date.parse(running.at) + 86_400_000 > Date.parse(now)) {
        const shift = running.startsAt !== null && running.startsAt < running.at ? Date.parse(running.at) - Date.parse(running.startsAt) : 0;
        if (running.expiresAt === null) state = 1;
        else if (Date.parse(running.expiresAt) + shift > Date.parse(now)) state = 2;
      }
      if (state > 0) answers.push(`${group} ${person} activated ${state === 2 ? 'observed' : 'not-known'}`);
    }
  }
  return answers.sort();
}

describe('what was known then', () => {
  const hour = fc.integer({ min: 0, max: 60 }).map((n) => at(n * 2));
  const maybeHour = fc.option(hour, { nil: null });
  const anEvent = fc.record({
    kind: fc.constantFrom<Told['kind'][]>('eligible-added', 'eligible-removed', 'assigned', 'assignment-removed', 'member-added', 'member-removed', 'activated', 'deactivated', 'expired'),
    at: hour, subjectId: fc.constantFrom(...PEOPLE), groupId: fc.constantFrom(...GROUPS), startsAt: maybeHour, expiresAt: maybeHour, permanent: fc.boolean(), byPim: fc.boolean(),
  }).map((event) => ({ log: 'event' as const, event }));
  const anObservation = fc.record({
    kind: fc.constantFrom('eligible', 'standing'), route: fc.constantFrom('direct', 'group'), principalId: fc.constantFrom(...PEOPLE), groupId: fc.constantFrom(...GROUPS),
    state: fc.option(fc.record({ startsAt: maybeHour, endsAt: maybeHour }), { nil: null }), validFrom: hour, basis: fc.constantFrom('entra', 'event', 'observed'), notBefore: maybeHour,
  }).map((row) => ({ log: 'observation' as const, row }));
  const aReading = fc.record({ groupId: fc.constantFrom(...GROUPS), validFrom: hour }).map((watch) => ({ log: 'watch' as const, watch }));
  const history = fc.array(fc.oneof({ weight: 4, arbitrary: anEvent }, { weight: 4, arbitrary: anObservation }, { weight: 1, arbitrary: aReading }), { maxLength: 24 });

  type Entry = typeof history extends fc.Arbitrary<(infer One)[]> ? One : never;

  /** The facts that came with the first so many batches, one each. */
  function knownBy(entries: readonly Entry[], batches: number): Facts {
    const observations: Observed[] = [];
    const events: Told[] = [];
    const watched = new Set<string>();
    entries.slice(0, batches).forEach((entry, index) => {
      const id = `${index}.0`;
      if (entry.log === 'event') events.push({ id: `directory:${String(index).padStart(3, '0')}`, subjectName: null, groupName: null, requestId: null, ...entry.event });
      else if (entry.log === 'watch') {
        if (!watched.has(entry.watch.groupId)) observations.push({ ...observed({ kind: 'watch', thing: entry.watch.groupId, groupId: entry.watch.groupId, validFrom: entry.watch.validFrom }), id });
        watched.add(entry.watch.groupId);
      } else {
        const { route, state, ...row } = entry.row;
        observations.push({ ...observed({ ...row, kind: row.kind as 'eligible', basis: row.basis as 'entra', thing: `${row.groupId}/${row.principalId}/${route}`, state: state && { periods: [state] } }), id });
      }
    });
    return { observations, told: events };
  }
  const answer = (facts: Facts, now: string) => {
    const paths = GROUPS.flatMap((id) => pathsAt({ kind: 'group', id }, [], facts.observations, now));
    return { paths, coverage: coverageOf(paths, facts, now), ...peopleAt(paths, facts, now) };
  };
  const inShort = (facts: Facts, now: string): string[] => answer(facts, now).could.map(({ group, principal, way, certainty }) => `${group.id} ${principal.id} ${way} ${certainty}`).sort();

  test('is what a plain replay of the facts finds', () => {
    fc.assert(fc.property(history, hour, fc.nat({ max: 24 }), (entries, now, batches) => {
      const facts = knownBy(entries, batches);
      expect(inShort(facts, now)).toEqual(replay(facts, now));
    }), { numRuns: 2_000 });
  });

  test('does not depend on the order in which the facts are passed', () => {
    fc.assert(fc.property(history, hour, fc.infiniteStream(fc.nat()), (entries, now, stream) => {
      const facts = knownBy(entries, entries.length);
      const shuffled = <T>(items: readonly T[]): T[] => items.map((item) => ({ item, by: stream.next().value })).sort((a, b) => a.by - b.by).map(({ item }) => item);
      expect(JSON.stringify(answer({ observations: shuffled(facts.observations), told: shuffled(facts.told) }, now))).toBe(JSON.stringify(answer(facts, now)));
    }), { numRuns: 300 });
  });
});

test('of observations that hold at the instant, the one that became known last counts', () => {
  const first = observed({ kind: 'group', thing: 'g1', state: { displayName: 'First' }, validFrom: at(3), basis: 'entra' });
  const second = observed({ kind: 'group', thing: 'g1', state: { displayName: 'Second' }, validFrom: at(1), basis: 'entra' });
  expect(heldAt(inOrder([second, first]), at(4)).by).toBe(second);
  expect(inOrder([{ ...first, id: '10.0' }, { ...first, id: '9.11' }, { ...first, id: '9.2' }]).map(({ id }) => id)).toEqual(['9.2', '9.11', '10.0']);
});
