import { APPROVAL_LAPSES_AFTER_HOURS, NETWORK_MAY_STAY_OPEN_MINUTES, PathLinkName, type ActivationPolicy, type PathDiagnosis, type PathLink } from '@gatehouse/contracts';
import { isSuffix, takesProtocol, type Connection, type Match, type Matches, type Published, type PublishedSegment } from '../../core/destination.ts';
import { addMinutes, inWords } from '../../core/durations.ts';

/**
 * Facts of a person and a destination in, the links of the path out. What could not be read is `undefined` everywhere and
 * is told as not known: never as broken, and never as in order.
 */

/** An eligibility or a membership while it lasts; without a beginning or an end where Entra shows none. */
export interface Holding {
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
  readonly through: 'direct' | 'group';
}

/** The person's newest request to activate a group. */
export interface AskedFor {
  readonly status: string;
  readonly at: Date;
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
}

/** What is known of the person and one group. `null`: there is none. */
export interface GroupFacts {
  readonly id: string;
  readonly name: string;
  readonly eligible: Holding | null | undefined;
  /** When an eligibility begins that has not begun. */
  readonly begins?: Date | undefined;
  /** When an eligibility ended, as far back as the mirror goes. */
  readonly eligibilityEnded?: Date | undefined;
  readonly active: Holding | null | undefined;
  /** Direct membership, by the directory's own word. */
  readonly member: boolean | undefined;
  readonly asked: AskedFor | null | undefined;
  /** When the person's last membership ended. */
  readonly ended?: Date | undefined;
  /** What an activation asks for; `null`: not known. */
  readonly policy: ActivationPolicy | null;
  /** A group inside it that the person is a member of. */
  readonly nestedIn?: string | undefined;
}

export interface ConnectorFacts {
  readonly group: string;
  readonly live: number;
  readonly total: number;
}

/** What Private Access publishes under one name. */
export interface Place extends Published {
  readonly displayName: string;
}

/** An application that takes, or may take, the destination. */
export interface ApplicationFacts {
  readonly state: 'enabled' | 'disabled' | 'gone' | undefined;
  readonly assignmentRequired: boolean | undefined;
  /** Whether the person is assigned without a group. */
  readonly direct: boolean;
  /** Groups that are assigned to it. */
  readonly groups: readonly GroupFacts[] | undefined;
  /** Groups that a setup says are assigned to it, and are not. */
  readonly missing: readonly GroupFacts[];
  /** `null`: it has no connector group. */
  readonly connectors: ConnectorFacts | null | undefined;
}

export interface ProfileFacts {
  readonly state: 'enabled' | 'disabled' | 'unknown';
  /** Whether the person gets the profile. */
  readonly assigned: boolean | undefined;
}

export interface PathFacts {
  readonly now: Date;
  readonly person: { readonly id: string; readonly name: string; readonly self: boolean };
  readonly destination: Connection;
  /** Where the destination leads; `undefined`: what is published could not be read. */
  readonly matches: Matches<Place> | undefined;
  /** By the application's id, of those that the matches name as taking or resolving. */
  readonly applications: ReadonlyMap<string, ApplicationFacts>;
  readonly profile: ProfileFacts | undefined;
}

export type Path = Pick<PathDiagnosis, 'application' | 'group' | 'links' | 'broken' | 'keepsOut' | 'canActivate'>;

/** Walks the path from its beginning to the first broken link. */
export function diagnose(facts: PathFacts): Path {
  const led = leadOf(facts);
  const group = led.application && groupOf(led.application);
  const route: Route = { ...facts, ...led, group, words: wordsFor(facts.person) };

  const links: PathLink[] = [];
  let stopped: string | undefined;
  let canActivate = false;
  for (const link of PathLinkName.options) {
    const found = stopped === undefined ? LOOKS[link](route) : skipped(stopped);
    links.push({ link, state: found.state, sentence: found.sentence, mend: found.mend ?? null });
    if (found.ends !== undefined) stopped = found.ends;
    canActivate ||= found.activate === true && facts.person.self;
  }
  const broken = links.filter(({ state }) => state === 'broken').map(({ link }) => link);
  // What lets everybody in keeps nobody out: where something else is broken too, that is what somebody came for.
  const first = broken.find((link) => link !== 'assignment-required') ?? broken[0];
  return {
    application: led.place ? { id: led.place.id, displayName: led.place.displayName, kind: led.place.kind } : null,
    group: group ? { id: group.id, displayName: group.name } : null,
    links, broken: first ?? null, keepsOut: first !== undefined && first !== 'assignment-required', canActivate,
  };
}

