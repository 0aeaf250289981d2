/** How long the emulated service takes, in milliseconds of the tenant's clock. */
export interface Delays {
  /** A new group or user until PIM knows it (life: 5 to 30 s and more). */
  readonly directoryToPim: number;
  /** The 201 of an activation until membership is provisioned. */
  readonly provisioning: number;
  /** PIM's change until the directory's membership shows it. */
  readonly membership: number;
  /** An event until `/auditLogs/directoryAudits` shows it (life: 0 to 60 min). */
  readonly auditVisible: number;
}

/** Lifelike, but short enough that a person who tries the product does not wait. */
export const DEMO_DELAYS: Delays = { directoryToPim: 6_000, provisioning: 1_500, membership: 800, auditVisible: 4_000 };
