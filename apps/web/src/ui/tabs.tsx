import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { NavLink } from 'react-router';

const useStyles = makeStyles({
  tabs: { display: 'flex', flexWrap: 'wrap', gap: '4px', '@media (max-width: 480px)': { gap: 0 }, margin: 0, padding: 0, listStyle: 'none' },
  tab: { display: 'block', padding: '6px 12px', '@media (max-width: 480px)': { padding: '6px 8px' }, borderRadius: tokens.borderRadiusMedium, color: tokens.colorNeutralForeground2, textDecorationLine: 'none', ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover } },
  here: { color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground1Selected, fontWeight: tokens.fontWeightSemibold },
});

/** The views of one entry of the navigation: links, each an address and its words. `search` goes along to each that does not stand alone. */
export function Tabs({ label, views, search = '' }: { label: string; views: readonly (readonly [to: string, words: string, alone?: 'alone'])[]; search?: string }) {
  const styles = useStyles();
  return (
    <nav aria-label={label}>
      <ul className={styles.tabs}>
        {views.map(([to, words, alone]) => <li key={to}><NavLink to={{ pathname: to, search: alone ? '' : search }} end className={({ isActive }) => mergeClasses(styles.tab, isActive && styles.here)}>{words}</NavLink></li>)}
      </ul>
    </nav>
  );
}

const OF_SETUPS = [['/setups', 'Setups'], ['/setups/settings', 'Settings side by side'], ['/setups/batches', 'Many at once']] as const;

/** The views of the setups: they are of two features. */
export const SetupTabs = () => <Tabs label="Views of the setups" views={OF_SETUPS} />;

const OF_HISTORY = [['/history', 'Events'], ['/history/activations', 'Activations'], ['/history/timeline', 'Timeline'], ['/history/insights', 'Insights'], ['/history/exceptions', 'Exceptions'], ['/history/point-in-time', 'Point in time', 'alone'], ['/history/exports', 'Exports']] as const;

/** The views of the history: they are of two features. A point in time is asked about in its own words. */
export const HistoryTabs = ({ search }: { search?: string }) => <Tabs label="Views of the history" views={OF_HISTORY} {...(search !== undefined && { search })} />;
