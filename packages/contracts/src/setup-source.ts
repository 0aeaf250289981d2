import { z } from 'zod';
import { PresetName, RoleSettings } from './role-settings.ts';
import { GroupName, GROUP_NAME_MAX, MailNickname, OWNERS_MAX, SegmentWish } from './setup.ts';
import { ApplicationKind, Guid, PrincipalKind } from './words.ts';

/**
 * A setup as people write it: like `SetupDefinition`, but whoever is in it may be named. The tenant says whose names they
 * are; what only a whole definition can be held to, such as that nobody is named twice, is checked then.
 */

const Named = z.string().trim().min(1, 'A name is expected here').max(GROUP_NAME_MAX);

/** Exactly one of these ways to say who or what is meant, with what that way needs besides. */
function oneWay<T extends object>(ways: Readonly<Record<string, readonly string[]>>): (value: T, context: z.RefinementCtx<T>) => void {
  return (value, context) => {
    const given = (key: string): boolean => (value as Record<string, unknown>)[key] !== undefined;
    const chosen = Object.keys(ways).filter(given);
    const [way] = chosen;
    if (way === undefined || chosen.length > 1) return context.addIssue({ code: 'custom', path: [], message: `Name one of ${Object.keys(ways).join(', ')}` });
    const needed = ways[way] ?? [];
    for (const key of needed) if (!given(key)) context.addIssue({ code: 'custom', path: [key], message: `With ${way} there is to be ${key}` });
    for (const other of new Set(Object.values(ways).flat())) if (!needed.includes(other) && given(other)) context.addIssue({ code: 'custom', path: [other], message: `With ${way} there is no ${other}` });
  };
}

const GroupSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('new'), displayName: GroupName, mailNickname: MailNickname.optional(), description: z.string().trim().max(1024, 'At most 1,024 characters').default('') }),
  /** By its id or by its name. */
  z.strictObject({ kind: z.literal('existing'), groupId: Guid.optional(), displayName: Named }),
]);

const OwnerSource = z.strictObject({ user: Named.optional(), principalId: Guid.optional(), displayName: z.string().optional() })
  .superRefine(oneWay({ user: [], principalId: ['displayName'] }));

const EligibleSource = z.strictObject({
  user: Named.optional(), group: Named.optional(),
  principalId: Guid.optional(), kind: PrincipalKind.optional(), displayName: z.string().optional(),
  days: z.int().min(1, 'At least one day').max(3650).nullable(),
}).superRefine(oneWay({ user: [], group: [], principalId: ['kind', 'displayName'] }));

const ApproverSource = z.strictObject({
  user: Named.optional(), group: Named.optional(),
  id: Guid.optional(), kind: PrincipalKind.optional(), displayName: z.string().optional(),
}).superRefine(oneWay({ user: [], group: [], id: ['kind', 'displayName'] }));

const RoleSettingsSource = z.union([
  PresetName,
  z.strictObject({ ...RoleSettings.shape, approval: z.strictObject({ required: z.boolean(), approvers: z.array(ApproverSource).max(50) }) }),
]);

const ApplicationSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.undefined().optional(), application: Named }),
  z.strictObject({ kind: z.literal('existing'), servicePrincipalId: Guid, displayName: z.string(), applicationKind: ApplicationKind }),
  z.strictObject({
    kind: z.literal('new'),
    displayName: z.string().trim().min(1, 'Name the application').max(120),
    connectorGroup: Named.optional(), connectorGroupId: Guid.optional(), connectorGroupName: z.string().optional(),
    segments: z.array(SegmentWish).min(1, 'An application opens at least one destination').max(500),
  }).superRefine(oneWay({ connectorGroup: [], connectorGroupId: ['connectorGroupName'] })),
]);

export const SetupSource = z.strictObject({
  group: GroupSource,
  owners: z.array(OwnerSource).max(OWNERS_MAX, `Entra takes ${OWNERS_MAX} owners at the most`).default([]),
  roleSettings: RoleSettingsSource,
  ownerRoleSettings: RoleSettingsSource.nullable().default(null),
  eligible: z.array(EligibleSource).min(1, 'Choose at least one person or group').max(500),
  applications: z.array(ApplicationSource).min(1, 'Choose at least one application').max(50),
});
export type SetupSource = z.infer<typeof SetupSource>;
