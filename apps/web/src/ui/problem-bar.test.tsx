import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROBLEMS, type Problem, type ProblemCode } from '@gatehouse/contracts';
import { render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import { ApiError } from '../lib/api.ts';
import { ProblemBar } from './problem-bar.tsx';

/** The catalogue of refusals as it is published: code, failure, sentence, mend. */
const ROWS = readFileSync(join(import.meta.dirname, '../../../../docs/refusals.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').slice(1, 6).map((cell) => cell.trim()) as [code: string, failure: string, sentence: string, mend: string, again: string]);

const TOLD_AS: Readonly<Record<string, ProblemCode>> = {
  'throttled': 'directory-busy', 'forbidden': 'directory-forbidden', 'not-signed-in': 'not-signed-in', 'not-found': 'not-found', 'conflict': 'conflict', 'policy': 'directory-refused', 'step-up-needed': 'step-up-required', 'unexpected': 'directory-unexpected',
};

function problem(code: ProblemCode, more: Partial<Problem> = {}): ApiError {
  return new ApiError({ type: `urn:gatehouse:problem:${code}`, code, status: PROBLEMS[code].status, title: PROBLEMS[code].title, requestId: '4F2A91BC', ...more });
}

describe('the page says', () => {
  test('there is something to say', () => { expect(ROWS.length).toBeGreaterThan(25); });

  test.each(ROWS)('%s', (_code, failure, sentence, mend) => {
    const code = TOLD_AS[failure];
    if (!code) throw new Error(`no problem tells of ${failure}`);
    render(<ProblemBar error={problem(code, { detail: `${sentence} ${mend}`, ...(failure === 'step-up-needed' && { signInUrl: '/auth/sign-in?stepUp=1' }) })} onRetry={() => {}} />);
    const bar = screen.getByRole('alert');
    for (const words of [PROBLEMS[code].title, sentence, mend, 'Ref 4F2A91BC']) expect(bar.textContent).toContain(words);
    expect(screen.queryByRole('link', { name: 'Verify' }) !== null).toBe(failure === 'step-up-needed');
    expect(screen.getByRole('button', { name: 'Try again' })).toBeDefined();
  });

  test('nothing where nothing went wrong, and no way to try again where there is none', () => {
    const { container, rerender } = render(<ProblemBar error={null} />);
    expect(container.textContent).toBe('');
    rerender(<ProblemBar error={problem('conflict')} />);
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
  });

  test('and gives support what it asks for: our reference, and Microsoft Graph’s where there is one', async () => {
    const user = userEvent.setup();
    const written = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    const { rerender } = render(<ProblemBar error={problem('directory-forbidden', { graphRequestId: '5a0a4d7e-0000-4000-8000-123456789abc' })} />);
    await user.click(screen.getByRole('button', { name: 'Copy reference' }));
    expect(written).toHaveBeenLastCalledWith('4F2A91BC (Microsoft Graph request-id 5a0a4d7e-0000-4000-8000-123456789abc)');
    rerender(<ProblemBar error={problem('conflict')} />);
    await user.click(screen.getByRole('button', { name: 'Copy reference' }));
    expect(written).toHaveBeenLastCalledWith('4F2A91BC');
    expect(await screen.findByRole('button', { name: 'Copied' })).toBeDefined();
  });

  test.each([
    ['refuses', () => { vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new DOMException('no')); }],
    ['has no clipboard, without https', () => { vi.spyOn(navigator, 'clipboard', 'get').mockReturnValue(undefined as unknown as Clipboard); }],
  ])('that nothing was copied where the browser %s', async (_why, browser) => {
    const user = userEvent.setup();
    browser();
    render(<ProblemBar error={problem('conflict')} />);
    await user.click(screen.getByRole('button', { name: 'Copy reference' }));
    expect(await screen.findByRole('button', { name: 'The browser does not allow it' })).toBeDefined();
  });
});
