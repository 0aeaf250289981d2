/** The database cannot be used as it stands. The message is a sentence for the operator that says what to do; no data was touched. */
export class DatabaseRefusal extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseRefusal';
  }
}
