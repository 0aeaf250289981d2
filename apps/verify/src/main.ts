import { EXIT, verify } from './verify.ts';

// Whoever reads the result has read enough, as `head` does.
process.stdout.on('error', () => { process.exit(EXIT.cannotTell); });

process.exitCode = await verify(process.argv.slice(2), {
  out: (line) => { process.stdout.write(`${line}\n`); },
  err: (line) => { process.stderr.write(`${line}\n`); },
  cookie: process.env['GATEHOUSE_COOKIE'],
});
