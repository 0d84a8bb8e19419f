import { expect, test } from 'vitest';
import { fitsAnotherRound, PageBudget } from '../../src/migration/protocol/page-budget.ts';
import { cutOff, migrationError } from '../../src/migration/source/failures.ts';

const MIB = 1 << 20;
const MEMORY = 1024 * MIB;
const offered = { mode: 'pre-copy', memoryBytes: MEMORY } as const;

test('a round may send the offered memory, and what the processes grow by', () => {
  const budget = new PageBudget(offered);
  expect(budget.take(2 * MEMORY)).toBe(true);
  expect(budget.take(256 * MIB)).toBe(true);
  expect(budget.take(1)).toBe(false);
});

test('the rounds of the default policy and the dump are within the budget, and no further round', () => {
  const budget = new PageBudget(offered);
  const round = () => {
    budget.startRound();
    return budget.take(MEMORY);
  };
  expect(Array.from(Array(10), round)).toEqual([...Array(9).fill(true), false]);
  expect(fitsAnotherRound(offered, Array(7).fill(MEMORY))).toBe(true);
  expect(fitsAnotherRound(offered, Array(8).fill(MEMORY))).toBe(false);
  expect(fitsAnotherRound(offered, Array(4).fill(2 * MEMORY))).toBe(false);
});

test.each(['stop-and-copy', 'post-copy'] as const)('%s moves the memory once', (mode) => {
  const budget = new PageBudget({ mode, memoryBytes: MEMORY });
  expect(budget.take(2 * MEMORY + 256 * MIB)).toBe(true);
  budget.startRound();
  expect(budget.take(1)).toBe(false);
});

test('the error of a source that was cut off says so, also to programs', () => {
  const status = { state: 'aborted', message: 'too many pages', refusal: 'over-limit' } as const;
  const cause = cutOff(status, new Error('the connection for pages broke'));
  const migration = { id: 'x', pid: 12, phase: 'dump', workload: 'running' } as const;
  const none = { cancelledBy: undefined, switchBackError: undefined };
  const error = migrationError(cause, { ...migration, ...none });
  expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', refusal: 'over-limit' });
  expect(error.message).toBe(
    'migration x, phase dump: the destination has ended the migration: too many pages (the original runs on)',
  );
});
