/** The front door of the setup feature: role settings in words, and which groups PIM takes. */
export { activationPolicyOf, readRoleSettings } from './role-settings.rules.ts';
export { unfit } from './setup.rules.ts';
