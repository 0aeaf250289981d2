import { applicationSlug, type AccessEntry, type AccessTarget, type OpenedApplication } from '@gatehouse/contracts';
import { parseDestination, tiersFor, writeDestination, type Published } from '../../core/destination.ts';

export interface TargetFacts {
  readonly wanted: { readonly to: string } | { readonly application: string };
  /** What the person may open, has open or waits for. */
  readonly entries: readonly AccessEntry[];
  /** All that Private Access publishes, whoever may open it: one of these may be what gets the traffic. */
  readonly published: readonly Published[];
}

export type FoundTarget = Pick<AccessTarget, 'wanted' | 'outcome' | 'groupIds'>;

/**
 * What opens a destination or an application for the person, and how that stands: what is open already before what is
 * under way, and of several that they may activate the one that opens the least besides. Between equals the person chooses.
 */
export function findTarget({ wanted, entries, published }: TargetFacts): FoundTarget {
  if ('application' in wanted) return standing(wanted.application, entriesOpening(entries, applicationsNamed(wanted.application, entries)));
  const parsed = parseDestination(wanted.to);
  if (!parsed.ok) return { wanted: wanted.to, outcome: 'malformed', groupIds: [] };
  const { destination } = parsed;

  const applications = new Map<string, Published>([...published, ...entries.flatMap((entry) => entry.applications)].map((application) => [application.id, application]));
  const tiers = tiersFor(destination, [...applications.values()]).map((tier) => new Set(tier.map(({ id }) => id)));
  // Of one port only the first tier gets the traffic: what takes it second opens nothing.
  const told = destination.port === undefined ? tiers.find((tier) => entriesOpening(entries, tier).length > 0) : tiers[0];
  return standing(writeDestination(destination), entriesOpening(entries, told ?? new Set()));
}

/** Applications of the person's that an address names: by id, or by name as links write it. */
function applicationsNamed(wanted: string, entries: readonly AccessEntry[]): ReadonlySet<string> {
  const applications = entries.flatMap((entry) => entry.applications);
  const byId = applications.filter(({ id }) => id === wanted.toLowerCase());
  const slug = applicationSlug(wanted);
  return new Set((byId.length > 0 || slug === '' ? byId : applications.filter(({ displayName }) => applicationSlug(displayName) === slug)).map(({ id }) => id));
}

interface Opening { readonly entry: AccessEntry; readonly opened: readonly string[] }

function entriesOpening(entries: readonly AccessEntry[], applications: ReadonlySet<string>): readonly Opening[] {
  return entries
    .map((entry) => ({ entry, opened: entry.applications.map(({ id }) => id).filter((id) => applications.has(id)).sort() }))
    .filter(({ opened }) => opened.length > 0);
}

const UNDER_WAY = new Set(['asked', 'awaiting-approval', 'scheduled', 'provisioning']);

function standing(wanted: string, openings: readonly Opening[]): FoundTarget {
  const answer = (outcome: FoundTarget['outcome'], chosen: readonly Opening[]): FoundTarget => ({ wanted, outcome, groupIds: chosen.map(({ entry }) => entry.groupId) });
  const open = openings.filter(({ entry }) => entry.active !== null);
  if (open.length > 0) return answer('open', open);
  const waiting = openings.filter(({ entry }) => entry.request !== null && UNDER_WAY.has(entry.request.state));
  if (waiting.length > 0) return answer('waiting', waiting);

  const eligible = openings.filter(({ entry }) => entry.eligibility !== null).sort((a, b) => compare(sizeOf(a.entry), sizeOf(b.entry)));
  const [first, second] = eligible;
  if (!first) return answer('unknown', []);
  // Different applications are different things to want; only of the same ones is less simply better.
  const same = eligible.every(({ opened }) => opened.join() === first.opened.join());
  const least = second === undefined || (same && compare(sizeOf(first.entry), sizeOf(second.entry)) < 0);
  return least ? answer('activate', [first]) : answer('ambiguous', eligible);
}

/** How much a group opens, the weightiest first: Quick Access is all of a network, and an application more than a segment. */
function sizeOf({ applications }: AccessEntry): readonly number[] {
  return [
    applications.filter(({ kind }) => kind === 'quick-access').length,
    applications.length,
    applications.reduce((sum: number, { segments }: OpenedApplication) => sum + segments.length, 0),
  ];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((size, index) => size !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
