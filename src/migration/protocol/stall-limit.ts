/** How long one host of a migration waits for the other. */
export interface StallLimit {
  /**
   * How long the other host may be silent, and a connection may make no progress, in milliseconds.
   * Default 10000.
   */
  readonly stallMs?: number;
}

/** The default of {@link StallLimit.stallMs}, on both hosts. */
export const DEFAULT_STALL_MS = 10_000;

/** The time limit of the caller's functions, as a multiple of `stallMs`, where nothing else ends the wait. */
export const PATIENCE = 6;
