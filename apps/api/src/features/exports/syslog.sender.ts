import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface SyslogSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Certificates of the authorities that the receiver's is checked against, as PEM; unless said, those that Node trusts. */
  readonly ca?: string | undefined;
}

/** Hands frames to the receiver; resolves when it has read them all, and rejects where that is not known. */
export type SendSyslog = (frames: readonly Buffer[]) => Promise<void>;

/** How long the receiver may take to answer, to take what is sent, and to end. */
const PATIENCE_MS = 15_000;

/**
 * A connection each time. Syslog has no answers: what is written to a socket may lie in a buffer when the receiver goes.
 * So our side is ended, and what was sent counts when the receiver, having read to that end, has ended its own.
 */
export function createSyslogSender({ host, port, tls, ca }: SyslogSettings): SendSyslog {
  return async (frames) => {
    const socket: Socket = tls ? connectTls({ host, port, ...(ca !== undefined && { ca }), servername: host, minVersion: 'TLSv1.2' }) : connectTcp({ host, port });
    let handedOver = false;
    let readToTheEnd = false;
    const failed = new Promise<never>((_resolve, reject) => {
      socket.on('error', reject);
      socket.setTimeout(PATIENCE_MS, () => { socket.destroy(new Error('the receiver does not answer')); });
      // One that ends before everything was handed over has not read it.
      socket.once('end', () => { readToTheEnd = handedOver; });
      socket.once('close', () => { if (!readToTheEnd) reject(new Error('the receiver closed the connection before it had all')); });
    });
    // Where nothing waits for it any more, its rejection is nobody's.
    failed.catch(() => undefined);
    const once = (event: string): Promise<void> => new Promise((resolve) => { socket.once(event, () => { resolve(); }); });
    try {
      await Promise.race([once(tls ? 'secureConnect' : 'connect'), failed]);
      socket.resume();
      for (const frame of frames) if (!socket.write(frame)) await Promise.race([once('drain'), failed]);
      socket.end(() => { handedOver = true; });
      await Promise.race([once('close'), failed]);
    } finally {
      socket.destroy();
    }
  };
}
