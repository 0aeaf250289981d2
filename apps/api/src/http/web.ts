import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { Router, type Response } from 'express';

/**
 * The built single-page app. Files under /assets carry their hash in their name and are kept for good; every other
 * address gets the page itself, with the nonce that its styles need.
 */
export function web(distDir: string, nonceOf: (res: Response) => string): Router {
  const router = Router();
  const page = readFileSync(join(distDir, 'index.html'), 'utf8');
  router.use('/assets', express.static(join(distDir, 'assets'), { immutable: true, maxAge: '365d', index: false, fallthrough: false }));
  router.use(express.static(distDir, { index: false, maxAge: '1h' }));
  router.get('/{*page}', (req, res, next) => {
    if (req.path.startsWith('/api/') || req.path.startsWith('/auth/')) return next();
    res.set('Cache-Control', 'no-store').type('html').send(page.replaceAll('__CSP_NONCE__', nonceOf(res)));
  });
  return router;
}
