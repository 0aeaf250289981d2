import { GetGroupSettings, ListApplications, ListAuthenticationContexts, ListConnectorGroups, SearchGroups, SearchPrincipals } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { DirectoryService } from './directory.service.ts';

export function directoryRoutes(directory: DirectoryService): Router {
  const router = Router();
  endpoint(router, SearchPrincipals, ({ actor, query }) => directory.principals(actor, query));
  endpoint(router, SearchGroups, ({ actor, query }) => directory.groups(actor, query.text));
  endpoint(router, GetGroupSettings, ({ actor, params }) => directory.groupSettings(actor, params.groupId));
  endpoint(router, ListApplications, ({ actor, query }) => directory.applications(actor, query.text));
  endpoint(router, ListConnectorGroups, ({ actor }) => directory.connectorGroups(actor));
  endpoint(router, ListAuthenticationContexts, ({ actor }) => directory.authenticationContexts(actor));
  return router;
}
