import AxeBuilder from '@axe-core/playwright';
import type { Page, TestInfo } from '@playwright/test';
import { expect } from './product.ts';

const THEMES = ['light', 'dark'] as const;
/** All that axe asks for which another theme could change. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/**
 * Keeps pictures of the page as it stands, wide and at 360 px, light and dark, and holds that axe finds nothing in either
 * theme and that nothing makes the page scroll sideways. Leaves the page wide and light.
 */
export async function looks(page: Page, testInfo: TestInfo, name: string): Promise<void> {
  // What stands there only until the next answer comes is pale, and not what is judged.
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
      await testInfo.attach(`${name}-${width}-${colorScheme}`, { body: await page.screenshot({ fullPage: true, path: testInfo.outputPath(`${name}-${width}-${colorScheme}.png`) }), contentType: 'image/png' });
      const beyond = await page.evaluate(() => {
        const limit = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= limit) return [];
        return [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > limit + 1).map((element) => `${element.tagName} ${(element.textContent ?? '').slice(0, 40)}`).slice(-4);
      });
      expect(beyond, `${name} at ${width} px scrolls sideways`).toEqual([]);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    // No page has a frame: looking for some takes longer than the rest. Fluent's focus handling puts sentinels at the ends of the page: they pass the focus on the moment they get it.
    const axe = new AxeBuilder({ page }).setLegacyMode().exclude('[data-tabster-dummy]');
    const { violations } = await (colorScheme === 'light' ? axe : axe.withRules(OF_COLOURS)).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`), `${name}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}
