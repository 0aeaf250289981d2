import { hashKey, useMutation as useAnyMutation, type UseMutationOptions, type UseMutationResult } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';

/**
 * As TanStack's, of which a second call with the same variables is left out while the first is under way: the second half
 * of a double click comes before React has drawn the button as busy, and the refusal of it would take the place of the
 * answer. `mutateAsync` promises an answer to each call, and leaves none out.
 */
export function useMutation<Data, Variables = void, Context = unknown>({ onSettled, ...options }: UseMutationOptions<Data, Error, Variables, Context>): UseMutationResult<Data, Error, Variables, Context> {
  const underWay = useRef<string>(undefined);
  const mutation = useAnyMutation<Data, Error, Variables, Context>({
    ...options,
    onSettled: (...outcome) => {
      underWay.current = undefined;
      return onSettled?.(...outcome);
    },
  });
  const { mutate } = mutation;
  const once = useCallback<typeof mutate>((...call) => {
    const key = hashKey([call[0]]);
    if (underWay.current === key) return;
    underWay.current = key;
    mutate(...call);
  }, [mutate]);
  // The object of TanStack, which makes one for each drawing: what it tells is one of four states.
  return Object.assign(mutation, { mutate: once });
}
