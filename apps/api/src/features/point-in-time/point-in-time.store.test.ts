import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { inTransaction, withConnection } from '../../mirror/database.ts';
import { ingest } from '../../mirror/ingest.ts';
import { createLedger, type Ledger } from '../../mirror/ledger/ledger.ts';
import { observe, stateText, type ObservedKind, type Seen } from '../../mirror/observations/observations.ts';
import { requestsOf, schedulesOf } from '../../mirror/observations/reading.ts';
import { ANA, FINANCE, memberEvent, OMAR, pimEvent } from '../../mirror/testing.ts';
import type { Target } from './point-in-time.rules.ts';
import { answerTo, createPointInTime } from './point-in-time.service.ts';

let db: TestDatabase;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });

const log = pino({ level: 'silent' });
const INES: Omit<Actor, 'tenantId'> = { principalId: randomUUID(), name: 'Ines Moreau', upn: 'ines@contoso.example', roles: ['Auditor'], accountId: 'a', device: null };
const instant = (hours: number): string => new Date(Date.UTC(2026, 2, 1) + hours * 3_600_000).toISOString();
const REPORTS = 'cccccccc-0000-4000-8000-000000000001';
const PEOPLE = [ANA, OMAR];

const ACTIVITIES = ['Add eligible member to role in PIM completed (permanent)', 'Remove eligible member from role in PIM completed (permanent)', 'Add member to role completed (PIM activation)', 'Remove member from role completed (PIM deactivate)', 'Remove member from role (PIM activation expired)', 'Add member to role in PIM completed (timebound)', 'Remove member from role in PIM completed (timebound)'];

const hour = fc.integer({ min: 0, max: 30 });
/** The ledger of a tenant whose time is told. */
function ledgerOf(tenantId: string, now: () => string): Ledger {
  const clock = { now: () => new Date(now()) };
  return createLedger({ db, clock, systemClock: clock, tenantId, keys: [Buffer.alloc(32, 1)], log });
}

const anAct = fc.oneof(
  fc.record({ what: fc.constant('event' as const), activity: fc.constantFrom(...ACTIVITIES), who: fc.constantFrom(0, 1), at: hour, until: hour }),
  fc.record({ what: fc.constant('member' as const), change: fc.constantFrom('added' as const, 'removed' as const), who: fc.constantFrom(0, 1), at: hour, until: hour }),
  fc.record({ what: fc.constant('reading' as const), kind: fc.constantFrom('eligible' as const, 'standing' as const), who: fc.constantFrom(0, 1), at: hour, until: hour, there: fc.boolean() }),
  fc.record({ what: fc.constant('catalog' as const), opened: fc.boolean(), published: fc.boolean() }),
);

test('what was known then is answered the same, byte for byte, whatever comes later', { timeout: 30_000 }, async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(anAct, fc.boolean()), { minLength: 3, maxLength: 8 }), async (acts) => {
    const tenantId = randomUUID();
    let now = 40;
    const ledger = ledgerOf(tenantId, () => instant(now));
    const targets: Target[] = [{ kind: 'group', id: FINANCE.id }, { kind: 'application', id: REPORTS }, { kind: 'host', destination: { host: 'fin.corp.example', isAddress: false, port: 443, protocol: 'tcp' } }];
    const ask = async (knownAt: string): Promise<string> => {
      const { leaves } = await ledger.knowledge(knownAt) ?? { leaves: -1 };
      return JSON.stringify([leaves, await Promise.all(targets.flatMap((target) => [3, 12, 29].map((at) => answerTo(db, { tenantId, leaves }, target, instant(at)))))]);
    };
    const answers = new Map<string, string>();
    await withConnection(db, async (connection) => {
      const look = (scope: string, kinds: readonly ObservedKind[], groupId: string | null, found: readonly Seen[]) => inTransaction(connection, () => observe(connection, { tenantId, scope, beganAt: new Date(instant(now)), observedAt: new Date(instant(now)), source: 'graph', kinds, groupId, found }));
      for (const [index, [act, isSealed]] of acts.entries()) {
        now += 1;
        const id = `e${index}`;
        if (act.what === 'event') {
          const event = pimEvent({ id, at: instant(act.at), activity: act.activity, requestId: `r${index}`, subject: PEOPLE[act.who] ?? ANA, details: { StartTime: instant(act.at), ExpirationTime: instant(act.until) } });
          await ingest(connection, log, { tenantId, events: [event], receivedAt: new Date(instant(now)) });
        } else if (act.what === 'member') {
          await ingest(connection, log, { tenantId, events: [memberEvent({ id, at: instant(act.at), change: act.change, subject: PEOPLE[act.who] ?? ANA })], receivedAt: new Date(instant(now)) });
        } else if (act.what === 'reading') {
          const principalId = (PEOPLE[act.who] ?? ANA).id;
          const watched: Seen = { kind: 'watch', thing: FINANCE.id, groupId: FINANCE.id, state: stateText({ read: true }) };
          await look('group', [act.kind, 'watch'], FINANCE.id, act.there ? [{ kind: act.kind, thing: `${FINANCE.id}/${principalId}/direct`, groupId: FINANCE.id, principalId, state: stateText({ periods: [{ startsAt: instant(act.at).replace('Z', '000Z'), endsAt: instant(act.until).replace('Z', '000Z') }] }) }, watched] : [watched]);
        } else {
          await look('catalog', ['application', 'segments', 'assignment', 'group'], null, [
            { kind: 'group', thing: FINANCE.id, groupId: FINANCE.id, state: stateText({ displayName: FINANCE.name }) },
            { kind: 'application', thing: REPORTS, applicationId: REPORTS, state: stateText({ displayName: 'Reports', kind: 'per-app', assignmentRequired: true }) },
            ...(act.published ? [{ kind: 'segments' as const, thing: REPORTS, applicationId: REPORTS, state: stateText({ segments: [{ host: 'fin.corp.example', ports: ['443'], protocol: 'tcp' }] }) }] : []),
            ...(act.opened ? [{ kind: 'assignment' as const, thing: `${FINANCE.id}/${REPORTS}`, groupId: FINANCE.id, applicationId: REPORTS, state: stateText({}) }] : []),
          ]);
        }
        // What waits is sealed with what comes later, and is known from then on only.
        if (isSealed) await ledger.seal();
        answers.set(instant(now), await ask(instant(now)));
      }
    });
    now += 1;
    await ledger.seal();
    for (const [knownAt, answer] of answers) expect(await ask(knownAt), knownAt).toBe(answer);
    // And it is the log alone that counts: what is kept beside it, and changes, makes no difference.
    const last = [...answers].at(-1);
    for (const table of ['observed_state', 'observed_scope', 'activation', 'catalog_group', 'catalog_application', 'sync_source']) await db.pool.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [tenantId]);
    expect(await ask(last?.[0] ?? '')).toBe(last?.[1]);
  }), { numRuns: 12 });
});

