import { RequestActivation } from '@gatehouse/contracts';
import { OMAR, startPortal, type Client, type TestPortal } from '../apps/api/src/testing.ts';
import { ActivationDraft, activationDraft } from '../apps/web/src/features/access/draft.ts';
import { draftsOf } from '../apps/web/src/lib/drafts.ts';
import { changeRules, otherAdmin } from './out-of-band.ts';
import { randomFrom } from './random.ts';

interface Wish { readonly groupId: string; readonly minutes: number; readonly justification: string }

/** What happens between typing and coming back. */
const COURSES = ['one tab', 'signed in anew before it', 'tabs one after the other', 'tabs at once', 'tabs crossed', 'cancelled at first'] as const;

export interface StepUps {
  readonly runs: number;
  readonly activations: number;
  readonly courseOf: Readonly<Record<string, number>>;
  /** Runs in which the portal knew beforehand what is asked for; in the others Entra refused first. */
  readonly known: number;
  /** Runs in which something was lost or did not go through, in words. */
  readonly failed: readonly string[];
}

/**
 * Plays activations that need a stronger sign-in over HTTP against the whole product, with the module by which the web
 * keeps what was typed in its tab. In each tab: type, ask, be told to verify, keep, go to Entra and back, take, ask again.
 */
export async function measureStepUps(runs: number, templateUrl?: string, firstSeed = 1): Promise<StepUps> {
  await using portal = await startPortal({ templateUrl });
  const groupIds = await groupsThatAsk(portal);
  const courseOf: Record<string, number> = {};
  const failed: string[] = [];
  let [activations, known] = [0, 0];

  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const random = randomFrom(seed);
    const course = COURSES[Math.floor(random() * COURSES.length)] ?? 'one tab';
    courseOf[course] = (courseOf[course] ?? 0) + 1;
    // Until the mirror has read the settings, only Entra knows what they ask for.
    if (seed === firstSeed + Math.floor(runs / 4)) await portal.syncNow();
    if (seed >= firstSeed + Math.floor(runs / 4)) known += 1;

    const browser = portal.anonymous();
    await browser.signIn(OMAR);
    const tabs = (course.startsWith('tabs') ? groupIds : groupIds.slice(Math.floor(random() * groupIds.length)).slice(0, 1)).map((groupId) => new Tab(browser, typedIn(groupId, random)));
    try {
      await play(course, tabs, browser, random);
      activations += tabs.length;
    } catch (error) {
      failed.push(`run ${seed}, ${course}: ${error instanceof Error ? error.message : String(error)}`);
    }
    await portal.advance('PT6M');
    for (const { wish: { groupId } } of tabs) await browser.post('/api/access/deactivations', { groupId });
    await portal.advance('PT1M');
  }
  return { runs, activations, courseOf, known, failed };
}

async function play(course: typeof COURSES[number], tabs: readonly Tab[], browser: Client, random: () => number): Promise<void> {
  const before = await sessionOf(browser);
  for (const tab of tabs) await tab.ask();
  if (course === 'signed in anew before it') await browser.signIn(OMAR);
  if (course === 'cancelled at first') for (const tab of tabs) await tab.turnBack();

  const turned = random() < 0.5 ? tabs.toReversed() : tabs;
  if (course === 'tabs at once') await Promise.all(turned.map((tab) => tab.verify()));
  else if (course === 'tabs crossed') {
    for (const tab of turned) await tab.verify();
  } else {
    for (const tab of turned) {
      await tab.verify();
      await tab.goOn();
    }
  }
  if (course === 'tabs at once' || course === 'tabs crossed') for (const tab of tabs) await tab.goOn();
  if (await sessionOf(browser) === before) throw new Error('the session kept its id');
}

const sessionOf = async (browser: Client): Promise<string> => (await browser.jar.serialize()).cookies.filter(({ key }) => key === 'gatehouse').map(({ value }) => String(value)).join();

/** A tab of a browser: it shares the cookies with the others, and has a storage of its own. */
class Tab {
  readonly wish: Wish;
  readonly #browser: Client;
  readonly #storage = new Map<string, string>();
  readonly #drafts = draftsOf(OMAR);
  readonly #returnTo: string;
  #signInUrl = '';

  constructor(browser: Client, wish: Wish) {
    this.#browser = browser;
    this.wish = wish;
    this.#returnTo = `/access?activate=${wish.groupId}&resume=1`;
  }

