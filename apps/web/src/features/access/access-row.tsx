import type { AccessEntry } from '@gatehouse/contracts';
import { ToggleButton } from '@fluentui/react-button';
import { StarFilled, StarRegular } from '@fluentui/react-icons';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import type { ReactNode } from 'react';
import { Hosts } from '../../ui/hosts.tsx';
import { StatusBadge, type Tone } from '../../ui/states.tsx';
import { useFavourite } from './access.queries.ts';
import { segmentsOf, titleOf } from './access.words.ts';
import { ShareButton } from './share-dialog.tsx';
import { TryLinks } from './try-links.tsx';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1, overflow: 'hidden' },
  row: {
    display: 'grid', gridTemplateColumns: '144px minmax(0, 1fr) auto', columnGap: '16px', rowGap: '4px', alignItems: 'center', padding: '12px 16px',
    ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
    '@media (max-width: 720px)': { gridTemplateColumns: 'minmax(0, 1fr)', rowGap: '8px' },
  },
  plain: { gridTemplateColumns: 'minmax(0, 1fr) auto', '@media (max-width: 720px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  what: { display: 'grid', gap: '2px', minWidth: 0 },
  name: { margin: 0, fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  head: { display: 'flex', alignItems: 'center', gap: '4px', minWidth: 0 },
  star: { minWidth: '24px', padding: 0 },
  kept: { color: tokens.colorPaletteMarigoldForeground1 },
  small: { margin: 0, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  side: { display: 'flex', alignItems: 'center', justifyContent: 'flex-end', flexWrap: 'wrap', gap: '8px 16px', '@media (max-width: 720px)': { justifyContent: 'space-between' } },
});

export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return <ul aria-label={label} className={useStyles().list}>{children}</ul>;
}

/** One access: its state as shape and word, what it opens, the group as small print, and what can be done. */
export function AccessRow({ entry, state, notes, children }: { entry: AccessEntry; state?: { tone: Tone; word: string }; notes: readonly ReactNode[]; children?: ReactNode }) {
  const styles = useStyles();
  const everyone = entry.applications.filter(({ assignmentRequired }) => !assignmentRequired);
  return (
    <li className={mergeClasses(styles.row, !state && styles.plain)}>
      {state && <StatusBadge tone={state.tone}>{state.word}</StatusBadge>}
      <div className={styles.what}>
        <div className={styles.head}>
          <h3 className={styles.name}>{titleOf(entry)}</h3>
          <Star entry={entry} />
          <ShareButton entry={entry} />
        </div>
        <Hosts segments={segmentsOf(entry)} />
        {notes.map((note, index) => <p key={index} className={styles.small}>{note}</p>)}
        {everyone.length > 0 && <p className={styles.small}><StatusBadge tone="warn">{`${everyone.map(({ displayName }) => displayName).join(', ')} lets everyone in: it does not require assignment`}</StatusBadge></p>}
        <TryLinks segments={segmentsOf(entry)} />
      </div>
      <div className={styles.side}>{children}</div>
    </li>
  );
}

/** Keeps the access at the top of the list. */
function Star({ entry }: { entry: AccessEntry }) {
  const styles = useStyles();
  const { mutate } = useFavourite();
  const { groupId, favourite } = entry;
  return (
    <ToggleButton
      appearance="transparent" size="small" className={styles.star} checked={favourite} aria-label={`Favourite: ${titleOf(entry)}`} title={favourite ? 'Take away from the favourites' : 'Keep at the top'}
      icon={favourite ? <StarFilled className={styles.kept} /> : <StarRegular />} onClick={() => { mutate({ groupId, favourite: !favourite }); }}
    />
  );
}
