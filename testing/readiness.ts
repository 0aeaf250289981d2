import type { AccessRequest, RequestReadiness } from '@gatehouse/contracts';
import { startPortal, ANA, OMAR, type Client, type TestPortal } from '../apps/api/src/testing.ts';
import { isReady, stagesOf } from '../apps/web/src/features/access/stages.ts';
import { randomFrom } from './random.ts';

/** How one activation goes: how long Entra takes, and what goes wrong on the way. Seconds. */
interface Course {
  readonly seed: number;
  readonly provisioning: number;
  readonly membership: number;
  /** `undefined`: no approval is asked for. */
  readonly approval: number | undefined;
  /** The portal's clock against Entra's. */
  readonly skew: number;
  readonly fault: 'none' | 'answer-lost' | 'probe-fails' | 'lists-fail';
}

export interface Readiness {
  readonly courses: number;
  /** How often the page was looked at. */
  readonly looks: number;
  /** Of the looks: how many told of each stage as reached. */
  readonly told: Readonly<Record<string, number>>;
  readonly courseOf: Readonly<Record<string, number>>;
  /** Stages that were told before they were reached. */
  readonly tooEarly: readonly string[];
}

function courseOf(seed: number): Course & { readonly random: () => number } {
  const random = randomFrom(seed);
  // Half of all delays are short: there the stages lie close together.
  const delay = (longest: number): number => Math.round((random() < 0.5 ? random() * 3 : random() * longest) * 1000) / 1000;
  const chance = random();
  return {
    seed, provisioning: delay(90), membership: delay(60), approval: random() < 0.4 ? delay(120) : undefined,
    skew: random() < 0.5 ? 0 : Math.round((random() * 50 - 25) * 1000) / 1000,
    fault: chance < 0.55 ? 'none' : chance < 0.7 ? 'answer-lost' : chance < 0.85 ? 'probe-fails' : 'lists-fail', random,
  };
}

const FAULTS = {
  'none': [],
  'answer-lost': [{ match: { method: 'POST', path: '**/assignmentScheduleRequests' }, times: 1, fault: { kind: 'reset', effect: 'after' } }],
  'probe-fails': [{ match: { method: 'GET', path: '**/memberOf/*' }, times: 2, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }],
  'lists-fail': [{ match: { method: 'GET', path: '**/assignmentScheduleInstances/**' }, times: null, lasting: 'PT45S', fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }],
} as const;

/**
 * Plays activations over HTTP against the whole product, each on a course of its own, and looks at the page's stages at
 * instants close to and far from where Entra moves on. What the page tells as reached is held against the emulator's state.
 */
export async function measureReadiness(courses: number, templateUrl?: string, firstSeed = 1): Promise<Readiness> {
  let skewMs = 0;
  await using portal = await startPortal({ templateUrl, skewMs: () => skewMs });
  await portal.syncNow();
  const [ana, omar] = [await portal.as(ANA), await portal.as(OMAR)];
  const open = await placeOf(portal, 'Build-');
  const approved = await placeOf(portal, 'Payroll-');

  const told: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  const tooEarly: string[] = [];
  let looks = 0;

  for (let seed = firstSeed; seed < firstSeed + courses; seed += 1) {
    const { random, ...course } = courseOf(seed);
    const { groupId, principalId } = course.approval === undefined ? open : approved;
    kinds[course.fault] = (kinds[course.fault] ?? 0) + 1;
    if (course.approval !== undefined) kinds['approval'] = (kinds['approval'] ?? 0) + 1;
    skewMs = course.skew * 1000;
    await portal.emulator.settings({ delays: { provisioning: Math.round(course.provisioning * 1000), membership: Math.round(course.membership * 1000) } });
    const policy = (await entryOf(ana, groupId)).policy;
    await portal.emulator.clearJournal();
    await portal.emulator.faults(FAULTS[course.fault]);
    const justification = `Course ${seed}`;
    const asked = await ana.post('/api/access/activations', { groupId, minutes: 5, justification });
    if (asked.status !== 201 && course.fault !== 'answer-lost') throw new Error(`course ${seed} was refused: ${JSON.stringify(asked.body)}`);
    const id = asked.status === 201 ? asked.body.id as string : (await entryOf(ana, groupId)).request?.id;
    if (id === undefined) throw new Error(`course ${seed}: My access does not show the request whose answer was lost`);

    const look = async (): Promise<void> => {
      // The list is read beside the panel, and what it sees is recorded, too.
      if (random() < 0.3) await ana.get('/api/access');
      const request = await ana.get(`/api/access/requests/${id}`);
      // Without an approval what stands beside the request tells of no stage.
      const readiness = course.approval === undefined ? undefined : await ana.get(`/api/access/requests/${id}/readiness`);
      const reached = await reachedOf(portal, groupId, principalId, justification);
      // Of an answer that did not come the page shows nothing new.
      if (request.status !== 200) return;
      looks += 1;
      const claims = claimsOf(request.body as AccessRequest, policy, readiness?.status === 200 ? readiness.body as RequestReadiness : undefined, portal.now());
      const { provisionedAt } = request.body as AccessRequest;
      if (provisionedAt !== null && reached.provisionedAt !== null && Date.parse(provisionedAt) < Date.parse(reached.provisionedAt)) tooEarly.push(`course ${JSON.stringify(course)}: provisioned is told at ${provisionedAt}; it was at ${reached.provisionedAt}`);
      for (const claim of claims) {
        told[claim] = (told[claim] ?? 0) + 1;
        if (!reached.stages.has(claim)) tooEarly.push(`course ${JSON.stringify(course)} at ${portal.now().toISOString()}: “${claim}” is told; reached are ${[...reached.stages].join(', ')}`);
      }
    };
    /** Looks on the way there, just before, and at the instant itself. */
    const pass = async (seconds: number): Promise<void> => {
      const [total, before] = [Math.round(seconds * 1000), Math.floor(random() * seconds * 1000)];
      for (const ms of [before, total - before - 1, 1]) {
        if (ms <= 0) continue;
        await portal.advance(`PT${(ms / 1000).toFixed(3)}S`);
        await look();
      }
    };

    await look();
    if (course.approval !== undefined) {
      await pass(course.approval);
      await approve(omar, justification);
      await look();
    }
    // With the portal's clock ahead, "now" lies ahead for Entra, too: it begins then.
    await pass(course.provisioning + Math.max(0, course.skew));
    await pass(course.membership);
    await portal.emulator.faults([]);
    await portal.advance('PT10S');
    await look();
    await portal.advance('PT10M');
    await look();
  }
  return { courses, looks, told, courseOf: kinds, tooEarly };
}

