import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '..', 'docs/register-app.sh');
const dir = mkdtempSync(join(tmpdir(), 'register-'));
afterAll(() => { rmSync(dir, { recursive: true }); });

/** Stands for the Azure CLI: answers what it is asked by what was found before, and notes each call. */
const AZ = `#!/usr/bin/env bash
echo "$*" >> "$CALLS"
case "$*" in
  *"--method GET"*) echo "$FOUND" ;;
  *addPassword*) echo made-secret ;;
  *"--method POST"*) echo '{"id":"object","appId":"client"}' ;;
  "account show"*) echo tenant ;;
esac
`;
writeFileSync(join(dir, 'az'), AZ);
chmodSync(join(dir, 'az'), 0o755);

function run(found: unknown): { readonly settings: string; readonly said: string; readonly calls: string } {
  const calls = join(dir, 'calls');
  writeFileSync(calls, '');
  const { status, stdout, stderr } = spawnSync('bash', [SCRIPT, 'https://gatehouse.example.com/'], { encoding: 'utf8', env: { ...process.env, PATH: `${dir}${delimiter}${process.env['PATH'] ?? ''}`, CALLS: calls, FOUND: JSON.stringify(found) } });
  expect(status, stderr).toBe(0);
  return { settings: stdout, said: stderr, calls: readFileSync(calls, 'utf8') };
}

const has = (program: string): boolean => { try { return execFileSync('bash', ['-c', `command -v ${program}`]).length > 0; } catch { return false; } };

// What the script itself needs, beside the Azure CLI.
describe.skipIf(!has('jq') || !has('openssl'))('the script that registers the portal', () => {
  test.each([
    ['one that is not there', null],
    ['one that a run left without a secret', { id: 'object', appId: 'client', passwordCredentials: [], keyCredentials: [] }],
  ])('gives %s a secret, and prints the settings', (_what, found) => {
    const { settings, calls } = run(found);
    expect(settings.trim().split('\n').map((line) => line.replace(/=(?:\S{44}|\S{48})$/, '=…'))).toEqual([
      'PUBLIC_URL=https://gatehouse.example.com', 'ENTRA_TENANT_ID=tenant', 'ENTRA_CLIENT_ID=client', 'ENTRA_CLIENT_SECRET=made-secret', 'SESSION_KEYS=…', 'TOKEN_KEYS=…', 'LEDGER_KEY=…', 'POSTGRES_PASSWORD=…',
    ]);
    expect(calls.match(/addPassword/g)).toHaveLength(1);
  });

  test.each([['a secret', { passwordCredentials: [{}], keyCredentials: [] }], ['a certificate', { passwordCredentials: [], keyCredentials: [{}] }]])('one with %s is brought up to date, and keeps its settings', (_what, credentials) => {
    const { settings, said, calls } = run({ id: 'object', appId: 'client', ...credentials });
    expect(settings).toBe('');
    expect(said).toContain('Keep your .env as it is');
    expect(calls).toContain('--method PATCH --url https://graph.microsoft.com/v1.0/applications/object');
    expect(calls).not.toContain('addPassword');
  });
});
