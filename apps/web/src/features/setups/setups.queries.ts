import {
  ApplySetup, ContinueRun, CreateSetup, GetGroupSettings, GetRun, GetSetup, ListApplications, ListAuthenticationContexts, ListConnectorGroups, ListSetups, PlanSetup, SearchGroups, SearchPrincipals,
  type CallInput, type Run, type SetupDefinition, WatchRun,
} from '@gatehouse/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { addressOf, call } from '../../lib/api.ts';

const keys = { all: ['setups'] as const };

export const setups = () => queryOptions({ queryKey: [...keys.all, 'list'], queryFn: ({ signal }) => call(ListSetups, {}, signal) });

export const setup = (setupId: string) => queryOptions({ queryKey: [...keys.all, 'one', setupId], queryFn: ({ signal }) => call(GetSetup, { params: { setupId } }, signal) });

/** What the tenant would have to become; read anew whenever it is shown. */
export const plan = (definition: SetupDefinition) => queryOptions({
  queryKey: [...keys.all, 'plan', definition], queryFn: ({ signal }) => call(PlanSetup, { body: { definition } }, signal), staleTime: 0, gcTime: 0, retry: false,
});

export const run = (runId: string) => queryOptions({ queryKey: [...keys.all, 'run', runId], queryFn: ({ signal }) => call(GetRun, { params: { runId } }, signal) });

export const principals = (text: string, kind: 'user' | 'group' | 'any') => queryOptions({
  queryKey: ['directory', 'principals', kind, text], enabled: text.trim().length > 0, staleTime: 60_000, queryFn: ({ signal }) => call(SearchPrincipals, { query: { text, kind } }, signal),
});

export const candidateGroups = (text: string) => queryOptions({ queryKey: ['directory', 'groups', text], staleTime: 60_000, queryFn: ({ signal }) => call(SearchGroups, { query: { text } }, signal) });

export const groupSettings = (groupId: string) => queryOptions({ queryKey: ['directory', 'settings', groupId], queryFn: ({ signal }) => call(GetGroupSettings, { params: { groupId } }, signal) });

export const applications = (text: string) => queryOptions({ queryKey: ['directory', 'applications', text], staleTime: 60_000, queryFn: ({ signal }) => call(ListApplications, { query: { text } }, signal) });

export const connectorGroups = () => queryOptions({ queryKey: ['directory', 'connector-groups'], staleTime: 60_000, queryFn: ({ signal }) => call(ListConnectorGroups, {}, signal) });

export const authenticationContexts = () => queryOptions({ queryKey: ['directory', 'contexts'], staleTime: 60_000, queryFn: ({ signal }) => call(ListAuthenticationContexts, {}, signal) });

/** Applies a reviewed plan: to a new setup, or to one that is there. */
export function useApply(setupId: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: CallInput<typeof CreateSetup>['body']) => (setupId === undefined ? call(CreateSetup, { body }) : call(ApplySetup, { params: { setupId }, body })),
    onSettled: () => client.invalidateQueries({ queryKey: [...keys.all, 'list'] }),
  });
}

export function useContinue(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(ContinueRun, { params: { runId }, body: {} }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

/** Follows a run by server-sent events for as long as it runs; what comes stands where the query's answer stands. */
export function useWatch(current: Run | undefined): void {
  const client = useQueryClient();
  const runId = current?.status === 'running' ? current.id : undefined;
  useEffect(() => {
    if (runId === undefined) return;
    const source = new EventSource(addressOf(WatchRun, { params: { runId } }));
    source.onmessage = (event: MessageEvent<string>) => {
      const next = WatchRun.response.safeParse(JSON.parse(event.data));
      if (!next.success) return;
      client.setQueryData(run(runId).queryKey, next.data);
      if (next.data.status !== 'running') {
        source.close();
        void client.invalidateQueries({ queryKey: keys.all });
      }
    };
    return () => { source.close(); };
  }, [client, runId]);
}
