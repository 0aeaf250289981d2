import { ContinueRun, GetRun, StopRun, type PlanStep, type Run, type RunStep } from '@gatehouse/contracts';
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { formatInstant } from '../../lib/dates.ts';
import { at } from '../../testing/fixtures.ts';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { RunPage } from './run-page.tsx';
import { aRun, aStep } from '../../testing/samples.ts';

const ID = 'cccccccc-0000-4000-8000-000000000001';
const SETUP = 'bbbbbbbb-0000-4000-8000-000000000001';

const plan = (key: string, title: string, more: Partial<PlanStep> = {}): PlanStep => aStep({ key, title, ...more });
const step = (ordinal: number, status: RunStep['status'], detail: string | null, planned: PlanStep): RunStep => ({ ordinal, plan: planned, status, detail, startedAt: null, finishedAt: null });
const GROUP = plan('create-group', 'Create the group FinReport');
const ONBOARD = plan('onboard', 'Onboard it to PIM', { irreversible: true });
const ASSIGN = plan('assign', 'Make Ana Costa eligible');
const runIn = (status: Run['status'], ...steps: RunStep[]): Run => aRun({ id: ID, setupId: SETUP, status, finishedAt: status === 'running' ? null : at(0), steps });
const START = runIn('running', step(1, 'running', null, GROUP), step(2, 'pending', null, ONBOARD), step(3, 'pending', null, ASSIGN));
const FAILED = runIn('failed', step(1, 'done', 'Read back: the group is there', GROUP), step(2, 'failed', 'Entra refused the onboarding. Activate Privileged Role Administrator, then continue.', ONBOARD), step(3, 'pending', null, ASSIGN));

/** The browser's stream as far as the page uses it; the test is the server. */
class Stream {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static opened: Stream[] = [];
  readyState = Stream.OPEN;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
    Stream.opened.push(this);
  }
  close(): void { this.readyState = Stream.CLOSED; }
  send(run: unknown): void { act(() => { this.onmessage?.(new MessageEvent('message', { data: typeof run === 'string' ? run : JSON.stringify(run) })); }); }
  breakOff(readyState: number): void {
    this.readyState = readyState;
    act(() => { this.onerror?.(); });
  }
}

beforeEach(() => {
  Stream.opened = [];
  vi.stubGlobal('EventSource', Stream);
});

const pages = <Routes><Route path="/runs/:runId" element={<RunPage />} /><Route path="/runs/:runId/undo" element={<p>the undo</p>} /><Route path="/setups" element={<p>all setups</p>} /><Route path="/setups/:setupId" element={<p>the setup</p>} /></Routes>;
const open = (...api: Handler[]) => renderPage(pages, { path: `/runs/${ID}`, api });
const stepOf = (title: string): HTMLElement => within(screen.getByRole('list', { name: 'Steps of the run' })).getByText(title).closest('li') as HTMLElement;
const stream = async (index = 0): Promise<Stream> => vi.waitFor(() => {
  const one = Stream.opened[index];
  if (!one) throw new Error(`stream ${index} is not open`);
  return one;
}, { timeout: 4_000 });

test('shows that it is reading', async () => {
  open(waits(GetRun));
  expect(await screen.findByLabelText('Reading')).toBeTruthy();
});

test('a refusal is tried again on request', async () => {
  const { use } = open(refuses(GetRun, 'not-ready', { detail: 'The run could not be read.' }));
  expect((await screen.findByRole('alert')).textContent).toContain('The run could not be read.');
  use(answers(GetRun, FAILED));
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('list', { name: 'Steps of the run' })).toBeTruthy();
});

test.each([['an id that names nothing', refuses(GetRun, 'not-found')], ['what is no id', refuses(GetRun, 'invalid-request', { issues: [{ path: 'params.runId', message: 'Invalid UUID' }] })]])('%s is said in words, with the way back', async (_case, refusal) => {
  open(refusal);
  expect(await screen.findByRole('heading', { name: 'There is no such run' })).toBeTruthy();
  expect(screen.queryByText(/UUID/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'See all setups' }));
  expect(await screen.findByText('all setups')).toBeTruthy();
});

