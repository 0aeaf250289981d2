import { NETWORK_MAY_STAY_OPEN_MINUTES, type AccessEntry } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useState } from 'react';
import { ApiError, pageOfNow } from '../../lib/api.ts';
import { formatClock, formatCountdown, formatMinutes, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { StatusBadge, type Tone } from '../../ui/states.tsx';
import { useDeactivate } from './access.queries.ts';
import { titleOf } from './access.words.ts';

const useStyles = makeStyles({
  body: { display: 'grid', gap: '12px' },
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '4px' },
  item: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', columnGap: '16px' },
  name: { overflowWrap: 'anywhere', minWidth: 0 },
  quiet: { margin: 0, color: tokens.colorNeutralForeground2 },
  wait: { fontVariantNumeric: 'tabular-nums', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

type Result = { readonly tone: Tone; readonly word: string };

/** Ends several open accesses after one confirmation, one after the other, each with what came of it. */
export function EndSeveral({ entries }: { entries: readonly AccessEntry[] }) {
  const own = entries.filter(({ active }) => active !== null && !active.permanent);
  // Taken when the dialog opens: what has been ended leaves the list, and its result is still to be read.
  const [chosen, setChosen] = useState<readonly AccessEntry[]>();
  return (
    <>
      {own.length > 1 && <Button onClick={() => { setChosen(own); }}>End several…</Button>}
      {chosen && <EndDialog entries={chosen} onClose={() => { setChosen(undefined); }} />}
    </>
  );
}

function EndDialog({ entries, onClose }: { entries: readonly AccessEntry[]; onClose(): void }) {
  const styles = useStyles();
  const now = useNow();
  const deactivate = useDeactivate();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const [busy, setBusy] = useState(false);
  const waitOf = ({ active }: AccessEntry): number => (active?.canEndAt ? Date.parse(active.canEndAt) - now.getTime() : 0);
  const ready = entries.filter((entry) => waitOf(entry) <= 0 && !left.has(entry.groupId) && results.get(entry.groupId)?.tone !== 'good');
  const over = results.size > 0 && !busy;

  const end = async (): Promise<void> => {
    setBusy(true);
    const tell = (groupId: string, result: Result): void => { setResults((known) => new Map(known).set(groupId, result)); };
    const whose = pageOfNow();
    for (const entry of ready) {
      // The rest would be ended in the name of whoever the page became.
      if (pageOfNow() !== whose) break;
      tell(entry.groupId, { tone: 'busy', word: 'Ending' });
      try {
        const { endedAt, provedGone } = await deactivate.mutateAsync(entry.groupId);
        tell(entry.groupId, { tone: 'good', word: `Ended at ${formatClock(endedAt)}${provedGone ? '' : ', not shown by the directory yet'}` });
      } catch (error) {
        tell(entry.groupId, { tone: 'bad', word: error instanceof ApiError ? error.problem.detail ?? error.problem.title : 'Not known: reload to see how it stands' });
      }
    }
    setBusy(false);
  };

  return (
    <ConfirmDialog title="End several" open busy={busy} ready={over || ready.length > 0} confirm={busy ? 'Ending' : over ? 'Close' : `Deactivate ${ready.length}`} onClose={onClose} onConfirm={() => { if (over) onClose(); else void end(); }}>
      <div className={styles.body}>
        <ul className={styles.list} aria-label="Open now">
          {entries.map((entry) => {
            const { groupId, active } = entry;
            const [wait, result] = [waitOf(entry), results.get(groupId)];
            return (
              <li key={groupId} className={styles.item}>
                {result ? <span className={styles.name}>{titleOf(entry)}</span> : <Checkbox label={titleOf(entry)} disabled={busy || over || wait > 0} checked={wait <= 0 && !left.has(groupId)} onChange={(_event, { checked }) => {
                  setLeft((known) => new Set(checked === true ? [...known].filter((one) => one !== groupId) : [...known, groupId]));
                }} />}
                {result ? <StatusBadge tone={result.tone}>{result.word}</StatusBadge> : wait > 0 && active?.canEndAt ? <span className={styles.wait}>from {formatSeconds(active.canEndAt)}, in {formatCountdown(wait, true)}</span> : null}
              </li>
            );
          })}
        </ul>
        {entries.some((entry) => waitOf(entry) > 0) && <p className={styles.quiet}>PIM ends no membership in its first 5 min.</p>}
        {!over && <p className={styles.quiet}>The memberships end now, one after the other. The network may stay open for up to {formatMinutes(NETWORK_MAY_STAY_OPEN_MINUTES)}: close your connections.</p>}
      </div>
    </ConfirmDialog>
  );
}
