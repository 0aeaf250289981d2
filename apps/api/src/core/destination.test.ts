import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, matchesOf, parseConnection, parseDestination, tiersFor, writeDestination, type Connection, type Destination, type Published } from './destination.ts';

const where = (text: string): Destination => {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.destination;
};
const to = (text: string, protocol: 'tcp' | 'udp' = 'tcp'): Connection => {
  const parsed = parseConnection(text, protocol);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.destination;
};

describe('a destination, as a link names it', () => {
  test.each<[string, string, number | undefined, string | undefined]>([
    ['fin-rep.corp.example', 'fin-rep.corp.example', undefined, undefined],
    [' FIN-rep.Corp.example:443 ', 'fin-rep.corp.example', 443, undefined],
    ['fin-rep.corp.example.:3389', 'fin-rep.corp.example', 3389, undefined],
    ['dns.corp.example:53/udp', 'dns.corp.example', 53, 'udp'],
    ['udp://dns.corp.example:53', 'dns.corp.example', 53, 'udp'],
    ['https://fin-rep.corp.example/reports?year=2026#top', 'fin-rep.corp.example', 443, 'tcp'],
    ['http://fin-rep.corp.example:8080/', 'fin-rep.corp.example', 8080, 'tcp'],
    ['ssh://ana@build.corp.example', 'build.corp.example', 22, 'tcp'],
    ['ana@build.corp.example', 'build.corp.example', undefined, undefined],
    ['rdp://10.1.2.3', '10.1.2.3', 3389, 'tcp'],
    ['\\\\files.corp.example\\finance\\2026', 'files.corp.example', 445, 'tcp'],
    ['intranet', 'intranet', undefined, undefined],
    ['odd://host.corp.example', 'host.corp.example', undefined, undefined],
    ['ftps://files.corp.example', 'files.corp.example', 990, 'tcp'],
    ['constructor://host.corp.example', 'host.corp.example', undefined, undefined],
    ['fe80::1', 'fe80::1', undefined, undefined],
    ['2001:DB8:0:0::7', '2001:db8::7', undefined, undefined],
    ['[::1]:443', '::1', 443, undefined],
    ['[2001:db8::7]:53/udp', '2001:db8::7', 53, 'udp'],
    ['https://[2001:db8::7]/reports', '2001:db8::7', 443, 'tcp'],
    ['\\\\10.20.0.7\\finance', '10.20.0.7', 445, 'tcp'],
    ['bücher.corp.example', 'xn--bcher-kva.corp.example', undefined, undefined],
  ])('%s', (text, host, port, protocol) => {
    expect(where(text)).toMatchObject({ host, port, protocol });
  });

  test.each(['', ' ', '*.corp.example', '10.0.0.0/24', '2001:db8::/32', '10.0.0.256', '10.1.2', 'host:0', 'host:65536', 'host:99999', 'host:port', '[fe80::1%eth0]:443', 'fe80::1%eth0', '[fin]:443', '1:2:3', 'two words', 'a..b', '-a.example', 'https://', `${'a'.repeat(301)}`, 'javascript:alert(1)'])('%o names no machine', (text) => {
    expect(parseDestination(text)).toMatchObject({ ok: false, message: expect.stringMatching(/.{20}\.$/) });
  });

  test('is written back as people write it', () => {
    expect(['https://a.example/x', 'a.example', 'a.example:53/udp', '[::1]:22', '[::1]'].map((text) => writeDestination(where(text)))).toEqual(['a.example:443', 'a.example', 'a.example:53/udp', '[::1]:22', '::1']);
  });
});

