import { KeepGoing, type CallInput } from '@gatehouse/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';
import { accessKeys } from './access.queries.ts';

export type KeepGoingWish = CallInput<typeof KeepGoing>['body'];

export function useKeepGoing() {
  const client = useQueryClient();
  // Settled, not only succeeded: what was refused half-way has changed the list as well.
  return useMutation({ mutationFn: (body: KeepGoingWish) => call(KeepGoing, { body }), onSettled: () => client.invalidateQueries({ queryKey: [...accessKeys.all, 'mine'] }) });
}
