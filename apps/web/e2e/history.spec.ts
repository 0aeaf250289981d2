import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { LARGE_EXPORT } from '@gatehouse/contracts';
import type { Page } from '@playwright/test';
import yauzl from 'yauzl';
import { tabsOn } from './keyboard.ts';
import { looks } from './looks.ts';
import { expect, pickAccount, signIn, test, type Product } from './product.ts';

test.use({ tenantName: 'history' });

const INES = 'ines.moreau@contoso.example';
const HOST = 'payroll.corp.contoso.example';
const VERIFY = join(import.meta.dirname, '../../verify/bin/gatehouse-verify.mjs');

/** The week that ended a fortnight ago. */
const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
const WEEK = { from: day(21), to: day(15) };

/** An auditor at a history of months: what was before the portal's first look is read in the beginning. */
async function auditor(browser: Parameters<typeof signIn>[0], product: Product, moreThan = 5_000): Promise<Page> {
  const { page } = await signIn(browser, product, INES);
  await expect.poll(() => page.evaluate(async () => (await (await fetch('/api/history/event-count')).json()).events), { timeout: 60_000 }).toBeGreaterThan(moreThan);
  return page;
}
const rowsOf = (page: Page) => page.locator('tbody tr[data-index]');

test('one activation among many is found by host and week, and shown to its raw event, its neighbours and its proof', async ({ browser, product }, testInfo) => {
  const ines = await auditor(browser, product);
  await ines.goto('/history');
  await ines.getByRole('link', { name: 'Activations', exact: true }).click();
  await ines.getByLabel('Application or host').fill(HOST);
  await ines.keyboard.press('Enter');
  await expect(ines).toHaveURL(/application=/);
  await ines.getByLabel('From').fill(WEEK.from);
  await expect(ines).toHaveURL(/from=/);
  await ines.getByLabel('To', { exact: true }).fill(WEEK.to);
  await expect(ines.getByText('Clear the filter')).toBeVisible();
  await expect(async () => {
    const found = await rowsOf(ines).allTextContents();
    expect(found.length).toBeGreaterThan(1);
    expect(found.filter((row) => !row.includes(HOST))).toEqual([]);
  }).toPass();
  await looks(ines, testInfo, 'activations-by-host');

  await rowsOf(ines).filter({ hasText: 'Ended' }).nth(1).getByRole('button').click();
  const drawer = ines.getByRole('dialog');
  await expect(drawer).toContainText(HOST);
  await drawer.getByRole('link', { name: 'Activated', exact: true }).click();
  await expect(drawer.getByLabel('JSON as received')).toContainText('"activityDateTime"');
  await drawer.getByRole('button', { name: 'Check in this browser' }).click();
  await expect(drawer.getByText('This row gives the root')).toBeVisible();
  await looks(ines, testInfo, 'event');
  await drawer.getByRole('button', { name: /Activation requested/ }).first().click();
  await expect(drawer.getByRole('heading', { name: 'Activation requested' })).toBeVisible();
  await ines.context().close();
});

test('of a list of thousands sixty rows at the most are in the page, and it is found again where it was left', async ({ browser, product }) => {
  const ines = await auditor(browser, product);
  await ines.goto('/history');
  for (const [width, height, far] of [[1440, 900, 180], [360, 740, 60]] as const) {
    await ines.setViewportSize({ width, height });
    await ines.evaluate(() => { window.scrollTo(0, 0); });
    const last = (): Promise<number> => rowsOf(ines).last().getAttribute('data-index').then(Number);
    await expect(async () => {
      await ines.mouse.move(width / 2, height / 2);
      await ines.mouse.wheel(0, 4_000);
      expect(await rowsOf(ines).count()).toBeLessThanOrEqual(60);
      expect(await last()).toBeGreaterThan(far);
    }).toPass();
  }
  await expect(ines.getByRole('table', { name: 'Events' })).toHaveAttribute('aria-rowcount', '-1');
  const inSight = (): Promise<string | undefined> => ines.evaluate(() => [...document.querySelectorAll<HTMLElement>('tr[data-index]')].find((row) => row.getBoundingClientRect().top > 0)?.dataset['index']);
  await ines.setViewportSize({ width: 1440, height: 900 });
  const scrolledTo = (): Promise<number> => ines.evaluate(() => window.scrollY);
  const far = await scrolledTo();
  await ines.mouse.wheel(0, -600);
  // The browser scrolls when it comes to it: what is clicked has moved, and stands still.
  let seen = far;
  await expect.poll(async () => { const now = await scrolledTo(); const isStill = now < far && now === seen; seen = now; return isStill; }, { intervals: [100] }).toBe(true);
  await rowsOf(ines).nth(12).getByRole('button').first().click();
  await ines.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  const [before, offset] = [await inSight(), await scrolledTo()];
  // Of two pages of the list at the least, by a click that does not scroll there first.
  expect(Number(before)).toBeGreaterThan(50);
  await ines.evaluate(() => { document.querySelector<HTMLAnchorElement>('nav a[href="/access"]')?.click(); });
  await expect(ines.getByRole('heading', { level: 1, name: 'My access' })).toBeVisible();
  await ines.goBack();
  await expect.poll(scrolledTo).toBe(offset);
  expect(await inSight()).toBe(before);
  await ines.context().close();
});

