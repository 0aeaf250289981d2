import { DecideApproval, ListApprovals, PROBLEMS, type ApprovalItem, type ProblemCode } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { setPageOf } from '../../lib/api.ts';
import { approval, at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { useWaitingApprovals } from './approvals.browser.ts';
import { ApprovalsPage } from './approvals-page.tsx';

const inbox = (items = [approval()]) => answers(ListApprovals, { readAt: at(0), historyFrom: at(-60 * 24 * 365), items, decided: [] });
const reason = () => screen.getByRole<HTMLInputElement>('textbox', { name: /Reason for the decision/ });

test('shows that it is reading', async () => {
  renderPage(<ApprovalsPage />, { api: [waits(ListApprovals)] });
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
  expect(screen.queryByText('Nothing waits for your decision')).toBeNull();
});

test('a refusal is not an empty inbox', async () => {
  renderPage(<ApprovalsPage />, { api: [refuses(ListApprovals, 'directory-unavailable', { detail: 'What waits for you is not known.' })] });
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Microsoft Entra does not answer');
  expect(alert.textContent).toContain('Ref 4F2A91BC');
  expect(screen.queryByText('Nothing waits for your decision')).toBeNull();
});

test('an empty inbox says so', async () => {
  renderPage(<ApprovalsPage />, { api: [inbox([])] });
  expect(await screen.findByText('Nothing waits for your decision')).toBeTruthy();
});

test('a card says who wants what, why, for how long, and what they did before', async () => {
  renderPage(<ApprovalsPage />, { api: [inbox()] });
  const card = await screen.findByRole('article', { name: 'Ben Novak wants Finance reports' });
  for (const text of ['Month-end close, INC-4711', '30 min, from the decision on', 'fin-rep.corp.contoso.example : 443, 3389', /lapses/, 'up to 30 min · reason · MFA · ticket · approval by Omar Haddad', '2 times in the last 30 days, 5 in 90', /ended · “Last close”/]) expect(within(card).getByText(text)).toBeTruthy();
});

test.each(['Approve', 'Deny'])('%s asks for a reason before anything is sent', async (button) => {
  const { calls } = renderPage(<ApprovalsPage />, { api: [inbox()] });
  await userEvent.click(await screen.findByRole('button', { name: button }));
  expect(await screen.findByText('Say in a few words why')).toBeTruthy();
  expect(calls.filter(({ endpoint }) => endpoint.method === 'POST')).toEqual([]);
});

test.each([['Approve', 'approve', 'Approved'], ['Deny', 'deny', 'Denied']] as const)('%s sends the decision with its reason', async (button, decision, word) => {
  const { calls } = renderPage(<ApprovalsPage />, { api: [inbox(), answers(DecideApproval, { id: approval().id, decision, decidedAt: at(0) })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  await userEvent.click(screen.getByRole('button', { name: button }));
  expect((await screen.findByRole('status')).textContent).toContain(`${word} Ben Novak: Finance reports.`);
  expect(calls.find(({ endpoint }) => endpoint.method === 'POST')).toMatchObject({ url: `/api/approvals/${approval().id}/decision`, body: { decision, justification: 'Known work' } });
});

test('who has decided by keyboard goes on from the top: the button that had the focus is gone', async () => {
  const { use } = renderPage(<ApprovalsPage />, { api: [inbox(), answers(DecideApproval, { id: approval().id, decision: 'approve', decidedAt: at(0) })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  use(inbox([]));
  await userEvent.click(screen.getByRole('button', { name: 'Approve' }));
  await screen.findByText('Nothing waits for your decision');
  expect(document.activeElement).toBe(screen.getByRole('heading', { level: 1 }));
});

test.each<[string, ApprovalItem['activations'], string | null, string]>([
  ['never', { last30Days: 0, last90Days: 0 }, at(-60 * 24 * 365), 'Never in the last 90 days'],
  ['where the history is younger', { last30Days: 1, last90Days: 1 }, at(-60 * 24 * 20), 'Once in the last 30 days, 1 in 90; the history begins 10 Feb 2026'],
  ['without a history', { last30Days: 0, last90Days: 0 }, null, 'Not known: there is no history yet'],
])('how often, %s', async (_name, activations, historyFrom, text) => {
  renderPage(<ApprovalsPage />, { api: [answers(ListApprovals, { readAt: at(0), historyFrom, items: [approval({ activations, policy: null })], decided: [] })] });
  expect(await screen.findByText(new RegExp(`^${text}`))).toBeTruthy();
  expect(screen.getByText('Not known here; Microsoft Entra held the request to it')).toBeTruthy();
});

test('who was too late reads the news, and the request is gone', async () => {
  const decided = { by: 'Omar Haddad', at: at(-2), decision: 'approve' as const, justification: 'Known work' };
  const { use } = renderPage(<ApprovalsPage />, { api: [inbox(), refuses(DecideApproval, 'already-decided', { detail: 'Omar Haddad has approved it already.', decided })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  use(inbox([]));
  await userEvent.click(screen.getByRole('button', { name: 'Approve' }));
  const news = await screen.findByRole('status');
  expect(news.textContent).toContain('Already decided by Omar Haddad');
  expect(news.textContent).toMatch(/Ben Novak: Finance reports\. Omar Haddad approved it (?:at|on 2 Mar 2026) \d\d:58: “Known work”\. Nothing was changed\./);
  expect(await screen.findByText('Nothing waits for your decision')).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('a refusal keeps what was typed', async () => {
  renderPage(<ApprovalsPage />, { api: [inbox(), refuses(DecideApproval, 'directory-busy')] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  await userEvent.click(screen.getByRole('button', { name: 'Deny' }));
  expect((await screen.findByRole('alert')).textContent).toContain('Microsoft Entra is busy');
  expect(reason().value).toBe('Known work');
});

test('verifying leads back here, and the reason is there again', async () => {
  const { unmount } = renderPage(<ApprovalsPage />, { api: [inbox(), refuses(DecideApproval, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' })] });
  await screen.findByRole('article');
  await userEvent.type(reason(), 'Known work');
  await userEvent.click(screen.getByRole('button', { name: 'Approve' }));
  expect((await screen.findByRole('link', { name: 'Verify' })).getAttribute('href')).toBe('/auth/sign-in?stepUp=1&returnTo=%2F');
  unmount();
  renderPage(<ApprovalsPage />, { api: [inbox()] });
  await screen.findByRole('article');
  expect(reason().value).toBe('Known work');
});

test('what was decided folds away below', async () => {
  renderPage(<ApprovalsPage />, { api: [answers(ListApprovals, { readAt: at(0), historyFrom: null, items: [], decided: [{ id: '1', decision: 'deny', justification: 'Not today', decidedAt: at(-5), requesterName: 'Ben Novak', groupName: 'FinReport' }] })] });
  const summary = await screen.findByText('Decided here in the last 7 days (1)');
  expect(summary.closest('details')?.open).toBe(false);
  expect(screen.getByText(/Ben Novak · FinReport · “Not today”/)).toBeTruthy();
});

const ID = (n: number): string => `d0000000-0000-4000-8000-00000000000${n}`;
const three = () => [approval({ id: ID(1), requesterName: 'Ben Novak' }), approval({ id: ID(2), requesterName: 'Chloé Lefèvre' }), approval({ id: ID(3), requesterName: 'Ana Costa' })];
const card = (name: string) => screen.findByRole('article', { name: new RegExp(`^${name}`) });

/** Decides each request by its id: some are refused. */
const decisions = (refusals: Readonly<Record<string, { code: ProblemCode; more?: object }>>): Handler => ({
  endpoint: DecideApproval,
  answer: ({ url, body }) => {
    const id = url.split('/')[3] ?? '';
    const refusal = refusals[id];
    if (!refusal) return Response.json({ id, decision: (body as { decision: string }).decision, decidedAt: at(0) });
    const { status, title } = PROBLEMS[refusal.code];
    return Response.json({ type: `urn:gatehouse:problem:${refusal.code}`, code: refusal.code, status, title, requestId: '4F2A91BC', ...refusal.more }, { status });
  },
});

describe('several at once', () => {
  const sent = (calls: readonly { endpoint: unknown; url: string; body: unknown }[]) => calls.filter(({ endpoint }) => endpoint === DecideApproval).map(({ url, body }) => ({ id: url.split('/')[3], ...(body as object) }));

  test('one request alone is not selected', async () => {
    renderPage(<ApprovalsPage />, { api: [inbox()] });
    await screen.findByRole('article');
    expect(screen.queryByRole('checkbox')).toBeNull();
  });

  test('what is selected is decided with one reason; each has its own end, and one that is refused stops no other', async () => {
    const decided = { by: 'Helena Kowalska', at: at(-1), decision: 'deny' as const, justification: null };
    const { calls, use } = renderPage(<ApprovalsPage />, { api: [inbox(three()), decisions({ [ID(1)]: { code: 'directory-busy', more: { detail: 'Nothing was changed.' } }, [ID(2)]: { code: 'already-decided', more: { decided } } })] });
    await card('Ben');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Select all' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'One reason for 3 requests' }), 'Known work');
    use(inbox([approval({ id: ID(1), requesterName: 'Ben Novak' }), approval({ id: ID(4), requesterName: 'Nora' })]));
    await userEvent.click(screen.getByRole('button', { name: 'Approve 3 requests' }));

    const news = await screen.findByRole('status');
    expect(news.textContent).toContain('Approved Ana Costa: Finance reports.');
    expect(news.textContent).toMatch(/Already decided by Helena Kowalska\. Chloé Lefèvre: Finance reports\. Helena Kowalska denied it (?:at|on 2 Mar 2026) \d\d:59\./);
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('1 request is not decided');
    expect(alert.textContent).toContain('Ben Novak: Finance reports. Microsoft Entra is busy. Nothing was changed. Ref 4F2A91BC');
    expect(alert.textContent).not.toContain('Chloé');
    expect(sent(calls)).toEqual([1, 2, 3].map((n) => ({ id: ID(n), decision: 'approve', justification: 'Known work' })));
    // What is left stays selected, what came meanwhile is not.
    await card('Nora');
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: /Select: Ben/ }).checked).toBe(true);
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: /Select: Nora/ }).checked).toBe(false);
  });

  test('only what is selected is decided, and not without a reason', async () => {
    const { calls } = renderPage(<ApprovalsPage />, { api: [inbox(three()), decisions({})] });
    await card('Ben');
    await userEvent.click(screen.getByRole('checkbox', { name: /Select: Chloé/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Deny 1 request' }));
    expect(await screen.findByText('Say in a few words why')).toBeTruthy();
    expect(sent(calls)).toEqual([]);
    await userEvent.type(screen.getByRole('textbox', { name: 'One reason for 1 request' }), 'Not today');
    await userEvent.click(screen.getByRole('button', { name: 'Deny 1 request' }));
    await screen.findByRole('status');
    expect(sent(calls)).toEqual([{ id: ID(2), decision: 'deny', justification: 'Not today' }]);
  });

  test.each<[string, () => Response]>([
    ['is learnt meanwhile', () => { setPageOf('somebody-else'); return Response.json({ id: ID(1), decision: 'approve', decidedAt: at(0) }); }],
    ['is what the portal says', () => Response.json({ type: 'x', code: 'signed-in-as-another', status: 409, title: 'Somebody else is signed in here by now', requestId: '4F2A91BC' }, { status: 409 })],
  ])('where another tab signed somebody else in, none of the rest is decided in their name: it %s', async (_how, first) => {
    onTestFinished(() => { setPageOf(undefined); });
    const { calls } = renderPage(<ApprovalsPage />, { api: [inbox(three()), { endpoint: DecideApproval, answer: first }] });
    await card('Ben');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Select all' }));
    await userEvent.type(screen.getByRole('textbox', { name: /One reason/ }), 'Known work');
    await userEvent.click(screen.getByRole('button', { name: 'Approve 3 requests' }));
    // It is over when the inbox is read again.
    await waitFor(() => { expect(calls.filter(({ endpoint }) => endpoint === ListApprovals)).toHaveLength(2); });
    expect(sent(calls).map(({ id }) => id)).toEqual([ID(1)]);
  });

  test('a verification is asked for once, and what is left is selected again after it', async () => {
    const { calls, unmount } = renderPage(<ApprovalsPage />, { api: [inbox(three()), decisions({ [ID(2)]: { code: 'step-up-required', more: { signInUrl: '/auth/sign-in?stepUp=1' } } })] });
    await card('Ben');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Select all' }));
    await userEvent.type(screen.getByRole('textbox', { name: /One reason/ }), 'Known work');
    await userEvent.click(screen.getByRole('button', { name: 'Approve 3 requests' }));
    expect(await screen.findByRole('link', { name: 'Verify' })).toBeTruthy();
    expect(sent(calls).map(({ id }) => id)).toEqual([ID(1), ID(2)]);
    unmount();
    const back = renderPage(<ApprovalsPage />, { api: [inbox(three().slice(1))] });
    await card('Chloé');
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'One reason for 2 requests' }).value).toBe('Known work');
    back.unmount();
    // It was for these and for then: nothing of it is offered for what comes later.
    renderPage(<ApprovalsPage />, { api: [inbox(three().slice(1))] });
    await card('Chloé');
    await userEvent.click(screen.getByRole('checkbox', { name: 'Select all' }));
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'One reason for 2 requests' }).value).toBe('');
  });
});

describe('the link of a notification', () => {
  test('opens with the focus on its request', async () => {
    renderPage(<ApprovalsPage />, { path: `/approvals?request=${ID(2).toUpperCase()}`, api: [inbox(three())] });
    const linked = await card('Chloé');
    await waitFor(() => { expect(document.activeElement).toBe(linked); });
  });

  test('says what became of a request that does not wait any more', async () => {
    const mine = { id: ID(1), decision: 'deny' as const, justification: 'Not today', decidedAt: at(-5), requesterName: 'Ben Novak', groupName: 'FinReport' };
    const { unmount } = renderPage(<ApprovalsPage />, { path: `/approvals?request=${ID(1)}`, api: [answers(ListApprovals, { readAt: at(0), historyFrom: null, items: [], decided: [mine] })] });
    expect((await screen.findByRole('status')).textContent).toMatch(/does not wait for you You denied it (?:at|on 2 Mar 2026) \d\d:55: “Not today”\./);
    unmount();
    renderPage(<ApprovalsPage />, { path: `/approvals?request=${ID(9)}`, api: [inbox(three())] });
    expect((await screen.findByRole('status')).textContent).toContain('It is decided, was taken back, has lapsed, or is for other approvers.');
  });
});

describe('notifications of this browser', () => {
  /** A browser's notifications: what was shown, and the answer to being asked. */
  function browser(permission: NotificationPermission, answer: NotificationPermission = permission) {
    const shown: { title: string; body: string | undefined; tag: string | undefined; click(): void }[] = [];
    const asked: string[] = [];
    class FakeNotification {
      static permission = permission;
      static async requestPermission(): Promise<NotificationPermission> {
        asked.push('asked');
        FakeNotification.permission = answer;
        return answer;
      }
      onclick: (() => void) | null = null;
      constructor(title: string, { body, tag }: NotificationOptions = {}) { shown.push({ title, body, tag, click: () => this.onclick?.() }); }
      close(): void {}
    }
    vi.stubGlobal('Notification', FakeNotification);
    return { shown, asked };
  }
  function Waiting() {
    return <output>{useWaitingApprovals()}</output>;
  }
  const again = () => userEvent.click(screen.getByRole('button', { name: 'Try again' }));

  test('are asked for on a click and at no other time', async () => {
    const { asked } = browser('default', 'granted');
    renderPage(<ApprovalsPage />, { api: [inbox()] });
    await screen.findByRole('article');
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Notify me in this browser' }));
    expect(asked).toEqual(['asked']);
    await userEvent.click(await screen.findByRole('button', { name: 'Stop notifying me here' }));
    expect(await screen.findByRole('button', { name: 'Notify me in this browser' })).toBeTruthy();
  });

  test('that the browser blocks are not offered', async () => {
    browser('denied');
    renderPage(<ApprovalsPage />, { api: [inbox()] });
    expect(await screen.findByText(/This browser blocks notifications/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: /Notify me/ })).toBeNull();
  });

  test.each([[true, 1], [false, 0]])('tell of what comes in, not of what waits already; wanted: %s', async (wanted, count) => {
    if (wanted) localStorage.setItem('gatehouse.notify', 'on');
    const { shown } = browser('granted');
    const items = three();
    const { use } = renderPage(<><Waiting /><ApprovalsPage /></>, { api: [refuses(ListApprovals, 'directory-unavailable')] });
    await screen.findByRole('alert');
    use(inbox(items.slice(0, 2)));
    await again();
    await card('Chloé');
    use(inbox(items), refuses(DecideApproval, 'directory-busy'));
    expect(shown).toEqual([]);
    // A decision, also one in vain, reads the list again.
    const first = within(await card('Ben'));
    await userEvent.type(first.getByRole('textbox'), 'Known work');
    await userEvent.click(first.getByRole('button', { name: 'Approve' }));
    await card('Ana');
    expect(shown).toHaveLength(count);
    if (!wanted) return;
    expect(shown[0]).toMatchObject({ title: 'Ana Costa asks for Finance reports', tag: ID(3), body: expect.stringMatching(/^For 30 min\. Lapses .*\. “Month-end close, INC-4711”$/) });
    shown[0]?.click();
    const linked = await card('Ana');
    await waitFor(() => { expect(document.activeElement).toBe(linked); });
  });

  test('that can be shown from service workers only take no page with them', async () => {
    localStorage.setItem('gatehouse.notify', 'on');
    let tried = 0;
    vi.stubGlobal('Notification', Object.assign(function () {
      tried += 1;
      throw new TypeError('Illegal constructor');
    }, { permission: 'granted' }));
    const items = three();
    const { use } = renderPage(<><Waiting /><ApprovalsPage /></>, { api: [inbox(items.slice(0, 2)), refuses(DecideApproval, 'directory-busy')] });
    const first = within(await card('Ben'));
    use(inbox(items));
    await userEvent.type(first.getByRole('textbox'), 'Known work');
    await userEvent.click(first.getByRole('button', { name: 'Approve' }));
    await card('Ana');
    expect([tried, screen.getByText('3').tagName]).toEqual([1, 'OUTPUT']);
  });
});
