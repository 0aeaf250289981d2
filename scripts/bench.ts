/**
 * `npm run bench [-- NAME …] [--quick]`: runs the measures in `bench/`, all unless named. Prints a table each and, as the
 * last line of each, `NAME: value`; keeps the figures in `bench/results/latest.json`. Fails where a figure is not reached.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Measure } from '../bench/measure.ts';
import startTemplate from '../packages/db/src/testing-global-setup.ts';

const folder = join(import.meta.dirname, '..', 'bench');
const known = readdirSync(folder).filter((file) => file.endsWith('.ts') && file !== 'measure.ts').map((file) => file.slice(0, -3)).sort();

const { values: { quick }, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false } } });
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  process.exit(2);
}

let templateUrl = '';
const stopPostgres = await startTemplate({ provide: (_key, url) => { templateUrl = url; } });
const results: Record<string, unknown> = {};
try {
  for (const name of positionals.length > 0 ? positionals : known) {
    const { measure } = await import(join(folder, `${name}.ts`)) as { readonly measure: Measure };
    const { table, value, holds } = await measure({ quick, templateUrl });
    console.table(table);
    console.log(`${name}: ${Number(value.toFixed(3))}${holds ? '' : ' (not reached)'}`);
    results[name] = { value, holds, quick, table };
    if (!holds) process.exitCode = 1;
  }
} finally {
  await stopPostgres();
}
mkdirSync(join(folder, 'results'), { recursive: true });
writeFileSync(join(folder, 'results', 'latest.json'), `${JSON.stringify(results, null, 2)}\n`);
