import { CombinedSignal } from '../concurrency/combined-signal.ts';
import { traceOperation } from '../diagnostics.ts';
import { CriuError, type ExitStatus } from '../errors.ts';
import type { FrozenTimePrediction } from '../operations/pre-copied.ts';
import type { LazyDumpContext } from '../postcopy/lazy-dump.ts';
import type { LazySource } from '../postcopy/lazy-source.ts';
import type {
  FinalDumpOptions,
  FinalLazyDumpOptions,
  IterateOptions,
  RoundOptions,
} from './iterate-options.ts';
import type { FinalDump, Round } from './round.ts';
import { checkRoundOptions } from './round-checks.ts';
import { prepareRound, type RoundSettings } from './round-preparation.ts';
import type { Tracking } from './tracking.ts';

/** @internal What {@link iterate} starts an iteration with. */
export interface IterationParts extends RoundSettings {
  readonly pid: number;
  readonly options: IterateOptions;
  readonly tracking: Tracking;
  /** When the iteration started, by performance.now(). */
  readonly start: number;
}

/** The reason why an iteration makes no more rounds. */
interface End {
  /** What error messages say after the name of the iteration. */
  readonly text: string;
  readonly cause?: unknown;
}

/**
 * An iterative dump: rounds of pre-dumps, each of which copies what has changed since the round
 * before while the processes run, and a final dump that has little left to copy. With soft-dirty tracking
 * one criu makes all of them. A failed round ends the iteration, and the processes run on: the record of
 * changed memory is lost, so that there could be no further round. Source: RPC request PRE_DUMP, criu(8) pre-dump.
 */
export class Iteration implements AsyncDisposable {
  /** The root of the tree. */
  readonly pid: number;
  readonly #parts: IterationParts;
  readonly #closing = new AbortController();
  #predicted: FrozenTimePrediction | undefined;
  #nextIndex = 0;
  /** The round that is being made; never rejects. */
  #current: Promise<unknown> | undefined;
  #end: End | undefined;

  /** @internal */
  constructor(parts: IterationParts) {
    this.pid = parts.pid;
    this.#parts = parts;
  }

  /**
   * Resolves when it makes no more rounds: after the dump, a failure or {@link Iteration.close}. With soft-dirty
   * tracking its criu has ended then, as the value tells; else no criu runs between the rounds.
   */
  get exited(): Promise<ExitStatus> {
    return this.#parts.tracking.exited;
  }

  /** How it finds the memory that has changed. */
  get tracking(): 'soft-dirty' | 'compare' {
    return this.#parts.tracking.kind;
  }

  /**
   * Copies the memory that has changed since the round before, or all of it in the first round. The
   * processes stop only while CRIU collects the pages.
   * @throws CriuError ERR_CRIU_CLOSED after the dump, a failed round or {@link Iteration.close}
   */
  async preDump(options: RoundOptions = {}): Promise<Round> {
    return await this.#makeRound('preDump', checkRoundOptions('preDump', options));
  }

