import type { Page } from '@playwright/test';
import { otherAdmin } from '../../../testing/out-of-band.ts';
import { looks } from './looks.ts';
import { expect, signIn, test, type Product } from './product.ts';

const MAYA = 'maya.lindqvist@contoso.example';
const FILE = [
  'name,preset,people,applications',
  'Payroll-Clerk-SecureAccess,strict,ana.costa@contoso.example,Payroll',
  'Finance-Reader-SecureAccess,standard,ana.costa@contoso.example;ben.novak@contoso.example,Finance reports',
  'Nobody-Reader-SecureAccess,standard,nobody@contoso.example,Finance reports',
  '',
].join('\n');

interface TenantState {
  readonly groups: readonly { readonly id: string; readonly displayName: string }[];
  readonly users: readonly { readonly id: string; readonly displayName: string }[];
}
const tenant = async (product: Product): Promise<TenantState> => await (await fetch(`${product.emulatorUrl}/_emulator/state`)).json() as TenantState;

test.use({ tenantName: 'of the long run' });
test.describe.configure({ mode: 'serial' });

test.describe('setups for the long run', () => {
  let maya: Page;

  test('many are brought in from a file, reviewed once and applied; a row that is wrong is refused by its line', async ({ browser, product }, testInfo) => {
    ({ page: maya } = await signIn(browser, product, MAYA));
    await maya.goto('/setups/batches/new');
    await maya.getByLabel('File of setups').setInputFiles({ name: 'setups.csv', mimeType: 'text/csv', buffer: Buffer.from(FILE) });
    await looks(maya, testInfo, 'batch-new');
    await maya.getByRole('button', { name: 'Plan the setups' }).click();
    const table = maya.getByRole('table', { name: 'Setups of the batch' });
    await expect(maya.getByRole('button', { name: 'Apply 2 setups' })).toBeVisible({ timeout: 30_000 });
    await expect(table).toContainText('nobody@contoso.example');
    await looks(maya, testInfo, 'batch-planned');
    await maya.getByRole('checkbox', { name: /I understand/ }).check();
    await maya.getByRole('button', { name: 'Apply 2 setups' }).click();
    await expect(maya.getByRole('link', { name: 'Download the row left' })).toBeVisible({ timeout: 90_000 });
    await looks(maya, testInfo, 'batch-applied');
  });

  test('what is done past the portal is found, told by whom, and restored', async ({ product }, testInfo) => {
    const erik = await otherAdmin(product.emulatorUrl);
    const { groups, users } = await tenant(product);
    const group = groups.find(({ displayName }) => displayName === 'Payroll-Clerk-SecureAccess')?.id ?? '';
    const rachel = users.find(({ displayName }) => displayName === 'Rachel Stein')?.id ?? '';
    await erik.graph('POST', `/v1.0/groups/${group}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${rachel}` });
    await maya.goto('/setups');
    // The watch finds it by itself, as soon as Entra's log tells.
    await expect(maya.getByRole('row', { name: /Payroll-Clerk/ })).toContainText('1 way past PIM', { timeout: 60_000 });
    await looks(maya, testInfo, 'setups-health');
    await maya.getByRole('link', { name: 'Payroll-Clerk-SecureAccess' }).click();
    const differences = maya.getByRole('list', { name: 'Differences' });
    await expect(differences).toContainText('Rachel Stein is a member past PIM');
    await expect(differences).toContainText('Erik Sandberg');
    await looks(maya, testInfo, 'setup-differences');
    await differences.getByRole('checkbox').first().check();
    await maya.getByRole('button', { name: /^Restore 1 / }).click();
    await expect(maya.getByRole('main')).toContainText('Take Rachel Stein out of the group');
    await looks(maya, testInfo, 'restore-review');
    await maya.getByRole('button', { name: /^Apply 1 change$|^Restore/ }).click();
    await expect(maya.getByRole('status').filter({ hasText: 'Restored and verified' })).toBeVisible({ timeout: 60_000 });
    await maya.goto('/setups');
    await expect(maya.getByRole('row', { name: /Payroll-Clerk/ })).toContainText(/as designed/i, { timeout: 60_000 });
  });

  test('the settings of all stand side by side, and one change of many is a batch', async ({}, testInfo) => {
    await maya.goto('/setups/settings');
    await expect(maya.getByRole('table', { name: 'Role settings of the setups' })).toContainText('Payroll-Clerk-SecureAccess');
    await looks(maya, testInfo, 'settings');
    await maya.getByRole('checkbox', { name: 'Choose Finance-Reader-SecureAccess' }).check();
    await maya.getByRole('button', { name: /^Change a setting of 1 setup/ }).click();
    await looks(maya, testInfo, 'settings-change');
  });

  test('a command line is let in by its code', async ({ product }, testInfo) => {
    const begun = await fetch(`${product.url}/api/device/authorizations`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-requested-with': 'gatehouse', origin: product.url }, body: JSON.stringify({ deviceName: 'build-agent-7' }) });
    const { verificationUriComplete, deviceCode } = await begun.json() as { verificationUriComplete: string; deviceCode: string };
    const page = await maya.goto(verificationUriComplete);
    expect(page?.headers(), 'in no frame').toMatchObject({ 'x-frame-options': 'DENY', 'content-security-policy': expect.stringContaining("frame-ancestors 'none'") });
    await expect(maya.getByRole('article')).toContainText('build-agent-7');
    await looks(maya, testInfo, 'device');
    await maya.getByRole('button', { name: 'Allow' }).click();
    await expect(maya.getByRole('heading', { level: 1 })).toHaveText('Go back to the terminal');
    await fetch(`${product.url}/api/device/sessions`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-requested-with': 'gatehouse', origin: product.url }, body: JSON.stringify({ deviceCode }) });
    await maya.getByRole('link', { name: 'Signed-in devices' }).click();
    await expect(maya.getByRole('table', { name: 'Signed-in devices' })).toContainText('build-agent-7');
    await looks(maya, testInfo, 'sessions');
    await maya.getByRole('button', { name: /^End build-agent-7/ }).press('Enter');
    await expect(maya.getByRole('status')).toHaveText('1 device was signed out.');
    await expect(maya.getByRole('table', { name: 'Signed-in devices' })).not.toContainText('build-agent-7');
    await maya.context().close();
  });
});
