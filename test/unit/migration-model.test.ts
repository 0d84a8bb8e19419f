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

/** More worlds would mean that the model is infinite. */
const MAX_WORLDS = 400_000;

interface Found {
  readonly worlds: number;
  readonly steps: number;
  readonly settled: number;
  /** The steps that lead to a violation, and the violation. */
  readonly wrong: readonly string[] | undefined;
}

/** More values than each property of a world has. */
const VALUES: Readonly<Record<keyof World, number>> = {
  ...{ step: 32, source: 16, original: 8, requests: 32, reply: 16, agent: 8, destination: 16 },
  ...{ copy: 8, preparing: 4, letting: 4, aborting: 4, second: 4, connected: 2, whole: 2 },
  ...{ hasRun: 2, wasTold: 2, wentBack: 2 },
};

/** Returns a function that gives each world a number, by which a map finds it far sooner than by a text. */
function keys(): (world: World) => number {
  const properties = Object.entries(VALUES).map(([name, size]) => ({
    ...{ name: name as keyof World, size, codes: new Map<unknown, number>() },
  }));
  return (world) => {
    let key = 0;
    for (const { name, size, codes } of properties) {
      const value = world[name];
      let code = codes.get(value);
      if (code === undefined) {
        code = codes.size;
        codes.set(value, code);
        if (code >= size) throw new Error(`'${name}' has more than ${size} values`);
      }
      key = key * size + code;
    }
    return key;
  };
}

/**
 * Visits all worlds breadth-first, and checks each for violations. Then walks backwards from the
 * settled worlds along all steps but faults: each world must be able to reach a settled one once
 * nothing fails any more.
 */
function search(rules: Rules): Found {
  const keyOf = keys();
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
    if (worlds.length > MAX_WORLDS) throw new Error(`there are more than ${MAX_WORLDS} worlds`);
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
  // The loop also visits what it adds.
  for (const index of good) for (const earlier of before[index] ?? []) good.add(earlier);
  const stuck = worlds.findIndex((_, index) => !good.has(index));
  return result(settled, stuck < 0 ? undefined : trail(stuck, 'no step leads to a settled world'));
}

const modes = [
  ['memory before the copy runs', { lazy: false }],
  ['memory after the copy runs', { lazy: true }],
  ['memory from images after the copy runs', { lazy: true, isLocal: true }],
] as const;

describe('the protocol between two hosts', () => {
  test.each(modes)(
    '%s: never two copies, never none, always a way to a settled state',
    (_, rules) => {
      const { wrong, worlds, steps, settled } = search(rules);
      expect(wrong).toBeUndefined();
      console.info(`${worlds} worlds, ${steps} steps, ${settled} settled worlds`);
      expect(worlds).toBeGreaterThan(1000);
      expect(settled).toBeGreaterThan(10);
    },
  );
});

describe('the search finds mistakes in the protocol', () => {
  const mistakes: readonly (readonly [string, string, Rules])[] = [
    ['an abort while the copy is released', 'two copies run', { lazy: false, isSerial: false }],
    [
      'a copy that is released before the journal is written',
      'the original runs on behind its copy',
      { lazy: false, journalFirst: false },
    ],
    [
      'a source that notes the deed instead of the intent',
      'no step leads to a settled world',
      { lazy: false, intents: false },
    ],
    [
      'an original that is killed before the commit',
      'no copy is left',
      { lazy: false, keepsOriginal: false },
    ],
    [
      'believing a server without the journal',
      'two copies run',
      { lazy: false, doubtsUnknown: false },
    ],
    [
      'a hanging copy that counts as running',
      'no copy is left',
      { lazy: false, waitsForCriu: false },
    ],
    [
      'an answer from the journal about a copy that a reboot has ended',
      'no copy is left',
      { lazy: false, checksCopy: false },
    ],
    ['two resolvers at once', 'no copy is left', { lazy: false, excludesOthers: false }],
    ['an original that its criu resumes', 'two copies run', { lazy: true, keepsStopped: false }],
  ];

  test.each(mistakes)('%s', (_, wrong, rules) => {
    const found = search(rules);
    expect(found.wrong?.at(-1), found.wrong?.join('\n')).toBe(wrong);
  });
});
