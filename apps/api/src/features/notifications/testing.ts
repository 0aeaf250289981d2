import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** One POST that the receiver got. */
export interface Received { readonly headers: IncomingHttpHeaders; readonly body: string }

/** What the receiver answers: a status, one with a header, or nothing ever. */
export type AnswerTo = (request: Received, count: number) => number | { readonly status: number; readonly headers: Record<string, string> } | 'nothing' | Promise<number>;

/** A webhook's receiver on loopback, which answers as it is told. */
export async function startReceiver() {
  const received: Received[] = [];
  const behaviour: { answer: AnswerTo } = { answer: () => 204 };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const request = { headers: req.headers, body: Buffer.concat(chunks).toString('utf8') };
      received.push(request);
      void Promise.resolve(behaviour.answer(request, received.length)).then((answer) => {
        if (answer === 'nothing') return;
        const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
        res.writeHead(status, headers).end();
      });
    });
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`, received, behaviour,
    down: close,
    up: () => listen(port),
    async [Symbol.asyncDispose]() { if (server.listening) await close(); },
  };
}

/** A mail that the server took. */
export interface TakenMail { readonly from: string; readonly to: readonly string[]; readonly text: string }

/** A mail server on loopback; `refuse` answers a recipient with a code. */
export async function startMailServer(options: SMTPServerOptions = {}) {
  const taken: TakenMail[] = [];
  const behaviour: { refuse: (address: string) => number | undefined } = { refuse: () => undefined };
  const server = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS'], logger: false,
    onRcptTo({ address }, _session, done) {
      const code = behaviour.refuse(address);
      done(code === undefined ? null : Object.assign(new Error('not this one'), { responseCode: code }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        taken.push({ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString('utf8') });
        done();
      });
    },
    ...options,
  });
  // A client that hangs up on a certificate is what a test is about.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port, taken, behaviour,
    async [Symbol.asyncDispose]() { await new Promise<void>((resolve) => { server.close(() => { resolve(); }); }); },
  };
}
