import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DumpStats } from '../../src/images/dump-stats.ts';
import type { Iteration } from '../../src/precopy/iteration.ts';
import type { Decision } from '../../src/precopy/policy.ts';
import type { Round } from '../../src/precopy/round.ts';

/** A recorded iteration: its rounds, and the final dump. */
export interface Run {
  readonly rounds: readonly Round[];
  readonly dump: Round;
}

/**
 * Iterations of one workload, recorded in the virtual machine: one per number of rounds, each with a
 * process of its own. The files store a round as a row of numbers, to be small.
 */
export interface History {
  readonly workload: string;
  /** A dump without any rounds. */
  readonly dumpAtOnce: Round;
  /** The runs, by number of rounds. */
  readonly runs: readonly Run[];
  /** The rounds of the longest run. */
  readonly rounds: readonly Round[];
}

interface Recorded {
  readonly workload: string;
  readonly columns: readonly string[];
  readonly dumpAtOnce: readonly number[];
  readonly runs: readonly { rounds: readonly (readonly number[])[]; dump: readonly number[] }[];
}

const PAGE_SIZE = 4096;

/** Reads test/fixtures/histories/NAME.json. */
export function recordedHistory(name: string): History {
  const path = join(import.meta.dirname, `../fixtures/histories/${name}.json`);
  const { workload, columns, dumpAtOnce, runs } = JSON.parse(
    readFileSync(path, 'utf8'),
  ) as Recorded;
  const read = (row: readonly number[], index: number) =>
    roundOf(index, Object.fromEntries(columns.map((column, place) => [column, row[place]])));
  const all = runs.map(({ rounds, dump }) => ({
    rounds: rounds.map(read),
    dump: read(dump, rounds.length),
  }));
  return {
    workload,
    dumpAtOnce: read(dumpAtOnce, 0),
    runs: all,
    rounds: all.at(-1)?.rounds ?? [],
  };
}

/** Builds a round from some numbers; the others are 0 or undefined. */
export function roundOf(index: number, numbers: Partial<DumpStats & Round>): Round {
  const { startedMs = 0, durationMs = 0, ...stats } = numbers;
  return {
    index,
    directory: `/images/${index}`,
    startedMs,
    durationMs,
    log: undefined,
    stats: {
      freezingTimeMs: 0,
      frozenTimeMs: 0,
      memdumpTimeMs: 0,
      memwriteTimeMs: 0,
      pagesScanned: 0,
      pagesSkippedParent: 0,
      pagesWritten: 0,
      pagesLazy: 0,
      pagePipes: undefined,
      pagePipeBufs: undefined,
      shpagesScanned: undefined,
      shpagesSkippedParent: undefined,
      shpagesWritten: undefined,
      irmapResolveMs: undefined,
      bytesWritten: (stats.pagesWritten ?? 0) * PAGE_SIZE,
      pageSize: PAGE_SIZE,
      ...stats,
    },
  };
}

/** Replays recorded rounds to a policy, in place of an iteration. */
export class Replay implements Pick<Iteration, 'preDump' | 'close' | 'predict'> {
  readonly #rounds: readonly Round[];
  /** The number of rounds. */
  made = 0;
  closed = 0;
  decision: Decision | undefined;

  constructor(rounds: readonly Round[]) {
    this.#rounds = rounds;
  }

  async preDump(): Promise<Round> {
    const round = this.#rounds[this.made];
    if (!round) throw new Error(`there is no round ${this.made}`);
    this.made++;
    return round;
  }

  async close(): Promise<void> {
    this.closed++;
  }

  predict(decision: Decision): void {
    this.decision = decision;
  }
}
