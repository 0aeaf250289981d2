import { writeFileSync } from 'node:fs';
import { ExportSetups } from '@gatehouse/contracts';
import type { Portal } from './portal.ts';
import { CommandError, EXIT, plain, type Terminal } from './terminal.ts';

/** Writes all setups into a file, which `plan` and `apply` read again. What is there already is kept unless it is forced. */
export async function exportSetups(terminal: Terminal, portal: Portal, { file, force }: { file: string; force: boolean }): Promise<{ exit: number; json: unknown }> {
  if (!/\.ya?ml$/i.test(file)) throw new CommandError('The setups are written as YAML. Name the file .yaml.');
  const text = await portal.call(ExportSetups, {});
  try {
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new CommandError(code === 'EEXIST' ? `${plain(file)} is there already, and was left as it is. Name another file, or add --force.` : `${plain(file)} cannot be written (${code}).`);
  }
  const bytes = Buffer.byteLength(text);
  terminal.out(`Wrote ${plain(file)}, ${bytes} bytes.`);
  return { exit: EXIT.nothing, json: { file, bytes } };
}
