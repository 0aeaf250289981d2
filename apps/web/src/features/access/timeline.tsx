import type { AccessEntry, AccessRequest, RequestReadiness } from '@gatehouse/contracts';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { formatMinutes } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { StatusBadge } from '../../ui/states.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { segmentsOf } from './access.words.ts';
import { isReady, reconnectHelps, stagesOf } from './stages.ts';
import { targetsOf } from './try-links.tsx';

const useStyles = makeStyles({
  all: { display: 'grid', gap: '16px' },
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '12px' },
  step: { display: 'grid', gridTemplateColumns: '128px minmax(0, 1fr)', gap: '8px' },
  text: { fontVariantNumeric: 'tabular-nums', overflowWrap: 'anywhere' },
  usual: { display: 'block', fontVariantNumeric: 'tabular-nums', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  ready: { margin: 0, fontWeight: tokens.fontWeightSemibold },
  advice: { margin: 0, color: tokens.colorNeutralForeground2 },
});

/** How far a request has come, what is waited for, and what to do where it is usable and does not work. */
export function Timeline({ request, entry, readiness }: { request: AccessRequest; entry: AccessEntry; readiness: RequestReadiness | undefined }) {
  const styles = useStyles();
  const now = useNow();
  const [target] = targetsOf(segmentsOf(entry));
  return (
    <div className={styles.all}>
      <ol className={styles.list} aria-label={`Your request${request.minutes === null ? '' : ` for ${formatMinutes(request.minutes)}`}`} aria-live="polite">
        {stagesOf(request, entry.policy, readiness, now).map(({ name, tone, text, usual }) => (
          <li key={name} className={styles.step}>
            <StatusBadge tone={tone}>{name}</StatusBadge>
            <div>
              <span className={styles.text}>{text}</span>
              {usual !== undefined && <span className={styles.usual}>{usual}</span>}
            </div>
          </li>
        ))}
      </ol>
      <div role="status" className={styles.all}>
        {isReady(request) && <p className={styles.ready}>Ready: you are a member, and the directory shows it.</p>}
        {reconnectHelps(request, readiness, now) && <p className={styles.advice}>Still refused? Reconnect the Global Secure Access client. <TextLink to={target ? `/doctor?${new URLSearchParams({ to: `${target.host}:${target.port}` })}` : '/doctor'}>Check my path</TextLink></p>}
      </div>
    </div>
  );
}
