import { mkdirSync } from 'node:fs';
import { DatabaseRefusal } from '@gatehouse/db';
import { TenantStateRefusal } from '@gatehouse/entra-emulator';
import { pino } from 'pino';
import { ConfigError, parseConfig, type Config } from './config.ts';
import { startPortal, type Portal } from './compose.ts';
import { KeysRefusal } from './keys.ts';
import { whenNpmIsGone } from './launcher.ts';

/** What is wrong with the machine or the settings, and not with us: said in a sentence, without a stack. */
const REFUSED = 2;
/** After that the process ends, whatever has not stopped by then. */
const STOP_WITHIN_MS = 15_000;

async function main(): Promise<void> {
  const config = configOrExit();
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  let portal: Portal | undefined;
  let stopping = false;
  const stop = async (code: number): Promise<never> => {
    stopping = true;
    // A second signal, or a part that hangs, must not keep the process for ever.
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    await portal?.stop();
    process.exit(code);
  };
  const onSignal = (signal: string): void => {
    if (stopping) return;
    log.info({ signal }, 'stopping');
    void stop(0);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The terminal is gone: what it would have shown is gone with it, the portal goes on to stop in order.
  process.on('SIGHUP', onSignal);

  if (config.startedByNpm) whenNpmIsGone(() => { onSignal('npm is gone'); });

  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    portal = await startPortal(config, log);
  } catch (error) {
    const sentence = refusal(error, config);
    if (sentence === undefined) {
      log.fatal({ err: error }, 'the portal could not start');
      process.exit(1);
    }
    console.error(sentence);
    process.exit(REFUSED);
  }
  if (!stopping) console.log(portal.greeting);
  const reason = await portal.broken;
  if (stopping) return;
  console.error(`Gatehouse stops: ${reason}`);
  await stop(1);
}

function configOrExit(): Config {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`Gatehouse did not start: ${error.problems.length === 1 ? 'a setting is' : `${error.problems.length} settings are`} wrong.\n${error.problems.map((problem) => `  - ${problem}`).join('\n')}`);
    process.exit(REFUSED);
  }
}

function refusal(error: unknown, config: Config): string | undefined {
  if (error instanceof DatabaseRefusal || error instanceof TenantStateRefusal || error instanceof KeysRefusal) return `Gatehouse did not start: ${error.message}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const port = error instanceof Error && 'port' in error ? String(error.port) : String(config.port);
  if (code === 'EADDRINUSE') return `Gatehouse did not start: port ${port} is taken. Stop what uses it, or choose another with PORT=3100 npm start.`;
  if (code === 'EACCES' && error instanceof Error && 'syscall' in error && String(error.syscall) === 'listen') return `Gatehouse did not start: this user may not listen on port ${port}. Choose one above 1023 with PORT.`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR' || code === 'ENAMETOOLONG' || code === 'ELOOP') return `Gatehouse did not start: the data folder ${config.dataDir} cannot be written. Give its owner the right to, or choose another with DATA_DIR.`;
  if (code === 'ENOENT' && error instanceof Error && 'syscall' in error && error.syscall === 'mkdir') return `Gatehouse did not start: the data folder ${config.dataDir} cannot be made, for what it lies in is not there. Make that, or choose another with DATA_DIR.`;
  if (code === 'ENOSPC') return `Gatehouse did not start: the disk that holds ${config.dataDir} is full. Free some space, or choose another folder with DATA_DIR.`;
  return undefined;
}

await main();
