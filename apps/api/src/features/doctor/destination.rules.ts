import type { Transport } from '@gatehouse/contracts';

/** What somebody wants to reach, as they typed it, and which published segment takes it. */

export interface Destination {
  /** A name in lower case, or an address in its usual form. */
  readonly host: string;
  readonly port: number;
  readonly protocol: Transport;
  readonly isAddress: boolean;
}

export type ParsedDestination = { readonly ok: true; readonly destination: Destination } | { readonly ok: false; readonly message: string };

/** Ports that a scheme says. One that is not here says none: a port is asked for and never guessed. */
const PORTS: Readonly<Record<string, number>> = {
  https: 443, http: 80, rdp: 3389, ssh: 22, sftp: 22, ftp: 21, ftps: 990, smb: 445, vnc: 5900, ldap: 389, ldaps: 636, telnet: 23,
};
const EXAMPLE = 'fin-rep.corp.example:443';

/** Reads `host:port`, an address with a port, or a URL; what cannot be read is answered with what to type instead. */
export function parseDestination(text: string, protocol: Transport): ParsedDestination {
  const typed = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(typed)?.[1]?.toLowerCase();
  if (scheme === undefined && /^[\d.a-f:]+\/\d+$/i.test(typed) && addressOf(typed.split('/')[0] ?? '')) return no('This is a range of addresses. Name one of them with a port, such as 10.20.0.7:22.');
  const authority = authorityOf(typed, scheme);
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(authority);
  if (!bracketed && addressOf(authority)?.bits === 128) return no(`Put the address in brackets and add the port, such as [${authority}]:443.`);
  const [host = '', port, ...more] = bracketed ? [bracketed[1], bracketed[2]] : authority.split(':');
  if (more.length > 0) return no(`This has more than one colon. Type the host, a colon and the port, such as ${EXAMPLE}.`);
  if (host === '') return no(`The host is missing. Type the host, a colon and the port, such as ${EXAMPLE}.`);

  const name = hostOf(host, bracketed !== null);
  if ('message' in name) return { ok: false, message: name.message };
  const number = portOf(port, scheme);
  if (number === undefined && (port === undefined || port === '')) {
    const shown = bracketed ? `[${name.host}]` : name.host;
    return no(scheme === undefined ? `Add the port that the application uses, such as ${shown}:443 or ${shown}:3389.` : `Which port ${scheme} uses is not known here. Add it, such as ${scheme}://${shown}:8443.`);
  }
  if (number === undefined || number < 1 || number > 65_535) return no(`A port is a number from 1 to 65535, such as ${EXAMPLE}.`);
  return { ok: true, destination: { ...name, port: number, protocol } };
}

const no = (message: string): ParsedDestination => ({ ok: false, message });

