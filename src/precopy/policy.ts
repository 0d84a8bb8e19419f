import { invalid, unknownOption } from '../errors.ts';
import { readOptions } from '../options/check.ts';
import { type Estimate, estimate } from './estimate.ts';
import type { Round } from './round.ts';

/** When {@link preCopy} is to end: limits, between which the default policy predicts. */
export interface PreCopyLimits {
  /** Finish when a dump made now would freeze the processes for no longer, in milliseconds. Default 300. */
  maxDowntimeMs?: number;
  /** Finish after so many rounds. Default 8. */
  maxRounds?: number;
  /** Finish when the next round would bring the memory written in all over this, in bytes. Default: no limit. */
  maxBytes?: number;
  /**
   * Finish when another round would not make the frozen time shorter by at least this part of it, or
   * the last two have not, from 0 to 1. Default 0.1.
   */
  minGain?: number;
  /** Called after each round with what is to follow, and awaited. */
  onRound?(round: Round, decision: Decision): void | Promise<void>;
}

/** Decides after each round, with all rounds so far. */
export type PreCopyFunction = (
  history: readonly Round[],
) => Decision['action'] | Promise<Decision['action']>;

/** What follows a round, and why. */
export interface Decision extends Estimate {
  /** Another round, the dump, or neither: the processes then just run on. */
  readonly action: 'continue' | 'finish' | 'abort';
  /**
   * - `gain`: another round makes the frozen time shorter.
   * - `downtime`: it is within `maxDowntimeMs`.
   * - `no-gain`: another round would not make it shorter by `minGain`, or the last two have not.
   * - `rounds`, `bytes`: `maxRounds` or `maxBytes` is reached.
   * - `policy`: the function says so.
   */
  readonly reason: 'gain' | 'downtime' | 'no-gain' | 'rounds' | 'bytes' | 'policy';
}

/** Decides after a round. */
export type Decide = (history: readonly Round[]) => Promise<Decision>;

type Limits = Required<Omit<PreCopyLimits, 'onRound'>>;

/** After so many rounds in a row that have gained nothing another would gain nothing either. */
const VAIN = 2;

const DEFAULTS: Limits = {
  maxDowntimeMs: 300,
  maxRounds: 8,
  maxBytes: Number.POSITIVE_INFINITY,
  minGain: 0.1,
};

/** Makes a decider of a policy. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function deciderOf(policy: PreCopyLimits | PreCopyFunction): {
  decide: Decide;
  onRound: PreCopyLimits['onRound'];
} {
  if (typeof policy === 'function') {
    return { decide: (history) => ask(policy, history), onRound: undefined };
  }
  const { onRound, ...given } = readOptions('preCopy', policy, 'policy');
  if (onRound !== undefined && typeof onRound !== 'function') {
    throw invalid('preCopy', 'onRound', 'a function', onRound);
  }
  const limits = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (!isLimit(name)) throw unknownOption('preCopy', name);
    if (value === undefined) continue;
    const { takes, holds } = kinds[name];
    if (typeof value !== 'number' || !holds(value)) throw invalid('preCopy', name, takes, value);
    limits[name] = value;
  }
  return { decide: async (history) => decide(history, limits), onRound };
}

/** What the default policy says after the last of these rounds. */
function decide(history: readonly Round[], limits: Limits): Decision {
  const expected = estimate(history);
  const { estimatedFrozenTimeMs: now, nextFrozenTimeMs: next, dirtyBytes } = expected;
  const written = history.reduce((sum, { stats }) => sum + stats.bytesWritten, 0);
  const finish = (reason: Decision['reason']) =>
    ({ action: 'finish', reason, ...expected }) as const;
  if (now <= limits.maxDowntimeMs) return finish('downtime');
  if (history.length >= limits.maxRounds) return finish('rounds');
  if (written + dirtyBytes > limits.maxBytes) return finish('bytes');
  if (now - next < limits.minGain * now || isStuck(history, limits.minGain)) {
    return finish('no-gain');
  }
  return { action: 'continue', reason: 'gain', ...expected };
}

/**
 * Whether the last rounds have not made the frozen time shorter, whatever was expected of them: what
 * passes between the rounds may be longer than they are, and is then no shorter after one more.
 */
function isStuck(history: readonly Round[], minGain: number): boolean {
  if (history.length <= VAIN) return false;
  const [first = 0, ...later] = Array.from(Array(VAIN + 1), (_, index) => {
    const rounds = history.slice(0, history.length - VAIN + index);
    return estimate(rounds).estimatedFrozenTimeMs;
  });
  let before = first;
  return later.every((now) => {
    const isVain = before - now < minGain * before;
    before = now;
    return isVain;
  });
}

async function ask(policy: PreCopyFunction, history: readonly Round[]): Promise<Decision> {
  const action = await policy([...history]);
  if (!['continue', 'finish', 'abort'].includes(action)) {
    throw invalid(
      'preCopy',
      'policy',
      "a function that says 'continue', 'finish' or 'abort'",
      action,
    );
  }
  return { action, reason: 'policy', ...estimate(history) };
}

const kinds: Readonly<Record<keyof Limits, { takes: string; holds(value: number): boolean }>> = {
  maxDowntimeMs: { takes: 'milliseconds, 0 or more', holds: (value) => value >= 0 },
  maxRounds: {
    takes: 'an integer from 1',
    holds: (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 1),
  },
  maxBytes: { takes: 'bytes, 0 or more', holds: (value) => value >= 0 },
  minGain: { takes: 'a number from 0 to 1', holds: (value) => value >= 0 && value <= 1 },
};

function isLimit(name: string): name is keyof Limits {
  return Object.hasOwn(kinds, name);
}
