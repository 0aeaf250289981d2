import { createAllowance, PUBLISHED_LIMITS } from './allowance.ts';
import { createApplications, type ObjectIds } from './applications.ts';
import { createApprovals } from './approvals.ts';
import { createAuditLog } from './audit-log.ts';
import { createConditionalAccess } from './conditional-access.ts';
import { createConnection } from './connection.ts';
import { createDirectory } from './directory.ts';
import { createNetwork } from './network.ts';
import { createPimGroups } from './pim-groups.ts';
import type { Action, GatewayOptions, Graph, GraphPorts } from './ports.ts';
import { createRetryBudget } from './retry-budget.ts';
import { createTrafficLog } from './traffic-log.ts';
import { createTransport, type Shared, type Transport } from './transport.ts';

/** All of a tenant's way to Graph: what is asked by anybody counts against the same limits and the same budget. */
export interface Gateway {
  /** Microsoft Graph for one action on one token. Cheap to make: one for each request or job. */
  graph(action: Action): Graph;
}

/** Makes the gateway; one for a process and tenant. */
export function createGateway(options: GatewayOptions): Gateway {
  const shared: Shared = {
    options, budget: createRetryBudget(), connection: createConnection(),
    allowance: createAllowance(options.limits ?? PUBLISHED_LIMITS, options.timer, options.signal, options.onAdmitted),
  };
  const objectIds: ObjectIds = new Map();
  return {
    graph(action) {
      const portsOver = (transport: Transport): GraphPorts => ({
        directory: createDirectory(transport),
        pim: createPimGroups(transport),
        approvals: createApprovals(transport),
        applications: createApplications(transport, objectIds),
        network: createNetwork(transport),
        conditionalAccess: createConditionalAccess(transport),
        audits: createAuditLog(transport),
        traffic: createTrafficLog(transport),
      });
      const transport = createTransport(shared, action);
      return { ...portsOver(transport), together: portsOver(transport.together), inOrder: portsOver(transport.inOrder) };
    },
  };
}
