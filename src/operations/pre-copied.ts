/**
 * Why the rounds of a pre-copy go on or end.
 * - `gain`: another round makes the frozen time shorter.
 * - `downtime`: the predicted frozen time is within `maxDowntimeMs`.
 * - `no-gain`: another round would not shorten the frozen time by `minGain`, or the last two have not.
 * - `rounds`, `bytes`: `maxRounds` or `maxBytes` is reached.
 * - `policy`: the caller's policy function decided.
 */
export type RoundReason = 'gain' | 'downtime' | 'no-gain' | 'rounds' | 'bytes' | 'policy';

/** What {@link preCopy} predicted for the final dump. */
export interface FrozenTimePrediction {
  /** Why the rounds ended. */
  readonly reason: RoundReason;
  /** The predicted frozen time of the dump, in milliseconds. */
  readonly estimatedFrozenTimeMs: number;
}

/** What {@link preCopy} predicted for the final dump, next to what the dump took. */
export interface PreCopied extends FrozenTimePrediction {
  /**
   * The frozen time of the dump, in milliseconds. The processes of a lazy dump stay frozen: this is
   * the time until the dump was ready to serve their pages.
   */
  readonly frozenTimeMs: number;
}