// --- Where it leads --------------------------------------------------------------------------------------------------

interface Lead {
  readonly place: Place | undefined;
  readonly segment: PublishedSegment | undefined;
  readonly application: ApplicationFacts | undefined;
  /** An application that the person has, and that another one goes before. */
  readonly displaced: Place | undefined;
}

function leadOf({ matches, applications }: PathFacts): Lead {
  const [taking] = matches?.taking ?? [];
  const has = ({ place }: Match<Place>): boolean => isTheirs(applications.get(place.id));
  if (taking) {
    const application = applications.get(taking.place.id);
    // Of one whose assignments are not known nobody can say that the person does not have it.
    const theirs = application?.groups === undefined || isRelated(application);
    return { place: taking.place, segment: taking.segment, application, displaced: theirs ? undefined : matches?.taking.slice(1).find(has)?.place };
  }
  // Nobody knows whether a suffix carries traffic, so it leads on only for who could go that way.
  const resolving = matches?.resolving.find(has);
  return { place: resolving?.place, segment: resolving?.segment, application: resolving && applications.get(resolving.place.id), displaced: undefined };
}

/** How near the person is to a group: a member, active, eligible or asking; or once eligible, or going to be. */
function nearness({ member, active, eligible, asked, begins, eligibilityEnded, ended }: GroupFacts): number {
  if (member === true) return 5;
  if (active) return 4;
  if (eligible) return 3;
  if (asked && WAITING.has(asked.status)) return 2;
  return begins ?? eligibilityEnded ?? ended ? 1 : 0;
}

const isTheirs = (application: ApplicationFacts | undefined): boolean =>
  application !== undefined && (application.assignmentRequired === false || application.direct || (application.groups ?? []).some((group) => nearness(group) >= 2));
const isRelated = (application: ApplicationFacts): boolean => isTheirs(application) || [...application.groups ?? [], ...application.missing].some((group) => nearness(group) > 0 || group.nestedIn !== undefined);

/** The group that counts: the one that the person is nearest to. */
function groupOf({ groups = [], missing, direct }: ApplicationFacts): GroupFacts | undefined {
  if (direct) return undefined;
  const near = (one: GroupFacts): number => nearness(one) + (one.nestedIn === undefined ? 0 : 0.5);
  const nearest = (some: readonly GroupFacts[]): GroupFacts | undefined => some.toSorted((one, other) => near(other) - near(one))[0];
  const [assigned, designed] = [nearest(groups), nearest(missing)];
  return designed && nearness(designed) >= 2 && (!assigned || near(assigned) === 0) ? designed : assigned;
}

// --- The links -------------------------------------------------------------------------------------------------------

interface Route extends PathFacts, Lead {
  readonly group: GroupFacts | undefined;
  readonly words: Words;
}

interface Finding {
  readonly state: PathLink['state'];
  readonly sentence: string;
  readonly mend?: string;
  /** Why nothing after it is looked at. */
  readonly ends?: string;
  /** Whether activating mends it. */
  readonly activate?: boolean;
}

const holds = (sentence: string): Finding => ({ state: 'holds', sentence });
const broken = (sentence: string, mend: string, more: Pick<Finding, 'activate'> = {}): Finding => ({ state: 'broken', sentence, mend, ends: 'An earlier link is broken.', ...more });
const notKnown = (sentence: string, mend?: string): Finding => ({ state: 'not-known', sentence, ...(mend !== undefined && { mend }) });
const skipped = (sentence: string): Finding => ({ state: 'not-reached', sentence });

