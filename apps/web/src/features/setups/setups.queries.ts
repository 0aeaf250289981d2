import {
  AcceptDrift, ApplySetup, ChangeSetups, CheckAllSetups, CheckSetup, ContinueRun, CreateSetup, ExportSetup, GetGroupSettings, GetRun, GetSetup, GetSetupDrift, GetSetupMatrix, ListApplications, ListAuthenticationContexts, ListConnectorGroups,
  ListSetups, PlanRestore, PlanSetup, PlanUndo, ReadSetupFile, RestoreSetup, SearchGroups, SearchPrincipals, StopRun, UndoRun, type CallInput, type Run, type SetupDefinition, type SetupDrift, WatchRun,
} from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { addressOf, call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';

const keys = { all: ['setups'] as const };

/** Between two readings of what shows that a run is under way. */
const WHILE_RUNNING_MS = 5_000;
/** What the watch finds comes without anybody's click. */
const OTHERWISE_MS = 15_000;

export const setups = () => queryOptions({ queryKey: [...keys.all, 'list'], queryFn: ({ signal }) => call(ListSetups, {}, signal), refetchInterval: ({ state }) => (state.data?.setups.some(({ lastRun }) => lastRun?.status === 'running') ? WHILE_RUNNING_MS : OTHERWISE_MS) });

export const setup = (setupId: string) => queryOptions({ queryKey: [...keys.all, 'one', setupId], queryFn: ({ signal }) => call(GetSetup, { params: { setupId } }, signal), refetchInterval: ({ state }) => (state.data?.lastRun?.status === 'running' ? WHILE_RUNNING_MS : OTHERWISE_MS) });

/** In what the tenant differs from the setup, as the last look found it. */
export const setupDrift = (setupId: string) => queryOptions({ queryKey: [...keys.all, 'drift', setupId], queryFn: ({ signal }) => call(GetSetupDrift, { params: { setupId } }, signal), refetchInterval: OTHERWISE_MS });

/** The role settings of every setup, side by side. */
export const setupMatrix = () => queryOptions({ queryKey: [...keys.all, 'matrix'], queryFn: ({ signal }) => call(GetSetupMatrix, {}, signal) });

/** What it takes to put the chosen differences back; read anew whenever it is shown. */
export const restorePlan = (setupId: string, differences: readonly string[]) => queryOptions({
  queryKey: [...keys.all, 'restore-plan', setupId, differences], enabled: differences.length > 0, queryFn: ({ signal }) => call(PlanRestore, { params: { setupId }, body: { keys: [...differences] } }, signal), staleTime: 0, gcTime: 0, retry: false,
});

/** What the tenant would have to become; read anew whenever it is shown. */
export const plan = (definition: SetupDefinition) => queryOptions({
  queryKey: [...keys.all, 'plan', definition], queryFn: ({ signal }) => call(PlanSetup, { body: { definition } }, signal), staleTime: 0, gcTime: 0, retry: false,
});

/** What it takes to take a run back; read anew whenever it is shown. */
export const undoPlan = (runId: string) => queryOptions({
  queryKey: [...keys.all, 'undo-plan', runId], queryFn: ({ signal }) => call(PlanUndo, { params: { runId }, body: {} }, signal), staleTime: 0, gcTime: 0, retry: false,
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

/** What is said of a plan when it is begun: which one was in sight, and whether what cannot be undone was ticked. */
export type Reviewed = CallInput<typeof UndoRun>['body'];

/** The setup that is changed, and when it was changed last as far as the person saw. */
export interface Existing { readonly setupId: string; readonly unchangedSince: string }

/** Applies a reviewed plan: to a new setup, or to one that is there. */
export function useApply(existing: Existing | undefined, definition: SetupDefinition) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reviewed: Reviewed) => {
      const body = { definition, ...reviewed };
      return existing === undefined ? call(CreateSetup, { body }) : call(ApplySetup, { params: { setupId: existing.setupId }, body: { ...body, unchangedSince: existing.unchangedSince } });
    },
    onSettled: () => client.invalidateQueries({ queryKey: [...keys.all, 'list'] }),
  });
}

/** Reads a setup from the text of a file. */
export const useReadFile = () => useMutation({ mutationFn: (text: string) => call(ReadSetupFile, { body: { text } }) });

/** Where the setup is downloaded from. */
export const fileOf = (setupId: string, format: 'yaml' | 'json'): string => addressOf(ExportSetup, { params: { setupId }, query: { format } });

