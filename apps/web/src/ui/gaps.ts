import type { Gap } from '@gatehouse/contracts';
import { formatClock, formatDay, formatInstant } from '../lib/dates.ts';

/** Why something is missing, for a person. */
export const CAUSES: Readonly<Record<Gap['cause'], string>> = {
  'first-start': 'From before the portal was there',
  'outage': 'Nobody read',
  'unreadable': 'Microsoft Graph answered something else',
  'unavailable': 'Microsoft Graph did not answer',
};

/** `14 Feb 2026 02:00–02:11`; both days where there are two. */
export function formatStretch(from: string, to: string): string {
  return formatDay(from) === formatDay(to) ? `${formatInstant(from)}–${formatClock(to)}` : `${formatInstant(from)} – ${formatInstant(to)}`;
}
