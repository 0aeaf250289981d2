import { expect, test } from 'vitest';
import { PARTS, partsToRead, type Freshness } from './own-access.rules.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const ago = (minutes: number): Date => new Date(NOON.getTime() - minutes * 60_000);
const all = (at: Date): Freshness['at'] => ({ 'eligibilities': at, 'assignments': at, 'requests': at, 'eligibility-requests': at });
const facts = (more: Partial<Freshness> = {}): Freshness => ({ now: NOON, at: all(ago(1)), stale: false, following: false, asked: false, ...more });

test.each<[string, Partial<Freshness>]>([
  ['read a minute ago', {}],
  ['nearly a quarter of an hour old', { at: all(ago(14.9)) }],
  ['older than that while a request is followed, whose looks tell what moves', { at: all(ago(20)), following: true }],
  ['asked for anew within seconds: a double click', { at: all(ago(0.1)), asked: true }],
])('%s is shown as it is', (_what, more) => {
  expect(partsToRead(facts(more))).toEqual([]);
});

test.each<[string, Partial<Freshness>, readonly string[]]>([
  ['never read', { at: {} }, PARTS],
  ['a quarter of an hour old', { at: all(ago(15)) }, PARTS],
  ['too old even for who follows a request', { at: all(ago(25)), following: true }, PARTS],
  ['outdated by what happened', { stale: true }, PARTS],
  ['asked for anew', { asked: true }, PARTS],
  ['read by a clock that was ahead', { at: all(ago(-90)) }, PARTS],
  ['could not be read before, in one part', { at: { ...all(ago(1)), requests: ago(16) } }, ['requests']],
])('%s is read', (_what, more, parts) => {
  expect(partsToRead(facts(more))).toEqual(parts);
});
