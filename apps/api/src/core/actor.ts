import { permits, permitsDevice, type AppRole, type Permission } from '@gatehouse/contracts';

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
  /** The device that acts for the person, by its name; null where it is a browser. */
  readonly device: string | null;
  /** When the person last proved to Entra who they are, as Entra said with this sign-in; absent where it did not say. */
  readonly authenticatedAt?: Date | undefined;
}

/** Who is named where the portal did or noticed something by itself: everywhere the same, so that who looks for it finds all of it. */
export const PORTAL = { principalId: '00000000-0000-0000-0000-000000000000', name: 'Gatehouse' } as const;

/** Whether the person may do it, with what they do it with: a device is for less than the person may. */
export function may(actor: Actor, permission: Permission): boolean {
  return permits(permission, actor.roles) && (actor.device === null || permitsDevice(permission));
}
