import type { Random } from './random.ts';

/** Why people open what a group opens, and how often. */
export interface GroupStory {
  /** Of the tenant's activations on a day of the month. */
  weight(dayOfMonth: number): number;
  /** A reason, and a ticket where people give one. */
  reason(random: Random, at: Date): readonly [reason: string, ticket?: string];
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const monthBefore = (at: Date): string => MONTHS[(at.getUTCMonth() + 11) % 12] ?? '';
const thisMonth = (at: Date): string => MONTHS[at.getUTCMonth()] ?? '';

export const STORIES: ReadonlyMap<string, GroupStory> = new Map<string, GroupStory>([
  ['Payroll-Operator-SecureAccess', {
    weight: (day) => (day >= 20 && day <= 27 ? 5 : 2),
    reason: (random, at) => [random.pick([`Pay run ${thisMonth(at)}`, `Correction of the pay run ${monthBefore(at)}`, 'Tax class of a new colleague', 'Question about a payslip', `Export for the ${monthBefore(at)} accruals`, 'Bank details of a leaver'])],
  }],
  ['Build-Engineer-SecureAccess', {
    weight: () => 4,
    reason: (random) => {
      const ticket = `INC-${random.between(4100, 5900)}`;
      return random.pick<readonly [string, string?]>([
        [`Agent linux-01 hangs, ${ticket}`, ticket], ['Release branch, signing step'], [`Disk full on win-01, ${ticket}`, ticket], ['New compiler on the nightly agent'], ['Cache to be cleared before the release'], [`Flaky pipeline, ${ticket}`, ticket],
      ]);
    },
  }],
  ['HRArchive-Reader-SecureAccess', {
    weight: () => 2,
    reason: (random) => [random.pick(['Reference letter', 'Pension statement asked for by a former colleague', 'Request for own data under GDPR', 'Years of service for an anniversary', 'Labour court asks for a contract']), `HRS-${random.between(2000, 3999)}`],
  }],
  ['JumpHost-DomainAdmin-SecureAccess', {
    weight: () => 2,
    reason: (random) => {
      const ticket = `CHG-${random.between(1200, 1999)}`;
      return random.pick<readonly [string, string?]>([[`Patches on dc03, ${ticket}`, ticket], [`Replication behind on dc03, ${ticket}`, ticket], ['Certificate of the federation service'], [`Group policy for the new laptops, ${ticket}`, ticket], ['Account locked again and again']]);
    },
  }],
  ['FinReport-Controller-SecureAccess', {
    weight: (day) => (day <= 5 || day >= 28 ? 6 : 1),
    reason: (random, at) => [random.pick([`Month-end close ${monthBefore(at)}`, 'Numbers for the board', 'Reconciliation with the bank', `Forecast ${thisMonth(at)}`, 'Question of the auditors'])],
  }],
  ['QuickAccess-Helpdesk-SecureAccess', {
    weight: () => 3,
    reason: (random) => {
      const ticket = `INC-${random.between(4100, 5900)}`;
      return random.pick<readonly [string, string?]>([['Shift'], [`Printer on the third floor, ${ticket}`, ticket], ['Morning queue'], [`Laptop will not enrol, ${ticket}`, ticket], ['On call']]);
    },
  }],
]);

/** What an approver writes who agrees. */
export const DECISIONS: readonly string[] = ['Fine', 'As agreed', 'Known, go ahead', 'In the plan for today', 'Checked the ticket'];

/** What an approver writes who does not. */
export const REFUSALS: readonly string[] = ['Not without a ticket of this month', 'Ask Nora, she has the run open already', 'Not needed any more', 'Wrong period', 'Reason is too thin'];
