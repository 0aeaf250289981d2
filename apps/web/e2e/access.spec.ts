import type { Page } from '@playwright/test';
import { tabsOn } from './keyboard.ts';
import { looks } from './looks.ts';
import { expect, signIn, test, watchConsole, type Product } from './product.ts';

const ANA = 'ana.costa@contoso.example';
const BEN = 'ben.novak@contoso.example';

test.use({ tenantName: 'my access' });
test.describe.configure({ mode: 'serial' });

/** What Graph was asked to write, by what the journal has; what only asks whether is none. */
async function activations(product: Product): Promise<number> {
  const journal = await (await fetch(`${product.emulatorUrl}/_emulator/journal`)).json() as { method: string; url: string; body?: { action?: string; isValidationOnly?: boolean } }[];
  return journal.filter(({ method, body }) => method === 'POST' && body?.action === 'selfActivate' && body.isValidationOnly !== true).length;
}
const ready = (page: Page) => expect(page.getByRole('list', { name: 'You may open' })).toContainText('*.build.corp.contoso.example', { timeout: 60_000 });

test('two clicks from the page to a membership, within ten seconds, and the next time reason and duration are there', async ({ browser, product }, testInfo) => {
  const { page, context } = await signIn(browser, product, ANA);
  await ready(page);
  await page.keyboard.press('/');
  await page.keyboard.type('nothing-of-that-name');
  await expect(page.getByRole('status')).toContainText('Nothing that is yours matches');
  await page.getByRole('searchbox').fill('');
  await page.getByRole('button', { name: 'Favourite: Payroll' }).click();
  await expect(page.getByRole('list', { name: 'You may open' }).getByRole('heading').first()).toHaveText('Payroll');
  await looks(page, testInfo, 'my-access-favourite');

  // The first time needs a reason; the second is two clicks.
  await page.getByRole('button', { name: 'Activate Build servers', exact: true }).click();
  const panel = page.getByRole('dialog');
  await panel.getByRole('textbox', { name: 'Why' }).fill('BAU');
  await expect(panel.getByText(/^What for\?/)).toBeVisible();
  await looks(page, testInfo, 'what-for');
  await panel.getByRole('textbox', { name: 'Why' }).fill('Pipeline repair, INC-4711');
  await panel.getByRole('button', { name: 'Check without activating' }).click();
  await expect(panel.getByText('Would be activated')).toBeVisible();
  await looks(page, testInfo, 'checked');
  expect(await activations(product)).toBe(0);
  await panel.getByRole('radio', { name: '15 min' }).check();
  await panel.getByRole('button', { name: 'Activate', exact: true }).dblclick();
  await expect(panel.getByRole('list', { name: 'Your request for 15 min' })).toContainText('the directory shows it');
  expect(await activations(product), 'a double click is one write').toBe(1);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Forward 5 min' }).click();
  await page.getByRole('button', { name: 'Deactivate Build servers' }).click({ timeout: 30_000 });
  await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
  await expect(page.getByText(/The network may stay open until/)).toBeVisible();

  const begun = Date.now();
  await page.getByRole('button', { name: 'Activate Build servers', exact: true }).click();
  await panel.getByRole('button', { name: 'Activate', exact: true }).click();
  await expect(panel.getByRole('list', { name: 'Your request for 15 min' })).toContainText('the directory shows it');
  const took = Date.now() - begun;
  testInfo.annotations.push({ type: 'two clicks to a membership', description: `${took} ms` });
  expect(took).toBeLessThan(10_000);
  await context.close();
});

