import { AdvanceDemoClock, GetSession, SignIn, SignInRedirect, SignOut, type Session } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { Clock } from '../core/clock.ts';
import { PortalError } from '../core/errors.ts';
import { record } from '../features/audit/audit.ts';
import { BINDING_COOKIE, SESSION_COOKIE, type Cookies } from '../http/cookies.ts';
import { endpoint, raw } from '../http/endpoint.ts';
import { credentialOf } from '../http/session.ts';
import { newSecret } from '../keys.ts';
import { ABSOLUTE_MINUTES, type Sessions } from './sessions.ts';
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
  readonly cookies: Cookies;
  readonly sessions: Sessions;
  readonly signIn: SignInService;
  readonly tokens: Tokens;
  readonly demo: DemoControls | undefined;
}

export function identityRoutes({ tenantId, nameOfTenant, publicUrl, db, clock, cookies, sessions, signIn, tokens, demo }: IdentityRouteDeps): Router {
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
    const ended = await signIn.complete({ binding: cookies.read(req, BINDING_COOKIE), state: query.state, code: query.code, error: query.error });
    if ('cancelled' in ended) return res.redirect(302, ended.cancelled);
    cookies.setSession(res, ended.secret, ABSOLUTE_MINUTES * 60);
    res.redirect(302, ended.returnTo);
  });

  raw(router, SignOut, async ({ actor }, res, req) => {
    const secret = credentialOf(req)?.secret ?? '';
    const left = await db.prisma.$transaction(async (tx) => {
      await sessions.end(tx, secret);
      // Who was talked into allowing a device gets rid of it by what everybody knows: signing out.
      if (actor.device === undefined) await sessions.endDevices(tx, actor.principalId);
      await record(tx, { id: randomUUID(), at: clock.now(), actor, type: 'session.ended', kind: 'portal-sign-in', result: 'success', subject: { id: actor.principalId, name: actor.name }, ...(actor.device !== undefined && { data: { device: actor.device } }) });
      return sessions.others(tx, actor.principalId);
    });
    if (left === 0) await tokens.forget(actor.accountId);
    cookies.clearSession(res);
    res.json(SignOut.response.parse({ signOutUrl: signIn.signOutUrl(publicUrl) }));
  });

  endpoint(router, AdvanceDemoClock, async ({ body }) => {
    if (!demo) throw new PortalError('not-found');
    await demo.advance(body.minutes);
    return { now: clock.now().toISOString(), clockAheadSeconds: demo.aheadSeconds() };
  });

  return router;
}
