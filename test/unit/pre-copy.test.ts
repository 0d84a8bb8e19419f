import { describe, expect, test } from 'vitest';
import { preCopy } from '../../src/index.ts';
import type { Decision } from '../../src/precopy/policy.ts';
import type { Round } from '../../src/precopy/round.ts';
import { failureOf } from '../helpers/failures.ts';
import { Replay, roundOf } from '../helpers/histories.ts';

const MIB = 2 ** 20;
const PAGES = MIB / 4096;

/**
 * Rounds of a process of 256 MiB. Each writes so many MiB, 1 MiB per millisecond, freezes the process
 * for 2 ms, and takes 10 ms for other work.
 */
function roundsOf(...sizes: number[]): Round[] {
  return roundsApart(0, sizes);
}

/** The same, with so many milliseconds between the rounds. */
function roundsApart(gapMs: number, sizes: readonly number[]): Round[] {
  let startedMs = 0;
  return sizes.map((size, index) => {
    const durationMs = 10 + 2 + size;
    const round = roundOf(index, {
      startedMs,
      durationMs,
      frozenTimeMs: 2,
      memwriteTimeMs: size,
      pagesScanned: 256 * PAGES,
      pagesWritten: size * PAGES,
    });
    startedMs += durationMs + gapMs;
    return round;
  });
}

async function indexesOf(rounds: AsyncIterable<Round>): Promise<number[]> {
  const indexes: number[] = [];
  for await (const { index } of rounds) indexes.push(index);
  return indexes;
}

describe('limits', () => {
  test('one round is enough if a dump of everything is short enough', async () => {
    const replay = new Replay(roundsOf(200));
    const copy = preCopy(replay);
    expect(copy.decision).toBeUndefined();
    expect(await indexesOf(copy)).toEqual([0]);
    expect(copy.decision).toMatchObject({ action: 'finish', reason: 'downtime' });
    expect(copy.decision?.estimatedFrozenTimeMs).toBeCloseTo(208);
    expect(copy.decision?.bytesPerSecond).toBeCloseTo(1000 * MIB);
    expect(replay.decision).toBe(copy.decision);
    expect(replay.closed).toBe(0);
  });

  test('maxDowntimeMs ends the rounds when the predicted frozen time is within it', async () => {
    const copy = preCopy(new Replay(roundsOf(256, 64, 16, 4)), { maxDowntimeMs: 30 });
    expect(await indexesOf(copy)).toEqual([0, 1, 2]);
    expect(copy.decision?.reason).toBe('downtime');
    expect(copy.decision?.estimatedFrozenTimeMs).toBeLessThan(30);
  });

  test('maxRounds ends the rounds even if another round would help', async () => {
    const rounds = roundsOf(256, 128, 64, 32, 16);
    const copy = preCopy(new Replay(rounds), { maxDowntimeMs: 0, maxRounds: 3 });
    expect(await indexesOf(copy)).toEqual([0, 1, 2]);
    expect(copy.decision?.reason).toBe('rounds');
    expect(copy.decision?.nextFrozenTimeMs).toBeLessThan(
      0.9 * (copy.decision?.estimatedFrozenTimeMs ?? 0),
    );
  });

  test('the default is at most eight rounds', async () => {
    const sizes = [256, 128, 64, 32, 16, 8, 4, 2, 1].map((size) => 4 * size);
    const copy = preCopy(new Replay(roundsOf(...sizes)), { maxDowntimeMs: 0, minGain: 0 });
    expect((await indexesOf(copy)).length).toBe(8);
    expect(copy.decision?.reason).toBe('rounds');
  });

  test('maxBytes ends the rounds before it is exceeded', async () => {
    const copy = preCopy(new Replay(roundsOf(256, 128, 64, 32)), {
      maxDowntimeMs: 0,
      maxBytes: 400 * MIB,
    });
    const made = await indexesOf(copy);
    expect(copy.decision?.reason).toBe('bytes');
    const written = [256, 128, 64, 32].slice(0, made.length).reduce((sum, size) => sum + size);
    expect(written).toBeLessThanOrEqual(400);
  });

  test('there is no gain if the same memory changes in every round', async () => {
    const copy = preCopy(new Replay(roundsOf(256, 64, 64, 64, 64)), { maxDowntimeMs: 0 });
    expect(await indexesOf(copy)).toEqual([0, 1, 2]);
    expect(copy.decision?.reason).toBe('no-gain');
    expect(copy.decision?.dirtyBytes).toBe(64 * MIB);
  });

  test.each([150, 300, 500, 1000])(
    'two rounds show that there is no gain if the same memory changes, with %i ms between the rounds',
    async (gapMs) => {
      const sizes = Array<number>(11).fill(64);
      const copy = preCopy(new Replay(roundsApart(gapMs, sizes)), { maxDowntimeMs: 0 });
      expect((await indexesOf(copy)).length).toBeLessThanOrEqual(4);
      expect(copy.decision?.reason).toBe('no-gain');
    },
  );

  test('the rounds continue while they get smaller, whatever the time between them', async () => {
    const sizes = [256, 128, 64, 32, 16, 8];
    const copy = preCopy(new Replay(roundsApart(500, sizes)), { maxDowntimeMs: 30 });
    await indexesOf(copy);
    expect(copy.decision?.reason).toBe('downtime');
  });

  test('minGain is the least that another round must save', async () => {
    const rounds = roundsOf(256, 128, 69, 42, 29);
    const patient = preCopy(new Replay(rounds), { maxDowntimeMs: 0, minGain: 0.05, maxRounds: 5 });
    const hasty = preCopy(new Replay(rounds), { maxDowntimeMs: 0, minGain: 0.95, maxRounds: 5 });
    expect((await indexesOf(hasty)).length).toBeLessThan((await indexesOf(patient)).length);
    expect(hasty.decision?.reason).toBe('no-gain');
  });

  test('the rounds end for a process that writes nothing', async () => {
    const copy = preCopy(new Replay(roundsOf(256, 0)), { maxDowntimeMs: 10 });
    expect(await indexesOf(copy)).toEqual([0, 1]);
    expect(copy.decision).toMatchObject({ reason: 'downtime', dirtyBytes: 0 });
  });

  test.each([
    ['maxDowntimeMs', -1],
    ['maxDowntimeMs', Number.NaN],
    ['maxDowntimeMs', '300'],
    ['maxRounds', 0],
    ['maxRounds', 1.5],
    ['maxBytes', -1],
    ['maxBytes', null],
    ['minGain', 2],
    ['minGain', -0.1],
    ['onRound', 'log'],
    ['maxDownTimeMs', 300],
  ])('%s: %j is refused before the first round', async (option, value) => {
    const replay = new Replay(roundsOf(1));
    expect(await failureOf(() => preCopy(replay, { [option]: value }))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      operation: 'preCopy',
      option,
    });
    expect(replay.made).toBe(0);
  });

  test.each([null, 3, 'finish'])('%j is refused as a policy', async (policy) => {
    const error = await failureOf(() => preCopy(new Replay([]), policy as never));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'policy' });
  });

  test('an undefined limit counts as absent', async () => {
    const none = { maxDowntimeMs: undefined, onRound: undefined } as never;
    expect(await indexesOf(preCopy(new Replay(roundsOf(200)), none))).toEqual([0]);
  });
});

