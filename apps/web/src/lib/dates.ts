/** How instants and durations are written, everywhere. Times are the reader's, in 24 hours; instants come as ISO 8601. */
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const clockWithSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `14:02` */
export const formatClock = (iso: string): string => clock.format(new Date(iso));

/** `14:02:11` */
export const formatSeconds = (iso: string): string => clockWithSeconds.format(new Date(iso));

/** `23 May 2027` */
export const formatDay = (iso: string): string => day.format(new Date(iso));

/** `23 May 2027 14:02`; the time alone on the day of `now`. */
export function formatInstant(iso: string, now?: Date): string {
  const today = now !== undefined && formatDay(iso) === formatDay(now.toISOString());
  return today ? formatClock(iso) : `${formatDay(iso)} ${formatClock(iso)}`;
}

/** 30 → `30 min`, 90 → `1 h 30 min` */
export function formatMinutes(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), Math.round(minutes % 60)];
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** `now`, `2 min ago`, `3 h 5 min ago`; from a day on the instant itself. */
export function formatAgo(iso: string, now: Date): string {
  const minutes = Math.round((now.getTime() - Date.parse(iso)) / 60_000);
  if (minutes < 1) return 'now';
  return minutes < 24 * 60 ? `${formatMinutes(minutes)} ago` : formatInstant(iso, now);
}

/** Milliseconds → `00:21:40`, or `04:12` below an hour where `short` is asked; never below zero. */
export function formatCountdown(ms: number, short = false): string {
  const total = Math.max(0, Math.ceil(ms / 1000));
  const parts = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60].map((part) => String(part).padStart(2, '0'));
  return (short && total < 3600 ? parts.slice(1) : parts).join(':');
}

/** For `<input type="datetime-local">`: the reader's local time to the minute. */
export function toLocalInput(instant: Date): string {
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * What was typed into `<input type="datetime-local">`. Of an hour that comes twice, when the clocks go back, the first
 * that is not over; one that the clocks leap over lies as much later. `undefined` where it is no time.
 */
export function fromLocalInput(text: string, now: Date): Date | undefined {
  const first = new Date(text);
  if (Number.isNaN(first.getTime())) return undefined;
  const again = new Date(first.getTime() + 60 * 60_000);
  return first < now && toLocalInput(again) === text.slice(0, 16) ? again : first;
}

/** The reader's zone at an instant, as its distance from UTC: `UTC+1`. */
export function formatZone(iso: string): string {
  const minutes = -new Date(iso).getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return Number.isNaN(minutes) ? 'UTC' : `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`;
}