test('the steps fill as the events arrive, and none is shown as done before it is', async () => {
  const { use } = open(answers(GetRun, START));
  const live = await stream();
  expect(live.url).toBe(`/api/runs/${ID}/events`);
  expect(screen.getByRole('status').textContent).toContain('Applying: 0 of 3 steps');
  expect(within(stepOf('Create the group FinReport')).getByText('Under way')).toBeTruthy();
  expect(within(stepOf('Make Ana Costa eligible')).getByText('To come')).toBeTruthy();

  live.send(runIn('running', step(1, 'done', 'Read back: the group is there', GROUP), step(2, 'waiting', 'Waiting for PIM to know the group, 12 s', ONBOARD), step(3, 'pending', null, ASSIGN)));
  expect(within(stepOf('Create the group FinReport')).getByText('Done')).toBeTruthy();
  expect(within(stepOf('Onboard it to PIM')).getByText('Waiting')).toBeTruthy();
  expect(screen.getByText('Waiting for PIM to know the group, 12 s')).toBeTruthy();
  expect(screen.getByRole('status').textContent).toContain('Applying: 1 of 3 steps');
  expect(screen.queryByText('What now')).toBeNull();
  expect(screen.queryByText('Applied and verified')).toBeNull();

  const end = runIn('succeeded', step(1, 'done', 'Read back: the group is there', GROUP), step(2, 'done', 'Read back: PIM has its policy', ONBOARD), step(3, 'skipped', null, ASSIGN));
  use(answers(GetRun, end));
  live.send(end);
  expect(await screen.findByText('Applied and verified')).toBeTruthy();
  for (const text of ['Read back: the group is there', 'Read back: PIM has its policy', 'Nothing to do']) expect(screen.getByText(text)).toBeTruthy();
  expect(live.readyState).toBe(Stream.CLOSED);
  expect(screen.queryByRole('button', { name: 'Continue the run' })).toBeNull();
  await userEvent.click(screen.getByRole('link', { name: 'See the setup' }));
  expect(await screen.findByText('the setup')).toBeTruthy();
});

test('a failed step says why and what to do; what follows stays undone', async () => {
  open(answers(GetRun, FAILED));
  expect(within(await screen.findByRole('status')).getByText('Failed')).toBeTruthy();
  expect(within(stepOf('Onboard it to PIM')).getByText('Entra refused the onboarding. Activate Privileged Role Administrator, then continue.')).toBeTruthy();
  expect(within(stepOf('Make Ana Costa eligible')).getByText('To come')).toBeTruthy();
  expect(screen.getByText(/What is done stays done/)).toBeTruthy();
  expect(screen.getByRole('link', { name: 'See the setup' })).toBeTruthy();
  expect(screen.queryByText('What now')).toBeNull();
  expect(Stream.opened).toEqual([]);
});

test('a stream that breaks is said, and what it brings later is shown', async () => {
  open(answers(GetRun, START));
  const live = await stream();
  live.breakOff(Stream.CONNECTING);
  expect(await screen.findByText('The live view is cut off.')).toBeTruthy();
  expect(Stream.opened.length).toBe(1);
  live.send(FAILED);
  expect(await screen.findByText('Failed', { selector: '[role=status] *' })).toBeTruthy();
  expect(screen.queryByText('The live view is cut off.')).toBeNull();
});

test('a stream that was refused is opened anew, and why it was refused is said meanwhile', async () => {
  const { use } = open(answers(GetRun, START));
  const live = await stream();
  use(refuses(GetRun, 'not-signed-in', { detail: 'The session ended.' }));
  live.breakOff(Stream.CLOSED);
  expect((await screen.findByText(/The session ended\./)).closest('[role=alert]')).toBeTruthy();
  expect(within(stepOf('Create the group FinReport')).getByText('Under way')).toBeTruthy();
  use(answers(GetRun, FAILED));
  (await stream(1)).send(FAILED);
  expect(await screen.findByText('Failed', { selector: '[role=status] *' })).toBeTruthy();
  expect(screen.queryByText(/The session ended/)).toBeNull();
});

