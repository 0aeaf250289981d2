import assert from 'node:assert/strict';
import { PROPOSED_ROLE_SETTINGS, proposeMailNickname } from '@gatehouse/contracts';
import { createClient, type Client, type Reply } from '../apps/api/test/client.ts';

export const MAYA = 'maya.lindqvist@contoso.example';
export const ANA = 'ana.costa@contoso.example';
export const OMAR = 'omar.haddad@contoso.example';
export const INES = 'ines.moreau@contoso.example';
const HOST = 'fin-rep.corp.contoso.example:443';

/** Where the journey is played. */
export interface Stage {
  readonly portalUrl: string;
  /** Added to the names of what is made, where the tenant may hold an earlier journey's. */
  readonly suffix: string;
  /** Time by which patience is measured, in milliseconds. */
  now(): number;
  /** How long to wait for what is to come: for PIM to learn of a new group, for a run to rest, for the audit log to show an event. */
  readonly patienceMs: number;
  /** Lets so much of it pass. */
  pause(ms: number): Promise<void>;
  /** Moves the tenant's clock, as the demo's own control does. */
  advance(client: Client, minutes: number): Promise<void>;
  report(line: string): void;
  /** Told when a person tries again, since the portal said that it helps. */
  readonly onTriedAgain?: () => Promise<void>;
  /** Told when what was tried again has got through, or was found to be done. */
  readonly onGotThrough?: () => Promise<void>;
  /** Told of every answer of the portal, for a check of its own. */
  readonly onReply?: (upn: string, method: string, path: string, reply: Reply) => Promise<void>;
}

/** A person who is told to try again does so this often, and this much later. */
const TRIES = 40;
/** A run goes a step further with most of its continuations. */
const CONTINUATIONS = 200;
const BETWEEN_TRIES_MS = 5_000;

/** The portal said that it does not know or that it is busy: nothing is broken, and trying again is what it asks for. */
const saysAgain = ({ status }: Reply): boolean => status === 503 || status === 502;

function ok(reply: Reply, status = 200): Reply['body'] {
  assert.equal(reply.status, status, JSON.stringify(reply.body));
  return reply.body;
}

/**
 * Plays the 13 steps over HTTP as setup admin, analyst, approver and auditor. Throws at the first that does not hold.
 */
