import { GraphRefusal, graphRoutes } from './graph/route.ts';
import { listAnswer } from './odata.ts';

const READ = ['AuditLog.Read.All'];
const ROLES = ['Reports Reader', 'Security Reader', 'Security Administrator', 'Global Reader', 'Global Administrator'];
const FILTERABLE = ['activityDateTime', 'activityDisplayName', 'loggedByService', 'category', 'correlationId', 'result', 'id', 'initiatedBy/user/id', 'initiatedBy/user/displayName', 'initiatedBy/user/userPrincipalName', 'initiatedBy/app/appId', 'initiatedBy/app/displayName', 'targetResources'];

export const auditRoutes = graphRoutes([
  {
    method: 'GET', path: '/auditLogs/directoryAudits', versions: ['v1.0', 'beta'], delegated: READ, application: READ, roles: { anyOf: ROLES }, query: ['$filter', '$top', '$orderby', '$skiptoken', '$select'],
    handle: (call) => {
      const visible = call.tenant.directoryAudits.filter(({ visibleAt }) => new Date(visibleAt) <= call.now).map(({ entry }) => entry);
      // Newest first unless asked otherwise, as the service answers.
      const ordered = visible.toSorted((a, b) => (a.activityDateTime < b.activityDateTime ? 1 : a.activityDateTime > b.activityDateTime ? -1 : 0));
      return listAnswer(call, ordered, { context: 'auditLogs/directoryAudits', defaultTop: 1000, maxTop: 1000, filterable: FILTERABLE });
    },
  },
  {
    method: 'GET', path: '/auditLogs/directoryAudits/{id}', versions: ['v1.0', 'beta'], delegated: READ, application: READ, roles: { anyOf: ROLES },
    handle: (call) => {
      const found = call.tenant.directoryAudits.find(({ entry, visibleAt }) => entry.id === call.params['id'] && new Date(visibleAt) <= call.now);
      if (!found) throw new GraphRefusal(404, 'ResourceNotFound', `Resource '${String(call.params['id'])}' does not exist.`);
      return { status: 200, body: found.entry };
    },
  },
]);