test('what is not a run does not reach the page', async () => {
  open(answers(GetRun, START));
  const live = await stream();
  live.send('{"status":');
  live.send({ ...FAILED, status: 'finished' });
  expect(screen.getByRole('status').textContent).toContain('Applying: 0 of 3 steps');
});

test('leaving the page ends its stream', async () => {
  const { unmount } = open(answers(GetRun, START));
  const live = await stream();
  unmount();
  expect(live.readyState).toBe(Stream.CLOSED);
});

test('an interrupted run is continued, and followed again', async () => {
  const interrupted = runIn('interrupted', step(1, 'done', 'Read back: the group is there', GROUP), step(2, 'interrupted', 'How it ended is not known; continuing looks.', ONBOARD), step(3, 'pending', null, ASSIGN));
  const { use, calls } = open(answers(GetRun, interrupted));
  expect(await screen.findByText('Unfinished', { selector: '[role=status] *' })).toBeTruthy();
  expect(within(stepOf('Onboard it to PIM')).getByText('Interrupted')).toBeTruthy();
  use(answers(ContinueRun, START), answers(GetRun, START));
  await userEvent.click(screen.getByRole('button', { name: 'Continue the run' }));
  expect((await stream()).url).toBe(`/api/runs/${ID}/events`);
  expect(calls.find(({ endpoint }) => endpoint.method === 'POST')?.url).toBe(`/api/runs/${ID}/continue`);
  expect(screen.getByRole('status').textContent).toContain('Applying');
  expect(screen.queryByRole('button', { name: 'Continue the run' })).toBeNull();
});

