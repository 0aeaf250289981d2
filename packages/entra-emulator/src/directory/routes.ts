import type { GraphRoute } from '../graph/route.ts';
import { applicationRoutes } from './applications.ts';
import { conditionalAccessRoutes } from './conditional-access.ts';
import { connectorRoutes } from './connectors.ts';
import { globalSecureAccessRoutes } from './global-secure-access.ts';
import { groupDeltaRoutes } from './groups-delta.ts';
import { groupRoutes } from './groups.ts';
import { objectRoutes } from './objects.ts';
import { organizationRoutes } from './organization.ts';
import { servicePrincipalRoutes } from './service-principals.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { userRoutes } from './users.ts';

/** Every call to the directory, to Private Access and to what surrounds them. Where two paths fit, the earlier is meant. */
export const directoryRoutes: readonly GraphRoute[] = [
  ...userRoutes,
  ...objectRoutes,
  ...groupRoutes,
  ...groupDeltaRoutes,
  ...applicationRoutes,
  ...servicePrincipalRoutes,
  ...connectorRoutes,
  ...globalSecureAccessRoutes,
  ...conditionalAccessRoutes,
  ...organizationRoutes,
  ...subscriptionRoutes,
];
