import { looks } from './looks.ts';
import { expect, signIn, test } from './product.ts';

test.use({ tenantName: 'doctor' });

const ANA = 'ana.costa@contoso.example';
const MAYA = 'maya.lindqvist@contoso.example';
const BUILD = 'ci7.build.corp.contoso.example:22';

test('the doctor names what is in the way, and after activating that nothing is', async ({ browser, product }, testInfo) => {
  const { page: ana } = await signIn(browser, product, ANA);
  await ana.goto('/access');
  await ana.getByRole('link', { name: 'Something does not open?' }).click();
  await ana.getByRole('textbox', { name: 'Destination' }).fill('ci7.build.corp.contoso.example');
  await ana.keyboard.press('Enter');
  await expect(ana.getByText('Add the port that the application uses')).toBeVisible();
  await looks(ana, testInfo, 'doctor-asks');

  await ana.getByRole('textbox', { name: 'Destination' }).fill(BUILD);
  await ana.keyboard.press('Enter');
  await expect(ana.getByRole('heading', { name: `${BUILD} does not open for you` })).toBeVisible();
  await looks(ana, testInfo, 'doctor-broken');

  // Who is an admin sees the links as well that only administrators may read.
  const { page: maya } = await signIn(browser, product, MAYA);
  await maya.goto(`/doctor?to=${BUILD}&person=${ANA}`);
  await expect(maya.getByRole('heading', { name: `${BUILD} does not open for Ana Costa` })).toBeVisible();

  await ana.getByRole('button', { name: 'Activate Build-Engineer-SecureAccess' }).click();
  await ana.getByRole('textbox', { name: 'Why' }).fill('Pipeline repair, INC-4711');
  await ana.getByRole('button', { name: /activate$/i }).last().click();
  await expect.poll(async () => {
    await maya.getByRole('button', { name: 'Check the path' }).click();
    return maya.getByRole('status', { name: 'What was found' }).textContent();
  }, { intervals: [500] }).toContain('Nothing broken was seen');
  await looks(maya, testInfo, 'doctor-healthy');
});