export function useContinue(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(ContinueRun, { params: { runId }, body: {} }),
    onSuccess: (next) => { client.setQueryData(run(next.id).queryKey, next); },
    onSettled: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

/** Lets the run rest after the steps in hand. */
export function useStop(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(StopRun, { params: { runId }, body: {} }),
    onSuccess: (next) => { client.setQueryData(run(next.id).queryKey, next); },
    onSettled: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

/** Takes back what the run made. */
export function useUndo(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reviewed: Reviewed) => call(UndoRun, { params: { runId }, body: reviewed }),
    // All but the plan in sight, which would change under the eyes.
    onSettled: () => Promise.all(['list', 'one', 'run'].map((of) => client.invalidateQueries({ queryKey: [...keys.all, of] }))),
  });
}

/** Whatever tells of a setup's health, but the plan in sight. */
const HEALTH = ['list', 'one', 'drift', 'matrix'];

/** What a look found stands where the query's answer stands. */
function useLook(setupId: string, look: (differences: readonly string[]) => Promise<SetupDrift>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: look,
    onSuccess: (found) => { client.setQueryData(setupDrift(setupId).queryKey, found); },
    onSettled: () => Promise.all(HEALTH.map((of) => client.invalidateQueries({ queryKey: [...keys.all, of] }))),
  });
}

/** Compares the tenant with the setup now. */
export const useCheck = (setupId: string) => useLook(setupId, () => call(CheckSetup, { params: { setupId }, body: {} }));

/** Takes the chosen differences into the setup. */
export const useAccept = (setupId: string) => useLook(setupId, (differences) => call(AcceptDrift, { params: { setupId }, body: { keys: [...differences] } }));

/** Has every setup looked at in the background. */
export function useCheckAll() {
  const client = useQueryClient();
  return useMutation({ mutationFn: () => call(CheckAllSetups, { body: {} }), onSettled: () => client.invalidateQueries({ queryKey: [...keys.all, 'list'] }) });
}

/** Puts the chosen differences back. */
export function useRestore(setupId: string, differences: readonly string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reviewed: Reviewed) => call(RestoreSetup, { params: { setupId }, body: { keys: [...differences], ...reviewed } }),
    onSettled: () => Promise.all(HEALTH.map((of) => client.invalidateQueries({ queryKey: [...keys.all, of] }))),
  });
}

/** Begins to plan one change for many setups; the batch is reviewed before anything changes. */
export const useChangeSetups = () => useMutation({ mutationFn: (body: CallInput<typeof ChangeSetups>['body']) => call(ChangeSetups, { body }) });

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

/**
 * Follows a run by server-sent events for as long as it runs; what comes stands where the query's answer stands. Each event is the whole run, so a stream that was cut is taken up
 * again without asking for what was missed. Answers whether it is cut at the moment: what is shown may then be old.
 */
export function useWatch(current: Run | undefined): boolean {
  const client = useQueryClient();
  const runId = current?.status === 'running' ? current.id : undefined;
  const [cut, setCut] = useState(false);
  useEffect(() => {
    if (runId === undefined) return;
    let source: EventSource | undefined;
    let timer: number | undefined;
    let delay = FIRST_RETRY_MS;
    const follow = (): void => {
      const stream = new EventSource(addressOf(WatchRun, { params: { runId } }));
      source = stream;
      stream.onmessage = (event: MessageEvent<string>) => {
        const next = runOf(event.data);
        if (next === undefined) return;
        delay = FIRST_RETRY_MS;
        setCut(false);
        client.setQueryData(run(runId).queryKey, next);
        if (next.status !== 'running') {
          stream.close();
          void client.invalidateQueries({ queryKey: keys.all });
        }
      };
      stream.onerror = () => {
        setCut(true);
        // The browser takes up a broken stream by itself. One that was refused it gives up: reading the run says why.
        if (stream.readyState !== EventSource.CLOSED) return;
        void client.invalidateQueries({ queryKey: run(runId).queryKey });
        timer = window.setTimeout(follow, delay);
        delay = Math.min(delay * 2, LAST_RETRY_MS);
      };
    };
    follow();
    return () => {
      window.clearTimeout(timer);
      source?.close();
      setCut(false);
    };
  }, [client, runId]);
  return cut;
}

function runOf(text: string): Run | undefined {
  try {
    return WatchRun.response.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
