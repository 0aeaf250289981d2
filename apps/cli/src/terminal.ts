/** What a command may touch of the machine; a test passes its own. */
export interface Terminal {
  /** A person sits at it, and can be asked. */
  readonly interactive: boolean;
  /** Aborted by Ctrl-C: whatever waits ends. */
  readonly signal: AbortSignal;
  /** A line of the result. */
  out(line: string): void;
  /** A line beside the result: what is waited for, and what went wrong. */
  err(line: string): void;
  ask(question: string): Promise<string>;
  sleep(ms: number): Promise<void>;
  now(): Date;
}

/** A failure that is told in a sentence, with what to do. */
export class CommandError extends Error {
  /** For `--json`: what the portal said, where it was the portal. */
  readonly problem: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, problem?: Readonly<Record<string, unknown>>) {
    super(message);
    this.name = 'CommandError';
    this.problem = problem;
  }
}

/** Text of the tenant as one line that moves no cursor and hides nothing: names are chosen by others. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\p{C}/gu, '�').trim();
}

/** `2026-03-02 09:00 UTC`: the same wherever it is printed. */
export function instant(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** 1 → `1 setup`, 2 → `2 setups`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** How a command ended, as its exit code: what scripts go by. */
export const EXIT = { nothing: 0, error: 1, changes: 2, stopped: 130 } as const;
