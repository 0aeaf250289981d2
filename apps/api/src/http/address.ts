import { isIP } from 'node:net';
import type { Request } from 'express';

/**
 * Where the request came from: who is connected to the portal, or, where that is a proxy which the settings trust, whom it
 * names. Nobody else's `X-Forwarded-For` is read, so that nobody chooses the address that is shown and counted.
 */
export function addressOf(req: Request): string {
  return [req.ip, req.socket.remoteAddress].map((address) => bare(address ?? '')).find((address) => isIP(address) !== 0) ?? 'unknown';
}

/** Without what is no address: the prefix of an IPv4 address on an IPv6 socket, a zone, and the port that some proxies add. */
function bare(address: string): string {
  const host = /^\[(?<v6>[^\]]*)\](?::\d+)?$/.exec(address)?.groups?.['v6'] ?? /^(?<v4>[\d.]+):\d+$/.exec(address)?.groups?.['v4'] ?? address;
  return host.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
}
