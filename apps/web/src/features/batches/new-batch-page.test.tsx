import { CreateBatch, DEFAULT_TEMPLATE, PRESETS } from '@gatehouse/contracts';
import { fireEvent, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Route, Routes } from 'react-router';
import { expect, test } from 'vitest';
import { answers, refuses, renderPage, waits, type Handler } from '../../testing/testing.tsx';
import { NewBatchPage } from './new-batch-page.tsx';
import { aBatch, aRow } from './testing/batches.ts';

const pages = <Routes><Route path="/setups/batches" element={<p>all batches</p>} /><Route path="/setups/batches/new" element={<NewBatchPage />} /><Route path="/setups/batches/:batchId" element={<p>the batch</p>} /></Routes>;
const open = (...api: Handler[]) => renderPage(pages, { path: '/setups/batches/new', api });
const CSV = 'name,people\r\nFinReport,ana@contoso.example\r\n';
const choose = async (text: string, name: string) => userEvent.upload(await screen.findByLabelText('File of setups'), new File([text], name));
const plan = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Plan the setups' });
const sent = (calls: { endpoint: unknown; body: unknown }[]) => calls.find(({ endpoint }) => endpoint === CreateBatch)?.body;

test('nothing is planned before a file is chosen, and an example can be downloaded', async () => {
  open();
  await screen.findByText(/Drop a CSV, YAML or JSON file here/);
  expect(screen.queryByRole('button', { name: 'Plan the setups' })).toBeNull();
  const example = decodeURIComponent(screen.getByRole('link', { name: 'Download an example' }).getAttribute('href')?.split(',').slice(1).join(',') ?? '');
  const columns = example.split('\r\n')[0]?.split(',') ?? [];
  // What the default template names is in the example, and nothing else.
  expect(columns.toSorted()).toEqual([...new Set([...DEFAULT_TEMPLATE.matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? ''))].toSorted());
  for (const line of example.trim().split('\r\n')) expect(line.split(',')).toHaveLength(columns.length);
});

test('a CSV file is planned by the default template', async () => {
  const { calls } = open(answers(CreateBatch, aBatch([aRow(0)])));
  await choose(CSV, 'finance.csv');
  expect(await screen.findByText('finance.csv')).toBeTruthy();
  expect(screen.getByRole('region', { name: 'How the file begins' }).textContent).toContain('FinReport,ana@contoso.example');
  for (const { summary } of Object.values(PRESETS)) expect(screen.getByText(summary)).toBeTruthy();
  await userEvent.click(plan());
  expect(await screen.findByText('the batch')).toBeTruthy();
  expect(sent(calls)).toEqual({ fileName: 'finance.csv', format: 'csv', text: CSV });
});

test('a template of one’s own goes along, and the default is put back on request', async () => {
  const { calls } = open(answers(CreateBatch, aBatch([aRow(0)])));
  await choose(CSV, 'finance.csv');
  const template = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Template' });
  fireEvent.change(template, { target: { value: 'group: x' } });
  await userEvent.click(screen.getByRole('button', { name: 'Put the default back' }));
  expect(template.value).toBe(DEFAULT_TEMPLATE);
  fireEvent.change(template, { target: { value: 'group: mine' } });
  await userEvent.click(plan());
  await screen.findByText('the batch');
  expect(sent(calls)).toMatchObject({ template: 'group: mine' });
});

test('YAML and JSON need no template', async () => {
  const { calls } = open(answers(CreateBatch, aBatch([aRow(0)])));
  await choose('[]', 'setups.json');
  await screen.findByText('setups.json');
  expect(screen.queryByRole('textbox', { name: 'Template' })).toBeNull();
  await userEvent.click(plan());
  await screen.findByText('the batch');
  expect(sent(calls)).toEqual({ fileName: 'setups.json', format: 'yaml', text: '[]' });
});

test('a file may be dropped', async () => {
  open();
  fireEvent.drop(await screen.findByRole('group', { name: 'The file' }), { dataTransfer: { files: [new File([CSV], 'dropped.csv')] } });
  expect(await screen.findByText('dropped.csv')).toBeTruthy();
});

test('a file of another kind is not sent', async () => {
  open();
  fireEvent.drop(await screen.findByRole('group', { name: 'The file' }), { dataTransfer: { files: [new File(['x'], 'setups.xlsx')] } });
  expect((await screen.findByRole('alert')).textContent).toContain('A file of setups ends in .csv');
  expect(screen.queryByRole('button', { name: 'Plan the setups' })).toBeNull();
});

test('a file that is refused says its lines, and stays to be planned again', async () => {
  const { use } = open(refuses(CreateBatch, 'invalid-request', { detail: 'The file could not be read.', issues: [{ path: 'body.text', message: 'Line 3: a quote is not closed' }] }));
  await choose(CSV, 'finance.csv');
  await screen.findByText('finance.csv');
  await userEvent.click(plan());
  expect((await screen.findByRole('alert')).textContent).toContain('Line 3: a quote is not closed');
  use(waits(CreateBatch));
  await userEvent.click(plan());
  expect((await screen.findByRole<HTMLButtonElement>('button', { name: 'Reading the file…' })).disabled).toBe(true);
});
