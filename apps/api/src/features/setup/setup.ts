/** The front door of the setup feature: role settings in words, which groups PIM takes, setups in files, and applying them. */
export { activationPolicyOf, readRoleSettings } from './role-settings.rules.ts';
export { unfit } from './setup.rules.ts';
export { BESIDE, firstOf, inBrief, isUtf8, located, NOT_UTF8, openFile, sourceAt, writeSetups, writeYaml, type LocatedSource, type Mistake } from './setup-file.ts';
export type { Setups } from './setup.service.ts';
export { createRunLocks } from './setup.store.ts';
export { parseSource, type SourceIssue } from './setup-source.rules.ts';
export { canonical } from './steps.rules.ts';
