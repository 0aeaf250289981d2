export * from './claims.ts';
export * from './errors.ts';
export { createGateway, type Gateway } from './graph.ts';
export { knownRefusal, REFUSALS, type KnownRefusal } from './refusals.ts';
export { logClosedBy, type LogClosed } from './traffic-log.ts';
export type * from './ports.ts';
