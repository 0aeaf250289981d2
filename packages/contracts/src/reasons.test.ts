import { expect, test } from 'vitest';
import { saysNothing } from './reasons.ts';

test.each(['', '   ', '.', '...', '-', 'x', 'xxx', 'test', 'Test', 'TESTING', 'testing 123', 'test 1', 'BAU', 'business as usual', 'Need access', 'for work', 'I need this for my daily work', 'n/a', 'N/A.', 'asap', 'as discussed', 'asdf', '1'])('%o says nothing', (reason) => {
  expect(saysNothing(reason)).toBe(true);
});

test.each(['Month-end close', 'INC-4711', 'CHG0031', '4711', 'Test of the new payroll import', 'Pipeline repair', 'DR', 'Restore', '障害対応', 'Wartung', 'Access review for audit', 'Ticket 4711', 'Close'])('%o says something', (reason) => {
  expect(saysNothing(reason)).toBe(false);
});
