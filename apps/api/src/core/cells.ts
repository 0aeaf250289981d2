/** What a spreadsheet overlooks before and after what it takes for a formula, a number or a date; for a class of a pattern. */
export const OVERLOOKED = '\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u3000\\ufeff';
/** How a cell begins that a spreadsheet would take for a formula; for a pattern. */
export const FORMULA = `[${OVERLOOKED}]*[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20]|[\\t\\r\\n]`;

const BEGINS_LIKE_ONE = new RegExp(`^(?:${FORMULA})`);

/** What a spreadsheet would take for a formula: it runs what somebody else wrote. */
export const isFormula = (value: string): boolean => BEGINS_LIKE_ONE.test(value);

/** A cell that a spreadsheet shows and never runs: what it would take for a formula begins with an apostrophe. */
export function safeCell(value: string | null): string {
  if (value === null) return '';
  return isFormula(value) ? `'${value}` : value;
}
