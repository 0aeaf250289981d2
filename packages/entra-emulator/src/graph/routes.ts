import { auditRoutes } from '../audit-log.ts';
import { directoryRoutes } from '../directory/routes.ts';
import { approvalRoutes } from '../pim/approvals.ts';
import { policyRoutes } from '../pim/policies.ts';
import { pimRoutes } from '../pim/routes.ts';
import type { GraphRoute } from './route.ts';

/** Every call of Graph that the emulated tenant knows. */
export const routes: readonly GraphRoute[] = [...directoryRoutes, ...pimRoutes, ...policyRoutes, ...approvalRoutes, ...auditRoutes];
