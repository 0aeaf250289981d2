import type { AppRole } from '../tenant.ts';

/** The custom template's roles; Private Access assigns the first. */
export const CUSTOM_APP_ROLES: readonly AppRole[] = [
  { id: '18d14569-c3bd-439b-9a66-3a2aee01d14f', displayName: 'User', description: 'User', value: null, isEnabled: true, allowedMemberTypes: ['User'] },
  { id: 'b9632174-c057-4f7e-951b-be3adc52bfe6', displayName: 'msiam_access', description: 'msiam_access', value: null, isEnabled: true, allowedMemberTypes: ['User'] },
];

/** Tags that make an application, and its enterprise application, the tenant's Quick Access. */
export const QUICK_ACCESS_TAGS: readonly string[] = ['NetworkAccessQuickAccessApplication', 'HideApp'];
/** Tags of a Private Access application of its own. */
export const PER_APP_TAGS: readonly string[] = ['PrivateAccessNonWebApplication', 'IsAccessibleViaZTNAClient', 'HideApp'];
