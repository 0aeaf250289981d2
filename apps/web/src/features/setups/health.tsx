import type { SetupSummary } from '@gatehouse/contracts';
import { StatusBadge, type Tone } from '../../ui/states.tsx';

/** Whether the tenant is what the setup says, in words, the most urgent first. */
export function healthOf(drift: SetupSummary['drift']): { tone: Tone; word: string } {
  if (drift === null) return { tone: 'quiet', word: 'Not looked at yet' };
  const { differences, bypasses } = drift;
  if (differences === 0) return { tone: 'good', word: 'As designed' };
  const others = differences - bypasses;
  if (bypasses === 0) return { tone: 'warn', word: others === 1 ? '1 difference' : `${others} differences` };
  const ways = bypasses === 1 ? '1 way past PIM' : `${bypasses} ways past PIM`;
  return { tone: 'bad', word: others <= 0 ? ways : `${ways}, ${others} more ${others === 1 ? 'difference' : 'differences'}` };
}

/** Of a setup that was taken back, or never applied, nothing is compared. */
export const isCompared = ({ retiredAt, lastRun }: Pick<SetupSummary, 'retiredAt' | 'lastRun'>): boolean => retiredAt === null && lastRun !== null;

export function Health({ drift }: { drift: SetupSummary['drift'] }) {
  const { tone, word } = healthOf(drift);
  return <StatusBadge tone={tone}>{word}</StatusBadge>;
}
