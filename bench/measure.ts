/** What a measure is given. */
export interface Conditions {
  /** Fewer cases, to see that it works. */
  readonly quick: boolean;
  /** A migrated database to copy. */
  readonly templateUrl: string;
}

export interface Measured {
  readonly table: readonly Readonly<Record<string, unknown>>[];
  /** What the measure is known by: a ratio within one run where one can be had, which says the same on any machine; else seconds, milliseconds or a count. */
  readonly value: number;
  /** Whether the figures that were set are reached. */
  readonly holds: boolean;
}

export type Measure = (conditions: Conditions) => Promise<Measured>;
