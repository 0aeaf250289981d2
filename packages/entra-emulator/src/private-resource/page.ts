import { createHash } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import type { Reach } from '../reach.ts';
import type { ApplicationSegment, Tenant, User } from '../tenant.ts';
import { html, type Html } from './html.ts';
import { intranet } from './intranet.ts';

/** What the private resources need of the server around them. */
export interface PrivateResourceOptions {
  tenant(): Tenant;
  /** Whether the client lets the person through to the host and port now. */
  connect(upn: string, host: string, port: number): Reach;
  /** Brings about what is due by the tenant's clock, so that an ended activation is over here too. */
  settle(): void;
  /** Who is signed in at the emulated identity with this browser. */
  signedInUpn(request: Request): string | undefined;
  /** Where to sign in and come back from to `returnTo`, a path of this server; as somebody else where `switchAccount` is set. */
  signInUrl(returnTo: string, switchAccount: boolean): string;
}

/**
 * Resources behind Private Access, as a browser on a managed device meets them: `/private/{host}:{port}`.
 * Mounted at `/private`; `/private/` lists what is published.
 */
export function privateResource(options: PrivateResourceOptions): Router {
  const router = Router();

  const visitor = (request: Request): User | undefined => {
    const upn = options.signedInUpn(request)?.toLowerCase();
    return options.tenant().users.find((user) => user.userPrincipalName.toLowerCase() === upn);
  };

  router.get('/', (request, response) => {
    options.settle();
    const user = visitor(request);
    if (!user) return response.redirect(302, options.signInUrl('/private/', false));
    return send(response, 200, indexPage(options.tenant(), user, options.signInUrl('/private/', true)));
  });

  router.get('/:destination', (request, response) => {
    options.settle();
    const destination = destinationOf(request.params.destination);
    if (!destination) return send(response, 404, notADestination(request.params.destination));

    const address = `/private/${encodeURIComponent(destination.host)}:${destination.port}`;
    const user = visitor(request);
    if (!user) return response.redirect(302, options.signInUrl(address, false));

    const visit: Visit = { tenant: options.tenant(), user, destination: `${destination.host}:${destination.port}`, again: address, switchAccount: options.signInUrl(address, true) };
    const { allowed, reason, application } = options.connect(user.userPrincipalName, destination.host, destination.port);
    return allowed && application !== undefined ? send(response, 200, insidePage(visit, application, reason)) : send(response, 403, deniedPage(visit, application, reason));
  });

  return router;
}

interface Visit {
  readonly tenant: Tenant;
  readonly user: User;
  readonly destination: string;
  readonly again: string;
  readonly switchAccount: string;
}