test('what happens while somebody reads is told of, moves nothing, and comes in when it is asked for', async ({ browser, product }, testInfo) => {
  const ines = await auditor(browser, product);
  await ines.goto('/history');
  const first = rowsOf(ines).first();
  await expect(first).toBeVisible();
  const before = await first.textContent();
  const omar = await signIn(browser, product, 'omar.haddad@contoso.example');
  await omar.context.close();
  // They come back from another window, of which the browser tells the page.
  // Should Entra show something late meanwhile, it says “more”.
  const newer = ines.getByRole('button', { name: /^\d+ (newer|more) events?$/ });
  await expect(async () => {
    await ines.evaluate(() => { document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); });
    await expect(newer).toBeVisible({ timeout: 1_000 });
  }).toPass();
  expect(await first.textContent()).toBe(before);
  await looks(ines, testInfo, 'newer');
  await newer.press('Enter');
  await expect(newer).toHaveCount(0);
  await expect(first).toContainText('Omar Haddad');
  await ines.keyboard.press('Tab');
  await expect(first.getByRole('button').first()).toBeFocused();
  await ines.context().close();
});

test('an evidence pack is made by clicks and accepted elsewhere by gatehouse-verify; with one byte altered it is not', async ({ browser, product }, testInfo) => {
  const ines = await auditor(browser, product);
  await ines.goto(`/history?${new URLSearchParams({ application: HOST, ...WEEK })}`);
  await ines.getByRole('link', { name: 'Export', exact: true }).click();
  await expect(ines.getByLabel('Application or host')).toHaveValue(HOST);
  await ines.getByRole('button', { name: 'Make evidence pack' }).click();
  const row = ines.getByRole('table', { name: 'Exports' }).getByRole('row').nth(1);
  await expect(row).toContainText('Ready');
  await looks(ines, testInfo, 'exports');
  const [download] = await Promise.all([ines.waitForEvent('download'), row.getByRole('link', { name: 'Download Evidence pack' }).click()]);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pack-'));
  try {
    const pack = join(folder, download.suggestedFilename());
    await download.saveAs(pack);
    const verify = (target: string) => spawnSync(process.execPath, [VERIFY, target], { cwd: folder, encoding: 'utf8' });
    const accepted = verify(pack);
    expect([accepted.status, accepted.stderr], accepted.stdout).toEqual([0, '']);

    const zip = await yauzl.fromBufferPromise(readFileSync(pack));
    for await (const entry of zip.eachEntry()) {
      const file = join(folder, 'open', entry.fileName);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, await buffer(await zip.openReadStreamPromise(entry)));
    }
    const open = join(folder, 'open');
    expect(verify(open).status, 'unpacked, as it came').toBe(0);
    const events = join(open, 'events.ndjson');
    const bytes = readFileSync(events);
    const at = bytes.indexOf('"success"') + 1;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(events, bytes);
    const refused = verify(open);
    expect([refused.status, refused.stdout.includes('1 line of events.ndjson is in no row that is proved') || refused.stderr.includes('1 line of events.ndjson is in no row that is proved')], refused.stdout + refused.stderr).toEqual([1, true]);
    await ines.context().close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the timeline answers to a keyboard alone', async ({ browser, product }, testInfo) => {
  const ines = await auditor(browser, product);
  const tabTo = tabsOn(ines);
  const enter = (): Promise<void> => ines.keyboard.press('Enter');
  await ines.goto('/history');

  await tabTo(/^Timeline$/);
  await enter();
  await expect(ines.getByText(/^A bar is a membership/)).toBeVisible();
  await tabTo(/^A lane for each/);
  await ines.keyboard.press('ArrowDown');
  await expect(ines.getByRole('list', { name: 'Memberships of Payroll' })).toBeVisible();
  await tabTo(/^Zoom in$/);
  await enter();
  await expect(ines).toHaveURL(/zoom=/);
  // The bars of the span before are there until those of this one come, and the keyboard passes them by.
  await expect(ines.getByRole('button', { name: 'Whole span' })).toBeVisible();
  await expect(ines.locator('[aria-busy="true"]')).toHaveCount(0);
  await tabTo(/^[^:]+: .* to .*, ended$/);
  await enter();
  await expect(ines.getByRole('dialog').getByRole('heading', { name: 'From request to end' })).toBeVisible();
  await ines.keyboard.press('Escape');
  await expect(ines.getByRole('dialog')).toBeHidden();
  await expect(ines.locator(':focus'), 'the focus is back on its bar').toHaveAttribute('aria-label', /, ended$/);
  await looks(ines, testInfo, 'timeline');
  await ines.context().close();
});