/** Host and port of a URL, without path and user; a link of Microsoft's remote desktop says them as `full address=s:…`. */
function authorityOf(typed: string, scheme: string | undefined): string {
  const rest = scheme === undefined ? typed : typed.slice(scheme.length + 3);
  const desktop = scheme === 'rdp' ? /full(?:%20| )address=s:([^&]*)/i.exec(rest)?.[1] : undefined;
  const authority = desktop ?? rest.split(/[/?#]/)[0] ?? '';
  return authority.slice(authority.lastIndexOf('@') + 1);
}

function portOf(port: string | undefined, scheme: string | undefined): number | undefined {
  if (port === undefined || port === '') return scheme === undefined ? undefined : PORTS[scheme];
  return /^\d{1,5}$/.test(port) ? Number(port) : undefined;
}

function hostOf(typed: string, bracketed: boolean): { readonly host: string; readonly isAddress: boolean } | { readonly message: string } {
  const address = addressOf(typed);
  if (address) return { host: address.text, isAddress: true };
  if (bracketed || /^[\d.]+$/.test(typed)) return { message: `${typed} is no address. Type a name, or an address such as 10.20.0.7:22 or [2001:db8::7]:22.` };
  if (typed.includes('*')) return { message: 'A wildcard stands for many hosts. Name the one that does not open.' };
  // International names are looked up as their ASCII form.
  const ascii = /[^\u0000-\u007f]/.test(typed) && URL.canParse(`http://${typed}`) ? new URL(`http://${typed}`).hostname : typed;
  const host = ascii.toLowerCase().replace(/\.$/, '');
  if (host.length > 253 || !host.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return { message: `${typed} is no name of a host. Type the host, a colon and the port, such as ${EXAMPLE}.` };
  return { host, isAddress: false };
}

// --- Segments --------------------------------------------------------------------------------------------------------

/** A destination that an application publishes, as Graph keeps it. */
export interface PublishedSegment {
  readonly destinationHost: string;
  readonly destinationType?: string | undefined;
  /** Such as `443-443`, or `443`. */
  readonly ports: readonly string[];
  readonly protocol: string;
}

export interface Place {
  /** The service principal. */
  readonly id: string;
  readonly displayName: string;
  readonly kind: 'quick-access' | 'per-app';
  readonly segments: readonly PublishedSegment[];
}

export interface Match {
  readonly place: Place;
  readonly segment: PublishedSegment;
}

export interface Matches {
  /** Applications that take the connection, the one that does first. */
  readonly taking: readonly Match[];
  /** Applications that resolve the name by a suffix and say no port: whether traffic follows is not documented. */
  readonly resolving: readonly Match[];
  /** Segments of the host whose port or protocol is another. */
  readonly nearly: readonly Match[];
  /** Of a short name: a full name that is published and begins with it. */
  readonly fullName: string | undefined;
}

/**
 * Which application takes a connection: one of its own before Quick Access, then the segment that says most about the host,
 * then the one with fewer ports.
 */
export function matchesOf(destination: Destination, places: readonly Place[]): Matches {
  const all = places.flatMap((place) => place.segments.flatMap((segment) => {
    const breadth = breadthFor(destination, segment);
    return breadth === undefined ? [] : [{ place, segment, breadth }];
  }));
  const suffixes = all.filter(({ segment }) => isSuffix(segment));
  const rest = all.filter(({ segment }) => !isSuffix(segment));
  const taking = rest
    .filter(({ segment }) => takesProtocol(segment, destination) && segment.ports.some((range) => within(range, destination.port)))
    .sort((one, other) => Number(one.place.kind === 'quick-access') - Number(other.place.kind === 'quick-access') || compare(one.breadth, other.breadth) || span(one.segment) - span(other.segment));
  const short = !destination.isAddress && !destination.host.includes('.');
  const fullName = short ? places.flatMap(({ segments }) => segments).find(({ destinationHost }) => destinationHost.toLowerCase().startsWith(`${destination.host}.`))?.destinationHost : undefined;
  return { fullName, taking: onePerPlace(taking), resolving: onePerPlace(suffixes), nearly: rest.filter((match) => !taking.includes(match)).map(({ place, segment }) => ({ place, segment })) };
}

const compare = (one: bigint, other: bigint): number => (one < other ? -1 : one > other ? 1 : 0);
const onePerPlace = (matches: readonly Match[]): Match[] => matches.filter(({ place }, index) => matches.findIndex((other) => other.place.id === place.id) === index).map(({ place, segment }) => ({ place, segment }));

export const isSuffix = ({ destinationType, ports }: PublishedSegment): boolean => destinationType?.toLowerCase() === 'dnssuffix' || (destinationType === undefined && ports.length === 0);
export const takesProtocol = ({ protocol }: Pick<PublishedSegment, 'protocol'>, destination: Pick<Destination, 'protocol'>): boolean => protocol.toLowerCase().split(',').some((word) => word.trim() === destination.protocol);

function bounds(range: string): readonly [number, number] {
  const [from = '', to = from] = range.split('-');
  return [Number(from), Number(to)];
}

function within(range: string, port: number): boolean {
  const [from, to] = bounds(range);
  return from <= port && port <= to;
}

const span = ({ ports }: PublishedSegment): number => ports.reduce((sum, range) => sum + bounds(range)[1] - bounds(range)[0] + 1, 0);

/** How much else the segment's host stands for: the less, the more it says. `undefined`: it is another host. */
function breadthFor({ host, isAddress }: Destination, segment: PublishedSegment): bigint | undefined {
  const wanted = segment.destinationHost.toLowerCase();
  if (isAddress) {
    const [range, address] = [rangeOf(wanted), addressOf(host)];
    return range && address && range.bits === address.bits && range.first <= address.value && address.value <= range.last ? range.last - range.first : undefined;
  }
  if (isSuffix(segment)) return host === wanted || host.endsWith(`.${wanted}`) ? 0n : undefined;
  if (host === wanted) return 0n;
  // The longer what follows the star, the fewer names it has.
  return wanted.startsWith('*.') && host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1 ? BigInt(1000 - wanted.length) : undefined;
}

interface Address { readonly bits: 32 | 128; readonly value: bigint; readonly text: string }

/** `10.1.0.0/16`, `10.1.0.1..10.1.0.9`, `10.1.0.1-10.1.0.9`, or one address. */
function rangeOf(text: string): { readonly bits: 32 | 128; readonly first: bigint; readonly last: bigint } | undefined {
  const [base = '', prefix] = text.split('/');
  const ends = base.split(/\.\.|-/);
  const [from, to] = ends.map(addressOf);
  if (!from) return undefined;
  if (ends.length > 1) return to?.bits === from.bits ? { bits: from.bits, first: from.value, last: to.value } : undefined;
  if (prefix === undefined) return { bits: from.bits, first: from.value, last: from.value };
  const length = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || length > from.bits) return undefined;
  const size = 1n << BigInt(from.bits - length);
  const first = from.value - (from.value % size);
  return { bits: from.bits, first, last: first + size - 1n };
}

/** An IPv4 or IPv6 address as a number; `undefined` for anything else. */
export function addressOf(text: string): Address | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split('.').map(Number);
    return parts.every((part) => part <= 255) ? { bits: 32, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n), text: parts.join('.') } : undefined;
  }
  if (!/^[\da-f.]*:[\da-f:.]*$/i.test(text) || !URL.canParse(`http://[${text}]`)) return undefined;
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return { bits: 128, value: all.reduce((sum, group) => sum * 65_536n + BigInt(Number.parseInt(group, 16)), 0n), text: canonical };
}