const ADMIN_SEES = 'Only the sign-in of a setup admin may read it.';
const RECONNECT = 'If it still refuses, reconnect the Global Secure Access client, which then gets a new token.';
const EVERYBODY = 'Everybody may enter, so nothing is asked of a group.';
const NO_GROUP = 'Which group opens it is not known.';
/** Requests of which something is still to come. */
const WAITING: ReadonlySet<string> = new Set(['PendingApproval', 'PendingAdminDecision', 'PendingProvisioning', 'PendingScheduleCreation', 'Granted', 'ScheduleCreated']);
/** How long Entra may take from taking a request to showing the membership. */
const PROVISIONING_MINUTES = 5;

const LOOKS: Readonly<Record<PathLinkName, (route: Route) => Finding>> = {
  'destination': ({ destination, matches }) => {
    if (destination.isAddress || destination.host.includes('.')) return holds(`${said(destination)} names one host and one port.`);
    const full = matches?.fullName;
    return broken(`${destination.host} is a short name, and Private Access takes full names alone.`, `Connect to its full name${full === undefined ? `, such as ${destination.host}.corp.example` : `: ${full}`}.`);
  },

  'segment': ({ destination, matches, segment, place, words }) => {
    if (!matches) return { ...notKnown('What Private Access publishes could not be read from Microsoft Entra.'), ends: 'Which application it belongs to is not known.' };
    if (!segment || !place) return noSegment(destination, matches, words);
    if (isSuffix(segment)) return notKnown(`No segment names ${destination.host}. ${place.displayName} resolves names of ${segment.host}; whether it also carries the connection is not documented.`);
    return holds(`${segment.host} of ${place.displayName} takes it, on ${portsOf([segment])}.`);
  },

  'application': ({ place, application, displaced, destination, words }) => {
    const name = place?.displayName ?? '';
    if (displaced) return broken(`${name} takes ${said(destination)} before ${displaced.displayName}, which ${words.subject} could open.`, `Get access to ${name}, or have its segment taken away where ${displaced.displayName} is meant.`);
    if (application?.state === 'gone') return broken(`${name} has no enterprise application any more, so nobody is let in.`, `Have ${name} published again by a setup admin.`);
    if (application?.state === 'disabled') return broken(`Sign-in to ${name} is turned off, for everybody.`, 'Have “Enabled for users to sign-in” turned on, in the properties of the enterprise application.');
    if (!application?.state) return { ...notKnown(`${name} could not be read from Microsoft Entra.`), ends: 'Who may open it is not known.' };
    return holds(`${name} is there, and sign-in to it is on.`);
  },

  'assignment-required': ({ place, application }) => {
    const name = place?.displayName ?? '';
    if (application?.assignmentRequired === undefined) return notKnown(`Whether ${name} lets in only who is assigned could not be read.`);
    if (application.assignmentRequired) return holds(`${name} lets in only who is assigned.`);
    const { ends: _goesOn, ...found } = broken(`${name} lets everybody in, assigned or not: this keeps nobody out, and no activation is needed.`, 'Have “Assignment required” turned on, in the properties of the enterprise application.');
    return found;
  },

  'group': ({ place, application, group, words }) => {
    const name = place?.displayName ?? '';
    if (application?.assignmentRequired === false) return skipped(EVERYBODY);
    if (application?.direct === true) return holds(`${words.Subject} ${words.are} assigned to ${name} directly, without a group.`);
    if (!application?.groups) return notKnown(`Which groups are assigned to ${name} could not be read.`);
    if (!group) return broken(`No group is assigned to ${name}, so nobody can activate it.`, `Have the group assigned to ${name}: its setup does it.`);
    if (application.missing.includes(group)) return broken(`${group.name} is not assigned to ${name}, as its setup says it should be.`, `Have the setup of ${group.name} applied again.`);
    if (group.nestedIn !== undefined && nearness(group) === 0) return broken(`${words.Subject} ${words.are} in ${group.nestedIn}, which is inside ${group.name}. ${name} looks at direct members alone.`, `Have ${words.object} made eligible for ${group.name} itself.`);
    return holds(`${group.name} is assigned to ${name}.`);
  },

  'eligibility': (route) => {
    const { application, group, words, now, place } = route;
    const elsewhere = needless(route);
    if (elsewhere) return elsewhere;
    if (!group) return skipped(NO_GROUP);
    if (group.eligible) return holds(`${words.Subject} ${words.are} eligible for ${group.name}${group.eligible.endsAt ? ` until ${timeOf(group.eligible.endsAt, now)}` : ''}${group.eligible.through === 'group' ? ', through a group' : ''}.`);
    if (group.member === true || group.active) return holds(`${words.Subject} ${words.are} a member of ${group.name} now, for which no eligibility is needed.`);
    if (group.begins) return broken(`${words.Possessive} eligibility for ${group.name} begins on ${timeOf(group.begins, now)}.`, 'Wait until then, or have a setup admin let it begin earlier.');
    if (group.eligible === undefined) return notKnown(`Whether ${words.subject} ${words.are} eligible for ${group.name} could not be read.`);
    const again = `Have a setup admin make ${words.object} eligible`;
    if (group.eligibilityEnded) return broken(`${words.Possessive} eligibility for ${group.name} ended on ${timeOf(group.eligibilityEnded, now)}.`, `${again} again.`);
    const names = (application?.groups ?? []).map((one) => one.name);
    return broken(`${words.Subject} ${words.are} not eligible for ${names.length > 1 ? `any of the groups that open ${place?.displayName ?? 'it'}: ${listOf(names)}` : group.name}.`, `${again}${names.length > 1 ? ' for one of them' : ''}.`);
  },

  'policy': (route) => {
    const { group, words, now, person } = route;
    const elsewhere = needless(route);
    if (elsewhere) return elsewhere;
    if (!group) return skipped(NO_GROUP);
    if (group.member === true || group.active) return holds('The membership is there, so nothing is asked any more.');
    const { asked, policy } = group;
    const approvers = policy?.approvers.map(({ displayName }) => displayName) ?? [];
    if (asked && (asked.status === 'PendingApproval' || asked.status === 'PendingAdminDecision')) {
      return broken(`${words.Possessive} request of ${timeOf(asked.at, now)} waits for approval.`, `Ask ${approvers.length > 0 ? listOf(approvers, 'or') : 'an approver'} to decide; it lapses ${timeOf(addMinutes(asked.at, APPROVAL_LAPSES_AFTER_HOURS * 60), now)}.`);
    }
    if (!policy) return notKnown(`What an activation of ${group.name} asks for is not known; Microsoft Entra says it when ${words.subject} ${words.self ? 'activate' : 'activates'}.`);
    if (policy.requireApproval && policy.approvers.length === 1 && policy.approvers[0]?.id.toLowerCase() === person.id.toLowerCase()) return broken(`${words.Subject} ${words.are} the only approver of ${group.name}, and nobody decides their own request.`, 'Have a second approver named in the role settings.');
    return holds(`An activation lasts ${inWords(policy.maxMinutes)} at the most and asks for ${asksFor(policy)}.`);
  },

  'active': (route) => {
    const { group, now, words } = route;
    const elsewhere = needless(route);
    if (elsewhere) return elsewhere;
    if (!group) return skipped(NO_GROUP);
    return activeLink(group, now, words);
  },

  'token-age': (route) => {
    const { group, now } = route;
    if (route.application?.assignmentRequired === false) return skipped(EVERYBODY);
    if (route.application?.direct === true) return notKnown('A token of the client from before the assignment does not know of it; when that was made is not read.', RECONNECT);
    if (!group) return skipped(NO_GROUP);
    const since = group.active?.startsAt;
    if (!since) return notKnown('A token of the client from before the membership does not know of it; when the membership began is not known.', RECONNECT);
    const renewed = addMinutes(since, NETWORK_MAY_STAY_OPEN_MINUTES);
    if (renewed <= now) return holds(`The membership began ${timeOf(since, now)}, longer ago than a token of the client lives (${inWords(NETWORK_MAY_STAY_OPEN_MINUTES)}).`);
    return notKnown(`The client may hold a token from before ${timeOf(since, now)}, when the membership began. Any such token has ended by ${timeOf(renewed, now)}.`, RECONNECT);
  },

  'connector': ({ application, place }) => {
    const name = place?.displayName ?? '';
    const connectors = application?.connectors;
    if (connectors === undefined) return notKnown(`Whether a connector serves ${name} could not be read. ${ADMIN_SEES}`);
    if (connectors === null) return broken(`${name} has no connector group, so nothing carries its traffic.`, `Have a connector group chosen for ${name}.`);
    const { group, live, total } = connectors;
    if (live > 0) return holds(`${live} of ${total} connectors of ${group} ${live === 1 ? 'is' : 'are'} live.`);
    return broken(total === 0 ? `${group}, which serves ${name}, has no connector.` : `None of the ${total} connectors of ${group}, which serves ${name}, is live.`, `Have a connector of ${group} started, or another connector group chosen for ${name}.`);
  },

  'traffic-profile': ({ profile, words }) => {
    if (!profile || profile.state === 'unknown') return notKnown(`Whether the Private Access traffic profile is on could not be read. ${ADMIN_SEES}`);
    if (profile.state === 'disabled') return broken('The Private Access traffic profile is off, so no client forwards anything.', 'Have it turned on in Global Secure Access, under traffic forwarding.');
    if (profile.assigned === false) return broken(`The Private Access traffic profile is not assigned to ${words.object}, so ${words.possessive} client does not forward it.`, `Have the profile assigned to ${words.object}, or to a group that ${words.subject} ${words.are} a direct member of.`);
    if (profile.assigned === undefined) return notKnown('The Private Access traffic profile is on; whom it is assigned to could not be read.');
    return holds(`The Private Access traffic profile is on, and ${words.subject} ${words.self ? 'get' : 'gets'} it.`);
  },
};

