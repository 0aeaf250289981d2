import { PRESETS, proposeMailNickname, SetupDefinition, SetupSource, type ApplicationKind, type RoleSettings } from '@gatehouse/contracts';

/** A setup as people write it: read, and made whole with what the tenant has under its names. */

/** Where a value is wrong; of a name that is not known here, `key` is that name and the path leads to what it stands in. */
export interface SourceIssue {
  readonly path: readonly (string | number)[];
  readonly key?: string;
  readonly message: string;
}

/** The same while it is being looked at. */
interface Finding extends SourceIssue {
  /** The kind of value that was expected in place of another kind. */
  readonly expected?: string;
}

type ZodIssue = NonNullable<ReturnType<typeof SetupSource.safeParse>['error']>['issues'][number];

/** Reads a value as a setup. `fromText`: its values come from cells, which hold nothing but text. */
export function parseSource(value: unknown, fromText = false): { readonly source: SetupSource } | { readonly issues: readonly SourceIssue[] } {
  const parsed = SetupSource.safeParse(value);
  if (parsed.success) return { source: parsed.data };
  const findings = flattened(parsed.error.issues);
  if (fromText) {
    const copy = structuredClone(value);
    if (findings.filter((finding) => retyped(copy, finding)).length > 0) return parseSource(copy);
  }
  return { issues: findings };
}

/** Gives a text the kind that is expected in its place, where it reads as one. */
function retyped(root: unknown, { path, expected }: Finding): boolean {
  const last = path.at(-1);
  const holder = path.slice(0, -1).reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], root) as Record<string, unknown> | undefined;
  const text = last === undefined ? undefined : holder?.[last];
  if (holder === undefined || last === undefined || typeof text !== 'string') return false;
  const word = text.trim().toLowerCase();
  if ((expected === 'number' || expected === 'int') && /^\d{1,9}$/.test(word)) holder[last] = Number(word);
  else if ((expected === 'number' || expected === 'int') && word === 'permanent') holder[last] = null;
  else if (expected === 'boolean' && (word === 'true' || word === 'false')) holder[last] = word === 'true';
  else return false;
  return true;
}

/** In the order of the value's parts. Of a value that may be of two forms, what is wrong in the form that it has. */
function flattened(issues: readonly ZodIssue[], under: readonly (string | number)[] = []): Finding[] {
  return issues.flatMap((issue): Finding[] => {
    const path = [...under, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path, key, message: 'is not known here' }));
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const form = issue.errors.find((errors) => errors.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
      return form ? flattened(form, path) : [{ path, message: formsOf(issue.errors) }];
    }
    return [{ path, message: inWords(issue), ...(issue.code === 'invalid_type' && { expected: String(issue.expected) }) }];
  });
}

const formsOf = (errors: readonly (readonly ZodIssue[])[]): string =>
  `${errors.flat().map((one) => (one.code === 'invalid_value' ? one.values.map(String).join(', ') : one.code === 'invalid_type' && one.expected === 'object' ? 'the settings themselves' : String(one.code === 'invalid_type' ? one.expected : one.message))).join(', or ')} are expected here`;

/** In words, where the contract has none of its own. */
function inWords(issue: ZodIssue): string {
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options)) return `one of ${issue.options.filter((one) => typeof one === 'string').join(', ')} is expected here`;
  if (!issue.message.startsWith('Invalid')) return issue.message;
  if (issue.code === 'invalid_type') return KINDS[String(issue.expected)] ?? issue.message;
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')} is expected here`;
  return issue.message;
}
const KINDS: Readonly<Record<string, string>> = {
  string: 'a text is expected here', number: 'a number is expected here', int: 'a whole number is expected here', boolean: 'true or false is expected here', array: 'a list is expected here', object: 'fields are expected here',
};

/** Names that are to be looked up, each once. */
export interface Names {
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly applications: readonly string[];
  readonly connectorGroups: readonly string[];
}

export function namesIn(sources: readonly SetupSource[]): Names {
  const approvers = (settings: SetupSource['roleSettings'] | null) => (settings === null || typeof settings === 'string' ? [] : settings.approval.approvers);
  const people = sources.flatMap(({ owners, eligible, roleSettings, ownerRoleSettings }) => [...owners, ...eligible, ...approvers(roleSettings), ...approvers(ownerRoleSettings)]);
  const applications = sources.flatMap((source) => source.applications);
  return {
    users: distinct(people.map(({ user }) => user)),
    groups: distinct([...people.map((one) => ('group' in one ? one.group : undefined)), ...sources.map(({ group }) => (group.kind === 'existing' && group.groupId === undefined ? group.displayName : undefined))]),
    applications: distinct(applications.map((one) => (one.kind === undefined ? one.application : undefined))),
    connectorGroups: distinct(applications.map((one) => (one.kind === 'new' ? one.connectorGroup : undefined))),
  };
}

