import { parseArgs } from 'node:util';
import { apply, plan } from './batch.ts';
import { drift } from './drift.ts';
import { exportSetups } from './export.ts';
import type { KeptSessions } from './kept-sessions.ts';
import { connect, originOf, type Portal } from './portal.ts';
import { signIn, signOut } from './sign-in.ts';
import { CommandError, EXIT, type Terminal } from './terminal.ts';

export const USAGE = `Usage: gatehouse COMMAND [options]

  sign-in                Sign in by way of a browser; lasts 8 h, or 30 min without use
  sign-out               End that
  plan   -f FILE         Say what applying the file would change; changes nothing
  apply  -f FILE         Apply the file, after a question
  export -f FILE         Write all setups into a YAML file
  drift  [-f FILE]       Say where the tenant is not what the setups say: all, or those of a file

  -f, --file FILE        Setups as .csv, .yaml, .yml or .json
      --template FILE    YAML of one setup, for the rows of a CSV file
      --portal URL       The portal; else GATEHOUSE_PORTAL, else http://localhost:3000
      --json             Print one JSON document instead of lines
      --yes              Apply without a question, also what cannot be undone
      --force            Let export replace a file
  -h, --help             Show this

Exit codes: 0 nothing to do or to say; 2 changes (to make, made, or found by drift);
1 an error, or a row that is refused or blocked; 130 stopped by Ctrl-C.`;

const OPTIONS = {
  'file': { type: 'string', short: 'f' }, 'template': { type: 'string' }, 'portal': { type: 'string' },
  'json': { type: 'boolean' }, 'yes': { type: 'boolean' }, 'force': { type: 'boolean' }, 'help': { type: 'boolean', short: 'h' },
} as const;
type Options = { [K in keyof typeof OPTIONS]?: ((typeof OPTIONS)[K]['type'] extends 'string' ? string : boolean) | undefined };

export interface CliDeps {
  readonly terminal: Terminal;
  readonly sessions: KeptSessions;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the person is shown who allows this machine. */
  readonly deviceName: string;
}

interface Command {
  /** Options that it takes beside --portal and --json. */
  readonly takes: readonly (keyof Options)[];
  readonly needsFile: boolean;
  readonly run: (at: { terminal: Terminal; origin: string; deps: CliDeps; portal: () => Portal; options: Options }) => Promise<{ exit: number; json: unknown }>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'sign-in': { takes: [], needsFile: false, run: ({ terminal, origin, deps }) => signIn({ terminal, origin, sessions: deps.sessions }, deps.deviceName) },
  'sign-out': { takes: [], needsFile: false, run: ({ terminal, origin, deps }) => signOut({ terminal, origin, sessions: deps.sessions }) },
  'plan': { takes: ['file', 'template'], needsFile: true, run: ({ terminal, portal, options }) => plan(terminal, portal(), { file: options.file ?? '', template: options.template }) },
  'apply': { takes: ['file', 'template', 'yes'], needsFile: true, run: ({ terminal, portal, options }) => apply(terminal, portal(), { file: options.file ?? '', template: options.template, yes: options.yes ?? false }) },
  'export': { takes: ['file', 'force'], needsFile: true, run: ({ terminal, portal, options }) => exportSetups(terminal, portal(), { file: options.file ?? '', force: options.force ?? false }) },
  'drift': { takes: ['file', 'template'], needsFile: false, run: ({ terminal, portal, options }) => drift(terminal, portal(), options.file === undefined ? undefined : { file: options.file, template: options.template }) },
};

/** Runs one command, and answers its exit code. Everything that goes wrong is said in a sentence. */
export async function run(args: readonly string[], deps: CliDeps): Promise<number> {
  const asJson = args.includes('--json');
  // With --json the lines go beside the result, which is one document.
  const terminal: Terminal = asJson ? { ...deps.terminal, out: (line) => { deps.terminal.err(line); } } : deps.terminal;
  const print = (json: unknown): void => { if (asJson) deps.terminal.out(JSON.stringify(json, null, 2)); };
  try {
    const { command, name, options } = parsed(args);
    if (command === undefined) {
      deps.terminal.out(USAGE);
      return EXIT.nothing;
    }
    const origin = originOf(options.portal ?? (deps.env['GATEHOUSE_PORTAL'] || 'http://localhost:3000'));
    const portal = (): Portal => connect(terminal, origin, tokenOf(deps, origin));
    const { exit, json } = await command.run({ terminal, origin, deps, portal, options });
    print({ command: name, exit, ...(json as object) });
    return exit;
  } catch (error) {
    if (deps.terminal.signal.aborted) {
      terminal.err('Stopped.');
      return EXIT.stopped;
    }
    const { message, problem } = error instanceof CommandError ? error : new CommandError(`This command failed in a way that it does not know: ${error instanceof Error ? error.message : String(error)}`);
    terminal.err(`gatehouse: ${message}`);
    print({ exit: EXIT.error, error: { message, ...(problem && { problem }) } });
    return EXIT.error;
  }
}

function parsed(args: readonly string[]): { command: Command | undefined; name: string; options: Options } {
  let options: Options;
  let positionals: string[];
  try {
    ({ values: options, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true }));
  } catch (error) {
    throw new CommandError(`${ofOptions(error)} See gatehouse --help.`);
  }
  const [name = '', ...rest] = positionals;
  if (options.help || args.length === 0 || name === 'help') return { command: undefined, name, options };
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new CommandError(`${name === '' ? 'Name a command' : `There is no command "${name}"`}. See gatehouse --help.`);
  if (rest.length > 0) throw new CommandError(`"${rest[0] ?? ''}" is not expected. A file is named with -f.`);
  const wrong = (Object.keys(options) as (keyof Options)[]).find((option) => option !== 'portal' && option !== 'json' && !command.takes.includes(option));
  if (wrong !== undefined) throw new CommandError(`${name} takes no --${wrong}. See gatehouse --help.`);
  if (command.needsFile && options.file === undefined) throw new CommandError(`${name} needs a file: gatehouse ${name} -f FILE.`);
  if (options.template !== undefined && options.file === undefined) throw new CommandError('A template is for the rows of a CSV file. Name it with -f.');
  return { command, name, options };
}

/** What is wrong with the options, in our words: those of Node name its own notation. */
function ofOptions(error: unknown): string {
  const said = error instanceof Error ? error.message : '';
  const [option = ''] = /--[\w-]+/.exec(said) ?? [];
  if (error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return /does not take/.test(said) ? `${option} takes no value.` : `${option} needs a value.`;
  return `${said.split('. ')[0] ?? ''}.`;
}

function tokenOf({ sessions, terminal }: CliDeps, origin: string): string {
  const kept = sessions.of(origin);
  if (!kept || Date.parse(kept.expiresAt) <= terminal.now().getTime()) throw new CommandError(`Nobody is signed in at ${origin}${kept ? ' any more' : ''}. Run: gatehouse sign-in --portal ${origin}`);
  return kept.token;
}
