import type { MonthlyLog, RetentionPolicy } from '@gatehouse/contracts';

/** The logs that are kept by months: what has rows in each, and the column whose instant says in which month a row lies. */
export const MONTHLY_LOGS: Readonly<Record<MonthlyLog, { readonly sources: readonly RetentionPolicy['source'][]; readonly instant: string }>> = {
  audit_event: { sources: ['directory', 'portal'], instant: 'activity_at' },
  network_connection: { sources: ['traffic'], instant: 'created_at' },
};
