import { expect, test } from 'vitest';
import { PageBudget } from '../../src/migration/destination/page-budget.ts';
import { cutOff, migrationError } from '../../src/migration/source/failures.ts';

const MIB = 1 << 20;
const MEMORY = 1024 * MIB;

test('a round may send the offered memory, and what the processes grow by', () => {
  const budget = new PageBudget(MEMORY);
  expect(budget.take(2 * MEMORY)).toBe(true);
  expect(budget.take(256 * MIB)).toBe(true);
  expect(budget.take(1)).toBe(false);
});

test('the rounds of the default policy are within the budget, and endless rounds are not', () => {
  const budget = new PageBudget(MEMORY);
  const round = () => {
    budget.startRound();
    return budget.take(MEMORY);
  };
  expect(Array.from(Array(9), round)).toEqual(Array(9).fill(true));
  expect(Array.from(Array(5), round)).toContain(false);
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
