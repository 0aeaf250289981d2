import type { Tx } from '@gatehouse/db';
import type { EventKind, PortalActivity } from '@gatehouse/contracts';
import type { Actor } from '../../core/actor.ts';
import { insertPortalEvent } from './audit.store.ts';

/** Something that a person did through the portal, for the record. */
export interface PortalEvent {
  readonly id: string;
  readonly at: Date;
  /** With what the person did it, where it is known: on record as `client` beside the data. The portal's own acts have none. */
  readonly actor: Pick<Actor, 'tenantId' | 'principalId' | 'name'> & Partial<Pick<Actor, 'device'>>;
  readonly type: PortalActivity;
  readonly kind: Extract<EventKind, `portal-${string}`>;
  readonly result: 'success' | 'failure' | 'other';
  readonly reason?: string | undefined;
  readonly subject?: { readonly id: string; readonly name: string } | undefined;
  readonly group?: { readonly id: string | null; readonly name: string } | undefined;
  readonly requestId?: string | undefined;
  /** More, as JSON; no secrets. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** Takes the transaction of the change it tells of, so that neither is ever stored without the other. */
export async function record(tx: Tx, event: PortalEvent): Promise<void> {
  await insertPortalEvent(tx, event);
}
