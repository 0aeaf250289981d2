import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routes } from './routes.ts';

/** Microsoft's published tables, beside the repository where it is developed; a clone by itself has none. */
const FOLDER = join(import.meta.dirname, '../../../../../shared/graph');

interface Table { readonly least?: readonly string[]; readonly higher?: readonly string[] }
type Paths = Record<string, Record<string, { 'x-ms-permissions'?: { delegated?: Table; application?: Table } }>>;

const template = (path: string): string => path.replace(/\{[^}]+\}/g, '{}').toLowerCase();

/** Where CONTRACT.md says more than the generated table. */
const EXCEPTIONS: readonly { readonly route: RegExp; readonly permissions: readonly string[]; readonly because: string }[] = [
  { route: /checkMemberGroups$/, permissions: ['User.Read', 'User.ReadBasic.All'], because: 'the generated table is that of service principals; the page of the call lists pairs' },
  {
    route: /GET \/organization\/\{id\}$/, permissions: ['User.Read', 'Organization.Read.All', 'Organization.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
    because: 'the generated table is that of device management; one organization is read as the list is',
  },
];

test.runIf(existsSync(FOLDER)).each(['v1.0', 'beta'] as const)('no call of %s is let in by a permission that its published table does not list', (version) => {
  const paths = Object.entries((JSON.parse(readFileSync(join(FOLDER, `openapi-${version}.json`), 'utf8')) as { paths: Paths }).paths);
  const tooWide = routes.filter(({ versions }) => versions.includes(version)).flatMap((route) => {
    const operation = paths.find(([path]) => template(path) === template(route.path))?.[1][route.method.toLowerCase()];
    const tables = operation?.['x-ms-permissions'];
    if (!tables) return [];
    return (['delegated', 'application'] as const).flatMap((kind) => {
      const listed = new Set([...(tables[kind]?.least ?? []), ...(tables[kind]?.higher ?? [])]);
      const name = `${kind} ${route.method} ${route.path}`;
      return (route[kind] ?? []).flatMap((one) => (typeof one === 'string' ? [one] : [...one]))
        .filter((permission) => !listed.has(permission) && !EXCEPTIONS.some((exception) => exception.route.test(name) && exception.permissions.includes(permission)))
        .map((permission) => `${name}: ${permission}`);
    });
  });
  expect(tooWide).toEqual([]);
});