describe('onRound', () => {
  test('is called with each round and its decision, before the consumer gets the round', async () => {
    const told: string[] = [];
    const onRound = async ({ index }: Round, { action }: Decision) => {
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${index} ${action}`);
    };
    const copy = preCopy(new Replay(roundsOf(256, 128, 64)), {
      maxDowntimeMs: 0,
      maxRounds: 2,
      onRound,
    });
    for await (const { index } of copy) told.push(`${index} seen`);
    expect(told).toEqual(['0 continue', '0 seen', '1 finish', '1 seen']);
  });

  test('ends the loop if it throws, and the iteration can continue', async () => {
    const replay = new Replay(roundsOf(256, 128));
    const cause = new Error('no room for more');
    const copy = preCopy(replay, {
      maxDowntimeMs: 0,
      onRound: () => {
        throw cause;
      },
    });
    await expect(indexesOf(copy)).rejects.toBe(cause);
    expect(replay).toMatchObject({ made: 1, closed: 0 });
    expect((await replay.preDump()).index).toBe(1);
  });
});

describe('a policy function', () => {
  test('decides asynchronously, from all rounds so far', async () => {
    const seen: number[][] = [];
    const replay = new Replay(roundsOf(4, 2, 1));
    const copy = preCopy(replay, async (history) => {
      seen.push(history.map(({ index }) => index));
      return history.length < 3 ? 'continue' : 'finish';
    });
    expect(await indexesOf(copy)).toEqual([0, 1, 2]);
    expect(seen).toEqual([[0], [0, 1], [0, 1, 2]]);
    expect(copy.decision).toMatchObject({ action: 'finish', reason: 'policy' });
    expect(copy.decision?.estimatedFrozenTimeMs).toBeGreaterThan(0);
    expect(replay.closed).toBe(0);
  });

  test('that aborts closes the iteration after the last round was delivered', async () => {
    const replay = new Replay(roundsOf(4, 2, 1));
    const copy = preCopy(replay, ({ length }) => (length < 2 ? 'continue' : 'abort'));
    expect(await indexesOf(copy)).toEqual([0, 1]);
    expect(copy.decision).toMatchObject({ action: 'abort', reason: 'policy' });
    expect(replay.closed).toBe(1);
  });

  test('gets a copy of the history', async () => {
    const lengths: number[] = [];
    const copy = preCopy(new Replay(roundsOf(4, 2)), (history) => {
      lengths.push(history.length);
      (history as Round[]).length = 0;
      return lengths.length < 2 ? 'continue' : 'finish';
    });
    await indexesOf(copy);
    expect(lengths).toEqual([1, 2]);
  });

  test('that returns anything else is refused', async () => {
    const replay = new Replay(roundsOf(4));
    const error = await failureOf(indexesOf(preCopy(replay, () => 'stop' as never)));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'policy' });
    expect(replay.closed).toBe(0);
  });

  test('that throws ends the loop with its error', async () => {
    const cause = new Error('do not know');
    const copy = preCopy(new Replay(roundsOf(4)), () => Promise.reject(cause));
    await expect(indexesOf(copy)).rejects.toBe(cause);
  });
});

describe('the loop', () => {
  test('can be left early, which does not end the iteration', async () => {
    const replay = new Replay(roundsOf(256, 128, 64));
    const copy = preCopy(replay, { maxDowntimeMs: 0 });
    for await (const _ of copy) break;
    expect(replay).toMatchObject({ made: 1, closed: 0 });
    expect(copy.decision?.action).toBe('continue');
  });

  test('fails with the error of a failed round', async () => {
    const replay = new Replay(roundsOf(256));
    const copy = preCopy(replay, { maxDowntimeMs: 0 });
    await expect(indexesOf(copy)).rejects.toThrow('there is no round 1');
    expect(copy.decision?.action).toBe('continue');
  });

  test('can be iterated only once', async () => {
    const replay = new Replay(roundsOf(1, 1));
    const copy = preCopy(replay);
    await indexesOf(copy);
    const error = await failureOf(indexesOf(copy));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'preCopy' });
    expect(replay.made).toBe(1);
  });
});
