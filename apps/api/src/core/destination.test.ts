import { describe, expect, test } from 'vitest';
import { parseDestination, tiersFor, writeDestination, type Published } from './destination.ts';

describe('parseDestination', () => {
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
  ])('%s', (text, host, port, protocol) => {
    expect(parseDestination(text)).toEqual({ host, port, protocol });
  });

  test.each(['', ' ', '*.corp.example', '10.0.0.0/24', '10.0.0.256', '10.1.2', 'host:0', 'host:65536', 'host:99999', 'host:port', '[::1]:443', 'fe80::1', 'two words', 'a..b', '-a.example', 'https://', `${'a'.repeat(301)}`, 'javascript:alert(1)'])('%o names no machine', (text) => {
    expect(parseDestination(text)).toBeUndefined();
  });

  test('is written back as people write it', () => {
    expect(['https://a.example/x', 'a.example', 'a.example:53/udp'].map((text) => parseDestination(text)).map((one) => one && writeDestination(one))).toEqual(['a.example:443', 'a.example', 'a.example:53/udp']);
  });
});

describe('tiersFor', () => {
  const app = (id: string, host: string, { ports = ['443'], protocol = 'tcp', kind = 'per-app' }: { ports?: string[]; protocol?: string; kind?: Published['kind'] } = {}): Published => ({ id, kind, segments: [{ host, ports, protocol }] });
  const tiers = (to: string, ...applications: Published[]) => {
    const wanted = parseDestination(to);
    return wanted && tiersFor(wanted, applications).map((tier) => tier.map(({ id }) => id));
  };

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
    ['not a pattern for the domain itself, nor a name that only ends alike', 'corp.example:443', [app('pattern', '*.corp.example'), app('alike', 'p.example')], []],
    ['not a pattern for an address', '10.1.2.3:443', [app('pattern', '*.3'), app('all', '*.')], []],
  ])('%s', (_name, to, applications, expected) => {
    expect(tiers(to, ...applications)).toEqual(expected);
    expect(tiers(to, ...applications.toReversed())?.map((tier) => tier.toSorted())).toEqual(expected.map((tier) => tier.toSorted()));
  });

  test('of an application with several segments the narrowest counts', () => {
    const several: Published = { id: 'several', kind: 'per-app', segments: [{ host: '*.corp.example', ports: ['443'], protocol: 'tcp' }, { host: 'a.corp.example', ports: ['443'], protocol: 'tcp' }] };
    expect(tiers('a.corp.example:443', app('middle', '*.a.corp.example'), several, app('wide', '*.corp.example'))).toEqual([['several'], ['wide']]);
  });
});
