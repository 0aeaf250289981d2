/** A span of time in milliseconds. */
export interface Span { readonly from: number; readonly to: number }

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** No closer than an hour, no wider than some ten years. */
const [LEAST, MOST] = [HOUR, 3660 * DAY];

/** Half the span or twice it, about its middle; what would be too close or too wide stays. */
export function zoomed({ from, to }: Span, factor: number): Span {
  const size = Math.min(MOST, Math.max(LEAST, (to - from) * factor));
  const middle = (from + to) / 2;
  return { from: Math.round(middle - size / 2), to: Math.round(middle + size / 2) };
}

/** Moved by so many of its own lengths. */
export const moved = ({ from, to }: Span, by: number): Span => ({ from: from + (to - from) * by, to: to + (to - from) * by });

/** Where a bar lies within the span, in percent; what goes on beyond it is cut, and none is too thin to be seen. */
export function placeOf(bar: Span, { from, to }: Span): { readonly left: number; readonly width: number } {
  const percent = (at: number): number => ((Math.min(to, Math.max(from, at)) - from) / (to - from)) * 100;
  const left = Math.min(percent(bar.from), 99.6);
  return { left, width: Math.max(0.4, percent(bar.to) - left) };
}

const STEPS = [HOUR / 4, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 182 * DAY, 365 * DAY, 2 * 365 * DAY];

/** Round instants for the scale: at most six, days at local midnight. */
export function ticksOf({ from, to }: Span): { readonly at: number; readonly isDay: boolean }[] {
  const step = STEPS.find((size) => (to - from) / size <= 6) ?? MOST;
  const midnight = new Date(from);
  midnight.setHours(0, 0, 0, 0);
  const ticks: { at: number; isDay: boolean }[] = [];
  for (let n = 0; ticks.length <= 6; n += 1) {
    // By the calendar, so that a change of the clock moves no midnight.
    const at = step >= DAY ? new Date(midnight.getFullYear(), midnight.getMonth(), midnight.getDate() + (n * step) / DAY).getTime() : midnight.getTime() + n * step;
    if (at >= to) break;
    if (at >= from) ticks.push({ at, isDay: step >= DAY });
  }
  return ticks;
}
