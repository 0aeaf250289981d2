import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';

const ROOT = join(import.meta.dirname, '../../..');

/** The product as `npm start` starts it, on free ports and with an empty data folder, in a process of its own. */
export interface Product {
  readonly url: string;
  readonly emulatorUrl: string;
  readonly process: ChildProcess;
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** Starts the product; what it prints tells the addresses, as it tells a person. `settings`: more of its environment. */
export async function startProduct(dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-e2e-')), settings: Readonly<Record<string, string>> = {}): Promise<Product> {
  const child = spawn(process.execPath, ['apps/api/src/main.ts'], {
    cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnv(), PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...settings },
  });
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); });
  const ready = new Promise<{ url: string; emulatorUrl: string }>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const url = /ready: (http:\S+)/.exec(out)?.[1];
      const emulatorUrl = / at (http:\/\/127\.0\.0\.1:\d+)/.exec(out)?.[1];
      if (url !== undefined && emulatorUrl !== undefined) resolve({ url, emulatorUrl });
    });
    child.once('exit', (code) => { reject(new Error(`the product ended with ${code}: ${out}${err}`)); });
  });
  const { url, emulatorUrl } = await ready;
  return {
    url, emulatorUrl, process: child, dataDir,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => { child.once('exit', resolve); });
        child.kill('SIGTERM');
        await gone;
      }
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ENTRA_|EMULATOR_|DATABASE_URL|PUBLIC_URL|SESSION_KEYS|TOKEN_KEYS|LEDGER_|SMTP_|MAIL_|NOTIFY_)/.test(name)));
}

/** A person at a browser: signed in as the account, on a page that fails the test when its console shows an error. */
export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
}

/** Opens a browser of their own for the person and signs in through the tenant's own pages. */
export async function signIn(browser: Browser, product: Product, upn: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Person> {
  const context = await browser.newContext({ ...options, baseURL: product.url });
  const page = await context.newPage();
  watchConsole(page);
  await page.goto('/');
  await page.getByRole('link', { name: /sign in/i }).first().click();
  await pickAccount(page, upn);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  return { page, context };
}

/** Chooses the account on the tenant's page. */
export async function pickAccount(page: Page, upn: string): Promise<void> {
  await page.getByRole('button', { name: new RegExp(upn.replaceAll('.', '\\.'), 'i') }).click();
}

const complaints = new WeakMap<Page, string[]>();
const watched: Page[] = [];

/** From now on an error in the console, an uncaught exception or a violated CSP is kept against the page. */
export function watchConsole(page: Page): void {
  const list: string[] = [];
  complaints.set(page, list);
  watched.push(page);
  page.on('pageerror', (error) => list.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    // A refusal that a journey asks for on purpose is a failed request to the browser, and no error of the page.
    if (['error', 'warning'].includes(message.type()) && !/Failed to load resource/.test(message.text())) list.push(`${message.type()}: ${message.text()}`);
  });
}

/** The product, one for all tests with the same `tenantName`; every page that was watched must have been quiet. */
export const test = base.extend<{ quiet: void }, { product: Product; tenantName: string }>({
  // A file that names a tenant has it to itself: Playwright runs tests with other options in another worker.
  tenantName: ['', { scope: 'worker', option: true }],
  product: [async ({ tenantName: _named }, use) => {
    const product = await startProduct();
    await use(product);
    await product.stop();
  }, { scope: 'worker' }],
  quiet: [async ({}, use) => {
    watched.length = 0;
    await use();
    expect(watched.flatMap((page) => complaints.get(page) ?? []), 'the console is quiet').toEqual([]);
  }, { auto: true }],
});
export { expect };
