import { BATCH_ROWS_MAX, type Answer, type GetSetupMatrix, type SettingsOf } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { usePutParam } from '../../lib/search-param.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { SetupTabs } from '../../ui/tabs.tsx';
import { ChangeSettingsPanel } from './change-settings-panel.tsx';
import { isWeaker, SETTING_NAMES, SETTINGS } from './role-settings.words.ts';
import { setupMatrix } from './setups.queries.ts';

const NARROW = '@media (max-width: 640px)';

const useStyles = makeStyles({
  filter: { display: 'grid', gridTemplateColumns: 'minmax(0, 120px) minmax(0, 280px) minmax(0, 320px) 1fr', alignItems: 'end', gap: '8px 12px', margin: '0 0 12px', [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr)' } },
  field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' }, '& > select': { minWidth: 0, textOverflow: 'ellipsis' } },
  bar: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', gap: '4px 16px', minHeight: '32px', margin: '0 0 8px' },
  legend: { margin: 0, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  // The table alone scrolls sideways; setup and heading stay in sight.
  frame: { position: 'relative', overflow: 'auto', maxHeight: 'max(320px, calc(100vh - 320px))', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1, ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  table: { minWidth: '100%', borderCollapse: 'separate', borderSpacing: 0, fontVariantNumeric: 'tabular-nums' },
  head: { position: 'sticky', top: 0, zIndex: 2, textAlign: 'left', whiteSpace: 'nowrap', padding: '8px', fontWeight: tokens.fontWeightSemibold, fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, backgroundColor: tokens.colorNeutralBackground1, borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  cell: { padding: '8px', verticalAlign: 'top', whiteSpace: 'nowrap', borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
  approval: { maxWidth: '152px', overflow: 'hidden', textOverflow: 'ellipsis' },
  name: { position: 'sticky', left: 0, zIndex: 1, width: '248px', minWidth: '248px', whiteSpace: 'normal', textAlign: 'left', fontWeight: tokens.fontWeightRegular, padding: '4px 8px 8px 4px', backgroundColor: tokens.colorNeutralBackground1, borderRight: `1px solid ${tokens.colorNeutralStroke2}`, [NARROW]: { width: '168px', minWidth: '168px' } },
  corner: { left: 0, zIndex: 3, padding: '4px 12px 4px 4px', borderRight: `1px solid ${tokens.colorNeutralStroke2}` },
  setup: { display: 'grid', gridTemplateColumns: '32px minmax(0, 1fr)', alignItems: 'start' },
  middle: { alignItems: 'center' },
  words: { paddingTop: '6px', overflowWrap: 'anywhere', minWidth: 0 },
  link: { color: tokens.colorBrandForegroundLink, fontWeight: tokens.fontWeightSemibold },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  weaker: { color: tokens.colorPaletteDarkOrangeForeground1, fontWeight: tokens.fontWeightSemibold },
  differs: { color: tokens.colorPaletteDarkOrangeForeground1 },
  more: { marginTop: '12px' },
  hidden: { position: 'absolute', width: '1px', height: '1px', overflow: 'hidden', clipPath: 'inset(50%)' },
});

type Setup = Answer<typeof GetSetupMatrix>['setups'][number];
/** A setup with the settings that are shown of it. */
type Row = Omit<Setup, 'ownerRoleSettings'>;

/** A setup need not say what PIM asks of owners: then there is nothing to show of it. */
const rowsOf = (setups: readonly Setup[], of: SettingsOf): Row[] => setups.flatMap((setup) => {
  const roleSettings = of === 'owner' ? setup.ownerRoleSettings : setup.roleSettings;
  return roleSettings === null ? [] : [{ ...setup, roleSettings }];
});

/** So many rows stand in the page at first; a thousand at once would make it slow. */
const AT_ONCE = 100;

/** What the setups can be narrowed to: each value that some setup has, and what wants a look. By its key in the address. */
function choicesOf(rows: readonly Row[]) {
  const attention = [
    { key: 'weaker', words: 'Weaker than Standard', matches: ({ roleSettings }: Row) => SETTING_NAMES.some((name) => isWeaker(name, roleSettings)) },
    { key: 'differs', words: 'Differs from the tenant', matches: ({ differs }: Row) => differs === true },
  ];
  const values = SETTING_NAMES.map((name) => {
    const { title, sentence, laxity } = SETTINGS[name];
    const sentences = new Map(rows.toSorted((a, b) => laxity(a.roleSettings) - laxity(b.roleSettings)).map(({ roleSettings }) => [sentence(roleSettings), roleSettings]));
    return { title, choices: [...sentences.keys()].map((words) => ({ key: `${name}:${words}`, words, matches: ({ roleSettings }: Row) => sentence(roleSettings) === words })) };
  });
  return { groups: [{ title: 'Worth a look', choices: attention }, ...values] };
}

/** The role settings of every setup in one grid, a column a setting; what is chosen in it is changed in one go. */
export function SettingsPage() {
  const styles = useStyles();
  const navigate = useNavigate();
  const query = useQuery(setupMatrix());
  const [search] = useSearchParams();
  const of = search.get('of') === 'owner' ? 'owner' : 'member';
  const rows = query.data?.setups;
  return (
    <Page title="Setups" documentTitle="Setups: settings side by side" lead={`What PIM asks of the ${of}s of each group, as the setups say it.`} toolbar={<SetupTabs />}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={6} />}
      {rows?.length === 0 && <div className={styles.more}><EmptyState title="Nothing to compare yet" action={<Button appearance="primary" onClick={() => void navigate('/setups/new')}>Secure an application</Button>}>Each setup becomes a row here once there is one.</EmptyState></div>}
      {rows && rows.length > 0 && <Matrix key={of} of={of} rows={rowsOf(rows, of)} />}
    </Page>
  );
}

function Matrix({ of, rows }: { of: SettingsOf; rows: readonly Row[] }) {
  const styles = useStyles();
  const [search, setSearch] = useSearchParams();
  const put = usePutParam();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [shown, setShown] = useState(AT_ONCE);
  const [changing, setChanging] = useState(false);
  const { groups } = choicesOf(rows);
  const text = search.get('text') ?? '';
  const only = groups.flatMap(({ choices }) => choices).find(({ key }) => key === search.get('only'));
  const wanted = text.trim().toLowerCase();
  const matching = rows.filter((row) => (only === undefined || only.matches(row)) && (wanted === '' || [row.name, ...row.applications].some((word) => word.toLowerCase().includes(wanted))));
  // What the filter hides is not changed: nobody sees it.
  const chosen = matching.filter(({ id }) => ticked.has(id));
  const tick = (id: string, on: boolean): void => { setTicked((before) => new Set(on ? [...before, id] : [...before].filter((each) => each !== id))); };
  const setups = (count: number): string => (count === 1 ? '1 setup' : `${count} setups`);
  return (
    <>
      <div role="search" className={styles.filter} aria-label="Filter">
        <Field label="Settings of">
          <Select className={styles.field} value={of} onChange={(_event, { value }) => { setSearch(value === 'owner' ? { of: value } : {}, { replace: true }); }}>
            <option value="member">Member</option>
            <option value="owner">Owner</option>
          </Select>
        </Field>
        <Field label="Group or application"><Input className={styles.field} type="search" value={text} onChange={(_event, { value }) => { put('text', value); }} /></Field>
        <Field label="Only with">
          <Select className={styles.field} value={only?.key ?? ''} onChange={(_event, { value }) => { put('only', value); }}>
            <option value="">Any settings</option>
            {groups.map(({ title, choices }) => <optgroup key={title} label={title}>{choices.map(({ key, words, matches }) => <option key={key} value={key}>{`${words} (${rows.filter(matches).length})`}</option>)}</optgroup>)}
          </Select>
        </Field>
      </div>
      <div className={styles.bar}>
        <p className={styles.legend}><span role="status">{matching.length === rows.length ? setups(rows.length) : `${matching.length} of ${setups(rows.length)}`}</span> · ▲ weaker than Standard · ≠ differs from the tenant</p>
        <Button appearance={chosen.length > 0 ? 'primary' : 'secondary'} disabledFocusable={chosen.length === 0 || chosen.length > BATCH_ROWS_MAX} onClick={() => { setChanging(true); }}>{chosen.length === 0 ? 'Change a setting' : `Change a setting of ${setups(chosen.length)}`}</Button>
      </div>
      {chosen.length > BATCH_ROWS_MAX && <p role="alert">At most {BATCH_ROWS_MAX} setups are changed in one go. Narrow the list.</p>}
      {rows.length === 0 ? <EmptyState title="No setup says what PIM asks of owners">The settings of Owner stay as they are in Entra. A setup sets them too where its step Role settings says so.</EmptyState> : matching.length === 0 ? <EmptyState title="No setup matches" action={<Button onClick={() => { setSearch(of === 'owner' ? { of } : {}, { replace: true }); }}>Clear the filter</Button>} /> : (
        <div className={styles.frame} tabIndex={0} role="region" aria-label="Role settings, scrolls sideways">
          <table className={styles.table} aria-label="Role settings of the setups">
            <thead>
              <tr>
                <th scope="col" className={mergeClasses(styles.head, styles.corner)}>
                  <div className={mergeClasses(styles.setup, styles.middle)}>
                    <Checkbox aria-label={`Choose all ${matching.length}`} checked={chosen.length === 0 ? false : chosen.length === matching.length ? true : 'mixed'} onChange={(_event, data) => { setTicked(new Set(data.checked === true ? matching.map(({ id }) => id) : [])); }} />
                    {chosen.length === 0 ? 'Group' : `${chosen.length} chosen`}
                  </div>
                </th>
                {SETTING_NAMES.map((name) => <th key={name} scope="col" className={styles.head}>{SETTINGS[name].title}</th>)}
              </tr>
            </thead>
            <tbody>
              {matching.slice(0, shown).map((row) => <MatrixRow key={row.id} row={row} ticked={ticked.has(row.id)} onTick={(on) => { tick(row.id, on); }} />)}
            </tbody>
          </table>
        </div>
      )}
      {matching.length > shown && <Button className={styles.more} onClick={() => { setShown(shown + AT_ONCE); }}>{`Show ${Math.min(AT_ONCE, matching.length - shown)} more of ${matching.length}`}</Button>}
      {changing && <ChangeSettingsPanel of={of} setups={chosen} onClose={() => { setChanging(false); }} />}
    </>
  );
}

function MatrixRow({ row, ticked, onTick }: { row: Row; ticked: boolean; onTick(on: boolean): void }) {
  const styles = useStyles();
  return (
    <tr>
      <th scope="row" className={mergeClasses(styles.cell, styles.name)}>
        <div className={styles.setup}>
          <Checkbox aria-label={`Choose ${row.name}`} checked={ticked} onChange={(_event, data) => { onTick(data.checked === true); }} />
          <div className={styles.words}>
            <Link className={styles.link} to={`/setups/${row.id}`}>{row.name}</Link>
            {row.applications.length > 0 && <span className={styles.small}>{row.applications.join(', ')}</span>}
            {row.differs === true && <span className={mergeClasses(styles.small, styles.differs)}>≠ differs from the tenant</span>}
            {row.differs === null && <span className={styles.small}>Not looked at yet</span>}
          </div>
        </div>
      </th>
      {SETTING_NAMES.map((name) => {
        const value = SETTINGS[name].value(row.roleSettings);
        const weaker = isWeaker(name, row.roleSettings);
        return (
          <td key={name} className={mergeClasses(styles.cell, name === 'approval' && styles.approval)} title={name === 'approval' ? value : undefined}>
            {weaker ? <span className={styles.weaker}><span aria-hidden>▲ </span>{value}<span className={styles.hidden}>, weaker than Standard</span></span> : value}
          </td>
        );
      })}
    </tr>
  );
}
