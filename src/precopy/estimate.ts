import type { Round } from './round.ts';

/** What the rounds so far predict for a dump. */
export interface Estimate {
  /** How long a dump made now would freeze the processes, in milliseconds. */
  readonly estimatedFrozenTimeMs: number;
  /** How long a dump after one more round would freeze the processes at best, in milliseconds. */
  readonly nextFrozenTimeMs: number;
  /** How much memory a dump made now would write, in bytes. */
  readonly dirtyBytes: number;
  /** How much memory changed per second between the last two rounds, in bytes. */
  readonly dirtyBytesPerSecond: number;
  /** How much memory a round copies per second, in bytes. */
  readonly bytesPerSecond: number;
}

/**
 * The time in which a dump handles files, sockets and registers of frozen processes, as a multiple
 * of the time that a pre-dump needs for its work besides copying memory. Measured in the recorded
 * histories of test/fixtures.
 */
const DUMP_FACTOR = 4;
/** How long CRIU takes for a dump of a Node program that leaves memory in the processes, as measured. */
const LAZY_DUMP_MS = 25;
const LAZY_DUMP_MS_PER_PAGE = 0.0003;
/** How many of the last rounds count: the median of three ignores one outlier. */
const RECENT_ROUNDS = 3;
/** A round counts for the cost of copying if it copied at least the largest round's bytes divided by this. */
const LARGE_ROUND_DIVISOR = 4;
/** Two intervals show how the changed memory depends on time only if they differ by this factor. */
const MIN_INTERVAL_RATIO = 1.3;

/**
 * Predicts the frozen time of a dump from the rounds so far. A dump copies what has changed since
 * the last round began. Whether that amount depends on the duration of the round is a property of
 * the processes: it is proportional if they always write to new places, and constant if they keep
 * writing to the same place. Until this is known, the estimate assumes the largest amount for a dump
 * made now and the smallest for a dump after another round.
 */
export function estimate(history: readonly Round[]): Estimate {
  const last = history.at(-1) as Round;
  const costs = costsOf(history);
  const changes = changesOf(history);
  const whole = last.stats.pagesScanned * last.stats.pageSize;
  const elasticity = elasticityOf(changes);
  const dirty = (intervalMs: number, guess: number) => {
    if (changes.length === 0) return guess === 0 ? last.stats.bytesWritten : 0;
    const recent = changes.slice(-RECENT_ROUNDS);
    const power = elasticity ?? guess;
    return Math.min(
      whole,
      median(recent.map(({ bytes, ms }) => bytes * (intervalMs / ms) ** power)),
    );
  };
  const fixedMs = last.stats.frozenTimeMs === 0 ? unfrozenCost(last) : DUMP_FACTOR * costs.fixedMs;
  const frozen = (bytes: number) => fixedMs + costs.scanMs + bytes * costs.msPerByte;

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

/** What a dump takes besides, after rounds that have not frozen the processes, so that nothing is known of it. */
function unfrozenCost({ stats }: Round): number {
  return LAZY_DUMP_MS + stats.pagesScanned * LAZY_DUMP_MS_PER_PAGE;
}

/** The time that the rounds took: in all, to scan for changed pages, and to copy them. */
function costsOf(history: readonly Round[]) {
  const most = Math.max(...history.map(({ stats }) => stats.bytesWritten));
  const copyMs = ({ stats }: Round) => stats.memdumpTimeMs + stats.memwriteTimeMs;
  // Running processes may slow a round down. In a dump they are frozen, so the fastest round counts.
  const perByte = history
    .filter(
      ({ stats }) => stats.bytesWritten > 0 && stats.bytesWritten >= most / LARGE_ROUND_DIVISOR,
    )
    .map((round) => copyMs(round) / round.stats.bytesWritten);
  return {
    fixedMs: median(history.map(({ stats }) => stats.frozenTimeMs - stats.memdumpTimeMs)),
    scanMs: Math.min(...history.map(({ stats }) => stats.memdumpTimeMs)),
    msPerByte: perByte.length > 0 ? Math.min(...perByte) : 0,
    /** The time of a round without copying. */
    roundMs: median(history.map((round) => Math.max(0, round.durationMs - copyMs(round)))),
  };
}

interface Change {
  readonly bytes: number;
  /** The time in which the memory changed, in milliseconds. */
  readonly ms: number;
}

/** How much changed memory each round but the first found. */
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
 * How the changed memory depends on time, from the last two intervals of different length: 0 is not
 * at all, 1 is in proportion. Undefined if there are no such intervals.
 */
function elasticityOf(changes: readonly Change[]): number | undefined {
  const last = changes.at(-1);
  if (!last) return undefined;
  const other = changes.findLast(
    ({ ms }) => Math.max(ms, last.ms) >= MIN_INTERVAL_RATIO * Math.min(ms, last.ms),
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
