/** The front door of the connections: what other features may ask of the traffic log. */
export type { Asked, Connections } from './connections.service.ts';
