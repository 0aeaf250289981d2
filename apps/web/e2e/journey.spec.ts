import type { Browser, Page } from '@playwright/test';
import { tabsOn } from './keyboard.ts';
import { looks } from './looks.ts';
import { expect, signIn, test, type Product } from './product.ts';

const MAYA = 'maya.lindqvist@contoso.example';
const ANA = 'ana.costa@contoso.example';
const OMAR = 'omar.haddad@contoso.example';
const INES = 'ines.moreau@contoso.example';
const GROUP = 'FinReport-SeniorAnalyst-SecureAccess';
const HOST = 'fin-rep.corp.contoso.example:443';
const REASON = 'Month-end close, INC-4711';

interface TenantState {
  readonly users: readonly { id: string; userPrincipalName: string }[];
  readonly groups: readonly { id: string; displayName: string; memberIds: string[]; groupTypes: string[]; securityEnabled: boolean; onboardedToPimAt: string | null }[];
  readonly applications: readonly { appId: string; displayName: string; segments: { destinationHost: string }[] }[];
  readonly servicePrincipals: readonly { id: string; appId: string; displayName: string }[];
  readonly appRoleAssignments: readonly { principalId: string; resourceId: string }[];
  readonly pim: {
    readonly policies: readonly { groupId: string; accessId: string; rules: readonly Record<string, unknown>[] }[];
    readonly requests: readonly { groupId: string; principalId: string; action: string; status: string; justification: string | null }[];
    readonly schedules: readonly { groupId: string; principalId: string; kind: string }[];
  };
}

const tenant = async (product: Product): Promise<TenantState> => await (await fetch(`${product.emulatorUrl}/_emulator/state`)).json() as TenantState;
const groupOf = (state: TenantState) => {
  const group = state.groups.find(({ displayName }) => displayName === GROUP);
  if (!group) throw new Error(`the tenant has no group ${GROUP}`);
  return group;
};
const idOf = (state: TenantState, upn: string): string => state.users.find(({ userPrincipalName }) => userPrincipalName === upn)?.id ?? '';
const reach = async (product: Product, upn: string): Promise<boolean> => ((await (await fetch(`${product.emulatorUrl}/_emulator/reach?user=${upn}&to=${HOST}`)).json()) as { allowed: boolean }).allowed;

test.describe.configure({ mode: 'serial' });

