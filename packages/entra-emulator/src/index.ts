export { DEMO_DELAYS, LIFELIKE_DELAYS, type Delays } from './delays.ts';
export { type Emulator, type EmulatorOptions, startEmulator } from './emulator.ts';
export { TenantStateRefusal } from './snapshot.ts';
