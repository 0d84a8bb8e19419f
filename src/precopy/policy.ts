import { invalid } from '../errors.ts';
import type { RoundReason } from '../operations/pre-copied.ts';
import {
  type Check,
  callback,
  check,
  checkOptions,
  readOptions,
  type Shape,
} from '../options/check.ts';
import { type Estimate, estimate } from './estimate.ts';
import type { Round } from './round.ts';

/** The limits at which the default policy of {@link preCopy} ends the rounds. */
export interface PreCopyLimits {
  /**
   * Finish when a dump made now would freeze the processes for at most this long, in milliseconds.
   * Default 300.
   */
  maxDowntimeMs?: number;
  /** Finish after this many rounds. Default 8. */
  maxRounds?: number;
  /**
   * Finish when the next round would raise the memory written in all rounds above this, in bytes.
   * Default: no limit.
   */
  maxBytes?: number;
  /**
   * Finish when another round would not shorten the frozen time by at least this fraction, or the
   * last two rounds have not. From 0 to 1, default 0.1.
   */
  minGain?: number;
  /** Called and awaited after each round, with the decision that follows it. */
  onRound?(round: Round, decision: Decision): void | Promise<void>;
}

/** A policy of the caller: decides after each round, given all rounds so far. */
export type PreCopyFunction = (
  history: readonly Round[],
) => Decision['action'] | Promise<Decision['action']>;

/** What follows a round, and why. */
export interface Decision extends Estimate {
  /** Make another round, finish with the dump, or abort: the processes then run on. */
  readonly action: 'continue' | 'finish' | 'abort';
  /** Why the policy decided so. */
  readonly reason: RoundReason;
}

/** Decides after a round. */
export type Decide = (history: readonly Round[]) => Promise<Decision>;

type Limits = Required<Omit<PreCopyLimits, 'onRound'>>;

/** After this many rounds in a row without a gain, the default policy expects none from the next. */
const STALLED_ROUNDS = 2;

const DEFAULTS: Limits = {
  maxDowntimeMs: 300,
  maxRounds: 8,
  maxBytes: Number.POSITIVE_INFINITY,
  minGain: 0.1,
};

const limitsShape: Shape<PreCopyLimits> = {
  maxDowntimeMs: numberCheck('milliseconds, 0 or more', (value) => value >= 0),
  maxRounds: numberCheck(
    'an integer from 1',
    (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 1),
  ),
  maxBytes: numberCheck('bytes, 0 or more', (value) => value >= 0),
  minGain: numberCheck('a number from 0 to 1', (value) => value >= 0 && value <= 1),
  onRound: callback,
};

function numberCheck(takes: string, accepts: (value: number) => boolean): Check {
  return check(takes, (value) => typeof value === 'number' && accepts(value));
}

/**
 * Makes the function that decides after each round.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the policy is wrong
 */
export function createDecide(policy: PreCopyLimits | PreCopyFunction): {
  decide: Decide;
  onRound: PreCopyLimits['onRound'];
} {
  if (typeof policy === 'function') {
    return { decide: (history) => askPolicy(policy, history), onRound: undefined };
  }
  const given = checkOptions('preCopy', readOptions('preCopy', policy, 'policy'), limitsShape);
  const { onRound, ...rest } = given;
  const isGiven = ([, value]: [string, unknown]) => value !== undefined;
  const limits = { ...DEFAULTS, ...Object.fromEntries(Object.entries(rest).filter(isGiven)) };
  return { decide: async (history) => decide(history, limits), onRound };
}

/** The default policy: decides after the last of these rounds. */
function decide(history: readonly Round[], limits: Limits): Decision {
  const prediction = estimate(history);
  const { estimatedFrozenTimeMs: now, nextFrozenTimeMs: next, dirtyBytes } = prediction;
  const written = history.reduce((sum, { stats }) => sum + stats.bytesWritten, 0);
  const finish = (reason: Decision['reason']) =>
    ({ action: 'finish', reason, ...prediction }) as const;
  if (now <= limits.maxDowntimeMs) return finish('downtime');
  if (history.length >= limits.maxRounds) return finish('rounds');
  if (written + dirtyBytes > limits.maxBytes) return finish('bytes');
  if (now - next < limits.minGain * now || isStalled(history, limits.minGain)) {
    return finish('no-gain');
  }
  return { action: 'continue', reason: 'gain', ...prediction };
}

/**
 * True if the last rounds have not shortened the frozen time, whatever was predicted for them. That
 * happens when the pauses between the rounds are longer than the rounds: one more round does not
 * shorten the interval in which memory changes.
 */
function isStalled(history: readonly Round[], minGain: number): boolean {
  if (history.length <= STALLED_ROUNDS) return false;
  const [first = 0, ...later] = Array.from(Array(STALLED_ROUNDS + 1), (_, index) => {
    const rounds = history.slice(0, history.length - STALLED_ROUNDS + index);
    return estimate(rounds).estimatedFrozenTimeMs;
  });
  let before = first;
  return later.every((now) => {
    const isWithoutGain = before - now < minGain * before;
    before = now;
    return isWithoutGain;
  });
}

async function askPolicy(policy: PreCopyFunction, history: readonly Round[]): Promise<Decision> {
  const action = await policy([...history]);
  if (!['continue', 'finish', 'abort'].includes(action)) {
    throw invalid(
      'preCopy',
      'policy',
      "a function that returns 'continue', 'finish' or 'abort'",
      action,
    );
  }
  return { action, reason: 'policy', ...estimate(history) };
}
