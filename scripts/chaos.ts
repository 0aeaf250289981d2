/**
 * `npm run chaos [-- --seeds N] [--from N] [--seed NAME] [--faults N]`: plays N schedules of faults, each by a seed of its own,
 * against a product and a tenant of its own, and prints what of Entra's audit log was lost, doubled, altered or miscounted by them. A
 * schedule that failed is played again by its name. Exits 1 where one did not hold.
 */
import { parseArgs } from 'node:util';
import startTemplate from '../packages/db/src/testing-global-setup.ts';
import { playChaos, type ChaosOutcome } from '../testing/chaos.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '50' }, from: { type: 'string', default: '1' }, seed: { type: 'string' }, faults: { type: 'string', default: '20' } } });
const [first, count, faults] = [Number(values.from), Number(values.seeds), Number(values.faults)];
if (![first, count, faults].every((number) => Number.isInteger(number) && number > 0)) {
  console.error('--seeds, --from and --faults are whole numbers from 1.');
  process.exit(2);
}
const seeds = values.seed === undefined ? Array.from({ length: count }, (_, index) => `chaos-${first + index}`) : [values.seed];

let templateUrl = '';
const stopPostgres = await startTemplate({ provide: (_key, url) => { templateUrl = url; } });
const total = { schedules: 0, faults: 0, events: 0, lost: 0, doubled: 0, altered: 0, invented: 0, miscounted: 0, stalled: 0 };
try {
  const left = seeds.values();
  // Two at a time: one works while the other waits for its database.
  await Promise.all(Array.from({ length: 2 }, async () => {
    for (const seed of left) tally(await playChaos({ seed, faults, templateUrl }));
  }));
} finally {
  await stopPostgres();
}
console.table(total);
if (total.lost + total.doubled + total.altered + total.invented + total.miscounted + total.stalled > 0) process.exitCode = 1;

function tally(outcome: ChaosOutcome): void {
  total.schedules += 1;
  total.faults += outcome.faults.length;
  total.events += outcome.events;
  const wrong = (['lost', 'doubled', 'altered', 'invented', 'miscounted', 'stalled'] as const).filter((name) => outcome[name].length > 0);
  for (const name of wrong) total[name] += outcome[name].length;
  if (wrong.length === 0) return;
  console.log(`${outcome.seed}: ${wrong.map((name) => `${outcome[name].length} ${name} (${outcome[name].slice(0, 3).join(', ')})`).join('; ')}\n  faults: ${outcome.faults.join(', ')}`);
}
