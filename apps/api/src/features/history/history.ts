/** The front door of the history: what others read of it. */
export type { Position } from '../../core/cursors.ts';
export { activationSearchOf, findActivations } from './activation-list.ts';
export { namesOf } from './names.store.ts';
export { usable } from './filter.rules.ts';
export { ACTIVATION_COLUMNS, titlesOf } from './history.rules.ts';
export { readCoverage, readLogState } from './history.store.ts';
