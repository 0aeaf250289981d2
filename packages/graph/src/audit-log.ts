import { z } from 'zod';
import { GraphError } from './errors.ts';
import type { AuditLog, RawAuditEvent } from './ports.ts';
import { rawElements } from './raw-elements.ts';
import type { Call } from './call.ts';
import type { Transport } from './transport.ts';

const PAGE_SIZE = 1000;

const EventPage = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().nullish() });

/** An event without id or time is kept all the same, with empty ones: what is dirty is the reader's to judge. */
const Marks = z.object({ id: z.string().catch(''), activityDateTime: z.string().catch('') }).catch({ id: '', activityDateTime: '' });

/** The directory's own log. */
export function createAuditLog(transport: Transport): AuditLog {
  return {
    async directoryAudits({ from, to }, nextLink) {
      const call: Call = {
        method: 'GET',
        version: 'v1.0',
        path: '/auditLogs/directoryAudits',
        query: {
          $filter: `activityDateTime ge ${from} and activityDateTime le ${to}`,
          $orderby: 'activityDateTime asc',
          $top: String(PAGE_SIZE),
        },
      };
      const answer = await (nextLink === undefined ? transport.send(call) : transport.follow(nextLink, call));
      const page = transport.parse(call, answer, EventPage);
      const texts = rawElements(answer.text);
      if (texts?.length !== page.value.length) throw new GraphError('unexpected', `GET ${call.path}: the page does not divide into its events`);

      const items = texts.map((raw, index): RawAuditEvent => ({ ...Marks.parse(page.value[index]), raw }));
      return { items, nextLink: page['@odata.nextLink'] || undefined };
    },
  };
}
