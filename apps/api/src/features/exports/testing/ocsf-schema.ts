/**
 * What OCSF 1.9.0 says of the classes and objects that are used: attributes with their types, what is required, and what
 * numbers and captions mean, in a table of our own that knows nothing of the encoder: no extensions, no profiles, and nothing
 * that is deprecated. The classes are facts of the compiled schema of 1.9.0; Authentication, API Activity and the objects
 * are of earlier commits of github.com/ocsf/ocsf-schema, with what its changelog says of 1.9.0. An attribute that is not in
 * it is a fault: it was not looked up.
 */
type Type = 'string' | 'integer' | 'timestamp' | 'free' | keyof typeof OBJECTS | `${keyof typeof OBJECTS}[]`;
interface Shape { readonly attributes: Readonly<Record<string, Type>>; readonly required?: readonly string[]; readonly oneOf?: readonly string[] }

const OBJECTS = {
  metadata: {
    attributes: { correlation_uid: 'string', event_code: 'string', log_name: 'string', log_provider: 'string', log_source: 'string', log_version: 'string', logged_time: 'timestamp', original_event_uid: 'string', original_time: 'string', processed_time: 'timestamp', product: 'product', sequence: 'integer', tenant_uid: 'string', uid: 'string', version: 'string' },
    required: ['product', 'version'],
  },
  product: { attributes: { feature: 'free', lang: 'string', name: 'string', uid: 'string', vendor_name: 'string', version: 'string' }, oneOf: ['name', 'uid'] },
  user: { attributes: { account: 'free', domain: 'string', email_addr: 'string', full_name: 'string', name: 'string', type: 'string', type_id: 'integer', uid: 'string', uid_alt: 'string' }, oneOf: ['account', 'name', 'uid'] },
  group: { attributes: { desc: 'string', domain: 'string', name: 'string', type: 'string', uid: 'string' }, oneOf: ['name', 'uid'] },
  managed_entity: { attributes: { data: 'free', group: 'group', name: 'string', type: 'string', type_id: 'integer', uid: 'string', user: 'user', version: 'string' }, oneOf: ['name', 'uid', 'device', 'group', 'org', 'policy', 'user'] },
  actor: { attributes: { application: 'free', process: 'free', session: 'free', user: 'user' }, oneOf: ['process', 'user', 'session', 'application'] },
  service: { attributes: { name: 'string', uid: 'string', version: 'string' }, oneOf: ['name', 'uid'] },
  api: { attributes: { group: 'group', operation: 'string', service: 'service', version: 'string' }, required: ['operation'] },
  network_endpoint: { attributes: { domain: 'string', hostname: 'string', ip: 'string', name: 'string', port: 'integer', svc_name: 'string', uid: 'string' }, oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name', 'domain'] },
  resource_details: { attributes: { data: 'free', group: 'group', name: 'string', type: 'string', uid: 'string', uid_alt: 'string', version: 'string' }, oneOf: ['name', 'uid'] },
} as const satisfies Record<string, { attributes: Record<string, string>; required?: readonly string[]; oneOf?: readonly string[] }>;

/** Of every event. */
const BASE: Shape = {
  attributes: {
    activity_id: 'integer', activity_name: 'string', category_name: 'string', category_uid: 'integer', class_name: 'string', class_uid: 'integer', count: 'integer', message: 'string', metadata: 'metadata', raw_data: 'string', raw_data_size: 'integer',
    severity: 'string', severity_id: 'integer', status: 'string', status_code: 'string', status_detail: 'string', status_id: 'integer', time: 'timestamp', timezone_offset: 'integer', type_name: 'string', type_uid: 'integer', unmapped: 'free',
  },
  required: ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'],
};

interface Class extends Shape { readonly name: string; readonly category: readonly [number, string]; readonly activities: Readonly<Record<number, string>> }
const IAM = { category: [3, 'Identity & Access Management'] } as const;
const CLASSES: Readonly<Record<number, Class>> = {
  3002: {
    ...IAM, name: 'Authentication', attributes: { actor: 'actor', dst_endpoint: 'network_endpoint', service: 'service', src_endpoint: 'network_endpoint', user: 'user' }, required: ['user'], oneOf: ['service', 'dst_endpoint'],
    activities: { 1: 'Logon', 2: 'Logoff', 3: 'Authentication Ticket', 4: 'Service Ticket Request', 5: 'Service Ticket Renew', 6: 'Preauth', 7: 'Account Switch' },
  },
  3004: {
    ...IAM, name: 'Entity Management', attributes: { actor: 'actor', comment: 'string', entity: 'managed_entity', src_endpoint: 'network_endpoint', updated_entity: 'managed_entity' }, required: ['entity'],
    activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete', 5: 'Move', 6: 'Enroll', 7: 'Unenroll', 8: 'Enable', 9: 'Disable', 10: 'Activate', 11: 'Deactivate', 12: 'Suspend', 13: 'Resume' },
  },
  3006: {
    ...IAM, name: 'Group Management', attributes: { actor: 'actor', group: 'group', resources: 'resource_details[]', src_endpoint: 'network_endpoint', subgroup: 'group', updated_group: 'group', users: 'user[]' }, required: ['group'],
    activities: { 1: 'Assign Privileges', 2: 'Revoke Privileges', 3: 'Add User', 4: 'Remove User', 5: 'Delete', 6: 'Create', 7: 'Add Subgroup', 8: 'Remove Subgroup', 9: 'Update', 10: 'Attach Policies', 11: 'Detach Policies', 12: 'Assign Roles', 13: 'Remove Roles' },
  },
  6003: {
    name: 'API Activity', category: [6, 'Application Activity'], attributes: { actor: 'actor', api: 'api', dst_endpoint: 'network_endpoint', resources: 'resource_details[]', src_endpoint: 'network_endpoint' }, required: ['actor', 'api', 'src_endpoint'],
    activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' },
  },
};

/** Numbers with their captions, by where they stand; 0 and 99 are of every one. */
const SEVERITIES = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High', 5: 'Critical', 6: 'Fatal' };
const STATUSES = { 1: 'Success', 2: 'Failure' };
const ENTITIES = { 1: 'Device', 2: 'User', 3: 'Group', 4: 'Organization', 5: 'Policy', 6: 'Email', 7: 'Network Zone' };
/** An entity of such a number is to be told in this attribute too. */
const ENTITY_IN: Readonly<Record<number, string>> = { 1: 'device', 2: 'user', 3: 'group', 4: 'org', 5: 'policy', 6: 'email' };

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Everything about an event that the schema does not have so, by its path; nothing where it is as it should be. */
export function ocsfFaults(event: Fields): string[] {
  const of = CLASSES[Number(event['class_uid'])];
  if (!of) return [`class ${String(event['class_uid'])} is not known`];
  const faults = [...shapeFaults(event, { attributes: { ...BASE.attributes, ...of.attributes }, required: [...BASE.required ?? [], ...of.required ?? []], ...(of.oneOf && { oneOf: of.oneOf }) }, '')];
  const expected: Fields = { 'category_uid': of.category[0], 'category_name': of.category[1], 'class_name': of.name, 'type_uid': Number(event['class_uid']) * 100 + Number(event['activity_id']), 'metadata.version': '1.9.0' };
  for (const [path, value] of Object.entries(expected)) if (at(event, path) !== value) faults.push(`${path} is ${String(at(event, path))}, not ${String(value)}`);
  faults.push(...captionFaults(event, 'activity_id', 'activity_name', of.activities), ...captionFaults(event, 'severity_id', 'severity', SEVERITIES), ...captionFaults(event, 'status_id', 'status', STATUSES));
  const entity = event['entity'];
  if (isFields(entity)) {
    faults.push(...captionFaults(entity, 'type_id', 'type', ENTITIES).map((fault) => `entity.${fault}`));
    const inside = ENTITY_IN[Number(entity['type_id'])];
    if (inside !== undefined && entity[inside] === undefined) faults.push(`entity.${inside} is missing`);
  }
  return faults;
}

const at = (event: Fields, path: string): unknown => path.split('.').reduce<unknown>((node, name) => (isFields(node) ? node[name] : undefined), event);

function captionFaults(event: Fields, number: string, caption: string, of: Readonly<Record<number, string>>): string[] {
  const [id, text] = [event[number], event[caption]];
  if (id === undefined) return text === undefined ? [] : [`${caption} stands without ${number}`];
  const known: Readonly<Record<number, string>> = { 0: 'Unknown', ...of };
  if (id === 99) return typeof text === 'string' && text !== '' ? [] : [`${number} is 99 and ${caption} does not say what`];
  if (known[Number(id)] === undefined) return [`${number} is ${String(id)}, which is not of the class`];
  return text === undefined || text === known[Number(id)] ? [] : [`${caption} is ${String(text)}, not ${String(known[Number(id)])}`];
}

function shapeFaults(value: unknown, { attributes, required = [], oneOf = [] }: Shape, path: string): string[] {
  if (!isFields(value)) return [`${path} is no object`];
  const faults = required.filter((name) => value[name] === undefined).map((name) => `${path}${name} is missing`);
  if (oneOf.length > 0 && !oneOf.some((name) => value[name] !== undefined)) faults.push(`${path} has none of ${oneOf.join(', ')}`);
  for (const [name, inside] of Object.entries(value)) {
    const type = attributes[name];
    if (inside === undefined) continue;
    if (type === undefined) faults.push(`${path}${name} is no attribute that was looked up`);
    else faults.push(...typeFaults(inside, type, `${path}${name}`));
  }
  return faults;
}

function typeFaults(value: unknown, type: Type, path: string): string[] {
  if (value === null) return [`${path} is null`];
  switch (type) {
    case 'free': return isFields(value) && Object.values(value).some((inside) => inside === null) ? [`${path} holds null`] : [];
    case 'string': return typeof value === 'string' ? [] : [`${path} is no text`];
    case 'integer': return Number.isSafeInteger(value) ? [] : [`${path} is no whole number`];
    case 'timestamp': return Number.isSafeInteger(value) ? [] : [`${path} is no whole number of milliseconds`];
    default: {
      if (!isList(type)) return shapeFaults(value, OBJECTS[type], `${path}.`);
      const shape = OBJECTS[type.slice(0, -2) as keyof typeof OBJECTS]; // as the type says
      return Array.isArray(value) ? value.flatMap((one, index) => shapeFaults(one, shape, `${path}[${index}].`)) : [`${path} is no list`];
    }
  }
}

const isList = (type: keyof typeof OBJECTS | `${keyof typeof OBJECTS}[]`): type is `${keyof typeof OBJECTS}[]` => type.endsWith('[]');
