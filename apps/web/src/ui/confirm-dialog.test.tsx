import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { renderPage } from '../testing/testing.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';

const show = (more: { busy?: boolean; ready?: boolean }) => {
  const [onClose, onConfirm] = [vi.fn(), vi.fn()];
  renderPage(<ConfirmDialog title="End it" confirm="End" open onClose={onClose} onConfirm={onConfirm} {...more}>It ends.</ConfirmDialog>);
  return { onClose, onConfirm };
};

test('what is under way is not left before its outcome: neither by Cancel nor by Escape', async () => {
  const { onClose, onConfirm } = show({ busy: true });
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  await userEvent.keyboard('{Escape}');
  expect([onClose.mock.calls, onConfirm.mock.calls]).toEqual([[], []]);
});

test('where there is nothing to confirm one can still leave', async () => {
  const { onClose, onConfirm } = show({ ready: false });
  await userEvent.click(screen.getByRole('button', { name: 'End' }));
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  await userEvent.keyboard('{Escape}');
  expect([onClose.mock.calls.length, onConfirm.mock.calls.length]).toEqual([2, 0]);
});
