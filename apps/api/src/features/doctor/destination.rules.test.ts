import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, matchesOf, parseDestination, type Destination, type Place } from './destination.rules.ts';

const to = (text: string, protocol: 'tcp' | 'udp' = 'tcp'): Destination => {
  const parsed = parseDestination(text, protocol);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.destination;
};

describe('what somebody types', () => {
  test.each([
    ['fin-rep.corp.example:443', 'fin-rep.corp.example', 443],
    ['  FIN-REP.Corp.Example.:443 ', 'fin-rep.corp.example', 443],
    ['fin-rep:3389', 'fin-rep', 3389],
    ['https://fin-rep.corp.example/reports?year=2026#top', 'fin-rep.corp.example', 443],
    ['https://fin-rep.corp.example:8443/reports', 'fin-rep.corp.example', 8443],
    ['http://wiki.corp.example', 'wiki.corp.example', 80],
    ['rdp://jump01.corp.example', 'jump01.corp.example', 3389],
    ['rdp://full%20address=s:jump01.corp.example:3390&audiomode=i:2', 'jump01.corp.example', 3390],
    ['ssh://builder@ci7.build.corp.example', 'ci7.build.corp.example', 22],
    ['smb://fs.corp.example/share', 'fs.corp.example', 445],
    ['fin-rep.corp.example:443/reports', 'fin-rep.corp.example', 443],
    ['10.20.0.7:22', '10.20.0.7', 22],
    ['[2001:DB8:0:0::7]:22', '2001:db8::7', 22],
    ['https://[2001:db8::7]/', '2001:db8::7', 443],
    ['mssql://db.corp.example:1433', 'db.corp.example', 1433],
    ['bücher.corp.example:443', 'xn--bcher-kva.corp.example', 443],
    ['_srv.corp.example:53', '_srv.corp.example', 53],
  ])('%s', (text, host, port) => {
    expect(to(text)).toMatchObject({ host, port });
  });

  test.each([
    ['fin-rep.corp.example', /Add the port .* fin-rep\.corp\.example:443/],
    ['fin-rep.corp.example:', /Add the port/],
    ['10.20.0.7', /Add the port .* 10\.20\.0\.7:443/],
    ['2001:db8::7', /brackets and add the port, such as \[2001:db8::7\]:443/],
    ['[2001:db8::7]', /Add the port .* \[2001:db8::7\]:443/],
    ['mssql://db.corp.example', /Which port mssql uses is not known here. Add it, such as mssql:\/\/db/],
    ['fin-rep.corp.example:0', /from 1 to 65535/],
    ['fin-rep.corp.example:65536', /from 1 to 65535/],
    ['fin-rep.corp.example:https', /from 1 to 65535/],
    ['fin-rep.corp.example:443:22', /more than one colon/],
    [':443', /host is missing/],
    ['https://', /host is missing/],
    ['10.20.0.0/24', /range of addresses/],
    ['2001:db8::/32', /range of addresses/],
    ['10.20.0.300:22', /10\.20\.0\.300 is no address/],
    ['[fe80::1%eth0]:22', /is no address/],
    ['*.build.corp.example:22', /wildcard stands for many/],
    ['fin rep:443', /fin rep is no name of a host/],
    ['-x.corp.example:443', /is no name/],
    [`${'a'.repeat(64)}.example:443`, /is no name/],
    ['\u0000:443', /is no name/],
  ])('%s is answered with what to type', (text, says) => {
    const parsed = parseDestination(text, 'tcp');
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(says) });
  });

  test('whatever is typed is read or answered, and what is read is read the same again', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`), fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([host, port]) => `[${host}]:${port}`)), (text) => {
      const parsed = parseDestination(text, 'tcp');
      if (!parsed.ok) return parsed.message.length > 10;
      const { host, port } = parsed.destination;
      expect(parseDestination(`${host.includes(':') ? `[${host}]` : host}:${port}`, 'tcp')).toEqual(parsed);
      return true;
    }));
  });

  test('an address is the same number however it is written', () => {
    expect(addressOf('::ffff:10.20.0.7')?.value).toBe(addressOf('0:0:0:0:0:ffff:0a14:7')?.value);
    expect(addressOf('10.20.0.7')?.value).toBe(0x0a14_0007n);
    expect(addressOf('1:2:3:4:5:6:7:8')?.value).toBe(0x0001_0002_0003_0004_0005_0006_0007_0008n);
    expect(['10.1', 'a::b::c', '1:2', 'fin-rep', ''].map(addressOf)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });
});

type Short = readonly [host: string, ports?: readonly string[], protocol?: string];
const place = (displayName: string, ...segments: readonly Short[]): Place => ({
  id: displayName, displayName, kind: displayName === 'Quick' ? 'quick-access' : 'per-app',
  segments: segments.map(([destinationHost, ports = ['443-443'], protocol = 'tcp']) => ({ destinationHost, ports, protocol })),
});
const first = (text: string, places: readonly Place[], protocol: 'tcp' | 'udp' = 'tcp') => matchesOf(to(text, protocol), places).taking[0]?.place.displayName;

describe('which segment takes a connection', () => {
  test.each<[string, string, readonly Place[], string | undefined]>([
    ['the exact name before a wildcard', 'a.corp.example:443', [place('Wide', ['*.corp.example']), place('Exact', ['A.corp.example'])], 'Exact'],
    ['the longer wildcard before the shorter', 'x.a.corp.example:443', [place('Wide', ['*.corp.example']), place('Narrow', ['*.a.corp.example'])], 'Narrow'],
    ['the narrower range before the broader', '10.20.0.7:443', [place('Wide', ['10.0.0.0/8']), place('Narrow', ['10.20.0.0/24'])], 'Narrow'],
    ['an address before a range', '10.20.0.7:443', [place('Narrow', ['10.20.0.0/30']), place('One', ['10.20.0.7'])], 'One'],
    ['a short list of addresses before a block', '10.20.0.7:443', [place('Block', ['10.20.0.0/24']), place('List', ['10.20.0.5..10.20.0.9'])], 'List'],
    ['an application of its own before Quick Access, though it says less', 'a.corp.example:443', [place('Quick', ['a.corp.example']), place('Wide', ['*.corp.example'])], 'Wide'],
    ['Quick Access where nothing else does', 'a.corp.example:443', [place('Quick', ['*.corp.example']), place('Other', ['b.corp.example'])], 'Quick'],
    ['fewer ports before more', 'a.corp.example:443', [place('Many', ['a.corp.example', ['1-65535']]), place('Few', ['a.corp.example', ['443-443']])], 'Few'],
    ['a port within a range', 'a.corp.example:8005', [place('One', ['a.corp.example', ['22', '8000-8010']])], 'One'],
    ['not another port, though it says more', 'a.corp.example:22', [place('Exact', ['a.corp.example']), place('Wide', ['*.corp.example', ['22']])], 'Wide'],
    ['an IPv6 address in a range', '[2001:db8::7]:443', [place('Six', ['2001:db8::/32']), place('Four', ['10.0.0.0/8'])], 'Six'],
    ['not a name that only ends alike', 'evilcorp.example:443', [place('Wide', ['*.corp.example'])], undefined],
    ['not the domain of a wildcard itself', 'corp.example:443', [place('Wide', ['*.corp.example'])], undefined],
    ['not an address beside the range', '10.20.1.0:443', [place('Narrow', ['10.20.0.0/24'])], undefined],
    ['not a name that may have an address of the range', 'a.corp.example:443', [place('Range', ['10.0.0.0/8'])], undefined],
    ['not an odd range', '10.20.0.7:443', [place('Odd', ['10.20.0.0/33'], ['10.20.0.0/x'], ['10.20.0.9-10.20.0.5'], ['10.20.0.1-host'])], undefined],
  ])('%s', (_what, text, places, taken) => {
    expect(first(text, places)).toBe(taken);
    expect(first(text, places.toReversed()), 'whatever the order').toBe(taken);
  });

  test('the protocol has to be one of the segment', () => {
    const places = [place('Both', ['a.corp.example', ['53'], 'tcp, UDP']), place('Udp', ['b.corp.example', ['53'], 'udp'])];
    expect([first('a.corp.example:53', places, 'udp'), first('b.corp.example:53', places, 'udp'), first('b.corp.example:53', places)]).toEqual(['Both', 'Udp', undefined]);
    expect(matchesOf(to('b.corp.example:53'), places).nearly.map(({ place: { displayName } }) => displayName)).toEqual(['Udp']);
  });

  test('a suffix resolves and does not take; a short name finds its full one', () => {
    const places = [place('Quick', ['corp.example', [], '0'], ['wiki.corp.example'])];
    const found = matchesOf(to('other.corp.example:443'), places);
    expect([found.taking, found.resolving.length, found.nearly]).toEqual([[], 1, []]);
    expect(matchesOf(to('wiki:443'), places).fullName).toBe('wiki.corp.example');
  });
});
