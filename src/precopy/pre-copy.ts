import { CriuError } from '../errors.ts';
import type { Iteration } from './iteration.ts';
import type { PreCopyLimits } from './policy.ts';
import { createDecide, type Decide, type Decision, type PreCopyFunction } from './policy.ts';
import type { Round } from './round.ts';

/** The part of an iteration that {@link preCopy} uses. `predict` is internal and not in the published types. */
interface PreDumper extends Pick<Iteration, 'preDump' | 'close'> {
  predict?(decision: Decision): void;
}

/**
 * Makes rounds of pre-dumps until the policy decides for the final dump. Call {@link Iteration.dump}
 * or {@link Iteration.lazyDump} then: the `preCopy` of its result has the predicted and the real
 * frozen time. If the policy aborts, the iteration is closed and the processes run on. Leaving the
 * loop early does not end the iteration: another round or the dump may follow.
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
export function preCopy(
  iteration: PreDumper,
  policy: PreCopyLimits | PreCopyFunction = {},
): PreCopy {
  return new PreCopy(iteration, policy);
}

/** The rounds of {@link preCopy}, which can be iterated once. */
export class PreCopy implements AsyncIterable<Round> {
  readonly #iteration: PreDumper;
  readonly #decide: Decide;
  readonly #onRound: PreCopyLimits['onRound'];
  #started = false;
  #decision: Decision | undefined;

  /** @internal */
  constructor(iteration: PreDumper, policy: PreCopyLimits | PreCopyFunction) {
    const { decide, onRound } = createDecide(policy);
    this.#iteration = iteration;
    this.#decide = decide;
    this.#onRound = onRound;
  }

  /** The decision after the last round; undefined before the first round. */
  get decision(): Decision | undefined {
    return this.#decision;
  }

  /** Makes the rounds. @throws CriuError ERR_CRIU_INVALID_ARGUMENT the second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<Round, void, undefined> {
    if (this.#started) {
      const message = 'preCopy: the rounds can be iterated only once';
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: 'preCopy' });
    }
    this.#started = true;
    const history: Round[] = [];
    for (;;) {
      const round = await this.#iteration.preDump();
      history.push(round);
      const decision = await this.#decide(history);
      this.#decision = decision;
      this.#iteration.predict?.(decision);
      await this.#onRound?.(round, decision);
      if (decision.action === 'abort') await this.#iteration.close();
      yield round;
      if (decision.action !== 'continue') return;
    }
  }
}
