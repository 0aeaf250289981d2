import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

/** Sign-in of a command line by way of a browser: OAuth 2.0 Device Authorization Grant (RFC 8628), with the portal as its server. */

/** Letters that are not mistaken for each other, in two parts (RFC 8628 §6.1). */
export const UserCode = z.string().trim().toUpperCase().transform((code) => code.replaceAll(/[^A-Z0-9]/g, '')).pipe(z.string().regex(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/, 'A code has eight letters, such as WDJB-MJHT'));

export const BeginDeviceSignIn = {
  method: 'POST', path: '/api/device/authorizations', permission: 'public',
  summary: 'Begins the sign-in of a device that has no browser; answers the code that a person enters in theirs',
  body: z.strictObject({
    /** What the person is shown, such as the name of the computer: nothing in it that moves or hides other text. */
    deviceName: z.string().trim().min(1, 'Name the device').max(100).regex(/^\P{C}*$/u, 'A device’s name has no invisible characters'),
  }),
  response: z.object({ deviceCode: z.string(), userCode: z.string(), verificationUri: z.string(), verificationUriComplete: z.string(), expiresInSeconds: z.int(), intervalSeconds: z.int() }),
} as const satisfies Endpoint;

export const ClaimDeviceSession = {
  method: 'POST', path: '/api/device/sessions', permission: 'public',
  summary: 'Asks whether the person has allowed the device; answers its session once, as a bearer token',
  body: z.strictObject({ deviceCode: z.string().max(200) }),
  response: z.discriminatedUnion('state', [
    z.object({ state: z.literal('authorization-pending') }),
    z.object({ state: z.literal('slow-down'), intervalSeconds: z.int() }),
    z.object({ state: z.literal('access-denied') }),
    z.object({ state: z.literal('expired') }),
    z.object({ state: z.literal('granted'), token: z.string(), expiresAt: Instant, person: z.object({ displayName: z.string(), userPrincipalName: z.string() }) }),
  ]),
} as const satisfies Endpoint;

export const GetDeviceSignIn = {
  method: 'GET', path: '/api/device/authorizations/:userCode', permission: 'device:allow',
  summary: 'Which device asks under this code, for the person to compare',
  params: z.strictObject({ userCode: UserCode }),
  response: z.object({
    userCode: z.string(), deviceName: z.string(), address: z.string(), askedAt: Instant, expiresAt: Instant,
    /** When the device’s own session ends at the latest: with the one that allows it. */
    sessionEndsAt: Instant,
  }),
} as const satisfies Endpoint;

export const DecideDeviceSignIn = {
  method: 'POST', path: '/api/device/authorizations/:userCode', permission: 'device:allow',
  summary: 'Allows the device to act as the person for a time, or denies it',
  params: z.strictObject({ userCode: UserCode }),
  body: z.strictObject({
    decision: z.enum(['allow', 'deny']),
    /** Whose name the page showed: who switched accounts in another tab has not decided as the other. */
    personId: z.string().max(100),
  }),
  response: z.object({ decision: z.enum(['allow', 'deny']) }),
} as const satisfies Endpoint;
