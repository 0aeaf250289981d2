import { looks } from './looks.ts';
import { expect, signIn, test } from './product.ts';

test.use({ tenantName: 'point-in-time' });

test('an auditor asks who could reach a host, by keyboard, and goes to the evidence', async ({ browser, product }, testInfo) => {
  const { page: ines } = await signIn(browser, product, 'ines.moreau@contoso.example');
  await ines.goto('/history');
  // The portal has just begun to look, and knows nothing of earlier: what it has seen by now was so five minutes later too.
  await expect.poll(() => ines.evaluate(async () => (await fetch(`/api/point-in-time?to=fin-rep.corp.contoso.example:443&at=${new Date(Date.now() - 500).toISOString()}`)).text())).toContain('Omar Haddad');
  await ines.getByRole('button', { name: 'Forward 5 min' }).click();
  await expect(ines.getByText('Clock +5 min')).toBeVisible();
  await ines.getByRole('link', { name: 'Point in time' }).click();
  await expect(ines.getByText('Who could reach it, and who did?')).toBeVisible();
  await ines.getByLabel('Ask about').selectOption('host');
  await ines.getByRole('textbox', { name: 'Destination' }).fill('fin-rep.corp.contoso.example:443');
  const now = await ines.evaluate(() => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000 + 3 * 60_000).toISOString().slice(0, 16));
  await ines.getByLabel(/^At\*?$/).fill(now);
  await ines.keyboard.press('Enter');
  await expect(ines.getByRole('heading', { name: /^fin-rep\.corp\.contoso\.example:443 at / })).toBeFocused();
  await expect(ines.getByRole('table', { name: 'Could reach it' })).toContainText('Omar Haddad');

  await ines.goto(`/history/point-in-time?to=${encodeURIComponent('fin-rep.corp.contoso.example:443')}&at=${await ines.evaluate(() => new Date(Date.now() - 500).toISOString())}`);
  await expect(ines.getByRole('table', { name: 'Could reach it' }).getByRole('row', { name: /Omar Haddad/ })).toContainText('Entra listed the eligibility');

  // Of long ago: what is not known is not claimed.
  const earlier = new Date(Date.now() - 40 * 24 * 60 * 60_000).toISOString();
  await ines.goto(`/history/point-in-time?to=${encodeURIComponent('fin-rep.corp.contoso.example:443')}&at=${earlier}`);
  await expect(ines.getByText(/Nobody had looked yet which group opens what/)).toBeVisible();
  await looks(ines, testInfo, 'point-in-time');

  await ines.getByRole('link', { name: 'Keep it as known now' }).click();
  await expect(ines.getByLabel(/^Known at\*?$/)).toBeVisible();
  await expect(ines).toHaveURL(/known=/);
});
