import * as access from './access.ts';
import * as approvals from './approvals.ts';
import * as batches from './batches.ts';
import * as device from './device.ts';
import * as directory from './directory.ts';
import * as doctor from './doctor.ts';
import * as drift from './drift.ts';
import * as eligibility from './eligibility.ts';
import type { Endpoint } from './endpoint.ts';
import * as exceptions from './exceptions.ts';
import * as exports from './exports.ts';
import * as history from './history.ts';
import * as ledger from './ledger.ts';
import * as notifications from './notifications.ts';
import * as keepGoing from './keep-going.ts';
import * as operations from './operations.ts';
import * as pointInTime from './point-in-time.ts';
import * as readiness from './readiness.ts';
import * as residual from './residual.ts';
import * as retention from './retention.ts';
import * as session from './session.ts';
import * as setup from './setup.ts';
import * as sync from './sync.ts';

export * from './access.ts';
export * from './approvals.ts';
export * from './batches.ts';
export * from './connections.ts';
export * from './device.ts';
export * from './directory.ts';
export * from './doctor.ts';
export * from './drift.ts';
export * from './eligibility.ts';
export * from './endpoint.ts';
export * from './exceptions.ts';
export * from './exports.ts';
export * from './history.ts';
export * from './ledger.ts';
export * from './notifications.ts';
export * from './keep-going.ts';
export * from './operations.ts';
export * from './point-in-time.ts';
export * from './problem.ts';
export * from './readiness.ts';
export * from './residual.ts';
export * from './reasons.ts';
export * from './retention.ts';
export * from './role-settings.ts';
export * from './session.ts';
export * from './setup.ts';
export * from './setup-source.ts';
export * from './sync.ts';
export * from './words.ts';

/** Every endpoint by name. A route that is not in it fails the authorisation matrix. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = Object.fromEntries(
  Object.entries<unknown>({ ...operations, ...session, ...access, ...readiness, ...keepGoing, ...eligibility, ...approvals, ...setup, ...batches, ...drift, ...device, ...directory, ...doctor, ...residual, ...history, ...pointInTime, ...exceptions, ...exports, ...retention, ...sync, ...ledger, ...notifications }).filter((entry): entry is [string, Endpoint] => isEndpoint(entry[1])),
);

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'permission' in value;
}
