import { expect, test } from 'vitest';
import { startPortal } from '../src/testing.ts';

const ANA = 'ana.costa@contoso.example';

test('the metrics count what was served, and name nobody', async () => {
  await using portal = await startPortal();
  await portal.syncNow();
  const ana = await portal.as(ANA);
  await ana.get('/api/access');
  await ana.get('/api/access/requests/6f1f4c1e-0000-4000-8000-000000000000');
  await ana.get('/api/nothing-here');

  const response = await fetch(`${portal.url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const lines = (await response.text()).split('\n');
  const valueOf = (series: string): number => Number(lines.find((line) => line.startsWith(`${series} `))?.split(' ')[1] ?? NaN);

  expect(valueOf('gatehouse_http_request_duration_seconds_count{method="GET",path="/api/access",status="200"}')).toBe(1);
  // By the contract's path, never by the address asked for: labels stay few, and no id is told.
  expect(valueOf('gatehouse_http_request_duration_seconds_count{method="GET",path="/api/access/requests/:requestId",status="404"}')).toBe(1);
  expect(valueOf('gatehouse_http_request_duration_seconds_count{method="any",path="unserved",status="404"}')).toBe(1);
  expect(valueOf('gatehouse_graph_attempt_duration_seconds_count{method="GET",status="200"}')).toBeGreaterThan(0);
  expect(valueOf('gatehouse_graph_queue_duration_seconds_count{caller="person"}')).toBeGreaterThan(0);
  expect(valueOf('gatehouse_graph_queue_duration_seconds_count{caller="background"}')).toBeGreaterThan(0);
  expect(valueOf('gatehouse_graph_queue_duration_seconds_sum{caller="person"}')).toBe(0);
  expect(valueOf('gatehouse_sync_last_success_timestamp_seconds{source="directory"}')).toBe(portal.now().getTime() / 1000);
  expect(lines.join('\n')).not.toMatch(/ana|costa|6f1f4c1e/i);
});
