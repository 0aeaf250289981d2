import { CancelAccessRequest, CheckActivation, type CurrentAccess, DeactivateAccess, EndOwnResidualAccess, GetAccessRequest, ListMyAccess, ListOwnResidualAccess, RequestActivation, SetFavourite } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import { draftsOf } from '../../lib/drafts.ts';
import { at, entry, GROUP, myAccess, request, REQUEST } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits } from '../../testing/testing.tsx';
import { AccessPage } from './access-page.tsx';
import { activationDraft } from './draft.ts';

const keepDraft = (body: { groupId: string; minutes: number; justification: string }, send: boolean) => { draftsOf(ANA.person?.id).keep(activationDraft(body.groupId), { body, send }); };
const listed = (...entries: ReturnType<typeof entry>[]) => answers(ListMyAccess, myAccess(entries));
const residual = (...items: CurrentAccess[]) => answers(ListOwnResidualAccess, { readAt: at(0), items });
const why = () => screen.findByRole<HTMLInputElement>('textbox', { name: /^Why/ });
const posts = (calls: { endpoint: { method: string } }[]) => calls.filter(({ endpoint }) => endpoint.method === 'POST');
const open = async () => {
  await userEvent.click(await screen.findByRole('button', { name: 'Activate Finance reports' }));
  return why();
};
const send = () => userEvent.click(screen.getByRole('button', { name: 'Activate' }));

/** What the browser is sent to; jsdom itself goes nowhere. */
function watchNavigation() {
  const assign = vi.fn<(url: string) => void>();
  vi.stubGlobal('location', { assign, pathname: '/access', search: '', href: 'http://localhost/access', origin: 'http://localhost' });
  return assign;
}

