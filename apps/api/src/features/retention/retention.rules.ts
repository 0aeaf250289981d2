/** How long a source is kept unless somebody said otherwise: seven years. */
export const DEFAULT_MONTHS = 84;
/** Between the day a drop is announced and the day it may be done. */
export const NOTICE_DAYS = 30;

const DAY_MS = 24 * 60 * 60_000;

/** The first instant after a month that is so many months older: `2019-11` and 84 give 2026-12-01. */
export function keptUntil(month: string, months: number): Date {
  const [year = 0, of = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, of + months, 1));
}

/** Whether every source that has events in the month was kept long enough. */
export const isOver = (month: string, monthsOfSources: readonly number[], now: Date): boolean => keptUntil(month, Math.max(...monthsOfSources, 0)) <= now;

export const dueAfter = (announced: Date): Date => new Date(announced.getTime() + NOTICE_DAYS * DAY_MS);

/** How long a month that could not be archived waits after so many times: a full disk is not filled further with what cannot end well. */
export const pauseAfter = (failures: number): number => Math.min(DAY_MS, 10 * 60_000 * 2 ** Math.min(failures - 1, 20));

export interface Hold { readonly fromMonth: string | null; readonly toMonth: string | null }

/** Whether a hold that is not lifted keeps the month. */
export const isHeld = (month: string, holds: readonly Hold[]): boolean => holds.some(({ fromMonth, toMonth }) => (fromMonth === null || fromMonth <= month) && (toMonth === null || month <= toMonth));

export interface ReadBack { readonly sha256: string; readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string; readonly lines: number }[]; readonly manifest: string }

/** What is wrong with an archive as it was read back, in a sentence; `undefined` where it holds every row, byte for byte as it was written. */
export function faultOf(written: { readonly sha256: string; readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[] }, readBack: ReadBack, rows: number, rowsFile: string): string | undefined {
  if (readBack.sha256 !== written.sha256) return 'The archive on disk is not what was written.';
  for (const { name, bytes, sha256 } of written.files) {
    const found = readBack.files.find((file) => file.name === name);
    if (found?.sha256 !== sha256 || found.bytes !== bytes) return `${name} in the archive is not what was written.`;
    if (!readBack.manifest.includes(sha256)) return `${name} is not in the archive’s manifest.`;
  }
  if (readBack.files.length !== written.files.length) return 'The archive holds files that were not written.';
  const lines = readBack.files.find(({ name }) => name === rowsFile)?.lines;
  return lines === rows ? undefined : `The archive holds ${String(lines ?? 0)} rows and the month ${rows}.`;
}
