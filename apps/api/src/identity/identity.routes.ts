import { AdvanceDemoClock, EndOtherSessions, EndSession, GetSession, ListSessions, SignIn, SignInRedirect, SignOut, type Session } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { Actor } from '../core/actor.ts';
import { shownAt, type Clock } from '../core/clock.ts';
import { PortalError } from '../core/errors.ts';
import { record } from '../features/audit/audit.ts';
import { addressOf } from '../http/address.ts';
import { BINDING_COOKIE, SESSION_COOKIE, type Cookies } from '../http/cookies.ts';
import { endpoint, raw } from '../http/endpoint.ts';
import { credentialOf } from '../http/session.ts';
import { newSecret } from '../keys.ts';
import { ABSOLUTE_MINUTES, type KnownSession, type Sessions } from './sessions.ts';
import type { SignInService } from './sign-in.ts';
import type { Tokens } from './tokens.ts';

/** What only the emulated tenant has. */
export interface DemoControls {
  aheadSeconds(): number;
  readonly privateResourceUrl: string;
  advance(minutes: number): Promise<void>;
}

interface IdentityRouteDeps {
  readonly tenantId: string;
  nameOfTenant(): Promise<string>;
  readonly publicUrl: string;
  readonly db: Database;
  readonly clock: Clock;
  /** Real time, as of every session. */
  readonly systemClock: Clock;
  readonly cookies: Cookies;
  readonly sessions: Sessions;
  readonly signIn: SignInService;
  readonly tokens: Tokens;
  readonly demo: DemoControls | undefined;
}

export function identityRoutes({ tenantId, nameOfTenant, publicUrl, db, clock, systemClock, cookies, sessions, signIn, tokens, demo }: IdentityRouteDeps): Router {
  const router = Router();

  endpoint(router, GetSession, async ({ actor }): Promise<Session> => ({
    person: actor ? { id: actor.principalId, displayName: actor.name, userPrincipalName: actor.upn, roles: [...actor.roles] } : null,
    tenant: { id: tenantId, displayName: await nameOfTenant() },
    now: clock.now().toISOString(),
    demo: demo ? { clockAheadSeconds: demo.aheadSeconds(), privateResourceUrl: demo.privateResourceUrl } : null,
  }));

  raw(router, SignIn, async ({ query, actor }, res, req) => {
    const binding = cookies.read(req, BINDING_COOKIE) ?? newSecret();
    cookies.setBinding(res, binding);
    const secret = cookies.read(req, SESSION_COOKIE);
    const current = actor && secret !== undefined ? { actor, secret } : undefined;
    res.redirect(302, await signIn.begin({ binding, returnTo: query.returnTo, stepUp: query.stepUp, account: query.account, pickAccount: query.switch === 'account', current }));
  });

  raw(router, SignInRedirect, async ({ query }, res, req) => {
    const ended = await signIn.complete({ binding: cookies.read(req, BINDING_COOKIE), state: query.state, code: query.code, error: query.error, description: query.error_description, address: addressOf(req) });
    if ('cancelled' in ended) return res.redirect(302, ended.cancelled);
    cookies.setSession(res, ended.secret, ABSOLUTE_MINUTES * 60);
    res.redirect(302, ended.returnTo);
  });

  raw(router, SignOut, async ({ actor }, res, req) => {
    const secret = credentialOf(req)?.secret ?? '';
    const left = await db.prisma.$transaction(async (tx) => {
      await sessions.end(tx, secret);
      // Who was talked into allowing a device gets rid of it by what everybody knows: signing out.
      if (actor.device === null) await sessions.endDevices(tx, actor.principalId);
      await record(tx, { id: randomUUID(), at: clock.now(), actor, type: 'session.ended', kind: 'portal-sign-in', result: 'success', subject: { id: actor.principalId, name: actor.name }, ...(actor.device !== null && { data: { device: actor.device } }) });
      return sessions.others(tx, actor.principalId);
    });
    if (left === 0) await tokens.forget(actor.accountId);
    cookies.clearSession(res);
    res.json(SignOut.response.parse({ signOutUrl: signIn.signOutUrl(publicUrl) }));
  });

  raw(router, ListSessions, async ({ actor }, res, req) => {
    const own = await sessions.own(actor.principalId, credentialOf(req)?.secret ?? '');
    const shown = (instant: Date): string => shownAt(instant, { systemClock, clock });
    res.json(ListSessions.response.parse({
      sessions: own.map(({ handle, device, address, createdAt, lastSeenAt, expiresAt, isCurrent }) => ({
        id: handle, kind: device === null ? 'browser' : 'command line', name: device, address, since: shown(createdAt), lastUsedAt: shown(lastSeenAt), endsAt: shown(expiresAt), isCurrent,
      })),
    }));
  });

  /** Ends what `end` ends, with an event each, and the person's tokens where no session is left that needs them. */
  const ending = async (actor: Actor, end: (tx: Tx) => Promise<readonly KnownSession[]>): Promise<{ ended: number }> => {
    const { ended, left } = await db.prisma.$transaction(async (tx) => {
      const all = await end(tx);
      for (const { device, address, createdAt } of all) {
        await record(tx, { id: randomUUID(), at: clock.now(), actor, type: 'session.other-ended', kind: 'portal-sign-in', result: 'success', subject: { id: actor.principalId, name: actor.name }, reason: device ?? 'Browser', data: { device, address, since: shownAt(createdAt, { systemClock, clock }) } });
      }
      return { ended: all.length, left: await sessions.others(tx, actor.principalId) };
    });
    if (left === 0) await tokens.forget(actor.accountId);
    return { ended };
  };

  raw(router, EndSession, async ({ actor, params }, res, req) => {
    const secret = credentialOf(req)?.secret ?? '';
    const answer = await ending(actor, (tx) => sessions.endOne(tx, actor.principalId, secret, params.sessionId));
    if (answer.ended === 0) throw new PortalError('not-found', { detail: 'You have no such other session, or it has ended by now.' });
    res.json(EndSession.response.parse(answer));
  });

  raw(router, EndOtherSessions, async ({ actor }, res, req) => {
    const secret = credentialOf(req)?.secret ?? '';
    res.json(EndOtherSessions.response.parse(await ending(actor, (tx) => sessions.endOthers(tx, actor.principalId, secret))));
  });

  endpoint(router, AdvanceDemoClock, async ({ body }) => {
    if (!demo) throw new PortalError('not-found');
    await demo.advance(body.minutes);
    return { now: clock.now().toISOString(), clockAheadSeconds: demo.aheadSeconds() };
  });

  return router;
}
