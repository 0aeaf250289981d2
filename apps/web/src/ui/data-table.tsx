import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { defaultRangeExtractor, useWindowVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { Fragment, useEffect, useLayoutEffect, useRef, useState, type HTMLAttributes, type ReactNode, type RefObject } from 'react';
import { useLocation, useNavigationType } from 'react-router';

const NARROW = '@media (max-width: 720px)';

const useStyles = makeStyles({
  frame: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, overflow: 'hidden', backgroundColor: tokens.colorNeutralBackground1 },
  table: { width: '100%', borderCollapse: 'collapse', fontVariantNumeric: 'tabular-nums', [NARROW]: { display: 'block' } },
  fixed: { tableLayout: 'fixed' },
  gap: { padding: 0, border: '0 none', [NARROW]: { display: 'block' } },
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

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  rowKey(row: Row): string;
  onOpen?(row: Row): void;
}

/**
 * The one table. On a narrow screen each row becomes a card; the roles are said, for display: block takes them away. With `onOpen` a click anywhere on a row opens it; the way of
 * the keyboard is the button or link that the first column renders.
 */
export function DataTable<Row>({ label, columns, rows, rowKey, onOpen }: TableProps<Row>) {
  return (
    <Frame label={label} columns={columns}>
      {rows.map((row) => <Line key={rowKey(row)} row={row} columns={columns} onOpen={onOpen} />)}
    </Frame>
  );
}

/** About as high as a row is, until it was seen. */
const ROW_PX = 56;
/** So many rows beyond either edge of the window are there already: where the focus and the eye go next. */
const BEYOND = 8;
/** So near its end the list asks for more. */
const NEAR_END = 10;

/** Where lists were left, by the entry of the browser's history: going back finds them as they were. */
const places = new Map<string, { readonly offset: number; readonly measured: VirtualItem[] }>();
const PLACES = 20;

/**
 * The same table for a list without end: only rows in or near the window are in the page, whatever was read. Column widths are fixed, so that none moves while one scrolls. A row
 * with the focus stays, with the two beside it, so that the keyboard goes on from there. `isWhole`: no row is missing at the end. `onNearEnd` is called while somebody scrolls to
 * the end of what is there, and not by itself.
 */
export function LongTable<Row>({ label, columns, rows, rowKey, onOpen, isWhole, onNearEnd }: TableProps<Row> & { readonly isWhole: boolean; onNearEnd(): void }) {
  const styles = useStyles();
  const body = useRef<HTMLTableSectionElement>(null);
  const { key } = useLocation();
  const isBack = useNavigationType() === 'POP';
  const [place] = useState(() => (isBack ? places.get(key) : undefined));
  const [above, setAbove] = useState(0);
  const [focused, setFocused] = useState<number>();
  const list = useWindowVirtualizer<HTMLTableRowElement>({
    count: rows.length, overscan: BEYOND, scrollMargin: above, estimateSize: () => ROW_PX,
    getItemKey: (index) => { const row = rows[index]; return row === undefined ? index : rowKey(row); },
    // Where nothing is laid out, nothing has a height.
    measureElement: (element) => element.getBoundingClientRect().height || ROW_PX,
    rangeExtractor: (range) => {
      const near = focused === undefined ? [] : [focused - 1, focused, focused + 1].filter((index) => index >= 0 && index < range.count);
      return [...new Set([...near, ...defaultRangeExtractor(range)])].sort((a, b) => a - b);
    },
    ...(place && { initialOffset: place.offset, initialMeasurementsCache: place.measured }),
  });

  // What stands above the list grows and shrinks with the window and with what is said there.
  useLayoutEffect(() => {
    const measure = (): void => { setAbove(Math.round((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY)); };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => { observer.disconnect(); };
  }, []);
  useLayoutEffect(() => { if (place) window.scrollTo(0, place.offset); }, [place]);
  const leaving = useRef({ key, list });
  useLayoutEffect(() => { leaving.current = { key, list }; });
  useLayoutEffect(() => () => {
    const { key: left, list: of } = leaving.current;
    places.delete(left);
    places.set(left, { offset: of.scrollOffset ?? 0, measured: of.takeSnapshot() });
    for (const oldest of [...places.keys()].slice(0, -PLACES)) places.delete(oldest);
  }, []);

  const isNearEnd = list.scrollDirection === 'forward' && (list.range?.endIndex ?? 0) >= rows.length - NEAR_END;
  useEffect(() => { if (isNearEnd && !isWhole) onNearEnd(); });

  const items = list.getVirtualItems();
  let shownTo = above;
  return (
    // Of what is not in the page nobody can count the rows: -1 says that there are more than are known.
    <Frame label={label} columns={columns} fixed rowCount={isWhole ? rows.length + 1 : -1} body={body}
      onFocus={(event) => { const index = event.target.closest<HTMLElement>('[data-index]')?.dataset['index']; setFocused(index === undefined ? undefined : Number(index)); }}
      onBlur={(event) => { if (!event.currentTarget.contains(event.relatedTarget)) setFocused(undefined); }}
    >
      {items.map((item) => {
        const row = rows[item.index];
        if (row === undefined) return null;
        const gap = item.start - shownTo;
        shownTo = item.end;
        return (
          <Fragment key={item.key}>
            {gap > 0 && <Gap height={gap} className={styles.gap} columns={columns.length} />}
            <Line row={row} columns={columns} onOpen={onOpen} index={item.index} measure={list.measureElement} />
          </Fragment>
        );
      })}
      {above + list.getTotalSize() > shownTo && <Gap height={above + list.getTotalSize() - shownTo} className={styles.gap} columns={columns.length} />}
    </Frame>
  );
}

/** The height of rows that are not in the page. */
function Gap({ height, className, columns }: { height: number; className: string; columns: number }) {
  return <tr aria-hidden className={className} style={{ height }}><td colSpan={columns} className={className} style={{ height }} /></tr>;
}

interface FrameProps extends Pick<HTMLAttributes<HTMLTableSectionElement>, 'onFocus' | 'onBlur'> {
  readonly label: string;
  readonly columns: readonly Pick<Column<never>, 'id' | 'header' | 'width'>[];
  readonly fixed?: boolean;
  readonly rowCount?: number;
  readonly body?: RefObject<HTMLTableSectionElement | null>;
  readonly children: ReactNode;
}

function Frame({ label, columns, fixed = false, rowCount, body, children, ...focus }: FrameProps) {
  const styles = useStyles();
  return (
    <div className={styles.frame}>
      <table role="table" className={mergeClasses(styles.table, fixed && styles.fixed)} aria-label={label} aria-rowcount={rowCount}>
        <thead role="rowgroup" className={styles.thead}>
          <tr role="row" aria-rowindex={rowCount === undefined ? undefined : 1}>{columns.map(({ id, header, width }) => <th key={id} role="columnheader" scope="col" className={styles.head} style={width === undefined ? undefined : { width }}>{header}</th>)}</tr>
        </thead>
        <tbody ref={body} role="rowgroup" className={styles.body} {...focus}>{children}</tbody>
      </table>
    </div>
  );
}

/** A row; of a long list, the one at `index`. */
function Line<Row>({ row, columns, onOpen, index, measure }: { row: Row; columns: readonly Column<Row>[]; onOpen: ((row: Row) => void) | undefined; index?: number; measure?(element: HTMLTableRowElement | null): void }) {
  const styles = useStyles();
  return (
    <tr ref={measure} data-index={index} aria-rowindex={index === undefined ? undefined : index + 2} role="row" className={mergeClasses(styles.row, onOpen && styles.open)} onClick={onOpen && (() => { onOpen(row); })}>
      {columns.map((column, at) => <td role="cell" key={column.id} data-label={column.header} className={mergeClasses(styles.cell, at > 0 && styles.labelled)}><div>{column.cell(row)}</div></td>)}
    </tr>
  );
}
