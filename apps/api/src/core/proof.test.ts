import { expect, test } from 'vitest';
import { proofNeeded, proofOf } from './proof.ts';

const now = new Date('2026-03-02T09:00:00Z');

test.each([
  ['just now', '2026-03-02T09:00:00Z', 'fresh'], ['ten minutes ago', '2026-03-02T08:50:00Z', 'fresh'], ['ten minutes and a second ago', '2026-03-02T08:49:59Z', 'stale'],
  // Clocks of two machines differ by seconds.
  ['by a clock that is ahead', '2026-03-02T09:00:03Z', 'fresh'], ['at no time that Entra said', undefined, 'unknown'],
])('who signed in %s', (_when, authenticatedAt, proof) => {
  expect(proofOf({ authenticatedAt: authenticatedAt === undefined ? undefined : new Date(authenticatedAt) }, now)).toBe(proof);
});

test('what is too long ago asks for a sign-in; what Entra does not say asks for none, which would change nothing, and says what to mend', () => {
  expect(proofNeeded('stale', 'It is made')).toMatchObject({ code: 'step-up-required', details: { detail: 'It is made only within 10 minutes of a sign-in.', stepUp: { anew: true } } });
  const unknown = proofNeeded('unknown', 'It is made');
  expect([unknown.code, unknown.details.stepUp]).toEqual(['sign-in-time-unknown', undefined]);
  expect(unknown.details.detail).toMatch(/^It is made only within 10 minutes of a sign-in, and Microsoft Entra does not say when yours was\. An administrator .* optional claim auth_time /);
});
