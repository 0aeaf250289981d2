import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PORTAL } from './actor.ts';

test('the portal has one name and one id in its log', () => {
  const src = join(import.meta.dirname, '..');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const naming = files.filter((name) => /principalId: '[^']*', name: '/.test(readFileSync(join(src, name), 'utf8')));
  expect(naming).toEqual([join('core', 'actor.ts')]);
  expect(PORTAL).toEqual({ principalId: '00000000-0000-0000-0000-000000000000', name: 'Gatehouse' });
});
