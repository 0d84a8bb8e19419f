import { describe, expect, test } from 'vitest';
import { fixedRounds, phaulAsDesigned, phaulAsItBehaves } from '../../scripts/bench/rules.mjs';
import { type PreCopyFunction, type PreCopyLimits, preCopy } from '../../src/index.ts';
import { estimate } from '../../src/precopy/estimate.ts';
import { type History, Replay, recordedHistory } from '../helpers/histories.ts';

const names = ['idle', 'steady', 'slow', 'growing', 'shrinking', 'spiky', 'fastest'] as const;
const histories = new Map(names.map((name) => [name, recordedHistory(name)]));
const historyOf = (name: (typeof names)[number]) => histories.get(name) as History;

/** No dump is within 0 ms: only a missing gain ends the rounds. */
const asShortAsCanBe = { maxDowntimeMs: 0 };

/** What a policy does with a recorded history, and what the recorded dump after it wrote. */
async function play(history: History, policy: PreCopyLimits | PreCopyFunction) {
  const replay = new Replay(history.rounds);
  const copy = preCopy(replay, policy);
  for await (const _ of copy);
  const dump = history.runs.find(({ rounds }) => rounds.length === replay.made)?.dump;
  if (!dump) throw new Error(`no dump was recorded after ${replay.made} rounds`);
  const written = [...history.rounds.slice(0, replay.made), dump].map((one) => one.stats);
  return {
    rounds: replay.made,
    reason: copy.decision?.reason,
    totalBytes: written.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
    frozenBytes: dump.stats.bytesWritten,
  };
}

describe('the estimate', () => {
  /** Estimates as multiples of the frozen times of the recorded dumps. */
  const ratios = (wanted: (rounds: number) => boolean) =>
    names.flatMap((name) =>
      historyOf(name)
        .runs.filter(({ rounds }) => wanted(rounds.length))
        .map(
          ({ rounds, dump }) => estimate(rounds).estimatedFrozenTimeMs / dump.stats.frozenTimeMs,
        ),
    );

  test('after one round, which copies everything, errs on the high side', () => {
    expect(Math.min(...ratios((rounds) => rounds === 1))).toBeGreaterThan(1);
  });

  test('after two or more rounds has the magnitude of the real frozen time', () => {
    const found = ratios((rounds) => rounds >= 2).sort((one, other) => one - other);
    const at = (part: number) => found[Math.floor(part * (found.length - 1))];
    expect(at(0.5)).toBeGreaterThan(0.75);
    expect(at(0.5)).toBeLessThan(1.5);
    expect(at(0)).toBeGreaterThan(1 / 5);
    expect(at(1)).toBeLessThan(5);
  });
});

describe('the default policy', () => {
  test.each(names)(
    '%s: ends by itself, with no more bytes than phaul would write by its own rules',
    async (name) => {
      const history = historyOf(name);
      const ours = await play(history, asShortAsCanBe);
      const designed = await play(history, phaulAsDesigned);
      expect(ours.reason).toBe('no-gain');
      expect(ours.rounds).toBeGreaterThan(1);
      expect(ours.rounds).toBeLessThan(8);
      expect(ours.rounds).toBeLessThanOrEqual(designed.rounds);
      expect(ours.totalBytes).toBeLessThanOrEqual(designed.totalBytes);
      expect(ours.frozenBytes).toBeLessThan(2 * designed.frozenBytes);
    },
  );

  test.each(names)('%s: makes no more rounds with maxDowntimeMs: 300 than with 0', async (name) => {
    const history = historyOf(name);
    const allowed = await play(history, {});
    expect(allowed.rounds).toBeLessThanOrEqual((await play(history, asShortAsCanBe)).rounds);
    // A writer that is faster than the copy cannot be dumped in 300 ms.
    expect(allowed.reason).toBe(name === 'fastest' ? 'no-gain' : 'downtime');
  });

  test('an idle Node server: phaul would wait forever for a round of fewer than 64 pages', async () => {
    const history = historyOf('idle');
    const quietest = Math.min(...history.rounds.map(({ stats }) => stats.pagesWritten));
    expect(quietest).toBeGreaterThan(64);
    expect((await play(history, phaulAsDesigned)).rounds).toBe(8);
    expect((await play(history, asShortAsCanBe)).rounds).toBeLessThan(5);
  });

  test('a shrinking working set: continues while rounds help', async () => {
    const history = historyOf('shrinking');
    const ours = await play(history, asShortAsCanBe);
    const one = await play(history, phaulAsItBehaves);
    expect(ours.frozenBytes).toBeLessThan(0.7 * one.frozenBytes);
  });

  test('a writer faster than the copy: stops early', async () => {
    const history = historyOf('fastest');
    const ours = await play(history, asShortAsCanBe);
    const designed = await play(history, phaulAsDesigned);
    expect(ours.totalBytes).toBeLessThan(0.8 * designed.totalBytes);
    expect(ours.frozenBytes).toBeLessThan(1.01 * designed.frozenBytes);
  });

  test('one burst among quiet rounds does not change the estimate', () => {
    const { rounds } = historyOf('spiky');
    const pages = rounds.slice(1).map(({ stats }) => stats.pagesWritten);
    expect(Math.max(...pages)).toBeGreaterThan(2 * Math.min(...pages));
    const quiet = rounds.slice(0, 3);
    const [before, burst] = [quiet.at(-1), rounds[1 + pages.indexOf(Math.max(...pages))]];
    if (!before || !burst) throw new Error('the history is too short');
    const hit = { ...before, index: 3, startedMs: before.startedMs + before.durationMs };
    const spike = { ...hit, stats: { ...before.stats, ...pagesOf(burst.stats) } };
    const calm = estimate([...quiet, hit]).dirtyBytes;
    expect(estimate([...quiet, spike]).dirtyBytes).toBeLessThan(1.5 * calm);
  });
});

function pagesOf({ pagesWritten, bytesWritten }: { pagesWritten: number; bytesWritten: number }) {
  return { pagesWritten, bytesWritten };
}

describe('other rules', () => {
  test.each(names)('%s: phaul as implemented makes one round', async (name) => {
    expect((await play(historyOf(name), phaulAsItBehaves)).rounds).toBe(1);
  });

  test('a fixed number of rounds is a policy function', async () => {
    expect((await play(historyOf('steady'), fixedRounds(3))).rounds).toBe(3);
  });
});
