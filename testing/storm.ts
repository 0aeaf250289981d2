import { pino } from 'pino';
import { startPortal, type JournalEntry, type Reply, type TestPortal } from '../apps/api/src/testing.ts';
import { ANA, playJourney } from './journey.ts';

/** One journey through a Graph of which a share of the calls fails. */
export interface StormOutcome {
  readonly completed: boolean;
  /** Where it ended, if it did. */
  readonly failure: string | undefined;
  /** Calls of Graph that the portal made, and how often it sent them in all; a batch counts as the calls within it. */
  readonly calls: number;
  readonly attempts: number;
  /** How often a person was told to try again. */
  readonly triedAgain: number;
  /** Repetitions before the time that Graph named. */
  readonly tooEarly: readonly string[];
  /** Effects that the tenant had twice. */
  readonly doubled: readonly string[];
  /** What the portal said and the tenant did not hold. */
  readonly untrue: readonly string[];
}

export interface StormWish {
  /** Share of the calls that fail. */
  readonly rate: number;
  readonly seed: string;
  /** After so many tries by hand in a row the storm rests until what is tried gets through; it never does unless said. */
  readonly reliefAfter?: number;
  /** Outside of a test run: database to copy. */
  readonly templateUrl?: string;
}

interface Attempt { readonly attempt: number; readonly clientRequestId: string; readonly firstRequestId: string; readonly path: string }

/** Dev Proxy's mix names five seconds with every error. */
const RETRY_AFTER_MS = 5_000;

/** A run of a dozen steps, each with calls that wait several times. */
const PATIENCE_MS = 60 * 60_000;

/** Plays the journey on a product and tenant of its own. The tenant's clock stands, but for what waits for it. */
export async function playInStorm({ rate, seed, reliefAfter = Number.POSITIVE_INFINITY, templateUrl }: StormWish): Promise<StormOutcome> {
  const attempts: Attempt[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => { readAttempt(line, attempts); } });
  await using portal = await startPortal({ timePasses: true, log, templateUrl });
  await portal.syncNow();
  await portal.emulator.clearJournal();
  attempts.length = 0;
  const storm = (): Promise<void> => portal.emulator.faults({ preset: 'dev-proxy', rate, seed: `${seed}-${attempts.length}` });
  await storm();

  const untrue: string[] = [];
  const background = async (): Promise<void> => {
    await Promise.allSettled([portal.syncNow(), portal.product.tasks.settleRequests()]);
  };
  let failure: string | undefined;
  let triedAgain = 0;
  let inARow = 0;
  try {
    await playJourney({
      portalUrl: portal.url, suffix: '', report: () => {},
      now: () => portal.now().getTime(), patienceMs: PATIENCE_MS,
      async pause(ms) {
        await portal.pass(ms);
        await background();
      },
      async advance(_client, minutes) {
        await portal.advance(`PT${minutes}M`);
        await background();
      },
      async onTriedAgain() {
        triedAgain += 1;
        inARow += 1;
        if (inARow === reliefAfter) await portal.emulator.faults([]);
      },
      async onGotThrough() {
        if (inARow >= reliefAfter) await storm();
        inARow = 0;
      },
      async onReply(upn, _method, path, reply) {
        untrue.push(...await lies(portal, upn, path, reply));
      },
    });
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  await portal.emulator.faults([]);
  const journal = await portal.emulator.journal();
  return { completed: failure === undefined, failure, triedAgain, untrue, ...sent(journal, attempts), tooEarly: tooEarlyIn(journal, attempts), doubled: doubledIn(journal) };
}

function readAttempt(line: string, attempts: Attempt[]): void {
  const entry = JSON.parse(line) as { msg?: string; graph?: Attempt };
  if (entry.msg === 'graph' && entry.graph) attempts.push(entry.graph);
}

const isBatch = ({ url }: JournalEntry): boolean => url.endsWith('/$batch');
const hasFailed = ({ status }: JournalEntry): boolean => status === 429 || status >= 500;

function sent(journal: readonly JournalEntry[], attempts: readonly Attempt[]): { calls: number; attempts: number } {
  const all = journal.filter((entry) => !isBatch(entry));
  // What fails within a batch is sent again by itself.
  const repeated = attempts.filter(({ attempt, clientRequestId, firstRequestId, path }) => !path.endsWith('/$batch') && (attempt > 1 || clientRequestId !== firstRequestId)).length;
  return { attempts: all.length, calls: all.length - repeated };
}