const distinct = (names: readonly (string | undefined)[]): string[] => [...new Map(names.flatMap((name) => (name === undefined ? [] : [[name.toLowerCase(), name] as const]))).values()];

/** What the tenant has under the names. */
export interface Found {
  readonly users: readonly { readonly id: string; readonly displayName: string; readonly userPrincipalName: string }[];
  readonly groups: readonly { readonly id: string; readonly displayName: string }[];
  readonly applications: readonly { readonly servicePrincipalId: string; readonly displayName: string; readonly kind: ApplicationKind }[];
  readonly connectorGroups: readonly { readonly id: string; readonly name: string }[];
}
export const NOTHING_FOUND: Found = { users: [], groups: [], applications: [], connectorGroups: [] };

/** Makes setups whole with what was found; one for many setups. */
export function resolver(found: Found): (source: SetupSource) => { readonly definition: SetupDefinition } | { readonly issues: readonly SourceIssue[] } {
  const users = byName(found.users, (one) => one.userPrincipalName);
  const groups = byName(found.groups, (one) => one.displayName);
  const applications = byName(found.applications, (one) => one.displayName);
  const connectorGroups = byName(found.connectorGroups, (one) => one.name);

  return (source) => {
    const issues: SourceIssue[] = [];
    const one = <T>(all: ReadonlyMap<string, readonly T[]>, name: string, what: string, path: SourceIssue['path'], mend: string): T | undefined => {
      const [first, ...others] = all.get(name.toLowerCase()) ?? [];
      if (first === undefined) issues.push({ path, message: `there is no ${what} “${name}”. Write it as Entra has it, or ${mend}` });
      else if (others.length > 0) issues.push({ path, message: `${others.length + 1} have the ${what} “${name}”. To say which, ${mend}` });
      return first;
    };
    const person = (name: string, path: SourceIssue['path'], key = 'principalId') => {
      const user = one(users, name, 'person with the sign-in name', path, `name the person by ${key}, kind and displayName`);
      return { id: user?.id ?? '', kind: 'user' as const, displayName: user?.displayName ?? name };
    };
    const groupOf = (name: string, path: SourceIssue['path'], key = 'principalId') => {
      const group = one(groups, name, 'group of the name', path, key === 'groupId' ? 'name it by groupId' : `name it by ${key}, kind and displayName`);
      return { id: group?.id ?? '', kind: 'group' as const, displayName: group?.displayName ?? name };
    };

    const settings = (name: 'roleSettings' | 'ownerRoleSettings'): RoleSettings | null => {
      const wish = source[name];
      if (wish === null) return null;
      if (typeof wish === 'string') return PRESETS[wish].roleSettings;
      const approvers = wish.approval.approvers.map((approver, index) => {
        const path = [name, 'approval', 'approvers', index];
        if (approver.user !== undefined) return person(approver.user, [...path, 'user'], 'id');
        if (approver.group !== undefined) return groupOf(approver.group, [...path, 'group'], 'id');
        return { id: approver.id ?? '', kind: approver.kind ?? 'user' as const, displayName: approver.displayName ?? '' };
      });
      return { ...wish, approval: { ...wish.approval, approvers } };
    };
    const group = source.group.kind === 'new'
      ? { ...source.group, mailNickname: source.group.mailNickname ?? proposeMailNickname(source.group.displayName) }
      : source.group.groupId !== undefined ? source.group
        : (({ id, displayName }) => ({ kind: 'existing' as const, groupId: id, displayName }))(groupOf(source.group.displayName, ['group', 'displayName'], 'groupId'));
    const whole = {
      group,
      owners: source.owners.map((owner, index) => {
        const { id, displayName } = owner.user === undefined ? { id: owner.principalId ?? '', displayName: owner.displayName ?? '' } : person(owner.user, ['owners', index, 'user']);
        return { principalId: id, displayName };
      }),
      roleSettings: settings('roleSettings'),
      ownerRoleSettings: settings('ownerRoleSettings'),
      eligible: source.eligible.map(({ user, group: named, principalId, kind, displayName, days }, index) => {
        const who = user !== undefined ? person(user, ['eligible', index, 'user'])
          : named !== undefined ? groupOf(named, ['eligible', index, 'group'])
            : { id: principalId ?? '', kind: kind ?? 'user' as const, displayName: displayName ?? '' };
        return { principalId: who.id, kind: who.kind, displayName: who.displayName, days };
      }),
      applications: source.applications.map((wish, index) => {
        if (wish.kind === 'existing') return wish;
        if (wish.kind === undefined) {
          const application = one(applications, wish.application, 'application of the name', ['applications', index, 'application'], 'name it by kind, servicePrincipalId, displayName and applicationKind');
          return { kind: 'existing' as const, servicePrincipalId: application?.servicePrincipalId ?? '', displayName: application?.displayName ?? wish.application, applicationKind: application?.kind ?? 'enterprise' as const };
        }
        const { connectorGroup, connectorGroupId, connectorGroupName, ...rest } = wish;
        if (connectorGroup === undefined) return { ...rest, connectorGroupId, connectorGroupName };
        const named = one(connectorGroups, connectorGroup, 'connector group of the name', ['applications', index, 'connectorGroup'], 'name it by connectorGroupId and connectorGroupName');
        return { ...rest, connectorGroupId: named?.id, connectorGroupName: named?.name };
      }),
    };
    if (issues.length > 0) return { issues };
    const parsed = SetupDefinition.safeParse(whole);
    return parsed.success ? { definition: parsed.data } : { issues: flattened(parsed.error.issues) };
  };
}