/** What the page tells as reached. */
function claimsOf(request: AccessRequest, policy: Parameters<typeof stagesOf>[1], readiness: RequestReadiness | undefined, now: Date): string[] {
  const done = stagesOf(request, policy, readiness, now).filter(({ tone }) => tone === 'good').map(({ name }) => name);
  return [...done, ...(isReady(request) ? ['Ready'] : [])];
}

/** How far Entra is, by the emulator's own state. */
async function reachedOf(portal: TestPortal, groupId: string, principalId: string, justification: string): Promise<{ readonly stages: ReadonlySet<string>; readonly provisionedAt: string | null }> {
  const { groups, pim } = await portal.emulator.state(['groups', 'pim']) as {
    groups: { id: string; memberIds: string[] }[];
    pim: { requests: { id: string; justification: string; status: string; completedDateTime: string | null }[]; approvals: { requestId: string; stage: { reviewResult: string } }[] };
  };
  const request = pim.requests.find((one) => one.justification === justification);
  const approval = pim.approvals.find(({ requestId }) => requestId === request?.id);
  const member = groups.find(({ id }) => id === groupId)?.memberIds.includes(principalId) ?? false;
  const stages = new Set([
    ...(request ? ['Asked'] : []),
    ...(approval?.stage.reviewResult === 'Approved' ? ['Approved'] : []),
    ...(request?.status === 'Provisioned' ? ['Provisioned'] : []),
    ...(member ? ['Member', 'Ready'] : []),
  ]);
  return { stages, provisionedAt: request?.status === 'Provisioned' ? request.completedDateTime : null };
}

async function placeOf(portal: TestPortal, start: string): Promise<{ readonly groupId: string; readonly principalId: string }> {
  const { groups, users } = await portal.emulator.state() as { groups: { id: string; displayName: string }[]; users: { id: string; userPrincipalName: string }[] };
  const [group, person] = [groups.find(({ displayName }) => displayName.startsWith(start)), users.find(({ userPrincipalName }) => userPrincipalName === ANA)];
  if (!group || !person) throw new Error(`the seed has no group ${start}…`);
  return { groupId: group.id, principalId: person.id };
}

async function entryOf(client: Client, groupId: string) {
  const { status, body } = await client.get('/api/access');
  const entry = (body.entries as { groupId: string; policy: Parameters<typeof stagesOf>[1]; request: AccessRequest | null }[] | undefined)?.find((one) => one.groupId === groupId);
  if (!entry) throw new Error(`My access answered ${status} without ${groupId}`);
  return entry;
}

async function approve(approver: Client, justification: string): Promise<void> {
  const { body } = await approver.get('/api/approvals');
  const item = (body.items as { id: string; justification: string }[]).find((one) => one.justification === justification);
  if (!item) throw new Error(`“${justification}” waits for nobody`);
  const { status } = await approver.post(`/api/approvals/${item.id}/decision`, { decision: 'approve', justification: 'Known work' });
  if (status !== 200) throw new Error(`“${justification}” could not be approved: ${status}`);
}
