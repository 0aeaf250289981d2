/** Front door of the access feature, for other features. */
export { catalogOf } from './access.store.ts';
export { doubtEligibleOf } from './own-access.store.ts';
