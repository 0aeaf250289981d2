import { ENDPOINTS, GetOpenApi, Problem, type Endpoint } from '@gatehouse/contracts';
import { Router } from 'express';
import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const PARAMETER = /:([A-Za-z]+)/g;

/** OpenAPI 3.1 of every contract: made from the same data that serves it, so it cannot differ. */
export function openApi(): { openapi: '3.1.0' } & Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, contract] of Object.entries(ENDPOINTS)) {
    const path = contract.path.replace(PARAMETER, '{$1}');
    paths[path] = { ...paths[path], [contract.method.toLowerCase()]: operation(name, contract) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Gatehouse', version: '0.1.0' },
    paths,
    components: { schemas: { Problem: schemaOf(Problem, 'output') } },
  };
}

function operation(name: string, contract: Endpoint): Record<string, unknown> {
  const status = String(contract.status ?? 200);
  return {
    operationId: name,
    summary: contract.summary,
    'x-permission': contract.permission,
    parameters: [...parameters('path', contract.params), ...parameters('query', contract.query)],
    ...(contract.body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(contract.body, 'input') } } } }),
    responses: {
      ...(contract.answers === 'redirect' ? { 302: { description: 'Goes on elsewhere' } } : { [status]: { description: 'Done', content: content(contract) } }),
      default: { description: 'A problem (RFC 9457)', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  };
}

function content(contract: Endpoint): Record<string, unknown> {
  if (contract.answers === 'zip') return { 'application/zip': { schema: { type: 'string', format: 'binary' } } };
  if (contract.answers === 'file') return { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
  if (contract.answers === 'text') return { 'text/plain': { schema: { type: 'string' } } };
  return { [contract.answers === 'events' ? 'text/event-stream' : 'application/json']: { schema: schemaOf(contract.response, 'output') } };
}

function parameters(place: 'path' | 'query', shape: z.ZodObject | undefined): Record<string, unknown>[] {
  return Object.entries(shape?.shape ?? {}).map(([name, type]) => ({
    name, in: place, required: place === 'path' || !z.safeParse(type, undefined).success, schema: schemaOf(type as z.ZodType, 'input'),
  }));
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, { io, unrepresentable: 'any' });
  return schema;
}

export function openApiRoutes(): Router {
  const router = Router();
  // Made when somebody first asks: no start waits for it.
  let document: ReturnType<typeof openApi> | undefined;
  endpoint(router, GetOpenApi, async () => (document ??= openApi()));
  return router;
}
