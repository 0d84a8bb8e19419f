import type {
  MigrationStatus,
  MigrationStatus__Output,
} from '../../generated/types/node_criu/MigrationStatus.ts';
import type { State__Output } from '../../generated/types/node_criu/State.ts';
import { peerText } from './peer-text.ts';
import { fromWireRefusal, type RefusalCode, toWireRefusal } from './refusals.ts';
import type { DestinationState } from './states.ts';

/** The state of a migration at its destination. */
export interface CopyStatus {
  readonly state: DestinationState;
  /** The root of the copy, once it is restored. */
  readonly pid?: number | undefined;
  /** Why the migration failed. */
  readonly message?: string | undefined;
  /** Why the destination has ended the migration by itself, for programs. */
  readonly refusal?: RefusalCode | undefined;
  /** How many lazy pages have arrived, once all have. */
  readonly pages?: number | undefined;
}

const wireStates = {
  unknown: 'UNKNOWN',
  receiving: 'RECEIVING',
  prepared: 'PREPARED',
  resuming: 'RESUMING',
  resumed: 'RESUMED',
  complete: 'COMPLETE',
  aborted: 'ABORTED',
  failed: 'FAILED',
  lost: 'LOST',
} as const satisfies Record<DestinationState, State__Output>;

/** The status as a message. */
export function toWireStatus({ state, pid, message, pages, refusal }: CopyStatus): MigrationStatus {
  return {
    state: wireStates[state],
    ...(pid !== undefined && { pid }),
    ...(message !== undefined && { message }),
    ...(pages !== undefined && { pages }),
    ...(refusal !== undefined && { code: toWireRefusal(refusal) }),
  };
}

/** @throws Error if the message has a state that this version does not know */
export function fromWireStatus({
  state,
  pid,
  message,
  pages,
  code,
}: MigrationStatus__Output): CopyStatus {
  const names = Object.keys(wireStates) as DestinationState[];
  const known = names.find((name) => wireStates[name] === state);
  if (known === undefined)
    throw new Error(`the destination reports an unknown state: ${peerText(String(state))}`);
  const refusal = fromWireRefusal(code);
  return { state: known, pid, message: message && peerText(message), refusal, pages };
}
