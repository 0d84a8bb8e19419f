import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Retained, type RetentionRules, removable } from '../../src/store/retention.ts';

const NOW = 1_000_000;

/** Checkpoints, the newest first: `name age bytes parent`. */
function checkpoints(...texts: readonly string[]): Retained[] {
  return texts.map((text, index) => {
    const [name = '', age, bytes, parent] = text.split(' ');
    const createdAt = new Date(NOW - Number(age));
    return { id: String(index), name, createdAt, bytes: Number(bytes), parent };
  });
}

const idsOf = (all: readonly Retained[], rules: RetentionRules) =>
  removable(all, rules, NOW).map(({ id }) => id);

describe('removes', () => {
  const four = checkpoints('a 10 1', 'a 20 1', 'b 30 1', 'a 40 1');

  test('all but the newest of each name', () => {
    expect(idsOf(four, { keepLast: 1 })).toEqual(['1', '3']);
    expect(idsOf(four, { keepLast: 0 })).toEqual(['1', '3']);
    expect(idsOf(four, { keepLast: 2 })).toEqual(['3']);
  });

  test('what is as old as the limit, or older', () => {
    expect(idsOf(four, { keepWithin: 40 })).toEqual(['3']);
    expect(idsOf(four, { keepWithin: 41 })).toEqual([]);
  });

  test('only what neither rule keeps', () => {
    expect(idsOf(four, { keepWithin: 21, keepLast: 1 })).toEqual(['3']);
  });

  test('the oldest, to keep to a size', () => {
    expect(idsOf(four, { maxBytes: 3 })).toEqual(['3']);
    expect(idsOf(four, { maxBytes: 2 })).toEqual(['1', '3']);
    expect(idsOf(four, { maxBytes: 0 })).toEqual(['1', '3']);
    expect(idsOf(four, { keepLast: 1, maxBytes: 100 })).toEqual(['1', '3']);
  });

  test('no parent of what is kept, and a chain as a whole', () => {
    const chain = checkpoints('a 10 1 1', 'a 20 1 2', 'a 30 5', 'a 40 1 4', 'a 50 1');
    expect(idsOf(chain, { keepLast: 1 })).toEqual(['3', '4']);
    expect(idsOf(chain, { maxBytes: 8 })).toEqual(['3', '4']);
    expect(idsOf(chain, { keepLast: 4 })).toEqual([]);
  });
});

test('whatever the rules are, parents of kept ones stay, and children come before parents', () => {
  const rule = fc.option(fc.nat(50), { nil: undefined });
  const rules = fc.record({ keepLast: rule, keepWithin: rule, maxBytes: rule });
  const all = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(9), fc.nat(3), fc.boolean()), {
    maxLength: 12,
  });
  const property = fc.property(all, rules, (made, given) => {
    const found = made.map(([name, bytes, back, isIncremental], index): Retained => {
      const parent = isIncremental ? String(index + 1 + back) : undefined;
      return { id: String(index), name, bytes, parent, createdAt: new Date(NOW - index * 5) };
    });
    const removed = removable(found, given, NOW);
    const kept = found.filter((each) => !removed.includes(each));
    for (const { parent } of kept) expect(removed.map(({ id }) => id)).not.toContain(parent);
    for (const name of ['a', 'b']) {
      const newest = found.find((each) => each.name === name);
      if (newest) expect(kept).toContain(newest);
    }
    expect(removed).toEqual(found.filter((each) => removed.includes(each)));
  });
  fc.assert(property, { numRuns: 2000 });
});