function destinationOf(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^([A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  return match?.[1] !== undefined && port >= 1 && port <= 65_535 ? { host: match[1].toLowerCase(), port } : undefined;
}

function deniedPage(visit: Visit, application: string | undefined, reason: string): Page {
  const { user, destination } = visit;
  return {
    title: 'Access denied',
    strip: 'Global Secure Access client',
    body: html`<main class="card">
<h1><span class="mark" aria-hidden="true">✕</span> Access denied</h1>
<p>Global Secure Access did not connect you to this resource.</p>
<dl>
<dt>Resource</dt><dd>${destination}</dd>
${application === undefined ? html`` : html`<dt>Application</dt><dd>${application}</dd>`}
<dt>Signed in as</dt><dd>${user.displayName}<br><span class="quiet">${user.userPrincipalName}</span></dd>
<dt>Why</dt><dd>${reason}</dd>
</dl>
<h2>What to do</h2>
<p>Activate your access in Gatehouse, wait until it says that you are a member, then try again.</p>
${actions(visit)}
</main>`,
  };
}

function insidePage(visit: Visit, application: string, reason: string): Page {
  const { tenant, user, destination } = visit;
  const [port] = destination.split(':').slice(-1);
  const session = port === '22' ? 'SSH session' : port === '3389' ? 'Remote desktop session' : 'Intranet';
  return {
    title: application,
    strip: `${tenant.displayName} · ${session}`,
    body: html`<main class="card">
<h1>${application}</h1>
<p class="quiet">${destination} · ${user.displayName}</p>
${intranet(application)}
<p class="open"><span class="mark" aria-hidden="true">✓</span> Connected through Private Access. ${reason}</p>
${actions(visit)}
</main>`,
  };
}

function indexPage(tenant: Tenant, user: User, switchAccount: string): Page {
  const published = tenant.applications.filter((application) => application.onPremisesPublishing !== null && application.segments.length > 0);
  return {
    title: 'Private resources',
    strip: tenant.displayName,
    body: html`<main class="card">
<h1>Private resources</h1>
<p>What ${tenant.displayName} publishes through Private Access. You are ${user.displayName} <span class="quiet">(${user.userPrincipalName})</span>.</p>
${published.map((application) => html`<h2>${application.displayName}</h2>
<ul>${application.segments.flatMap(examplesOf).map((destination) => html`<li><a href="/private/${destination}">${destination}</a></li>`)}</ul>`)}
<p class="actions"><a href="${switchAccount}">Sign in as someone else</a></p>
</main>`,
  };
}

/** Addresses to try: a name or address that the segment covers, with each of its first ports. */
function examplesOf(segment: ApplicationSegment): readonly string[] {
  const host = {
    fqdn: segment.destinationHost.replace(/^\*\./, 'host1.'),
    dnsSuffix: undefined,
    ipAddress: segment.destinationHost,
    ipRange: segment.destinationHost.split(/\.\.|-/)[0],
    ipRangeCidr: segment.destinationHost.replace(/\d+\/\d+$/, '10'),
  }[segment.destinationType];
  return host === undefined ? [] : segment.ports.map((ports) => `${host}:${ports.split('-')[0] ?? ''}`);
}

function notADestination(text: string): Page {
  return {
    title: 'No such address',
    strip: 'Global Secure Access client',
    body: html`<main class="card">
<h1>No such address</h1>
<p>“${text}” is no host and port. An address looks like fin-rep.corp.contoso.example:443.</p>
<p class="actions"><a href="/private/">Private resources</a></p>
</main>`,
  };
}

const actions = ({ again, switchAccount }: Visit): Html =>
  html`<p class="actions"><a class="primary" href="${again}">Try again</a> <a href="${switchAccount}">Sign in as someone else</a></p>`;

interface Page {
  readonly title: string;
  readonly strip: string;
  readonly body: Html;
}

const STYLE = `
:root{color-scheme:light dark;--back:#f3f2f1;--card:#fff;--text:#242424;--quiet:#5c5c5c;--line:#d1d1d1;--accent:#0f5fa8;--on-accent:#fff;--strip:#1b3a57;--on-strip:#fff;--bad:#b10e1c;--good:#0b6a0b}
@media (prefers-color-scheme:dark){:root{--back:#141414;--card:#1f1f1f;--text:#f5f5f5;--quiet:#bdbdbd;--line:#525252;--accent:#8cc4f5;--on-accent:#0a2540;--strip:#0a2540;--bad:#ff99a4;--good:#9fd89f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:14px/1.5 "Segoe UI",system-ui,sans-serif;overflow-wrap:anywhere}
header{display:flex;flex-wrap:wrap;gap:8px;justify-content:space-between;padding:8px 16px;background:var(--strip);color:var(--on-strip)}
header b{border:1px solid currentcolor;border-radius:4px;padding:0 8px;font-weight:600}
.card{max-width:640px;margin:24px auto;padding:24px;background:var(--card);border:1px solid var(--line);border-radius:8px}
@media (max-width:480px){.card{margin:8px;padding:16px}}
h1{margin:0 0 8px;font-size:24px;line-height:32px}
h2{margin:24px 0 0;font-size:16px}
dl{display:grid;grid-template-columns:minmax(88px,auto) 1fr;gap:8px 16px}
dt{color:var(--quiet)}dd{margin:0}
.quiet{color:var(--quiet)}
h1 .mark{color:var(--bad)}.open .mark{color:var(--good)}
table{width:100%;border-collapse:collapse;margin:16px 0;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding-bottom:8px}
th,td{padding:8px 4px;text-align:left;border-top:1px solid var(--line);vertical-align:top}
th,td{overflow-wrap:normal}
tbody th{font-weight:400}
@media (max-width:480px){table{font-size:13px}th,td{padding:8px 2px}}
a{color:var(--accent)}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.actions{display:flex;flex-wrap:wrap;gap:16px;align-items:center;margin:24px 0 0}
.primary{padding:8px 16px;border-radius:4px;background:var(--accent);color:var(--on-accent);text-decoration:none;font-weight:600}
`;

const POLICY = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

function send(response: Response, status: number, { title, strip, body }: Page): void {
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Demo</title><style>${{ markup: STYLE }}</style></head>
<body>
<header><span>${strip}</span><b>Demo</b></header>
${body}
</body>
</html>`;
  response
    .status(status)
    .set({ 'content-security-policy': POLICY, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    .type('html')
    .send(page.markup);
}
