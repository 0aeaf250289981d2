/** What a spreadsheet would take for a formula: it runs what somebody else wrote. */
export function isFormula(value: string): boolean {
  return /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/.test(value);
}

/** A cell that a spreadsheet shows and never runs: what it would take for a formula begins with an apostrophe. */
export function safeCell(value: string | null): string {
  if (value === null) return '';
  return isFormula(value) ? `'${value}` : value;
}
