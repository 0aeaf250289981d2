import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Guid, Instant } from './words.ts';

/** Of fewer activations than these nothing is said about what is usual. */
export const USUAL_FROM = 5;
/** How far back what is usual is looked up. In days. */
export const USUAL_DAYS = 90;
/** What Microsoft gives as the longest until a change has reached the Global Secure Access client. In minutes. */
export const CLIENT_FOLLOWS_WITHIN_MINUTES = 15;

/** How long a stage took lately, in seconds that really occurred: half took no longer than `p50`, 19 of 20 no longer than `p95`. */
export const UsualTime = z.object({ count: z.int().min(USUAL_FROM), p50Seconds: z.number(), p95Seconds: z.number() });
export type UsualTime = z.infer<typeof UsualTime>;

/** What is known of a request beside its state: who approved it, how long each stage usually takes, and whether a connection has proved it. */
export const RequestReadiness = z.object({
  /** `null`: nobody has approved it, or who did cannot be read. */
  approval: z.object({ by: z.string().nullable(), at: Instant.nullable() }).nullable(),
  /** Of this group's activations; `null`: not enough are known. */
  usual: z.object({
    /** From the request, or from its approval where there was one, until PIM was done. */
    provisioning: UsualTime.nullable(),
    /** From then until the directory showed the membership. */
    membership: UsualTime.nullable(),
  }),
  /** The first connection that was let through since, of the traffic logs; `null`: the portal cannot see them. Not having seen one proves nothing. */
  connection: z.object({ firstAllowedAt: Instant.nullable() }).nullable(),
});
export type RequestReadiness = z.infer<typeof RequestReadiness>;

export const GetRequestReadiness = {
  method: 'GET', path: '/api/access/requests/:requestId/readiness', permission: 'access:use',
  summary: 'Who approved one of the person’s requests, how long its stages usually take, and whether a connection was let through',
  params: z.strictObject({ requestId: Guid }),
  response: RequestReadiness,
} as const satisfies Endpoint;