/** Where no membership is needed, or none can be looked for. */
function needless({ application, group, words }: Route): Finding | undefined {
  if (application?.assignmentRequired === false) return skipped(EVERYBODY);
  if (application?.direct === true) return holds(`Not needed: ${words.subject} ${words.are} assigned directly.`);
  return group ? undefined : skipped(NO_GROUP);
}

function noSegment(destination: Connection, { nearly, resolving }: Matches<Place>, words: Words): Finding {
  const suffix = resolving[0];
  const beside = suffix ? ` ${suffix.place.displayName} resolves the name, and ${words.subject} could not open it.` : '';
  const [near] = nearly;
  if (!near) return broken(`No application publishes ${said(destination)}.${beside}`, 'Check how it is written, or have a setup admin publish it as a segment of its application.');
  const there = nearly.filter(({ place }) => place.id === near.place.id).map(({ segment }) => segment);
  const others = there.filter((segment) => !takesProtocol(segment, destination));
  const name = near.place.displayName;
  return others.length === there.length
    ? broken(`${name} publishes ${near.segment.host} on ${portsOf(there)}, and not for ${destination.protocol.toUpperCase()}.${beside}`, `Have ${destination.protocol.toUpperCase()} added to the segment of ${name}, or look for it with the protocol that it has.`)
    : broken(`${name} publishes ${near.segment.host} on ${portsOf(there)}, and not on ${destination.port}.${beside}`, `Connect to a port that is published, or have ${destination.port} added to the segment of ${name}.`);
}

