import { MAYA, startPortal, type TestPortal } from '../apps/api/src/testing.ts';
import { queuedBy, type Queued } from './drift-watch.ts';

/** The first reading of a tenant with a full log, on a tenant that throttles by the published limits. Time is the tenant's: whoever waits moves it on, and work takes none. */

export interface PlayedBackfill {
  readonly events: number;
  /** Pages that Graph gave, those of what was new meanwhile among them. */
  readonly pages: number;
  readonly throttled: number;
  /** Of the tenant's time. */
  readonly seconds: number;
  readonly stored: number;
  /** Of real time: what the portal, its database and the tenant worked. */
  readonly workSeconds: number;
  /** How long a person's calls waited, with no reading under way and with one. */
  readonly alone: Queued;
  readonly meanwhile: Queued;
}

const PAGE = 1_000;
const DAY = 86_400_000;
const PERSON_LOOKS = 20;

export async function playBackfill({ pages, templateUrl }: { readonly pages: number; readonly templateUrl?: string }): Promise<PlayedBackfill> {
  await using portal = await startPortal({ timePasses: true, throttling: true, templateUrl });
  const events = await fill(portal, pages);
  const maya = await portal.as(MAYA);
  const look = async (): Promise<void> => {
    const { status } = await maya.get('/api/directory/principals?text=ana');
    if (status !== 200) throw new Error(`a person was answered ${status}`);
  };
  const waitedIn = async (work: () => Promise<void>): Promise<Queued> => {
    const before = await queuedBy(portal);
    await work();
    const after = await queuedBy(portal);
    return { calls: after.person.calls - before.person.calls, seconds: after.person.seconds - before.person.seconds };
  };
  const alone = await waitedIn(async () => { for (let index = 0; index < PERSON_LOOKS; index += 1) await look(); });

  await portal.emulator.clearJournal();
  const [from, began] = [portal.now().getTime(), performance.now()];
  let reads = true;
  const reading = portal.syncNow().finally(() => { reads = false; });
  const meanwhile = await waitedIn(async () => { for (let index = 0; index < PERSON_LOOKS && reads; index += 1) await look(); });
  await reading;
  const [seconds, workSeconds] = [(portal.now().getTime() - from) / 1000, (performance.now() - began) / 1000];

  const asked = (await portal.emulator.journal()).filter(({ url }) => url.includes('/auditLogs/directoryAudits'));
  const { rows: [stored] } = await portal.db.pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM audit_event WHERE tenant_id = $1 AND event_id LIKE 'filled-%'`, [portal.tenantId]);
  return { events, pages: asked.filter(({ status }) => status === 200).length, throttled: asked.filter(({ status }) => status === 429).length, seconds, workSeconds, stored: stored?.count ?? 0, alone, meanwhile };
}

/** So many pages of events, over all of the time that Entra keeps. */
async function fill(portal: TestPortal, pages: number): Promise<number> {
  const oldest = portal.now().getTime() - 29.9 * DAY;
  const step = (29.8 * DAY) / (pages * PAGE);
  for (let page = 0; page < pages; page += 1) {
    await portal.emulator.audits(Array.from({ length: PAGE }, (_, index) => {
      const at = new Date(Math.floor(oldest + (page * PAGE + index) * step)).toISOString();
      return { visibleAt: at, entry: { id: `filled-${page}-${index}`, activityDateTime: at, activityDisplayName: 'Update user', loggedByService: 'Core Directory', category: 'UserManagement', result: 'success', initiatedBy: null, targetResources: [], additionalDetails: [] } };
    }));
  }
  return pages * PAGE;
}
