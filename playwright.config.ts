import { defineConfig } from '@playwright/test';

/** Journeys start the product themselves, on free ports and an empty data folder (apps/web/e2e/product.ts). */
export default defineConfig({
  testDir: 'apps/web/e2e',
  outputDir: 'test-results/journeys',
  retries: 0,
  // A journey waits for Entra's delays most of the time; each file has a product of its own.
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 240_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json', { outputFile: 'test-results/playwright.json' }]],
  use: {
    browserName: 'chromium',
    launchOptions: {
      ...(process.env['CHROMIUM'] && { executablePath: process.env['CHROMIUM'] }),
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
    viewport: { width: 1440, height: 900 },
    // A recording of each takes a quarter of the time of all, and what stood on the page of a failure is kept without one. `--trace on` makes it.
    trace: 'off',
  },
});
