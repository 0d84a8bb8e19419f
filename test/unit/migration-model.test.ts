import { describe, expect, test } from 'vitest';
import {
  isSettled,
  type Rules,
  type Step,
  start,
  stepsFrom,
  violation,
  type World,
} from '../helpers/migration-model.ts';

/** More would mean that the model has no end. */
const MOST = 400_000;

interface Found {
  readonly worlds: number;
  readonly steps: number;
  readonly settled: number;
  /** What is wrong, and the steps that lead there. */
  readonly wrong: readonly string[] | undefined;
}

/**
 * Goes through all worlds, those with the fewest steps first; then backwards from the settled ones
 * by all steps but faults, to see that each world can come to a good end once nothing fails any more.
 */
function search(rules: Rules): Found {
  const keyOf = (world: World) => Object.values(world).join();
  const worlds: World[] = [start];
  const known = new Map([[keyOf(start), 0]]);
  const from: (readonly [number, string])[] = [[0, '']];
  const before: number[][] = [[]];
  let steps = 0;
  const trail = (index: number, what: string): string[] => {
    const names: string[] = [what];
    for (let at = index; at > 0; at = from[at]?.[0] ?? 0) names.unshift(from[at]?.[1] ?? '');
    return names;
  };
  const result = (settled: number, wrong?: string[]) => ({
    ...{ worlds: worlds.length, steps, settled, wrong },
  });
  for (let index = 0; index < worlds.length; index++) {
    if (worlds.length > MOST) throw new Error(`there are more than ${MOST} worlds`);
    const world = worlds[index] as World;
    const wrong = violation(world, rules);
    if (wrong) return result(0, trail(index, wrong));
    for (const [name, next, isFault] of stepsFrom(world, rules) as Step[]) {
      const key = keyOf(next);
      let to = known.get(key);
      if (to === undefined) {
        to = worlds.push(next) - 1;
        known.set(key, to);
        from.push([index, name]);
        before.push([]);
      }
      if (!isFault) before[to]?.push(index);
      steps++;
    }
  }
  const good = new Set(worlds.flatMap((world, index) => (isSettled(world) ? [index] : [])));
  const settled = good.size;
  // What is added while it is walked through is walked through as well.
  for (const index of good) for (const earlier of before[index] ?? []) good.add(earlier);
  const stuck = worlds.findIndex((_, index) => !good.has(index));
  return result(settled, stuck < 0 ? undefined : trail(stuck, 'nothing leads on'));
}

const modes = [
  ['memory first', { lazy: false }],
  ['memory last', { lazy: true }],
] as const;

describe('the agreement between two hosts', () => {
  test.each(modes)('%s: never two copies, never none, always a way on', (_, rules) => {
    const { wrong, worlds, steps, settled } = search(rules);
    expect(wrong).toBeUndefined();
    console.info(`${worlds} worlds, ${steps} steps, ${settled} good ends`);
    expect(worlds).toBeGreaterThan(1000);
    expect(settled).toBeGreaterThan(10);
  });
});

describe('the search finds what is wrong', () => {
  const mistakes: readonly (readonly [string, string, Rules])[] = [
    ['an abort while the copy is let go', 'two copies run', { lazy: false, turns: false }],
    [
      'a copy that is let go first',
      'the original runs on behind its copy',
      { lazy: false, journalFirst: false },
    ],
    [
      'a source that takes its word for the deed',
      'nothing leads on',
      { lazy: false, intents: false },
    ],
    ['an original that is killed first', 'no copy is left', { lazy: false, keepsOriginal: false }],
    ['the word of another server', 'two copies run', { lazy: false, doubtsUnknown: false }],
    [
      'a copy that hangs, taken for one that runs',
      'no copy is left',
      { lazy: false, waitsForCriu: false },
    ],
    ['an original that its criu lets run', 'two copies run', { lazy: true, keepsStopped: false }],
  ];

  test.each(mistakes)('%s', (_, wrong, rules) => {
    const found = search(rules);
    expect(found.wrong?.at(-1), found.wrong?.join('\n')).toBe(wrong);
  });
});
