/*
 * Who owns the workload and who decides next: the whole agreement between two hosts, as functions of
 * what their journals say. docs/migration-protocol.md shows it as tables. test/unit/migration-model.test.ts
 * searches all interleavings of steps, crashes and lost messages for one with two copies, or none.
 */

/**
 * The state in the journal of a source.
 * - `offered`: the original runs, or criu holds it frozen and releases it on failure.
 * - `handed-over`: the original is stopped, and resumes only after the destination has given up.
 * - `ending`: the original is about to end, since the copy runs with all of its memory.
 * - `done`: the original has ended.
 * - `aborting`: the original is about to resume, since there is no copy and will be none.
 * - `aborted`: the original runs on, and nothing of the migration is left.
 */
export type SourceState = 'offered' | 'handed-over' | 'ending' | 'done' | 'aborting' | 'aborted';

/**
 * The state in the journal of a destination.
 * - `unknown`: there is no journal; the destination never heard of the migration, or lost its journals.
 * - `receiving`: images and pages are arriving.
 * - `prepared`: the copy is restored, and held before it runs.
 * - `resuming`: the copy is about to run; written before it does.
 * - `resumed`: the copy runs, and lacks pages.
 * - `complete`: the copy runs with all of its memory.
 * - `aborted`: there is no copy, and will be none.
 * - `failed`: the copy lost the rest of its memory and was killed.
 */
export type DestinationState =
  | 'unknown'
  | 'receiving'
  | 'prepared'
  | 'resuming'
  | 'resumed'
  | 'complete'
  | 'aborted'
  | 'failed';

/** Who owns the workload; `undecided` while the decision is the destination's. */
export type Owner = 'source' | 'destination' | 'undecided';

/** The owner by both journals. Without the destination's it may be undecided. */
export function ownerOf(source: SourceState, destination: DestinationState | undefined): Owner {
  if (source === 'done' || source === 'ending') return 'destination';
  if (source !== 'handed-over') return 'source';
  switch (destination) {
    case 'resuming':
    case 'resumed':
    case 'complete':
      return 'destination';
    case 'aborted':
    case 'failed':
      return 'source';
    default:
      return 'undecided';
  }
}

/**
 * What a source does next.
 * - `resume`: resumes the original.
 * - `end`: ends the original.
 * - `commit`: asks the destination again to let the copy run.
 * - `wait`: asks again later.
 */
export type SourceMove = 'resume' | 'end' | 'commit' | 'wait' | 'nothing';

/** The next move by the answer of the destination, which is undefined if there was none. */
export function sourceMove(
  source: SourceState,
  destination: DestinationState | undefined,
): SourceMove {
  if (source === 'done' || source === 'aborted') return 'nothing';
  if (source === 'ending') return 'end';
  if (source !== 'handed-over') return 'resume';
  switch (destination) {
    case 'prepared':
      return 'commit';
    case 'complete':
      return 'end';
    case 'aborted':
    case 'failed':
      return 'resume';
    default:
      // A destination without the journal of what it prepared has lost it, and may have the copy.
      return 'wait';
  }
}

/** True if a destination may still give up, since no copy has run. */
export function mayAbort(destination: DestinationState): boolean {
  return ['unknown', 'receiving', 'prepared', 'aborted'].includes(destination);
}

/** True if nothing comes after a state. */
export function isFinal(state: DestinationState): boolean {
  return state === 'complete' || state === 'aborted' || state === 'failed';
}

/** What a new agent finds at a destination once the criu of the old agent has ended. */
export interface FoundCopy {
  /** The copy exists, and was allowed to run. */
  readonly runs: boolean;
  /** The copy was to fetch pages after its restore. */
  readonly lazy: boolean;
}

/**
 * What the journal of a destination means to a new agent. The criu of the old agent has died with it,
 * and so has a copy that was held. A copy that waits for pages never gets them, and is to be killed.
 */
export function afterRestart(state: DestinationState, { runs, lazy }: FoundCopy): DestinationState {
  switch (state) {
    case 'receiving':
    case 'prepared':
      return 'aborted';
    case 'resuming':
      if (!runs) return 'aborted';
      return lazy ? 'failed' : 'complete';
    case 'resumed':
      return 'failed';
    default:
      return state;
  }
}
