import type { PlanStep, RunStep } from '@gatehouse/contracts';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { StatusBadge, type Tone } from './states.tsx';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  step: { display: 'grid', gridTemplateColumns: '132px minmax(0, 1fr)', gap: '4px 16px', alignItems: 'start', padding: '12px 16px', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` }, '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  nothing: { color: tokens.colorNeutralForeground2 },
  title: { margin: 0, overflowWrap: 'anywhere' },
  small: { margin: '4px 0 0', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  changes: { margin: '4px 0 0', padding: 0, listStyle: 'none', fontSize: tokens.fontSizeBase200 },
  from: { color: tokens.colorNeutralForeground2 },
  call: { fontFamily: tokens.fontFamilyMonospace },
  bad: { margin: '4px 0 0', color: tokens.colorPaletteRedForeground1, overflowWrap: 'anywhere' },
  details: { marginTop: '4px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  summary: { cursor: 'pointer' },
});

const VERDICTS: Record<PlanStep['verdict'], { tone: Tone; word: string }> = {
  create: { tone: 'good', word: 'Create' }, change: { tone: 'busy', word: 'Change' }, delete: { tone: 'warn', word: 'Remove' }, nothing: { tone: 'quiet', word: 'Nothing to do' }, blocked: { tone: 'bad', word: 'Blocked' },
};

const STATES: Record<RunStep['status'], { tone: Tone; word: string }> = {
  pending: { tone: 'quiet', word: 'To come' }, running: { tone: 'busy', word: 'Under way' }, waiting: { tone: 'busy', word: 'Waiting' }, done: { tone: 'good', word: 'Done' },
  failed: { tone: 'bad', word: 'Failed' }, skipped: { tone: 'quiet', word: 'Nothing to do' }, interrupted: { tone: 'warn', word: 'Interrupted' },
};

/** Whether the step changes something. */
export const acts = ({ verdict }: PlanStep): boolean => verdict === 'create' || verdict === 'change' || verdict === 'delete';

/** The steps of a plan, or of a run of it: the same list fills with what became of each. */
export function PlanList({ steps, label, marks }: {
  steps: readonly (PlanStep | RunStep)[];
  label: string;
  /** Of a plan that took another one's place, by a step's key: whether it was not in that, or otherwise. */
  marks?: ReadonlyMap<string, string> | undefined;
}) {
  const styles = useStyles();
  return (
    <ol className={styles.list} aria-label={label}>
      {steps.map((step) => {
        const planned = 'plan' in step ? step.plan : step;
        const { tone, word } = 'plan' in step ? STATES[step.status] : VERDICTS[step.verdict];
        const changes = acts(planned);
        const mark = marks?.get(planned.key);
        const warns = planned.irreversible && changes;
        return (
          <li key={planned.key} className={mergeClasses(styles.step, planned.verdict === 'nothing' && styles.nothing)}>
            <StatusBadge tone={tone}>{word}</StatusBadge>
            <div>
              <p className={styles.title}>{warns ? <strong>{planned.title}</strong> : planned.title}</p>
              {mark !== undefined && <p className={styles.small}><strong>{mark} since you looked</strong></p>}
              {!('plan' in step) && warns && <p className={styles.small}>Cannot be undone</p>}
              {planned.changes.length > 0 && (
                <ul className={styles.changes}>
                  {planned.changes.map(({ field, from, to }) => <li key={field}>{field}: {from !== null && <><span className={styles.from}>{from}</span> → </>}{to}</li>)}
                </ul>
              )}
              {planned.blocked && <p className={styles.bad}>{planned.blocked.reason} {planned.blocked.mend}</p>}
              {'plan' in step && step.detail !== null && <p className={step.status === 'failed' ? styles.bad : styles.small}>{step.detail}</p>}
              {!('plan' in step) && planned.calls.length > 0 && changes && (
                <details className={styles.details}>
                  <summary className={styles.summary}>{planned.calls.length === 1 ? '1 call' : `${planned.calls.length} calls`} to Microsoft Graph</summary>
                  {planned.calls.map((one) => <div key={one} className={styles.call}>{one}</div>)}
                </details>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
