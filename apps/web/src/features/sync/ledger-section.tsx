import { ExportLedger, GetLedger } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { addressOf, call } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { useNow, usePermits } from '../../lib/session.ts';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { StatusBadge } from '../../ui/states.tsx';

const useStyles = makeStyles({
  line: { margin: '0 0 4px', overflowWrap: 'anywhere' },
  list: { margin: '0 0 8px', paddingLeft: '20px', color: tokens.colorNeutralForeground2 },
});

const PLACES = { log: 'the log of the portal', file: 'the file of checkpoints', webhook: 'the webhook' } as const;

/** Whether the log is sealed, to when, and where the checkpoints went outside of the database. */
export function LedgerSection() {
  const styles = useStyles();
  const now = useNow();
  const isAuditor = usePermits('history:read');
  const query = useQuery({ queryKey: ['ledger'], queryFn: ({ signal }) => call(GetLedger, {}, signal), refetchInterval: 5_000 });
  const ledger = query.data;
  return (
    <Section title="Ledger" action={isAuditor && ledger?.checkpoint ? <Button as="a" size="small" href={addressOf(ExportLedger, {})}>Take it along</Button> : undefined}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {ledger && (
        <>
          {ledger.alarm !== null && <p className={styles.line} role="alert"><StatusBadge tone="bad">Stopped</StatusBadge> {ledger.alarm} Nothing is sealed since {formatInstant(ledger.alarmAt ?? ledger.now, now)}.</p>}
          {ledger.found !== null && <p className={styles.line} role="alert"><StatusBadge tone="bad">Altered</StatusBadge> {ledger.found} The check of everything found it; what is new is still sealed.</p>}
          <p className={styles.line}>
            {ledger.checkpoint === null ? 'Nothing is sealed yet.' : `Sealed to ${formatInstant(ledger.checkpoint.signedAt, now)}: ${ledger.checkpoint.size.toLocaleString('en-GB')} leaves.`}
            {ledger.waiting > 0 && ` ${ledger.waiting.toLocaleString('en-GB')} ${ledger.waiting === 1 ? 'batch waits' : 'batches wait'}.`}
            {ledger.checkedAt !== null && ` All of it was read anew ${formatInstant(ledger.checkedAt, now)}.`}
          </p>
          <ul className={styles.list}>
            {ledger.anchors.map(({ kind, anchoredAt, error }) => <li key={kind}>{anchoredAt === null ? `Nothing reached ${PLACES[kind]} yet` : `Last checkpoint in ${PLACES[kind]}: ${formatInstant(anchoredAt, now)}`}{error !== null && `. The last try failed: ${error}`}</li>)}
          </ul>
        </>
      )}
    </Section>
  );
}
