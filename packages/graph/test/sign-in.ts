import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Where people sign in for a contract test, and by which registration. */
export interface Registration {
  /** Such as `https://login.microsoftonline.com/{tenant id}/oauth2/v2.0`. */
  readonly authority: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** Graph as tokens name it. */
  readonly graphResource: string;
  /** Has the person sign in at the address, and answers where the browser was sent back to. */
  readonly throughSignIn: (upn: string, address: string) => Promise<URL>;
}

const Token = z.object({ access_token: z.string() });

/** Access tokens by authorization code with PKCE, and the portal's own. CP1 is declared, without which PIM refuses every step-up. */
export function tokensOf({ authority, clientId, clientSecret, redirectUri, graphResource, throughSignIn }: Registration) {
  const redeem = async (grant: Record<string, string>): Promise<string> => {
    const answer = await fetch(`${authority}/token`, { method: 'POST', body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...grant }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`no token: ${text}`);
    return Token.parse(JSON.parse(text)).access_token;
  };
  return {
    async ofPerson(upn: string, scopes: readonly string[], claims: Record<string, unknown> = {}): Promise<string> {
      const verifier = randomBytes(32).toString('base64url');
      const scope = [...scopes, 'openid', 'profile', 'offline_access'].join(' ');
      const demanded = JSON.stringify({ ...claims, access_token: { xms_cc: { values: ['CP1'] }, ...(claims['access_token'] as object | undefined) } });
      const query = new URLSearchParams({
        client_id: clientId, redirect_uri: redirectUri, response_type: 'code', response_mode: 'query', scope, state: 'state-1', nonce: 'nonce-1', login_hint: upn,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', client_info: '1', claims: demanded,
      });
      const back = await throughSignIn(upn, `${authority}/authorize?${query}`);
      const code = back.searchParams.get('code');
      if (code === null) throw new Error(`sign-in of ${upn} was refused: ${back.search}`);
      return redeem({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier, scope });
    },
    ofPortal: (): Promise<string> => redeem({ grant_type: 'client_credentials', scope: `${graphResource}/.default` }),
  };
}
