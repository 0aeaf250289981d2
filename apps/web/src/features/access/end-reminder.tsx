import type { AccessEntry } from '@gatehouse/contracts';
import { Checkbox } from '@fluentui/react-checkbox';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { formatClock, formatMinutes } from '../../lib/dates.ts';
import { notify } from '../../lib/notify.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { myAccess } from './access.queries.ts';
import { titleOf } from './access.words.ts';

const REMIND_MS = 5 * 60_000;
const KEPT_AS = 'gatehouse.remind-before-end';

/** Where the browser knows notifications at all; a private window may refuse to keep anything. */
const canNotify = (): boolean => 'Notification' in window;
const wanted = (): boolean => {
  try {
    return canNotify() && Notification.permission === 'granted' && localStorage.getItem(KEPT_AS) === 'yes';
  } catch {
    return false;
  }
};
const keep = (on: boolean): void => {
  try {
    if (on) localStorage.setItem(KEPT_AS, 'yes');
    else localStorage.removeItem(KEPT_AS);
  } catch {
    // It then holds until the page is left.
  }
};

/** Says in the browser that access is about to end, while the page is open. The browser is asked only when somebody wants it. */
export function EndReminder({ open }: { open: readonly AccessEntry[] }) {
  const [on, setOn] = useState(wanted);
  const [refused, setRefused] = useState(false);
  if (!canNotify()) return null;
  const choose = async (checked: boolean): Promise<void> => {
    const granted = checked && (await Notification.requestPermission()) === 'granted';
    setOn(granted);
    setRefused(checked && !granted);
    keep(granted);
  };
  return (
    <>
      <Checkbox label={refused ? 'Remind me before it ends (your browser does not allow it here)' : 'Remind me before it ends'} checked={on} onChange={(_event, { checked }) => { void choose(checked === true); }} />
      {on && <Watch open={open} />}
    </>
  );
}

function Watch({ open }: { open: readonly AccessEntry[] }) {
  const client = useQueryClient();
  const now = useNow().getTime();
  /** Ends whose reminder is not due yet. One that was due before it was seen had its time: nobody is reminded of what they just opened. */
  const ahead = useRef(new Set<string>());

  const remind = useEffectEvent(async (groupId: string, endsAt: string) => {
    // It may have been ended meanwhile, in another window or by somebody else. Not knowing is no reason to keep quiet.
    const entries = await client.fetchQuery({ ...myAccess(), staleTime: 0 }).then((answer) => answer.entries, () => open);
    const entry = entries.find((one) => one.groupId === groupId && one.active?.endsAt === endsAt);
    const left = Date.parse(endsAt) - serverNow().getTime();
    if (!entry || left <= 0) return;
    notify(`${titleOf(entry)} ends in ${formatMinutes(Math.ceil(left / 60_000))}`, { body: `Your membership of ${entry.groupName} ends at ${formatClock(endsAt)}.`, tag: `${groupId} ${endsAt}` });
  });

  useEffect(() => {
    for (const { groupId, active } of open) {
      if (!active?.endsAt) continue;
      const key = `${groupId} ${active.endsAt}`;
      if (Date.parse(active.endsAt) - now > REMIND_MS) ahead.current.add(key);
      else if (ahead.current.delete(key)) void remind(groupId, active.endsAt);
    }
  }, [now, open]);
  return null;
}
