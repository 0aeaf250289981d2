import type { SetupDrift } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { MAYA, startPortal } from '../apps/api/src/testing.ts';
import { alikeSetups } from './alike-setups.ts';
import { otherAdmin } from './out-of-band.ts';

const SETUPS = 100;

/** Two hundred that are applied one by one, on a tenant that throttles: `npm run bench -- drift-watch`. */
test('a hundred unchanged setups raise no alarm, a second pass asks Graph nothing, and the one that is changed is found', async () => {
  await using portal = await startPortal({ timePasses: true });
  const maya = await portal.as(MAYA);
  const erik = await otherAdmin(portal.emulator.url);
  const groups = await alikeSetups(portal, maya, erik, SETUPS);
  await portal.advance('PT30M');
  await portal.syncNow();
  await portal.advance('PT1S');
  const alarms = async (): Promise<readonly string[]> => {
    await portal.product.tasks.watch();
    const { setups } = (await maya.get('/api/drift')).body as { setups: SetupDrift[] };
    expect(setups).toHaveLength(SETUPS);
    expect(setups.filter(({ lookedAt, failure }) => lookedAt === null || failure !== null)).toEqual([]);
    return setups.flatMap(({ name, differences }) => differences.map(({ title, by }) => `${name}: ${title} (${by?.name ?? 'nobody'})`));
  };

  expect(await alarms()).toEqual([]);
  await portal.emulator.clearJournal();
  expect(await alarms()).toEqual([]);
  expect(await portal.emulator.journal()).toEqual([]);

  const { users } = await portal.emulator.state() as { users: readonly { id: string; displayName: string }[] };
  const rachel = users.find(({ displayName }) => displayName === 'Rachel Stein');
  await erik.graph('POST', `/v1.0/groups/${groups.at(-1) ?? ''}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${rachel?.id ?? ''}` });
  await portal.advance('PT30M');
  await portal.syncNow();
  await portal.emulator.clearJournal();
  expect(await alarms()).toEqual([`Alike-${SETUPS - 2}: Rachel Stein is a member past PIM (Erik Sandberg)`]);
  const asked = JSON.stringify((await portal.emulator.journal()).map(({ url }) => url));
  for (const groupId of groups) expect(asked.includes(groupId), groupId).toBe(groupId === groups.at(-1));
});
