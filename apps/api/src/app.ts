import { randomBytes, randomUUID } from 'node:crypto';
import express, { type Express, type RequestHandler, type Response, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { PortalError } from './core/errors.ts';
import type { TrustedProxies } from './config.ts';
import type { Cookies } from './http/cookies.ts';
import { csrf } from './http/csrf.ts';
import type { Metrics } from './http/metrics.ts';
import { problems, type BeginStepUp } from './http/problem.ts';
import { session, type FindSession } from './http/session.ts';
import { web } from './http/web.ts';

export interface AppDeps {
  readonly publicUrl: string;
  readonly trustProxy: TrustedProxies;
  readonly log: Logger;
  readonly cookies: Cookies;
  readonly findSession: FindSession;
  readonly beginStepUp: BeginStepUp;
  readonly countRequests: Metrics['countRequests'];
  readonly routers: readonly Router[];
  /** Folder of the built web app; `undefined` where something else serves it. */
  readonly webDir: string | undefined;
}

/** The whole of HTTP on one screen, in the order in which a request meets it. */
export function createApp({ publicUrl, trustProxy, log, cookies, findSession, beginStepUp, countRequests, routers, webDir }: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('trust proxy', trustProxy);
  app.use(requestLog(log));
  app.use(countRequests);
  app.use(securityHeaders(publicUrl.startsWith('https:')));
  app.use(['/api', '/auth', '/healthz', '/readyz', '/metrics'], (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(session(cookies, findSession));
  app.use(csrf(publicUrl));
  app.use(express.json({ limit: '1mb', strict: true }));
  for (const router of routers) app.use(router);
  app.use(['/api', '/auth'], () => { throw new PortalError('not-found'); });
  if (webDir !== undefined) app.use(web(webDir, nonceOf));
  app.use(() => { throw new PortalError('not-found'); });
  app.use(problems({ log, publicUrl, beginStepUp }));
  return app;
}

/** The code of a device that waits, where an address holds one: who reads the log must not be able to allow it. */
const USER_CODE = /(?<=^\/api\/device\/authorizations\/)[^/]+/i;

/** A line a request, with its id; addresses without query, for a query may hold a code or somebody's name. */
function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (_req, res) => {
      const id = randomUUID();
      res.setHeader('X-Request-Id', id);
      return id;
    },
    quietReqLogger: true,
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'error' : 'debug'),
    serializers: {
      req: (req: { id: string; method: string; url: string }) => ({ id: req.id, method: req.method, path: req.url.split('?')[0]?.replace(USER_CODE, '…') }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
    },
  });
}

const nonces = new WeakMap<Response, string>();
function nonceOf(res: Response): string {
  const nonce = nonces.get(res) ?? randomBytes(16).toString('base64');
  nonces.set(res, nonce);
  return nonce;
}

/** No script but our own files; styles only with the nonce of this very answer, which Griffel puts on what it inserts. */
function securityHeaders(https: boolean): RequestHandler {
  const rest = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'", (_req, res) => `'nonce-${nonceOf(res as Response)}'`],
        'connect-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'"],
        'manifest-src': ["'self'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
        'base-uri': ["'none'"],
        'require-trusted-types-for': ["'script'"],
      },
    },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginEmbedderPolicy: false,
  });
  return rest;
}
