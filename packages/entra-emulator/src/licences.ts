import { GraphRefusal, type GraphRoute } from './graph/route.ts';
import type { Tenant } from './tenant.ts';

/** What the tenant has licences for. */
export interface Licences {
  /** Microsoft Entra ID P2 or ID Governance: Privileged Identity Management. */
  readonly pim: boolean;
  readonly privateAccess: boolean;
}

/** A tenant of which nobody said otherwise has everything. */
export const licencesOf = ({ licences }: Pick<Tenant, 'licences'>): Licences => licences ?? { pim: true, privateAccess: true };

/** PIM's calls: without its licence nothing is written. What was read before can be read still, and what was assigned stays. */
export const underPim = (routes: readonly GraphRoute[]): readonly GraphRoute[] => routes.map((route) => (route.method === 'GET' ? route : {
  ...route,
  handle(call) {
    if (!licencesOf(call.tenant).pim) throw new GraphRefusal(400, 'AadPremiumLicenseRequired', 'The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.');
    return route.handle(call);
  },
}));
