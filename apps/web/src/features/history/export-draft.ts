import { CreateExport, type CallInput } from '@gatehouse/contracts';

export type ExportWish = CallInput<typeof CreateExport>['body'];

const KEY = 'gatehouse.export';

/** Keeps what is to be exported while the browser goes to Microsoft Entra and back; it is made afterwards. */
export function keepExport(wish: ExportWish): void {
  sessionStorage.setItem(KEY, JSON.stringify(wish));
}

/** What was kept, once. */
export function takeExport(): ExportWish | undefined {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (text === null) return undefined;
  try {
    return CreateExport.body.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
