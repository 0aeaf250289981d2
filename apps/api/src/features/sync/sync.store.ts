import type { GetSync, Answer } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';

type Sync = Omit<Answer<typeof GetSync>, 'now'>;

/** Sources by the name that the mirror gives them. */
const TITLES = { directory: 'Microsoft Entra audit log', traffic: 'Global Secure Access traffic log' };

/** Where the mirror stands; a source that was never read is there too, with nothing known. */
export async function readSync(db: Tx, tenantId: string): Promise<Sync> {
  const [states, groups, applications, newest] = await Promise.all([
    db.syncSource.findMany({ where: { tenantId } }),
    db.catalogGroup.count({ where: { tenantId } }),
    db.catalogApplication.count({ where: { tenantId } }),
    db.catalogGroup.aggregate({ where: { tenantId }, _max: { readAt: true } }),
  ]);
  return {
    sources: Object.entries(TITLES).map(([source, title]) => {
      const state = states.find((one) => one.source === source);
      return {
        source, title, completeFrom: state?.completeFrom ?? null, completeTo: state?.watermark ?? null,
        lastSuccessAt: state?.lastSuccessAt?.toISOString() ?? null, lastError: state?.lastError ?? null, off: (state?.closed ?? null) !== null, events: Number(state?.events ?? 0),
      };
    }),
    catalog: { groups, applications, readAt: newest._max.readAt?.toISOString() ?? null },
  };
}
