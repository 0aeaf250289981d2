import { CheckAllSetups, CheckSetup, GetSession, ListDrift, type SetupDrift } from '@gatehouse/contracts';
import { isPlanned, notWhole, planned, printPlan, type BatchWish } from './batch.ts';
import type { Portal } from './portal.ts';
import { CommandError, counted, EXIT, instant, plain, type Terminal } from './terminal.ts';

const LOOK_EVERY_MS = 2_000;
/** How long the background may take to compare everything. */
const PATIENCE_MS = 10 * 60_000;

interface Compared {
  readonly setups: readonly SetupDrift[];
  /** Setups of the file that the portal does not have. */
  readonly missing: readonly { readonly line: number; readonly name: string }[];
  /** Setups that could not be compared now. */
  readonly notCompared: readonly string[];
}

/** Compares the tenant with the setups, all or those of a file, and says where it differs, by whom and since when. */
export async function drift(terminal: Terminal, portal: Portal, wish: BatchWish | undefined): Promise<{ exit: number; json: unknown }> {
  const compared = wish ? await comparedWithFile(terminal, portal, wish) : await comparedAll(terminal, portal);
  print(terminal, compared);
  const differs = compared.missing.length > 0 || compared.setups.some(({ differences }) => differences.length > 0);
  const blind = compared.notCompared.length > 0 || compared.setups.some(({ failure }) => failure !== null);
  // What was not looked at is no "nothing".
  return { exit: differs ? EXIT.changes : blind ? EXIT.error : EXIT.nothing, json: compared };
}

/** The background compares with its own, read-only identity; what it found since is taken. */
async function comparedAll(terminal: Terminal, portal: Portal): Promise<Compared> {
  // By the portal's own clock: the looks that count are those after it.
  const { now } = await portal.call(GetSession, {});
  const asked = Date.parse(now);
  const { setups: count } = await portal.call(CheckAllSetups, { body: {} });
  const until = terminal.now().getTime() + PATIENCE_MS;
  const fresh = ({ lookedAt }: SetupDrift): boolean => lookedAt !== null && Date.parse(lookedAt) >= asked;
  if (terminal.interactive) terminal.err(`Comparing ${counted(count, 'setup')}`);
  for (;;) {
    const { setups } = await portal.look(ListDrift, {});
    const stale = setups.filter((setup) => !fresh(setup) && setup.failure === null);
    if (stale.length === 0 || terminal.now().getTime() >= until) return { setups, missing: [], notCompared: stale.map(({ name }) => name) };
    await terminal.sleep(LOOK_EVERY_MS);
  }
}

/** The portal reads the file, as it does for a plan: which setups are in it is its to say. Each is compared on the person's own token. */
async function comparedWithFile(terminal: Terminal, portal: Portal, wish: BatchWish): Promise<Compared> {
  const batch = await planned(terminal, portal, wish);
  if (!isPlanned(batch) || batch.rows.some(({ status }) => status === 'refused')) {
    printPlan(terminal, batch);
    throw new CommandError(`Nothing was compared. ${isPlanned(batch) ? 'Mend the rows that are refused first.' : notWhole(batch, 'drift')}`);
  }
  const setups: SetupDrift[] = [];
  for (const setupId of new Set(batch.rows.flatMap((row) => row.setupId ?? []))) setups.push(await portal.call(CheckSetup, { params: { setupId }, body: {} }));
  return { setups, missing: batch.rows.filter(({ setupId }) => setupId === null).map(({ line, name }) => ({ line, name })), notCompared: [] };
}

function print(terminal: Terminal, { setups, missing, notCompared }: Compared): void {
  for (const { name, lookedAt, differences, notSeen, failure } of setups) {
    if (differences.length === 0 && failure === null) continue;
    terminal.out(`${plain(name)}  ${counted(differences.length, 'difference')}${lookedAt === null ? ', not compared yet' : `, compared ${instant(lookedAt)}`}`);
    for (const { severity, title, expected, found, firstSeenAt, by, mend } of differences) {
      terminal.out(`  ${severity}: ${plain(title)}`);
      terminal.out(`    setup: ${plain(expected)}; tenant: ${plain(found)}`);
      terminal.out(`    ${by ? `by ${plain(by.name)} at ${instant(by.at)}` : 'by whom is not known'}, first seen ${instant(firstSeenAt)}`);
      if (mend !== null) terminal.out(`    ${plain(mend)}`);
    }
    if (failure !== null) terminal.out(`  ${plain(failure)}`);
    for (const sentence of notSeen) terminal.out(`  not seen: ${plain(sentence)}`);
  }
  for (const { line, name } of missing) terminal.out(`line ${line}  ${plain(name)}  is no setup yet`);
  for (const name of notCompared) terminal.out(`${plain(name)}  could not be compared now`);
  const differ = setups.filter(({ differences }) => differences.length > 0);
  terminal.out(`${counted(setups.length + missing.length, 'setup')}: ${differ.length} differ in ${counted(differ.reduce((sum, { differences }) => sum + differences.length, 0), 'point')}${missing.length > 0 ? `, ${missing.length} not set up` : ''}.`);
}
