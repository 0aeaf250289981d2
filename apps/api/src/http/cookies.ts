import type { Request, Response } from 'express';
import { parseCookie, stringifySetCookie } from 'cookie';

/** The session's cookie: Strict, for no link from elsewhere needs it; the page asks for its session by itself. */
export const SESSION_COOKIE = 'gatehouse';
/** Binds a sign-in to the browser that began it; Lax, for Entra sends the browser back from another site. */
export const BINDING_COOKIE = 'gatehouse-sign-in';

/** Cookies of the portal: `__Host-` and Secure where it is served over https. */
export function createCookies(secure: boolean) {
  const nameOf = (name: string): string => (secure ? `__Host-${name}` : name);
  const set = (res: Response, name: string, value: string, sameSite: 'strict' | 'lax', maxAge: number): void => {
    res.append('Set-Cookie', stringifySetCookie({ name: nameOf(name), value, httpOnly: true, secure, sameSite, path: '/', maxAge }));
  };
  return {
    read: (req: Request, name: string): string | undefined => parseCookie(req.headers.cookie ?? '')[nameOf(name)] || undefined,
    setSession: (res: Response, secret: string, maxAgeSeconds: number): void => set(res, SESSION_COOKIE, secret, 'strict', maxAgeSeconds),
    setBinding: (res: Response, secret: string): void => set(res, BINDING_COOKIE, secret, 'lax', 3600),
    clearSession: (res: Response): void => set(res, SESSION_COOKIE, '', 'strict', 0),
  };
}

export type Cookies = ReturnType<typeof createCookies>;
