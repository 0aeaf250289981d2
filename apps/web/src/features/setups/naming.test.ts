import { expect, test } from 'vitest';
import { follows } from './naming.ts';

test.each(['FinReport-SeniorAnalyst-SecureAccess', 'App1-Role2-Access3'])('%s follows the pattern', (name) => {
  expect(follows(name)).toBeUndefined();
});

test.each([
  ['Analysts', 'one part'], ['FinReport-Analysts', 'two parts'], ['A-B-C-D', '4 parts'], ['Fin Report-Senior-Access', 'signs other than letters'], ['FinReport--SecureAccess', 'signs other than letters'],
])('%s does not, and what it lacks is said', (name, why) => {
  expect(follows(name)).toContain(why);
});
