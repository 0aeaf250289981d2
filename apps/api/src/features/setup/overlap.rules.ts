/** Which destinations Private Access would find in two places. */

/** A destination as Graph keeps it: `10.1.0.0/16`, `*.corp.example`, `.corp.example`; ports such as `443-443`. */
export interface Destination {
  readonly destinationHost: string;
  readonly ports: readonly string[];
  readonly protocol: string;
}

export function sameDestination(one: Destination, other: Destination): boolean {
  return one.destinationHost.toLowerCase() === other.destinationHost.toLowerCase()
    && sorted(one.ports) === sorted(other.ports) && sorted(one.protocol.split(',')) === sorted(other.protocol.split(','));
}

/** Whether some connection matches both. */
export function overlaps(one: Destination, other: Destination): boolean {
  return protocolsMeet(one.protocol, other.protocol) && portsMeet(one.ports, other.ports) && hostsMeet(one.destinationHost.toLowerCase(), other.destinationHost.toLowerCase());
}

const sorted = (words: readonly string[]): string => words.map((word) => word.trim().toLowerCase()).sort().join(',');

function protocolsMeet(one: string, other: string): boolean {
  const others = other.toLowerCase().split(',').map((word) => word.trim());
  return one.toLowerCase().split(',').some((word) => others.includes(word.trim()));
}

function portsMeet(one: readonly string[], other: readonly string[]): boolean {
  return one.some((first) => other.some((second) => {
    const [[from, to], [start, end]] = [range(first), range(second)];
    return from <= end && start <= to;
  }));
}

function range(ports: string): readonly [number, number] {
  const [from = '', to = from] = ports.split('-');
  return [Number(from), Number(to)];
}

function hostsMeet(one: string, other: string): boolean {
  const [first, second] = [addresses(one), addresses(other)];
  if (first && second) return first[0] <= second[1] && second[0] <= first[1];
  // A name may resolve to an address of a range; Private Access decides by what the client asked for, so they do not meet.
  if (first || second) return false;
  return one === other || covers(one, other) || covers(other, one);
}

/** A range with more addresses than a /16 has (65,536), and how many that is; `undefined` for what is narrower, or a name. */
export function breadthOf(host: string): number | undefined {
  const range = addresses(host.toLowerCase());
  const count = range ? range[1] - range[0] + 1 : 0;
  return count > 2 ** 16 ? count : undefined;
}

/** Every name of a top-level domain, such as `*.com`, or `*.corp` of one's own. */
export const isWholeDomain = (host: string): boolean => /^\*?\.[^.]+$/.test(host);

/** `*.corp.example` and the suffix `corp.example` cover every name below. */
function covers(wide: string, narrow: string): boolean {
  const suffix = wide.startsWith('*.') ? wide.slice(1) : wide.startsWith('.') ? wide : undefined;
  return suffix !== undefined && narrow.endsWith(suffix);
}

function addresses(host: string): readonly [number, number] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(host);
  if (!match) return undefined;
  const address = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(match[5] ?? 32));
  const first = Math.floor(address / size) * size;
  return [first, first + size - 1];
}