describe('a connection, of which the port has to be known', () => {
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
    ['mssql://db.corp.example', 'db.corp.example', 1433],
  ])('%s', (text, host, port) => {
    expect(to(text)).toMatchObject({ host, port, protocol: 'tcp' });
  });

  test('a protocol that was typed goes before the one that was chosen', () => {
    expect(['dns.corp.example:53/udp', 'udp://dns.corp.example:53', 'https://fin-rep.corp.example', 'fin-rep.corp.example:443/reports'].map((text) => to(text).protocol)).toEqual(['udp', 'udp', 'tcp', 'tcp']);
    expect(['dns.corp.example:53/tcp', 'https://fin-rep.corp.example'].map((text) => to(text, 'udp').protocol)).toEqual(['tcp', 'udp']);
  });

  test.each([
    ['fin-rep.corp.example', /Add the port .* fin-rep\.corp\.example:443/],
    ['fin-rep.corp.example:', /Add the port/],
    ['10.20.0.7', /Add the port .* 10\.20\.0\.7:443/],
    ['2001:db8::7', /brackets and add the port, such as \[2001:db8::7\]:443/],
    ['[2001:db8::7]', /Add the port .* \[2001:db8::7\]:443/],
    ['odd://db.corp.example', /Which port odd uses is not known here. Add it, such as odd:\/\/db/],
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
    const parsed = parseConnection(text, 'tcp');
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(says) });
  });

  test('whatever is typed is read or answered, and what is read is read the same again', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}/udp`), fc.ipV6(), fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([host, port]) => `[${host}]:${port}`)), (text) => {
      const parsed = parseConnection(text, 'tcp');
      if (!parsed.ok) return parsed.message.length > 10;
      expect(parseConnection(writeDestination(parsed.destination), 'tcp')).toEqual(parsed);
      expect(where(text)).toMatchObject({ host: parsed.destination.host, port: parsed.destination.port });
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
const place = (id: string, ...segments: readonly Short[]): Published => ({
  id, kind: id === 'Quick' ? 'quick-access' : 'per-app',
  segments: segments.map(([host, ports = ['443-443'], protocol = 'tcp']) => ({ host, ports, protocol })),
});
const first = (text: string, places: readonly Published[], protocol: 'tcp' | 'udp' = 'tcp') => matchesOf(to(text, protocol), places).taking[0]?.place.id;

describe('which application takes a connection', () => {
  test.each<[string, string, readonly Published[], string | undefined]>([
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
    expect(matchesOf(to('b.corp.example:53'), places).nearly.map(({ place: { id } }) => id)).toEqual(['Udp']);
  });

  test('a suffix resolves and does not take; a short name finds its full one', () => {
    const places = [place('Quick', ['corp.example', [], '0'], ['wiki.corp.example'])];
    const found = matchesOf(to('other.corp.example:443'), places);
    expect([found.taking, found.resolving.length, found.nearly]).toEqual([[], 1, []]);
    expect(matchesOf(to('wiki:443'), places).fullName).toBe('wiki.corp.example');
  });
});

describe('applications in tiers', () => {
  const app = (id: string, host: string, { ports = ['443'], protocol = 'tcp', kind = 'per-app' }: { ports?: string[]; protocol?: string; kind?: Published['kind'] } = {}): Published => ({ id, kind, segments: [{ host, ports, protocol }] });
  const tiers = (text: string, ...applications: Published[]) => tiersFor(where(text), applications).map((tier) => tier.map(({ id }) => id));

  test.each<[string, string, Published[], string[][]]>([
    ['a name in full before a pattern, a longer pattern before a shorter', 'a.b.corp.example:443', [app('wide', '*.corp.example'), app('narrow', '*.b.corp.example'), app('exact', 'A.b.corp.example')], [['exact'], ['narrow'], ['wide']]],
    ['fewer addresses before more', '10.1.2.3:443', [app('16', '10.1.0.0/16'), app('24', '10.1.2.0/24'), app('one', '10.1.2.3'), app('some', '10.1.2.1-10.1.2.9'), app('elsewhere', '10.2.0.0/16')], [['one'], ['some'], ['24'], ['16']]],
    ['Quick Access last, however narrow', 'a.corp.example:443', [app('quick', 'a.corp.example', { kind: 'quick-access' }), app('own', '*.corp.example')], [['own'], ['quick']]],
    ['those that are as narrow as each other together', 'a.corp.example:443', [app('one', 'a.corp.example'), app('other', 'a.corp.example')], [['one', 'other']]],
    ['only where the port is taken', 'a.corp.example:8443', [app('443', 'a.corp.example'), app('range', '*.corp.example', { ports: ['80', '8000-8500'] })], [['range']]],
    ['at the ends of a range too', 'a.corp.example:8500', [app('range', 'a.corp.example', { ports: ['8000-8500'] }), app('before', 'a.corp.example', { ports: ['8501-9000'] })], [['range']]],
    ['only where the protocol is taken', 'a.corp.example:53/udp', [app('tcp', 'a.corp.example', { ports: ['53'] }), app('both', '*.corp.example', { ports: ['53'], protocol: 'tcp, udp' })], [['both']]],
    ['any port where none is said', 'a.corp.example', [app('443', 'a.corp.example'), app('22', 'a.corp.example', { ports: ['22'] })], [['443', '22']]],
    ['a suffix behind all that takes the connection itself', 'a.corp.example:443', [app('suffix', 'corp.example', { ports: [], protocol: '' }), app('wide', '*.example')], [['wide'], ['suffix']]],
    ['of one port fewer ports before more', 'a.corp.example:443', [app('many', 'a.corp.example', { ports: ['1-65535'] }), app('few', 'a.corp.example')], [['few'], ['many']]],
    ['whatever their ports where none is said', 'a.corp.example', [app('many', 'a.corp.example', { ports: ['1-65535'] }), app('few', 'a.corp.example')], [['many', 'few']]],
    ['a longer suffix before a shorter, and one that takes it by a segment too but once', 'a.b.corp.example', [app('short', 'corp.example', { ports: [], protocol: '' }), app('long', '.b.corp.example', { ports: [], protocol: '' }), { id: 'both', kind: 'quick-access', segments: [{ host: 'corp.example', ports: [], protocol: '0' }, { host: '*.example', ports: ['1-65535'], protocol: 'tcp' }] }], [['both'], ['long'], ['short']]],
    ['an IPv6 address in the narrower network', '[2001:db8::7]:443', [app('32', '2001:db8::/32'), app('64', '2001:db8::/64'), app('one', '2001:DB8:0::7'), app('four', '0.0.0.0/0')], [['one'], ['64'], ['32']]],
    ['an international name in either form', 'bücher.corp.example:443', [app('wide', '*.corp.example'), app('exact', 'BÜCHER.corp.example')], [['exact'], ['wide']]],
    ['not a pattern for the domain itself, nor a name that only ends alike', 'corp.example:443', [app('pattern', '*.corp.example'), app('alike', 'p.example')], []],
    ['not a pattern for an address', '10.1.2.3:443', [app('pattern', '*.3'), app('all', '*.')], []],
  ])('%s', (_name, text, applications, expected) => {
    expect(tiers(text, ...applications)).toEqual(expected);
    expect(tiers(text, ...applications.toReversed()).map((tier) => tier.toSorted())).toEqual(expected.map((tier) => tier.toSorted()));
  });

  test('of an application with several segments the narrowest counts', () => {
    const several: Published = { id: 'several', kind: 'per-app', segments: [{ host: '*.corp.example', ports: ['443'], protocol: 'tcp' }, { host: 'a.corp.example', ports: ['443'], protocol: 'tcp' }] };
    expect(tiers('a.corp.example:443', app('middle', '*.a.corp.example'), several, app('wide', '*.corp.example'))).toEqual([['several'], ['wide']]);
  });
});

test('what takes a connection first stands in the first tier, and what takes it in any', () => {
  const host = fc.constantFrom('a.corp.example', '*.corp.example', '*.example', '10.0.0.1', '10.0.0.0/8', '2001:db8::1', '2001:db8::/32', 'corp.example');
  const segment = fc.record({ host, ports: fc.constantFrom([], ['443'], ['1-65535'], ['22', '443-445']), protocol: fc.constantFrom('tcp', 'udp', 'tcp,udp') });
  const published = fc.array(fc.record({ kind: fc.constantFrom('per-app' as const, 'quick-access' as const), segments: fc.array(segment, { maxLength: 3 }) }), { maxLength: 6 }).map((all) => all.map((one, index): Published => ({ id: String(index), ...one })));
  fc.assert(fc.property(published, fc.constantFrom('a.corp.example:443', '10.0.0.1:22', '[2001:db8::1]:443', 'a.corp.example'), (applications, text) => {
    const { taking, resolving } = matchesOf(where(text), applications);
    const tiers = tiersFor(where(text), applications);
    expect(new Set(tiers.flat().map(({ id }) => id))).toEqual(new Set([...taking, ...resolving].map(({ place: { id } }) => id)));
    expect(tiers.flat()).toHaveLength(new Set(tiers.flat()).size);
    const first = (taking[0] ?? resolving[0])?.place;
    if (first) expect(tiers[0]).toContain(first);
  }), { numRuns: 200 });
});
