import type { ApplicationKind, Segment, Transport } from '@gatehouse/contracts';

/** Where somebody wants to connect to, as they typed it, and which published application takes it. */

/** One machine, by name or by address. */
export interface Destination {
  /** A name in lower case and in ASCII, or an address in its usual form. */
  readonly host: string;
  readonly isAddress: boolean;
  /** `undefined`: it was not said, so any port may be meant. */
  readonly port: number | undefined;
  /** `undefined`: TCP or UDP. */
  readonly protocol: Transport | undefined;
}

/** A destination of which all is said that a connection is made of. */
export interface Connection extends Destination {
  readonly port: number;
  readonly protocol: Transport;
}

interface Refused {
  readonly ok: false;
  /** What to type instead. */
  readonly message: string;
}

export type Parsed<D extends Destination> = { readonly ok: true; readonly destination: D } | Refused;

/** The port that an address of this scheme means where it names none. One that is not here says none: a port is never guessed. */
const PORTS: ReadonlyMap<string, number> = new Map(Object.entries({
  http: 80, https: 443, ws: 80, wss: 443, ftp: 21, ftps: 990, ssh: 22, sftp: 22, telnet: 23, ldap: 389, ldaps: 636, smb: 445, mssql: 1433, sqlserver: 1433, mysql: 3306, rdp: 3389, postgres: 5432, postgresql: 5432, vnc: 5900,
}));
const EXAMPLE = 'fin-rep.corp.example:443';
const LONGEST_NAME = 253;

/**
 * Reads `host`, `host:port`, `host:port/udp`, an IPv6 address with or without brackets, an address such as
 * `https://host/page` or a share such as `\\host\folder`. What names no single machine (a pattern, a range, nothing at
 * all) is answered with what to type instead.
 */
export function parseDestination(text: string): Parsed<Destination> {
  const typed = read(text);
  if (!typed.ok) return typed;
  const { host, isAddress, port, usualPort, said } = typed;
  return { ok: true, destination: { host, isAddress, port: port ?? usualPort, protocol: said ?? (usualPort === undefined ? undefined : 'tcp') } };
}

/** Reads the same, and asks for the port where neither it nor a scheme that has one is said. A protocol that was typed goes before `protocol`. */
export function parseConnection(text: string, protocol: Transport): Parsed<Connection> {
  const typed = read(text);
  if (!typed.ok) return typed;
  const { host, isAddress, said, scheme } = typed;
  const port = typed.port ?? typed.usualPort;
  if (port !== undefined) return { ok: true, destination: { host, isAddress, port, protocol: said ?? protocol } };
  const shown = inBrackets(host);
  if (scheme !== undefined) return no(`Which port ${scheme} uses is not known here. Add it, such as ${scheme}://${shown}:8443.`);
  if (shown !== host && !text.includes('[')) return no(`Put the address in brackets and add the port, such as ${shown}:443.`);
  return no(`Add the port that the application uses, such as ${shown}:443 or ${shown}:3389.`);
}

/** As people write it: `fin-rep.corp.example:443`, `[2001:db8::7]:22`, `dns.corp.example:53/udp`. It is read as the same again. */
export const writeDestination = ({ host, port, protocol }: Destination): string => `${port === undefined ? host : `${inBrackets(host)}:${port}`}${protocol === 'udp' ? '/udp' : ''}`;

const inBrackets = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const no = (message: string): Refused => ({ ok: false, message });

interface Typed {
  readonly ok: true;
  readonly host: string;
  readonly isAddress: boolean;
  readonly port: number | undefined;
  readonly scheme: string | undefined;
  /** The port that the scheme means; what has one speaks TCP. */
  readonly usualPort: number | undefined;
  /** The protocol, where it was typed. */
  readonly said: Transport | undefined;
}

function read(text: string): Typed | Refused {
  const typed = text.trim();
  const share = /^\\\\([^\\]+)/.exec(typed)?.[1];
  const scheme = share === undefined ? /^([a-z][a-z0-9+.-]*):\/\//i.exec(typed)?.[1]?.toLowerCase() : 'smb';
  if (scheme === undefined && /^[\d.a-f:]+\/\d+$/i.test(typed) && addressOf(typed.split('/')[0] ?? '')) return no('This is a range of addresses. Name one of them with a port, such as 10.20.0.7:22.');
  const { authority, path } = share === undefined ? partsOf(typed, scheme) : { authority: share, path: '' };
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(authority);
  const bare = !bracketed && addressOf(authority)?.bits === 128;
  const [host = '', port = '', ...more] = bracketed ? [bracketed[1], bracketed[2]] : bare ? [authority] : authority.split(':');
  if (more.length > 0) return no(`This has more than one colon. Type the host, a colon and the port, such as ${EXAMPLE}.`);
  if (host === '') return no(`The host is missing. Type the host, a colon and the port, such as ${EXAMPLE}.`);

  const name = hostOf(host, bracketed !== null);
  if ('message' in name) return no(name.message);
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) return no(`A port is a number from 1 to 65535, such as ${EXAMPLE}.`);
  const protocol = scheme ?? path.toLowerCase().slice(1);
  return {
    ok: true, ...name, port: port === '' ? undefined : Number(port), scheme,
    usualPort: scheme === undefined ? undefined : PORTS.get(scheme), said: protocol === 'tcp' || protocol === 'udp' ? protocol : undefined,
  };
}

