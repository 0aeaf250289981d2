import { act, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { MemoryRouter } from 'react-router';
import { expect, test, vi } from 'vitest';
import { LongTable } from './data-table.tsx';

const rows = Array.from({ length: 5_000 }, (_, n) => ({ n }));
const columns = [{ id: 'n', header: 'Number', width: '50%', cell: ({ n }: { n: number }) => <button type="button">row {n}</button> }, { id: 'twice', header: 'Twice', cell: ({ n }: { n: number }) => String(n * 2) }];

let entries = 0;
/** In the test nothing is laid out: a row is 56 px high, and the window 768. */
function show({ isWhole = true, entry = String(entries += 1), of = rows }: { isWhole?: boolean; entry?: string; of?: typeof rows } = {}) {
  const onNearEnd = vi.fn<() => void>();
  const { unmount } = render(<MemoryRouter initialEntries={[{ pathname: '/', key: entry }]}><LongTable label="Numbers" columns={columns} rows={of} rowKey={({ n }) => String(n)} isWhole={isWhole} onNearEnd={onNearEnd} /></MemoryRouter>);
  return { onNearEnd, unmount };
}
const scrollTo = (y: number): void => act(() => {
  vi.stubGlobal('scrollY', y);
  fireEvent.scroll(window);
});
const shown = (): number[] => within(screen.getByRole('table')).getAllByRole('button').map(({ textContent }) => Number(textContent.slice(4)));

test('of five thousand rows those in sight are in the page, each with its place in the whole', () => {
  show();
  expect(shown()[0]).toBe(0);
  expect(shown().length).toBeLessThanOrEqual(40);
  scrollTo(56 * 3_000);
  expect(shown()).toContain(3_005);
  expect(shown().length).toBeLessThanOrEqual(60);
  const row = screen.getByText('row 3005').closest('tr');
  expect([row?.getAttribute('aria-rowindex'), screen.getByRole('table').getAttribute('aria-rowcount')]).toEqual(['3007', '5001']);
  // What is left out keeps its height, above and below.
  const heights = [...screen.getByRole('table').querySelectorAll<HTMLElement>('tbody tr')].reduce((all, one) => all + (one.style.height === '' ? 56 : Number.parseFloat(one.style.height)), 0);
  expect(heights).toBe(56 * 5_000);
});

test('the row with the focus stays when it is scrolled out of sight, and the next one is the next to be tabbed to', async () => {
  show();
  screen.getByRole('button', { name: 'row 4' }).focus();
  scrollTo(56 * 3_000);
  expect(document.activeElement?.textContent).toBe('row 4');
  await userEvent.tab();
  expect(document.activeElement?.textContent).toBe('row 5');
  act(() => { (document.activeElement as HTMLElement).blur(); });
  expect(shown()).not.toContain(4);
});

test('more is asked for by scrolling to the end, not by looking at it', () => {
  const few = show({ isWhole: false, of: rows.slice(0, 3) });
  expect(few.onNearEnd, 'all of it is in sight').not.toHaveBeenCalled();
  few.unmount();
  const { onNearEnd } = show({ isWhole: false });
  expect(screen.getByRole('table').getAttribute('aria-rowcount'), 'nobody knows how many').toBe('-1');
  scrollTo(56 * 100);
  expect(onNearEnd).not.toHaveBeenCalled();
  scrollTo(56 * 4_990);
  expect(onNearEnd).toHaveBeenCalled();
});

test('going back finds the list where it was left', () => {
  const { unmount } = show({ entry: 'left' });
  scrollTo(56 * 3_000);
  unmount();
  vi.stubGlobal('scrollY', 0);
  const to = vi.spyOn(window, 'scrollTo');
  show({ entry: 'left' });
  expect(to.mock.calls).toContainEqual([0, 56 * 3_000]);
  expect(shown()).toContain(3_005);
});
