import type { ApplicationKind, Segment } from '@gatehouse/contracts';

/** Where somebody wants to connect to: one machine, by name or IPv4 address. */
export interface Destination {
  readonly host: string;
  /** `undefined`: it was not said, so any port may be meant. */
  readonly port: number | undefined;
  /** `undefined`: TCP or UDP. */
  readonly protocol: 'tcp' | 'udp' | undefined;
}

/** What an application has to be known by, to say what it takes. */
export interface Published {
  readonly id: string;
  readonly kind: ApplicationKind;
  readonly segments: readonly Segment[];
}

/** The port that an address of this scheme means where it names none. */
const PORTS: Readonly<Record<string, number>> = {
  http: 80, https: 443, ws: 80, wss: 443, ftp: 21, ssh: 22, sftp: 22, telnet: 23, ldap: 389, ldaps: 636, smb: 445, mssql: 1433, sqlserver: 1433, mysql: 3306, rdp: 3389, postgres: 5432, postgresql: 5432, vnc: 5900,
};
const LONGEST = 300;

/**
 * `host`, `host:port`, `host:port/udp`, an address such as `https://host/page` or a share such as `\\host\folder` as a
 * destination. `undefined` for what names no single machine: a pattern, a range, an IPv6 address, or nothing at all.
 */
export function parseDestination(text: string): Destination | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === '' || wanted.length > LONGEST || /^[\d.]+\/\d+$/.test(wanted)) return undefined;
  const share = /^\\\\([^\\]+)(?:\\.*)?$/.exec(wanted);
  if (share) return destination(share[1] ?? '', PORTS['smb'], 'tcp');

  const [, scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/.exec(wanted) ?? [];
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/.exec(rest) ?? [];
  const [, host = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? [];
  const said = scheme === 'tcp' || scheme === 'udp' ? scheme : scheme === undefined && (path === '/tcp' || path === '/udp') ? (path.slice(1) as 'tcp' | 'udp') : undefined;
  const usual = scheme === undefined ? undefined : PORTS[scheme];
  return destination(host, port === undefined ? usual : Number(port), said ?? (usual === undefined ? undefined : 'tcp'));
}

function destination(name: string, port: number | undefined, protocol: Destination['protocol']): Destination | undefined {
  const host = name.replace(/\.$/, '');
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const looksLikeAddress = /^[\d.]+$/.test(host);
  const isName = host.length <= 253 && host.split('.').every((label) => /^[\p{L}\p{N}_](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?$/u.test(label));
  return (looksLikeAddress ? ipv4(host) !== undefined : isName) ? { host, port, protocol } : undefined;
}

/** As people write it: `fin-rep.corp.example:443`. */
export const writeDestination = ({ host, port, protocol }: Destination): string => `${host}${port === undefined ? '' : `:${port}`}${protocol === 'udp' ? '/udp' : ''}`;

/**
 * The applications that take a connection to the destination, in the order in which Private Access prefers them: one of
 * its own before Quick Access; then a name in full before a pattern, a longer pattern before a shorter one, fewer
 * addresses before more. Those between which it does not choose stand in one tier. Only the first tier gets the traffic
 * of one port; of a destination without a port the others may be meant as well.
 */
export function tiersFor<A extends Published>(wanted: Destination, applications: readonly A[]): readonly (readonly A[])[] {
  const taking = applications.flatMap((application) => {
    const breadth = Math.min(...application.segments.map((segment) => breadthOf(segment, wanted)));
    return breadth === Infinity ? [] : [{ application, breadth, last: application.kind === 'per-app' ? 0 : 1 }];
  });
  const tiers = Map.groupBy(taking.sort((a, b) => a.last - b.last || a.breadth - b.breadth), ({ last, breadth }) => `${last} ${breadth}`);
  return [...tiers.values()].map((tier) => tier.map(({ application }) => application));
}

/** How much more than the destination the segment takes: 0 where its host is named in full, infinite where it is not taken. */
function breadthOf(segment: Segment, { host, port, protocol }: Destination): number {
  const segmentHost = segment.host.toLowerCase();
  // A suffix says whose names are resolved privately, and carries neither ports nor protocol.
  if (segment.ports.length === 0) return isBelow(host, segmentHost.replace(/^\*?\./, '')) ? SUFFIX + LONGEST - segmentHost.length : Infinity;
  const protocols = segment.protocol.toLowerCase().split(',').map((word) => word.trim());
  if (protocol !== undefined && !protocols.includes(protocol)) return Infinity;
  if (port !== undefined && !segment.ports.some((range) => inRange(range, port))) return Infinity;

  const address = ipv4(host);
  const range = addressesOf(segmentHost);
  if (range) return address !== undefined && range[0] <= address && address <= range[1] ? range[1] - range[0] : Infinity;
  if (address !== undefined) return Infinity;
  if (host === segmentHost) return 0;
  const suffix = segmentHost.startsWith('*.') ? segmentHost.slice(1) : segmentHost.startsWith('.') ? segmentHost : undefined;
  return suffix !== undefined && host.endsWith(suffix) ? 1 + LONGEST - suffix.length : Infinity;
}

/** Behind everything that takes the connection itself: more than there are addresses. */
const SUFFIX = 2 ** 33;
const isBelow = (host: string, suffix: string): boolean => host === suffix || host.endsWith(`.${suffix}`);

function inRange(range: string, port: number): boolean {
  const [from = NaN, to = from] = range.split('-').map(Number);
  return from <= port && port <= to;
}

/** First and last address of `10.1.2.3`, `10.1.0.0/16`, `10.1.0.1-10.1.0.9` or `10.1.0.1..10.1.0.9`. */
function addressesOf(text: string): readonly [number, number] | undefined {
  const cidr = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  if (cidr) {
    const [address, bits] = [ipv4(cidr[1] ?? ''), Number(cidr[2])];
    if (address === undefined || bits > 32) return undefined;
    const size = 2 ** (32 - bits);
    const first = Math.floor(address / size) * size;
    return [first, first + size - 1];
  }
  const [from, to = from] = text.split(/\.\.|-/).map(ipv4);
  return from !== undefined && to !== undefined && from <= to ? [from, to] : undefined;
}

function ipv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = match?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
}
