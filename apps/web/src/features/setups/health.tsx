import type { SetupSummary } from '@gatehouse/contracts';
import { StatusBadge, type Tone } from '../../ui/states.tsx';

/** Whether the tenant is what the setup says, in words, the most urgent first. */
export function healthOf(drift: SetupSummary['drift']): { tone: Tone; word: string }[] {
  if (drift === null) return [{ tone: 'quiet', word: 'Not looked at yet' }];
  const { differences, bypasses } = drift;
  if (differences === 0) return [{ tone: 'good', word: 'As designed' }];
  const others = differences - bypasses;
  return [
    ...(bypasses > 0 ? [{ tone: 'bad' as const, word: bypasses === 1 ? '1 way past PIM' : `${bypasses} ways past PIM` }] : []),
    ...(others > 0 ? [{ tone: 'warn' as const, word: `${others}${bypasses > 0 ? ' more' : ''} ${others === 1 ? 'difference' : 'differences'}` }] : []),
  ];
}

/** Of a setup that was taken back, or never applied, nothing is compared. */
export const isCompared = ({ retiredAt, lastRun }: Pick<SetupSummary, 'retiredAt' | 'lastRun'>): boolean => retiredAt === null && lastRun !== null;

export function Health({ drift }: { drift: SetupSummary['drift'] }) {
  return healthOf(drift).map(({ tone, word }) => <div key={word}><StatusBadge tone={tone}>{word}</StatusBadge></div>);
}
