import { AskForEligibility, CancelEligibilityRequest, DeactivateAccess, GetAccessRequest, KeepGoing, ListEndingEligibilities, ListMyAccess, ListOwnResidualAccess, RequestActivation, type AccessEntry, type EndingEligibility, type KeepGoingPlan } from '@gatehouse/contracts';
import { focusManager } from '@tanstack/react-query';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { draftsOf } from '../../lib/drafts.ts';
import { setPageOf } from '../../lib/api.ts';
import { at, entry, GROUP, myAccess, request, REQUEST } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits } from '../../testing/testing.tsx';
import { AccessPage } from './access-page.tsx';
import { armAsking } from './ask-when-ended.ts';
import { activationDraft } from './draft.ts';

const plan = (more: Partial<KeepGoingPlan> = {}): KeepGoingPlan => ({ way: 'now', message: null, possibleAt: null, minutes: 30, justification: 'Month-end close', ticketNumber: null, shortened: false, ...more });
const open = (more: Partial<AccessEntry> = {}): AccessEntry => entry({ active: { since: at(-20), endsAt: at(10), canEndAt: at(-15), memberAt: at(-1), permanent: false }, keepGoing: plan(), ...more });
const ending = (more: Partial<EndingEligibility> = {}): EndingEligibility => ({ groupId: GROUP, groupName: 'FinReport-SeniorAnalyst-SecureAccess', applications: entry().applications, endsAt: at(60 * 24 * 5), ended: false, ask: 'extend', message: null, maxDays: 180, asked: null, ...more });
const keepDraft = (body: { groupId: string; minutes: number; justification: string }, send: boolean) => { draftsOf(ANA.person?.id).keep(activationDraft(body.groupId), { body, send }); };
const listed = (...entries: AccessEntry[]) => answers(ListMyAccess, myAccess(entries));
const nothingEnds = answers(ListEndingEligibilities, { readAt: at(0), items: [], notKnown: [] });
const ends = (...items: EndingEligibility[]) => answers(ListEndingEligibilities, { readAt: at(0), items, notKnown: [] });
const nothingResidual = answers(ListOwnResidualAccess, { readAt: at(0), items: [] });
const page = (api: Parameters<typeof renderPage>[1], path?: string) => renderPage(<AccessPage />, { ...api, ...(path !== undefined && { path }) });
const bodies = (calls: { endpoint: { path: string }; body: unknown }[], path: string) => calls.filter(({ endpoint }) => endpoint.path === path).map(({ body }) => body);

afterEach(() => { focusManager.setFocused(undefined); });

