import type { ApprovalItem } from '@gatehouse/contracts';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useNavigate } from 'react-router';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import { notify } from '../../lib/notify.ts';
import { serverNow } from '../../lib/session.ts';
import { approvals } from './approvals.queries.ts';
import { wantedOf } from './approvals.words.ts';

/** Whether this browser tells the person of new requests. `blocked`: they said no to the browser, and only it can undo that. */
export type BrowserNotifications = 'not-offered' | 'off' | 'on' | 'blocked';

const KEY = 'gatehouse.notify';
const listeners = new Set<() => void>();
const changed = (): void => { for (const listener of listeners) listener(); };

function current(): BrowserNotifications {
  if (!('Notification' in window)) return 'not-offered';
  if (Notification.permission === 'denied') return 'blocked';
  return Notification.permission === 'granted' && localStorage.getItem(KEY) === 'on' ? 'on' : 'off';
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // Another tab of the portal switched them.
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

export const useBrowserNotifications = (): BrowserNotifications => useSyncExternalStore(subscribe, current);

/** Asks the browser for its leave where it has not been given; only ever on a click. */
export async function switchBrowserNotifications(on: boolean): Promise<void> {
  if (on && Notification.permission === 'default') await Notification.requestPermission();
  if (on && Notification.permission === 'granted') localStorage.setItem(KEY, 'on');
  else localStorage.removeItem(KEY);
  changed();
}

/** How many requests wait, and, where the person wants it, a notification of each that comes in while the portal is open. */
export function useWaitingApprovals(): number {
  const on = useBrowserNotifications() === 'on';
  const navigate = useNavigate();
  // Only the count, and only softly: whether there are any is the page's to say, with its errors.
  const { data } = useQuery({ ...approvals(), retry: false, refetchIntervalInBackground: on });
  const items = data?.items;
  const known = useRef<ReadonlySet<string>>(undefined);
  useEffect(() => {
    if (!items) return;
    const before = known.current;
    known.current = new Set([...(before ?? []), ...items.map(({ id }) => id)]);
    // What waited when the portal was opened is on the page; it is no news.
    if (before && on) for (const item of items) if (!before.has(item.id)) tellOf(item, () => { void navigate(`/approvals?${new URLSearchParams({ request: item.id })}`); });
  }, [items, on, navigate]);
  return items?.length ?? 0;
}

function tellOf(item: ApprovalItem, open: () => void): void {
  const facts = [
    item.minutes === null ? '' : `For ${formatMinutes(item.minutes)}.`,
    `Lapses ${formatInstant(item.lapsesAt, serverNow())}.`,
    item.justification === null ? '' : `“${item.justification}”`,
  ];
  notify(`${item.requesterName} asks for ${wantedOf(item)}`, { body: facts.filter(Boolean).join(' '), tag: item.id }, open);
}
