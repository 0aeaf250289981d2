import { webDarkTheme, webLightTheme } from '@fluentui/react-theme';
import { MutationCache, QueryCache, QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useState, useSyncExternalStore } from 'react';
import { RouterProvider } from 'react-router';
import { ApiError, endsPage } from '../lib/api.ts';
import { QueryClient } from '../lib/query-client.ts';
import { Fluent } from '../ui/fluent.tsx';
import { createRouter } from './router.tsx';

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const useDark = (): boolean => useSyncExternalStore(
  (changed) => {
    dark.addEventListener('change', changed);
    return () => { dark.removeEventListener('change', changed); };
  },
  () => dark.matches,
);

export function createClient(): QueryClient {
  /** A session that ended shows the way to sign in, on the same address; one that became another's shows their page. */
  const sessionEnded = (error: unknown): void => { if (endsPage(error)) void client.invalidateQueries({ queryKey: ['session'] }); };

  const client = new QueryClient({
    queryCache: new QueryCache({ onError: sessionEnded }),
    mutationCache: new MutationCache({ onError: sessionEnded }),
    defaultOptions: {
      queries: {
        // Asking again helps where nothing was refused, only unanswered; a change is never sent twice by itself.
        retry: (count, error) => count < 2 && error instanceof ApiError && error.problem.status === 503,
        staleTime: 5_000,
      },
    },
  });
  return client;
}

export function App() {
  const [router] = useState(createRouter);
  const [client] = useState(createClient);
  return (
    <Fluent theme={useDark() ? webDarkTheme : webLightTheme}>
      <QueryClientProvider client={client}>
        <Suspense fallback={null}><RouterProvider router={router} /></Suspense>
      </QueryClientProvider>
    </Fluent>
  );
}
