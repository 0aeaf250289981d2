import { Skeleton, SkeletonItem } from '@fluentui/react-skeleton';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  empty: { padding: '32px 24px', textAlign: 'center', border: `1px dashed ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusLarge, color: tokens.colorNeutralForeground2 },
  emptyTitle: { margin: '0 0 4px', color: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold },
  emptyIcon: { fontSize: '32px', lineHeight: 1, marginBottom: '8px', color: tokens.colorNeutralForeground3 },
  emptyText: { margin: '0 auto', maxWidth: '56ch' },
  emptyAction: { marginTop: '16px' },
  skeleton: { display: 'grid', gap: '8px' },
  stale: { opacity: 0.5 },
  badge: { display: 'inline-flex', alignItems: 'center', gap: '6px', whiteSpace: 'nowrap', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, fontWeight: tokens.fontWeightSemibold },
  shape: { width: '12px', display: 'inline-block', textAlign: 'center' },
  good: { color: tokens.colorPaletteGreenForeground1 },
  busy: { color: tokens.colorBrandForeground1 },
  warn: { color: tokens.colorPaletteDarkOrangeForeground1 },
  bad: { color: tokens.colorPaletteRedForeground1 },
  quiet: { color: tokens.colorNeutralForeground2 },
});

/** An empty list that teaches in one sentence and offers the first step. */
export function EmptyState({ icon, title, children, action }: { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  const styles = useStyles();
  return (
    <div className={styles.empty}>
      {icon !== undefined && <div aria-hidden className={styles.emptyIcon}>{icon}</div>}
      <p className={styles.emptyTitle}>{title}</p>
      {children !== undefined && <p className={styles.emptyText}>{children}</p>}
      {action !== undefined && <div className={styles.emptyAction}>{action}</div>}
    </div>
  );
}

/** The shape of rows that are coming. */
export function ListSkeleton({ rows = 3 }: { rows?: number }) {
  const styles = useStyles();
  return (
    <Skeleton className={styles.skeleton} aria-label="Reading">
      {Array.from({ length: rows }, (_, index) => <SkeletonItem key={index} size={56} />)}
    </Skeleton>
  );
}

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';
const SHAPES: Record<Tone, string> = { good: '●', busy: '◌', warn: '▲', bad: '✕', quiet: '○' };

/** A state as a shape and a word; colour only helps. */
export function StatusBadge({ tone, children }: { tone: Tone; children: ReactNode }) {
  const styles = useStyles();
  return <span className={mergeClasses(styles.badge, styles[tone])}><span aria-hidden className={styles.shape}>{SHAPES[tone]}</span>{children}</span>;
}

/** What was asked for before, pale, until the answer to what is asked now comes: it says that it is not the answer, and nobody opens what is about to go. */
export function Awaiting({ isStale, children }: { isStale: boolean; children: ReactNode }) {
  const styles = useStyles();
  return <div aria-busy={isStale} inert={isStale} className={mergeClasses(isStale && styles.stale)}>{children}</div>;
}
