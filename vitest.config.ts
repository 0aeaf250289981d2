import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Begins with what is played for minutes: at the end it would keep one core at work and leave the others nothing. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => Number(!moduleId.includes('/testing/'));
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

const shared = { globals: false, restoreMocks: true, unstubGlobals: true, retry: 0 };

export default defineConfig({
  test: {
    // Test files wait for processes and databases more than they compute: unless said, one core would stand still.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    // The JSON reporter's file belongs to the run, not to a project (scripts/test.ts names it).
    projects: [
      {
        test: {
          ...shared,
          name: 'node',
          environment: 'node',
          // State is in databases, and what a test replaces it puts back. Loading the portal anew for each file took more than a minute.
          isolate: false,
          include: ['packages/**/*.test.ts', 'apps/api/**/*.test.ts', 'apps/cli/**/*.test.ts', 'apps/verify/**/*.test.ts', 'testing/**/*.test.ts'],
          globalSetup: ['packages/db/src/testing-global-setup.ts'],
          setupFiles: ['testing/fail-on-console.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: './apps/web/vite.config.ts',
        test: {
          ...shared,
          name: 'web',
          environment: 'jsdom',
          // A test takes down what it rendered and stored. Loading Fluent anew for each file took more time than all of the tests.
          isolate: false,
          // Such a project has workers of its own, after the other one's, and one unless it is said. They wait more than they compute.
          maxWorkers: '200%',
          sequence: { groupOrder: 1 },
          root: 'apps/web',
          include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
          setupFiles: ['../../testing/fail-on-console.ts', 'src/testing/setup.ts'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
