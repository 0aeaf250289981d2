import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';

/**
 * Microsoft's published contract, as the OpenAPI files beside the repository state it: shapes, status codes, query
 * options. Enums are read without regard to case in answers, as the service's own documentation prints them; what we
 * send must have the published case.
 */
export interface GraphContract {
  /** What differs between one call and the contract; empty where nothing does. `operation` names what was matched. */
  check(call: RecordedCall): { readonly operation: string; readonly differences: readonly string[] };
  /** Every operation, as `v1.0 GET /groups/{group-id}`. */
  readonly operations: readonly string[];
}

/** One call in the journal of an emulated tenant. */
export const RecordedCall = z.object({
  method: z.string(), url: z.string(), headers: z.record(z.string(), z.unknown()), body: z.unknown().optional(), status: z.number(), answer: z.unknown().optional(),
});
export type RecordedCall = z.infer<typeof RecordedCall>;

const VERSIONS = ['v1.0', 'beta'] as const;
type Schema = Record<string, unknown>;
interface Operation { readonly template: string; readonly pattern: RegExp; readonly literal: number; readonly operations: Record<string, Schema> }

/** `undefined` where the folder is not there: a clone by itself has none. */
export function readGraphContract(folder: string): GraphContract | undefined {
  if (!VERSIONS.every((version) => existsSync(fileOf(folder, version)))) return undefined;
  const documents = new Map(VERSIONS.map((version) => [version as string, documentOf(JSON.parse(readFileSync(fileOf(folder, version), 'utf8')) as Schema, version)]));
  return {
    operations: [...documents].flatMap(([version, { paths }]) => paths.flatMap(({ template, operations }) => Object.keys(operations).filter((name) => METHODS.has(name)).map((method) => `${version} ${method.toUpperCase()} ${template}`))),
    check(call) {
      const [, version = '', ...rest] = call.url.split('?')[0]?.split('/') ?? [];
      return documents.get(version)?.check(call, `/${rest.map((part) => decodeURIComponent(part)).join('/')}`) ?? { operation: `${call.method} ${call.url}`, differences: [`version ${version} is not known`] };
    },
  };
}

const METHODS = new Set(['get', 'post', 'patch', 'put', 'delete']);
const fileOf = (folder: string, version: string): string => join(folder, `openapi-${version}.json`);