test.describe('the thirteen steps', () => {
  let maya: Page;
  let ana: Page;

  const open = async (browser: Browser, product: Product, upn: string): Promise<Page> => (await signIn(browser, product, upn)).page;
  /** The private resource as the person's device would open it. */
  const connect = async (page: Page, product: Product): Promise<{ status: number | undefined; page: Page }> => {
    const tab = await page.context().newPage();
    const answer = await tab.goto(`${product.emulatorUrl}/private/${HOST}`);
    return { status: answer?.status(), page: tab };
  };

  test('1 to 6: the wizard secures the application, and shows every change before it is made', async ({ browser, product }, testInfo) => {
    const landing = await (await browser.newContext()).newPage();
    await landing.goto(product.url);
    await expect(landing.getByRole('link', { name: 'Sign in with Microsoft Entra' })).toBeVisible();
    await looks(landing, testInfo, 'landing');
    await landing.context().close();

    maya = await open(browser, product, MAYA);
    await maya.getByRole('navigation', { name: 'Gatehouse' }).getByRole('link', { name: 'Setups' }).click();
    await expect(maya.getByText('Nothing is set up yet')).toBeVisible();
    await looks(maya, testInfo, 'setups-empty');
    await maya.getByRole('button', { name: 'Secure an application' }).click();

    await maya.getByLabel('Application', { exact: true }).fill('FinReport');
    await maya.getByLabel('Role', { exact: true }).fill('SeniorAnalyst');
    await expect(maya.getByRole('textbox', { name: 'Group name' })).toHaveValue(GROUP);
    await looks(maya, testInfo, 'wizard-group');
    await maya.getByRole('button', { name: 'Next: Role settings' }).click();

    await expect(maya.getByRole('combobox', { name: 'Activation maximum duration' })).toHaveValue('30');
    await expect(maya.getByRole('combobox', { name: 'On activation, require' })).toHaveValue('mfa');
    await looks(maya, testInfo, 'wizard-role-settings');
    await maya.getByRole('button', { name: 'Next: People' }).click();

    const people = maya.getByRole('combobox', { name: 'Add a person or group' });
    for (const name of ['Ana Costa', 'Ben Novak']) {
      await people.fill(name);
      await maya.getByRole('option', { name: new RegExp(name) }).click();
    }
    await looks(maya, testInfo, 'wizard-people');
    await maya.getByRole('button', { name: 'Next: Applications' }).click();

    await maya.getByRole('checkbox', { name: 'Quick Access' }).check();
    await maya.getByRole('checkbox', { name: 'Finance reports' }).check();
    await maya.getByRole('textbox', { name: 'Find an application' }).fill('Contoso Tr');
    await maya.getByRole('checkbox', { name: 'Contoso Travel' }).check();
    await maya.getByRole('button', { name: 'New Private Access application' }).click();
    await maya.getByRole('textbox', { name: 'Application name' }).fill('Finance archive');
    await maya.getByRole('combobox', { name: 'Connector group' }).selectOption({ label: 'EU-1 (2 of 2 live)' });
    await maya.getByRole('textbox', { name: 'Host' }).fill('fin-arch.corp.contoso.example');
    await looks(maya, testInfo, 'wizard-applications');
    await maya.getByRole('button', { name: 'Review the plan' }).click();

    const plan = maya.getByRole('list', { name: 'Plan' });
    await expect(plan).toContainText(GROUP);
    const apply = maya.getByRole('button', { name: /^Apply \d+ changes$/ });
    await expect(apply).toBeDisabled();
    await looks(maya, testInfo, 'wizard-review');
    await expect(plan.getByRole('listitem').filter({ hasText: 'Set the role settings' })).toContainText('8 h → 30 min');
    expect((await tenant(product)).groups.some(({ displayName }) => displayName === GROUP), 'reviewing changes nothing').toBe(false);
    await maya.getByRole('checkbox', { name: /cannot be undone/ }).check();
    await apply.click();

    await expect(maya.getByRole('heading', { level: 1, name: `Run: ${GROUP}` })).toBeVisible();
    await expect(maya.getByRole('status').filter({ hasText: 'Applied and verified' })).toBeVisible({ timeout: 90_000 });
    await looks(maya, testInfo, 'run');

    const state = await tenant(product);
    const group = groupOf(state);
    expect(group, 'step 1').toMatchObject({ securityEnabled: true, groupTypes: [] });
    expect(group.onboardedToPimAt, 'step 2').not.toBeNull();
    const rules = state.pim.policies.find(({ groupId, accessId }) => groupId === group.id && accessId === 'member')?.rules ?? [];
    expect(rules.find(({ id }) => id === 'Expiration_EndUser_Assignment'), 'step 3').toMatchObject({ maximumDuration: 'PT30M' });
    expect(rules.find(({ id }) => id === 'Enablement_EndUser_Assignment')?.['enabledRules'], 'step 3').toEqual(expect.arrayContaining(['MultiFactorAuthentication', 'Justification']));
    expect(state.pim.schedules.filter(({ groupId, kind }) => groupId === group.id && kind === 'eligibility').map(({ principalId }) => principalId).sort(), 'step 4').toEqual([idOf(state, ANA), idOf(state, 'ben.novak@contoso.example')].sort());
    const opened = state.appRoleAssignments.filter(({ principalId }) => principalId === group.id).map(({ resourceId }) => state.servicePrincipals.find(({ id }) => id === resourceId)?.displayName).sort();
    expect(opened, 'steps 5 and 6').toEqual(['Contoso Travel', 'Finance archive', 'Finance reports', 'Quick Access']);
    expect(state.applications.find(({ displayName }) => displayName === 'Finance archive')?.segments.map(({ destinationHost }) => destinationHost)).toEqual(['fin-arch.corp.contoso.example']);

    await maya.getByRole('link', { name: 'See the setup' }).click();
    await expect(maya.getByRole('heading', { level: 1, name: GROUP })).toBeVisible();
    await looks(maya, testInfo, 'setup');
    await maya.getByRole('button', { name: 'Change or check it' }).click();
    for (const next of ['Next: Role settings', 'Next: People', 'Next: Applications', 'Review the plan']) await maya.getByRole('button', { name: next }).click();
    await expect(maya.getByRole('status')).toContainText('Nothing to do: the tenant is as designed');
    await maya.getByRole('navigation', { name: 'Gatehouse' }).getByRole('link', { name: 'Setups' }).click();
    await expect(maya.getByRole('table', { name: 'Setups' })).toContainText(GROUP);
    await looks(maya, testInfo, 'setups');
  });

  test('7: who is not active is refused by the private network', async ({ browser, product }, testInfo) => {
    ana = await open(browser, product, ANA);
    const refused = await connect(ana, product);
    expect(refused.status).toBe(403);
    await expect(refused.page.getByRole('heading', { level: 1 })).toBeVisible();
    await looks(refused.page, testInfo, 'private-resource-refused');
    await refused.page.close();
    expect(await reach(product, ANA)).toBe(false);
  });

  test('8: My access speaks of applications and hosts', async ({}, testInfo) => {
    const row = ana.getByRole('list', { name: 'You may open' }).getByRole('listitem').filter({ hasText: GROUP });
    await expect(row).toContainText('fin-rep.corp.contoso.example', { timeout: 60_000 });
    await expect(row).toContainText('30 min');
    await looks(ana, testInfo, 'my-access');
  });

  test('9 and 10: activate with a reason, verify, and see how far it really is', async ({ product }, testInfo) => {
    await ana.getByRole('list', { name: 'You may open' }).getByRole('listitem').filter({ hasText: GROUP }).getByRole('button', { name: /^Activate/ }).click();
    const panel = ana.getByRole('dialog');
    await panel.getByRole('textbox', { name: 'Why' }).fill('');
    await panel.getByRole('button', { name: 'Activate' }).click();
    await expect(panel.getByText('Say in a few words why you need it')).toBeVisible();
    await panel.getByRole('textbox', { name: 'Why' }).fill(REASON);
    await looks(ana, testInfo, 'activate');
    await panel.getByRole('button', { name: 'Activate' }).click();
    // MFA is asked for on activation: what was typed is still there after it, and the request goes out.
    await ana.getByRole('button', { name: 'Approve' }).click();
    const timeline = ana.getByRole('dialog').getByRole('list', { name: /^Your request/ });
    await expect(timeline.getByRole('listitem').filter({ hasText: 'Member' })).toContainText('the directory shows it', { timeout: 60_000 });
    await looks(ana, testInfo, 'activated');
    const state = await tenant(product);
    expect(groupOf(state).memberIds).toContain(idOf(state, ANA));
    expect(state.pim.requests.filter(({ groupId, action }) => groupId === groupOf(state).id && action === 'selfActivate')).toMatchObject([{ principalId: idOf(state, ANA), status: 'Provisioned', justification: REASON }]);
  });

  test('11: the private resource opens', async ({ product }, testInfo) => {
    const opened = await connect(ana, product);
    expect(opened.status).toBe(200);
    await expect(opened.page.getByRole('heading', { level: 1, name: /Finance reports/ })).toBeVisible();
    await looks(opened.page, testInfo, 'private-resource');
    await opened.page.close();
  });

  test('12: deactivate, no sooner than PIM allows, and know what stays open', async ({ product }, testInfo) => {
    await ana.goto('/access');
    const row = ana.getByRole('list', { name: 'Open now' }).getByRole('listitem').filter({ hasText: GROUP });
    await expect(row.getByRole('button', { name: /^Deactivate in/ })).toBeVisible();
    await looks(ana, testInfo, 'open-now');
    await ana.getByRole('button', { name: 'Forward 5 min' }).click();
    await row.getByRole('button', { name: /^Deactivate (?!in)/ }).click({ timeout: 30_000 });
    await looks(ana, testInfo, 'deactivate');
    await ana.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
    await expect(ana.getByText(/The network may stay open until/)).toBeVisible();
    await expect(ana.getByRole('list', { name: 'Ended, network may stay open' })).toContainText(GROUP);
    await looks(ana, testInfo, 'ended');
    await expect.poll(async () => groupOf(await tenant(product)).memberIds).toEqual([]);
    const refused = await connect(ana, product);
    expect(refused.status).toBe(403);
    await refused.page.close();
  });

  test('an approval: Ana asks, Omar decides, and nobody decides their own', async ({ browser, product }, testInfo) => {
    await ana.getByRole('list', { name: 'You may open' }).getByRole('listitem').filter({ hasText: 'Payroll-' }).getByRole('button', { name: /^Activate/ }).click();
    await ana.getByRole('dialog').getByRole('textbox', { name: 'Why' }).fill('Payroll run of this month');
    await ana.getByRole('dialog').getByRole('button', { name: 'Activate' }).click();
    await expect(ana.getByRole('dialog').getByRole('listitem').filter({ hasText: 'Approval' })).toContainText('waits for Omar Haddad or Helena Kowalska');
    await ana.goto('/approvals');
    await expect(ana.getByRole('heading', { level: 1, name: 'Approvals' })).toBeVisible();
    await expect(ana.getByRole('button', { name: 'Approve' })).toHaveCount(0);
    await looks(ana, testInfo, 'approvals-empty');
    await ana.goto('/access');
    await expect(ana.getByRole('list', { name: 'Waiting' })).toContainText('Payroll');
    await looks(ana, testInfo, 'waiting');

    const omar = await open(browser, product, OMAR);
    await omar.getByRole('link', { name: /^Approvals/ }).click();
    const card = omar.getByRole('article').filter({ hasText: 'Payroll run of this month' });
    await expect(card).toContainText('Ana Costa');
    await looks(omar, testInfo, 'approvals');
    await card.getByRole('button', { name: 'Approve' }).click();
    await expect(card.getByText(/why/i).first()).toBeVisible();
    await card.getByRole('textbox').fill('Planned work');
    await card.getByRole('button', { name: 'Approve' }).click();
    await expect(card).toHaveCount(0);
    await looks(omar, testInfo, 'approvals-decided');
    await expect(ana.getByRole('list', { name: 'Open now' })).toContainText('Payroll', { timeout: 60_000 });
    const state = await tenant(product);
    expect(state.groups.find(({ displayName }) => displayName.startsWith('Payroll-'))?.memberIds).toContain(idOf(state, ANA));
    await omar.context().close();
  });

  test('13: the auditor sees one row from request to end, the events, and takes them along as CSV', async ({ browser, product }, testInfo) => {
    const ines = await open(browser, product, INES);
    await ines.getByRole('link', { name: 'History' }).click();
    await expect(ines.getByText(/^complete from/i)).toBeVisible({ timeout: 60_000 });
    await looks(ines, testInfo, 'history');
    await ines.goto(`/history/activations?group=${GROUP}`);
    const rows = ines.getByRole('table').getByRole('row').filter({ hasText: REASON });
    await expect(async () => {
      await ines.reload();
      await expect(rows).toContainText(/deactivated/i, { timeout: 4_000 });
    }).toPass({ timeout: 60_000 });
    await expect(rows).toHaveCount(1);
    await looks(ines, testInfo, 'activations');
    await rows.getByRole('button').first().click();
    await expect(ines.getByRole('dialog')).toContainText(REASON);
    await looks(ines, testInfo, 'activation-story');
    await ines.keyboard.press('Escape');
    await ines.getByRole('link', { name: 'Export', exact: true }).click();
    await ines.getByRole('radio', { name: /^CSV/ }).click();
    await ines.getByRole('button', { name: 'Make export' }).click();
    const [download] = await Promise.all([ines.waitForEvent('download'), ines.getByRole('link', { name: 'Download CSV' }).click()]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString('utf8')).toContain(REASON);
    await ines.goto('/sync');
    await expect(ines.getByRole('heading', { level: 1 })).toBeVisible();
    await looks(ines, testInfo, 'sync');
    await ines.goto('/setups');
    await expect(ines.getByRole('heading', { level: 1, name: 'Your role does not allow this' })).toBeVisible();
    await looks(ines, testInfo, 'not-permitted');
    await ines.context().close();
  });

  test('a journey by keyboard alone: from the landing page to an activation and its end', async ({ browser, product }) => {
    const context = await browser.newContext({ baseURL: product.url });
    const page = await context.newPage();
    await page.goto('/access');
    const tabTo = tabsOn(page);
    await page.getByRole('link', { name: 'Sign in with Microsoft Entra' }).waitFor();
    await tabTo(/Sign in with Microsoft Entra/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /ben\.novak/ }).waitFor();
    await tabTo(/ben\.novak@/);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('list', { name: 'You may open' })).toContainText('Build-', { timeout: 30_000 });
    await tabTo(/Activate Build servers/);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('textbox', { name: 'Why' })).toBeFocused();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Pipeline repair');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('list', { name: /^Your request/ })).toContainText('the directory shows it', { timeout: 60_000 });
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await tabTo(/Forward 5 min/);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: /^Deactivate (?!in)/ })).toBeVisible({ timeout: 30_000 });
    await tabTo(/^Deactivate (?!in)/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(/^ ?Deactivate$/);
    await page.keyboard.press('Enter');
    await expect(page.getByText(/The network may stay open until/)).toBeVisible();
    await context.close();
  });
});
