import { createHash } from 'node:crypto';
import { CountEvents, GetEvent, GetEventProof, ListHistoryNames, SearchEvents } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test, vi } from 'vitest';
import { at, GROUP, REQUEST } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { EventsPage } from './events-page.tsx';
import { AddressBar, coverage, eventCount, eventDetail, historyEvent, INES } from './testing/history.tsx';

const list = [answers(CountEvents, eventCount()), answers(GetEventProof, { proof: null }), answers(ListHistoryNames, { groups: [], applications: [] }), answers(SearchEvents, { events: [historyEvent()], nextCursor: null, coverage: coverage() })];
const show = (api: Handler[], path = '/history?event=directory:1') => renderPage(<><EventsPage /><AddressBar /></>, { path, session: INES, api: [...api, ...list] });
const drawer = async () => within(await screen.findByRole('dialog'));
const address = () => screen.getByLabelText('Address').textContent;
const facts = () => Object.fromEntries([...document.querySelectorAll('dt')].map((term) => [term.textContent, term.nextElementSibling?.textContent]));

describe('the event beside the list', () => {
  test('is opened by a click on its row and stands in the address', async () => {
    const { calls } = show([answers(GetEvent, eventDetail())], '/history?person=Ana');
    await userEvent.click(within(await screen.findByRole('table')).getByText('Month-end close, INC-4711'));
    expect((await drawer()).getByRole('heading', { name: 'Activated' })).toBeTruthy();
    expect(address()).toBe('/history?person=Ana&event=directory%3A1');
    expect(calls.filter(({ endpoint }) => endpoint === SearchEvents)).toHaveLength(1);
    expect(calls.find(({ endpoint }) => endpoint === GetEvent)?.url).toBe('/api/history/events/directory%3A1');
  });

  test('is opened and closed by the keyboard, and the focus goes back to where it was', async () => {
    show([answers(GetEvent, eventDetail())], '/history?person=Ana');
    const row = within(await screen.findByRole('table')).getByRole('button');
    row.focus();
    await userEvent.keyboard('{Enter}');
    await drawer();
    await waitFor(() => { expect(screen.getByRole('dialog').contains(document.activeElement)).toBe(true); });
    await userEvent.keyboard('{Escape}');
    await waitFor(() => { expect(screen.queryByRole('dialog')).toBeNull(); });
    expect(address()).toBe('/history?person=Ana');
    await waitFor(() => { expect(document.activeElement).toBe(row); });
  });

  test('of an address gives the focus to the title when it is closed', async () => {
    show([answers(GetEvent, eventDetail())]);
    await (await drawer()).findByText('Month-end close, INC-4711');
    await waitFor(() => { expect(screen.getByRole('dialog').contains(document.activeElement)).toBe(true); });
    await userEvent.keyboard('{Escape}');
    await waitFor(() => { expect(document.activeElement).toBe(screen.getByRole('heading', { level: 1, name: 'History' })); });
    expect(address()).toBe('/history');
  });

  test('says every field, with the ids, and the JSON as it came', async () => {
    show([answers(GetEvent, eventDetail({ actorName: 'Omar Haddad', actorId: 'o1' }))]);
    const panel = await drawer();
    expect((await panel.findByLabelText('JSON as received')).textContent).toBe(JSON.stringify({ id: '1', category: 'RoleManagement', loggedByService: 'PIM' }, null, 2));
    expect(panel.getByText('Success')).toBeTruthy();
    expect(facts()).toMatchObject({
      What: 'Add member to role completed (PIM activation)', By: 'Omar Haddado1', About: 'Ana Costaa1', Group: `FinReport-SeniorAnalyst-SecureAccess${GROUP}`, Application: 'Finance reports',
      Reason: 'Month-end close, INC-4711', Request: REQUEST, 'Written by': 'Microsoft Entra, PIM', Event: 'directory:1',
    });
    expect(facts()['When']).toMatch(new RegExp(`^\\d\\d:\\d\\d${at(-8)}$`));
    expect(facts()['Read at']).toMatch(/^\d\d:\d\d$/);
  });

  test('says that who acted is not known, and leaves out what the event does not have', async () => {
    show([answers(GetEvent, eventDetail({ actorName: null, actorId: null, applicationName: null, reason: null, requestId: null, source: 'portal' }))]);
    await (await drawer()).findByLabelText('JSON as received');
    expect(facts()).toMatchObject({ By: 'Not named', 'Written by': 'This portal' });
    expect(Object.keys(facts())).toEqual(expect.not.arrayContaining(['Application', 'Reason', 'Request']));
  });

  test('what came and is not JSON stands as it came, and the copy is of what came', async () => {
    const writeText = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve());
    const person = userEvent.setup();
    vi.spyOn(navigator.clipboard, 'writeText').mockImplementation(writeText);
    show([answers(GetEvent, eventDetail({}, { raw: '{"cut' }))]);
    const panel = await drawer();
    expect((await panel.findByLabelText('JSON as received')).textContent).toBe('{"cut');
    await person.click(panel.getByRole('button', { name: 'Copy' }));
    expect(writeText).toHaveBeenCalledWith('{"cut');
    expect(await panel.findByRole('button', { name: 'Copied' })).toBeTruthy();
  });

  test('leads to the others of the same request, in the address too', async () => {
    show([answers(GetEvent, ({ url }) => (url.endsWith('1') ? eventDetail({}, { related: [historyEvent({ id: 'directory:0', kind: 'activation-requested' })] }) : eventDetail({ id: 'directory:0', kind: 'activation-requested', reason: 'The first of them' })))]);
    await userEvent.click(await (await drawer()).findByRole('button', { name: /Activation requested/ }));
    expect(await screen.findByText('The first of them')).toBeTruthy();
    expect(address()).toBe('/history?event=directory%3A0');
  });

  test('waits in the shape of what comes', async () => {
    show([waits(GetEvent)]);
    expect((await drawer()).getByLabelText('Reading')).toBeTruthy();
  });

  test('that is not there is said, and can be tried again', async () => {
    const { use } = show([refuses(GetEvent, 'not-found', { detail: 'There is no such event.' })]);
    const panel = await drawer();
    expect((await panel.findByRole('alert')).textContent).toContain('There is no such event.');
    expect(document.querySelector('dl')).toBeNull();
    use(answers(GetEvent, eventDetail()));
    await userEvent.click(panel.getByRole('button', { name: 'Try again' }));
    expect(await panel.findByLabelText('JSON as received')).toBeTruthy();
  });
});

