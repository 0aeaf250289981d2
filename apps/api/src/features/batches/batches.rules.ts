import { PRESETS, type BatchRowStatus, type Plan, type RoleSettings, type RoleSettingsChange, type Run, type SettingsOf, type SetupDefinition } from '@gatehouse/contracts';

/** What becomes of the rows of a batch. */

/** A group as two rows can mean the same one. */
export function groupKey({ group }: Pick<SetupDefinition, 'group'>): string {
  return group.kind === 'existing' ? `id:${group.groupId}` : `new:${group.mailNickname.toLowerCase()}`;
}

/** What a row's plan makes of the row. `kept`: the setup is here already, as the row has it. */
export function plannedStatus({ steps, changes }: Plan, kept: boolean): { readonly status: BatchRowStatus; readonly detail: string | null } {
  const blocked = steps.filter(({ verdict }) => verdict === 'blocked');
  if (blocked.length > 0) return { status: 'blocked', detail: blocked.map((step) => `${step.title}: ${step.blocked?.reason ?? ''} ${step.blocked?.mend ?? ''}`.trim()).join(' ') };
  return { status: changes === 0 && kept ? 'nothing' : 'planned', detail: null };
}

/** How a run that was a row's ended; `undefined` where it did not, for the portal is stopping. */
export function concludedStatus({ status, steps, stopAskedBy, actorName }: Run): { readonly status: 'done' | 'failed'; readonly detail: string | null } | undefined {
  const failed = steps.filter((step) => step.status === 'failed').map(({ plan, detail }) => `${plan.title}: ${detail ?? ''}`.trim()).join(' ');
  switch (status) {
    case 'succeeded': return { status: 'done', detail: null };
    case 'failed': return { status: 'failed', detail: failed === '' ? 'A step of its run failed. Look at the run.' : failed };
    case 'stopped': return { status: 'failed', detail: `${stopAskedBy ?? 'Somebody'} stopped its run before it was done. Continue it.` };
    case 'running': return { status: 'failed', detail: `${actorName} is at its run. Follow that one.` };
    case 'interrupted': return undefined;
  }
}

/** The settings after a change in bulk. */
export function changedSettings(settings: RoleSettings, { preset, ...change }: RoleSettingsChange): RoleSettings {
  if (preset !== undefined) return PRESETS[preset].roleSettings;
  return { ...settings, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) };
}

/** Where a setup keeps them. */
export const KEPT_IN = { member: 'roleSettings', owner: 'ownerRoleSettings' } as const satisfies Record<SettingsOf, keyof SetupDefinition>;

/** What a change in bulk is called. */
export function changeName({ preset, ...change }: RoleSettingsChange, of: SettingsOf, setups: number): string {
  const what = preset === undefined ? Object.keys(change).filter((key) => change[key as keyof typeof change] !== undefined).join(', ') : PRESETS[preset].title;
  return `${what}${of === 'owner' ? ' of Owner' : ''} for ${setups === 1 ? 'one setup' : `${setups} setups`}`;
}
