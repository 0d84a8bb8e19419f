import type { Round } from './round.ts';

/** What a dump after the rounds so far is expected to take. */
export interface Estimate {
  /** Time that the processes would be frozen by a dump made now, in milliseconds. */
  readonly estimatedFrozenTimeMs: number;
  /** The same after one more round, at best, in milliseconds. */
  readonly nextFrozenTimeMs: number;
  /** Memory that such a dump would write, in bytes. */
  readonly dirtyBytes: number;
  /** Memory that the last round found changed for each second since the one before, in bytes. */
  readonly dirtyBytesPerSecond: number;
  /** Memory that is copied in a second, in bytes. */
  readonly bytesPerSecond: number;
}

/**
 * What a dump does to frozen processes besides copying memory (files, sockets, registers), as a
 * multiple of what a pre-dump does: about this in the recorded histories of test/fixtures.
 */
const DUMP_FACTOR = 4;
/** How many of the last rounds count: one spike among them changes nothing. */
const RECENT = 3;
/** A round tells what copying costs if it copied this part of what the largest did. */
const MANY = 4;
/** Intervals nearer to each other than this say nothing of how the dirty memory depends on them. */
const APART = 1.3;

/**
 * Predicts the frozen time of a dump from the rounds so far. A dump copies what has changed since
 * the last round began. How much that is depends on how long the round took: in proportion if the
 * processes always write elsewhere, not at all if they write to the same place over and over. As
 * long as that is unknown, a dump now is expected to find the most and another round the least.
 */
export function estimate(history: readonly Round[]): Estimate {
  const last = history.at(-1) as Round;
  const costs = costsOf(history);
  const changes = changesOf(history);
  const whole = last.stats.pagesScanned * last.stats.pageSize;
  const elasticity = elasticityOf(changes);
  const dirty = (intervalMs: number, guess: number) => {
    if (changes.length === 0) return guess === 0 ? last.stats.bytesWritten : 0;
    const recent = changes.slice(-RECENT);
    const power = elasticity ?? guess;
    return Math.min(
      whole,
      median(recent.map(({ bytes, ms }) => bytes * (intervalMs / ms) ** power)),
    );
  };
  const frozen = (bytes: number) =>
    DUMP_FACTOR * costs.fixedMs + costs.scanMs + bytes * costs.msPerByte;

  const dirtyBytes = dirty(last.durationMs, 0);
  const nextMs = costs.roundMs + costs.scanMs + dirtyBytes * costs.msPerByte;
  const rate = changes.at(-1);
  return {
    estimatedFrozenTimeMs: frozen(dirtyBytes),
    nextFrozenTimeMs: Math.min(frozen(dirty(nextMs, 1)), frozen(dirtyBytes)),
    dirtyBytes,
    dirtyBytesPerSecond: rate ? (1000 * rate.bytes) / rate.ms : 0,
    bytesPerSecond: costs.msPerByte > 0 ? 1000 / costs.msPerByte : 0,
  };
}

/** What the rounds have cost, apart from each other: in all, to look for pages, and to copy them. */
function costsOf(history: readonly Round[]) {
  const most = Math.max(...history.map(({ stats }) => stats.bytesWritten));
  const copyMs = ({ stats }: Round) => stats.memdumpTimeMs + stats.memwriteTimeMs;
  // The processes, which ran meanwhile, may have slowed it down; in a dump they will not.
  const perByte = history
    .filter(({ stats }) => stats.bytesWritten > 0 && stats.bytesWritten >= most / MANY)
    .map((round) => copyMs(round) / round.stats.bytesWritten);
  return {
    fixedMs: median(history.map(({ stats }) => stats.frozenTimeMs - stats.memdumpTimeMs)),
    scanMs: Math.min(...history.map(({ stats }) => stats.memdumpTimeMs)),
    msPerByte: perByte.length > 0 ? Math.min(...perByte) : 0,
    /** A round without its copying. */
    roundMs: median(history.map((round) => Math.max(0, round.durationMs - copyMs(round)))),
  };
}

interface Change {
  readonly bytes: number;
  /** The time in which that much changed. */
  readonly ms: number;
}

/** What each round but the first found changed. */
function changesOf(history: readonly Round[]): Change[] {
  return history.slice(1).map((round, index) => {
    const before = history[index] as Round;
    return {
      bytes: round.stats.bytesWritten,
      ms: Math.max(1, round.startedMs - before.startedMs),
    };
  });
}

/**
 * How the changed memory depends on time, by the last two intervals of different length: 0 not at
 * all, 1 in proportion; undefined if there are no such intervals.
 */
function elasticityOf(changes: readonly Change[]): number | undefined {
  const last = changes.at(-1);
  if (!last) return undefined;
  const other = changes.findLast(
    ({ ms }) => Math.max(ms, last.ms) >= APART * Math.min(ms, last.ms),
  );
  if (!other || other.bytes === 0 || last.bytes === 0) return undefined;
  const power = Math.log(other.bytes / last.bytes) / Math.log(other.ms / last.ms);
  return Math.min(1, Math.max(0, power));
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
