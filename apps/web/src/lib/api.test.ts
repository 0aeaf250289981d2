import { GetSession, SignOut } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { fakeApi } from '../testing/testing.tsx';
import { ApiError, call } from './api.ts';

test.each([
  ['a reading', () => call(GetSession, {}), /Nothing was changed/],
  ['a step', () => call(SignOut, { body: {} }), /Whether the last step took effect is not known/],
])('where the portal does not answer to %s, it is said what that means', async (_what, ask, words) => {
  fakeApi([]);
  const error: unknown = await ask().catch((reason: unknown) => reason);
  expect(error instanceof ApiError && error.problem).toMatchObject({ code: 'not-ready', detail: expect.stringMatching(words) as unknown });
});