describe('the proof of an event', () => {
  const leaf = (text: string) => createHash('sha256').update(Buffer.concat([Buffer.of(0), Buffer.from(text)])).digest();
  const beside = leaf('the row before');
  const root = createHash('sha256').update(Buffer.concat([Buffer.of(1), beside, leaf('audit_event\nrow')])).digest('base64');
  const proof = (data: string) => ({ leafIndex: 1, size: 2, data, hashes: [beside.toString('base64')], root, note: 'note', keys: ['key'], sealedAt: at(-5) });

  test('is computed in the browser, and a row that was changed does not give the root', async () => {
    show([answers(GetEvent, eventDetail()), answers(GetEventProof, { proof: proof('audit_event\nrow') })]);
    await userEvent.click(await (await drawer()).findByRole('button', { name: 'Check in this browser' }));
    expect(await (await drawer()).findByText('This row gives the root')).toBeTruthy();
  });

  test('says so where the row was changed', async () => {
    show([answers(GetEvent, eventDetail()), answers(GetEventProof, { proof: proof('audit_event\nother') })]);
    await userEvent.click(await (await drawer()).findByRole('button', { name: 'Check in this browser' }));
    expect(await (await drawer()).findByText('This row does not give the root')).toBeTruthy();
  });

  test('is said to be missing where the event is not sealed yet', async () => {
    show([answers(GetEvent, eventDetail())]);
    expect(await (await drawer()).findByText('Not sealed yet.')).toBeTruthy();
  });
});
