/** The front door of the setup feature: role settings in words, for whoever reads PIM policies. */
export { activationPolicyOf, readRoleSettings } from './role-settings.rules.ts';
