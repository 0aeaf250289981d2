import { z } from 'zod';
import type { AuditLog, RawAuditEvent, RawPage } from './ports.ts';
import { rawElements } from './raw-elements.ts';
import type { Answer, Call } from './call.ts';
import type { Transport } from './transport.ts';

const PAGE_SIZE = 1000;

const EventPage = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().nullish() });

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
      return pageOf(await (nextLink === undefined ? transport.fetch(call) : transport.follow(nextLink, call)));
    },
  };
}

/** The page is parsed once, and each event keeps its own text beside what it parses to. */
function pageOf({ text, date }: Answer): RawPage {
  const page = EventPage.safeParse(parsed(text)).data;
  const texts = page && rawElements(text);
  if (!page || texts?.length !== page.value.length) return { items: [], date, unreadable: text };
  return {
    items: texts.map((raw, index) => eventOf(page.value[index], raw)),
    nextLink: page['@odata.nextLink'] || undefined,
    date,
    ...(page.value.some(isError) && { brokenOff: true }),
  };
}

/** An event without id or time is kept all the same, with empty ones. */
function eventOf(value: unknown, raw: string): RawAuditEvent {
  const { id, activityDateTime } = isObject(value) ? value : {};
  return { id: typeof id === 'string' ? id : '', activityDateTime: typeof activityDateTime === 'string' ? activityDateTime : '', raw, parsed: value };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
const isError = (value: unknown): boolean => isObject(value) && 'error' in value && !('id' in value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
