import { Button } from '@fluentui/react-button';
import { DismissRegular } from '@fluentui/react-icons';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';

const useStyles = makeStyles({
  chosen: { display: 'flex', flexWrap: 'wrap', gap: '4px 8px', margin: 0, padding: 0, listStyle: 'none' },
  one: { display: 'inline-flex', alignItems: 'center', gap: '4px', padding: '2px 4px 2px 12px', borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground3 },
});

/** Who was picked so far, each with a way to take them off; nothing where nobody was. */
export function Chosen({ label, people, onRemove }: { label: string; people: readonly { readonly key: string; readonly displayName: string }[]; onRemove(index: number): void }) {
  const styles = useStyles();
  if (people.length === 0) return null;
  return (
    <ul className={styles.chosen} aria-label={label}>
      {people.map(({ key, displayName }, index) => <li key={key} className={styles.one}>{displayName}<Button appearance="transparent" size="small" icon={<DismissRegular />} aria-label={`Remove ${displayName}`} onClick={() => { onRemove(index); }} /></li>)}
    </ul>
  );
}
