import { z } from 'zod';

/** A GUID as Entra writes it. Entra's ids are not always RFC 9562 UUIDs, so only the form is checked. */
export const Guid = z.guid('Not an id of Entra').transform((id) => id.toLowerCase());

/** An instant: ISO 8601 with a zone. */
export const Instant = z.iso.datetime({ offset: true });

/** PIM accepts no assignment shorter than this, and refuses to end one before it. In minutes. */
export const FIVE_MINUTE_FLOOR = 5;

/** A person, group or application as a list shows it. */
export const PrincipalKind = z.enum(['user', 'group']);
export type PrincipalKind = z.infer<typeof PrincipalKind>;

export const Principal = z.object({
  id: z.string(),
  kind: PrincipalKind,
  displayName: z.string(),
  /** User principal name of a person; what a group is for, of a group. */
  detail: z.string().nullable(),
});
export type Principal = z.infer<typeof Principal>;

export const ApplicationKind = z.enum(['quick-access', 'per-app', 'enterprise']);
export type ApplicationKind = z.infer<typeof ApplicationKind>;

/** What a Private Access application opens. */
export const Segment = z.object({
  host: z.string(),
  /** Ranges such as `443` or `8000-8010`. */
  ports: z.array(z.string()),
  /** `tcp`, `udp` or `tcp,udp`. */
  protocol: z.string(),
});
export type Segment = z.infer<typeof Segment>;

/** An application that a group opens, with its hosts. */
export const OpenedApplication = z.object({
  id: z.string(),
  displayName: z.string(),
  kind: ApplicationKind,
  /** `false` makes just-in-time access meaningless: everyone gets in. */
  assignmentRequired: z.boolean(),
  segments: z.array(Segment),
});
export type OpenedApplication = z.infer<typeof OpenedApplication>;
