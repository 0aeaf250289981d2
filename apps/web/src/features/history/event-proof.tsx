import type { EventProof } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { formatInstant } from '../../lib/dates.ts';
import { rootOfInclusion } from '../../lib/merkle.ts';
import { useMutation } from '../../lib/mutation.ts';
import { useNow } from '../../lib/session.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { Facts } from './facts.tsx';
import { eventProof } from './history.queries.ts';

const useStyles = makeStyles({
  text: { margin: '0 0 8px', color: tokens.colorNeutralForeground2 },
  actions: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px', marginTop: '8px' },
});

/** Since when the event is sealed and where, with the proof to take along or to compute here. */
export function EventProofSection({ eventId }: { eventId: string }) {
  const styles = useStyles();
  const query = useQuery(eventProof(eventId));
  const proof = query.data?.proof;
  return (
    <Section title="In the ledger">
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {proof === null && <p className={styles.text}>Not sealed yet.</p>}
      {proof && <Proof proof={proof} />}
    </Section>
  );
}

function Proof({ proof }: { proof: EventProof }) {
  const styles = useStyles();
  const now = useNow();
  const check = useMutation({ mutationFn: async () => (await rootOfInclusion(proof.leafIndex, proof.size, proof.data, proof.hashes)) === proof.root });
  return (
    <>
      <Facts facts={[['Sealed', formatInstant(proof.sealedAt, now), proof.sealedAt], ['Leaf', `${proof.leafIndex.toLocaleString('en-GB')} of ${proof.size.toLocaleString('en-GB')}`], ['Root', null, proof.root]]} />
      <div className={styles.actions}>
        <Button size="small" disabled={check.isPending} onClick={() => { check.mutate(); }}>Check in this browser</Button>
        <CopyButton text={JSON.stringify(proof)} label="Copy proof" />
        <span role="status">
          {check.data === true && <StatusBadge tone="good">This row gives the root</StatusBadge>}
          {check.data === false && <StatusBadge tone="bad">This row does not give the root</StatusBadge>}
          {check.isError && 'This browser computes no hashes here.'}
        </span>
      </div>
    </>
  );
}
