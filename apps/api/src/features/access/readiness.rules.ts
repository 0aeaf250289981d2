import { USUAL_FROM, type RequestReadiness, type UsualTime } from '@gatehouse/contracts';

/** What was measured of one stage of a group's activations. */
export interface Measured {
  readonly stage: 'provisioning' | 'membership';
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
}

/** What is usual, of what was measured: of a handful nothing is. */
export function usualOf(measured: readonly Measured[]): RequestReadiness['usual'] {
  const of = (stage: Measured['stage']): UsualTime | null => {
    const found = measured.find((one) => one.stage === stage);
    return found && found.count >= USUAL_FROM ? { count: found.count, p50Seconds: found.p50, p95Seconds: found.p95 } : null;
  };
  return { provisioning: of('provisioning'), membership: of('membership') };
}

/** One stage of an approval, as Entra tells of it. */
export interface ApprovalStage {
  readonly reviewResult: string;
  readonly reviewedByName?: string | undefined;
  readonly reviewedAt?: string | undefined;
}

/** Who approved and when, once every stage is; of several the last. */
export function approvalOf(stages: readonly ApprovalStage[] | undefined): RequestReadiness['approval'] {
  const last = stages?.toSorted((a, b) => Date.parse(a.reviewedAt ?? '') - Date.parse(b.reviewedAt ?? '')).at(-1);
  if (!stages || !last || stages.some(({ reviewResult }) => reviewResult !== 'Approved')) return null;
  return { by: last.reviewedByName || null, at: instant(last.reviewedAt) };
}

const instant = (text: string | undefined): string | null => (text === undefined || Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString());
