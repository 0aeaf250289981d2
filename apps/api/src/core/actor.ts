import { permits, type AppRole, type Permission } from '@gatehouse/contracts';

/** The signed-in person on whose behalf a request is served. */
export interface Actor {
  readonly tenantId: string;
  /** The person's object id in Entra. */
  readonly principalId: string;
  readonly name: string;
  readonly upn: string;
  readonly roles: readonly AppRole[];
  /** Key of the person's token partition. */
  readonly accountId: string;
}

/** Whether the person may do it. */
export function may(actor: Actor, permission: Permission): boolean {
  return permits(permission, actor.roles);
}
