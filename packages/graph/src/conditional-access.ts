import { z } from 'zod';
import type { AuthenticationContext, ConditionalAccess } from './ports.ts';
import type { Transport } from './transport.ts';

const Context = z
  .object({ id: z.string(), displayName: z.string().nullish(), isAvailable: z.boolean().nullish() })
  .transform(({ id, displayName, isAvailable }): AuthenticationContext => ({ id, displayName: displayName || id, available: isAvailable ?? false }));

/** Conditional Access, as far as a role's settings name it. */
export function createConditionalAccess(transport: Transport): ConditionalAccess {
  return {
    authenticationContexts: () =>
      transport.list({ method: 'GET', version: 'v1.0', path: '/identity/conditionalAccess/authenticationContextClassReferences' }, Context),
  };
}
