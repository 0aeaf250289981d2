import { GetRetention, LiftHold, SetHold, SetRetention, type DropRefusal, type LegalHold, type MonthlyLog, type PlannedDrop, type RetentionPolicy } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../lib/api.ts';
import { formatDay, formatInstant } from '../../lib/dates.ts';
import { useMutation } from '../../lib/mutation.ts';
import { useNow, usePermits } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';

const useStyles = makeStyles({
  text: { margin: '0 0 8px' },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  policies: { display: 'flex', flexWrap: 'wrap', gap: '12px 24px', margin: '0 0 12px' },
  kept: { margin: '2px 0 0', fontWeight: tokens.fontWeightSemibold, '& > span': { fontWeight: tokens.fontWeightRegular } },
  form: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(160px, 1fr))', gap: '8px 12px', alignItems: 'end', margin: '8px 0 12px' },
  field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' } },
  holds: { margin: '0 0 12px', padding: 0, listStyle: 'none', display: 'grid', gap: '8px' },
  hold: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', gap: '8px 16px' },
});

const SOURCES = { directory: 'Microsoft Entra audit log', portal: 'Gatehouse’s own record', traffic: 'Global Secure Access traffic log' } as const;
const LOGS: Readonly<Record<MonthlyLog, string>> = { audit_event: 'Audit log', network_connection: 'Traffic log' };
const YEARS = [1, 2, 3, 5, 7, 10, 15, 25] as const;
const KEY = ['retention'];

/** How long the log is kept, what holds it longer, and which months go when. */
export function RetentionSection() {
  const styles = useStyles();
  const now = useNow();
  const client = useQueryClient();
  const manages = usePermits('retention:manage');
  const query = useQuery({ queryKey: KEY, queryFn: ({ signal }) => call(GetRetention, {}, signal) });
  const onSettled = () => client.invalidateQueries({ queryKey: KEY });
  const policy = useMutation({ mutationFn: (body: Pick<RetentionPolicy, 'source' | 'months'>) => call(SetRetention, { body }), onSettled });
  const [shorter, setShorter] = useState<Pick<RetentionPolicy, 'source' | 'months'>>();
  const [lifting, setLifting] = useState<LegalHold>();
  const lift = useMutation({ mutationFn: (holdId: string) => call(LiftHold, { params: { holdId }, body: {} }), onSettled });

  const columns: readonly Column<PlannedDrop>[] = [
    { id: 'month', header: 'Month', width: '112px', cell: ({ log, month }) => <>{month}<span className={styles.small}>{LOGS[log]}</span></> },
    { id: 'state', header: 'State', cell: (drop) => <State drop={drop} /> },
    { id: 'when', header: 'Dropped', cell: ({ status, dueAt, droppedAt, held }) => (status === 'dropped' && droppedAt !== null ? formatDay(droppedAt) : held ? 'Held back' : `Not before ${formatDay(dueAt)}`) },
    { id: 'archive', header: 'Archive', cell: ({ file, sha256, verifiedAt, rows }) => (verifiedAt === null ? 'Not yet' : <>{(rows ?? 0).toLocaleString('en-GB')} rows, read back {formatInstant(verifiedAt, now)}<span className={styles.small}>{file}</span><span className={styles.small}>SHA-256 {sha256}</span></>) },
  ];
  return (
    <Section title="Retention">
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={2} />}
      {query.data && (
        <>
          <p className={styles.text}>A month whose time is over is announced and archived, and dropped {query.data.noticeDays} days later, unless a hold keeps it. The ledger records what was dropped, and keeps the proof of the rest; the archive keeps the rows.</p>
          {manages ? (
            <div className={styles.policies}>
              {query.data.policies.map((one) => (
                <Field key={one.source} label={SOURCES[one.source]} hint={setOf(one)}>
                  <Select disabled={policy.isPending} value={String(one.months)} onChange={(_event, { value }) => { const wish = { source: one.source, months: Number(value) }; if (wish.months < one.months) setShorter(wish); else policy.mutate(wish); }}>
                    {[...new Set([...YEARS.map((years) => years * 12), one.months])].sort((a, b) => a - b).map((months) => <option key={months} value={months}>{inWords(months)}</option>)}
                  </Select>
                </Field>
              ))}
            </div>
          ) : (
            <dl className={styles.policies}>
              {query.data.policies.map((one) => (
                <div key={one.source}>
                  <dt>{SOURCES[one.source]}</dt>
                  <dd className={styles.kept}>{inWords(one.months)}<span className={styles.small}>{setOf(one)}</span></dd>
                </div>
              ))}
            </dl>
          )}
          <ProblemBar error={policy.error ?? lift.error} />
          {query.data.holds.length > 0 && (
            <ul className={styles.holds} aria-label="Legal holds">
              {query.data.holds.map((hold) => (
                <li key={hold.id} className={styles.hold}>
                  <span><StatusBadge tone="warn">Held</StatusBadge> {spanOf(hold)}: {hold.reason}<span className={styles.small}>Set {formatDay(hold.setAt)} by {hold.setBy}</span></span>
                  {manages && <Button size="small" onClick={() => { setLifting(hold); }}>Lift this hold</Button>}
                </li>
              ))}
            </ul>
          )}
          {manages && <HoldForm onSettled={onSettled} />}
          {query.data.drops.length === 0 ? <p className={styles.small}>No month is past its time.</p> : <DataTable label="Months past their time" columns={columns} rows={query.data.drops} rowKey={({ log, month }) => `${log} ${month}`} />}
        </>
      )}
      <ConfirmDialog title="Keep the log for less time" confirm={shorter ? `Keep ${inWords(shorter.months)}` : ''} open={shorter !== undefined} onClose={() => { setShorter(undefined); }} onConfirm={() => { if (shorter) policy.mutate(shorter); setShorter(undefined); }}>
        Months that are older are announced and archived, and dropped {query.data?.noticeDays} days later. Until then a longer time, or a hold, takes it back.
      </ConfirmDialog>
      <ConfirmDialog title="Lift this hold" confirm="Lift the hold" open={lifting !== undefined} onClose={() => { setLifting(undefined); }} onConfirm={() => { if (lifting) lift.mutate(lifting.id); setLifting(undefined); }}>
        {lifting && `${spanOf(lifting)}: ${lifting.reason}. What it held is announced anew, and may not be dropped for ${query.data?.noticeDays} days.`}
      </ConfirmDialog>
    </Section>
  );
}

