import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../apps/api/src/config.ts';
import { seedTenant } from '../packages/entra-emulator/src/seed/seed.ts';
import { scopesOf, type ScopeSet } from '../apps/api/src/identity/scopes.ts';

const ROOT = join(import.meta.dirname, '..');
const eslint = new ESLint({ cwd: ROOT });

async function complaints(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, file) });
  return (result?.messages ?? []).map(({ ruleId }) => ruleId ?? 'parse');
}

describe('who may import whom: one violation of each rule', () => {
  test.each([
    ['contracts', 'packages/contracts/src/made-up.ts', 'express'],
    ['graph', 'packages/graph/src/made-up.ts', '@gatehouse/contracts'],
    ['the emulator, by the portal’s code', 'packages/entra-emulator/src/made-up.ts', '@gatehouse/graph'],
    ['the emulator, by contracts', 'packages/entra-emulator/src/made-up.ts', '@gatehouse/contracts'],
    ['the emulator, by the way to another package', 'packages/entra-emulator/src/pim/made-up.ts', '../../../graph/src/call.ts'],
    ['db', 'packages/db/src/made-up.ts', '@gatehouse/contracts'],
    ['core', 'apps/api/src/core/made-up.ts', '@gatehouse/db'],
    ['rules, by the database', 'apps/api/src/features/access/made-up.rules.ts', '@gatehouse/db'],
    ['rules, by Graph', 'apps/api/src/features/access/made-up.rules.ts', '@gatehouse/graph'],
    ['a store, by Graph', 'apps/api/src/features/access/made-up.store.ts', '@gatehouse/graph'],
    ['a service, by Express', 'apps/api/src/features/access/made-up.service.ts', 'express'],
    ['a service, by another feature’s back door', 'apps/api/src/features/access/made-up.service.ts', '../audit/audit.store.ts'],
    ['routes, by the database', 'apps/api/src/features/access/made-up.routes.ts', '@gatehouse/db'],
    ['http, by a feature', 'apps/api/src/http/made-up.ts', '../features/audit/audit.ts'],
    ['the verifier, by the contracts', 'apps/verify/src/made-up.ts', '@gatehouse/contracts'],
    ['the verifier, by a package', 'apps/verify/src/made-up.ts', 'zod'],
    ['the web’s shared code, by a feature', 'apps/web/src/lib/made-up.ts', '../features/access/access.words.ts'],
    ['a page, by another feature', 'apps/web/src/features/access/made-up.tsx', '../approvals/approvals.queries.ts'],
    ['a page, by the server', 'apps/web/src/features/access/made-up.tsx', '@gatehouse/db'],
  ])('%s', async (_title, file, module) => {
    expect(await complaints(file, `import { x } from '${module}';\nexport const y = x;\n`)).toContain('no-restricted-imports');
  });

  test('another feature’s front door is open', async () => {
    expect(await complaints('apps/api/src/features/access/made-up.service.ts', "import { record } from '../audit/audit.ts';\nexport const y = record;\n")).toEqual([]);
  });
});

describe('what else lint holds', () => {
  test.each([
    ['settings are read in one place', 'apps/api/src/features/access/made-up.service.ts', "export const x = process.env['HOME'];\n"],
    ['time is passed to services', 'apps/api/src/features/access/made-up.service.ts', 'export const x = new Date();\n'],
    ['time is passed to the Graph layer', 'packages/graph/src/made-up.ts', 'export const x = Date.now();\n'],
    ['our own modules are not mocked', 'apps/api/src/features/access/made-up.test.ts', "import { vi } from 'vitest';\nvi.mock('./access.ts');\n"],
  ])('%s', async (_title, file, code) => {
    expect(await complaints(file, code)).toContain('no-restricted-syntax');
  });
});

describe('what the app registration grants is what the code asks for', () => {
  const rows = readFileSync(join(ROOT, 'docs/permissions.tsv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split('\t'));
  const granted = rows.filter(([kind]) => kind === 'delegated').map(([, name]) => name);

  test('every scope of the code is granted, and none besides', () => {
    const sets = Object.keys({ 'sign-in': true, 'access': true, 'end-access': true, 'ask-for-eligibility': true, 'approvals': true, 'setup': true } satisfies Record<ScopeSet, true>) as ScopeSet[]; // one that is forgotten does not compile
    expect([...new Set(sets.flatMap((set) => scopesOf(set)))].sort()).toEqual([...granted].sort());
  });

  test('the emulated tenant grants these and no more, so what works there works with them', () => {
    const [registration] = seedTenant('demo', new Date('2026-03-02T09:00:00Z')).applications.flatMap((application) => (application.registration ? [application.registration] : []));
    for (const [kind, given] of [['delegated', registration?.delegatedScopes], ['application', registration?.applicationRoles]] as const) {
      expect([...(given ?? [])].sort(), kind).toEqual(rows.filter(([one]) => one === kind).map(([, name]) => name).sort());
    }
  });

  test('each has an id and a reason, and stands in the guide', () => {
    const guide = readFileSync(join(ROOT, 'docs/connect-a-tenant.md'), 'utf8');
    for (const [kind, name, id, why] of rows) {
      expect(id, name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(guide, name).toContain(`| ${kind} | \`${name}\` | ${why} |`);
    }
  });

  test('the background identity only reads', () => {
    expect(rows.filter(([kind, name]) => kind === 'application' && /Write|Create|Remove/.test(name ?? ''))).toEqual([]);
  });
});

describe('a setting of the file .env reaches the portal', () => {
  /** What the compose file does not hand on, and why. */
  const NOT_HANDED_ON = new Map([
    ['PORT', 'the image says it, and the compose file publishes it'],
    ['DATA_DIR', 'the image says it, and the compose file mounts it'],
    ['EMULATOR_URL', 'a portal with a tenant talks to no emulator'],
    ['LEDGER_WEBHOOK_KIND', 'there is one kind'],
    ['npm_lifecycle_event', 'npm says it, nobody sets it'],
  ]);
  /** Every name that is asked for, on the emulated tenant and on a real one. */
  const read = new Set([{}, { ENTRA_TENANT_ID: '11111111-1111-4111-8111-111111111111' }].flatMap((given: Readonly<Record<string, string>>) => {
    const names: string[] = [];
    // What is missing beside the tenant is complained of, once all was read.
    try { parseConfig(new Proxy(given, { get: (target, name) => (names.push(String(name)), target[String(name)]) })); } catch { /* see above */ }
    return names;
  }));
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const portal = compose.slice(compose.indexOf('\n  portal:'), compose.indexOf('\n  postgres:'));
  const handedOn = [...portal.matchAll(/^ {6}([A-Z_]+): (.*)$/gm)];

  test('each that the portal reads is handed on by the compose file, or there is a reason', () => {
    expect(handedOn.map(([, name]) => name).concat([...NOT_HANDED_ON.keys()]).sort()).toEqual([...read].sort());
  });

  test('each comes from the file by its own name', () => {
    for (const [, name, value] of handedOn) expect(value, name).toContain(name === 'DATABASE_URL' ? '${POSTGRES_PASSWORD:' : `\${${name}:`);
  });

  test('each stands in the guide', () => {
    const guide = readFileSync(join(ROOT, 'docs/connect-a-tenant.md'), 'utf8');
    for (const [, name] of handedOn) expect(guide).toMatch(new RegExp(`^\\| .*\`${name}\``, 'm'));
  });
});
