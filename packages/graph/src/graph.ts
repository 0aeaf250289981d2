import { createApplications } from './applications.ts';
import { createApprovals } from './approvals.ts';
import { createAuditLog } from './audit-log.ts';
import { createConditionalAccess } from './conditional-access.ts';
import { createDirectory } from './directory.ts';
import { createNetwork } from './network.ts';
import { createPimGroups } from './pim-groups.ts';
import type { Graph, GraphOptions } from './ports.ts';
import { createTransport } from './transport.ts';

/** Microsoft Graph for one token. Cheap to make: one for each request or job. */
export function createGraph(options: GraphOptions): Graph {
  const transport = createTransport(options);
  return {
    directory: createDirectory(transport),
    pim: createPimGroups(transport),
    approvals: createApprovals(transport),
    applications: createApplications(transport),
    network: createNetwork(transport),
    conditionalAccess: createConditionalAccess(transport),
    audits: createAuditLog(transport),
  };
}
