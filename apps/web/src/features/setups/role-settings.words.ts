import { PRESETS, PresetName, type RoleSettings } from '@gatehouse/contracts';
import { formatMinutes } from '../../lib/dates.ts';

export type Setting = Exclude<keyof RoleSettings, 'notifications'>;

interface InWords {
  readonly title: string;
  /** The value as a cell says it, and as it reads by itself, such as "MFA not required". */
  value(settings: RoleSettings): string;
  sentence(settings: RoleSettings): string;
  /** How much it lets through: more is weaker. */
  laxity(settings: RoleSettings): number;
}

const days = (count: number | null): string => (count === null ? 'Permanent' : count === 1 ? '1 day' : `${count} days`);
const required = (on: boolean): string => (on ? 'Required' : 'Not required');
const signInOf = ({ activationSignIn: signIn }: RoleSettings): string => (signIn.kind === 'mfa' ? 'MFA' : signIn.kind === 'none' ? 'Not required' : `Context ${signIn.id}`);

/** The settings that are compared side by side, in the order of their columns. */
export const SETTINGS: Readonly<Record<Setting, InWords>> = {
  activationMaxMinutes: { title: 'Activation', value: (one) => formatMinutes(one.activationMaxMinutes), sentence: (one) => `Activation at most ${formatMinutes(one.activationMaxMinutes)}`, laxity: (one) => one.activationMaxMinutes },
  activationSignIn: { title: 'Sign-in', value: signInOf, sentence: (one) => (one.activationSignIn.kind === 'none' ? 'MFA not required' : one.activationSignIn.kind === 'mfa' ? 'MFA required' : `Authentication context ${one.activationSignIn.id}`), laxity: (one) => (one.activationSignIn.kind === 'none' ? 1 : 0) },
  requireJustification: { title: 'Reason', value: (one) => required(one.requireJustification), sentence: (one) => `Reason ${required(one.requireJustification).toLowerCase()}`, laxity: (one) => (one.requireJustification ? 0 : 1) },
  requireTicket: { title: 'Ticket', value: (one) => required(one.requireTicket), sentence: (one) => `Ticket ${required(one.requireTicket).toLowerCase()}`, laxity: (one) => (one.requireTicket ? 0 : 1) },
  approval: { title: 'Approval', value: (one) => (one.approval.required ? `By ${one.approval.approvers.map(({ displayName }) => displayName).join(' or ')}` : 'Not required'), sentence: (one) => `Approval ${required(one.approval.required).toLowerCase()}`, laxity: (one) => (one.approval.required ? 0 : 1) },
  eligibleMaxDays: { title: 'Eligible for', value: (one) => days(one.eligibleMaxDays), sentence: (one) => (one.eligibleMaxDays === null ? 'Eligible permanently' : `Eligible at most ${days(one.eligibleMaxDays)}`), laxity: (one) => one.eligibleMaxDays ?? Infinity },
  activeMaxDays: { title: 'Active for', value: (one) => days(one.activeMaxDays), sentence: (one) => (one.activeMaxDays === null ? 'Active permanently' : `Active at most ${days(one.activeMaxDays)}`), laxity: (one) => one.activeMaxDays ?? Infinity },
  activeRequiresMfa: { title: 'MFA to assign', value: (one) => required(one.activeRequiresMfa), sentence: (one) => `MFA ${required(one.activeRequiresMfa).toLowerCase()} to assign as active`, laxity: (one) => (one.activeRequiresMfa ? 0 : 1) },
  activeRequiresJustification: { title: 'Reason to assign', value: (one) => required(one.activeRequiresJustification), sentence: (one) => `Reason ${required(one.activeRequiresJustification).toLowerCase()} to assign as active`, laxity: (one) => (one.activeRequiresJustification ? 0 : 1) },
};

export const SETTING_NAMES = Object.keys(SETTINGS) as Setting[];

/** Whether the setting asks for less than the standard does. */
export const isWeaker = (name: Setting, settings: RoleSettings): boolean => SETTINGS[name].laxity(settings) > SETTINGS[name].laxity(PRESETS.standard.roleSettings);

const FIELDS: Readonly<Record<keyof RoleSettings, string>> = {
  activationMaxMinutes: 'activation maximum duration', activationSignIn: 'sign-in on activation', requireJustification: 'reason', requireTicket: 'ticket', approval: 'approval', eligibleMaxDays: 'eligible duration', activeMaxDays: 'active duration',
  activeRequiresMfa: 'MFA to assign as active', activeRequiresJustification: 'reason to assign as active', notifications: 'mails',
};

/** The preset that the settings are nearest to, and the names of the settings in which they are not it: none where they match. */
export function nearestPreset(settings: RoleSettings): { name: PresetName; differs: string[] } {
  const all = PresetName.options.map((name) => ({ name, differs: (Object.keys(FIELDS) as (keyof RoleSettings)[]).filter((field) => !isSame(settings[field], PRESETS[name].roleSettings[field])).map((field) => FIELDS[field]) }));
  return all.reduce((nearest, one) => (one.differs.length < nearest.differs.length ? one : nearest));
}

/** Whether two values of a setting say the same, in whatever order their parts are written. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => isSame(value, right.get(key)));
}
