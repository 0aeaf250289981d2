/** Whether PostgreSQL stores the text as it is: it takes no NUL, and no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();

/** The text as PostgreSQL stores it, with a mark in the place of what it does not take. */
export const storable = (text: string): string => (isStorable(text) ? text : text.replaceAll('\u0000', '\uFFFD').toWellFormed());