function documentOf(document: Schema, version: string) {
  const sent = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const answered = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  answered.removeKeyword('enum');
  answered.addKeyword({
    keyword: 'enum',
    validate: (words: readonly unknown[], value: unknown) => value === null || words.some((word) => String(word).toLowerCase() === String(value).toLowerCase()),
    error: { message: ({ schema }) => `must be one of ${(schema as readonly unknown[]).join(', ')}` },
  });
  sent.addSchema(document, version);
  answered.addSchema(document, version);

  const paths: Operation[] = Object.entries(document['paths'] as Record<string, Record<string, Schema>>).map(([template, operations]) => ({
    template, operations,
    pattern: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, "[^/']+")}$`, 'i'),
    literal: template.replace(/\{[^}]+\}/g, '').length,
  })).toSorted((a, b) => b.literal - a.literal);

  /** Follows `$ref`s from the root of the document. */
  const resolve = (schema: Schema): Schema => {
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return schema;
    return resolve(reference.slice(2).split('/').reduce<Schema>((node, key) => node[key.replaceAll('~1', '/').replaceAll('~0', '~')] as Schema, document));
  };

  const validator = (ajv: Ajv, pointer: readonly string[]): ValidateFunction | undefined => ajv.getSchema(`${version}#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`);

  const invalid = (ajv: Ajv, pointer: readonly string[], value: unknown): string[] => {
    const validate = validator(ajv, pointer);
    if (!validate) return [`no schema at ${pointer.join('/')}`];
    return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message, keyword }) => `${instancePath || '/'} ${message ?? keyword}`);
  };

  return {
    paths,
    check(call: RecordedCall, path: string) {
      const found = paths.find(({ pattern, operations }) => pattern.test(path) && operations[call.method.toLowerCase()] !== undefined);
      const operation = found?.operations[call.method.toLowerCase()];
      if (!found || !operation) return { operation: `${version} ${call.method} ${path}`, differences: ['the contract has no such call'] };
      const differences: string[] = [];
      const at = ['paths', found.template, call.method.toLowerCase()];

      // The query: options of this operation, and no others.
      const known = ((operation['parameters'] ?? []) as Schema[]).map(resolve).filter((parameter) => parameter['in'] === 'query').map((parameter) => String(parameter['name']));
      for (const name of new URLSearchParams(call.url.split('?')[1] ?? '').keys()) {
        if (name !== '$skiptoken' && !known.includes(name)) differences.push(`query: ${name} is not an option of this call`);
      }

      // The body as we sent it.
      const body = operation['requestBody'] as Schema | undefined;
      const hasBody = call.body !== undefined && call.body !== null && !(typeof call.body === 'object' && Object.keys(call.body).length === 0);
      if (hasBody && !body) differences.push('body: this call has none');
      if (hasBody && body) {
        const pointer = typeof body['$ref'] === 'string' ? body['$ref'].slice(2).split('/') : [...at, 'requestBody'];
        differences.push(...invalid(sent, [...pointer, 'content', 'application/json', 'schema'], call.body).map((text) => `body: ${text}`));
        const schema = ((resolve(body)['content'] as Schema)['application/json'] as Schema)['schema'] as Schema;
        differences.push(...unknownKeys(resolve, schema, call.body, '').map((key) => `body: ${key} is not a property`));
      }

      // The answer as it came.
      if (call.status === 0) return { operation: `${version} ${call.method} ${found.template}`, differences };
      const responses = operation['responses'] as Record<string, Schema>;
      const key = [String(call.status), `${String(call.status)[0] ?? ''}XX`].find((one) => responses[one] !== undefined);
      if (key === undefined) differences.push(`answer: ${call.status} is not among ${Object.keys(responses).join(', ')}`);
      else {
        const response = responses[key] ?? {};
        const pointer = typeof response['$ref'] === 'string' ? response['$ref'].slice(2).split('/') : [...at, 'responses', key];
        const content = resolve(response)['content'] as Record<string, Schema> | undefined;
        if (content?.['application/json'] === undefined) {
          if (call.answer !== undefined && call.answer !== null && call.answer !== '') differences.push(`answer: ${call.status} has no body`);
        } else {
          differences.push(...invalid(answered, [...pointer, 'content', 'application/json', 'schema'], call.answer).map((text) => `answer: ${text}`));
          differences.push(...unknownKeys(resolve, content['application/json']['schema'] as Schema, call.answer, '').map((name) => `answer: ${name} is not a property`));
        }
      }
      return { operation: `${version} ${call.method} ${found.template}`, differences: [...new Set(differences)] };
    },
  };
}

/** Keys that no part of the schema names; OData's own (`@odata.…`, `…@odata.bind`) are always allowed. */
function unknownKeys(resolve: (schema: Schema) => Schema, schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const items = alternatives(resolve, schema).map((one) => one['items'] as Schema | undefined).find((one) => one !== undefined);
    return items ? value.flatMap((one) => unknownKeys(resolve, items, one, `${path}[]`)) : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const type = (value as Record<string, unknown>)['@odata.type'];
  const shapes = alternatives(resolve, schema, typeof type === 'string' ? type : undefined);
  const properties = Object.assign({}, ...shapes.map((one) => one['properties'] ?? {})) as Record<string, Schema>;
  // A shape that names nothing takes anything (a header map, an open type).
  if (Object.keys(properties).length === 0) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    if (key.includes('@')) return [];
    const property = properties[key];
    return property ? unknownKeys(resolve, property, one, `${path}/${key}`) : [`${path}/${key}`];
  });
}

/** The schema with everything that it stands for: `allOf` parts, `anyOf` choices, and the type that `@odata.type` names. */
function alternatives(resolve: (schema: Schema) => Schema, schema: Schema, type?: string): Schema[] {
  const own = resolve(schema);
  const mapping = (own['discriminator'] as { mapping?: Record<string, string> } | undefined)?.mapping ?? {};
  const derived = type === undefined ? undefined : mapping[type];
  const parts = [...((own['allOf'] ?? []) as Schema[]), ...((own['anyOf'] ?? []) as Schema[]), ...((own['oneOf'] ?? []) as Schema[])];
  // Without a type, whatever may stand there is meant: a collection of directory objects holds users and groups.
  const choices = derived !== undefined ? [{ $ref: derived }] : Object.values(mapping).filter((reference) => resolve({ $ref: reference }) !== own).map((reference) => ({ $ref: reference }));
  return [own, ...parts.flatMap((part) => alternatives(resolve, part, type)), ...choices.flatMap((choice) => withoutMapping(resolve, choice))];
}

function withoutMapping(resolve: (schema: Schema) => Schema, schema: Schema): Schema[] {
  const own = resolve(schema);
  return [own, ...((own['allOf'] ?? []) as Schema[]).flatMap((part) => withoutMapping(resolve, part))];
}
