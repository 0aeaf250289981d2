import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import type { ReactNode } from 'react';

const NARROW = '@media (max-width: 720px)';

const useStyles = makeStyles({
  frame: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, overflow: 'hidden', backgroundColor: tokens.colorNeutralBackground1 },
  table: { width: '100%', borderCollapse: 'collapse', fontVariantNumeric: 'tabular-nums', [NARROW]: { display: 'block' } },
  head: { textAlign: 'left', fontWeight: tokens.fontWeightSemibold, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, padding: '8px 12px', borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, whiteSpace: 'nowrap' },
  thead: { [NARROW]: { position: 'absolute', width: '1px', height: '1px', overflow: 'hidden', clipPath: 'inset(50%)' } },
  body: { [NARROW]: { display: 'block' } },
  row: { ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` }, [NARROW]: { display: 'block', padding: '8px 12px' } },
  open: { cursor: 'pointer', ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover } },
  cell: { padding: '8px 12px', verticalAlign: 'top', overflowWrap: 'anywhere', [NARROW]: { display: 'block', padding: '2px 0' } },
  // On a card the first line is the row's title; each other says what it is, and one without a value is not there.
  labelled: { [NARROW]: { display: 'grid', gridTemplateColumns: '104px minmax(0, 1fr)', ':has(> div:empty)': { display: 'none' }, '::before': { content: 'attr(data-label)', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, paddingTop: '2px' } } },
});

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly width?: string;
  cell(row: Row): ReactNode;
}

/**
 * The one table. On a narrow screen each row becomes a card; the roles are said, for display: block takes them away. With `onOpen` a click anywhere on a row opens it; the way of
 * the keyboard is the button or link that the first column renders.
 */
export function DataTable<Row>({ label, columns, rows, rowKey, onOpen }: { label: string; columns: readonly Column<Row>[]; rows: readonly Row[]; rowKey(row: Row): string; onOpen?(row: Row): void }) {
  const styles = useStyles();
  return (
    <div className={styles.frame}>
      <table role="table" className={styles.table} aria-label={label}>
        <thead role="rowgroup" className={styles.thead}>
          <tr role="row">{columns.map(({ id, header, width }) => <th key={id} role="columnheader" scope="col" className={styles.head} style={width === undefined ? undefined : { width }}>{header}</th>)}</tr>
        </thead>
        <tbody role="rowgroup" className={styles.body}>
          {rows.map((row) => (
            <tr role="row" key={rowKey(row)} className={mergeClasses(styles.row, onOpen && styles.open)} onClick={onOpen && (() => { onOpen(row); })}>
              {columns.map((column, index) => <td role="cell" key={column.id} data-label={column.header} className={mergeClasses(styles.cell, index > 0 && styles.labelled)}><div>{column.cell(row)}</div></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
