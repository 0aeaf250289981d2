import { looks } from './looks.ts';
import { expect, signIn, test } from './product.ts';

test.use({ tenantName: 'doctor' });

const BUILD = 'ci7.build.corp.contoso.example:22';

test('the doctor names what is in the way, and after activating that nothing is', async ({ browser, product }, testInfo) => {
  const { page: ana } = await signIn(browser, product, 'ana.costa@contoso.example');
  await ana.goto('/access');
  await ana.getByRole('link', { name: 'Something does not open?' }).click();
  await ana.getByRole('textbox', { name: 'Destination' }).fill('ci7.build.corp.contoso.example');
  await ana.keyboard.press('Enter');
  await expect(ana.getByText('Add the port that the application uses')).toBeVisible();
  await ana.getByRole('textbox', { name: 'Destination' }).fill(BUILD);
  await ana.keyboard.press('Enter');
  await expect(ana.getByRole('heading', { name: `${BUILD} does not open for you` })).toBeVisible();
  await looks(ana, testInfo, 'doctor');

  await ana.getByRole('link', { name: 'Activate Build-Engineer-SecureAccess' }).click();
  const panel = ana.getByRole('dialog', { name: 'Activate: Build servers' });
  await panel.getByRole('textbox', { name: 'Why' }).fill('Pipeline repair, INC-4711');
  await panel.getByRole('button', { name: 'Activate' }).click();
  await expect(panel.getByText(/^Ready: you are a member/)).toBeVisible({ timeout: 30_000 });
  await ana.goto(`/doctor?to=${BUILD}`);
  await expect(ana.getByRole('status', { name: 'What was found' })).toContainText('Nothing broken was seen');
});
