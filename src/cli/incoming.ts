import type {
  DestinationState,
  IncomingMigration,
  MigrationOffer,
  MigrationPeer,
} from '../index.ts';
import type { Output } from './output.ts';
import { shownBytes } from './quantities.ts';

/** What becomes of a migration to this host, by the state that it has come to. */
const meanings: Readonly<Record<DestinationState, (pid: number) => string>> = {
  unknown: () => 'nothing is known of it',
  receiving: () => 'its memory is on its way',
  prepared: (pid) => `process ${pid} is restored, and held`,
  resuming: (pid) => `process ${pid} is let go`,
  resumed: (pid) => `process ${pid} runs, and the rest of its memory is on its way`,
  complete: (pid) => `process ${pid} runs, with all of its memory`,
  aborted: () => 'nothing of it runs here',
  failed: (pid) => `process ${pid} has lost the rest of its memory, and was killed`,
};

/** Tells each state of each migration. */
export function tellingStates(output: Output): (migration: IncomingMigration) => void {
  return ({ id, state, pid, message }) => {
    const why = message === '' ? '' : `: ${message}`;
    const facts = { step: state, id, pid, message };
    output.step(facts, `migration ${id}: ${state}: ${meanings[state](pid)}${why}`);
  };
}

/**
 * Tells each offer, and whether it is taken as far as its source goes.
 * @param names the common names of sources that may come; all if there are none
 */
export function tellingOffers(
  output: Output,
  names: readonly string[] | undefined,
): (offer: MigrationOffer, peer: MigrationPeer) => boolean {
  return (offer, peer) => {
    const { id, program, mode, memoryBytes } = offer;
    const isAuthorized = names === undefined || names.includes(peer.name);
    const step = isAuthorized ? 'offered' : 'not-authorized';
    const who = peer.name === '' ? peer.address : `${peer.name} at ${peer.address}`;
    const what = `${program}, ${shownBytes(memoryBytes)}, ${mode}, by ${who}`;
    output.step({ step, ...offer, peer }, `migration ${id}: ${step}: ${what}`);
    return isAuthorized;
  };
}
