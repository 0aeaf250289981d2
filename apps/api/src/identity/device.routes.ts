import { BeginDeviceSignIn, ClaimDeviceSession, DecideDeviceSignIn, GetDeviceSignIn } from '@gatehouse/contracts';
import { Router } from 'express';
import { addressOf } from '../http/address.ts';
import { endpoint, raw } from '../http/endpoint.ts';
import { credentialOf } from '../http/session.ts';
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
  raw(router, GetDeviceSignIn, async ({ actor, params }, res, req) => {
    res.json(GetDeviceSignIn.response.parse(await devices.find({ actor, secret: credentialOf(req)?.secret ?? '' }, params.userCode)));
  });
  raw(router, DecideDeviceSignIn, async ({ actor, params, body }, res, req) => {
    await devices.decide({ actor, secret: credentialOf(req)?.secret ?? '' }, params.userCode, body);
    res.json(DecideDeviceSignIn.response.parse({ decision: body.decision }));
  });

  return router;
}