describe('keep going', () => {
  const button = () => screen.findByRole('button', { name: /^Keep going/ });

  test('is offered in the last quarter or quarter of an hour, not before, and not where it cannot be', async () => {
    const { unmount } = page({ api: [nothingEnds, listed(open({ active: { since: at(-5), endsAt: at(25), canEndAt: at(0), memberAt: at(-1), permanent: false } }))] });
    await screen.findByRole('heading', { name: 'Finance reports' });
    expect(screen.queryByRole('button', { name: /^Keep going/ })).toBeNull();
    unmount();
    const again = page({ api: [nothingEnds, listed(open({ active: { since: at(-400), endsAt: at(80), canEndAt: at(-395), memberAt: at(-1), permanent: false } }))] });
    expect(await button()).toBeTruthy();
    again.unmount();
    page({ api: [nothingEnds, listed(open({ keepGoing: plan({ way: 'no' }) }))] });
    await screen.findByRole('heading', { name: 'Finance reports' });
    expect(screen.queryByRole('button', { name: /^Keep going/ })).toBeNull();
  });

  test('says what happens in between, and asks once', async () => {
    const { calls } = page({ api: [nothingEnds, listed(open({ keepGoing: plan({ message: 'Your eligibility ends soon, so that the new activation has 18 min.', minutes: 18 }) })), answers(KeepGoing, { groupId: GROUP, state: 'asked', endedAt: at(0), requestId: REQUEST, message: 'Your membership has ended, and the new activation is asked for.' })] });
    await userEvent.click(await button());
    const dialog = within(screen.getByRole('dialog'));
    expect(dialog.getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual(['Your membership of FinReport-SeniorAnalyst-SecureAccess ends now.', 'For some seconds you are out: what you open then may be refused.', 'A new activation begins, for 18 min.']);
    expect(dialog.getByText(/has 18 min/)).toBeTruthy();
    expect(bodies(calls, KeepGoing.path)).toEqual([]);
    await userEvent.click(dialog.getByRole('button', { name: 'End and activate again' }));
    expect(await screen.findByText('Finance reports: Your membership has ended, and the new activation is asked for.')).toBeTruthy();
    expect(bodies(calls, KeepGoing.path)).toEqual([{ groupId: GROUP, minutes: 18, justification: 'Month-end close' }]);
  });

  test('within the floor, and where approval is needed, nothing can be ended: only asking once it has ended is offered', async () => {
    for (const keepGoing of [plan({ possibleAt: at(3), message: 'PIM ends no membership in its first 5 min.' }), plan({ way: 'when-ended', message: 'You would be out until Omar Haddad decides.' })]) {
      const { calls, unmount } = page({ api: [nothingEnds, listed(open({ keepGoing }))] });
      await userEvent.click(await button());
      expect(screen.queryByRole('button', { name: 'End and activate again' })).toBeNull();
      expect(screen.getByText(keepGoing.message ?? '')).toBeTruthy();
      await userEvent.click(screen.getByRole('button', { name: 'Ask again when it ends' }));
      expect(await screen.findByText('This tab asks again once it has ended: keep the page open.')).toBeTruthy();
      expect(bodies(calls, KeepGoing.path)).toEqual([]);
      await userEvent.click(screen.getByRole('button', { name: 'Do not ask again for Finance reports' }));
      expect(screen.queryByText(/This tab asks again once/)).toBeNull();
      unmount();
    }
  });

  test('asks by itself once it has ended, once; not while it is open, and not long after', async () => {
    const wish = { body: { groupId: GROUP, minutes: 30, justification: 'Month-end close' }, title: 'Finance reports' };
    armAsking(ANA.person?.id, wish);
    const asked = answers(RequestActivation, request({ state: 'awaiting-approval' }));
    const { calls, unmount } = page({ api: [nothingEnds, listed(open()), asked] });
    await screen.findByRole('region', { name: 'Open now' });
    expect(bodies(calls, RequestActivation.path)).toEqual([]);
    unmount();
    const next = page({ api: [nothingEnds, nothingResidual, listed(entry({ ended: { at: at(-1), networkMayStayOpenUntil: at(89) } })), asked] });
    expect(await screen.findByText('Finance reports: it ended and was asked for again; it waits for approval.')).toBeTruthy();
    expect(bodies(next.calls, RequestActivation.path)).toEqual([wish.body]);
    next.unmount();
    armAsking(ANA.person?.id, wish);
    const late = page({ api: [nothingEnds, nothingResidual, listed(entry({ ended: { at: at(-30), networkMayStayOpenUntil: at(60) } }))] });
    expect(await screen.findByText(/this tab did not ask again in time/)).toBeTruthy();
    expect(bodies(late.calls, RequestActivation.path)).toEqual([]);
  });

  test('asks also where nobody looks at the tab, each by itself: one has its news, of the other what was typed goes out after verifying', async () => {
    // Over by the clock: the page looks again within seconds.
    const both = ['First', 'Second'].map((groupName, index) => open({ groupId: `f0000000-0000-4000-8000-00000000000${index + 1}`, groupName, applications: [], active: { since: at(-20), endsAt: at(0), canEndAt: at(-15), memberAt: at(-19), permanent: false } }));
    const over = both.map((one) => ({ ...one, active: null, keepGoing: null, ended: { at: at(0), networkMayStayOpenUntil: at(90) } }));
    const wishes = both.map(({ groupId, groupName }) => ({ groupId, minutes: 30, justification: `For ${groupName}` }));
    for (const [index, body] of wishes.entries()) armAsking(ANA.person?.id, { body, title: both[index]?.groupName ?? '' });
    const { calls, use, unmount } = page({ api: [nothingEnds, nothingResidual, listed(...both)] });
    expect(await screen.findAllByText('This tab asks again once it has ended: keep the page open.')).toHaveLength(2);
    focusManager.setFocused(false);
    use(listed(...over), {
      endpoint: RequestActivation,
      answer: (seen) => ((seen.body as { groupId: string }).groupId === GROUP ? answers(RequestActivation, request()) : refuses(RequestActivation, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' })).answer(seen),
    });
    expect(await screen.findByText('First: it ended and was asked for again.', {}, { timeout: 12_000 })).toBeTruthy();
    const verify = (await screen.findByRole('link', { name: 'Verify and activate' })).getAttribute('href') ?? '';
    expect(bodies(calls, RequestActivation.path)).toEqual(wishes);
    unmount();

    const back = page({ api: [nothingEnds, nothingResidual, listed(...over), answers(RequestActivation, request({ groupId: wishes[1]?.groupId ?? '' })), waits(GetAccessRequest)] }, decodeURIComponent(verify.split('returnTo=')[1] ?? ''));
    await waitFor(() => { expect(bodies(back.calls, RequestActivation.path)).toEqual([wishes[1]]); });
  });

  test('a stronger sign-in comes before anything ends, and leads back to the dialog', async () => {
    const assign = vi.fn<(url: string) => void>();
    const left = page({ api: [nothingEnds, listed(open()), refuses(KeepGoing, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=x' })] });
    await userEvent.click(await button());
    await userEvent.type(screen.getByRole('textbox', { name: /^Why/ }), ', second week');
    await userEvent.click(screen.getByRole('button', { name: 'End and activate again' }));
    expect((await screen.findByRole('alert')).textContent).toContain('Nothing has ended');
    vi.stubGlobal('location', { assign, pathname: '/access', search: '' });
    await userEvent.click(screen.getByRole('button', { name: 'Verify' }));
    expect(assign).toHaveBeenCalledWith(`/auth/sign-in?stepUp=x&returnTo=${encodeURIComponent(`/access?keep=${GROUP}`)}`);
    left.unmount();
    page({ api: [nothingEnds, listed(open())] }, `/access?keep=${GROUP}`);
    expect((await screen.findByRole<HTMLInputElement>('textbox', { name: /^Why/ })).value).toBe('Month-end close, second week');
  });

  test('after verifying, what was typed is in the dialog; where the access has ended meanwhile, in the form that activates it', async () => {
    const typed = { groupId: GROUP, minutes: 30, justification: 'Month-end close, second week' };
    keepDraft(typed, false);
    const { unmount, calls } = page({ api: [nothingEnds, listed(open())] }, `/access?keep=${GROUP}`);
    expect((await screen.findByRole<HTMLInputElement>('textbox', { name: /^Why/ })).value).toBe(typed.justification);
    expect(screen.getByRole('button', { name: 'End and activate again' })).toBeTruthy();
    unmount();

    keepDraft(typed, false);
    const later = page({ api: [nothingEnds, nothingResidual, listed(entry({ ended: { at: at(-1), networkMayStayOpenUntil: at(89) } }))] }, `/access?keep=${GROUP}`);
    expect((await screen.findByRole<HTMLInputElement>('textbox', { name: /^Why/ })).value).toBe(typed.justification);
    expect(screen.getByRole('button', { name: 'Activate' }), 'nothing goes out by itself').toBeTruthy();
    for (const one of [calls, later.calls]) expect([...bodies(one, KeepGoing.path), ...bodies(one, RequestActivation.path)]).toEqual([]);
  });

  test('is open again after verifying, and has sent nothing', async () => {
    const { calls } = page({ api: [nothingEnds, listed(open())] }, `/access?keep=${GROUP}`);
    expect(await screen.findByRole('button', { name: 'End and activate again' })).toBeTruthy();
    expect(bodies(calls, KeepGoing.path)).toEqual([]);
  });

  test('what stopped on the way is said first, and goes on with one button', async () => {
    const unfinished = { state: 'ended' as const, askedAt: at(-2), endedAt: at(-1), minutes: 30, justification: 'Month-end close', busy: false, message: 'Your membership has ended, and the new activation was not asked for: ask now.' };
    const { calls, use } = page({ api: [nothingEnds, listed(entry({ unfinished })), refuses(KeepGoing, 'keep-going-refused', { detail: 'The new activation was not taken.' })] });
    const region = within(await screen.findByRole('region', { name: 'Stopped on the way' }));
    expect(region.getByText('You are out')).toBeTruthy();
    expect(region.getByText(unfinished.message)).toBeTruthy();
    await userEvent.click(region.getByRole('button', { name: 'Ask now: Finance reports' }));
    expect((await region.findByRole('alert')).textContent).toContain('The new activation was not taken.');
    use(listed(entry({ unfinished: { ...unfinished, busy: true } })), answers(KeepGoing, { groupId: GROUP, state: 'ended', endedAt: at(-1), requestId: null, message: 'Under way.' }));
    await userEvent.click(region.getByRole('button', { name: 'Ask now: Finance reports' }));
    expect(await region.findByText('Under way')).toBeTruthy();
    expect(region.queryByRole('button', { name: /^Ask now/ })).toBeNull();
    expect(bodies(calls, KeepGoing.path)).toHaveLength(2);
  });
});

describe('an eligibility that ends', () => {
  test('the row says when, and asks with a reason; then that an administrator decides', async () => {
    const { calls, use } = page({ api: [listed(entry()), ends(ending()), answers(AskForEligibility, ending({ ask: null }))] });
    expect(await screen.findByText(/^Eligibility ends .+, in 5 days$/)).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Ask to extend: Finance reports' }));
    const dialog = within(screen.getByRole('dialog'));
    expect(dialog.getAllByRole('option').map(({ textContent }) => textContent)).toEqual(['30 days', '90 days', '180 days']);
    await userEvent.click(dialog.getByRole('button', { name: 'Ask' }));
    expect(await dialog.findByText('Say in a few words why you need it')).toBeTruthy();
    expect(bodies(calls, AskForEligibility.path)).toEqual([]);
    await userEvent.type(dialog.getByRole('textbox', { name: /^Why/ }), 'Still on the rota');
    use(ends(ending({ ask: null, asked: { id: REQUEST, at: at(0), until: at(60 * 24 * 95), justification: 'Still on the rota', state: 'waiting' } })));
    await userEvent.click(dialog.getByRole('button', { name: 'Ask' }));
    expect(await screen.findByText(/an administrator decides\.$/)).toBeTruthy();
    expect(bodies(calls, AskForEligibility.path)).toEqual([{ groupId: GROUP, days: 90, justification: 'Still on the rota' }]);
    expect(screen.queryByRole('button', { name: /^Ask to extend/ })).toBeNull();
  });

  test('the dialog and what is typed stay when the row goes to another list', async () => {
    // Over by the clock: the page looks again within seconds.
    const { use } = page({ api: [nothingResidual, listed(open({ active: { since: at(-20), endsAt: at(0), canEndAt: at(-15), memberAt: at(-19), permanent: false } })), ends(ending())] });
    await screen.findByRole('list', { name: 'Open now' });
    await userEvent.click(await screen.findByRole('button', { name: 'Ask to extend: Finance reports' }));
    await userEvent.type(screen.getByRole('textbox', { name: /^Why/, hidden: true }), 'Still on the rota');
    use(listed(entry({ ended: { at: at(0), networkMayStayOpenUntil: at(90) } })));
    expect(await screen.findByRole('list', { name: 'You may open', hidden: true }, { timeout: 12_000 })).toBeTruthy();
    expect(screen.getByRole<HTMLTextAreaElement>('textbox', { name: /^Why/, hidden: true }).value).toBe('Still on the rota');
  });

  test('what waits for an administrator is taken back with one button; a refusal is told', async () => {
    const waiting = ending({ ask: null, asked: { id: REQUEST, at: at(-5), until: null, justification: 'Still on the rota', state: 'waiting' } });
    const { calls, use } = page({ api: [listed(entry()), ends(waiting), refuses(CancelEligibilityRequest, 'eligibility-refused', { detail: 'Microsoft Entra does not let you take this back yourself.' })] });
    const take = await screen.findByRole('button', { name: 'Take back what you asked: Finance reports' });
    await userEvent.click(take);
    expect((await screen.findByRole('alert')).textContent).toContain('does not let you take this back yourself');
    use(answers(CancelEligibilityRequest, { requestId: REQUEST, groupId: GROUP }), ends(ending()));
    await userEvent.click(take);
    expect(await screen.findByRole('button', { name: 'Ask to extend: Finance reports' })).toBeTruthy();
    expect(document.activeElement, 'the button that had the focus is gone').toBe(screen.getByRole('heading', { level: 1 }));
    expect(calls.filter(({ endpoint }) => endpoint === CancelEligibilityRequest)).toHaveLength(2);
  });

  test('one that has ended is asked for anew, a refusal is told in the dialog, and where it cannot be asked whom to ask', async () => {
    page({ api: [listed(), ends(ending({ ended: true, ask: 'renew', endsAt: at(-60 * 24 * 3) }), ending({ groupId: '2', applications: [], groupName: 'Team-Group', ask: null, ended: true, message: 'Ask Maya Lindqvist, who owns the group.' })), refuses(AskForEligibility, 'eligibility-refused', { detail: 'Microsoft Entra does not let you ask for this yourself.' })] });
    const region = within(await screen.findByRole('region', { name: 'Eligibility ended' }));
    expect(region.getByText('Ask Maya Lindqvist, who owns the group.')).toBeTruthy();
    expect(region.getAllByRole('button', { name: /^Ask/ })).toHaveLength(1);
    await userEvent.click(region.getByRole('button', { name: 'Ask to renew: Finance reports' }));
    await userEvent.type(screen.getByRole('textbox', { name: /^Why/ }), 'Back again');
    await userEvent.click(screen.getByRole('button', { name: 'Ask' }));
    expect((await screen.findByRole('alert')).textContent).toContain('does not let you ask for this yourself');
  });

  test('what was typed to ask is there again after verifying, for this person alone', async () => {
    const ask = async () => {
      await userEvent.click(await screen.findByRole('button', { name: 'Ask to extend: Finance reports' }));
      return screen.findByRole<HTMLTextAreaElement>('textbox', { name: /^Why/ });
    };
    const { unmount } = page({ api: [listed(entry()), ends(ending()), refuses(AskForEligibility, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' })] });
    await userEvent.type(await ask(), 'Still on the rota');
    await userEvent.selectOptions(screen.getByRole('combobox'), '30');
    await userEvent.click(screen.getByRole('button', { name: 'Ask' }));
    expect(await screen.findByRole('link', { name: 'Verify' })).toBeTruthy();
    unmount();
    const other = page({ session: { ...ANA, person: ANA.person && { ...ANA.person, id: 'b' } }, api: [listed(entry()), ends(ending())] });
    expect((await ask()).value).toBe('');
    other.unmount();
    page({ api: [listed(entry()), ends(ending())] });
    expect((await ask()).value).toBe('Still on the rota');
    expect(screen.getByRole<HTMLSelectElement>('combobox').value).toBe('30');
  });

  test('what could not be read is said', async () => {
    page({ api: [listed(entry()), refuses(ListEndingEligibilities, 'directory-unavailable')] });
    expect(await screen.findByText('Which of your eligibilities end soon could not be read.')).toBeTruthy();
  });
});

describe('ending several', () => {
  const three = [
    open({ groupId: '1', applications: [], groupName: 'First' }), open({ groupId: '2', applications: [], groupName: 'Second' }),
    open({ groupId: '3', applications: [], groupName: 'Young', active: { since: at(-2), endsAt: at(28), canEndAt: at(3), memberAt: at(-1), permanent: false } }),
    open({ groupId: '4', applications: [], groupName: 'Assigned', active: { since: null, endsAt: null, canEndAt: null, memberAt: at(-1), permanent: true }, keepGoing: null }),
  ];

  test('one confirmation, one after the other, each with what came of it; the young one says from when', async () => {
    const { calls } = page({ api: [nothingEnds, listed(...three), {
      endpoint: DeactivateAccess,
      answer: ({ body }) => ((body as { groupId: string }).groupId === '1'
        ? Response.json({ groupId: '1', endedAt: at(0), networkMayStayOpenUntil: at(90), provedGone: true })
        : Response.json({ type: 'x', code: 'deactivation-refused', status: 409, title: 'No', detail: 'Microsoft Entra does not end this membership now.', requestId: 'R' }, { status: 409 })),
    }] });
    await userEvent.click(await screen.findByRole('button', { name: 'End several…' }));
    const dialog = within(screen.getByRole('dialog'));
    expect(dialog.getAllByRole('checkbox').map((box) => [box.getAttribute('id') !== null, (box as HTMLInputElement).checked, (box as HTMLInputElement).disabled])).toEqual([[true, true, false], [true, true, false], [true, false, true]]);
    expect(dialog.getByText(/^from .+, in 0[23]:\d\d$/)).toBeTruthy();
    expect(dialog.queryByText('Assigned')).toBeNull();
    await userEvent.click(dialog.getByRole('button', { name: 'Deactivate 2' }));
    expect(await dialog.findByText(/^Ended at/)).toBeTruthy();
    expect(await dialog.findByText('Microsoft Entra does not end this membership now.')).toBeTruthy();
    expect(bodies(calls, DeactivateAccess.path)).toEqual([{ groupId: '1' }, { groupId: '2' }]);
    await waitFor(() => { expect(dialog.getByRole('button', { name: 'Close' })).toBeTruthy(); });
  });

  test('where another tab signed somebody else in, nothing more is ended in their name', async () => {
    onTestFinished(() => { setPageOf(undefined); });
    const { calls } = page({ api: [nothingEnds, listed(...three), answers(DeactivateAccess, () => { setPageOf('somebody-else'); return { groupId: '1', endedAt: at(0), networkMayStayOpenUntil: at(90), provedGone: true }; })] });
    await userEvent.click(await screen.findByRole('button', { name: 'End several…' }));
    const dialog = within(screen.getByRole('dialog'));
    await userEvent.click(dialog.getByRole('button', { name: 'Deactivate 2' }));
    await waitFor(() => { expect(dialog.getByRole('button', { name: 'Close' })).toBeTruthy(); });
    expect(bodies(calls, DeactivateAccess.path)).toEqual([{ groupId: '1' }]);
  });

  test('only what is chosen, and nothing is offered for one alone', async () => {
    const { calls, unmount } = page({ api: [nothingEnds, listed(...three), answers(DeactivateAccess, { groupId: '2', endedAt: at(0), networkMayStayOpenUntil: at(90), provedGone: true })] });
    await userEvent.click(await screen.findByRole('button', { name: 'End several…' }));
    await userEvent.click(screen.getByRole('checkbox', { name: 'First' }));
    await userEvent.click(screen.getByRole('button', { name: 'Deactivate 1' }));
    await screen.findByText(/^Ended at/);
    expect(bodies(calls, DeactivateAccess.path)).toEqual([{ groupId: '2' }]);
    unmount();
    page({ api: [nothingEnds, listed(open())] });
    await screen.findByRole('heading', { name: 'Finance reports' });
    expect(screen.queryByRole('button', { name: 'End several…' })).toBeNull();
  });

  test('what came of each can be read also when nothing is open any more', async () => {
    const two = three.slice(0, 2);
    const { use } = page({ api: [nothingEnds, nothingResidual, listed(...two)] });
    await userEvent.click(await screen.findByRole('button', { name: 'End several…' }));
    const over = two.map((one) => ({ ...one, active: null, keepGoing: null, ended: { at: at(0), networkMayStayOpenUntil: at(90) } }));
    use(listed(...over), answers(DeactivateAccess, ({ body }) => ({ groupId: (body as { groupId: string }).groupId, endedAt: at(0), networkMayStayOpenUntil: at(90), provedGone: true })));
    await userEvent.click(screen.getByRole('button', { name: 'Deactivate 2' }));
    await waitFor(() => { expect(screen.queryByRole('list', { name: 'Open now', hidden: true })?.closest('[role="dialog"]')).toBeTruthy(); });
    expect(await screen.findAllByText(/^Ended at/)).toHaveLength(2);
  });
});

test('what is scheduled counts down to its start', async () => {
  page({ api: [nothingEnds, listed(entry({ request: request({ state: 'scheduled', startsAt: at(60) }) }))] });
  expect((await screen.findByText(/^Starts in/)).textContent).toMatch(/^Starts in (01:00:00|00:59:5\d)$/);
  expect(screen.getByRole('button', { name: 'Cancel the request for Finance reports' })).toBeTruthy();
});