function activeLink(group: GroupFacts, now: Date, words: Words): Finding {
  const { active, member, asked, ended } = group;
  const since = active?.startsAt ? ` since ${timeOf(active.startsAt, now)}` : '';
  const until = active?.endsAt ? `, until ${timeOf(active.endsAt, now)}` : '';
  if (member === true) {
    if (active !== null) return holds(`${words.Subject} ${words.are} a member of ${group.name}${since}${until}.`);
    return holds(`The directory shows ${words.object} as a member of ${group.name}; PIM lists no active membership, so that it may be about to end.`);
  }
  if (active && member === undefined) return notKnown(`PIM lists ${words.object} as active in ${group.name}${since}${until}; whether the directory shows the membership could not be read.`);
  if (active) return broken(`PIM has activated ${group.name}${since}, and the directory does not show the membership yet.`, 'Wait a minute and check again: it takes seconds as a rule, and sometimes minutes.');
  if (asked && asked.startsAt && asked.startsAt > now && (asked.status === 'Granted' || asked.status === 'ScheduleCreated' || asked.status === 'Provisioned')) return broken(`${words.Possessive} activation of ${group.name} begins ${timeOf(asked.startsAt, now)}.`, 'Wait until then, or cancel it and activate now.');
  const underWay = asked && (asked.status === 'PendingProvisioning' || asked.status === 'PendingScheduleCreation' || ((asked.status === 'Provisioned' || asked.status === 'Granted') && !ended && addMinutes(asked.at, PROVISIONING_MINUTES) > now && (!asked.endsAt || asked.endsAt > now)));
  if (underWay) return broken(`Microsoft Entra has taken ${words.possessive} request of ${timeOf(asked.at, now)} and not made the membership yet.`, 'Wait a minute and check again: it takes seconds as a rule, and sometimes minutes.');
  if (active === undefined) return notKnown(`Whether ${words.subject} ${words.are} active in ${group.name} could not be read.`);
  const activate = words.self ? `Activate ${group.name} in My access.` : `${words.Subject} activates ${group.name} in My access.`;
  const open = ended && addMinutes(ended, NETWORK_MAY_STAY_OPEN_MINUTES);
  if (ended && open && open > now) return broken(`${words.Possessive} membership of ${group.name} ended ${timeOf(ended, now)}. A token from before may keep the network open until ${timeOf(open, now)}.`, activate, { activate: true });
  if (asked?.status === 'Denied') return broken(`An approver denied ${words.possessive} request of ${timeOf(asked.at, now)}, and ${words.subject} ${words.are} not active in ${group.name}.`, words.self ? `Ask the approvers what is missing, then activate ${group.name} again.` : `${words.Subject} asks the approvers what is missing, then activates ${group.name} again.`, { activate: true });
  return broken(`${words.Subject} ${words.are} eligible for ${group.name} and not active in it.`, activate, { activate: true });
}

