import { CriuError } from '../errors.ts';
import type { Iteration } from './iteration.ts';
import type { PreCopyLimits } from './policy.ts';
import { type Decide, type Decision, deciderOf, type PreCopyFunction } from './policy.ts';
import type { Round } from './round.ts';

/** An iteration, whose `decided` is internal and so not there in the published types. */
interface Rounds extends Pick<Iteration, 'preDump' | 'close'> {
  decided?(decision: Decision): void;
}

/**
 * Makes rounds of pre-dumps until the policy says that it is time for the dump, which is then
 * {@link Iteration.dump} or {@link Iteration.lazyDump}: the `preCopy` of its result has the frozen time
 * that was predicted beside that which it took. If the policy aborts, the iteration is closed and the processes just run on. To leave the
 * loop early ends neither: another round or the dump may follow.
 *
 * @example
 * ```ts
 * const iteration = await criu.iterate(pid, { imagesDirectory });
 * for await (const round of preCopy(iteration, { maxDowntimeMs: 100 })) {
 *   console.log(round.index, round.stats.bytesWritten);
 * }
 * const { directory } = await iteration.dump();
 * ```
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the policy is wrong; in the loop, what
 * {@link Iteration.preDump} throws
 */
export function preCopy(iteration: Rounds, policy: PreCopyLimits | PreCopyFunction = {}): PreCopy {
  return new PreCopy(iteration, policy);
}

/** The rounds of {@link preCopy}, to be gone through once. */
export class PreCopy implements AsyncIterable<Round> {
  readonly #iteration: Rounds;
  readonly #decide: Decide;
  readonly #onRound: PreCopyLimits['onRound'];
  #started = false;
  #decision: Decision | undefined;

  /** @internal */
  constructor(iteration: Rounds, policy: PreCopyLimits | PreCopyFunction) {
    const { decide, onRound } = deciderOf(policy);
    this.#iteration = iteration;
    this.#decide = decide;
    this.#onRound = onRound;
  }

  /** What was decided after the last round; undefined before the first. */
  get decision(): Decision | undefined {
    return this.#decision;
  }

  /** Makes the rounds. @throws CriuError ERR_CRIU_INVALID_ARGUMENT the second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<Round, void, undefined> {
    if (this.#started) {
      const message = 'preCopy: its rounds can be gone through only once';
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: 'preCopy' });
    }
    this.#started = true;
    const history: Round[] = [];
    for (;;) {
      const round = await this.#iteration.preDump();
      history.push(round);
      const decision = await this.#decide(history);
      this.#decision = decision;
      this.#iteration.decided?.(decision);
      await this.#onRound?.(round, decision);
      if (decision.action === 'abort') await this.#iteration.close();
      yield round;
      if (decision.action !== 'continue') return;
    }
  }
}
