import { parseArgs } from 'node:util';
import { DEMO_DELAYS, LIFELIKE_DELAYS } from './delays.ts';
import { startEmulator } from './emulator.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4000' }, seed: { type: 'string', default: 'demo' }, pace: { type: 'string', default: 'demo' } } });
const DELAYS = new Map([['demo', DEMO_DELAYS], ['life', LIFELIKE_DELAYS]]);
const delays = DELAYS.get(values.pace);
if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535 || (values.seed !== 'demo' && values.seed !== 'empty') || !delays) {
  console.error('npm run emulator -- --port NUMBER [--seed demo|empty] [--pace demo|life]');
  process.exit(2);
}
try {
  const emulator = await startEmulator({ port: Number(values.port), seed: values.seed, delays });
  console.log(`The emulated tenant ${emulator.tenantId} is at ${emulator.url}.\nA portal on it: EMULATOR_URL=${emulator.url} npm start\nCtrl-C stops it; what it held is gone then.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { void emulator.close().then(() => process.exit(0)); });
} catch (error) {
  console.error(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' ? `Port ${values.port} is taken: choose another with --port.` : error);
  process.exit(2);
}
