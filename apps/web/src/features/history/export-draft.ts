import { CreateExport, type CallInput } from '@gatehouse/contracts';

export type ExportWish = CallInput<typeof CreateExport>['body'];

/** In this tab alone, and for nobody else: somebody else may be back in it. */
const keyOf = (personId: string | undefined): string => `gatehouse.export.${personId ?? ''}`;

/** Keeps what is to be exported while the browser goes to Microsoft Entra and back; it is made afterwards. */
export function keepExport(personId: string | undefined, wish: ExportWish): void {
  sessionStorage.setItem(keyOf(personId), JSON.stringify(wish));
}

/** What was kept, once. */
export function takeExport(personId: string | undefined): ExportWish | undefined {
  const text = sessionStorage.getItem(keyOf(personId));
  sessionStorage.removeItem(keyOf(personId));
  if (text === null) return undefined;
  try {
    return CreateExport.body.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
