import type { ApplicationSegment } from '../tenant.ts';

type Host = Pick<ApplicationSegment, 'destinationHost' | 'destinationType'>;

/** Whether a connection to the host and TCP port goes through the segment. */
export function segmentTakes(segment: ApplicationSegment, host: string, port: number): boolean {
  if (!hostTakes(segment, host.toLowerCase())) return false;
  // A suffix only says whose names are resolved privately, and carries neither ports nor protocol.
  if (segment.destinationType === 'dnsSuffix') return true;
  return protocolsOf(segment.protocol).includes('tcp') && segment.ports.some((text) => {
    const range = portRange(text);
    return range !== undefined && range[0] <= port && port <= range[1];
  });
}

function hostTakes({ destinationHost, destinationType }: Host, host: string): boolean {
  const wanted = destinationHost.toLowerCase();
  switch (destinationType) {
    case 'fqdn':
      return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
    case 'dnsSuffix':
      return host === wanted || host.endsWith(`.${wanted}`);
    case 'ipAddress':
    case 'ipRange':
    case 'ipRangeCidr': {
      const [addresses, one] = [addressesOf({ destinationHost, destinationType }), ipv4(host)];
      return addresses !== undefined && one !== undefined && addresses[0] <= one && one <= addresses[1];
    }
  }
}

/** Whether some connection would match both: the same host or address, port and protocol. */
export function segmentsMeet(one: Omit<ApplicationSegment, 'id'>, other: Omit<ApplicationSegment, 'id'>): boolean {
  if (one.destinationType === 'dnsSuffix' || other.destinationType === 'dnsSuffix') {
    return one.destinationType === other.destinationType && one.destinationHost.toLowerCase() === other.destinationHost.toLowerCase();
  }
  return hostsMeet(one, other) && protocolsMeet(one.protocol, other.protocol) && portsMeet(one.ports, other.ports);
}

function hostsMeet(one: Host, other: Host): boolean {
  if (one.destinationType === 'fqdn' && other.destinationType === 'fqdn') {
    const [first, second] = [one.destinationHost.toLowerCase(), other.destinationHost.toLowerCase()];
    return first === second || hostTakes(one, second) || hostTakes(other, first);
  }
  const [first, second] = [addressesOf(one), addressesOf(other)];
  return first !== undefined && second !== undefined && first[0] <= second[1] && second[0] <= first[1];
}

const protocolsOf = (protocol: string): readonly string[] => protocol.toLowerCase().split(',').map((word) => word.trim());
const protocolsMeet = (one: string, other: string): boolean => protocolsOf(one).some((word) => protocolsOf(other).includes(word));

const portsMeet = (one: readonly string[], other: readonly string[]): boolean =>
  one.some((first) => other.some((second) => {
    const [left, right] = [portRange(first), portRange(second)];
    return left !== undefined && right !== undefined && left[0] <= right[1] && right[0] <= left[1];
  }));

/** `443-443` as two numbers; undefined where it is no range of ports. */
export function portRange(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return match !== null && from >= 1 && to <= 65_535 && from <= to ? [from, to] : undefined;
}

/** First and last address of an IPv4 destination; undefined where it is none of its type. */
export function addressesOf({ destinationHost, destinationType }: Host): readonly [number, number] | undefined {
  if (destinationType === 'ipAddress') {
    const address = ipv4(destinationHost);
    return address === undefined ? undefined : [address, address];
  }
  if (destinationType === 'ipRange') {
    const [from, to] = destinationHost.split(/\.\.|-/).map(ipv4);
    return from !== undefined && to !== undefined && from <= to ? [from, to] : undefined;
  }
  if (destinationType === 'ipRangeCidr') {
    const match = /^([\d.]+)\/(\d{1,2})$/.exec(destinationHost);
    const [address, bits] = [ipv4(match?.[1] ?? ''), Number(match?.[2])];
    if (address === undefined || bits > 32) return undefined;
    const size = 2 ** (32 - bits);
    const first = Math.floor(address / size) * size;
    return [first, first + size - 1];
  }
  return undefined;
}

function ipv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.every((part) => part <= 255) ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
}
