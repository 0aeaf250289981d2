import type { Problem } from '@gatehouse/contracts';

const escape = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A failure as a page of its own, where the portal's own pages cannot show it: before signing in, and of a file that a link led to. It leads back to `from`. */
export function problemPage(problem: Problem, from = '/'): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(problem.title)} · Gatehouse</title>
<link rel="stylesheet" href="/problem-page.css">
</head>
<body>
<main>
<h1>${escape(problem.title)}</h1>
<p>${escape(problem.detail ?? '')}</p>
${problem.signInUrl === undefined ? '' : `<p><a href="${escape(`${problem.signInUrl}&returnTo=${encodeURIComponent(from)}`)}">Verify</a></p>\n`}<p><a href="${escape(from)}">Back to Gatehouse</a></p>
<p><small>Ref ${escape(problem.requestId)}</small></p>
</main>
</body>
</html>
`;
}
