import { addressesIn, hostsMeet } from '../../core/destination.ts';

/** Which destinations Private Access would find in two places. */

/** A destination as Graph keeps it: `10.1.0.0/16`, `10.1.0.1..10.1.0.9`, `*.corp.example`; ports such as `443-443`. A suffix says whose names are resolved, and has neither ports nor a protocol. */
export interface Destination {
  readonly destinationHost: string;
  readonly ports: readonly string[];
  readonly protocol: string;
}

export function sameDestination(one: Destination, other: Destination): boolean {
  return one.destinationHost.toLowerCase() === other.destinationHost.toLowerCase()
    && sorted(one.ports) === sorted(other.ports) && sorted(one.protocol.split(',')) === sorted(other.protocol.split(','));
}

/** Whether some connection matches both; a suffix matches none. */
export function overlaps(one: Destination, other: Destination): boolean {
  return protocolsMeet(one.protocol, other.protocol) && portsMeet(one.ports, other.ports) && hostsMeet(one.destinationHost, other.destinationHost);
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

/** A range with more addresses than a /16 has (65,536), and how many that is; `undefined` for what is narrower, or a name. */
export function breadthOf(host: string): number | undefined {
  const count = Number(addressesIn(host) ?? 0n);
  return count > 2 ** 16 ? count : undefined;
}

/** Every name of a top-level domain, such as `*.com`, or `*.corp` of one's own. */
export const isWholeDomain = (host: string): boolean => /^\*?\.[^.]+$/.test(host);
