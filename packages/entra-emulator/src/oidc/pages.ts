import { createHash } from 'node:crypto';
import type { User } from '../tenant.ts';

const escape = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const STYLE = `
:root { color-scheme: light dark; --back: #f3f4f6; --card: #fff; --text: #1b1f27; --quiet: #566070; --line: #d4d9e1; --accent: #0f5fb8; --hover: #eef4fb; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c; --card: #1d2128; --text: #e8ebf0; --quiet: #a7b0be; --line: #3a414d; --accent: #6cb0ff; --hover: #262d37; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
main { width: min(440px, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 28px; }
.where { margin: 0 0 4px; color: var(--quiet); font-size: 13px; }
h1 { margin: 0 0 16px; font-size: 22px; font-weight: 600; }
ul { list-style: none; margin: 0; padding: 0; }
li + li { margin-top: 4px; }
button { width: 100%; text-align: left; padding: 10px 12px; border: 1px solid transparent; border-radius: 6px; background: none; color: inherit; font: inherit; cursor: pointer; }
button:hover { background: var(--hover); }
button:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button.main { text-align: center; background: var(--accent); color: var(--card); font-weight: 600; }
strong { display: block; font-weight: 600; }
small { color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
details { margin-top: 12px; border-top: 1px solid var(--line); padding-top: 12px; }
summary { cursor: pointer; color: var(--quiet); padding: 4px; }
a { color: var(--accent); }
.code { color: var(--quiet); font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
`;

/** Content-Security-Policy of these pages: no script, this one style sheet, forms that may end at the portal. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'`;

const page = (tenant: string, title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · ${escape(tenant)} · Demo</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="where">Emulated sign-in · ${escape(tenant)} · Demo</p>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`;

export interface Account { readonly user: User; readonly hint: string | undefined }

/** Pick an account: those of the demo first, everybody else behind a fold. No passwords here. */
export function accountPicker(tenant: string, ticket: string, accounts: readonly Account[]): string {
  const item = ({ user, hint }: Account): string => `<li><form method="post" action="/_signin/account"><input type="hidden" name="ticket" value="${escape(ticket)}"><button name="upn" value="${escape(user.userPrincipalName)}"><strong>${escape(user.displayName)}</strong><small>${hint === undefined ? '' : `${escape(hint)} · `}${escape(user.userPrincipalName)}</small></button></form></li>`;
  const [cast, others] = [accounts.filter(({ hint }) => hint !== undefined), accounts.filter(({ hint }) => hint === undefined)];
  return page(tenant, 'Pick an account', `<ul>${cast.map(item).join('')}</ul>
${others.length > 0 ? `<details><summary>${others.length} more people of ${escape(tenant)}</summary><ul>${others.map(item).join('')}</ul></details>` : ''}`);
}

/** The stronger proof: one button stands for the phone. */
export function approvePage(tenant: string, ticket: string, user: User, demand: string): string {
  return page(tenant, 'Approve the sign-in request', `<p>${escape(demand)} Here this button stands for the authenticator app of ${escape(user.displayName)} (<small>${escape(user.userPrincipalName)}</small>).</p>
<form method="post" action="/_signin/approve"><input type="hidden" name="ticket" value="${escape(ticket)}"><button class="main">Approve</button></form>
<p><a href="/_signin/cancel?ticket=${encodeURIComponent(ticket)}">Cancel</a></p>`);
}

/** An error that must not be sent to an address that is not known to be right. */
export function errorPage(tenant: string, code: string, message: string): string {
  return page(tenant, 'Sign-in did not work', `<p>${escape(message)}</p><p class="code">${escape(code)}</p>`);
}

export function signedOutPage(tenant: string): string {
  return page(tenant, 'You are signed out', '<p>You can close this window.</p>');
}