test('a link and its QR code, several at once with a result for each, and a saved set', async ({ browser, product }, testInfo) => {
  const { page, context } = await signIn(browser, product, ANA, { permissions: ['clipboard-read', 'clipboard-write'] });
  await expect(page.getByRole('list', { name: 'Open now' })).toContainText('Build servers', { timeout: 60_000 });
  await page.getByRole('button', { name: 'Link to Payroll' }).click();
  await expect(page.getByRole('img', { name: 'QR code of the link to Payroll' })).toBeVisible();
  await page.getByRole('button', { name: /^Copy .*\/go\/payroll$/ }).click();
  await expect(page.getByRole('dialog').getByRole('status')).toHaveText('Copied.');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${product.url}/go/payroll`);
  await looks(page, testInfo, 'link');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Activate several' }).click();
  const panel = page.getByRole('dialog');
  for (const name of ['Build servers', 'Payroll', 'HR archive']) await panel.getByRole('checkbox', { name }).check();
  await panel.getByRole('textbox', { name: 'Why' }).fill('Month-end close');
  await panel.getByRole('textbox', { name: 'Ticket number' }).fill('INC-4711');
  await panel.getByRole('textbox', { name: 'Keep this choice as a set' }).fill('Month-end');
  await panel.getByRole('button', { name: 'Save set' }).click();
  await expect(panel.getByRole('button', { name: 'Month-end (3)' })).toBeVisible();
  await looks(page, testInfo, 'several');
  await panel.getByRole('button', { name: 'Activate 3' }).click();
  const results = panel.getByRole('list', { name: 'What became of each' }).getByRole('listitem');
  await expect(results.filter({ hasText: 'Build servers' })).toContainText('Skipped');
  await expect(results.filter({ hasText: 'Payroll' })).toContainText('Asked for, waits for approval');
  await expect(results.filter({ hasText: 'HR archive' })).toContainText('Asked for, waits for approval');
  await looks(page, testInfo, 'several-done');
  await context.close();
});

test('links that lead to no activation have each their page', async ({ browser, product }, testInfo) => {
  const { page, context } = await signIn(browser, product, ANA);
  const pages = [
    ['open', '/go/build-servers', 'Build servers is open'],
    ['waiting', '/go?to=https%3A%2F%2Fpayroll.corp.contoso.example%2Frun', 'payroll.corp.contoso.example:443: you asked for it already'],
    ['unknown', '/go?to=jump01.corp.contoso.example:3389', 'Nothing of yours opens jump01.corp.contoso.example:3389'],
    ['malformed', '/go?to=10.0.0.0/8', 'This names no machine'],
    ['asking', '/go', 'Go to a host'],
  ] as const;
  for (const [name, path, title] of pages) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    await looks(page, testInfo, `go-${name}`);
  }
  await context.close();
});

test('by keyboard alone: from a cold link, over sign-in and a stronger one, to a membership', async ({ browser, product }, testInfo) => {
  const context = await browser.newContext({ baseURL: product.url });
  const page = await context.newPage();
  watchConsole(page);
  const tabTo = tabsOn(page);
  await page.goto('/go?to=jump01.corp.contoso.example:3389');
  await page.getByRole('link', { name: 'Sign in with Microsoft Entra' }).waitFor();
  await tabTo(/Sign in with Microsoft Entra/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /ben\.novak/ }).waitFor();
  await tabTo(new RegExp(BEN.replaceAll('.', '\\.')));
  await page.keyboard.press('Enter');
  const panel = page.getByRole('dialog');
  await expect(panel.getByRole('heading', { name: 'Activate: Domain admin jump host' })).toBeVisible();
  await expect(panel.getByRole('textbox', { name: 'Why' })).toBeFocused();
  await looks(page, testInfo, 'go-activate');
  await expect(panel.getByRole('textbox', { name: 'Why' })).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Domain controller patching, CHG-77');
  await page.keyboard.press('Enter');
  // The policy asks for MFA, and said so: it leads there at once, and back.
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  await tabTo(/Approve/);
  await page.keyboard.press('Enter');
  await expect(panel.getByRole('list', { name: /^Your request/ }).getByRole('listitem').filter({ hasText: 'Provisioned' })).toContainText(/\d\d:\d\d:\d\d/, { timeout: 30_000 });
  await expect(panel.getByRole('list', { name: /^Your request/ })).toContainText('the directory shows it', { timeout: 30_000 });
  await page.keyboard.press('Enter');
  await expect(panel).toHaveCount(0);
  await expect(page.getByRole('list', { name: 'Open now' })).toContainText('Domain admin jump host', { timeout: 30_000 });
  await context.close();
});
