import type { Coverage, HistoryFilter } from '@gatehouse/contracts';

/** What the summary of a pack tells: counts, each from the events that are in it. */
export interface PackFacts {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly exportId: string;
  readonly askedBy: string;
  readonly askedAt: string;
  readonly filter: HistoryFilter;
  readonly coverage: Coverage;
  readonly coverageStatement: string;
  readonly events: number;
  readonly activations: number;
  readonly months: readonly { readonly month: string; readonly events: number; readonly activated: number }[];
  readonly kinds: readonly { readonly kind: string; readonly events: number }[];
  readonly people: readonly { readonly name: string; readonly events: number }[];
  readonly groups: readonly { readonly name: string; readonly events: number }[];
  /** By weekday (Monday first) and hour, in UTC. */
  readonly hours: readonly (readonly number[])[];
}

const day = (instant: string): string => `${instant.slice(0, 16).replace('T', ' ')} UTC`;

/** In one sentence, what is in the record without a gap, and what is not known. */
export function coverageStatement({ from, to, lastError }: Coverage): string {
  if (from === null || to === null) return 'Nothing was read from Microsoft Entra yet: this pack says nothing about what happened there.';
  const error = lastError === null ? '' : ` Since then reading fails: ${lastError}`;
  return `Complete from ${day(from)} to ${day(to)}: every event that Microsoft Entra showed for this time is in the record. What was before ${day(from)} was no longer in Entra when the portal read it first; what came after ${day(to)} is not in it yet.${error}`;
}

/** A month that was dropped, as the log records it. */
export interface DroppedMonth { readonly month: string; readonly rows: number; readonly policy: string; readonly droppedAt: string; readonly archive: string; readonly sha256: string }

/** What of the range was dropped, a sentence a month; nothing where nothing was. */
export function droppedStatement(dropped: readonly DroppedMonth[]): string {
  return dropped.map(({ month, rows, policy, droppedAt, archive, sha256 }) => ` ${rows} rows from ${month}-01 to the end of ${month} were dropped on ${day(droppedAt)} under the retention policy (months kept: ${policy}); they are in the archive ${archive} with SHA-256 ${sha256}.`).join('');
}

export function filterInWords(filter: HistoryFilter): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => `${name}: ${String(value)}`);
  return parts.length === 0 ? 'everything' : parts.join(', ');
}

/** Scripts that the embedded font has and that are written from left to right. */
const DRAWN = /[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u052f\u0531-\u0556\u0559-\u058a\u10d0-\u10fc\u1e00-\u1eff\u2010-\u2015\u2018-\u2022\u2026\u2030-\u205e\u20a0-\u20b9\u2100-\u214f\u2190-\u21ff\u2200-\u22ff]/u;

/** Text of people for the summary: letters as they are, and every other character by its number, so that nothing is missing and nothing can turn the line round. */
export function drawable(text: string, most = 120): string {
  const all = [...text.toWellFormed()];
  const shown = all.slice(0, most).map((character) => (DRAWN.test(character) ? character : `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`)).join('');
  return all.length > most ? `${shown}…` : shown;
}

export interface PackedFile { readonly name: string; readonly bytes: number; readonly sha256: string }

/** What the pack holds, file by file; itself the last of them. */
export function manifestOf(facts: Pick<PackFacts, 'tenantId' | 'exportId' | 'askedBy' | 'askedAt' | 'filter' | 'coverageStatement'>, mark: { batch: string; open: readonly string[] }, files: readonly PackedFile[]): string {
  const { tenantId, exportId, askedBy, askedAt, filter, coverageStatement: coverage } = facts;
  return `${JSON.stringify({ format: 'gatehouse-evidence-pack', version: 1, tenantId, exportId, askedBy, askedAt, filter, coverage, log: { upToBatch: mark.batch, withoutBatches: mark.open }, files }, undefined, 2)}\n`;
}

/** How somebody who does not trust the portal checks what came out of it. */
export function readmeOf({ tenantId, askedBy, askedAt, filter, coverageStatement: coverage }: Pick<PackFacts, 'tenantId' | 'askedBy' | 'askedAt' | 'filter' | 'coverageStatement'>): string {
  return [
    'GATEHOUSE EVIDENCE PACK',
    '',
    `Tenant:    ${tenantId}`,
    `Asked by:  ${drawable(askedBy)}, ${day(askedAt)}`,
    `Holds:     ${drawable(filterInWords(filter), 500)}`,
    `Coverage:  ${coverage}`,
    '',
    'WHAT IS IN IT',
    '  events.ndjson     one event a line. Lines of Microsoft Entra are in Microsoft\'s directoryAudit schema, byte for byte as',
    '                    they were received, but for line ends between tokens, which are spaces. Lines with "service":"Gatehouse"',
    '                    are the portal\'s own record of what people did with it. What could not be read as JSON stands in an',
    '                    object "gatehouse" as it was received.',
    '  activations.csv   one activation a row, joined from those events: who, what, why, decided by whom, from when to when.',
    '                    RFC 4180, UTF-8. A cell that begins with an apostrophe has exactly one too many: it keeps a spreadsheet',
    '                    from running or converting what stands in it.',
    '  coverage.json     from when to when nothing is missing.',
    '  summary.pdf       the same in figures. Characters that its font does not have are shown by their number, as [U+4E2D].',
    '  ledger/           proofs that these events were in the log, unaltered. LEDGER.txt says what they prove, and of how many.',
    '  manifest.json     every file with its size and SHA-256.',
    '',
    'HOW TO CHECK IT',
    '  1. Unpack it into an empty folder.',
    '  2. Compare each file with manifest.json:',
    '       Linux, macOS:  sha256sum events.ndjson      (shasum -a 256 on macOS)',
    '       Windows:       Get-FileHash events.ndjson -Algorithm SHA256',
    '  3. Compare the SHA-256 of the pack itself with the one that the portal recorded when it was made: it stands in the',
    '     history, as "An evidence pack was made".',
    '  4. Follow LEDGER.txt for the proofs. They need nothing of the portal.',
    '',
  ].join('\n');
}
