import type { SetupSummary } from '@gatehouse/contracts';
import { formatAgo } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { StatusBadge, type Tone } from '../../ui/states.tsx';

/** Whether the tenant is what the setup says, in words, the most urgent first. What an old look found is not how it is now. */
function healthOf(drift: SetupSummary['drift'], now: Date): { tone: Tone; word: string }[] {
  if (drift === null) return [{ tone: 'quiet', word: 'Not looked at yet' }];
  const { lookedAt, differences, bypasses, failure, notSeen } = drift;
  if (lookedAt === null) return [{ tone: 'warn', word: 'First look failed' }];
  const others = differences - bypasses;
  return [
    ...(bypasses > 0 ? [{ tone: 'bad' as const, word: bypasses === 1 ? '1 way past PIM' : `${bypasses} ways past PIM` }] : []),
    ...(failure !== null ? [{ tone: 'warn' as const, word: 'Last look failed' }] : []),
    ...(others > 0 ? [{ tone: 'warn' as const, word: `${others}${bypasses > 0 ? ' more' : ''} ${others === 1 ? 'difference' : 'differences'}` }] : []),
    ...(differences > 0 ? [] : [failure !== null ? { tone: 'quiet' as const, word: `As designed ${formatAgo(lookedAt, now)}` } : notSeen.length > 0 ? { tone: 'quiet' as const, word: 'As designed, as far as seen' } : { tone: 'good' as const, word: 'As designed' }]),
  ];
}

/** Of a setup that was taken back, or never applied, nothing is compared. */
export const isCompared = ({ retiredAt, lastRun }: Pick<SetupSummary, 'retiredAt' | 'lastRun'>): boolean => retiredAt === null && lastRun !== null;

export function Health({ drift }: { drift: SetupSummary['drift'] }) {
  const now = useNow();
  return healthOf(drift, now).map(({ tone, word }) => <div key={word}><StatusBadge tone={tone}>{word}</StatusBadge></div>);
}
