import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { CommandError } from './terminal.ts';

const KeptSession = z.object({ token: z.string(), expiresAt: z.string(), userPrincipalName: z.string() });
export type KeptSession = z.infer<typeof KeptSession>;
const File = z.record(z.string(), KeptSession);

/** Tokens by the portal's origin, in a file of the person's that nobody else reads. */
export interface KeptSessions {
  of(origin: string): KeptSession | undefined;
  keep(origin: string, session: KeptSession): void;
  forget(origin: string): void;
}

/** Where programs keep what is a person's (XDG Base Directory): a relative `XDG_CONFIG_HOME` is as none. */
export function configDir(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['XDG_CONFIG_HOME'];
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), '.config'), 'gatehouse');
}

export function keptSessions(dir: string): KeptSessions {
  const path = join(dir, 'sessions.json');

  const read = (): z.infer<typeof File> => {
    if (!existsSync(path)) return {};
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) throw new CommandError(`Others can read ${path}, which holds tokens that act as you. Run: chmod 600 ${path}`);
    const content = File.safeParse(parsedJson(readFileSync(path, 'utf8')));
    if (!content.success) throw new CommandError(`${path} does not hold what this command keeps there. Remove it, and sign in again.`);
    return content.data;
  };
  const write = (all: z.infer<typeof File>): void => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // Whole or not at all, and never readable by others, not even for a moment.
    const whole = `${path}.${process.pid}.new`;
    writeFileSync(whole, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600, flush: true });
    chmodSync(whole, 0o600);
    renameSync(whole, path);
  };

  return {
    of: (origin) => read()[origin],
    keep: (origin, session) => { write({ ...read(), [origin]: session }); },
    forget: (origin) => {
      const { [origin]: gone, ...rest } = read();
      if (gone !== undefined) write(rest);
    },
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
