import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routes } from './routes.ts';

/** Microsoft's published paths, beside the repository where it is developed; a clone by itself has none. */
const FOLDER = join(import.meta.dirname, '../../../../../shared/graph');
const METHODS = ['get', 'post', 'patch', 'put', 'delete'];
const template = (path: string): string => path.replace(/\{[^}]+\}/g, '{}').toLowerCase();

/** Calls that the subset has and the emulated tenant does not answer, with the reason. */
const NOT_EMULATED: readonly { readonly call: RegExp; readonly because: string }[] = [
  { call: /^post \/\$batch$/, because: 'answered before the table of routes, which it calls' },
  { call: /^get \/networkAccess\/(filteringPolicies|filteringProfiles|reports|settings\/(forwardingOptions|crossTenantAccess))/, because: 'web filtering, reports and settings that no call of CONTRACT.md needs' },
  { call: /^patch \/networkAccess\/settings\/conditionalAccess$/, because: 'CONTRACT.md reads it only' },
  { call: /^get \/onPremisesPublishingProfiles\/\{[^}]+\}$/, because: 'the profile itself holds settings of hybrid agents; CONTRACT.md reads what is below it' },
  { call: /^post \/onPremisesPublishingProfiles\/\{[^}]+\}\/connectorGroups$/, because: 'connector groups are made with connectors, on machines; CONTRACT.md reads them' },
];

test.runIf(existsSync(FOLDER)).each(['v1.0', 'beta'] as const)('every published call of %s is answered, or named as not emulated', (version) => {
  const { paths } = JSON.parse(readFileSync(join(FOLDER, `openapi-${version}.json`), 'utf8')) as { paths: Record<string, Record<string, unknown>> };
  const known = new Set(routes.filter(({ versions }) => versions.includes(version)).map(({ method, path }) => `${method.toLowerCase()} ${template(path)}`));
  const missing = Object.entries(paths).flatMap(([path, operations]) => METHODS.filter((method) => operations[method] !== undefined && !known.has(`${method} ${template(path)}`)).map((method) => `${method} ${path}`))
    .filter((call) => !NOT_EMULATED.some((one) => one.call.test(call)));
  expect(missing).toEqual([]);
});