test('what is still being written when it is asked is not in the answer then, nor when it is asked again', async () => {
  const tenantId = randomUUID();
  const ledger = ledgerOf(tenantId, () => instant(5));
  const pointInTime = createPointInTime({ db, ledger, clock: { now: () => new Date(instant(5)) }, newId: randomUUID });
  const eligible = (who: typeof ANA): Seen => ({ kind: 'eligible', thing: `${FINANCE.id}/${who.id}/direct`, groupId: FINANCE.id, principalId: who.id, state: stateText({ periods: [{ startsAt: null, endsAt: null }] }) });
  const look = (connection: Parameters<typeof observe>[0], scope: string, who: typeof ANA) => observe(connection, { tenantId, scope, beganAt: new Date(instant(1)), observedAt: new Date(instant(1)), source: 'graph', kinds: [], groupId: FINANCE.id, found: [eligible(who)] });
  const ask = async (known: string) => pointInTime.ask({ ...INES, tenantId }, { to: `group:${FINANCE.id}`, at: instant(3), known, limit: 10, cursor: undefined });
  await withConnection(db, (connection) => inTransaction(connection, () => look(connection, 'one', ANA)));
  await ledger.seal();
  const before = await withConnection(db, (connection) => inTransaction(connection, async () => {
    await look(connection, 'other', OMAR);
    return ask('today');
  }));
  expect(before.could.rows.map(({ principal }) => principal.id)).toEqual([ANA.id]);
  await ledger.seal();
  expect((await ask('today')).could.total, 'it is known afterwards').toBe(2);
  expect(JSON.stringify(await ask(before.knownAt))).toBe(JSON.stringify(before));
});

test('what waits to be sealed for longer than that takes is told of, as known today only', async () => {
  const tenantId = randomUUID();
  let now = 2;
  const pointInTime = createPointInTime({ db, ledger: ledgerOf(tenantId, () => instant(now)), clock: { now: () => new Date(instant(now)) }, newId: randomUUID });
  const ask = (known = 'today') => pointInTime.ask({ ...INES, tenantId }, { to: `group:${FINANCE.id}`, at: instant(2), known, limit: 10, cursor: undefined });
  await withConnection(db, (connection) => ingest(connection, log, { tenantId, events: [pimEvent({ id: 'e1', at: instant(1), activity: 'Add eligible member to role in PIM completed (permanent)', requestId: 'r' })], receivedAt: new Date(instant(2)) }));
  expect(await ask()).toMatchObject({ behindSince: null, checkpoint: null, could: { total: 0 } });
  now += 1 / 30;
  expect(await ask()).toMatchObject({ behindSince: instant(2), checkpoint: null, could: { total: 0 } });
  expect(await ask(instant(2))).toMatchObject({ behindSince: null });
});

