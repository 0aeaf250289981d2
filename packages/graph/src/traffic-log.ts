import { z } from 'zod';
import { GraphError } from './errors.ts';
import type { Call } from './call.ts';
import type { RawTraffic, TrafficLog } from './ports.ts';
import { rawElements } from './raw-elements.ts';
import type { Transport } from './transport.ts';

const PAGE_SIZE = 1000;

const TrafficPage = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().nullish() });

/** A row without id or time is kept all the same, with empty ones: what is dirty is the reader's to judge. */
const Marks = z.object({ transactionId: z.string().catch(''), createdDateTime: z.string().catch('') }).catch({ transactionId: '', createdDateTime: '' });

/** The log of what the clients of Global Secure Access did. */
export function createTrafficLog(transport: Transport): TrafficLog {
  return {
    async privateTraffic({ from, to }, nextLink) {
      const call: Call = {
        method: 'GET',
        version: 'beta',
        path: '/networkAccess/logs/traffic',
        query: {
          $filter: `trafficType eq 'private' and createdDateTime ge ${from} and createdDateTime le ${to}`,
          $orderby: 'createdDateTime asc',
          $top: String(PAGE_SIZE),
        },
        prefer: 'include-unknown-enum-members',
      };
      const answer = await (nextLink === undefined ? transport.send(call) : transport.follow(nextLink, call));
      const page = transport.parse(call, answer, TrafficPage);
      const texts = rawElements(answer.text);
      if (texts?.length !== page.value.length) throw new GraphError('unexpected', `GET ${call.path}: the page does not divide into its rows`);

      const items = texts.map((raw, index): RawTraffic => ({ ...Marks.parse(page.value[index]), raw }));
      return { items, nextLink: page['@odata.nextLink'] || undefined };
    },
  };
}

/** Why a log stays closed until somebody does something about it. */
export type LogClosed =
  /** The permission was not granted. */
  | 'not-permitted'
  /** The tenant has no licence for it. */
  | 'not-licensed'
  /** Graph refuses for a reason that the portal does not know. */
  | 'refused';

/**
 * Why a log is closed to the portal; `undefined` where the call may go well by itself the next time. Which code Graph has
 * for a log that no licence covers is not published: any refusal that speaks of a licence is taken for it.
 */
export function logClosedBy(error: unknown): LogClosed | undefined {
  if (!(error instanceof GraphError)) return undefined;
  const { failure, message, details: { status } } = error;
  if (status === undefined || status < 400 || status >= 500 || failure === 'throttled' || failure === 'unavailable' || failure === 'not-signed-in') return undefined;
  if (/licen[cs]e/i.test(message)) return 'not-licensed';
  return failure === 'forbidden' ? 'not-permitted' : 'refused';
}
