import { JSDOM } from 'jsdom';
import { CookieJar } from 'tough-cookie';

/** What a call answered. `body` is parsed JSON where it is JSON, text else. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers freely; the contract has checked them already.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  readonly body: any;
}

/** A person at a browser without a screen: cookies, redirects and the sign-in pages of the tenant, over real HTTP. */
export interface Client {
  readonly jar: CookieJar;
  signIn(upn: string, from?: string): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Goes through the pages of a step-up that a problem named, and answers where in the portal they end. */
  stepUp(signInUrl: string, upn: string, returnTo?: string): Promise<string>;
  /** A page outside the portal's API, such as the private resource; signs in there when it is asked to. */
  visit(url: string, upn: string): Promise<Reply>;
}

export function createClient(portalUrl: string): Client {
  const jar = new CookieJar(undefined, { allowSpecialUseDomain: true });

  const send = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    const cookies = await jar.getCookieString(url);
    if (cookies !== '') headers.set('cookie', cookies);
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const cookie of answer.headers.getSetCookie()) await jar.setCookie(cookie, url);
    return answer;
  };

  const reply = async (answer: Response): Promise<Reply> => {
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text };
  };

  /** Follows redirects, and answers the forms of the sign-in pages as the person, until a page is reached that asks nothing. */
  const walk = async (start: string, upn: string, isEnd: (url: string) => boolean): Promise<Reply> => {
    let url = start;
    let init: RequestInit = {};
    for (let hop = 0; hop < 20; hop += 1) {
      const answer = await send(url, init);
      const location = answer.headers.get('location');
      if (answer.status >= 300 && answer.status < 400 && location !== null) {
        await answer.arrayBuffer();
        url = new URL(location, url).href;
        init = {};
        if (isEnd(url)) return { status: answer.status, headers: answer.headers, body: url };
        continue;
      }
      const html = await answer.text();
      const next = answer.ok ? formFor(html, url, upn) : undefined;
      if (!next) return { status: answer.status, headers: answer.headers, body: html };
      ({ url, init } = next);
    }
    throw new Error(`signing in as ${upn} did not end`);
  };
  const inPortal = (url: string): boolean => url.startsWith(`${portalUrl}/`) && !url.startsWith(`${portalUrl}/auth/`);
  const walkToPortal = async (path: string, upn: string): Promise<string> => {
    const end = await walk(`${portalUrl}${path}`, upn, inPortal);
    if (end.status >= 400 || !inPortal(String(end.body))) throw new Error(`sign-in of ${upn} ended with ${end.status}: ${String(end.body).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(0, 300)}`);
    return String(end.body);
  };

  return {
    jar,
    signIn: async (upn, from = '/auth/sign-in?returnTo=/') => { await walkToPortal(from, upn); },
    stepUp: (signInUrl, upn, returnTo = '/') => walkToPortal(`${signInUrl}&returnTo=${encodeURIComponent(returnTo)}`, upn),
    visit: (url, upn) => walk(url, upn, () => false),
    get: async (path, headers = {}) => reply(await send(`${portalUrl}${path}`, { headers })),
    post: async (path, body = {}, headers = {}) => reply(await send(`${portalUrl}${path}`, {
      method: 'POST', body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', origin: portalUrl, 'x-requested-with': 'gatehouse', ...headers },
    })),
  };
}

/** The form that the person would send: the one with their account on it, else the only one that asks something. */
function formFor(html: string, pageUrl: string, upn: string): { url: string; init: RequestInit } | undefined {
  const { document } = new JSDOM(html, { url: pageUrl }).window;
  const forms = [...document.querySelectorAll('form')].filter((form) => form.method === 'post');
  const form = forms.find((candidate) => candidate.outerHTML.includes(upn)) ?? (forms.length === 1 ? forms[0] : undefined);
  if (!form) return undefined;
  const values = new URLSearchParams();
  for (const input of form.querySelectorAll('input[name]')) values.append(input.getAttribute('name') ?? '', (input as HTMLInputElement).value);
  const buttons = [...form.querySelectorAll('button')];
  const button = buttons.find((candidate) => candidate.outerHTML.includes(upn)) ?? buttons[0];
  if (button?.name) values.append(button.name, button.value);
  return { url: form.action, init: { method: 'POST', body: values } };
}
