import type { Segment } from '@gatehouse/contracts';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';

const useStyles = makeStyles({
  hosts: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
});

/** Destinations as people write them: `fin-rep.corp.contoso.example : 443, 3389`. */
export function Hosts({ segments }: { segments: readonly Segment[] }) {
  const styles = useStyles();
  if (segments.length === 0) return null;
  return <span className={styles.hosts}>{segments.map(({ host, ports }) => (ports.length > 0 ? `${host} : ${ports.join(', ')}` : host)).join(' · ')}</span>;
}
