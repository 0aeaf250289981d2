import { afterEach, beforeEach, expect, vi } from 'vitest';

/** What a component or a library complains of on the console is a failure, with the words of the complaint. */
let complaints: string[] = [];

beforeEach(() => {
  complaints = [];
  for (const level of ['error', 'warn'] as const) {
    vi.spyOn(console, level).mockImplementation((...words: unknown[]) => { complaints.push(`${level}: ${words.map(String).join(' ')}`); });
  }
});

afterEach(() => {
  expect(complaints, 'the console is quiet').toEqual([]);
});
