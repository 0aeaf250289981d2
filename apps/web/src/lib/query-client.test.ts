import { QueryObserver } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import { QueryClient } from './query-client.ts';

const KEY = ['list'];

/** A first reading that is under way: each reading waits for its own answer. */
function reading() {
  const client = new QueryClient();
  const answers: PromiseWithResolvers<string>[] = [];
  const observer = new QueryObserver(client, { queryKey: KEY, queryFn: () => {
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    return answer.promise;
  } });
  return { client, answers, stop: observer.subscribe(() => {}) };
}

test('an invalidation begins a first reading anew, and its answer stands', async () => {
  const { client, answers, stop } = reading();
  const settled = client.invalidateQueries({ queryKey: KEY });
  expect(answers).toHaveLength(2);
  answers[0]?.resolve('before the change');
  answers[1]?.resolve('after it');
  await settled;
  expect(client.getQueryData(KEY)).toBe('after it');
  stop();
});

test.each([[{ refetchType: 'none' }, {}], [{ refetchType: 'inactive' }, {}], [{}, { cancelRefetch: false }]] as const)('one that reads nothing anew (%j, %j) leaves it to its answer', async (filters, options) => {
  const { client, answers, stop } = reading();
  await Promise.all([client.invalidateQueries({ queryKey: KEY, ...filters }, options), answers[0]?.resolve('the first')]);
  expect([answers.length, client.getQueryData(KEY)]).toEqual([1, 'the first']);
  stop();
});
