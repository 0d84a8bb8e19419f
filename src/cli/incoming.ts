import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DestinationState,
  IncomingMigration,
  MigrationOffer,
  MigrationPeer,
} from '../index.ts';
import type { Output } from './output.ts';
import { formatBytes } from './quantities.ts';

/** What becomes of a migration to this host, by the state that it has come to. */
const meanings: Readonly<Record<DestinationState, (pid: number | undefined) => string>> = {
  unknown: () => 'nothing is known of it',
  receiving: () => 'its memory is on its way',
  prepared: (pid) => `process ${pid} is restored, and held`,
  resuming: (pid) => `process ${pid} is let go`,
  resumed: (pid) => `process ${pid} runs, and the rest of its memory is on its way`,
  complete: (pid) => `process ${pid} runs, with all of its memory`,
  aborted: () => 'nothing of it runs here',
  failed: (pid) => `process ${pid} has lost the rest of its memory, and was killed`,
};

/** How long the source of a copy may take to hear that it is complete, in milliseconds. */
const ANSWER_MS = 2000;

/** Tells each state of each migration, and knows which copies may not be left alone. */
export class CopyStates {
  readonly #output: Output;
  readonly #changes = new EventEmitter();
  /** Those that run, or are about to, and lack memory. */
  readonly #lacking = new Set<string>();

  constructor(output: Output) {
    this.#output = output;
  }

  report({ id, state, pid, message }: IncomingMigration): void {
    const why = message === undefined ? '' : `: ${message}`;
    const facts = { step: state, id, pid, message };
    this.#output.step(facts, `migration ${id}: ${state}: ${meanings[state](pid)}${why}`);
    if (state === 'resuming' || state === 'resumed') this.#lacking.add(id);
    else this.#lacking.delete(id);
    this.#changes.emit('change');
  }

  /** Resolves when no copy lacks memory and their sources know it, or patience has ended. */
  async awaitMemory(patience: AbortSignal): Promise<void> {
    if (this.#lacking.size === 0) return;
    const copies = this.#lacking.size === 1 ? 'a copy' : `${this.#lacking.size} copies`;
    this.#output.log(`node-criu: waiting for the memory of ${copies}; again to give it up`);
    try {
      while (this.#lacking.size > 0) await once(this.#changes, 'change', { signal: patience });
      await sleep(ANSWER_MS, undefined, { signal: patience });
    } catch {
      // Patience has ended.
    }
  }
}

/** Which offers are taken. */
interface Taken {
  /** The common names of sources that may come; all if there are none. */
  readonly names: readonly string[] | undefined;
  /** Once it is aborted nothing more is taken. */
  readonly closing: AbortSignal;
}

/** Tells each offer, and whether it is taken as far as its source goes. */
export function offerFilter(
  output: Output,
  { names, closing }: Taken,
): (offer: MigrationOffer, peer: MigrationPeer) => boolean {
  return (offer, peer) => {
    const { id, program, mode, memoryBytes } = offer;
    const isAuthorized =
      names === undefined || (peer.name !== undefined && names.includes(peer.name));
    const step = closing.aborted ? 'too-late' : isAuthorized ? 'offered' : 'not-authorized';
    const who = peer.name === undefined ? peer.address : `${peer.name} at ${peer.address}`;
    const what = `${program}, ${formatBytes(memoryBytes)}, ${mode}, by ${who}`;
    output.step({ step, ...offer, peer }, `migration ${id}: ${step}: ${what}`);
    return step === 'offered';
  };
}
