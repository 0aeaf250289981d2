/** The `claims` parameter by which a sign-in is asked for more than it proved (OAUTH.md §6). */

/** A second factor. Entra names no claims for it to echo. */
export const MFA_CLAIMS = '{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}';

/** What Conditional Access asks of an authentication context, `c1` to `c99`. */
export const contextClaims = (contextId: string): string => JSON.stringify({ access_token: { acrs: { essential: true, value: contextId } } });
