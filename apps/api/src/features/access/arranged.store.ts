import type { AccessSet } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';
import { PortalError } from '../../core/errors.ts';

/** What people arrange for themselves on My access: nobody else's is read or changed. */

type Owner = { readonly tenantId: string; readonly principalId: string };
const of = ({ tenantId, principalId }: Owner): Owner => ({ tenantId, principalId });

/** More than anybody looks through; a script that goes wrong fills no table. */
const MOST_FAVOURITES = 200;
const MOST_SETS = 50;

export async function findFavourites(db: Tx, owner: Owner): Promise<ReadonlySet<string>> {
  return new Set((await db.accessFavourite.findMany({ where: of(owner), select: { groupId: true } })).map(({ groupId }) => groupId));
}

/** Repeating it changes nothing. */
export async function keepFavourite(db: Tx, owner: Owner, groupId: string, favourite: boolean, now: Date): Promise<void> {
  if (!favourite) {
    await db.accessFavourite.deleteMany({ where: { ...of(owner), groupId } });
    return;
  }
  if ((await db.accessFavourite.count({ where: of(owner) })) >= MOST_FAVOURITES) throw new PortalError('conflict', { detail: `You have ${MOST_FAVOURITES} favourites, and more would help nobody: take some away first.` });
  await db.accessFavourite.createMany({ data: [{ ...of(owner), groupId, createdAt: now }], skipDuplicates: true });
}

export async function findSets(db: Tx, owner: Owner): Promise<readonly AccessSet[]> {
  return (await db.accessSet.findMany({ where: of(owner), orderBy: { name: 'asc' } })).map(tell);
}

/** Saves a set in the place of the person's set of that name. */
export async function keepSet(db: Tx, owner: Owner, { id, name, groupIds }: AccessSet, now: Date): Promise<AccessSet> {
  if ((await db.accessSet.count({ where: { ...of(owner), name: { not: name } } })) >= MOST_SETS) throw new PortalError('conflict', { detail: `You have ${MOST_SETS} sets: remove one first.` });
  return tell(await db.accessSet.upsert({
    where: { tenantId_principalId_name: { ...of(owner), name } },
    create: { ...of(owner), id, name, groupIds, createdAt: now },
    update: { groupIds },
  }));
}

export async function removeSet(db: Tx, owner: Owner, id: string): Promise<AccessSet | undefined> {
  const set = await db.accessSet.findFirst({ where: { ...of(owner), id } });
  if (!set) return undefined;
  await db.accessSet.deleteMany({ where: { ...of(owner), id } });
  return tell(set);
}

const tell = ({ id, name, groupIds }: AccessSet): AccessSet => ({ id, name, groupIds: [...groupIds] });
