export * from './errors.ts';
export { createGraph } from './graph.ts';
export type * from './ports.ts';