/** What the tenant has of those who are in setups, by id, for a file that names them. */
export interface KnownNames extends Found {
  readonly names: ReadonlyMap<string, { readonly kind: string; readonly displayName: string; readonly userPrincipalName?: string | undefined }>;
}

/** Names in place of ids, where a name means this one and no other: such a file is read, and means the same elsewhere. */
export function namer(known: KnownNames): (definition: SetupDefinition) => SetupSource {
  const groups = byName(known.groups, (one) => one.displayName);
  const applications = byName(known.applications, (one) => one.displayName);
  const connectorGroups = byName(known.connectorGroups, (one) => one.name);
  const isOnly = <T>(all: ReadonlyMap<string, readonly T[]>, name: string, idOf: (one: T) => string, id: string): boolean => {
    const [first, ...others] = all.get(name.toLowerCase()) ?? [];
    return first !== undefined && others.length === 0 && idOf(first).toLowerCase() === id;
  };
  const nameOf = (id: string): { readonly user: string } | { readonly group: string } | undefined => {
    const name = known.names.get(id);
    if (name?.userPrincipalName !== undefined) return { user: name.userPrincipalName };
    return name?.kind === 'group' && isOnly(groups, name.displayName, (one) => one.id, id) ? { group: name.displayName } : undefined;
  };
  const settings = (wish: RoleSettings): Exclude<SetupSource['roleSettings'], string> => ({ ...wish, approval: { ...wish.approval, approvers: wish.approval.approvers.map((approver) => nameOf(approver.id) ?? approver) } });

  return ({ group, owners, roleSettings, ownerRoleSettings, eligible, applications: wishes }) => ({
    group: group.kind === 'existing' && isOnly(groups, group.displayName, (one) => one.id, group.groupId) ? { kind: 'existing', displayName: group.displayName } : group,
    owners: owners.map((owner) => {
      const named = nameOf(owner.principalId);
      return named && 'user' in named ? named : owner;
    }),
    roleSettings: settings(roleSettings),
    ownerRoleSettings: ownerRoleSettings && settings(ownerRoleSettings),
    eligible: eligible.map((one) => ({ ...(nameOf(one.principalId) ?? { principalId: one.principalId, kind: one.kind, displayName: one.displayName }), days: one.days })),
    applications: wishes.map((wish) => {
      if (wish.kind === 'existing') return isOnly(applications, wish.displayName, (one) => one.servicePrincipalId, wish.servicePrincipalId) ? { application: wish.displayName } : wish;
      const { kind, displayName, connectorGroupId, connectorGroupName, segments } = wish;
      return isOnly(connectorGroups, connectorGroupName, (one) => one.id, connectorGroupId) ? { kind, displayName, connectorGroup: connectorGroupName, segments } : wish;
    }),
  });
}

function byName<T>(all: readonly T[], nameOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const names = new Map<string, T[]>();
  for (const one of all) names.set(nameOf(one).toLowerCase(), [...names.get(nameOf(one).toLowerCase()) ?? [], one]);
  return names;
}
