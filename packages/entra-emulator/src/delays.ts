const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** From the least to the most; each time another, by chance. */
export interface Range { readonly min: number; readonly max: number }

/** How long the emulated service takes, in milliseconds of the tenant's clock. */
export interface Delays {
  /** A new group or user until PIM knows it. */
  readonly directoryToPim: number;
  /** The 201 of a request until its schedule is there. */
  readonly provisioning: number;
  /** PIM's change until the directory's membership shows it. */
  readonly membership: number;
  /** An event until the reports show it. Where the range is wide, a later event may show before an earlier one. */
  readonly auditVisible: Range;
  /** A change to an application, its segments or a traffic profile until the Global Secure Access client follows it. */
  readonly configurationToClient: number;
  /** Life of the token of the Global Secure Access client. What it opened when it was issued it opens until its end. */
  readonly clientToken: Range;
  /** Revoked sign-ins until the client's token is cut by Universal CAE, the grace period included; `null`: the client does not know of it. */
  readonly universalCae: number | null;
  /** Life of the link to a next page. How long it is, Microsoft does not say. */
  readonly nextLink: number;
  /** A request that is over until PIM's lists have it no more; `null`: never. Microsoft names no time; people report some forty days (Azure/AzOps#901, microsoft-graph-docs-contrib#115). */
  readonly requestForgotten: number | null;
}

/** As documented or measured (CONTRACT.md §0, §10, §13, §15). */
export const LIFELIKE_DELAYS: Delays = {
  directoryToPim: 20 * SECOND, provisioning: 3 * SECOND, membership: 2 * SECOND, auditVisible: { min: 0, max: 60 * MINUTE },
  configurationToClient: 15 * MINUTE, clientToken: { min: 60 * MINUTE, max: 90 * MINUTE }, universalCae: 6 * MINUTE, nextLink: 60 * MINUTE, requestForgotten: 45 * DAY,
};

/** Short enough that a person who tries the product does not wait, and that access ends where they can see it. */
export const DEMO_DELAYS: Delays = {
  directoryToPim: 6 * SECOND, provisioning: 1_500, membership: 800, auditVisible: { min: 4 * SECOND, max: 4 * SECOND },
  configurationToClient: 0, clientToken: { min: 0, max: 0 }, universalCae: 6 * MINUTE, nextLink: 60 * MINUTE, requestForgotten: null,
};

/** Everything at once. */
export const NO_DELAYS: Delays = {
  directoryToPim: 0, provisioning: 0, membership: 0, auditVisible: { min: 0, max: 0 }, configurationToClient: 0, clientToken: { min: 0, max: 0 }, universalCae: 0, nextLink: 60 * MINUTE, requestForgotten: null,
};

/** A length within the range; which one, a new id decides, so that the same ids make the same run. */
export function within({ min, max }: Range, newId: () => string): number {
  if (min === max) return min;
  return Math.round(min + (max - min) * (Number.parseInt(newId().slice(0, 8), 16) / 0x1_0000_0000));
}