// --- Words -----------------------------------------------------------------------------------------------------------

interface Words {
  readonly self: boolean;
  readonly subject: string;
  readonly Subject: string;
  readonly object: string;
  readonly possessive: string;
  readonly Possessive: string;
  readonly are: 'are' | 'is';
}

function wordsFor({ self, name }: Pick<PathFacts['person'], 'self' | 'name'>): Words {
  if (self) return { self, subject: 'you', Subject: 'You', object: 'you', possessive: 'your', Possessive: 'Your', are: 'are' };
  return { self, subject: name, Subject: name, object: name, possessive: `${name}’s`, Possessive: `${name}’s`, are: 'is' };
}

const said = ({ host, port, protocol }: Connection): string => `${host.includes(':') ? `[${host}]` : host}:${port}${protocol === 'udp' ? ' (UDP)' : ''}`;

function portsOf(segments: readonly PublishedSegment[]): string {
  const words = segments.map(({ protocol, ports }) => `${protocol.split(',').map((word) => word.trim().toUpperCase()).join(' and ')} ${listOf(ports.map((range) => /^(\d+)-\1$/.exec(range)?.[1] ?? range))}`);
  return listOf([...new Set(words)]);
}

function listOf(words: readonly string[], last: 'and' | 'or' = 'and'): string {
  return words.length < 2 ? words[0] ?? '' : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

function asksFor(policy: ActivationPolicy): string {
  const wishes = [
    ...(policy.signIn === 'mfa' ? ['multifactor authentication'] : policy.signIn === 'authentication-context' ? ['a stronger sign-in'] : []),
    ...(policy.requireJustification ? ['a reason'] : []), ...(policy.requireTicket ? ['a ticket'] : []), ...(policy.requireApproval ? ['approval'] : []),
  ];
  return wishes.length === 0 ? 'nothing more' : listOf(wishes);
}

/** `14:02 UTC` on the day of `now`, else with the day: the reader's own zone is the page's to know. */
function timeOf(at: Date, now: Date): string {
  const [day, time] = [at.toISOString().slice(0, 10), `${at.toISOString().slice(11, 16)} UTC`];
  return day === now.toISOString().slice(0, 10) ? time : `${day} ${time}`;
}
