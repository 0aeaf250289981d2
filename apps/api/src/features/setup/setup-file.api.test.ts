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

test('a file names people, groups and applications, and the tenant says whose names they are', async () => {
  await using portal = await startPortal();
  const maya = await portal.as(MAYA);
  const text = [
    'group: { kind: existing, displayName: build-engineer-secureaccess }', 'roleSettings: strict', 'owners:', '  - user: MAYA.lindqvist@contoso.example',
    'eligible:', '  - user: ana.costa@contoso.example', '    days: 30', '  - group: Engineering', '    days: 60',
    'applications:', '  - application: Finance reports', '  - kind: new', '    displayName: Archive', '    connectorGroup: EU-1', '    segments: [{ host: arch.corp.contoso.example, ports: "443", protocol: tcp }]', '',
  ].join('\n');
  await portal.emulator.clearJournal();
  const { status, body } = await maya.post('/api/setup-files', { text });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.definition).toMatchObject({
    group: { kind: 'existing', displayName: 'Build-Engineer-SecureAccess' }, roleSettings: { requireTicket: true, eligibleMaxDays: 90 }, owners: [{ displayName: 'Maya Lindqvist' }],
    eligible: [{ kind: 'user', displayName: 'Ana Costa', days: 30 }, { kind: 'group', displayName: 'Engineering', days: 60 }],
    applications: [{ kind: 'existing', displayName: 'Finance reports', applicationKind: 'per-app' }, { kind: 'new', displayName: 'Archive', connectorGroupName: 'EU-1' }],
  });
  // Names of one kind travel together, and those of the other kinds with them.
  expect((await portal.emulator.journal()).filter((entry) => entry.batch === undefined).length).toBeLessThanOrEqual(4);
  // What the tenant has under the names is taken as it is.
  expect((await maya.post('/api/setup-plans', { definition: body.definition })).status).toBe(200);

  const wrong = await maya.post('/api/setup-files', { text: text.replace('ana.costa', 'anna.costa').replace('Finance reports', 'Finanz').replace('EU-1', 'EU-9').replace('group: Engineering', 'group: Engineerin') });
  expect([wrong.status, wrong.body.issues.map(({ message }: { message: string }) => message)]).toEqual([400, [
    'Line 6: eligible.0.user: there is no person with the sign-in name “anna.costa@contoso.example”. Write it as Entra has it, or name the person by principalId, kind and displayName.',
    'Line 8: eligible.1.group: there is no group of the name “Engineerin”. Write it as Entra has it, or name it by principalId, kind and displayName.',
    'Line 11: applications.0.application: there is no application of the name “Finanz”. Write it as Entra has it, or name it by kind, servicePrincipalId, displayName and applicationKind.',
    'Line 14: applications.1.connectorGroup: there is no connector group of the name “EU-9”. Write it as Entra has it, or name it by connectorGroupId and connectorGroupName.',
  ]]);
  const two = await maya.post('/api/setup-files', { text: text.replace('  - user: ana', '  - user: ben.novak@contoso.example\n    principalId: 6f1c3f0e-0b6e-4a37-9b0a-5d8d7f6a1c01\n    days: 1\n  - user: ana').replace('strict', 'strictest').replace('  - application: Finance reports', '  - application: Finance reports\n    segments: []') });
  expect(two.body.issues.map(({ message }: { message: string }) => message)).toEqual([
    'Line 2: roleSettings: standard, strict, break-glass, or the settings themselves are expected here.', 'Line 6: eligible.0: Name one of user, group, principalId.', 'Line 15: applications.0.segments is not known here.',
  ]);
});
