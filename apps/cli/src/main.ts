import { hostname } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './cli.ts';
import { configDir, keptSessions } from './kept-sessions.ts';
import { EXIT, type Terminal } from './terminal.ts';

const stopping = new AbortController();
const stop = (): void => {
  // The second time nobody waits for anything to end in order.
  if (stopping.signal.aborted) process.exit(EXIT.stopped);
  stopping.abort();
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
// Whoever reads the result has read enough, as `head` does.
process.stdout.on('error', () => { process.exit(EXIT.error); });

const terminal: Terminal = {
  interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  signal: stopping.signal,
  out: (line) => { process.stdout.write(`${line}\n`); },
  err: (line) => { process.stderr.write(`${line}\n`); },
  async ask(question) {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    lines.on('SIGINT', stop);
    // A closed input is an answer too, and not yes.
    const closed = new Promise<string>((resolve) => { lines.once('close', () => { resolve(''); }); });
    try {
      return await Promise.race([lines.question(question, { signal: stopping.signal }), closed]);
    } finally {
      lines.close();
    }
  },
  sleep: async (ms) => { await sleep(ms, undefined, { signal: stopping.signal }); },
  now: () => new Date(),
};

process.exitCode = await run(process.argv.slice(2), { terminal, sessions: keptSessions(configDir(process.env)), env: process.env, deviceName: (hostname().replace(/\P{ASCII}|\p{C}/gu, '') || 'A command line').slice(0, 100) });
