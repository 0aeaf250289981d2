import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from '@playwright/test';
import { looks } from './looks.ts';
import { expect, pickAccount, signIn, startProduct, test, watchConsole, type Product } from './product.ts';

const [ANA, OMAR, MAYA] = ['ana.costa', 'omar.haddad', 'maya.lindqvist'].map((account) => `${account}@contoso.example`) as [string, string, string];
/** Eligible for the same group that Omar approves. */
const COLLEAGUES = ['nora.bergstrom', 'david.mensah'].map((account) => `${account}@contoso.example`);

test.describe.configure({ mode: 'serial', timeout: 120_000 });

/** The inbox, on a portal that tells a webhook of requests. */
test.describe('what approvers are told, and several decisions at once', () => {
  let product: Product;
  let hook: Server;
  const links: string[] = [];
  let status = 204;
  let omar: Page;
  let ana: Page;

  test.beforeAll(async () => {
    hook = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      req.on('end', () => {
        if (status === 204) links.push((JSON.parse(body) as { data: { url: string } }).data.url);
        res.writeHead(status).end();
      });
    });
    hook.listen(0, '127.0.0.1');
    await once(hook, 'listening');
    product = await startProduct(undefined, { NOTIFY_WEBHOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`, NOTIFY_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` });
  });
  test.afterAll(async () => {
    await product.stop();
    hook.closeAllConnections();
    hook.close();
  });

  /** Signs in as somebody whom the landing page does not name. */
  async function openAs(browser: Browser, upn: string, address: string): Promise<Page> {
    const page = await (await browser.newContext({ baseURL: product.url })).newPage();
    watchConsole(page);
    await page.goto(`/auth/sign-in?${new URLSearchParams({ account: upn, returnTo: address })}`);
    // Who is not of the demo's five is folded away.
    const others = page.locator('summary');
    if (await others.isVisible()) await others.click();
    await pickAccount(page, upn);
    return page;
  }

  /** Their page, with the panel that follows the request. */
  async function asks(browser: Browser, upn: string, why: string): Promise<Page> {
    const page = await openAs(browser, upn, '/access');
    await page.getByRole('list', { name: 'You may open' }).getByRole('listitem').filter({ hasText: 'Payroll-' }).getByRole('button', { name: /^Activate/ }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Why' }).fill(why);
    await page.getByRole('dialog').getByRole('button', { name: 'Activate' }).click();
    await expect(page.getByRole('dialog').getByRole('listitem').filter({ hasText: 'Approval' })).toContainText('waits for');
    return page;
  }

  test('the link of a notification leads through signing in to the request, with the focus on it', async ({ browser }, testInfo) => {
    ana = await asks(browser, ANA, 'Payroll run of this month');
    await looks(ana, testInfo, 'asked');
    await expect.poll(() => links).toHaveLength(1);
    const context = await browser.newContext({ baseURL: product.url, permissions: ['notifications'] });
    omar = await context.newPage();
    watchConsole(omar);
    await omar.goto(links[0] ?? '');
    await omar.getByRole('link', { name: 'Sign in with Microsoft Entra' }).click();
    await pickAccount(omar, OMAR);
    const card = omar.getByRole('article').filter({ hasText: 'Payroll run of this month' });
    await expect(card).toBeFocused();
    await expect(card).toContainText('up to 1 h · reason · approval by Omar Haddad or Helena Kowalska');
  });

  test('the browser tells of a request that comes in while the portal is open', async ({ browser }) => {
    // What the browser itself is given to show.
    await omar.evaluate(() => {
      const shown: { title: string; body: string }[] = [];
      Object.assign(window, { shown });
      window.Notification = new Proxy(window.Notification, {
        construct(of, given) {
          const notification = Reflect.construct(of, given) as Notification;
          notification.addEventListener('show', () => shown.push({ title: notification.title, body: notification.body }));
          return notification;
        },
      });
    });
    await omar.getByRole('button', { name: 'Notify me in this browser' }).click();
    await expect(omar.getByRole('button', { name: 'Stop notifying me here' })).toBeVisible();
    await (await asks(browser, COLLEAGUES[0] ?? '', 'Correction of March')).context().close();
    await expect(omar.getByRole('article')).toHaveCount(2, { timeout: 45_000 });
    await expect.poll(() => omar.evaluate('window.shown')).toMatchObject([{ title: expect.stringMatching(/ asks for Payroll$/), body: expect.stringContaining('Correction of March') }]);
  });

  test('several are decided with one reason, and each says how it ended', async ({ browser }, testInfo) => {
    status = 400;
    await (await asks(browser, COLLEAGUES[1] ?? '', 'Month-end check')).context().close();
    await omar.reload();
    await expect(omar.getByRole('article')).toHaveCount(3);
    await omar.getByRole('checkbox', { name: 'Select all' }).check();
    await omar.getByRole('checkbox', { name: /Select: David/ }).uncheck();
    await omar.getByRole('textbox', { name: 'One reason for 2 requests' }).fill('Planned work');
    await looks(omar, testInfo, 'inbox-selected');

    // Meanwhile another approver denies one of them.
    const helena = await openAs(browser, 'helena.kowalska@contoso.example', '/approvals');
    const theirs = helena.getByRole('article').filter({ hasText: 'Correction of March' });
    await theirs.getByRole('textbox').fill('Not in this month');
    await theirs.getByRole('button', { name: 'Deny' }).click();
    await expect(theirs).toHaveCount(0);
    await helena.context().close();

    await omar.getByRole('button', { name: 'Approve 2 requests' }).click();
    const news = omar.getByRole('status');
    await expect(news).toContainText('Approved Ana Costa: Payroll.');
    await expect(news).toContainText(/Already decided by Helena Kowalska\. .*denied it at \d\d:\d\d: “Not in this month”\. Nothing was changed\./);
    await expect(omar.getByRole('article')).toHaveCount(1);
    await expect(omar.getByRole('alert')).toHaveCount(0);
    await looks(omar, testInfo, 'inbox-news');
    // Whoever asked sees it happen in the panel that was open all the time.
    await expect(ana.getByRole('dialog').getByRole('listitem').filter({ hasText: 'Approved' })).toContainText(/\d\d:\d\d:\d\d/, { timeout: 30_000 });
    await expect(ana.getByRole('dialog')).toContainText('the directory shows it', { timeout: 30_000 });
    await looks(ana, testInfo, 'approved');
    await ana.context().close();
    await omar.goto(links[0] ?? '');
    await expect(omar.getByRole('status')).toContainText(/does not wait for you You approved it at/);
  });

  test('what could not be delivered is on the page of the background work, and is sent again from there', async ({ browser }, testInfo) => {
    const { page, context } = await signIn(browser, product, MAYA);
    await page.goto('/sync');
    const section = page.getByRole('region', { name: 'Notifications' });
    await expect(section).toContainText('Approvers are told of requests by webhook.');
    await expect(section).toContainText('The webhook answered 400. Tried once.');
    await looks(page, testInfo, 'sync-undelivered');
    status = 204;
    await section.getByRole('button', { name: /^Send again/ }).click();
    await expect.poll(() => links.length).toBe(3);
    await expect(section.getByRole('table')).toHaveCount(0);
    await context.close();
  });
});