  /** The web's module finds the storage of the tab that it runs in where a page has it. */
  #inTab<T>(act: () => T): T {
    const storage = this.#storage;
    Object.defineProperty(globalThis, 'sessionStorage', {
      configurable: true,
      value: { getItem: (key: string) => storage.get(key) ?? null, setItem: (key: string, value: string) => { storage.set(key, value); }, removeItem: (key: string) => { storage.delete(key); } },
    });
    try {
      return act();
    } finally {
      Reflect.deleteProperty(globalThis, 'sessionStorage');
    }
  }

  async ask(): Promise<void> {
    const { status, body } = await this.#browser.post('/api/access/activations', this.wish);
    if (status !== 401 || body.code !== 'step-up-required') throw new Error(`the first request was answered ${status} ${String(body.code)}`);
    this.#signInUrl = body.signInUrl;
    this.#keep();
  }

  /** Leaves Entra's page by its way back, without verifying: the panel is as it was left, asks again, and is told again. */
  async turnBack(): Promise<void> {
    const away = new URL((await this.#browser.get(`${this.#signInUrl}&returnTo=${encodeURIComponent(this.#returnTo)}`)).headers.get('location') ?? '');
    const back = await this.#browser.get(`/auth/redirect?${new URLSearchParams({ state: away.searchParams.get('state') ?? '', error: 'access_denied' })}`);
    if (back.headers.get('location') !== this.#returnTo) throw new Error(`turning back ended at ${back.status} ${back.headers.get('location')}`);
    const typed = this.#taken();
    const { status, body } = await this.#browser.post('/api/access/activations', typed);
    if (status !== 401 || body.code !== 'step-up-required') throw new Error(`the request after turning back was answered ${status} ${String(body.code)}`);
    this.#signInUrl = body.signInUrl;
    this.#keep();
  }

  async verify(): Promise<void> {
    const landed = new URL(await this.#browser.stepUp(this.#signInUrl, OMAR, this.#returnTo));
    if (`${landed.pathname}${landed.search}` !== this.#returnTo) throw new Error(`verifying ended at ${landed.pathname}${landed.search}`);
  }

  async goOn(): Promise<void> {
    const { status, body } = await this.#browser.post('/api/access/activations', this.#taken());
    if (status !== 201) throw new Error(`the request after verifying was answered ${status} ${String(body.code)} ${String(body.detail)}`);
    if (body.groupId !== this.wish.groupId || body.justification !== this.wish.justification.trim() || body.minutes !== this.wish.minutes) throw new Error(`another request went out: ${JSON.stringify(body)}`);
  }

  #keep(): void {
    this.#inTab(() => { this.#drafts.keep(activationDraft(this.wish.groupId), { body: this.wish, send: true }); });
  }

  /** What was kept, which has to be what was typed, to the letter, and there but once. */
  #taken(): Wish {
    const name = activationDraft(this.wish.groupId);
    const draft = this.#inTab(() => this.#drafts.read(name, ActivationDraft));
    this.#inTab(() => { this.#drafts.forget(name); });
    if (!draft?.send || JSON.stringify(draft.body) !== JSON.stringify(RequestActivation.body.parse(this.wish))) throw new Error(`of what was typed there is ${JSON.stringify(draft)}, and not ${JSON.stringify(this.wish)}`);
    if (this.#inTab(() => this.#drafts.read(name, ActivationDraft)) !== undefined) throw new Error('what was typed is there twice');
    return this.wish;
  }
}

const WORDS = ['Month-end close', 'INC-4711', '“quoted”', '<b>bold</b>', 'naïve façade', '日本語', '🔐', 'a & b = c', '100 %', 'C:\\temp', "O'Neill", '{"json": true}', 'línea', 'x'.repeat(80)];

function typedIn(groupId: string, random: () => number): Wish {
  const words = Array.from({ length: 1 + Math.floor(random() * 5) }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
  return { groupId, minutes: 5 + Math.floor(random() * 26), justification: `Run ${words}` };
}

/** Two groups that the person is eligible for and that ask for an authentication context: one of the seed, one that is made so. */
async function groupsThatAsk(portal: TestPortal): Promise<readonly string[]> {
  const { groups, users } = await portal.emulator.state() as { groups: { id: string; displayName: string }[]; users: { id: string; userPrincipalName: string }[] };
  const idOf = (start: string): string => groups.find(({ displayName }) => displayName.startsWith(start))?.id ?? '';
  const [first, second] = [idOf('FinReport-Controller-'), idOf('JumpHost-DomainAdmin-')];
  const admin = await otherAdmin(portal.emulator.url);
  await changeRules(admin, second, { AuthenticationContext_EndUser_Assignment: { isEnabled: true, claimValue: 'c1' }, Enablement_EndUser_Assignment: { enabledRules: ['Justification'] } });
  await admin.graph('POST', '/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleRequests', {
    accessId: 'member', action: 'adminAssign', groupId: second, principalId: users.find(({ userPrincipalName }) => userPrincipalName === OMAR)?.id, justification: 'Two tabs',
    scheduleInfo: { startDateTime: portal.now().toISOString(), expiration: { type: 'noExpiration' } },
  });
  await portal.advance('PT1M');
  return [first, second];
}
