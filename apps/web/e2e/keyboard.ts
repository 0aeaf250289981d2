import type { Page } from '@playwright/test';
import { expect } from './product.ts';

/** Presses Tab until the focus is on what has the name; what is not there yet is waited for. Fails where the keyboard does not get there. */
export function tabsOn(page: Page): (name: RegExp) => Promise<void> {
  return async (name) => {
    await expect.poll(async () => (await named(page, 'a, button, input, select, textarea, summary, [tabindex]')).some((label) => name.test(label)), `${String(name)} is there`).toBe(true);
    for (let press = 0; press < 80; press += 1) {
      await page.keyboard.press('Tab');
      // Between two pages the focus is on nothing.
      const [label = ''] = await named(page, ':focus:not(body)');
      if (name.test(label)) return;
    }
    throw new Error(`the keyboard never reached ${String(name)}`);
  };
}

/** What the elements are called, near enough to tell them apart. */
const named = (page: Page, selector: string): Promise<string[]> => page.evaluate((wanted) => [...document.querySelectorAll(wanted)].filter((element) => element.closest('[inert]') === null).map((element) => {
  const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement ? [...element.labels ?? []] : [];
  return `${element.getAttribute('aria-label') ?? ''} ${labels.map(({ textContent }) => textContent).join(' ')} ${element instanceof HTMLSelectElement ? '' : element.textContent}`.trim();
}), selector);
