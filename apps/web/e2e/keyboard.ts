import type { Page } from '@playwright/test';

/** For who has a keyboard alone: tabs until the focus is on what is named. A page on which it never gets there fails. */
export function tabsOn(page: Page): (name: RegExp) => Promise<void> {
  return async (name) => {
    for (let press = 0; press < 80; press += 1) {
      await page.keyboard.press('Tab');
      const label = await page.evaluate(() => {
        const element = document.activeElement;
        // Between two pages the focus is on nothing, and the text of nothing is that of the whole page.
        if (!element?.matches('a, button, input, select, textarea, summary, [tabindex]')) return '';
        const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement ? [...element.labels ?? []] : [];
        return `${element.getAttribute('aria-label') ?? ''} ${labels.map(({ textContent }) => textContent).join(' ')} ${element instanceof HTMLSelectElement ? '' : element.textContent}`.trim();
      });
      if (name.test(label)) return;
    }
    throw new Error(`the keyboard never reached ${String(name)}`);
  };
}