test('the refusal of continuing is said, and the run stays as it was', async () => {
  open(answers(GetRun, FAILED), refuses(ContinueRun, 'conflict', { detail: 'A later run of this setup exists. Continue that one.' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Continue the run' }));
  expect((await screen.findByRole('alert')).textContent).toContain('A later run of this setup exists. Continue that one.');
  expect(screen.getByText('Failed', { selector: '[role=status] *' })).toBeTruthy();
  expect(Stream.opened).toEqual([]);
});

test('a run under way is asked to rest after the steps in hand, once, and says that it will', async () => {
  const asked = { ...START, stopAskedBy: 'Maya Lindqvist' };
  const { calls, use } = open(answers(GetRun, START), answers(StopRun, asked));
  const ask = await screen.findByRole('button', { name: 'Stop after the steps in hand' });
  use(answers(GetRun, asked));
  await userEvent.click(ask);
  const button = await screen.findByRole('button', { name: 'Stopping after the steps in hand…' });
  await userEvent.click(button);
  expect(calls.filter(({ endpoint }) => endpoint === StopRun)).toHaveLength(1);
  const stopped = { ...runIn('stopped', step(1, 'done', 'Read back: the group is there', GROUP), step(2, 'pending', null, ONBOARD)), stopAskedBy: 'Maya Lindqvist' };
  use(answers(GetRun, stopped));
  (await stream()).send(stopped);
  expect(await screen.findByText(/Maya Lindqvist stopped it\. What is done stays done\./)).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Continue the run' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: /Stop/ })).toBeNull();
});

test('that it could not be asked to rest is said, and it may be tried again', async () => {
  open(answers(GetRun, START), refuses(StopRun, 'conflict', { detail: 'The run rests already: there is nothing to stop.' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Stop after the steps in hand' }));
  expect((await screen.findByRole('alert')).textContent).toContain('The run rests already');
  expect(screen.getByRole('button', { name: 'Stop after the steps in hand' })).toBeTruthy();
});

test('several steps may be under way at once', async () => {
  open(answers(GetRun, runIn('running', step(1, 'done', null, GROUP), step(2, 'running', null, ONBOARD), step(3, 'running', null, ASSIGN))));
  expect(within(await screen.findByRole('list', { name: 'Steps of the run' })).getAllByText('Under way')).toHaveLength(2);
  expect(screen.getByRole('status').textContent).toContain('Applying: 1 of 3 steps');
});

describe('undo', () => {
  const OTHER = 'cccccccc-0000-4000-8000-000000000002';
  const done = runIn('succeeded', step(1, 'done', null, GROUP));
  const byId = (...runs: Run[]): Handler => answers(GetRun, ({ url }) => {
    const found = runs.find(({ id }) => url.endsWith(id));
    if (!found) throw new Error(`no run at ${url}`);
    return found;
  });

  test.each(['succeeded', 'failed', 'stopped', 'interrupted'] as const)('is offered for a run that %s', async (status) => {
    open(answers(GetRun, runIn(status, step(1, 'done', null, GROUP))));
    await userEvent.click(await screen.findByRole('button', { name: 'Undo this run' }));
    expect(await screen.findByText('the undo')).toBeTruthy();
  });

  test('is not offered for a run under way', async () => {
    open(answers(GetRun, START));
    await screen.findByRole('list', { name: 'Steps of the run' });
    expect(screen.queryByRole('button', { name: 'Undo this run' })).toBeNull();
  });

  test('is not offered for an undo, which says what it takes back and leads there', async () => {
    open(byId({ ...done, undoes: OTHER, setupName: 'FinReport' }, { ...done, id: OTHER, actorName: 'Omar Haddad', createdAt: at(-5 * 24 * 60), undoneBy: ID }));
    const link = await screen.findByRole('link', { name: `Omar Haddad’s run of ${formatInstant(at(-5 * 24 * 60))}` });
    expect(link.parentElement?.textContent).toContain('It takes back what');
    expect(screen.getByRole('heading', { level: 1, name: 'Undo: FinReport' })).toBeTruthy();
    expect(screen.getByText('Undone and verified')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Undo this run' })).toBeNull();
    expect(screen.queryByText(/Tell the people that they may activate it/)).toBeNull();
    await userEvent.click(link);
    expect(await screen.findByRole('heading', { level: 1, name: 'Run: FinReport' })).toBeTruthy();
  });

  test('of a run that has one is not offered again: by which run is said, and how far that is', async () => {
    open(byId({ ...FAILED, undoneBy: OTHER }, { ...done, id: OTHER, undoes: ID, status: 'failed', actorName: 'Omar Haddad', createdAt: at(-5 * 24 * 60) }));
    const link = await screen.findByRole('link', { name: `Omar Haddad’s run of ${formatInstant(at(-5 * 24 * 60))}` });
    expect(link.getAttribute('href')).toBe(`/runs/${OTHER}`);
    expect(link.parentElement?.textContent).toContain('(failed)');
    for (const name of ['Undo this run', 'Continue the run']) expect(screen.queryByRole('button', { name })).toBeNull();
  });

  test('that failed is continued', async () => {
    open(byId({ ...FAILED, undoes: OTHER }, { ...done, id: OTHER, undoneBy: ID }));
    expect(await screen.findByRole('button', { name: 'Continue the run' })).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Undo this run' })).toBeNull();
  });
});

test('somebody else’s run in the way of continuing is followed', async () => {
  const other = { id: 'cccccccc-0000-4000-8000-000000000003', setupId: SETUP, actorName: 'Omar Haddad', startedAt: at(-3) };
  open(answers(GetRun, FAILED), refuses(ContinueRun, 'run-in-progress', { run: other }));
  await userEvent.click(await screen.findByRole('button', { name: 'Continue the run' }));
  expect((await screen.findByRole('link', { name: 'Follow that run' })).getAttribute('href')).toBe(`/runs/${other.id}`);
});
