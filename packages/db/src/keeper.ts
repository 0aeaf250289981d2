/**
 * Holds a PostgreSQL server for the process at the other end of its standard input. When that end closes, because the
 * process asked for it or died, the server is stopped ("fast": transactions are rolled back, the cluster is clean).
 */
import { spawn } from 'node:child_process';

/** How long a "fast" stop may take before an "immediate" one, from which the next start recovers. */
const PATIENCE_MS = 30_000;

// `unshare` turns into the server, so that the child is the server in either case.
const { command, uid, gid } = JSON.parse(process.argv[2] ?? '{}') as { command: string[]; uid?: number; gid?: number };
const [program = '', ...args] = command;
const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...(uid !== undefined && gid !== undefined && { uid, gid }) });
server.once('error', () => process.exit(1));
server.once('exit', (code) => process.exit(code ?? 1));

function stop(): void {
  server.kill('SIGINT');
  setTimeout(() => server.kill('SIGQUIT'), PATIENCE_MS).unref();
}

process.stdin.resume();
process.stdin.once('end', stop);
process.stdin.once('error', stop);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// What the portal no longer reads must not end the keeper before the server.
process.stderr.on('error', () => {});
