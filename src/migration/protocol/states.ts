/*
 * Who owns the workload, and who decides next: the whole of the agreement between two hosts, as
 * functions of what their journals say. docs/migration.md has it as a table, and a test searches all
 * interleavings of steps, crashes and lost messages for one with two copies, or none.
 */

/**
 * What the journal of a source says.
 * - `offered`: the original runs, or is frozen by CRIU, which lets it run on if it fails.
 * - `handed-over`: it is stopped, and runs on only if the destination has said that it will not.
 * - `ending`: it is about to end: the copy runs, with all of its memory.
 * - `done`: it has ended.
 * - `aborting`: it is about to run on: there is no copy, and will be none.
 * - `aborted`: it runs on, and nothing of the migration is left.
 */
export type SourceState = 'offered' | 'handed-over' | 'ending' | 'done' | 'aborting' | 'aborted';

/**
 * What the journal of a destination says.
 * - `unknown`: nothing: it has never heard of the migration, or its journals are not where they were.
 * - `receiving`: images and pages are on their way.
 * - `prepared`: the copy is restored, and held before it runs.
 * - `resuming`: the copy is about to run: written before it does.
 * - `resumed`: it runs, and lacks pages still.
 * - `complete`: it runs and has all of its memory.
 * - `aborted`: there is no copy, and will be none.
 * - `failed`: there was a copy, which lost the rest of its memory and was killed.
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

/** Whose the workload is; `undecided` if the destination is about to decide. */
export type Owner = 'source' | 'destination' | 'undecided';

/** Whose the workload is, by both journals; without the destination's it may be undecided. */
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
 * What a source does next, by what the destination answers; undefined if that cannot be reached.
 * - `resume`: the original runs on.
 * - `end`: the original ends.
 * - `hand-over`: asks the destination, once more, to let the copy run.
 * - `wait`: asks later.
 */
export type SourceMove = 'resume' | 'end' | 'hand-over' | 'wait' | 'nothing';

export function sourceMove(
  source: SourceState,
  destination: DestinationState | undefined,
): SourceMove {
  if (source === 'done' || source === 'aborted') return 'nothing';
  if (source === 'ending') return 'end';
  if (source !== 'handed-over') return 'resume';
  switch (destination) {
    case 'prepared':
      return 'hand-over';
    case 'complete':
      return 'end';
    case 'aborted':
    case 'failed':
      return 'resume';
    default:
      // One that knows nothing of what it had prepared has lost its journal, and may have the copy.
      return 'wait';
  }
}

/** Whether a destination may give up, at the wish of the source or its own: no copy has run yet. */
export function mayAbort(destination: DestinationState): boolean {
  return ['unknown', 'receiving', 'prepared', 'aborted'].includes(destination);
}

/** What a destination finds once its agent has started anew, and the criu of the old one has ended. */
export interface Found {
  /** The copy is there, and was let go. */
  readonly runs: boolean;
  /** It was to fetch pages later. */
  readonly lazy: boolean;
}

/**
 * What the journal of a destination means once its agent has started anew. With the agent its criu
 * has died, and with that a copy that was not let go; one that waits for pages waits in vain, and has
 * to be killed.
 */
export function afterRestart(state: DestinationState, { runs, lazy }: Found): DestinationState {
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
