/*
 * Who owns the workload and who decides next, as functions of the states in the journals of both hosts.
 * docs/migration-protocol.md shows them as tables. test/unit/migration-model.test.ts
 * searches all interleavings of steps, crashes and lost messages for one with two copies, or none.
 */

/**
 * The state in the journal of a source.
 * - `offered`: the original runs, or criu holds it frozen and releases it on failure.
 * - `handed-over`: the original is stopped, and resumes only if the destination aborts or fails.
 * - `ending`: the original is about to end, since the copy runs with all of its memory.
 * - `done`: the original has ended.
 * - `aborting`: the original is about to resume, since there is no copy and never will be.
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
 * - `aborted`: there is no copy, and never will be.
 * - `failed`: the copy lost the rest of its memory and was killed.
 * - `lost`: the copy has run, or may have, with all of its memory, and none of its processes is left: its
 *   host was restarted, or they have ended. Whether its work is done is for the operator to say.
 */
export type DestinationState =
  | 'unknown'
  | 'receiving'
  | 'prepared'
  | 'resuming'
  | 'resumed'
  | 'complete'
  | 'aborted'
  | 'failed'
  | 'lost';

/** Who owns the workload; `undecided` while the destination still has to decide. */
export type Owner = 'source' | 'destination' | 'undecided';

/** True until the original has ended, or runs on. */
export function isOpen(state: SourceState): boolean {
  return state !== 'done' && state !== 'aborted';
}

/** The owner according to both journals. Without the state of the destination it may be undecided. */
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
 * - `ask-operator`: keeps the original stopped until the operator decides.
 */
export type SourceMove = 'resume' | 'end' | 'commit' | 'wait' | 'ask-operator' | 'nothing';

/** The next move after an answer of the destination; undefined means that there was none. */
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
    case 'lost':
      return 'ask-operator';
    default:
      // A destination that has no journal of the migration may have lost it, and may have the copy.
      return 'wait';
  }
}

/** True if a destination may still abort, since no copy has run. */
export function mayAbort(destination: DestinationState): boolean {
  return ['unknown', 'receiving', 'prepared', 'aborted'].includes(destination);
}

/** True if nothing comes after a state. */
export function isFinal(state: DestinationState): boolean {
  return ['complete', 'aborted', 'failed', 'lost'].includes(state);
}

/** What a new agent finds at a destination once the criu of the old agent has ended. */
export interface FoundCopy {
  /** The copy exists, and was allowed to run. */
  readonly runs: boolean;
  /** The host, or the pid namespace of the copy, has ended since the copy was restored. */
  readonly isFromEarlierBoot: boolean;
  /** The copy was to fetch pages after its restore. */
  readonly lazy: boolean;
}

/**
 * The state of a migration for a new agent of a destination. The criu of the old agent has died with
 * it, and so has a copy that criu held. A copy that lacks pages never gets them and must be killed.
 */
export function afterRestart(
  state: DestinationState,
  { runs, isFromEarlierBoot, lazy }: FoundCopy,
): DestinationState {
  switch (state) {
    case 'receiving':
    case 'prepared':
      return 'aborted';
    case 'resuming':
      if (runs) return lazy ? 'failed' : 'complete';
      // It may have run until the host stopped. What a lazy copy does may be lost in any case.
      return isFromEarlierBoot && !lazy ? 'lost' : 'aborted';
    case 'resumed':
      return 'failed';
    case 'complete':
      return runs ? 'complete' : 'lost';
    default:
      return state;
  }
}
