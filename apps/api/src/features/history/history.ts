/** The front door of the history: what others read of it. */
export { isStorable, type Position } from '../../core/cursors.ts';
export { activationSearchOf, findActivations, namesOf } from './activation-list.ts';
export { ACTIVATION_COLUMNS, instantOf, titlesOf } from './history.rules.ts';
export { readCoverage } from './history.store.ts';
export { canBeLookedUp } from './search.rules.ts';