test('insights answer to a keyboard alone', async ({ browser, product }, testInfo) => {
  const ines = await auditor(browser, product);
  const tabTo = tabsOn(ines);
  const enter = (): Promise<void> => ines.keyboard.press('Enter');
  await ines.goto('/history');
  await tabTo(/^Insights$/);
  await enter();
  await expect(ines.getByRole('heading', { name: /^Eligible and not activated/ })).toBeVisible();
  await tabTo(/^Look back/);
  await ines.keyboard.press('ArrowDown');
  await expect(ines).toHaveURL(/days=180/);
  await looks(ines, testInfo, 'insights');
  await ines.context().close();
});

test('exceptions are reached by keyboard', async ({ browser, product }, testInfo) => {
  const ines = await auditor(browser, product);
  await ines.goto('/history');
  await tabsOn(ines)(/^Exceptions$/);
  await ines.keyboard.press('Enter');
  await expect(ines.getByRole('heading', { name: 'Connections without an activation' })).toBeVisible();
  await looks(ines, testInfo, 'exceptions');
  await ines.context().close();
});

test('much of the log is taken along only after signing in anew: by who does what they chose is made, and by who does not, nothing', async ({ browser, product }, testInfo) => {
  await logMore(product);
  const ines = await auditor(browser, product, LARGE_EXPORT + 500);
  await signedInLongAgo(ines, product);
  const made = (): Promise<string[]> => ines.evaluate(async () => (await (await fetch('/api/exports')).json()).exports.map(({ format }: { format: string }) => format));
  const before = await made();
  const rows = ines.getByRole('table', { name: 'Exports' }).getByRole('row');

  await ines.getByRole('button', { name: 'Make evidence pack' }).click();
  await expect(ines.getByRole('alert')).toContainText('More than 10,000 events can be taken along only within 10 minutes of a sign-in.');
  await looks(ines, testInfo, 'exports-verify');
  await ines.getByRole('button', { name: 'Not now' }).click();
  await expect(ines.getByRole('alert')).toBeHidden();

  await ines.getByRole('radio', { name: /^CSV/ }).click();
  await expect(ines).toHaveURL(/format=csv/);
  await ines.getByRole('button', { name: 'Make export' }).click();
  await ines.getByRole('button', { name: 'Verify and make export' }).click();
  // Entra knows her and asks all the same. She goes back instead.
  await expect(ines.getByRole('heading', { name: 'Pick an account' })).toBeVisible();
  await ines.goBack();
  await expect(ines.getByRole('radio', { name: /^CSV/ })).toBeChecked();
  expect(await made(), 'nothing was made').toEqual(before);

  await ines.getByRole('button', { name: 'Make export' }).click();
  await ines.getByRole('button', { name: 'Verify and make export' }).click();
  await pickAccount(ines, INES);
  await expect(rows.nth(1)).toContainText('CSV');
  await expect(ines).toHaveURL(/\/history\/exports\?format=csv$/);
  expect(await made(), 'what was chosen, once').toEqual(['csv', ...before]);
  const [download] = await Promise.all([ines.waitForEvent('download'), rows.nth(1).getByRole('link', { name: 'Download CSV' }).click()]);
  expect(readFileSync(await download.path(), 'utf8').split('\r\n').length).toBeGreaterThan(LARGE_EXPORT);
  await ines.context().close();
});

/** A thousand events more: of months of the demo alone there may be just as many as can be taken along at any time. */
async function logMore(product: Product): Promise<void> {
  const { directoryAudits: [audit] } = await (await fetch(`${product.emulatorUrl}/_emulator/state?parts=directoryAudits`)).json() as { directoryAudits: { entry: Record<string, unknown> }[] };
  const at = new Date().toISOString();
  await control(product, 'audits', Array.from({ length: 1_000 }, (_, n) => ({ visibleAt: at, entry: { ...audit?.entry, id: `more-${n}`, activityDateTime: at } })));
}

/** A sign-in at the portal by one at Entra that is older than is believed of much: Entra does not ask again. Ends at the exports. */
async function signedInLongAgo(page: Page, product: Product): Promise<void> {
  await control(product, 'sign-ins', { age: 'PT11M' });
  await page.goto('/auth/sign-in?returnTo=/history/exports');
  await expect(page.getByRole('heading', { name: 'Latest exports' })).toBeVisible();
}

async function control(product: Product, name: string, wish: unknown): Promise<void> {
  const { ok, status } = await fetch(`${product.emulatorUrl}/_emulator/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) });
  expect(ok, `${name}: ${status}`).toBe(true);
}
