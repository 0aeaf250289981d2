import type { DiagnosePath, Input, PathDiagnosis, Transport } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import type { AppAssignment, Graph, GraphApplication } from '@gatehouse/graph';
import { may, type Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { matchesOf, parseConnection, type Connection, type Matches } from '../../core/destination.ts';
import { addMinutes } from '../../core/durations.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { catalogOf } from '../access/access.ts';
import { record } from '../audit/audit.ts';
import { diagnose, type ApplicationFacts, type GroupFacts, type Place, type ProfileFacts } from './doctor.rules.ts';
import { findDesignedGroups, findEligibilityEnds, findPlaces } from './doctor.store.ts';
import { orNotKnown, readNested, readPersonFacts, unlessRefused, type Reading } from './person-facts.service.ts';

export interface DoctorDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** The person's own Graph. */
  readonly graphFor: (actor: Actor, scopes: 'access' | 'setup') => Graph;
  /** The portal's own, read-only. */
  readonly appGraph: Graph;
  readonly newId: () => string;
}

export type Doctor = ReturnType<typeof createDoctor>;

interface Person {
  readonly id: string;
  readonly displayName: string;
  readonly userPrincipalName: string;
}

/** A published application as it is now; without one it is gone. */
interface Found {
  readonly matches: Matches<Place>;
  readonly applications: ReadonlyMap<string, GraphApplication | undefined>;
}

/** How old the catalog may be where it only says where to look. Clients follow a change after up to 15 minutes themselves. */
const CATALOG_SERVES_MINUTES = 15;

const NEVER_SEEN = [
  'Whether the account is enabled, and has a licence of Private Access.',
  'Whether the Global Secure Access client runs on the device, and is signed in.',
  'Whether a Conditional Access policy refuses this person or this device.',
  'Whether the server behind the connector answers.',
];

