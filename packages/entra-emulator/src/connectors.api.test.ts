import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MAYA, startTenant } from './testing.ts';

const GROUPS = '/beta/onPremisesPublishingProfiles/applicationProxy/connectorGroups';

test('a connector that is made inactive is shown so, lets nobody through, and stays so over a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'connectors-'));
  const stateFile = join(folder, 'tenant.json');
  try {
    {
      await using tenant = await startTenant({ stateFile });
      await tenant.settings({ connectors: { 'nyc-conn-01': 'inactive' } });
    }
    await using tenant = await startTenant({ stateFile });
    const maya = await tenant.as(MAYA, 'Directory.ReadWrite.All');
    const { body: { value } } = await maya('GET', GROUPS);
    const america = value.find(({ name }: { name: string }) => name === 'US-1');
    const statuses = async (): Promise<unknown> => (await maya('GET', `${GROUPS}/${america.id}/members`)).body.value.map(({ machineName, status }: { machineName: string; status: string }) => [machineName, status]);
    expect(await statuses()).toEqual([['nyc-conn-01', 'inactive'], ['nyc-conn-02', 'inactive']]);
    await tenant.settings({ connectors: { 'nyc-conn-02': 'active' } });
    expect(await statuses()).toEqual([['nyc-conn-01', 'inactive'], ['nyc-conn-02', 'active']]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([[{ 'nyc-conn-01': 'broken' }], [{ 'no-such-machine': 'inactive', 'nyc-conn-01': 'inactive' }]])('%j is refused, and nothing is changed', async (connectors) => {
  await using tenant = await startTenant();
  const answer = await fetch(`${tenant.url}/_emulator/settings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ connectors }) });
  expect(answer.status).toBe(400);
  expect(await (await fetch(`${tenant.url}/_emulator/settings`)).json()).toMatchObject({ connectors: { 'nyc-conn-01': 'active' } });
});
