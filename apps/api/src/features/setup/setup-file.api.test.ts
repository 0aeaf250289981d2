import { PROPOSED_ROLE_SETTINGS } from '@gatehouse/contracts';
import { expect, test } from 'vitest';
import { ANA, MAYA, startPortal } from '../../testing.ts';

const NAME = 'FinReport-Reader-SecureAccess';

test('a setup is downloaded, brought in again as it is, and refused with its lines where it is wrong', async () => {
  await using portal = await startPortal();
  const maya = await portal.as(MAYA);
  const [ben] = (await maya.get('/api/directory/principals?kind=user&text=ben%20novak')).body.principals;
  const finance = (await maya.get('/api/directory/applications')).body.applications.find(({ displayName }: { displayName: string }) => displayName === 'Finance reports');
  const definition = {
    group: { kind: 'new', displayName: NAME, mailNickname: NAME, description: '' }, roleSettings: PROPOSED_ROLE_SETTINGS, eligible: [{ principalId: ben.id, kind: 'user', displayName: ben.displayName, days: 90 }],
    applications: [{ kind: 'existing', servicePrincipalId: finance.id, displayName: finance.displayName, applicationKind: finance.kind }],
  };
  const plan = (await maya.post('/api/setup-plans', { definition })).body;
  const { setupId } = (await maya.post('/api/setups', { definition, digest: plan.digest, irreversibleUnderstood: true })).body;

  for (const format of ['yaml', 'json']) {
    const file = await maya.get(`/api/setups/${setupId}/file?format=${format}`);
    expect([file.status, file.headers.get('content-disposition')]).toEqual([200, `attachment; filename="${NAME}.${format}"`]);
    const text = typeof file.body === 'string' ? file.body : JSON.stringify(file.body);
    expect(text).toContain(`${portal.url}/api/setup-schema.json`);
    expect((await maya.post('/api/setup-files', { text })).body).toEqual({ definition: { ...definition, owners: [], ownerRoleSettings: null } });
  }

  const { body: yaml } = await maya.get(`/api/setups/${setupId}/file`);
  const wrong = await maya.post('/api/setup-files', { text: `${String(yaml).replace('days: 90', 'days: never')}colour: red\n` });
  expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid-request']);
  const last = String(yaml).split('\n').length;
  expect(wrong.body.issues.map(({ message }: { message: string }) => message)).toEqual([expect.stringMatching(/^Line \d+: eligible\.0\.days: /), `Line ${last}: colour is not known here.`]);

  expect((await maya.post('/api/setup-files', { text: '' })).body.issues).toEqual([{ path: 'body.text', message: 'The file is empty' }]);
  expect((await maya.post('/api/setup-files', { text: `#${' '.repeat(512 * 1024)}` })).body.issues).toEqual([{ path: 'body.text', message: 'A setup’s file has at most 512 KiB' }]);
  expect((await maya.get(`/api/setups/${setupId}/file?format=xml`)).status).toBe(400);
  expect((await (await portal.as(ANA)).post('/api/setup-files', { text: yaml })).status).toBe(403);
  expect((await portal.anonymous().get('/api/setup-schema.json')).body).toMatchObject({ title: 'A setup of Gatehouse', required: expect.arrayContaining(['group', 'eligible']) });
  // Reading a file keeps nothing and asks Entra nothing.
  expect((await maya.get('/api/setups')).body.setups).toHaveLength(1);
});
