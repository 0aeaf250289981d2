import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';

export const GetHealth = {
  method: 'GET', path: '/healthz', permission: 'public',
  summary: 'The process is alive',
  response: z.object({ status: z.literal('alive') }),
} as const satisfies Endpoint;

export const GetReadiness = {
  method: 'GET', path: '/readyz', permission: 'public',
  summary: 'The portal can serve; 503 with the reasons where it cannot',
  response: z.object({ status: z.enum(['ready', 'not-ready']), reasons: z.array(z.string()) }),
} as const satisfies Endpoint;

export const GetMetrics = {
  method: 'GET', path: '/metrics', permission: 'public',
  summary: 'Figures for Prometheus: counts and times, nothing of anybody',
  answers: 'text',
  response: z.string(),
} as const satisfies Endpoint;

export const GetOpenApi = {
  method: 'GET', path: '/api/openapi.json', permission: 'public',
  summary: 'This interface as OpenAPI 3.1',
  response: z.looseObject({ openapi: z.literal('3.1.0') }),
} as const satisfies Endpoint;
