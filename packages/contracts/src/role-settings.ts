import { z } from 'zod';
import { Guid, Principal } from './words.ts';

/** Longest activation that PIM accepts, in minutes (P1D). */
export const MAX_ACTIVATION_MINUTES = 24 * 60;

/** Which mails Entra sends for one occasion, and to whom besides the default recipients. */
const Mail = z.strictObject({
  defaultRecipients: z.boolean(),
  additionalRecipients: z.array(z.email('Not an e-mail address')).max(20),
  criticalOnly: z.boolean(),
});

/** The mails of one occasion: to administrators, to the person concerned, to approvers. */
const Occasion = z.strictObject({ admins: Mail, person: Mail, approvers: Mail });

/** Authentication strength that activation asks for: MFA and a context exclude each other (PIM: MfaAndAcrsConflict). */
export const ActivationSignIn = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('mfa') }),
  z.strictObject({ kind: z.literal('authentication-context'), id: z.string().regex(/^c([1-9]|[1-9][0-9])$/, 'A context is c1 to c99') }),
]);
export type ActivationSignIn = z.infer<typeof ActivationSignIn>;

/** The member role's settings in words: the 17 rules of the PIM policy. `null` days: permanent is allowed. */
export const RoleSettings = z.strictObject({
  activationMaxMinutes: z.int('Whole minutes').min(30, 'PIM allows 30 min at the least').max(MAX_ACTIVATION_MINUTES, 'PIM allows 24 h at the most').multipleOf(15, 'In steps of 15 min'),
  activationSignIn: ActivationSignIn,
  requireJustification: z.boolean(),
  requireTicket: z.boolean(),
  approval: z.strictObject({
    required: z.boolean(),
    approvers: z.array(z.strictObject({ id: Guid, kind: z.enum(['user', 'group']), displayName: z.string() })).max(50),
  }),
  eligibleMaxDays: z.int().min(1).max(3650).nullable(),
  activeMaxDays: z.int().min(1).max(3650).nullable(),
  activeRequiresMfa: z.boolean(),
  activeRequiresJustification: z.boolean(),
  notifications: z.strictObject({ whenEligible: Occasion, whenAssigned: Occasion, whenActivated: Occasion }),
}).superRefine((settings, context) => {
  if (settings.approval.required && settings.approval.approvers.length === 0) {
    context.addIssue({ code: 'custom', path: ['approval', 'approvers'], message: 'Name at least one approver: PIM for groups has no default approvers' });
  }
});
export type RoleSettings = z.infer<typeof RoleSettings>;

const MailAsRead = z.object({ defaultRecipients: z.boolean(), additionalRecipients: z.array(z.string()), criticalOnly: z.boolean() });
const OccasionAsRead = z.object({ admins: MailAsRead, person: MailAsRead, approvers: MailAsRead });

/** Role settings as a tenant has them: others than we would propose are read and shown, not refused. */
export const RoleSettingsAsRead = z.object({
  ...RoleSettings.shape,
  activationMaxMinutes: z.number(),
  activationSignIn: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('mfa') }),
    z.object({ kind: z.literal('authentication-context'), id: z.string() }),
  ]),
  approval: z.object({ required: z.boolean(), approvers: z.array(z.object({ id: z.string(), kind: z.enum(['user', 'group']), displayName: z.string() })) }),
  eligibleMaxDays: z.number().nullable(),
  activeMaxDays: z.number().nullable(),
  notifications: z.object({ whenEligible: OccasionAsRead, whenAssigned: OccasionAsRead, whenActivated: OccasionAsRead }),
});

const everyone = { defaultRecipients: true, additionalRecipients: [], criticalOnly: false };
const occasion = { admins: everyone, person: everyone, approvers: everyone };

/** What the wizard proposes: Microsoft's procedure (30 min, MFA), with a reason. */
export const PROPOSED_ROLE_SETTINGS: RoleSettings = {
  activationMaxMinutes: 30,
  activationSignIn: { kind: 'mfa' },
  requireJustification: true,
  requireTicket: false,
  approval: { required: false, approvers: [] },
  eligibleMaxDays: 365,
  activeMaxDays: 180,
  activeRequiresMfa: false,
  activeRequiresJustification: true,
  notifications: { whenEligible: occasion, whenAssigned: occasion, whenActivated: occasion },
};

/** Role settings under a name, for a start that most need not change. */
export const PresetName = z.enum(['standard', 'strict', 'break-glass']);
export type PresetName = z.infer<typeof PresetName>;

export const PRESETS: Readonly<Record<PresetName, { readonly title: string; readonly summary: string; readonly roleSettings: RoleSettings }>> = {
  'standard': { title: 'Standard', summary: '30 min with MFA and a reason; eligible for up to a year', roleSettings: PROPOSED_ROLE_SETTINGS },
  'strict': {
    title: 'Strict', summary: '30 min with MFA, a reason and a ticket; eligible for up to 90 days, assigned as active for a day with MFA',
    roleSettings: { ...PROPOSED_ROLE_SETTINGS, requireTicket: true, eligibleMaxDays: 90, activeMaxDays: 1, activeRequiresMfa: true },
  },
  'break-glass': {
    title: 'Break-glass', summary: '8 h with MFA and a reason, nobody to wait for; eligible permanently',
    roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 8 * 60, eligibleMaxDays: null, activeMaxDays: 1, activeRequiresMfa: true },
  },
};

/** What an activation will ask for, as the analyst sees it. */
export const ActivationPolicy = z.object({
  maxMinutes: z.int(),
  signIn: z.enum(['none', 'mfa', 'authentication-context']),
  requireJustification: z.boolean(),
  requireTicket: z.boolean(),
  requireApproval: z.boolean(),
  approvers: z.array(Principal.pick({ id: true, displayName: true })),
});
export type ActivationPolicy = z.infer<typeof ActivationPolicy>;