function HoldForm({ onSettled }: { onSettled: () => Promise<unknown> }) {
  const styles = useStyles();
  const [[reason, fromMonth, toMonth], setWish] = useState(['', '', '']);
  const hold = useMutation({
    mutationFn: () => call(SetHold, { body: { reason, fromMonth: fromMonth || null, toMonth: toMonth || null } }),
    onSuccess: () => { setWish(['', '', '']); },
    onSettled,
  });
  return (
    <form className={styles.form} aria-label="Hold months back" onSubmit={(event) => { event.preventDefault(); hold.mutate(); }}>
      <Field label="Hold back, because" required><Input className={styles.field} maxLength={500} value={reason} onChange={(_event, { value }) => { setWish([value, fromMonth, toMonth]); }} /></Field>
      <Field label="From month"><Input className={styles.field} type="month" value={fromMonth} onChange={(_event, { value }) => { setWish([reason, value, toMonth]); }} /></Field>
      <Field label="To month"><Input className={styles.field} type="month" value={toMonth} onChange={(_event, { value }) => { setWish([reason, fromMonth, value]); }} /></Field>
      <Button type="submit" disabled={reason.trim() === '' || hold.isPending}>Set legal hold</Button>
      <ProblemBar error={hold.error} />
    </form>
  );
}

/** What a month waits for, where the database did not drop it when it was asked. */
const WAITS: Readonly<Record<DropRefusal, string>> = {
  'not-announced': 'It waits to be announced.', 'dropped-before': '', 'held': 'A hold keeps it.', 'no-notice': 'Its notice is not over by the database’s clock.', 'not-archived': 'It is archived anew.', 'no-rows': 'It has no rows.',
  'other-tenants': 'It has rows of another tenant too, and stays.', 'not-over': 'Its time is not over by the database’s clock.', 'not-sealed': 'It waits until the ledger has sealed some more after its last rows.',
  'not-checked': 'It waits for the nightly check of the ledger to go through.', 'failed': 'The database did not drop it. It is tried again; the log of the portal says more.',
};

function State({ drop: { status, held, error, refusal } }: { drop: PlannedDrop }) {
  const styles = useStyles();
  if (status === 'dropped') return <StatusBadge tone="quiet">Dropped</StatusBadge>;
  return <>{held ? <StatusBadge tone="warn">Held</StatusBadge> : <StatusBadge tone={error !== null ? 'bad' : 'busy'}>{error !== null ? 'Cannot be archived' : status === 'verified' ? 'Archived' : 'To be archived'}</StatusBadge>}{error !== null && <span className={styles.small}>{error}</span>}{error === null && !held && refusal !== null && <span className={styles.small}>{WAITS[refusal]}</span>}</>;
}

const setOf = ({ changedAt, changedBy }: RetentionPolicy): string => (changedAt === null ? 'Not changed from the default' : `Set ${formatDay(changedAt)} by ${changedBy ?? 'nobody named'}`);
const inWords = (months: number): string => (months % 12 === 0 ? `${months / 12} ${months === 12 ? 'year' : 'years'}` : `${months} months`);
const spanOf = ({ fromMonth, toMonth }: Pick<LegalHold, 'fromMonth' | 'toMonth'>): string => (fromMonth === null && toMonth === null ? 'All months' : fromMonth === null ? `Up to ${toMonth}` : toMonth === null ? `From ${fromMonth}` : `${fromMonth} to ${toMonth}`);
