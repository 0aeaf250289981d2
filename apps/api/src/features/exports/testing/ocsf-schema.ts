/** What OCSF 1.9.0 requires of the classes that are used: of every event, of the class, and of the objects in it. Written after the published schema, knowing nothing of the encoder. */
const BASE = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];
const CLASSES: Record<number, { category: number; required: string[]; oneOf?: string[]; activities: number[] }> = {
  3002: { category: 3, required: ['user'], oneOf: ['service', 'dst_endpoint'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 99] },
  3004: { category: 3, required: ['entity'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99] },
  3006: { category: 3, required: ['group'], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99] },
  6003: { category: 6, required: ['actor', 'api', 'src_endpoint'], activities: [0, 1, 2, 3, 4, 99] },
};
const OBJECTS: Record<string, { required?: string[]; oneOf?: string[] }> = {
  metadata: { required: ['product', 'version'] }, user: { oneOf: ['account', 'name', 'uid'] }, group: { oneOf: ['name', 'uid'] }, entity: { oneOf: ['name', 'uid'] }, service: { oneOf: ['name', 'uid'] },
  actor: { oneOf: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid', 'iam_role'] }, api: { required: ['operation'] }, src_endpoint: { oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name', 'domain'] },
};

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

export function ocsfFaults(event: Fields): string[] {
  const faults: string[] = [];
  const of = CLASSES[Number(event['class_uid'])];
  if (!of) return [`class ${String(event['class_uid'])} is not known`];
  for (const name of [...BASE, ...of.required]) if (event[name] === undefined || event[name] === null) faults.push(`${name} is missing`);
  if (of.oneOf && !of.oneOf.some((name) => event[name] !== undefined)) faults.push(`one of ${of.oneOf.join(', ')} is missing`);
  if (event['category_uid'] !== of.category) faults.push('category_uid is of another class');
  if (!of.activities.includes(Number(event['activity_id']))) faults.push('activity_id is not of the class');
  if (event['type_uid'] !== Number(event['class_uid']) * 100 + Number(event['activity_id'])) faults.push('type_uid is not class_uid * 100 + activity_id');
  if (!Number.isInteger(event['time'])) faults.push('time is no whole number of milliseconds');
  if (![0, 1, 2, 3, 4, 5, 6, 99].includes(Number(event['severity_id']))) faults.push('severity_id is not known');
  if (![0, 1, 2, 99].includes(Number(event['status_id'] ?? 0))) faults.push('status_id is not known');
  for (const [name, { required = [], oneOf = [] }] of Object.entries(OBJECTS)) {
    const object = event[name];
    if (object === undefined) continue;
    if (!isFields(object)) { faults.push(`${name} is no object`); continue; }
    for (const field of required) if (object[field] === undefined) faults.push(`${name}.${field} is missing`);
    if (oneOf.length > 0 && !oneOf.some((field) => object[field] !== undefined)) faults.push(`${name} has none of ${oneOf.join(', ')}`);
  }
  if (isFields(event['metadata']) && event['metadata']['version'] !== '1.9.0') faults.push('metadata.version is not the version');
  return faults;
}