test('an event of an owner is none of a member, and the same event with other content counts once', async () => {
  const tenantId = randomUUID();
  const event = { id: 'e1', at: instant(1), activity: 'Add eligible member to role in PIM completed (permanent)', requestId: 'r' };
  const owner = pimEvent({ ...event, id: 'e2', subject: OMAR });
  await withConnection(db, (connection) => ingest(connection, log, { tenantId, events: [pimEvent(event), { ...owner, raw: owner.raw.replace('"id":"member","displayName":"Member"', '"id":"owner","displayName":"Owner"') }], receivedAt: new Date(instant(2)) }));
  await ledgerOf(tenantId, () => instant(3)).seal();
  const { could } = await answerTo(db, { tenantId, leaves: 10 }, { kind: 'group', id: FINANCE.id }, instant(3));
  expect(could.map(({ principal, certainty }) => [principal.name, certainty])).toEqual([[ANA.name, 'observed']]);
});

test('what PIM was told to give, and what was asked of it, makes nobody eligible: only what came of it does', async () => {
  const tenantId = randomUUID();
  const ask = async (): Promise<string> => {
    await ledgerOf(tenantId, () => instant(3)).seal();
    return JSON.stringify(await answerTo(db, { tenantId, leaves: 10 }, { kind: 'group', id: FINANCE.id }, instant(3)));
  };
  await withConnection(db, async (connection) => {
    await ingest(connection, log, { tenantId, events: [pimEvent({ id: 'e1', at: instant(1), activity: 'Add eligible member to role in PIM completed (permanent)', requestId: 'r' })], receivedAt: new Date(instant(2)) });
    const before = await ask();
    const of = { principalId: OMAR.id, groupId: FINANCE.id, accessId: 'member', createdAt: instant(1), startsAt: instant(1) } as const;
    const { rows } = await inTransaction(connection, () => observe(connection, {
      tenantId, scope: 'schedules', beganAt: new Date(instant(2)), observedAt: new Date(instant(2)), source: 'graph', kinds: ['eligibility-schedule', 'assignment-schedule', 'assignment-request'], groupId: FINANCE.id,
      found: [
        ...schedulesOf('eligibility-schedule', FINANCE.id, [{ ...of, id: 's1', memberType: 'direct', status: 'Provisioned' }]), ...schedulesOf('assignment-schedule', FINANCE.id, [{ ...of, id: 's2', memberType: 'direct', assignmentType: 'assigned' }]),
        ...requestsOf('assignment-request', FINANCE.id, [{ ...of, id: 'r1', action: 'adminAssign', status: 'Provisioned' }]),
      ],
    }));
    expect([rows, await ask()]).toEqual([3, before]);
  });
});

test('it is asked of this tenant alone', async () => {
  const [mine, other] = [randomUUID(), randomUUID()];
  const eligible: Seen = { kind: 'eligible', thing: `${FINANCE.id}/${OMAR.id}/direct`, groupId: FINANCE.id, principalId: OMAR.id, state: stateText({ periods: [{ startsAt: null, endsAt: null }] }) };
  await withConnection(db, async (connection) => {
    await ingest(connection, log, { tenantId: other, events: [pimEvent({ id: 'e1', at: instant(1), activity: 'Add eligible member to role in PIM completed (permanent)', requestId: 'r' })], receivedAt: new Date(instant(2)) });
    await inTransaction(connection, () => observe(connection, { tenantId: other, scope: 'group', beganAt: new Date(instant(1)), observedAt: new Date(instant(1)), source: 'graph', kinds: ['eligible'], groupId: FINANCE.id, found: [eligible] }));
  });
  const ask = async (tenantId: string) => {
    await ledgerOf(tenantId, () => instant(3)).seal();
    return (await answerTo(db, { tenantId, leaves: 10 }, { kind: 'group', id: FINANCE.id }, instant(3))).could.length;
  };
  expect([await ask(other), await ask(mine)]).toEqual([2, 0]);
});

test('the pages of one answer rest on one knowledge: what comes in between is not on the second', async () => {
  const tenantId = randomUUID();
  let now = 5;
  const ledger = ledgerOf(tenantId, () => instant(now));
  const pointInTime = createPointInTime({ db, ledger, clock: { now: () => new Date(instant(now)) }, newId: randomUUID });
  const hear = async (id: string, subject: typeof ANA) => {
    await withConnection(db, (connection) => ingest(connection, log, { tenantId, events: [pimEvent({ id, at: instant(1), activity: 'Add eligible member to role in PIM completed (permanent)', requestId: id, subject })], receivedAt: new Date(instant(now - 1)) }));
    await ledger.seal();
  };
  const ask = (cursor?: string) => pointInTime.ask({ ...INES, tenantId }, { to: `group:${FINANCE.id}`, at: instant(3), known: 'today', limit: 1, cursor });
  await hear('e1', ANA);
  await hear('e2', OMAR);
  const first = await ask();
  now = 8;
  await hear('e3', { id: 'aaaaaaaa-0000-4000-8000-000000000009', name: 'Aaron Late' });
  const second = await ask(first.nextCursor ?? '');
  expect([first, second].map(({ could }) => [could.total, could.rows.map(({ principal }) => principal.name)])).toEqual([[2, [ANA.name]], [2, [OMAR.name]]]);
  expect((await ask()).could.total, 'asked anew').toBe(3);
});
