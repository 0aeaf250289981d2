/** What the sync decides, without doing it. Instants and lengths are numbers in milliseconds. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Microsoft shows most events within 15 minutes: what is new is read again for twice that. */
export const OVERLAP = 30 * MINUTE;
/** What people want to see first, where there is much to read: the newest day. What lies before it is filled from its oldest end, which the source lets go of first. */
export const NEWEST = DAY;
/** Length of the first window of a long reading, and the shortest there is: what cannot be read in so little is given up for a while. */
export const FIRST_LENGTH = DAY;
export const SHORTEST = MINUTE;
/** A window of more pages than this is followed by one of half its length: what a crash leaves to be read again stays small. One of fewer than half is followed by one of twice its length: each window ends with a page that is not full. */
const MOST_PAGES = 40;
/** How often a shortest window is tried before what lies behind it is read first. */
export const MOST_TRIES = 3;
/** Clocks this far apart are no matter for windows that overlap by half an hour. */
export const SAME_TIME = 2 * MINUTE;
/** What of a source's requests may go into reading again what shows late. */
const SHARE_FOR_LATE = 0.1;

export const nextLength = (length: number, pages: number): number => (pages < MOST_PAGES / 2 ? Math.min(length * 2, 60 * DAY) : pages > MOST_PAGES ? shorter(length) : length);
export const shorter = (length: number): number => Math.max(SHORTEST, Math.floor(length / 2));

/** How long a reading that failed is left alone. */
export const restAfter = (tries: number): number => Math.min(HOUR, MINUTE * 2 ** Math.min(tries, 10));

/** Whether something is due again. A clock that jumped, either way, makes it due. */
export const isDue = (last: number | undefined, every: number, now: number): boolean => last === undefined || Math.abs(now - last) >= every;

export interface Stretch { readonly from: number; readonly to: number }
export type GapCause = 'first-start' | 'outage' | 'unreadable' | 'unavailable';

export interface LivePlan {
  /** Where to begin with what is new. */
  readonly from: number;
  /** What lies before that and is still to be had. */
  readonly gap?: Stretch & { readonly cause: GapCause };
  /** What the source has let go of meanwhile. */
  readonly lost?: Stretch;
}

/** Where reading what is new begins. After a long silence with the newest day, so that people see it at once; the rest is a gap, which is filled meanwhile. */
export function planLive({ now, watermark, newest, retention, overlap }: { readonly now: number; readonly watermark: number | undefined; readonly newest: number | undefined; readonly retention: number; readonly overlap: number }): LivePlan {
  const oldestKept = now - retention;
  const newestDay = Math.max(oldestKept, now - NEWEST);
  if (watermark === undefined) return { from: newestDay, ...(oldestKept < newestDay && { gap: { from: oldestKept, to: newestDay, cause: 'first-start' } }) };
  if (now - watermark <= NEWEST + OVERLAP) {
    // By the log's own time as well as by our clock: a clock that once ran ahead must not have us pass over events.
    return { from: Math.max(Math.min(watermark, now, newest ?? watermark) - overlap, oldestKept) };
  }
  const from = Math.max(watermark - OVERLAP, oldestKept);
  return {
    from: newestDay,
    ...(from < newestDay && { gap: { from, to: newestDay, cause: 'outage' } }),
    ...(watermark < oldestKept && { lost: { from: watermark, to: Math.min(oldestKept, newestDay) } }),
  };
}

/** How often what was read is read again, for what shows late. */
export interface Tails {
  /** Every minute, from this long before. */
  readonly overlap: number;
  /** Half an hour back. */
  readonly overlapEvery: number;
  /** A day back. */
  readonly dayEvery: number;
  /** All that the source keeps. */
  readonly wholeEvery: number;
  /** What that costs a day, beyond the one request a minute for what is new. */
  readonly requestsADay: number;
}

/**
 * The tails that a source can pay for. A page holds so many events and nothing is told without reading it, so that looking
 * back costs pages: at `eventsADay` E and 1,000 on a page, half an hour every minute E/48,000 beyond the first page, 1,440
 * times; a day every hour 24 × E/1,000; thirty days every day 30 × E/1,000. Up to some 53,000 events a day that is within
 * a tenth of 43,200 requests, and what shows late is there within a minute (late by up to half an hour), an hour (a day),
 * or a day. Beyond, the looks back come less often, those over all that is kept last: at 100,000 events a day every
 * quarter of an hour, every two hours, and every day.
 */
export function tailsFor({ eventsADay, pageSize, requestsADay, retention }: { readonly eventsADay: number; readonly pageSize: number; readonly requestsADay: number; readonly retention: number }): Tails {
  const pages = (length: number): number => Math.max(1, Math.ceil((eventsADay * length) / DAY / pageSize));
  const costOf = (tails: Omit<Tails, 'requestsADay'>): Tails => ({
    ...tails,
    requestsADay: (DAY / MINUTE) * (pages(tails.overlap) - 1)
      + (tails.overlapEvery > MINUTE ? (DAY / tails.overlapEvery) * (pages(OVERLAP) - pages(tails.overlap)) : 0)
      + (DAY / tails.dayEvery) * pages(Math.min(retention, DAY) - OVERLAP)
      + (retention > DAY ? (DAY / tails.wholeEvery) * pages(retention - DAY) : 0),
  });
  /** As long a time as fits on nine tenths of a page. */
  const onePage = Math.min(OVERLAP, Math.max(5 * MINUTE, Math.floor((0.9 * pageSize * DAY) / Math.max(1, eventsADay)) - MINUTE));
  const ladder: readonly Omit<Tails, 'requestsADay'>[] = [
    { overlap: OVERLAP, overlapEvery: MINUTE, dayEvery: HOUR, wholeEvery: DAY },
    { overlap: onePage, overlapEvery: 5 * MINUTE, dayEvery: HOUR, wholeEvery: DAY },
    { overlap: onePage, overlapEvery: 15 * MINUTE, dayEvery: 2 * HOUR, wholeEvery: DAY },
    { overlap: onePage, overlapEvery: 30 * MINUTE, dayEvery: 4 * HOUR, wholeEvery: 2 * DAY },
    { overlap: onePage, overlapEvery: HOUR, dayEvery: 8 * HOUR, wholeEvery: 4 * DAY },
    { overlap: onePage, overlapEvery: 2 * HOUR, dayEvery: DAY, wholeEvery: 7 * DAY },
  ];
  const affordable = ladder.map(costOf);
  const last = affordable.at(-1);
  return affordable.find((tails) => tails.requestsADay <= requestsADay * SHARE_FOR_LATE) ?? last ?? costOf({ overlap: OVERLAP, overlapEvery: MINUTE, dayEvery: HOUR, wholeEvery: DAY });
}

/** Counts by the hour in which each record happened: `2026-03-01T09`. */
export const hourOf = (at: string): string => at.slice(0, 13);

/** The hours of which less was seen than is stored: the source showed less than it has, and may have hidden what is not stored either. */
export function hoursToReadAgain(stored: ReadonlyMap<string, number>, seen: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...stored].filter(([hour, count]) => (seen.get(hour)?.size ?? 0) < count).map(([hour]) => hour);
}