export async function playJourney(stage: Stage): Promise<void> {
  const { portalUrl, report } = stage;

  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = stage.now() + stage.patienceMs;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      if (stage.now() > deadline) throw new Error(`not within ${stage.patienceMs / 1000} s: ${what}`);
      await stage.pause(400);
    }
  };

  /** Does it, and again as long as the portal says that this helps, unless meanwhile `isDone` finds that it was done. */
  const insisting = async (act: () => Promise<Reply>, isDone: () => Promise<Reply | undefined> = async () => undefined): Promise<Reply> => {
    let reply = await act();
    for (let tries = 1; saysAgain(reply) && tries < TRIES; tries += 1) {
      await stage.onTriedAgain?.();
      await stage.pause(BETWEEN_TRIES_MS);
      reply = await isDone() ?? await act();
      if (!saysAgain(reply)) await stage.onGotThrough?.();
    }
    return reply;
  };

  /** Reads and plans may be asked for again as they are; what changes something is looked for first. */
  const patient = (client: Client, upn: string): Client => {
    const told = async (method: string, path: string, reply: Reply): Promise<Reply> => {
      await stage.onReply?.(upn, method, path, reply);
      return reply;
    };
    return {
      ...client,
      get: (path) => insisting(async () => told('GET', path, await client.get(path))),
      post: async (path, ...rest) => told('POST', path, await client.post(path, ...rest)),
    };
  };

  const clients = new Map<string, Client>();
  const as = async (upn: string): Promise<Client> => {
    const known = clients.get(upn) ?? patient(createClient(portalUrl), upn);
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
      report(`${String(number).padStart(2)} ✓ ${title}: ${await hold()}`);
    } catch (error) {
      report(`${String(number).padStart(2)} ✗ ${title}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  };

  const session = ok(await createClient(portalUrl).get('/api/session'));
  assert.ok(session.demo, 'the portal runs on the emulated tenant');
  const privateResource = `${session.demo.privateResourceUrl}${HOST}`;
  const maya = await as(MAYA);
  const { suffix } = stage;
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
  const plan = ok(await insisting(() => maya.post('/api/setup-plans', { definition })));
  assert.equal(plan.steps.filter(({ verdict }: { verdict: string }) => verdict === 'blocked').length, 0, JSON.stringify(plan.steps));
  const started = ok(await insisting(() => maya.post('/api/setups', { definition, digest: plan.digest, irreversibleUnderstood: true })), 202);
  const rested = () => until('the run rests', async () => {
    const now = ok(await maya.get(`/api/runs/${started.id}`));
    return now.status === 'running' ? undefined : now;
  });
  let run = await rested();
  // What failed since Entra did not answer is continued, as the step's own words ask.
  for (let tries = 0; run.status === 'failed' && tries < CONTINUATIONS; tries += 1) {
    await stage.onTriedAgain?.();
    ok(await insisting(() => maya.post(`/api/runs/${started.id}/continue`)), 202);
    await stage.onGotThrough?.();
    run = await rested();
  }
  assert.equal(run.status, 'succeeded', JSON.stringify(run.steps.filter(({ status }: { status: string }) => status === 'failed')));
  const verified = (kind: string): string => {
    const steps = run.steps.filter((one: { plan: { kind: string } }) => one.plan.kind === kind);
    assert.ok(steps.length > 0 && steps.every(({ status }: { status: string }) => status === 'done'), `${kind}: ${JSON.stringify(steps)}`);
    return steps[0].detail ?? steps[0].plan.title;
  };
  const setup = ok(await maya.get(`/api/setups/${started.setupId}`));
  const groupId: string = setup.groupId;
  const again = ok(await insisting(() => maya.post('/api/setup-plans', { definition: { ...definition, group: { kind: 'existing', groupId, displayName: groupName } } })));

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
    // My access shows what became of a request that nobody answered.
    const found = async (): Promise<Reply | undefined> => {
      const entry = await until('it is known what became of the request', async () => {
        const { entries } = ok(await client.get('/api/access')) as { entries: { groupId: string; request: { state: string } | null }[] };
        const one = entries.find(({ groupId: id }) => id === wish['groupId']);
        return one && one.request?.state !== 'asked' ? one : undefined;
      });
      const isThere = ['awaiting-approval', 'provisioning', 'active'].includes(entry.request?.state ?? '');
      return isThere ? { status: 201, headers: new Headers(), body: entry.request } : undefined;
    };
    const ask = (): Promise<Reply> => insisting(() => client.post('/api/access/activations', wish), found);
    const first = await ask();
    if (first.status !== 401) return ok(first, 201);
    assert.equal(first.body.code, 'step-up-required');
    await client.stepUp(first.body.signInUrl, upn);
    return ok(await ask(), 201);
  };
  let request: Reply['body'];
  let askedAt = 0;
  await step('Activate with a reason', async () => {
    const noReason = await insisting(() => anna.post('/api/access/activations', { groupId, minutes: 30 }));
    assert.equal(noReason.status, 409);
    askedAt = stage.now();
    request = await activate(anna, ANA, { groupId, minutes: 30, justification: 'Month-end close, INC-4711' });
    return `asked for 30 min, after a stronger sign-in`;
  });
  await step('Confirmation', async () => {
    let byHand = false;
    const member = await until('the directory shows the membership', async () => {
      const now = ok(await anna.get(`/api/access/requests/${request.id}`));
      if (now.state === 'active' && now.memberAt !== null) return now;
      // The portal looks seldom by itself; who has waited for so long asks it to look.
      if (!byHand && stage.now() - askedAt > 5 * 60_000) {
        byHand = true;
        await stage.onTriedAgain?.();
        await anna.get('/api/access?fresh=yes');
      }
      return undefined;
    });
    if (byHand) await stage.onGotThrough?.();
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
    // Where Graph hardly answers, the five minutes may be over before it is known that they began.
    if (stage.now() - askedAt < 5 * 60_000) {
      const early = await insisting(() => anna.post('/api/access/deactivations', { groupId }));
      assert.equal(early.status, 409, `before five minutes it is refused: ${JSON.stringify(early.body)}`);
    }
    await stage.advance(anna, 6);
    const isEnded = async (): Promise<Reply | undefined> => {
      const reply = await anna.get('/api/access');
      const entry = (ok(reply).entries as { groupId: string; active: unknown }[]).find((one) => one.groupId === groupId);
      return entry && entry.active === null && ok(reply).notKnown.length === 0 ? { ...reply, body: { endedAt: 'meanwhile', networkMayStayOpenUntil: 'not said' } } : undefined;
    };
    const ended = ok(await insisting(() => anna.post('/api/access/deactivations', { groupId }), isEnded));
    await until('the private resource is closed again', async () => ((await anna.visit(privateResource, ANA)).status === 403 ? true : undefined));
    return `ended ${ended.endedAt}, network may stay open until ${ended.networkMayStayOpenUntil}`;
  });

  // An approval on the way to the history: Payroll needs one.
  const omars = await as(OMAR);
  type Entry = { groupId: string; groupName: string; active: unknown };
  const payroll = await until('Payroll is listed', async () => (ok(await anna.get('/api/access')).entries as Entry[]).find(({ groupName: name }) => name.startsWith('Payroll')));
  await activate(anna, ANA, { groupId: payroll.groupId, minutes: 30, justification: 'Payroll run of this month' });
  const item = await until('the request waits for Omar', async () => (ok(await omars.get('/api/approvals')).items as { id: string; groupId: string }[]).find((one) => one.groupId === payroll.groupId));
  ok(await insisting(() => omars.post(`/api/approvals/${item.id}/decision`, { decision: 'approve', justification: 'Planned work' }), async () => {
    const reply = await omars.get('/api/approvals');
    return (ok(reply).decided as { id: string }[]).some(({ id }) => id === item.id) ? reply : undefined;
  }));

  await step('History', async () => {
    const ines = await as(INES);
    await stage.advance(anna, 1);
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
    const { id } = ok(await ines.post('/api/exports', { format: 'csv', filter: { group: groupName } }), 201) as { id: string };
    const csv = ok(await ines.get(`/api/exports/${id}/file`)) as string;
    assert.match(csv, /Month-end close, INC-4711/);
    return `one row from request to end, ${story.events.length} events, CSV`;
  });
}
