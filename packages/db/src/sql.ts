/**
 * An instant of the database as text in UTC with all six decimals; texts of instants stand in their order. The output column
 * must not be named as the stored one: ORDER BY would sort the text.
 */
export const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
