import type { Locator, Page } from '@playwright/test';
import { changeRules, otherAdmin } from '../../../testing/out-of-band.ts';
import { tabsOn } from './keyboard.ts';
import { looks } from './looks.ts';
import { expect, pickAccount, signIn, test, type Product } from './product.ts';

const MAYA = 'maya.lindqvist@contoso.example';
const GROUP = 'FinReport-SeniorAnalyst-SecureAccess';

interface TenantState {
  readonly groups: readonly { id: string; displayName: string; ownerIds: string[] }[];
  readonly applications: readonly object[];
  readonly appRoleAssignments: readonly object[];
  readonly pim: { readonly schedules: readonly object[] };
}
const tenant = async (product: Product): Promise<TenantState> => await (await fetch(`${product.emulatorUrl}/_emulator/state`)).json() as TenantState;
const sizes = ({ groups, applications, appRoleAssignments, pim }: TenantState) => ({ groups: groups.length, applications: applications.length, assignments: appRoleAssignments.length, schedules: pim.schedules.length });

test.use({ tenantName: 'of setups' });
test.describe.configure({ mode: 'serial' });

test.describe('a setup from a blank wizard to applied, and back', () => {
  let maya: Page;
  let untouched: ReturnType<typeof sizes>;

  test('the procedure’s example takes at most ten inputs and one confirmation', async ({ browser, product }) => {
    ({ page: maya } = await signIn(browser, product, MAYA));
    untouched = sizes(await tenant(product));
    let inputs = 0;
    // An input is a field that is filled in, or something that is picked; going on to the next step is none.
    const fill = async (field: Locator, text: string): Promise<void> => { inputs += 1; await field.fill(text); };
    const tick = async (box: Locator): Promise<void> => { inputs += 1; await box.check(); };
    const pick = async (name: string): Promise<void> => {
      inputs += 1;
      await maya.getByRole('combobox', { name: 'Add a person or group' }).fill(name);
      await maya.getByRole('option', { name: new RegExp(name) }).click();
    };

    await maya.getByRole('navigation', { name: 'Gatehouse' }).getByRole('link', { name: 'Setups' }).click();
    await maya.getByRole('button', { name: 'Secure an application' }).click();
    await fill(maya.getByLabel('Application', { exact: true }), 'FinReport');
    await fill(maya.getByLabel('Role', { exact: true }), 'SeniorAnalyst');
    await maya.getByRole('button', { name: 'Next: Role settings' }).click();
    // The procedure asks for half an hour and MFA: both are proposed.
    await expect(maya.getByRole('combobox', { name: 'Activation maximum duration' })).toHaveValue('30');
    await expect(maya.getByRole('combobox', { name: 'On activation, require' })).toHaveValue('mfa');
    await maya.getByRole('button', { name: 'Next: People' }).click();
    for (const name of ['Ana Costa', 'Ben Novak']) await pick(name);
    await maya.getByRole('button', { name: 'Next: Applications' }).click();
    await tick(maya.getByRole('checkbox', { name: 'Quick Access' }));
    await tick(maya.getByRole('checkbox', { name: 'Finance reports' }));
    await fill(maya.getByRole('textbox', { name: 'Find an application' }), 'Contoso Tr');
    await tick(maya.getByRole('checkbox', { name: 'Contoso Travel' }));
    await maya.getByRole('button', { name: 'Review the plan' }).click();

    const confirmations = maya.getByRole('main').getByRole('checkbox');
    await expect(confirmations).toHaveCount(1);
    await confirmations.check();
    await maya.getByRole('button', { name: /^Apply \d+ changes$/ }).click();
    await expect(maya.getByRole('status').filter({ hasText: 'Applied and verified' })).toBeVisible({ timeout: 90_000 });
    expect(inputs).toBeLessThanOrEqual(10);
    expect((await tenant(product)).groups.some(({ displayName }) => displayName === GROUP)).toBe(true);
  });

  test('a change of the tenant after the review shows the new plan in place of the old one', async ({ product }, testInfo) => {
    await maya.getByRole('link', { name: 'See the setup' }).click();
    await maya.getByRole('button', { name: 'Change or check it' }).click();
    await maya.getByRole('combobox', { name: 'Owners' }).fill('Omar Haddad');
    await maya.getByRole('option', { name: /Omar Haddad/ }).click();
    await looks(maya, testInfo, 'change-group');
    await maya.getByRole('button', { name: 'Next: Role settings' }).click();
    await maya.getByRole('checkbox', { name: 'Set the role settings of Owner too' }).check();
    const ofOwner = maya.getByRole('region', { name: 'Role settings of Owner' });
    await ofOwner.getByRole('combobox', { name: 'Activation maximum duration' }).selectOption('60');
    await ofOwner.getByText('Mails of Entra').click();
    await looks(maya, testInfo, 'change-role-settings');
    for (const next of ['Next: People', 'Next: Applications', 'Review the plan']) await maya.getByRole('button', { name: next }).click();
    const plan = maya.getByRole('list', { name: 'Plan' });
    await expect(plan).toContainText('Make Omar Haddad an owner of the group');
    await maya.getByText(/checks are in order/).click();
    await looks(maya, testInfo, 'change-review');

    // Another admin requires a ticket of members in Entra meanwhile.
    const { groups } = await tenant(product);
    const groupId = groups.find(({ displayName }) => displayName === GROUP)?.id ?? '';
    await changeRules(await otherAdmin(product.emulatorUrl), groupId, { Enablement_EndUser_Assignment: { enabledRules: ['MultiFactorAuthentication', 'Justification', 'Ticketing'] } });

    await maya.getByRole('button', { name: /^Apply \d+ changes$/ }).click();
    const changed = maya.getByRole('alert').filter({ hasText: 'The tenant changed since you looked.' });
    await expect(changed).toBeVisible();
    await expect(plan.getByRole('listitem').filter({ hasText: 'Changed since you looked' })).toContainText('Ticket at activation');
    await looks(maya, testInfo, 'plan-changed');
    await maya.getByRole('button', { name: /^Apply \d+ changes$/ }).click();
    await expect(maya.getByRole('status').filter({ hasText: 'Applied and verified' })).toBeVisible({ timeout: 90_000 });
    await looks(maya, testInfo, 'run-changed');
    const state = await tenant(product);
    expect(state.groups.find(({ displayName }) => displayName === GROUP)?.ownerIds).toHaveLength(2);
  });

  test('each run is taken back, the latest first, until nothing of it stands', async ({ product }, testInfo) => {
    await maya.getByRole('button', { name: 'Undo this run' }).click();
    await expect(maya.getByRole('heading', { level: 1, name: `Undo: ${GROUP}` })).toBeVisible();
    await expect(maya.getByRole('list', { name: 'Plan of the undo' })).toContainText('Take the group from its owner Omar Haddad');
    await looks(maya, testInfo, 'undo-change');
    await maya.getByRole('button', { name: /^Undo \d+ changes$/ }).click();
    await expect(maya.getByRole('status').filter({ hasText: 'Undone and verified' })).toBeVisible({ timeout: 90_000 });
    await looks(maya, testInfo, 'undo-run');

    await maya.getByRole('link', { name: 'See the setup' }).click();
    const runs = maya.getByRole('main').getByRole('list').last().getByRole('listitem');
    // The first run is the latest that stands by now.
    await expect(runs.filter({ hasText: 'see its undo' })).toHaveCount(1);
    await runs.filter({ hasNotText: /an undo|see its undo/ }).first().getByRole('link').click();
    await maya.getByRole('button', { name: 'Undo this run' }).click();
    await expect(maya.getByRole('list', { name: 'Plan of the undo' })).toContainText('Delete the group');
    await looks(maya, testInfo, 'undo-everything');
    await maya.getByRole('main').getByRole('checkbox').check();
    await maya.getByRole('button', { name: /^Undo \d+ changes$/ }).click();
    await expect(maya.getByRole('status').filter({ hasText: 'Undone and verified' })).toBeVisible({ timeout: 90_000 });
    await maya.getByRole('link', { name: 'See the setup' }).click();
    await expect(maya.getByRole('main')).toContainText('What its runs made is undone. It can be applied again as it is here.');
    await looks(maya, testInfo, 'setup-taken-back');
    await maya.getByRole('navigation', { name: 'Gatehouse' }).getByRole('link', { name: 'Setups' }).click();
    await expect(maya.getByRole('table', { name: 'Setups' })).toContainText('Taken back');
    expect((await tenant(product)).groups.some(({ displayName }) => displayName === GROUP)).toBe(false);
    expect(sizes(await tenant(product))).toEqual(untouched);
  });

  test('what was filled in survives a reload and a sign-in that ended', async ({ product }) => {
    await maya.getByRole('button', { name: 'Secure an application' }).click();
    await maya.getByLabel('Application', { exact: true }).fill('Survey');
    await maya.reload();
    await expect(maya.getByLabel('Application', { exact: true })).toHaveValue('Survey');
    await maya.getByLabel('Role', { exact: true }).fill('Reader');
    await maya.getByRole('combobox', { name: 'Owners' }).fill('Omar Haddad');
    await maya.getByRole('option', { name: /Omar Haddad/ }).click();
    await maya.getByRole('button', { name: 'Next: Role settings' }).click();
    await maya.getByRole('checkbox', { name: 'Set the role settings of Owner too' }).check();
    await maya.getByRole('region', { name: 'Role settings of Owner' }).getByRole('combobox', { name: 'Activation maximum duration' }).selectOption('90');
    await maya.getByRole('button', { name: 'Next: People' }).click();

    await maya.context().clearCookies();
    await maya.getByRole('combobox', { name: 'Add a person or group' }).fill('Ana Costa');
    await maya.getByRole('link', { name: 'Sign in with Microsoft Entra' }).click();
    await pickAccount(maya, MAYA);
    await maya.getByRole('combobox', { name: 'Add a person or group' }).fill('Ana Costa');
    await maya.getByRole('option', { name: /Ana Costa/ }).click();
    await maya.getByRole('button', { name: 'Next: Applications' }).click();
    await maya.getByRole('checkbox', { name: 'Finance reports' }).check();
    await maya.getByRole('button', { name: 'Review the plan' }).click();
    const plan = maya.getByRole('list', { name: 'Plan' });
    for (const step of [/Survey-Reader-SecureAccess/, /Omar Haddad/, /Ana Costa/]) await expect(plan).toContainText(step);
    await maya.getByRole('button', { name: 'Discard' }).click();
    await maya.getByRole('button', { name: 'Discard it' }).click();
    expect(sizes(await tenant(product))).toEqual(untouched);
  });

  test('by keyboard alone: a setup from the list to applied, and taken back', async ({ product }) => {
    const tabTo = tabsOn(maya);
    const press = async (name: RegExp): Promise<void> => {
      await tabTo(name);
      await maya.keyboard.press('Enter');
    };
    const type = async (name: RegExp, text: string): Promise<void> => {
      await tabTo(name);
      await maya.keyboard.type(text);
    };
    const step = (name: string): Promise<void> => expect(maya.getByRole('heading', { level: 2, name, exact: true })).toBeFocused();

    await expect(maya.getByRole('table', { name: 'Setups' })).toBeVisible();
    await press(/^Secure an application/);
    await expect(maya.getByLabel('Application', { exact: true })).toBeVisible();
    await type(/^Application/, 'Ledger');
    await type(/^Role/, 'Reader');
    await press(/^Next: Role settings/);
    await step('Role settings');
    await type(/^Activation maximum duration/, '1 h');
    await press(/^Next: People/);
    await step('People');
    await type(/^Add a person or group/, 'Ana Costa');
    await expect(maya.getByRole('option', { name: /Ana Costa/ })).toBeVisible();
    await maya.keyboard.press('ArrowDown');
    await maya.keyboard.press('Enter');
    await expect(maya.getByRole('list', { name: 'Eligible members' })).toContainText('Ana Costa');
    await press(/^Next: Applications/);
    await step('Applications');
    await expect(maya.getByRole('checkbox', { name: 'Finance reports' })).toBeVisible();
    await tabTo(/Finance reports/);
    await maya.keyboard.press('Space');
    await press(/^Review the plan/);
    await step('Review');
    await expect(maya.getByRole('list', { name: 'Plan' })).toContainText('Ledger-Reader-SecureAccess');
    await tabTo(/cannot be undone/);
    await maya.keyboard.press('Space');
    await press(/^Apply \d+ changes/);
    await expect(maya.getByRole('status').filter({ hasText: 'Applied and verified' })).toBeVisible({ timeout: 90_000 });

    await press(/^Undo this run/);
    await expect(maya.getByRole('list', { name: 'Plan of the undo' })).toContainText('Delete the group');
    await tabTo(/cannot be undone/);
    await maya.keyboard.press('Space');
    await press(/^Undo \d+ changes/);
    await expect(maya.getByRole('status').filter({ hasText: 'Undone and verified' })).toBeVisible({ timeout: 90_000 });
    expect(sizes(await tenant(product))).toEqual(untouched);
  });
});
