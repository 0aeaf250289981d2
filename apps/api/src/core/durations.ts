import { NETWORK_MAY_STAY_OPEN_MINUTES } from '@gatehouse/contracts';

/** `PT1H30M`, `P1D` → minutes; `undefined` where it is not a duration of days, hours, minutes and seconds. */
export function minutesOf(duration: string): number | undefined {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(duration);
  if (!match || duration === 'P' || duration.endsWith('T')) return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(days) * 1440 + Number(hours) * 60 + Number(minutes) + Number(seconds) / 60;
}

/** Minutes → the ISO 8601 duration that Graph takes. A whole day is `P1D`, as PIM's own portal writes it. */
export function durationOf(minutes: number): string {
  if (minutes === 1440) return 'P1D';
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return `PT${hours > 0 ? `${hours}H` : ''}${rest > 0 || hours === 0 ? `${rest}M` : ''}`;
}

/** 30 → "30 min", 90 → "1 h 30 min". */
export function inWords(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

export function addMinutes(instant: Date, minutes: number): Date {
  return new Date(instant.getTime() + minutes * 60_000);
}

/** Until when the network may stay open after a membership ended (CONTRACT.md §15). */
export const networkEndOf = (ended: Date): Date => addMinutes(ended, NETWORK_MAY_STAY_OPEN_MINUTES);
