import { z } from 'zod';
import type { Network } from './ports.ts';
import { openWord } from './shapes.ts';
import type { Transport } from './transport.ts';

const Profile = z.object({ state: openWord(['enabled', 'disabled']), servicePrincipal: z.object({ id: z.string() }).nullish() });

/** Global Secure Access. */
export function createNetwork(transport: Transport): Network {
  return {
    async privateAccessProfile() {
      const [profile] = await transport.list(
        {
          method: 'GET',
          version: 'beta',
          path: '/networkAccess/forwardingProfiles',
          query: { $filter: "trafficForwardingType eq 'private'", $select: 'id,state,servicePrincipal' },
          prefer: 'include-unknown-enum-members',
        },
        Profile,
      );
      return { state: profile?.state ?? 'unknown', servicePrincipalId: profile?.servicePrincipal?.id };
    },
  };
}
