/** The front door of the history: what others read of it. */
export { ACTIVATION_COLUMNS, cellsOf, instantOf, isStorable, titlesOf } from './history.rules.ts';
export { findActivations, readCoverage, type Queryable } from './history.store.ts';
