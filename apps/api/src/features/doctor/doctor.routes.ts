import { DiagnoseMyPath, DiagnosePath } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Doctor } from './doctor.service.ts';

export function doctorRoutes(doctor: Doctor): Router {
  const router = Router();
  endpoint(router, DiagnoseMyPath, ({ actor, query }) => doctor.mine(actor, query));
  endpoint(router, DiagnosePath, ({ actor, params, query }) => doctor.ofPerson(actor, params.person, query));
  return router;
}