function tooEarlyIn(journal: readonly JournalEntry[], attempts: readonly Attempt[]): string[] {
  const idOf = (entry: JournalEntry): string => entry.headers['client-request-id'] ?? '';
  const single = new Map(journal.filter(({ batch }) => batch === undefined).map((entry) => [idOf(entry), entry]));
  const lastOf = new Map<string, JournalEntry>();
  const early = [];
  for (const { firstRequestId, clientRequestId } of attempts) {
    const entry = single.get(clientRequestId);
    if (!entry) continue;
    const key = `${firstRequestId} ${entry.method} ${entry.url}`;
    const before = lastOf.get(key) ?? journal.find((one) => one.batch !== undefined && idOf(one) === firstRequestId && one.method === entry.method && one.url === entry.url);
    if (before && before !== entry && hasFailed(before) && Date.parse(entry.at) - Date.parse(before.at) < RETRY_AFTER_MS) early.push(`${entry.method} ${entry.url} at ${entry.at}, refused at ${before.at}`);
    lastOf.set(key, entry);
  }
  return early;
}

/**
 * What is made, asked for or decided is so once: the same words with the same success twice are one too many. A PATCH or PUT
 * that says what shall be leaves the same behind however often it is said, and is not counted.
 */
function doubledIn(journal: readonly JournalEntry[]): string[] {
  const effects = journal.filter(({ method, url, status }) => (method === 'POST' || url.includes('/stages/')) && method !== 'GET' && status < 300 && !/\$batch|getByIds/.test(url)).map(({ method, url, body }) => `${method} ${url} ${withoutTimes(body)}`);
  return effects.filter((effect, index) => effects.indexOf(effect) !== index);
}

const withoutTimes = (body: unknown): string => JSON.stringify(body, (name, value: unknown) => (/DateTime$/.test(name) ? undefined : value));

/** What the answer says that the tenant does not hold. Asked of the tenant itself, past all faults. */
async function lies(portal: TestPortal, upn: string, path: string, { status, body }: Reply): Promise<string[]> {
  if (status >= 300 || (path !== '/api/access' && !path.startsWith('/api/runs/') && path !== '/api/approvals')) return [];
  const state = await portal.emulator.state();
  const found: string[] = [];
  if (path === '/api/access' && upn === ANA) {
    const ana = state.users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === ANA).id;
    for (const { groupId, groupName, active } of body.entries) {
      const holds = state.pim.schedules.some((one: { kind: string; assignmentType: string; principalId: string; groupId: string }) => one.kind === 'assignment' && one.principalId === ana && one.groupId === groupId);
      if (active !== null && !holds) found.push(`${groupName} is shown as active`);
    }
  }
  if (path === '/api/approvals') {
    for (const { id, decision } of body.decided) {
      const result = state.pim.approvals.find((one: { id: string }) => one.id === id)?.stage.reviewResult;
      if (result !== undefined && result !== (decision === 'approve' ? 'Approved' : 'Denied')) found.push(`request ${id} is shown as decided, and is ${String(result)}`);
    }
  }
  if (path.startsWith('/api/runs/')) {
    const group = state.groups.find(({ displayName }: { displayName: string }) => displayName === 'FinReport-SeniorAnalyst-SecureAccess');
    const eligible = state.pim.schedules.filter((one: { kind: string; groupId: string }) => one.kind === 'eligibility' && one.groupId === group?.id).length;
    const assigned = state.appRoleAssignments.filter(({ principalId }: { principalId: string }) => principalId === group?.id).length;
    const done = (kind: string): number => body.steps.filter((step: { plan: { kind: string }; status: string }) => step.plan.kind === kind && step.status === 'done').length;
    if (done('create-group') > 0 && !group) found.push('the group is said to exist');
    if (done('onboard') > 0 && group?.onboardedToPimAt === null) found.push('the group is said to be under PIM');
    if (done('assign-eligible') > eligible) found.push(`${done('assign-eligible')} are said to be eligible, and ${eligible} are`);
    if (done('assign-application') > assigned) found.push(`${done('assign-application')} applications are said to be open, and ${assigned} are`);
    if (done('create-application') > 0 && !state.applications.some(({ displayName }: { displayName: string }) => displayName === 'Finance archive')) found.push('the application is said to exist');
  }
  return found;
}
