import type { Segment } from '@gatehouse/contracts';
import { OpenRegular } from '@fluentui/react-icons';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useSession } from '../../lib/session.ts';

const useStyles = makeStyles({
  line: { display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', gap: '2px 12px', margin: 0, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  link: { color: tokens.colorBrandForegroundLink, fontVariantNumeric: 'tabular-nums', overflowWrap: 'anywhere' },
});

/** Destinations that are one machine and one port; a wildcard or a range of addresses is nothing to connect to. */
export function targetsOf(segments: readonly Segment[]): { host: string; port: string }[] {
  return segments
    .filter(({ host, protocol }) => !host.includes('*') && !host.includes('/') && protocol.includes('tcp'))
    .flatMap(({ host, ports }) => ports.flatMap((range) => {
      const [from, to = from] = range.split('-');
      return from !== undefined && from === to ? [{ host, port: from }] : [];
    }));
}

/** Only on the emulated tenant: opens a private resource as the person's device would, so that being let in can be seen. */
export function TryLinks({ segments }: { segments: readonly Segment[] }) {
  const styles = useStyles();
  const { demo } = useSession();
  const targets = targetsOf(segments);
  if (!demo || targets.length === 0) return null;
  const one = new Set(targets.map(({ host }) => host)).size === 1;
  return (
    <p className={styles.line}>
      {targets.map(({ host, port }, index) => (
        <a key={`${host}:${port}`} className={styles.link} href={`${demo.privateResourceUrl}${host}:${port}`} target="_blank" rel="noreferrer" aria-label={`Try to connect to ${host}:${port}, opens a new tab`}>
          {index === 0 && one ? `Try to connect to ${host}:${port}` : one ? `:${port}` : `Try to connect to ${host}:${port}`} <OpenRegular aria-hidden />
        </a>
      ))}
    </p>
  );
}
