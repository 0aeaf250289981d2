import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { SignInState } from './oidc/server.ts';
import type { SigningKey } from './oidc/tokens.ts';
import type { Tenant } from './tenant.ts';

/** Everything that a restart must find again. */
export interface Snapshot { version: 1; tenant: Tenant; offsetMs: number; /** The tenant's time; where its clock stands still it stands there again. */ now?: string; key: SigningKey; signIn: SignInState }

/** A state file that is not one: the message is a sentence for whoever starts the tenant. Nothing was changed. */
export class TenantStateRefusal extends Error {
  override readonly name = 'TenantStateRefusal';
}

const list = z.array(z.looseObject({}));
const identified = z.array(z.looseObject({ id: z.string() }));
/** The shape in the large: enough to tell a state of ours from any other file. */
const Shape = z.looseObject({
  tenant: z.looseObject({
    id: z.string(), displayName: z.string(), domain: z.string(), users: identified, groups: identified, applications: identified, servicePrincipals: identified, appRoleAssignments: identified, connectorGroups: identified,
    forwardingProfiles: identified, authenticationContexts: identified, pim: z.looseObject({ requests: identified, schedules: identified, policies: identified, approvals: identified }), directoryAudits: list,
  }),
  offsetMs: z.number(),
  now: z.iso.datetime().optional(),
  key: z.looseObject({ kid: z.string(), privateJwk: z.looseObject({ kty: z.string() }), publicJwk: z.looseObject({ kty: z.string() }) }),
  signIn: z.looseObject({ sessions: z.record(z.string(), z.looseObject({ userId: z.string() })), refreshTokens: z.record(z.string(), z.looseObject({ clientId: z.string() })) }),
});

/** What was kept in the file, or nothing where there is no file yet; throws `TenantStateRefusal` where it is something else. */
export function readSnapshot(file: string): Snapshot | undefined {
  if (!existsSync(file)) return undefined;
  const remedy = `Put it back from a backup, or move it away to begin with a new tenant. Nothing was changed.`;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new TenantStateRefusal(`the file ${file}, which keeps the emulated tenant, is damaged. ${remedy}`);
  }
  const version = z.looseObject({ version: z.number() }).safeParse(content);
  if (version.success && version.data.version > 1) throw new TenantStateRefusal(`the file ${file}, which keeps the emulated tenant, was written by a newer Gatehouse. Start that one, or move the file away to begin with a new tenant. Nothing was changed.`);
  if (version.data?.version !== 1 || !Shape.safeParse(content).success) throw new TenantStateRefusal(`the file ${file} does not hold an emulated tenant. ${remedy}`);
  return content as Snapshot;
}

/** A file that is replaced as a whole is never half written, wherever the process is killed. */
export function writeSnapshot(file: string, snapshot: Snapshot): void {
  writeFileSync(`${file}.new`, JSON.stringify(snapshot), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