describe('the list', () => {
  test('shows that it is reading', async () => {
    renderPage(<AccessPage />, { api: [waits(ListMyAccess)] });
    expect(await screen.findByLabelText('Reading')).toBeTruthy();
  });

  test('a refusal is not an empty list, and can be tried again', async () => {
    const { use } = renderPage(<AccessPage />, { api: [refuses(ListMyAccess, 'directory-unavailable')] });
    expect((await screen.findByRole('alert')).textContent).toContain('Microsoft Entra does not answer');
    expect(screen.queryByText(/You are not eligible/)).toBeNull();
    use(listed(entry()));
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('heading', { name: 'Finance reports' })).toBeTruthy();
  });

  test('an empty list teaches; one that could not be read does not claim to be empty', async () => {
    const { unmount } = renderPage(<AccessPage />, { api: [listed()] });
    expect(await screen.findByText('You are not eligible for any application')).toBeTruthy();
    unmount();
    renderPage(<AccessPage />, { api: [answers(ListMyAccess, myAccess([], ['What you are eligible for could not be read.']))] });
    expect(await screen.findByText('What you are eligible for could not be read.')).toBeTruthy();
    expect(screen.queryByText('You are not eligible for any application')).toBeNull();
  });

  test('each access stands where it belongs, told by application and hosts', async () => {
    renderPage(<AccessPage />, { api: [listed(
      entry({ groupId: '1', applications: [], groupName: 'Open-Group', active: { since: at(-10), endsAt: at(20), canEndAt: at(-5), memberAt: at(-1), permanent: false } }),
      entry({ groupId: '2', applications: [], groupName: 'Waiting-Group', request: request({ state: 'awaiting-approval', lapsesAt: at(60 * 24) }) }),
      entry({ groupId: '3' }),
      entry({ groupId: '4', applications: [], groupName: 'Ended-Group', ended: { at: at(-30), networkMayStayOpenUntil: at(60) } }),
      entry({ groupId: '5', applications: [], groupName: 'Long-Ended-Group', ended: { at: at(-95), networkMayStayOpenUntil: at(-5) } }),
    ), residual()] });
    const section = async (name: string) => within(await screen.findByRole('region', { name })).getAllByRole('heading', { level: 3 }).map((heading) => heading.textContent);
    expect(await section('Open now')).toEqual(['Open-Group']);
    expect(await section('Waiting')).toEqual(['Waiting-Group']);
    expect(await section('You may open')).toEqual(['Finance reports', 'Ended-Group', 'Long-Ended-Group']);
    expect(await section('Ended, network may stay open')).toEqual(['Ended-Group']);
    expect(screen.getByText('fin-rep.corp.contoso.example : 443, 3389')).toBeTruthy();
    expect(document.title).toMatch(/^(20:00|19:5\d) left · My access/);
  });

  test.each([
    ['the directory shows it', { memberAt: at(-9) }, 'Open', /^Member since /],
    ['only PIM says so', { memberAt: null }, 'Activated', /^Activated .+ · the directory does not show you as a member yet · ends /],
    ['only PIM says that it was assigned', { memberAt: null, permanent: true }, 'Assigned', /^Assigned .+ · the directory does not show you as a member yet/],
  ])('a row says no more than is proved: %s', async (_what, more, word, line) => {
    renderPage(<AccessPage />, { api: [listed(entry({ active: { since: at(-10), endsAt: at(20), canEndAt: at(-5), permanent: false, ...more } })), residual()] });
    const row = within(await screen.findByRole('list', { name: 'Open now' }));
    expect(row.getByText(word)).toBeTruthy();
    expect(row.getByText(line)).toBeTruthy();
    if (more.memberAt === null) expect(row.queryByText(/^Open$|Member since/)).toBeNull();
  });

  test('how old it is stands on the page, and it is read anew when asked for; the poll alone asks for no reading', async () => {
    const { calls, use } = renderPage(<AccessPage />, { api: [answers(ListMyAccess, { ...myAccess([entry()]), readAt: at(-4) }), residual()] });
    expect(await screen.findByText('Read from Microsoft Entra 4 min ago, with what you did here since. A change made elsewhere may be missing.')).toBeTruthy();
    const asked = () => calls.filter(({ endpoint }) => endpoint === ListMyAccess).map(({ url }) => url.split('?')[1]);
    expect(asked()).toEqual([undefined]);
    use(refuses(ListMyAccess, 'directory-busy'));
    await userEvent.click(screen.getByRole('button', { name: 'Refresh' }));
    expect(await screen.findByRole('alert')).toBeTruthy();
    expect(screen.getByText(/4 min ago/), 'it is no younger for that').toBeTruthy();
    use(answers(ListMyAccess, myAccess([entry({ applications: [], groupName: 'New-Group' })])));
    await userEvent.click(screen.getByRole('button', { name: 'Refresh' }));
    expect(await screen.findByRole('heading', { name: 'New-Group' })).toBeTruthy();
    expect(screen.getByText('Read from Microsoft Entra just now.')).toBeTruthy();
    expect(asked()).toEqual([undefined, 'fresh=yes', 'fresh=yes']);
  });

  test('the search finds by host and port in all of the page, opens the first that it finds, and says what it does not find', async () => {
    const active = { since: at(-10), endsAt: at(20), canEndAt: at(-5), memberAt: at(-1), permanent: false };
    renderPage(<AccessPage />, { api: [listed(entry(), entry({ groupId: '2', applications: [], groupName: 'Payroll-Operator' }), entry({ groupId: '3', applications: [], groupName: 'Fin-rep.corp-Owner', active }))] });
    await screen.findByRole('heading', { name: 'Payroll-Operator' });
    await userEvent.keyboard('/');
    const search = screen.getByRole<HTMLInputElement>('searchbox', { name: 'Search applications, hosts and groups' });
    expect(document.activeElement).toBe(search);
    await userEvent.keyboard('FIN-REP.corp');
    expect(screen.queryByRole('heading', { name: 'Payroll-Operator' })).toBeNull();
    expect(screen.getByRole('heading', { name: 'Fin-rep.corp-Owner' })).toBeTruthy();
    await userEvent.keyboard('.contoso.example:3389');
    expect(screen.queryByRole('heading', { name: 'Fin-rep.corp-Owner' })).toBeNull();
    await userEvent.keyboard('-nothing');
    expect(screen.getByText('Nothing that is yours matches “FIN-REP.corp.contoso.example:3389-nothing”.')).toBeTruthy();
    await userEvent.keyboard('{Enter}');
    expect(screen.queryByRole('dialog')).toBeNull();
    await userEvent.clear(search);
    await userEvent.type(search, 'finance reports{Enter}');
    expect(await screen.findByRole('heading', { name: 'Activate: Finance reports' })).toBeTruthy();
  });

  test('what is searched for takes no reminder away: what is open ends all the same', async () => {
    vi.stubGlobal('Notification', { permission: 'granted', requestPermission: async () => 'granted' });
    const active = { since: at(-10), endsAt: at(20), canEndAt: at(-5), memberAt: at(-1), permanent: false };
    renderPage(<AccessPage />, { api: [listed(entry({ active }), entry({ groupId: '2', applications: [], groupName: 'Payroll-Operator' }))] });
    await userEvent.click(await screen.findByRole('checkbox', { name: 'Remind me before it ends' }));
    await userEvent.type(screen.getByRole('searchbox'), 'payroll');
    expect(screen.queryByRole('heading', { name: 'Finance reports' })).toBeNull();
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'Remind me before it ends' }).checked).toBe(true);
  });

  test('favourites come first, then what was used lately; the star moves at once', async () => {
    const plain = (groupId: string, groupName: string, more: object = {}) => entry({ groupId, groupName, applications: [], ...more });
    const entries = [plain('1', 'A'), plain('2', 'B', { lastAskedAt: at(-60 * 24 * 40) }), plain('3', 'C', { lastAskedAt: at(-60) }), plain('4', 'D', { favourite: true })];
    const { calls } = renderPage(<AccessPage />, { api: [listed(...entries), waits(SetFavourite)] });
    const names = async () => within(await screen.findByRole('list', { name: 'You may open' })).getAllByRole('heading').map((heading) => heading.textContent);
    expect(await names()).toEqual(['D', 'C', 'A', 'B']);
    await userEvent.click(screen.getByRole('button', { name: 'Favourite: A' }));
    expect(await names()).toEqual(['A', 'D', 'C', 'B']);
    expect(screen.getByRole('button', { name: 'Favourite: A' }).getAttribute('aria-pressed')).toBe('true');
    expect(posts(calls)).toMatchObject([{ body: { groupId: '1', favourite: true } }]);
  });

  test('only the demo offers to try a connection, and never to a wildcard or a range', async () => {
    const wide = entry({ groupId: '2', applications: [{ id: 'b', displayName: 'Build servers', kind: 'per-app', assignmentRequired: true, segments: [{ host: '*.build.corp', ports: ['22'], protocol: 'tcp' }, { host: '10.20.0.0/24', ports: ['22'], protocol: 'tcp' }] }] });
    const { unmount } = renderPage(<AccessPage />, { api: [listed(entry(), wide)] });
    await screen.findByRole('heading', { name: 'Finance reports' });
    expect(screen.queryByRole('link', { name: /Try to connect/ })).toBeNull();
    unmount();
    renderPage(<AccessPage />, { session: { ...ANA, demo: { clockAheadSeconds: 0, privateResourceUrl: 'http://127.0.0.1:9/private/' } }, api: [listed(entry(), wide)] });
    const links = await screen.findAllByRole('link', { name: /Try to connect/ });
    expect(links.map((link) => [link.getAttribute('href'), link.getAttribute('rel'), link.getAttribute('target')])).toEqual([443, 3389].map((port) => [`http://127.0.0.1:9/private/fin-rep.corp.contoso.example:${port}`, 'noreferrer', '_blank']));
  });
});

