import { PortalError } from '../core/errors.ts';

/** What Entra sends along where it sends no code. */
interface Refusal { readonly error: string | undefined; readonly description: string | undefined }

const NOT_ASSIGNED = 'AADSTS50105';
const DECLINED = 'AADSTS65004';
const NOT_CONSENTED: readonly string[] = ['AADSTS65001', 'AADSTS90094', 'AADSTS90097'];

/** The number that Entra puts in front of its words. */
const numberIn = ({ description }: Refusal): string | undefined => /^AADSTS\d{1,10}(?=\D|$)/.exec(description ?? '')?.[0];

/** Whether the person turned back. Who was refused is sent back with `access_denied` too, with the number of the reason. */
export function wasCancelled(refusal: Refusal): boolean {
  return refusal.error === 'access_denied' && [undefined, DECLINED].includes(numberIn(refusal));
}

/** Why nobody was signed in, for the person. Of what Entra sent only its code is repeated: the rest is written for others, and comes by way of the browser. */
export function refusalOf(refusal: Refusal): PortalError {
  const { error = '' } = refusal;
  const number = numberIn(refusal);
  const code = number ?? (/^\w{1,50}$/.test(error) ? error : 'no code');
  if (number === NOT_ASSIGNED) return new PortalError('directory-forbidden', { detail: `You are not assigned to Gatehouse in Microsoft Entra, so nothing was signed in (${code}). An administrator of Microsoft Entra can assign you a role of it.` });
  if (error === 'consent_required' || NOT_CONSENTED.includes(number ?? '')) return new PortalError('directory-forbidden', { detail: `Nobody has consented to a permission that Gatehouse needs, so nothing was signed in (${code}). An administrator of Microsoft Entra can grant it.` });
  if (error === 'server_error' || error === 'temporarily_unavailable') return new PortalError('directory-unavailable', { detail: `Microsoft Entra could not sign you in right now (${code}). Try again in a moment.` });
  return new PortalError('directory-refused', { detail: `Microsoft Entra did not sign you in, and gives this reason: ${code}. Sign in again; if it stays, an administrator of Microsoft Entra finds the reason in its sign-in logs.` });
}
