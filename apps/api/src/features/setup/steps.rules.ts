import { parsePorts, type ApplicationWish, type PlanStep, type SegmentWish, type SetupDefinition } from '@gatehouse/contracts';

/** What every plan is made of: keys that stay the same however often it is planned, and steps. */

/** Natural key of a new group's create, made of what needs no escaping in an address. */
export function uniqueNameOf(mailNickname: string): string {
  return mailNickname.replace(/[^A-Za-z0-9._-]/g, '-');
}

/** Short name of an application within a setup: its id, or for a new one its name. */
export function applicationKey(wish: ApplicationWish): string {
  return wish.kind === 'existing' ? wish.servicePrincipalId : `new:${wish.displayName.toLowerCase()}`;
}

export function segmentKey(wish: ApplicationWish, segment: SegmentWish): string {
  return `add-segment:${applicationKey(wish)}:${segment.host}:${(parsePorts(segment.ports) ?? []).join(',')}:${segment.protocol}`;
}

/** What Graph takes as a segment. */
export function destinationOf(segment: SegmentWish): { destinationHost: string; destinationType: 'ipAddress' | 'ipRangeCidr' | 'fqdn'; ports: string[]; protocol: SegmentWish['protocol'] } {
  const type = /^[\d.]+\/\d+$/.test(segment.host) ? 'ipRangeCidr' : /^[\d.]+$/.test(segment.host) ? 'ipAddress' : 'fqdn';
  return { destinationHost: segment.host, destinationType: type, ports: parsePorts(segment.ports) ?? [], protocol: segment.protocol };
}

export type Draft = Pick<PlanStep, 'key' | 'kind' | 'verdict' | 'title'> & Partial<PlanStep>;

/** Whether the step will change something. */
export const acts = ({ verdict }: Pick<PlanStep, 'verdict'>): boolean => verdict !== 'nothing' && verdict !== 'blocked';

/** A step that changes nothing makes no call, and says no change. */
export function step(draft: Draft): PlanStep {
  return {
    key: draft.key, kind: draft.kind, verdict: draft.verdict, title: draft.title, dependsOn: draft.dependsOn ?? [],
    changes: acts(draft) ? draft.changes ?? [] : [], calls: acts(draft) ? draft.calls ?? [] : [],
    irreversible: draft.irreversible ?? false, blocked: draft.blocked ?? null,
  };
}

export function blocked(draft: Omit<Draft, 'verdict'>, why: { readonly reason: string; readonly mend: string }): PlanStep {
  return step({ ...draft, verdict: 'blocked', blocked: { reason: why.reason, mend: why.mend } });
}

/** The plan as one text that is the same for the same plan, whatever the order of fields: what its digest is made of. */
export function canonicalPlan(definition: SetupDefinition, steps: readonly PlanStep[]): string {
  return canonical({ definition, steps });
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value).filter(([, one]) => one !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Steps that will change something, and the calls they make. */
export function weigh(steps: readonly PlanStep[]): { readonly changes: number; readonly calls: number } {
  const acting = steps.filter(acts);
  return { changes: acting.length, calls: acting.reduce((sum, step) => sum + step.calls.length, 0) };
}
