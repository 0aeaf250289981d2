/**
 * Plays the 13 steps of the procedure over HTTP, as setup admin, analyst, approver and auditor, and prints a line a step.
 * Without `--portal URL` it starts a portal of its own, fresh, and stops it. Exits 1 at the first step that does not hold.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PROPOSED_ROLE_SETTINGS, proposeMailNickname } from '@gatehouse/contracts';
import { pino } from 'pino';
import { startPortal } from '../apps/api/src/compose.ts';
import { parseConfig } from '../apps/api/src/config.ts';
import { createClient, type Client, type Reply } from '../apps/api/test/client.ts';

const MAYA = 'maya.lindqvist@contoso.example';
const ANA = 'ana.costa@contoso.example';
const OMAR = 'omar.haddad@contoso.example';
const INES = 'ines.moreau@contoso.example';
const HOST = 'fin-rep.corp.contoso.example:443';

/** Long enough for PIM to learn of a new group and for the audit log to show an event; a wait that ends without its event is a failure. */
const PATIENCE_MS = 90_000;

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    await sleep(400);
  }
}

function ok(reply: Reply, status = 200): Reply['body'] {
  assert.equal(reply.status, status, JSON.stringify(reply.body));
  return reply.body;
}

async function play(portalUrl: string): Promise<void> {
  const clients = new Map<string, Client>();
  const as = async (upn: string): Promise<Client> => {
    const known = clients.get(upn) ?? createClient(portalUrl);
    if (!clients.has(upn)) {
      await known.signIn(upn);
      clients.set(upn, known);
    }
    return known;
  };
  let number = 0;
  const step = async (title: string, hold: () => Promise<string>): Promise<void> => {
    number += 1;
    try {
      console.log(`${String(number).padStart(2)} ✓ ${title}: ${await hold()}`);
    } catch (error) {
      console.log(`${String(number).padStart(2)} ✗ ${title}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  };

  const session = ok(await createClient(portalUrl).get('/api/session'));
  assert.ok(session.demo, 'the portal runs on the emulated tenant');
  const privateResource = `${session.demo.privateResourceUrl}${HOST}`;
  const maya = await as(MAYA);
  const suffix = portalGiven ? `-${Date.now().toString(36)}` : '';
  const groupName = `FinReport-SeniorAnalyst-SecureAccess${suffix}`;
  const ana = ok(await maya.get('/api/directory/principals?text=ana%20costa&kind=user')).principals[0];
  const ben = ok(await maya.get('/api/directory/principals?text=ben%20novak&kind=user')).principals[0];
  const omar = ok(await maya.get('/api/directory/principals?text=omar%20haddad&kind=user')).principals[0];
  const applications = ok(await maya.get('/api/directory/applications')).applications as { id: string; displayName: string; kind: string }[];
  const finance = applications.find(({ displayName }) => displayName === 'Finance reports');
  const quickAccess = applications.find(({ kind }) => kind === 'quick-access');
  assert.ok(finance && quickAccess && ana && ben && omar);
  const enterprise = (ok(await maya.get('/api/directory/applications?text=c')).applications as typeof applications).find(({ kind }) => kind === 'enterprise');
  assert.ok(enterprise, 'there is an enterprise application');
  const connectorGroup = ok(await maya.get('/api/directory/connector-groups')).connectorGroups[0];
  const existing = (application: { id: string; displayName: string; kind: string }) => ({ kind: 'existing', servicePrincipalId: application.id, displayName: application.displayName, applicationKind: application.kind });
  const definition = {
    group: { kind: 'new', displayName: groupName, mailNickname: proposeMailNickname(groupName), description: 'Finance reports for senior analysts' },
    roleSettings: { ...PROPOSED_ROLE_SETTINGS, activationMaxMinutes: 30, activationSignIn: { kind: 'mfa' } },
    eligible: [ana, ben].map(({ id, displayName }: { id: string; displayName: string }) => ({ principalId: id, kind: 'user', displayName, days: 180 })),
    applications: [
      existing(quickAccess), existing(finance), existing(enterprise),
      { kind: 'new', displayName: `Finance archive${suffix}`, connectorGroupId: connectorGroup.id, connectorGroupName: connectorGroup.displayName, segments: [{ host: `fin-arch${suffix}.corp.contoso.example`, ports: '443', protocol: 'tcp' }] },
    ],
  };
  const plan = ok(await maya.post('/api/setup-plans', { definition }));
  assert.equal(plan.steps.filter(({ verdict }: { verdict: string }) => verdict === 'blocked').length, 0, JSON.stringify(plan.steps));
  const started = ok(await maya.post('/api/setups', { definition, digest: plan.digest, irreversibleUnderstood: true }), 202);
  const run = await until('the run rests', async () => {
    const now = ok(await maya.get(`/api/runs/${started.id}`));
    return now.status === 'running' ? undefined : now;
  });
  assert.equal(run.status, 'succeeded', JSON.stringify(run.steps.filter(({ status }: { status: string }) => status === 'failed')));
  const verified = (kind: string): string => {
    const steps = run.steps.filter((one: { plan: { kind: string } }) => one.plan.kind === kind);
    assert.ok(steps.length > 0 && steps.every(({ status }: { status: string }) => status === 'done'), `${kind}: ${JSON.stringify(steps)}`);
    return steps[0].detail ?? steps[0].plan.title;
  };
  const setup = ok(await maya.get(`/api/setups/${started.setupId}`));
  const groupId: string = setup.groupId;
  const again = ok(await maya.post('/api/setup-plans', { definition: { ...definition, group: { kind: 'existing', groupId, displayName: groupName } } }));

  await step('Security group', async () => `${groupName} · ${verified('create-group')}`);
  await step('Onboarded to PIM', async () => verified('onboard'));
  await step('Role settings', async () => {
    const { roleSettings } = ok(await maya.get(`/api/directory/groups/${groupId}/role-settings`));
    assert.equal(roleSettings.activationMaxMinutes, 30);
    assert.equal(roleSettings.activationSignIn.kind, 'mfa');
    return 'activation 30 min at the most, MFA required';
  });
  await step('Eligible members', async () => {
    assert.equal(run.steps.filter((one: { plan: { kind: string }; status: string }) => one.plan.kind === 'assign-eligible' && one.status === 'done').length, 2);
    return 'Ana Costa and Ben Novak';
  });
  await step('Quick Access', async () => { verified('assign-application'); return 'the group is assigned'; });
  await step('Per-app and enterprise applications', async () => {
    verified('create-application');
    assert.equal(again.changes - again.steps.filter(({ kind }: { kind: string }) => kind.startsWith('create-app') || kind === 'publish-application' || kind === 'add-segment').length <= 0, true, 'the tenant holds what the setup wants');
    return `Finance reports, ${enterprise.displayName}, and a new Private Access application`;
  });

  const anna = await as(ANA);
  await step('Refused while not active', async () => {
    const page = await anna.visit(privateResource, ANA);
    assert.equal(page.status, 403);
    return `${HOST} answers 403`;
  });
  await step('Eligible assignments', async () => {
    const entry = await until('the group is listed', async () => (ok(await anna.get('/api/access')).entries as { groupId: string; applications: { displayName: string }[] }[]).find((one) => one.groupId === groupId && one.applications.length > 0));
    return entry.applications.map(({ displayName }) => displayName).join(', ');
  });

  const activate = async (client: Client, upn: string, wish: Record<string, unknown>): Promise<Reply['body']> => {
    const first = await client.post('/api/access/activations', wish);
    if (first.status !== 401) return ok(first, 201);
    assert.equal(first.body.code, 'step-up-required');
    await client.stepUp(first.body.signInUrl, upn);
    return ok(await client.post('/api/access/activations', wish), 201);
  };
  let request: Reply['body'];
  await step('Activate with a reason', async () => {
    const noReason = await anna.post('/api/access/activations', { groupId, minutes: 30 });
    assert.equal(noReason.status, 409);
    request = await activate(anna, ANA, { groupId, minutes: 30, justification: 'Month-end close, INC-4711' });
    return `asked for 30 min, after a stronger sign-in`;
  });
  await step('Confirmation', async () => {
    const member = await until('the directory shows the membership', async () => {
      const now = ok(await anna.get(`/api/access/requests/${request.id}`));
      return now.state === 'active' && now.memberAt !== null ? now : undefined;
    });
    return `provisioned ${member.provisionedAt}, member ${member.memberAt}, ends ${member.endsAt}`;
  });
  await step('Reconnect', async () => {
    const page = await until('the private resource answers', async () => {
      const seen = await anna.visit(privateResource, ANA);
      return seen.status === 200 ? seen : undefined;
    });
    assert.match(String(page.body), /Finance reports/);
    return `${HOST} answers 200`;
  });
  await step('Deactivate', async () => {
    const early = await anna.post('/api/access/deactivations', { groupId });
    assert.equal(early.status, 409, 'before five minutes it is refused');
    ok(await anna.post('/api/demo/clock', { minutes: 6 }));
    const ended = ok(await anna.post('/api/access/deactivations', { groupId }));
    await until('the private resource is closed again', async () => ((await anna.visit(privateResource, ANA)).status === 403 ? true : undefined));
    return `ended ${ended.endedAt}, network may stay open until ${ended.networkMayStayOpenUntil}`;
  });

  // An approval on the way to the history: Payroll needs one.
  const omars = await as(OMAR);
  const payroll = (ok(await anna.get('/api/access')).entries as { groupId: string; groupName: string; policy: { requireApproval: boolean } | null }[]).find(({ groupName: name }) => name.startsWith('Payroll'));
  assert.ok(payroll);
  await activate(anna, ANA, { groupId: payroll.groupId, minutes: 30, justification: 'Payroll run of this month' });
  const item = await until('the request waits for Omar', async () => (ok(await omars.get('/api/approvals')).items as { id: string; groupId: string }[]).find((one) => one.groupId === payroll.groupId));
  ok(await omars.post(`/api/approvals/${item.id}/decision`, { decision: 'approve', justification: 'Planned work' }));

  await step('History', async () => {
    const ines = await as(INES);
    ok(await anna.post('/api/demo/clock', { minutes: 1 }));
    const [row] = await until('the activation is in the history', async () => {
      const found = ok(await ines.get(`/api/history/activations?group=${encodeURIComponent(groupName)}&status=ended`)).activations as { requestId: string; endedHow: string; justification: string }[];
      return found.length > 0 ? found : undefined;
    });
    assert.equal(row?.endedHow, 'deactivated');
    assert.equal(row?.justification, 'Month-end close, INC-4711');
    await until('the approval is in the history', async () => {
      const found = ok(await ines.get('/api/history/activations?group=Payroll&status=active')).activations as { decidedBy: string | null }[];
      return found.some(({ decidedBy }) => decidedBy === 'Omar Haddad') ? true : undefined;
    });
    const story = ok(await ines.get(`/api/history/activations/${row?.requestId}`));
    const csv = ok(await ines.get(`/api/history/activations.csv?group=${encodeURIComponent(groupName)}`)) as string;
    assert.match(csv, /Month-end close, INC-4711/);
    return `one row from request to end, ${story.events.length} events, CSV`;
  });
}

const { values } = parseArgs({ options: { portal: { type: 'string' } } });
const portalGiven = values.portal !== undefined;
const dataDir = portalGiven ? undefined : mkdtempSync(join(tmpdir(), 'gatehouse-journey-'));
const own = dataDir === undefined ? undefined : await startPortal({ ...parseConfig({ PORT: '0', DATA_DIR: dataDir }) }, pino({ level: 'warn' }, pino.destination(2)));
try {
  await play((values.portal ?? own?.url ?? '').replace(/\/$/, ''));
} catch (error) {
  if (!(error instanceof assert.AssertionError)) console.error(error);
  process.exitCode = 1;
} finally {
  await own?.stop();
  if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
}
