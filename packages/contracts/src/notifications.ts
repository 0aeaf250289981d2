import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Guid, Instant } from './words.ts';

/** `approvers` stands for finding out whom to mail, before there is a mail to each. */
export const NotificationChannel = z.enum(['approvers', 'mail', 'webhook']);
export type NotificationChannel = z.infer<typeof NotificationChannel>;

/** A notification that was given up: repeating it did not help. */
export const DeadLetter = z.object({
  id: z.string(),
  channel: NotificationChannel,
  /** The mail address; `null` of the other channels. */
  recipient: z.string().nullable(),
  requesterName: z.string(),
  groupName: z.string(),
  /** After it the request needs no decision any more, and nothing is sent. */
  lapsesAt: Instant,
  tries: z.int(),
  /** A sentence. */
  error: z.string(),
  givenUpAt: Instant,
});
export type DeadLetter = z.infer<typeof DeadLetter>;

export const ListNotifications = {
  method: 'GET', path: '/api/notifications', permission: 'sync:read',
  summary: 'How requests are announced to approvers, and what could not be delivered',
  response: z.object({
    /** Whether settings name a mail server and a webhook. */
    mail: z.boolean(), webhook: z.enum(['off', 'json', 'teams']),
    /** Not sent yet: due, or waiting to be tried again. */
    waiting: z.int(),
    /** Sent within the last 24 hours. */
    sent: z.int(),
    deadLetters: z.array(DeadLetter),
    /** How many there are in all; the newest are listed. */
    dead: z.int(),
  }),
} as const satisfies Endpoint;

export const ResendNotification = {
  method: 'POST', path: '/api/notifications/:notificationId/resend', permission: 'setup:manage', status: 202,
  summary: 'Tries a notification again that was given up',
  params: z.strictObject({ notificationId: Guid }),
  body: z.strictObject({}),
  response: z.object({ id: z.string() }),
} as const satisfies Endpoint;
