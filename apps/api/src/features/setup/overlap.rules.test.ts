import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breadthOf, overlaps, sameDestination } from './overlap.rules.ts';

const at = (destinationHost: string, ports = ['443-443'], protocol = 'tcp') => ({ destinationHost, ports, protocol });

describe('destinations that meet', () => {
  test.each([
    ['the same name', at('fs.corp.example'), at('FS.corp.example')],
    ['a name under a wildcard', at('*.corp.example'), at('fs.corp.example')],
    ['a wildcard under a wildcard', at('*.corp.example'), at('*.build.corp.example')],
    ['an address in a range', at('10.1.0.0/16'), at('10.1.2.3')],
    ['a range in a range', at('10.0.0.0/8'), at('10.1.0.0/16')],
    ['an address between two', at('10.1.2.1..10.1.2.9'), at('10.1.2.3')],
    ['addresses between two in a range', at('10.1.2.1-10.1.2.9'), at('10.1.2.8/29')],
    ['an IPv6 address, written otherwise', at('2001:DB8::7'), at('2001:db8:0:0:0:0:0:7')],
    ['an IPv6 address in a range', at('2001:db8::/64'), at('2001:db8::7')],
    ['a name that is written in letters of its own', at('*.münchen.example'), at('fs.xn--mnchen-3ya.example')],
    ['ports that share one', at('fs.corp.example', ['100-200', '443-443']), at('fs.corp.example', ['200-300'])],
    ['one of two protocols', at('fs.corp.example', ['53-53'], 'tcp,udp'), at('fs.corp.example', ['53-53'], 'udp')],
  ])('%s', (_what, one, other) => {
    expect(overlaps(one, other)).toBe(true);
    expect(overlaps(other, one)).toBe(true);
  });
});

describe('destinations that do not meet', () => {
  test.each([
    ['other names', at('fs.corp.example'), at('hr.corp.example')],
    ['a name that only ends alike', at('*.corp.example'), at('notcorp.example')],
    ['the name itself under its wildcard', at('*.corp.example'), at('corp.example')],
    ['addresses side by side', at('10.1.2.0/24'), at('10.1.3.0')],
    ['addresses between two, and the one after', at('10.1.2.1..10.1.2.9'), at('10.1.2.10')],
    ['IPv6 ranges side by side', at('2001:db8::/64'), at('2001:db8:0:1::/64')],
    ['an IPv4 and an IPv6 address of one value', at('0.0.0.7'), at('::7')],
    ['a suffix, which takes no traffic, and a name that it resolves', at('corp.example', [], '0'), at('fs.corp.example')],
    ['a name and an address', at('fs.corp.example'), at('10.1.2.3')],
    ['other ports', at('fs.corp.example', ['80-442']), at('fs.corp.example', ['443-443'])],
    ['other protocols', at('fs.corp.example', ['53-53'], 'tcp'), at('fs.corp.example', ['53-53'], 'udp')],
  ])('%s', (_what, one, other) => {
    expect(overlaps(one, other)).toBe(false);
    expect(overlaps(other, one)).toBe(false);
  });
});

test('ranges of addresses meet exactly where they share an address', () => {
  const cidr = fc.record({ a: fc.integer({ min: 0, max: 255 }), b: fc.integer({ min: 0, max: 255 }), bits: fc.integer({ min: 24, max: 32 }) });
  const members = ({ a, b, bits }: { a: number; b: number; bits: number }): Set<number> => {
    const size = 2 ** (32 - bits);
    const first = Math.floor((a * 256 + b) / size) * size;
    return new Set(Array.from({ length: size }, (_, index) => first + index));
  };
  fc.assert(fc.property(cidr, cidr, (one, other) => {
    const text = ({ a, b, bits }: typeof one): string => `10.0.${a}.${b}/${bits}`;
    expect(overlaps(at(text(one)), at(text(other)))).toBe([...members(one)].some((address) => members(other).has(address)));
  }));
});

test('a destination is the same in another casing and order', () => {
  expect(sameDestination(at('FS.corp.example', ['445-445', '80-80'], 'udp,tcp'), at('fs.corp.example', ['80-80', '445-445'], 'tcp,udp'))).toBe(true);
  expect(sameDestination(at('fs.corp.example', ['80-80']), at('fs.corp.example', ['80-81']))).toBe(false);
});

test.each<[string, number | undefined]>([['10.0.0.0/8', 16_777_216], ['10.20.0.0/15', 131_072], ['0.0.0.0/0', 4_294_967_296], ['10.20.0.0/16', undefined], ['10.20.0.7', undefined], ['10.20.0.0-10.21.0.0', 65_537], ['*.corp.example', undefined]])('the breadth of %s is %s', (host, count) => {
  expect(breadthOf(host)).toBe(count);
});