/** Host and port of an address, without user, and what follows them; a link of Microsoft's remote desktop says them as `full address=s:…`. */
function partsOf(typed: string, scheme: string | undefined): { readonly authority: string; readonly path: string } {
  const rest = scheme === undefined ? typed : typed.slice(scheme.length + 3);
  const desktop = scheme === 'rdp' ? /full(?:%20| )address=s:([^&]*)/i.exec(rest)?.[1] : undefined;
  const authority = desktop ?? rest.split(/[/?#]/)[0] ?? '';
  return { authority: authority.slice(authority.lastIndexOf('@') + 1), path: rest.slice(authority.length) };
}

function hostOf(typed: string, bracketed: boolean): Pick<Destination, 'host' | 'isAddress'> | { readonly message: string } {
  const address = addressOf(typed);
  if (address) return { host: address.text, isAddress: true };
  if (bracketed || /^[\d.]+$/.test(typed)) return { message: `${typed} is no address. Type a name, or an address such as 10.20.0.7:22 or [2001:db8::7]:22.` };
  if (typed.includes('*')) return { message: 'A wildcard stands for many hosts. Name the one that does not open.' };
  const host = asciiOf(typed).replace(/\.$/, '');
  if (host.length > LONGEST_NAME || !host.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return { message: `${typed} is no name of a host. Type the host, a colon and the port, such as ${EXAMPLE}.` };
  return { host, isAddress: false };
}

/** International names are looked up as their ASCII form. */
function asciiOf(name: string): string {
  return (/[^\u0000-\u007f]/.test(name) && URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : name).toLowerCase();
}

// --- What is published -----------------------------------------------------------------------------------------------

/** A destination that an application publishes. */
export interface PublishedSegment extends Readonly<Omit<Segment, 'ports'>> {
  /** Such as `443`, `443-443` or `8000-8010`. */
  readonly ports: readonly string[];
  /** Graph's word for what the host is, where it was read. */
  readonly type?: string | undefined;
}

/** What an application has to be known by, to say what it takes. */
export interface Published {
  /** The service principal. */
  readonly id: string;
  readonly kind: ApplicationKind;
  readonly segments: readonly PublishedSegment[];
}

export interface Match<P extends Published = Published> {
  readonly place: P;
  readonly segment: PublishedSegment;
}

export interface Matches<P extends Published = Published> {
  /** Applications that take the connection, the one that does first. */
  readonly taking: readonly Match<P>[];
  /** Applications that resolve the name by a suffix and say no port: whether traffic follows is not documented. */
  readonly resolving: readonly Match<P>[];
  /** Segments of the host whose port or protocol is another. */
  readonly nearly: readonly Match<P>[];
  /** Of a short name: a full name that is published and begins with it. */
  readonly fullName: string | undefined;
}

/**
 * Which applications take a connection, in the order in which Private Access prefers them: one of its own before Quick
 * Access; then the segment that says most about the host (a name in full before a pattern, a longer pattern before a
 * shorter one, fewer addresses before more); of one port, then the segment that has fewer ports.
 */
export function matchesOf<P extends Published>(destination: Destination, published: readonly P[]): Matches<P> {
  const { taking, resolving, nearly } = rankedFor(destination, published);
  const short = !destination.isAddress && !destination.host.includes('.');
  const fullName = short ? published.flatMap(({ segments }) => segments).find(({ host }) => host.toLowerCase().startsWith(`${destination.host}.`))?.host : undefined;
  return { fullName, taking: taking.map(matchOf), resolving: resolving.map(matchOf), nearly: nearly.map(matchOf) };
}

/**
 * The applications that take a connection to the destination, in the same order, and behind them those that resolve the
 * name only. Those between which Private Access does not choose stand in one tier. Only the first tier gets the traffic
 * of one port; of a destination without a port the others may be meant as well.
 */
export function tiersFor<P extends Published>(destination: Destination, published: readonly P[]): readonly (readonly P[])[] {
  const { taking, resolving } = rankedFor(destination, published);
  const behind = resolving.filter(({ place }) => !taking.some((one) => one.place.id === place.id));
  return [taking, behind].flatMap((ranked) => [...Map.groupBy(ranked, ({ rank }) => rank.join(' ')).values()]).map((tier) => tier.map(({ place }) => place));
}

interface Ranked<P extends Published> extends Match<P> {
  /** The less, the sooner it takes the connection; compared from the first on. */
  readonly rank: readonly bigint[];
}

const matchOf = <P extends Published>({ place, segment }: Ranked<P>): Match<P> => ({ place, segment });

function rankedFor<P extends Published>(destination: Destination, published: readonly P[]): Readonly<Record<'taking' | 'resolving' | 'nearly', readonly Ranked<P>[]>> {
  const all = published.flatMap((place) => place.segments.flatMap((segment): readonly Ranked<P>[] => {
    const breadth = breadthFor(destination, segment);
    return breadth === undefined ? [] : [{ place, segment, rank: [place.kind === 'quick-access' ? 1n : 0n, breadth, destination.port === undefined ? 0n : span(segment)] }];
  }));
  const [suffixes, rest] = [all.filter(({ segment }) => isSuffix(segment)), all.filter(({ segment }) => !isSuffix(segment))];
  const taking = rest.filter(({ segment }) => takesProtocol(segment, destination) && takesPort(segment, destination));
  return { taking: firstOfEach(taking), resolving: firstOfEach(suffixes), nearly: rest.filter((match) => !taking.includes(match)) };
}

/** In their order, and of each application the segment that comes first. */
function firstOfEach<P extends Published>(matches: readonly Ranked<P>[]): readonly Ranked<P>[] {
  const sorted = matches.toSorted((one, other) => compare(one.rank, other.rank));
  return sorted.filter(({ place }, index) => sorted.findIndex((other) => other.place.id === place.id) === index);
}

function compare(one: readonly bigint[], other: readonly bigint[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0n) < (other[at] ?? 0n) ? -1 : 1;
}

/** Whether the segment says whose names are resolved, and neither ports nor a protocol. */
export const isSuffix = ({ type, ports }: PublishedSegment): boolean => type?.toLowerCase() === 'dnssuffix' || (type === undefined && ports.length === 0);
export const takesProtocol = ({ protocol }: PublishedSegment, destination: Destination): boolean => destination.protocol === undefined || protocol.toLowerCase().split(',').some((word) => word.trim() === destination.protocol);

function takesPort({ ports }: PublishedSegment, { port }: Destination): boolean {
  return port === undefined || ports.map(bounds).some(([from, to]) => from <= port && port <= to);
}

function bounds(range: string): readonly [number, number] {
  const [from = '', to = from] = range.split('-');
  return [Number(from), Number(to)];
}

/** How many ports it has; a range that says none is taken for the widest. */
const span = ({ ports }: PublishedSegment): bigint => ports.map(bounds).reduce((sum, [from, to]) => sum + (to >= from ? BigInt(Math.trunc(to - from + 1)) : 65_536n), 0n);

/** How much else the segment's host stands for: the less, the more it says. `undefined`: it is another host. */
function breadthFor({ host, isAddress }: Destination, segment: PublishedSegment): bigint | undefined {
  const wanted = asciiOf(segment.host);
  if (isAddress) {
    const [range, address] = [rangeOf(wanted), addressOf(host)];
    return range && address && range.bits === address.bits && range.first <= address.value && address.value <= range.last ? range.last - range.first : undefined;
  }
  if (isSuffix(segment)) {
    const suffix = wanted.replace(/^\*?\./, '');
    return host === suffix || host.endsWith(`.${suffix}`) ? BigInt(WIDEST - suffix.length) : undefined;
  }
  if (host === wanted) return 0n;
  // The longer what follows the star, the fewer names it has.
  return isUnder(host, wanted) ? BigInt(WIDEST - (patternOf(wanted)?.length ?? 0)) : undefined;
}

/** Whether some host is meant by both of these, as segments name them. */
export function hostsMeet(one: string, other: string): boolean {
  const [first, second] = [asciiOf(one), asciiOf(other)];
  const [range, otherRange] = [rangeOf(first), rangeOf(second)];
  if (range && otherRange) return range.bits === otherRange.bits && range.first <= otherRange.last && otherRange.first <= range.last;
  // A name may resolve to an address of a range; Private Access decides by what the client asked for, so they do not meet.
  if (range || otherRange) return false;
  return first === second || isUnder(first, second) || isUnder(second, first);
}

/** How many addresses are meant; `undefined` where it is a name. */
export function addressesIn(host: string): bigint | undefined {
  const range = rangeOf(asciiOf(host));
  return range && range.last - range.first + 1n;
}

/** What follows the star of `*.corp.example`, which `.corp.example` means as well; `undefined` for one name. */
const patternOf = (host: string): string | undefined => /^\*?(\..+)$/.exec(host)?.[1];

function isUnder(host: string, wide: string): boolean {
  const pattern = patternOf(wide);
  return pattern !== undefined && host.endsWith(pattern) && host.length > pattern.length;
}

/** More than a name has letters. */
const WIDEST = 1000;

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