/** Walks from a destination to the person, and names the first thing that is in the way. Reads only. */
export function createDoctor({ db: { prisma: db }, clock, graphFor, appGraph, newId }: DoctorDeps) {
  async function look(actor: Actor, person: Person, destination: Connection): Promise<PathDiagnosis> {
    const now = clock.now();
    const self = person.id.toLowerCase() === actor.principalId.toLowerCase();
    // What Graph shows to administrators alone is read with the sign-in of one, and of nobody else.
    const admin = may(actor, 'setup:manage') ? graphFor(actor, 'setup') : undefined;
    const reading: Reading = { graph: appGraph, own: self ? graphFor(actor, 'access') : undefined, principalId: person.id, now };

    const [found, profile] = await Promise.all([
      orNotKnown(whereTo(actor.tenantId, destination, now)),
      admin && readProfile(admin, person.id),
    ]);
    const applications = found ? await readApplications(actor.tenantId, found, reading, admin) : new Map<string, ApplicationFacts>();
    const path = diagnose({ now, person: { id: person.id, name: person.displayName, self }, destination, matches: found?.matches, applications, profile });
    return { ...path, readAt: now.toISOString(), person, destination: { host: destination.host, port: destination.port, protocol: destination.protocol }, neverSeen: NEVER_SEEN };
  }

  /** The catalog says where to look, and Graph how it is now; what the catalog does not have is looked for in all of it. */
  async function whereTo(tenantId: string, destination: Connection, now: Date): Promise<Found> {
    const known = await findPlaces(db, tenantId, addMinutes(now, -CATALOG_SERVES_MINUTES));
    const expected = matchesOf(destination, known);
    const ids = expected.taking.map(({ place }) => place.id);
    const read = await Promise.all(ids.map((id) => appGraph.together.applications.application(id)));
    const near = await placesOf(read.flatMap((application) => application ?? []));
    const matches = matchesOf(destination, near);
    const [first] = matches.taking;
    // No two applications of their own may publish the same, so that nothing newer goes before one. Before Quick Access any may.
    if (first?.place.kind === 'per-app' && first.place.id === expected.taking[0]?.place.id) return { matches: { ...matches, resolving: expected.resolving }, applications: byId(read) };

    const all = await appGraph.applications.privateAccess();
    const everywhere = matchesOf(destination, await placesOf(all));
    if (everywhere.taking.length > 0) return { matches: everywhere, applications: byId(all) };
    // Published a moment ago, and its enterprise application is gone: that is what is to be said, not that nothing was there.
    const gone = expected.taking.filter((_match, index) => read[index] === undefined);
    return { matches: { ...everywhere, taking: gone }, applications: new Map([...byId(all), ...gone.map(({ place }) => [place.id, undefined] as const)]) };
  }

  async function placesOf(applications: readonly GraphApplication[]): Promise<readonly Place[]> {
    const segments = await appGraph.applications.segmentsOfAll(applications.map(({ appId }) => appId));
    return applications.flatMap(({ servicePrincipalId, appId, displayName, kind }) => (kind === 'enterprise' ? [] : [{ id: servicePrincipalId.toLowerCase(), displayName, kind, segments: (segments.get(appId) ?? []).map(({ destinationHost, destinationType, ports, protocol }) => ({ host: destinationHost, type: destinationType, ports, protocol })) }]));
  }

  async function readApplications(tenantId: string, { matches, applications }: Found, reading: Reading, admin: Graph | undefined): Promise<ReadonlyMap<string, ApplicationFacts>> {
    const places = [...new Map([...matches.taking, ...matches.resolving].map(({ place }) => [place.id, place])).values()];
    const [assigned, designed] = await Promise.all([
      Promise.all(places.map(({ id }) => orNotKnown(appGraph.together.applications.assignmentsOf(id)))),
      Promise.all(places.map((place) => findDesignedGroups(db, tenantId, place))),
    ]);
    const assignedTo = assigned.map((list) => list && groupsIn(list));
    const missing = designed.map((ids, index) => (assignedTo[index] ? ids.filter((id) => !assignedTo[index]?.includes(id)) : []));
    const groups = await readGroups(tenantId, reading, [...new Set([...assignedTo, ...missing].flatMap((ids) => ids ?? []))]);
    const factsOf = (ids: readonly string[]): GroupFacts[] => ids.flatMap((id) => groups.get(id) ?? []);

    return new Map(await Promise.all(places.map(async ({ id }, index): Promise<readonly [string, ApplicationFacts]> => {
      const application = applications.get(id) ?? (applications.has(id) ? undefined : await orNotKnown(appGraph.applications.application(id)));
      const ids = assignedTo[index];
      return [id, {
        state: application ? (application.enabled ? 'enabled' : 'disabled') : applications.has(id) ? 'gone' : undefined,
        assignmentRequired: application?.assignmentRequired,
        direct: assigned[index]?.some(({ principalType, principalId }) => principalType === 'User' && principalId.toLowerCase() === reading.principalId.toLowerCase()) ?? false,
        groups: ids && factsOf(ids), missing: factsOf(missing[index] ?? []),
        connectors: admin && application && (index === 0 || matches.taking.length === 0) ? await readConnectors(admin, application.appId) : undefined,
      }];
    })));
  }

  async function readGroups(tenantId: string, reading: Reading, ids: readonly string[]): Promise<ReadonlyMap<string, GroupFacts>> {
    if (ids.length === 0) return new Map();
    const [people, catalog] = await Promise.all([readPersonFacts(reading, ids), catalogOf(db, tenantId, ids)]);
    const isNear = (id: string): boolean => {
      const facts = people.get(id);
      return facts?.member === true || Boolean(facts?.active ?? facts?.eligible);
    };
    const near = ids.some(isNear);
    const nameless = ids.filter((id) => !catalog.has(id));
    const [names, ends, nested] = await Promise.all([
      nameless.length > 0 ? orNotKnown(appGraph.directory.names(nameless)) : undefined,
      findEligibilityEnds(db, tenantId, reading.principalId, ids),
      // Being in a group inside helps nobody, and explains why somebody who has nothing better expects to get in.
      near ? new Map<string, string>() : readNested(reading, ids),
    ]);
    return new Map(ids.map((id): readonly [string, GroupFacts] => {
      const facts = people.get(id);
      return [id, {
        id, name: catalog.get(id)?.name ?? names?.get(id)?.displayName ?? id, policy: catalog.get(id)?.policy ?? null,
        eligible: facts?.eligible, begins: facts?.begins, active: facts?.active, member: facts?.member, asked: facts?.asked, ended: facts?.ended,
        eligibilityEnded: ends.get(id), nestedIn: nested.get(id),
      }];
    }));
  }

  async function readConnectors(admin: Graph, appId: string): Promise<ApplicationFacts['connectors']> {
    // "None" is an answer, and no answer is another.
    const group = await unlessRefused(admin.applications.connectorGroupOf(appId).then((found) => found ?? null));
    return group && { group: group.name, live: group.connectors.filter(({ live }) => live).length, total: group.connectors.length };
  }

  async function readProfile(admin: Graph, principalId: string): Promise<ProfileFacts | undefined> {
    const profile = await unlessRefused(admin.network.privateAccessProfile());
    return profile && { state: profile.state, assigned: profile.servicePrincipalId === undefined ? undefined : await orNotKnown(getsProfile(profile.servicePrincipalId, principalId)) };
  }

  /** Direct members of an assigned group get it, and members of a group inside do not. */
  async function getsProfile(servicePrincipalId: string, principalId: string): Promise<boolean | undefined> {
    const client = await appGraph.applications.application(servicePrincipalId);
    if (!client) return undefined;
    if (!client.assignmentRequired) return true;
    const assignments = await appGraph.applications.assignmentsOf(servicePrincipalId);
    if (assignments.some((one) => one.principalId.toLowerCase() === principalId.toLowerCase())) return true;
    return (await Promise.all(groupsIn(assignments).map((groupId) => appGraph.together.directory.isMember(principalId, groupId)))).some(Boolean);
  }

  async function find(name: string): Promise<Person> {
    const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(name);
    const [user] = isId ? [] : await appGraph.directory.usersByPrincipalName([name]);
    if (user) return user;
    const [[id, named] = []] = isId ? [...await appGraph.directory.names([name])] : [];
    if (id !== undefined && named?.kind === 'user') return { id, displayName: named.displayName, userPrincipalName: named.userPrincipalName ?? id };
    throw new PortalError('not-found', { detail: `Nobody in the tenant has the user principal name or object id ${name}. Check how it is written.` });
  }

  return {
    /** The path of the signed-in person themselves. */
    async mine(actor: Actor, { to, protocol }: Input<typeof DiagnosePath>['query']): Promise<PathDiagnosis> {
      const destination = destinationOf(to, protocol);
      return look(actor, { id: actor.principalId, displayName: actor.name, userPrincipalName: actor.upn }, destination);
    },

    /** Somebody else's path. That it was looked at is recorded before anything of it is read. */
    async ofPerson(actor: Actor, name: string, { to, protocol }: Input<typeof DiagnosePath>['query']): Promise<PathDiagnosis> {
      const destination = destinationOf(to, protocol);
      const person = await find(name);
      await db.$transaction((tx) => record(tx, {
        id: newId(), at: clock.now(), actor, type: 'path.diagnosed', kind: 'portal-access', result: 'success',
        subject: { id: person.id, name: person.displayName }, data: { host: destination.host, port: destination.port, protocol: destination.protocol },
      }));
      return look(actor, { id: person.id, displayName: person.displayName, userPrincipalName: person.userPrincipalName }, destination);
    },
  };
}

function destinationOf(to: string, protocol: Transport): Connection {
  const parsed = parseConnection(to, protocol);
  if (!parsed.ok) throw fieldError('invalid-request', 'query.to', parsed.message);
  return parsed.destination;
}

const byId = (applications: readonly (GraphApplication | undefined)[]): Map<string, GraphApplication> => new Map(applications.flatMap((one) => (one ? [[one.servicePrincipalId.toLowerCase(), one] as const] : [])));
const groupsIn = (assignments: readonly AppAssignment[]): string[] => [...new Set(assignments.filter(({ principalType }) => principalType.toLowerCase() === 'group').map(({ principalId }) => principalId.toLowerCase()))];
