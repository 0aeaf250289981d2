import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net';
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

/** A server that takes every connection and never says a word. */
export async function startSilence() {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

/** A certificate of an IPv4 address that vouches for itself, good for an hour around now, in PEM. */
export function certificateFor(address: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const time = (ms: number): Buffer => der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`));
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const name = der(0x30, der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from('Mail server of a test')))));
  const isAuthority = der(0x30, der(0x06, Buffer.from('551d13', 'hex')), der(0x01, Buffer.from([0xff])), der(0x04, der(0x30, der(0x01, Buffer.from([0xff])))));
  const addresses = der(0x30, der(0x06, Buffer.from('551d11', 'hex')), der(0x04, der(0x30, der(0x87, Buffer.from(address.split('.').map(Number))))));
  const signed = der(0x30,
    der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, Buffer.from([1])), ecdsaWithSha256, name,
    der(0x30, time(Date.now() - 1_800_000), time(Date.now() + 1_800_000)), name, publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, isAuthority, addresses)));
  const whole = der(0x30, signed, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign('sha256', signed, privateKey)));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n` };
}

/** One value in DER (X.690): its kind, its length, what it is made of. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** A mail that the server took. */
export interface TakenMail { readonly from: string; readonly to: readonly string[]; readonly text: string; readonly secure: boolean }

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
        taken.push({ secure: session.secure, from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString('utf8') });
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
