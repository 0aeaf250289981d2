import { ListNotifications, ResendNotification } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Notifications } from './notifications.service.ts';

export function notificationRoutes(notifications: Notifications): Router {
  const router = Router();
  endpoint(router, ListNotifications, ({ actor }) => notifications.list(actor));
  endpoint(router, ResendNotification, ({ actor, params }) => notifications.resend(actor, params.notificationId));
  return router;
}