describe('activating', () => {
  test('the reason has the focus, the last one is offered, and Enter sends', async () => {
    const { calls } = renderPage(<AccessPage />, { api: [listed(entry({ lastJustification: 'Month-end close' })), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    const field = await open();
    expect(document.activeElement).toBe(field);
    expect(field.value).toBe('Month-end close');
    await userEvent.keyboard('Quarter close{Enter}');
    expect(await screen.findByRole('list', { name: 'Your request for 30 min' })).toBeTruthy();
    expect(posts(calls)).toMatchObject([{ body: { groupId: GROUP, minutes: 30, justification: 'Quarter close' } }]);
    await userEvent.keyboard('{Escape}');
    await waitFor(() => { expect(screen.queryByRole('dialog')).toBeNull(); });
    await waitFor(() => { expect(document.activeElement?.getAttribute('aria-label')).toBe('Activate Finance reports'); });
  });

  test('a double click asks once', async () => {
    const { calls } = renderPage(<AccessPage />, { api: [listed(entry()), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    await userEvent.type(await open(), 'Close');
    const button = screen.getByRole('button', { name: 'Activate' });
    // Both in one turn: React draws the button as busy only after it.
    button.click();
    button.click();
    expect(await screen.findByRole('list', { name: 'Your request for 30 min' })).toBeTruthy();
    expect(posts(calls)).toHaveLength(1);
  });

  test('a request that was asked for elsewhere is followed until it can be used', async () => {
    const { use } = renderPage(<AccessPage />, { path: `/access?activate=${GROUP}`, api: [listed(entry({ request: request() })), answers(GetAccessRequest, request())] });
    const timeline = await screen.findByRole('list', { name: 'Your request for 30 min' });
    const member = request({ state: 'active', provisionedAt: at(1), memberAt: at(1) });
    use(listed(entry({ request: member, active: { since: at(1), endsAt: at(31), canEndAt: at(6), permanent: false, memberAt: at(1) } })), answers(GetAccessRequest, member));
    window.dispatchEvent(new Event('visibilitychange'));
    expect(await screen.findByRole('list', { name: 'Open now', hidden: true })).toBeTruthy();
    expect(await within(timeline).findByText(/the directory shows it/, {}, { timeout: 4000 })).toBeTruthy();
    expect(screen.queryByText(/You have this access until/)).toBeNull();
  });

  test('where it is usable and refused all the same, one click looks for why', async () => {
    const member = request({ state: 'active', provisionedAt: at(-3), memberAt: at(-2) });
    renderPage(<AccessPage />, { path: `/access?activate=${GROUP}`, api: [listed(entry({ request: request() })), answers(GetAccessRequest, member)] });
    expect((await screen.findByRole('link', { name: 'Check my path' })).getAttribute('href')).toBe('/doctor?to=fin-rep.corp.contoso.example%3A443');
  });

  test('what the policy asks for is said before, and missing reason and minutes at their fields', async () => {
    const { calls } = renderPage(<AccessPage />, { api: [listed(entry())] });
    await open();
    expect(screen.getByText('Policy asks: MFA · reason · no approval')).toBeTruthy();
    await userEvent.click(screen.getByRole('radio', { name: 'Other' }));
    const minutes = screen.getByRole('spinbutton', { name: 'Minutes' });
    await userEvent.clear(minutes);
    await userEvent.type(minutes, '45');
    await send();
    expect(await screen.findByText('Say in a few words why you need it')).toBeTruthy();
    expect(screen.getByText('This access allows 30 min at the most')).toBeTruthy();
    expect(posts(calls)).toEqual([]);
  });

  test('the last duration is offered, as far as the policy still allows it', async () => {
    const { policy } = entry();
    const { calls, unmount } = renderPage(<AccessPage />, { api: [listed(entry({ policy: policy && { ...policy, maxMinutes: 120 }, lastMinutes: 45, lastJustification: 'Month-end close' })), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    await open();
    expect(screen.getAllByRole<HTMLInputElement>('radio').slice(0, 6).map(({ value, checked }) => [value, checked])).toEqual([['15', false], ['30', false], ['45', true], ['60', false], ['120', false], ['custom', false]]);
    await send();
    await waitFor(() => { expect(posts(calls)).toMatchObject([{ body: { minutes: 45, justification: 'Month-end close' } }]); });
    unmount();
    renderPage(<AccessPage />, { api: [listed(entry({ lastMinutes: 45 }))] });
    await open();
    expect(screen.getAllByRole<HTMLInputElement>('radio').slice(0, 3).map(({ value, checked }) => [value, checked])).toEqual([['15', false], ['30', true], ['custom', false]]);
  });

  test('a reason that says nothing is questioned, and stops who must give one', async () => {
    const { policy } = entry();
    const { calls, unmount } = renderPage(<AccessPage />, { api: [listed(entry())] });
    await userEvent.type(await open(), 'BAU');
    expect(screen.getByText(/^What for\?/)).toBeTruthy();
    await send();
    expect(await screen.findByText('What for? “BAU” does not say why you need it')).toBeTruthy();
    expect(posts(calls)).toEqual([]);
    await userEvent.type(await why(), ' of the ledger import');
    await waitFor(() => { expect(screen.queryByText(/^What for\?/)).toBeNull(); });
    unmount();

    const free = renderPage(<AccessPage />, { api: [listed(entry({ policy: policy && { ...policy, requireJustification: false } })), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    await userEvent.type(await open(), 'test');
    expect(screen.getByText(/^What for\?/)).toBeTruthy();
    await send();
    await waitFor(() => { expect(posts(free.calls)).toMatchObject([{ body: { justification: 'test' } }]); });
  });

  test('that verifying will be asked for is said before, and that the policy may have changed', async () => {
    renderPage(<AccessPage />, { api: [listed(entry({ policyReadAt: at(-120) }))] });
    await open();
    expect(screen.getByText('Unless you verified lately, Microsoft Entra asks you to, and brings you back here.')).toBeTruthy();
    expect(screen.getByText('This was read 2 h ago and may have changed.')).toBeTruthy();
  });

  test('whether it would be granted is asked on demand, by itself where the policy may have changed, and holds only for what is typed', async () => {
    const refusal = answers(CheckActivation, { verdict: 'would-refuse', issues: [{ path: 'body.ticket', message: 'The role settings ask for a ticket.' }], checkedAt: at(0) });
    const { calls, unmount } = renderPage(<AccessPage />, { api: [listed(entry({ lastJustification: 'Month-end close' })), refusal] });
    await open();
    expect(posts(calls)).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Check without activating' }));
    expect(await screen.findByText('The role settings ask for a ticket.')).toBeTruthy();
    expect(posts(calls)).toMatchObject([{ url: '/api/access/activations/check', body: { groupId: GROUP, minutes: 30, justification: 'Month-end close' } }]);
    await userEvent.type(await why(), 'x');
    await waitFor(() => { expect(screen.queryByText('The role settings ask for a ticket.')).toBeNull(); });
    unmount();

    renderPage(<AccessPage />, { api: [listed(entry({ lastJustification: 'Month-end close', policy: null, policyReadAt: null })), refusal] });
    await open();
    expect(await screen.findByText('The role settings ask for a ticket.')).toBeTruthy();
  });

  test('no longer than the eligibility', async () => {
    const { calls } = renderPage(<AccessPage />, { api: [listed(entry({ lastJustification: 'Month-end close', eligibility: { endsAt: at(20), through: 'direct' } }))] });
    await open();
    await send();
    expect(await screen.findByText(/^Your eligibility ends before that: choose (19|20) min at the most$/)).toBeTruthy();
    expect(posts(calls)).toEqual([]);
  });

  test('a ticket is asked for where the policy asks for it, and a start later is sent as an instant', async () => {
    const { policy } = entry();
    const { calls } = renderPage(<AccessPage />, { api: [listed(entry({ policy: policy && { ...policy, requireTicket: true } })), answers(RequestActivation, request({ state: 'scheduled' })), answers(GetAccessRequest, request({ state: 'scheduled' }))] });
    await userEvent.type(await open(), 'Close');
    await send();
    expect(await screen.findByText('Give the ticket’s number')).toBeTruthy();
    await userEvent.type(screen.getByRole('textbox', { name: /^Ticket number/ }), 'INC-4711');
    await userEvent.click(screen.getByRole('radio', { name: 'Later' }));
    await send();
    await screen.findByText(/^starts /);
    expect(posts(calls)).toMatchObject([{ body: { ticket: { number: 'INC-4711' }, startsAt: at(45) } }]);
  });

  test.each([
    ['body.minutes', 'Your eligibility ends before that: choose 20 min at the most.'],
    ['body.justification', 'Say in a few words why you need it.'],
  ])('a refusal at %s is told at its field, and what was typed stays', async (path, message) => {
    renderPage(<AccessPage />, { api: [listed(entry()), refuses(RequestActivation, 'activation-refused', { detail: message, issues: [{ path, message }] })] });
    await userEvent.type(await open(), 'Month-end close');
    await send();
    expect(await screen.findByText(message)).toBeTruthy();
    expect((await why()).value).toBe('Month-end close');
    expect(screen.queryByText('This access cannot be activated')).toBeNull();
  });

  test('a refusal of no field stands above the form', async () => {
    renderPage(<AccessPage />, { api: [listed(entry()), refuses(RequestActivation, 'directory-unavailable', { detail: 'It is not known whether your request arrived.' })] });
    await userEvent.type(await open(), 'Month-end close');
    await send();
    expect((await screen.findByRole('alert')).textContent).toContain('It is not known whether your request arrived.');
    expect((await why()).value).toBe('Month-end close');
  });

  test('nothing is shown as done that is not: the directory’s word comes last', async () => {
    const { use } = renderPage(<AccessPage />, { api: [listed(entry()), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    await userEvent.type(await open(), 'Close');
    await send();
    const timeline = await screen.findByRole('list', { name: 'Your request for 30 min' });
    expect(within(timeline).getByText('PIM is at it')).toBeTruthy();
    expect(screen.queryByText(/Still refused/)).toBeNull();
    use(answers(GetAccessRequest, request({ state: 'active', provisionedAt: at(1) })));
    expect(await within(timeline).findByText('the directory does not show it yet', {}, { timeout: 4000 })).toBeTruthy();
    use(answers(GetAccessRequest, request({ state: 'active', provisionedAt: at(1), memberAt: at(1) })));
    expect(await screen.findByText('Ready: you are a member, and the directory shows it.', {}, { timeout: 4000 })).toBeTruthy();
    expect(screen.queryByText(/Still refused/), 'the client has its while').toBeNull();
  });
});

describe('verifying', () => {
  test('keeps the draft, goes to Microsoft Entra, and sends once when back', async () => {
    const assign = watchNavigation();
    const { unmount } = renderPage(<AccessPage />, { api: [listed(entry()), refuses(RequestActivation, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' })] });
    await userEvent.type(await open(), 'Month-end close');
    await send();
    await waitFor(() => { expect(assign).toHaveBeenCalledWith(`/auth/sign-in?stepUp=1&returnTo=${encodeURIComponent(`/access?activate=${GROUP}&resume=1`)}`); });
    unmount();

    const back = renderPage(<AccessPage />, { path: `/access?activate=${GROUP}&resume=1`, api: [listed(entry()), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    await screen.findByRole('list', { name: 'Your request for 30 min' });
    expect(posts(back.calls)).toMatchObject([{ body: { groupId: GROUP, minutes: 30, justification: 'Month-end close' } }]);
    back.unmount();

    const again = renderPage(<AccessPage />, { path: `/access?activate=${GROUP}&resume=1`, api: [listed(entry()), answers(RequestActivation, request()), answers(GetAccessRequest, request())] });
    await userEvent.type(await why(), 'Something else');
    expect(posts(again.calls)).toEqual([]);
  });

  test('nobody is sent round in circles: a demand after verifying, or one that was not announced, waits for a click', async () => {
    const assign = watchNavigation();
    const demands = refuses(RequestActivation, 'step-up-required', { signInUrl: '/auth/sign-in?stepUp=1' });
    keepDraft({ groupId: GROUP, minutes: 30, justification: 'Month-end close' }, true);
    const { unmount } = renderPage(<AccessPage />, { path: `/access?activate=${GROUP}&resume=1`, api: [listed(entry()), demands] });
    expect(await screen.findByRole('button', { name: 'Verify and activate' })).toBeTruthy();
    expect(assign).not.toHaveBeenCalled();
    unmount();

    renderPage(<AccessPage />, { api: [listed(entry({ policy: null, policyReadAt: null })), demands] });
    await userEvent.type(await open(), 'Month-end close');
    await send();
    await userEvent.click(await screen.findByRole('button', { name: 'Verify and activate' }));
    await waitFor(() => { expect(assign).toHaveBeenCalledTimes(1); });
  });

  test('an address alone sends nothing, nor does a draft that was not meant to go out', async () => {
    const api = [listed(entry()), answers(RequestActivation, request()), answers(GetAccessRequest, request())];
    const { calls, unmount } = renderPage(<AccessPage />, { path: `/access?activate=${GROUP}&resume=1`, api });
    await userEvent.type(await why(), 'x');
    expect(posts(calls)).toEqual([]);
    unmount();

    keepDraft({ groupId: GROUP, minutes: 15, justification: 'Half typed' }, false);
    const kept = renderPage(<AccessPage />, { path: `/access?activate=${GROUP}&resume=1`, api });
    expect((await why()).value).toBe('Half typed');
    await userEvent.type(await why(), 'x');
    expect(posts(kept.calls)).toEqual([]);
  });
});

describe('ending', () => {
  const active = (canEndAt: string) => entry({ active: { since: at(-10), endsAt: at(20), canEndAt, memberAt: at(-1), permanent: false } });

  test('not in the first five minutes, and the button says until when', async () => {
    renderPage(<AccessPage />, { api: [listed(active(at(4)))] });
    const button = await screen.findByRole('button', { name: /^Deactivate in (04:00|03:5\d): Finance reports$/ });
    expect(button.getAttribute('aria-disabled')).toBe('true');
    await userEvent.click(button);
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(screen.getByText('PIM ends no membership in its first 5 min.')).toBeTruthy();
  });

  test('says what it means, then until when the network may stay open', async () => {
    const { calls } = renderPage(<AccessPage />, { api: [listed(active(at(-5))), answers(DeactivateAccess, { groupId: GROUP, endedAt: at(0), networkMayStayOpenUntil: at(90), provedGone: true })] });
    await userEvent.click(await screen.findByRole('button', { name: 'Deactivate Finance reports' }));
    expect(posts(calls)).toEqual([]);
    expect((await screen.findByRole('dialog')).textContent).toContain('The network may stay open for up to 1 h 30 min');
    await userEvent.click(screen.getByRole('button', { name: 'Deactivate' }));
    expect((await screen.findByRole('status')).textContent).toMatch(/and the directory shows that you are out. The network may stay open until/);
    expect(posts(calls)).toMatchObject([{ body: { groupId: GROUP } }]);
  });

  test('a refusal stays in the dialog', async () => {
    renderPage(<AccessPage />, { api: [listed(active(at(-5))), refuses(DeactivateAccess, 'deactivation-refused', { detail: 'This one can be ended from 09:05 on.' })] });
    await userEvent.click(await screen.findByRole('button', { name: 'Deactivate Finance reports' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Deactivate' }));
    expect(within(await screen.findByRole('dialog')).getByText(/This one can be ended from 09:05 on/)).toBeTruthy();
  });

  test('a request that waits can be taken back', async () => {
    const { calls, use } = renderPage(<AccessPage />, { api: [listed(entry({ request: request({ state: 'awaiting-approval' }) })), answers(CancelAccessRequest, request({ state: 'cancelled' }))] });
    const cancel = await screen.findByRole('button', { name: 'Cancel the request for Finance reports' });
    use(listed(entry()));
    await userEvent.click(cancel);
    await screen.findByRole('button', { name: 'Activate Finance reports' });
    expect(posts(calls)).toMatchObject([{ url: `/api/access/requests/${REQUEST}/cancel` }]);
    expect(document.activeElement, 'the button that had the focus is gone').toBe(screen.getByRole('heading', { level: 1 }));
  });
});

describe('the network after a membership', () => {
  const gone = entry({ ended: { at: at(-30), networkMayStayOpenUntil: at(60) } });
  const tail = (revocation: CurrentAccess['revocation'] = null): CurrentAccess => ({ principalId: 'a', principalName: 'Ana Costa', groupId: GROUP, groupName: gone.groupName, applications: gone.applications, since: at(-60), endsAt: at(-30), ended: gone.ended, revocation });
  const cut = { askedAt: at(0), askedBy: 'Ana Costa', state: 'revoked' as const, revokedAt: at(0), takesEffectBy: at(15), failure: null };

  test('is closed only after what that does was read and confirmed', async () => {
    const { calls, use } = renderPage(<AccessPage />, { api: [listed(gone), residual(tail()), answers(EndOwnResidualAccess, tail(cut))] });
    await userEvent.click(await screen.findByRole('button', { name: 'End now… the network to Finance reports' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/every application on every device, this portal too/)).toBeTruthy();
    expect(posts(calls)).toEqual([]);
    use(residual(tail(cut)));
    await userEvent.click(dialog.getByRole('button', { name: 'Revoke my sign-ins' }));
    expect(await screen.findByText(/your sign-ins are revoked/)).toBeTruthy();
    expect(posts(calls).map(({ endpoint }) => endpoint)).toEqual([EndOwnResidualAccess]);
    expect(await screen.findByText('Sign-ins revoked')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /^End now/ })).toBeNull();
  });

  test('that could not be closed says why, and claims nothing', async () => {
    renderPage(<AccessPage />, { api: [listed(gone), residual(tail()), refuses(EndOwnResidualAccess, 'directory-forbidden', { detail: 'An administrator of Microsoft Entra grants it User.RevokeSessions.All.' })] });
    await userEvent.click(await screen.findByRole('button', { name: 'End now… the network to Finance reports' }));
    await userEvent.click(screen.getByRole('button', { name: 'Revoke my sign-ins' }));
    expect(within(await screen.findByRole('dialog')).getByText(/grants it User.RevokeSessions.All/)).toBeTruthy();
    expect(screen.queryByText(/sign-ins are revoked\./)).toBeNull();
  });
});
