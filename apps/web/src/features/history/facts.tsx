import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { Fragment } from 'react';

const useStyles = makeStyles({
  facts: { display: 'grid', gridTemplateColumns: 'minmax(88px, auto) minmax(0, 1fr)', gap: '4px 16px', margin: 0 },
  term: { color: tokens.colorNeutralForeground2 },
  value: { margin: 0, overflowWrap: 'anywhere' },
  id: { display: 'block', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
});

/** A field: what it is, its value in words, and its id where it has one. */
export type Fact = readonly [term: string, value: string | null, id?: string | null];

/** Fields below one another; what the record does not have is not there. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  const styles = useStyles();
  return (
    <dl className={styles.facts}>
      {facts.filter(([, value, id]) => value || id).map(([term, value, id]) => (
        <Fragment key={term}>
          <dt className={styles.term}>{term}</dt>
          <dd className={styles.value}>{value}{id && <span className={styles.id}>{id}</span>}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
