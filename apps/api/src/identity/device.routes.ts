import { isIP } from 'node:net';
import { BeginDeviceSignIn, ClaimDeviceSession, DecideDeviceSignIn, GetDeviceSignIn } from '@gatehouse/contracts';
import { Router, type Request } from 'express';
import { endpoint, raw } from '../http/endpoint.ts';
import { INTERVAL_SECONDS, PENDING_MINUTES, type DeviceSignIns } from './device.ts';

/** Sign-in of a device (RFC 8628): the device asks and polls, its person decides in a browser. */
export function deviceRoutes(devices: DeviceSignIns, publicUrl: string): Router {
  const router = Router();

  raw(router, BeginDeviceSignIn, async ({ body }, res, req) => {
    const { deviceCode, userCode } = await devices.begin({ deviceName: body.deviceName, address: addressOf(req) });
    const verificationUri = `${publicUrl}/device`;
    res.json(BeginDeviceSignIn.response.parse({
      deviceCode, userCode, verificationUri, verificationUriComplete: `${verificationUri}?code=${userCode}`,
      expiresInSeconds: PENDING_MINUTES * 60, intervalSeconds: INTERVAL_SECONDS,
    }));
  });

  endpoint(router, ClaimDeviceSession, ({ body }) => devices.claim(body.deviceCode));
  endpoint(router, GetDeviceSignIn, ({ actor, params }) => devices.find(actor, params.userCode));
  endpoint(router, DecideDeviceSignIn, async ({ actor, params, body }) => {
    await devices.decide(actor, params.userCode, body.decision);
    return { decision: body.decision };
  });

  return router;
}

/**
 * Where the request came from, as far as the portal can tell: what the nearest proxy says, by way of the proxy. Whoever
 * reaches the portal directly can name another address, and not hide their own.
 */
function addressOf(req: Request): string {
  const peer = (req.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
  const said = req.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  return isIP(said) === 0 || said === peer ? peer : `${said} by way of ${peer}`;
}