  /**
   * Freezes the tree and dumps it with the memory that has changed since the last round. A restore
   * takes the directory of this dump. It ends the iteration; if it fails, the processes run on.
   * @throws CriuError as {@link Criu.dump} does, and ERR_CRIU_CLOSED as {@link Iteration.preDump}
   */
  async dump(options: FinalDumpOptions = {}): Promise<FinalDump> {
    const round = await this.#makeRound('dump', checkRoundOptions('dump', options));
    this.#end ??= { text: 'has ended with its dump' };
    if (!this.#predicted) return round;
    return { ...round, preCopy: { ...this.#predicted, frozenTimeMs: round.stats.frozenTimeMs } };
  }

  /**
   * Freezes the tree and dumps it as {@link Criu.lazyDump} does: the destination fetches the memory
   * that has changed since the last round. It needs the images of all rounds. The dump ends the
   * iteration.
   * @throws CriuError as {@link Criu.lazyDump} does, ERR_CRIU_INVALID_ARGUMENT if the iteration was
   * started without `lazyPages`, and ERR_CRIU_CLOSED as {@link Iteration.preDump}
   */
  async lazyDump(options: FinalLazyDumpOptions = {}): Promise<LazySource> {
    return await this.lazyDumpTo(undefined, options);
  }

  /** @internal The same for a migration, to a destination that is connected already. */
  async lazyDumpTo(
    peer: LazyDumpContext['peer'],
    options: FinalLazyDumpOptions = {},
    context: Pick<LazyDumpContext, 'mustStayStopped' | 'rateLimit'> = {},
  ): Promise<LazySource> {
    const operation = 'lazyDump';
    const { pageServer, ...given } = checkRoundOptions(operation, options);
    this.#assertReady(operation);
    const { tracking } = this.#parts;
    if (!this.#parts.options.lazyPages) {
      const message = `${operation}: the iteration was started without lazyPages: true`;
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option: 'lazyPages' });
    }
    const source = await this.#attempt(async () => {
      // The source follows the signals until it ends, so they are not disposed here.
      const limited = { ...given, signal: this.#signalsOf(given).signal };
      const round = await prepareRound('dump', this.#parts, this.#nextIndex, limited, null);
      const lazy = { ...round, options: { ...round.options, ...(pageServer && { pageServer }) } };
      return await traceOperation({ operation, pid: this.pid, round: round.index }, () =>
        tracking.lazyDump(this.pid, lazy, { ...context, peer, predicted: this.#predicted }),
      );
    });
    this.#end ??= { text: 'has ended with its dump' };
    return source;
  }

  /**
   * Ends the iteration without a dump; the processes run on. A round that is being made is
   * cancelled, and CRIU rolls back. Idempotent.
   */
  async close(): Promise<void> {
    this.#end ??= { text: 'is closed' };
    this.#closing.abort(new Error('the iteration is closed'));
    await this.#current;
    await this.#parts.tracking.end();
  }

  /** Same as {@link Iteration.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Remembers what {@link preCopy} predicts for the final dump. */
  predict({ reason, estimatedFrozenTimeMs }: FrozenTimePrediction): void {
    this.#predicted = { reason, estimatedFrozenTimeMs };
  }

  async #makeRound(operation: 'preDump' | 'dump', given: RoundOptions): Promise<FinalDump> {
    this.#assertReady(operation);
    return await this.#attempt(async () => {
      const { tracking, start } = this.#parts;
      const startedMs = performance.now() - start;
      using signals = this.#signalsOf(given);
      const limited = { ...given, signal: signals.signal };
      const round = await prepareRound(operation, this.#parts, this.#nextIndex, limited);
      const { index, options } = round;
      const result = await traceOperation({ operation, pid: this.pid, round: index }, () =>
        tracking[operation](this.pid, round),
      );
      const { log, stats, durationMs, occupiedPids } = result;
      return {
        ...{ index, directory: options.imagesDirectory, stats, startedMs, durationMs, log },
        ...(occupiedPids && { occupiedPids }),
      };
    });
  }

  /** Makes a round. Its failure ends the iteration if no further round can be made. */
  async #attempt<T>(makeRound: () => Promise<T>): Promise<T> {
    const made = makeRound();
    this.#current = made.then(
      () => {},
      () => {},
    );
    try {
      const result = await made;
      this.#nextIndex++;
      return result;
    } catch (cause) {
      if (this.#parts.tracking.isOver) {
        this.#end ??= { text: `has ended with the failure of round ${this.#nextIndex}`, cause };
      }
      throw cause;
    } finally {
      this.#current = undefined;
    }
  }

  /** The signals that cancel a round: its own, that of the iteration, and {@link close}. */
  #signalsOf({ signal }: RoundOptions): CombinedSignal {
    return new CombinedSignal([this.#closing.signal, this.#parts.options.signal, signal]);
  }

  /** @throws CriuError if the iteration has ended, or a round is being made */
  #assertReady(operation: string): void {
    const { pid } = this;
    if (this.#end) {
      const { text, cause } = this.#end;
      const message = `${operation}: the iteration of process ${pid} ${text}`;
      throw new CriuError('ERR_CRIU_CLOSED', message, { operation, pid, cause });
    }
    if (this.#current) {
      const message = `${operation}: round ${this.#nextIndex} of process ${pid} is still being made`;
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, pid });
    }
  }
}
