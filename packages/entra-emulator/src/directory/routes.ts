import type { GraphRoute } from '../graph/route.ts';
import { applicationRoutes } from './applications.ts';
import { assignmentRoutes } from './assignments.ts';
import { groupRoutes } from './groups.ts';
import { networkRoutes } from './network.ts';
import { peopleRoutes } from './people.ts';
import { segmentRoutes } from './segments.ts';

/** Everything of Graph that is neither PIM nor the audit log. */
export const directoryRoutes: readonly GraphRoute[] = [...peopleRoutes, ...groupRoutes, ...applicationRoutes, ...assignmentRoutes, ...segmentRoutes, ...networkRoutes];
