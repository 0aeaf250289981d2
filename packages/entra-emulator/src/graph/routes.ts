import { auditRoutes } from '../audit-log.ts';
import { directoryRoutes } from '../directory/routes.ts';
import { forwardingPolicyRoutes } from '../network/forwarding-policies.ts';
import { underPim } from '../licences.ts';
import { networkLogRoutes } from '../network/logs.ts';
import { approvalRoutes } from '../pim/approvals.ts';
import { customExtensionRoutes } from '../pim/custom-extensions.ts';
import { legacyPimRoutes } from '../pim/legacy.ts';
import { policyRoutes } from '../pim/policies.ts';
import { pimRoutes } from '../pim/routes.ts';
import type { GraphRoute } from './route.ts';

/** Every call of Graph that the emulated tenant knows. */
export const routes: readonly GraphRoute[] = [
  ...directoryRoutes, ...forwardingPolicyRoutes, ...networkLogRoutes, ...underPim([...pimRoutes, ...legacyPimRoutes, ...policyRoutes, ...approvalRoutes, ...customExtensionRoutes]), ...auditRoutes,
];
