import { z } from 'zod';

/** A fault that a test asks for: which calls, how often, and what happens instead of (or after) the answer. */
const FaultRule = z.strictObject({
  match: z.strictObject({
    method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']).optional(),
    /** Part of the address, decoded; `*` stands for anything. */
    path: z.string().default(''),
  }),
  /** `null`: until the rules are replaced. */
  times: z.int().min(1).nullable().default(1),
  answer: z.strictObject({
    status: z.int().min(100).max(599).optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    /** The body as it stands, JSON or not. */
    body: z.string().optional(),
    delayMs: z.int().min(0).max(120_000).optional(),
    /** The connection is cut. */
    drop: z.literal(true).optional(),
    /** The call takes effect first: its answer is lost. */
    after: z.literal(true).optional(),
  }),
});

export const FaultRules = z.strictObject({ rules: z.array(FaultRule) });
type FaultRule = z.infer<typeof FaultRule>;

export function createFaults() {
  let rules: { rule: FaultRule; left: number }[] = [];
  return {
    replace(next: readonly FaultRule[]): void {
      rules = next.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
    },
    /** The fault of this call, if one is due; using it up. */
    next(method: string, url: string): FaultRule['answer'] | undefined {
      const found = rules.find(({ rule, left }) => left > 0 && (rule.match.method === undefined || rule.match.method === method) && matches(rule.match.path, url));
      if (!found) return undefined;
      found.left -= 1;
      return found.rule.answer;
    },
  };
}

function matches(pattern: string, url: string): boolean {
  return new RegExp(pattern.split(/\*+/).map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')).test(url);
}
