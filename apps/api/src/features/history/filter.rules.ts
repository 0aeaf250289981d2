import { isStorable } from '../../core/text.ts';
import { fieldError } from '../../core/errors.ts';
import { instantOf } from './history.rules.ts';
import { canBeLookedUp } from './search.rules.ts';

/** What people narrow the log by, as it comes from them. */
export interface Filter {
  readonly person?: string | undefined; readonly group?: string | undefined; readonly application?: string | undefined; readonly text?: string | undefined;
  readonly kind?: string | undefined; readonly result?: string | undefined; readonly source?: string | undefined; readonly status?: string | undefined;
  readonly from?: string | undefined; readonly to?: string | undefined;
}

/** The filter as the database takes it, or a refusal at the field that no row could match; `at` is where in the request it stood. */
export function usable<Asked extends Filter>(filter: Asked, at: 'query' | 'body.filter' = 'query'): Asked {
  for (const [name, value] of Object.entries(filter)) if (typeof value === 'string' && !isStorable(value)) throw fieldError('invalid-request', `${at}.${name}`, 'This has a character that no name has');
  if (filter.text && !canBeLookedUp(filter.text)) throw fieldError('invalid-request', `${at}.text`, 'Write three letters or digits in a row at the least');
  const instant = (name: 'from' | 'to'): Pick<Filter, 'from' | 'to'> => {
    const text = filter[name];
    if (text === undefined) return {};
    const found = instantOf(text);
    if (found === undefined) throw fieldError('invalid-request', `${at}.${name}`, 'No event has such a time');
    return { [name]: found };
  };
  return { ...filter, ...instant('from'), ...instant('to') };
}
