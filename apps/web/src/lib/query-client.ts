import { QueryClient as AnyQueryClient, type InvalidateOptions, type InvalidateQueryFilters, type QueryKey } from '@tanstack/react-query';

/**
 * As TanStack's, of which an invalidation begins a first reading anew that is under way: 5.108 takes the answer to it,
 * which may be from before the change that is invalidated for, and then holds it for fresh
 * (github.com/TanStack/query/issues/8530). What is made as soon as its page opens would be missing from the page's list.
 */
export class QueryClient extends AnyQueryClient {
  override invalidateQueries<Key extends QueryKey = QueryKey>(filters?: InvalidateQueryFilters<Key>, options?: InvalidateOptions): Promise<void> {
    // Only what is read anew now.
    const isRead = options?.cancelRefetch !== false && ['active', 'all'].includes(filters?.refetchType ?? filters?.type ?? 'active');
    if (isRead) for (const query of this.getQueryCache().findAll({ ...filters, type: 'active', fetchStatus: 'fetching' })) {
      // Silent: whoever waits for the first reading gets the answer to the one that takes its place.
      if (query.state.data === undefined && !query.isDisabled()) void query.cancel({ silent: true });
    }
    return super.invalidateQueries(filters, options);
  }
}
