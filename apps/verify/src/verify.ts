import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { checkPack, type Pack, type Report } from './check.ts';
import { notesOf } from './note.ts';
import { checkProof } from './proof.ts';
import { Unreadable, Zip } from './zip.ts';

/** What it ends with. */
export const EXIT = { sound: 0, wrong: 1, cannotTell: 2 } as const;

export const USAGE = `gatehouse-verify checks what a Gatehouse portal keeps, without the portal and without any of its code.

  gatehouse-verify PACK.zip | FOLDER     an evidence pack, or its unpacked folder
  gatehouse-verify PROOF.json            the proof of one event
  gatehouse-verify https://PORTAL        a portal that runs: reads all of its ledger

  --checkpoint FILE   a checkpoint, or a file of them, that was kept outside of the portal: nothing of it may have changed
  --key KEY           a public key that you know from elsewhere (name+id+key); otherwise that of the pack is believed
  --event SOURCE:ID   says where an event is in the ledger
  --cookie TEXT       for a portal: the cookie of a signed-in auditor; or set GATEHOUSE_COOKIE
  --quiet             says only what is wrong

Ends with 0 where all holds, 1 where something is wrong, 2 where it cannot be told.
`;

export interface Outlet {
  out(line: string): void;
  err(line: string): void;
  readonly cookie: string | undefined;
}

/** The whole program: what it is given, and the number that it ends with. */
export async function verify(args: readonly string[], { out, err, cookie }: Outlet): Promise<number> {
  let given;
  try {
    given = parseArgs({ args: [...args], allowPositionals: true, options: { checkpoint: { type: 'string', multiple: true }, key: { type: 'string', multiple: true }, event: { type: 'string' }, cookie: { type: 'string' }, quiet: { type: 'boolean' }, help: { type: 'boolean' } } });
  } catch (error) {
    err(error instanceof Error ? error.message : String(error));
    return EXIT.cannotTell;
  }
  const { values, positionals: [target, ...more] } = given;
  if (values.help === true) {
    out(USAGE);
    return EXIT.sound;
  }
  if (target === undefined || more.length > 0) {
    err(USAGE);
    return EXIT.cannotTell;
  }
  try {
    const older = [];
    for (const file of values.checkpoint ?? []) older.push(...notesOf(await readFile(file, 'utf8')));
    if (values.checkpoint && older.length === 0) throw new Unreadable(`there is no checkpoint in ${values.checkpoint.join(', ')}`);
    const report = await reportOn(target, { keys: values.key, older, event: values.event }, values.cookie ?? cookie);
    for (const line of report.problems) out(`✗ ${line}`);
    if (values.quiet !== true) for (const line of report.proved) out(`✓ ${line}`);
    for (const line of report.untold) out(`? ${line}`);
    if (report.problems.length > 0) return EXIT.wrong;
    // Which key is the portal's can only be known from elsewhere; everything else that could not be told was asked for.
    return report.untold.some((line) => !line.startsWith('Whether the key')) ? EXIT.cannotTell : EXIT.sound;
  } catch (error) {
    if (!(error instanceof Unreadable) && !(error instanceof Error && 'code' in error)) throw error;
    err(`${target} cannot be read: ${error.message}`);
    return error instanceof Unreadable ? EXIT.wrong : EXIT.cannotTell;
  }
}

async function reportOn(target: string, wish: Parameters<typeof checkPack>[1], cookie: string | undefined): Promise<Report> {
  if (/^https?:\/\//.test(target)) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'));
    try {
      const file = join(folder, 'pack.zip');
      await download(target, cookie, file);
      return await reportOn(file, { ...wish, isWhole: true }, undefined);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  if (statSync(target).isDirectory()) return checkPack(await packIn(target), wish);
  if (target.endsWith('.json')) {
    const report = checkProof(await readFile(target, 'utf8'), wish?.keys ?? []);
    if (!report) throw new Unreadable('it is no proof');
    return report;
  }
  const zip = await Zip.open(target);
  try {
    return await checkPack(zip, wish);
  } finally {
    await zip.close();
  }
}

async function download(portal: string, cookie: string | undefined, file: string): Promise<void> {
  const address = new URL('/api/ledger/pack.zip', portal);
  const answer = await fetch(address, { headers: cookie === undefined ? {} : { cookie }, redirect: 'error' }).catch((error: unknown) => {
    throw Object.assign(new Error('the portal does not answer', { cause: error }), { code: 'PORTAL' });
  });
  if (!answer.ok || !answer.body) throw Object.assign(new Error(await refusalOf(answer)), { code: 'PORTAL' });
  await pipeline(answer.body, createWriteStream(file)).catch((error: unknown) => {
    throw Object.assign(new Error('the portal broke off', { cause: error }), { code: 'PORTAL' });
  });
}

/** A folder that a pack was unpacked into: the folder above `ledger`, or that one itself. */
async function packIn(folder: string): Promise<Pack> {
  const found = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  const isInside = found.includes('checkpoint') && !found.includes('ledger/checkpoint');
  const prefix = isInside ? 'ledger/' : '';
  return {
    names: found.map((name) => `${prefix}${name}`),
    stream: (name) => createReadStream(join(folder, name.slice(prefix.length)), { highWaterMark: 1 << 18 }),
  };
}

async function refusalOf(answer: Response): Promise<string> {
  if (answer.status !== 401 && answer.status !== 403) return `the portal answered ${answer.status}`;
  const text = await answer.text();
  if (text.includes('"sign-in-time-unknown"')) return 'the portal gives a ledger of this size within ten minutes of a sign-in only, and Microsoft Entra does not tell it when that was: its page Sync & health says what to mend';
  return text.includes('"step-up-required"')
    ? 'the portal gives a ledger of this size within ten minutes of a sign-in only: sign in anew, and give the new cookie'
    : 'the portal wants an auditor who is signed in: give their cookie with --cookie';
}
