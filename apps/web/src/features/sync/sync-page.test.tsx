import { GetSync, ListOddRecords, SyncNow, type OddRecord, type SyncSource } from '@gatehouse/contracts';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, test } from 'vitest';
import { useSession } from '../../lib/session.ts';
import { at } from '../../testing/fixtures.ts';
import { ANA, answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { SyncPage } from './sync-page.tsx';

const MAYA = { ...ANA, person: { id: 'm', displayName: 'Maya Lindqvist', userPrincipalName: 'maya.lindqvist@contoso.example', roles: ['SetupAdmin' as const] } };
const source = (more: Partial<SyncSource> = {}): SyncSource => ({ source: 'directory', title: 'Microsoft Entra audit log', completeFrom: at(-60 * 24 * 30), completeTo: at(-3), lastSuccessAt: at(-1), lastError: null, off: false, events: 12345, gaps: [], firstReading: null, requests: { new: 1440, late: 92, backFill: 0, aDay: 43200 }, looksBack: { halfHourEvery: 1, dayEvery: 60, wholeEvery: 1440, wholeDays: 30 }, defects: 0, revisions: 0, ...more });
const stands = (sources = [source()], catalog = { groups: 12, applications: 6, readAt: at(-2) as string | null }, isSignInTimeKnown = true) => answers(GetSync, { now: at(0), isSignInTimeKnown, sources, catalog });
const asked = answers(SyncNow, { asked: true });

/** The shell waits for the session before any page is there, so the page goes by the server's clock. */
function SignedIn() {
  useSession();
  return <SyncPage />;
}
const show = (...api: Handler[]) => renderPage(<SignedIn />, { session: MAYA, api });
const row = async () => within((await screen.findAllByRole('row'))[1] as HTMLElement);
const cells = async () => Object.fromEntries((await row()).getAllByRole('cell').map((cell) => [cell.getAttribute('data-label'), cell.textContent]));
const readNow = () => screen.findByRole<HTMLButtonElement>('button', { name: 'Read now' });

describe('where the mirror stands', () => {
  test('waits in the shape of what comes', async () => {
    show(waits(GetSync));
    expect(await screen.findByLabelText('Reading')).toBeTruthy();
    expect(screen.queryByText(/No source|Not read yet/)).toBeNull();
  });

  test('where Entra did not say when the person signed in, it says what that stops and who can mend it; else nothing', async () => {
    const { unmount } = show(stands([source()], undefined, false));
    expect((await screen.findByText(/nobody can take along more than 10,000 events\./)).textContent).toMatch(/did not say when you signed in.*An administrator .* optional claim auth_time/);
    unmount();
    show(stands());
    await row();
    expect(screen.queryByText(/when you signed in/)).toBeNull();
  });

  test('a refusal claims nothing, and can be tried again', async () => {
    const { use } = show(refuses(GetSync, 'internal'));
    expect((await screen.findByRole('alert')).textContent).toContain('Something went wrong on our side');
    expect(screen.queryByText(/No source|Not read yet|Never/)).toBeNull();
    use(stands());
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect((await row()).getByText('Microsoft Entra audit log')).toBeTruthy();
  });

  test('says the last pass, from when to when nothing is missing, and how far behind that is', async () => {
    show(stands());
    expect(await cells()).toMatchObject({
      Source: 'Microsoft Entra audit log', State: '●Read', Complete: expect.stringMatching(/^31 Jan 2026 \d\d:\d\dto \d\d:\d\d$/), Behind: '3 min', 'Last read': expect.stringMatching(/^\d\d:\d\d$/), Events: '12,345',
    });
  });

  test('an optional source that is closed to the portal is off, and not a failure', async () => {
    show(stands([source({ title: 'Traffic log', off: true, lastError: 'The permission is not granted.', completeFrom: null, completeTo: null, lastSuccessAt: null, events: 0 })]));
    expect(await cells()).toMatchObject({ State: '○OffThe permission is not granted.', Complete: 'Not yet', 'Last read': 'Never' });
  });

  test.each([[at(0), 'Less than 1 min'], [at(-15), '15 min'], [at(-95), '1 h 35 min'], [at(-60 * 24 * 3 - 5), '3 days'], [null, 'Not known']])('complete to %s is behind by %s', async (completeTo, behind) => {
    show(stands([source({ completeTo })]));
    expect((await cells())['Behind']).toBe(behind);
  });

  test('behind by more than a quarter of an hour is late, also where nothing failed', async () => {
    const { unmount } = show(stands([source({ completeTo: at(-15) })]));
    expect((await cells())['State']).toBe('●Read');
    unmount();
    show(stands([source({ completeTo: at(-16) })]));
    expect((await cells())['State']).toBe('▲LateWhat happened since is not here yet.');
  });

  test('a pass that fails says so and why, and when the last good one was', async () => {
    show(stands([source({ lastError: 'Microsoft Entra says that AuditLog.Read.All is missing.' })]));
    expect(await cells()).toMatchObject({ State: '✕FailsMicrosoft Entra says that AuditLog.Read.All is missing.', 'Last read': expect.stringMatching(/^\d\d:\d\d$/) });
    expect((await row()).queryByText('Read')).toBeNull();
  });

  test('what was never read is not known, and not nought', async () => {
    show(stands([source({ completeFrom: null, completeTo: null, lastSuccessAt: null, events: 0 })], { groups: 0, applications: 0, readAt: null }));
    expect(await cells()).toMatchObject({ State: '◌Not read to the end yet', Complete: 'Not yet', Behind: 'Not known', 'Last read': 'Never' });
    expect(screen.getByText('Not read yet.')).toBeTruthy();
    expect(screen.queryByText(/0 groups/)).toBeNull();
  });

  test('no source at all is said', async () => {
    show(stands([]));
    expect(await screen.findByText('No source is known')).toBeTruthy();
  });

  test.each([[12, 6, /^12 groups that PIM manages and 6 applications, read \d\d:\d\d\.$/], [1, 1, /^1 group that PIM manages and 1 application, /]])('the catalog counts %i and %i', async (groups, applications, said) => {
    show(stands([source()], { groups, applications, readAt: at(-2) }));
    expect(await screen.findByText(said)).toBeTruthy();
  });
});

describe('what is missing, what it costs and what came odd', () => {
  const facts = async () => { await row(); return Object.fromEntries(screen.getAllByRole('term').map((term) => [term.textContent, term.nextElementSibling?.textContent])); };
  const gap = { from: '2026-02-14T02:00:00.000Z', to: '2026-02-14T02:11:00.000Z', filledTo: '2026-02-14T02:00:00.000Z', cause: 'unavailable' as const, noticedAt: at(-30), fillableUntil: at(60 * 24) as string | null };

  test('a gap is shown with its cause, and until when it can be filled', async () => {
    show(stands([source({ gaps: [{ ...gap, filledTo: '2026-02-14T02:05:00.000Z' }] })]));
    expect(await cells()).toMatchObject({ State: '▲Read1 gap is being filled.' });
    const [, line] = within(screen.getByRole('table', { name: 'Gaps' })).getAllByRole('row');
    expect(line?.textContent).toMatch(/^14 Feb 2026 \d\d:00–\d\d:11▲Being filledRead up to 14 Feb 2026 \d\d:05. Can be had until .*\.Microsoft Graph did not answer\d\d:\d\dMicrosoft Entra audit log$/);
  });

  test('one that can no longer be filled says so, and is no alarm', async () => {
    show(stands([source({ gaps: [{ ...gap, cause: 'outage', to: '2026-02-16T02:00:00.000Z', fillableUntil: null }] })]));
    expect(await cells()).toMatchObject({ State: '●Read' });
    const [, line] = within(screen.getByRole('table', { name: 'Gaps' })).getAllByRole('row');
    expect(line?.textContent).toMatch(/^14 Feb 2026 \d\d:00 – 16 Feb 2026 \d\d:00○Stays missingThe source does not have it any more\.Nobody read/);
  });

  test('without a gap none is spoken of', async () => {
    show(stands());
    await row();
    expect(screen.queryByText('Gaps')).toBeNull();
  });

  test('the first reading says how far it is, and that earlier events are missing yet', async () => {
    show(stands([source({ firstReading: { from: '2026-02-01T00:00:00.000Z', to: '2026-02-11T00:00:00.000Z', readTo: '2026-02-05T07:00:00.000Z' } })]));
    expect(await cells()).toMatchObject({ State: '◌ReadEarlier events are being read: 42 %.' });
    expect((await facts())['First reading']).toMatch(/^42 % of 1 Feb 2026 /);
    expect(screen.getByRole('progressbar', { name: 'First reading' }).getAttribute('aria-valuenow')).toMatch(/^0\.429/);
  });

  test('requests are told by what they were for, and how often it is looked back', async () => {
    show(stands([source({ requests: { new: 1440, late: 2160, backFill: 3000, aDay: 43200 }, looksBack: { halfHourEvery: 15, dayEvery: 120, wholeEvery: 2880, wholeDays: 30 } })]));
    expect(await facts()).toMatchObject({
      'Requests today': '6,600 of 43,2001,440 for what is new, 2,160 for what shows late (5.0 %), 3,000 for earlier events. Counted from 00:00 UTC.',
      'Shown late': 'Half an hour is read again every 15 min, a day every 2 h, all 30 days every 2 days.',
      'Odd records': 'None is brokenNone came again with other content',
    });
  });

  test('of a source whose records nobody judges nothing is claimed', async () => {
    show(stands([source({ defects: null, revisions: null })]));
    expect(await facts()).not.toHaveProperty('Odd records');
  });

  const odd = (more: Partial<OddRecord> = {}): OddRecord => ({ id: 'unidentified-1', revision: 0, at: at(-3), receivedAt: at(-2), activity: '', defect: 'It is no JSON.', raw: '{"broken', length: 8, ...more });

  test('an auditor reads odd records as they were received, page by page', async () => {
    const { calls } = renderPage(<SignedIn />, { session: { ...MAYA, person: { ...MAYA.person, roles: ['SetupAdmin', 'Auditor'] } }, api: [
      stands([source({ defects: 21, revisions: 1 })]),
      answers(ListOddRecords, ({ url }) => (!url.includes('cursor=') ? { records: [odd()], nextCursor: '7:0' } : { records: [odd({ id: 'big', raw: 'x', length: 5001, defect: 'It is larger than 1 MiB.' })], nextCursor: null })),
    ] });
    await row();
    await userEvent.click(screen.getByRole('button', { name: '21 records kept as received: something is wrong with them' }));
    const panel = within(await screen.findByRole('dialog'));
    expect((await panel.findByLabelText('As received: unidentified-1')).textContent).toBe('{"broken');
    await userEvent.click(panel.getByRole('button', { name: 'Show more' }));
    expect((await panel.findByLabelText('As received: big')).textContent).toBe('x\n… 5,000 more characters');
    expect(panel.queryByRole('button', { name: 'Show more' })).toBeNull();
    expect(calls.filter(({ endpoint }) => endpoint === ListOddRecords)).toHaveLength(2);
  });

  test('who may not read the history reads how many there are, and no more', async () => {
    show(stands([source({ defects: 1, revisions: 3 })]));
    expect((await facts())['Odd records']).toBe('1 record kept as received: something is wrong with it3 records came again with other content: each is kept');
    expect(screen.queryByRole('button', { name: /record/ })).toBeNull();
  });
});

describe('Read now', () => {
  const news = () => screen.getByRole('status').textContent.replaceAll(/\d\d:\d\d/g, 'hh:mm');

  test('says that it asks, and asks only once', async () => {
    const { calls } = show(stands(), waits(SyncNow));
    await row();
    await userEvent.click(await readNow());
    const button = await screen.findByRole<HTMLButtonElement>('button', { name: 'Asking' });
    expect(button.disabled).toBe(true);
    await userEvent.click(button);
    expect(calls.filter(({ endpoint }) => endpoint === SyncNow).map(({ body }) => body)).toEqual([{}]);
    expect(news()).toBe('');
  });

  test('is not called done before the source was read to the end', async () => {
    const { use, calls } = show(stands(), asked);
    await row();
    await userEvent.click(await readNow());
    await waitFor(() => { expect(news()).toBe('Asked hh:mm. The pass is not at its end yet.'); });
    await waitFor(() => { expect(calls.filter(({ endpoint }) => endpoint === GetSync).length).toBeGreaterThan(1); });
    use(stands([source({ lastSuccessAt: at(1) })]));
    await userEvent.click(await readNow());
    await waitFor(() => { expect(news()).toBe('Asked hh:mm, and read to the end since.'); });
  });

  test('of two sources waits for both', async () => {
    show(stands([source({ lastSuccessAt: at(1) }), source({ source: 'portal', title: 'This portal', lastSuccessAt: null })]), asked);
    await row();
    await userEvent.click(await readNow());
    await waitFor(() => { expect(news()).toBe('Asked hh:mm. The pass is not at its end yet.'); });
  });

  test('that is refused says so, keeps what is known, and can be asked again', async () => {
    const { use } = show(stands(), refuses(SyncNow, 'not-ready', { detail: 'The background work is not running.' }));
    await row();
    await userEvent.click(await readNow());
    expect((await screen.findByRole('alert')).textContent).toContain('The background work is not running.');
    expect(news()).toBe('');
    expect((await row()).getByText('Microsoft Entra audit log')).toBeTruthy();
    use(asked);
    await userEvent.click(await readNow());
    await waitFor(() => { expect(news()).toMatch(/^Asked/); });
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('who has no role for it reads that', async () => {
    show(stands(), refuses(SyncNow, 'not-permitted'));
    await row();
    await userEvent.click(await readNow());
    expect((await screen.findByRole('alert')).textContent).toContain('Your role does not allow this');
  });
});

test('who has no role for the page reads that, and nothing of the mirror', async () => {
  show(refuses(GetSync, 'not-permitted'));
  expect((await screen.findByRole('alert')).textContent).toContain('Your role does not allow this');
  expect(screen.queryByRole('table')).toBeNull();
  expect(screen.queryByText(/No source|Not read yet/)).toBeNull();
});

test('where the mirror stood stays, with its time, when it cannot be read again', async () => {
  const { use } = show(stands(), asked);
  await row();
  use(refuses(GetSync, 'not-ready'));
  await userEvent.click(await readNow());
  expect((await screen.findByRole('alert')).textContent).toContain('The portal is not ready yet');
  expect(screen.getByText(/^What stands below is of \d\d:\d\d\.$/)).toBeTruthy();
  expect((await row()).getByText('Microsoft Entra audit log')).toBeTruthy();
});
