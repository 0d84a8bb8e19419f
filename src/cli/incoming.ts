import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DestinationState,
  IncomingMigration,
  MigrationOffer,
  MigrationPeer,
  RefusedOffer,
} from '../index.ts';
import type { Output } from './output.ts';
import { formatBytes } from './quantities.ts';

/** The meaning of the states of a migration to this host. */
const meanings: Readonly<Record<DestinationState, (pid: number | undefined) => string>> = {
  unknown: () => 'it is not known here',
  receiving: () => 'its memory is being received',
  prepared: (pid) => `process ${pid} is restored and does not run yet`,
  resuming: (pid) => `process ${pid} is being started`,
  resumed: (pid) => `process ${pid} runs, and the rest of its memory follows`,
  complete: (pid) => `process ${pid} runs, with all of its memory`,
  aborted: () => 'no process of it runs here',
  failed: (pid) => `process ${pid} lost the rest of its memory and was killed`,
  lost: (pid) => `process ${pid} had all of its memory, and is not left`,
};

/** Time for the source to learn that its copy is complete, in milliseconds. */
const ANSWER_MS = 2000;

/** Reports the states of the migrations, and tracks the copies that still need this process. */
export class CopyStates {
  readonly #output: Output;
  readonly #changes = new EventEmitter();
  /** The ids of copies that run, or are about to, and lack memory. */
  readonly #lacking = new Set<string>();

  constructor(output: Output) {
    this.#output = output;
  }

  report({ id, state, pid, message, peer, bytes }: IncomingMigration): void {
    const why = message === undefined ? '' : `: ${message}`;
    const facts = { step: state, id, pid, message, peer, bytes };
    this.#output.step(facts, `migration ${id}: ${state}: ${meanings[state](pid)}${why}`);
    if (state === 'resuming' || state === 'resumed') this.#lacking.add(id);
    else this.#lacking.delete(id);
    this.#changes.emit('change');
  }

  /** Waits until every copy has its memory and every source knows it, or until `patience` aborts. */
  async awaitMemory(patience: AbortSignal): Promise<void> {
    if (this.#lacking.size === 0) return;
    const copies = this.#lacking.size === 1 ? 'a copy' : `${this.#lacking.size} copies`;
    this.#output.log(
      `node-criu: waiting for the memory of ${copies}; press Ctrl-C again to give up`,
    );
    try {
      while (this.#lacking.size > 0) await once(this.#changes, 'change', { signal: patience });
      await sleep(ANSWER_MS, undefined, { signal: patience });
    } catch {
      // The caller gave up.
    }
  }
}

/**
 * Returns a function that accepts offers by the name of their source, and reports each.
 * @param names the common names of sources to accept; undefined accepts all
 */
export function offerFilter(
  output: Output,
  names: readonly string[] | undefined,
): (offer: MigrationOffer, peer: MigrationPeer) => boolean {
  return (offer, peer) => {
    const { id, program, mode, memoryBytes } = offer;
    const isAuthorized =
      names === undefined || (peer.name !== undefined && names.includes(peer.name));
    const step = isAuthorized ? 'offered' : 'not-authorized';
    const what = `${program}, ${formatBytes(memoryBytes)}, ${mode}, by ${shown(peer)}`;
    output.step({ step, ...offer, peer }, `migration ${id}: ${step}: ${what}`);
    return isAuthorized;
  };
}

/** Reports an offer that the server has refused, unless {@link offerFilter} has reported it. */
export function reportRefusal(output: Output, { id, peer, refusal, message }: RefusedOffer): void {
  if (refusal === 'not-authorized') return;
  const text = `migration ${id}: refused: ${message} (offered by ${shown(peer)})`;
  output.step({ step: 'refused', id, peer, code: refusal, message }, text);
}

function shown({ name, address }: MigrationPeer): string {
  return name === undefined ? address : `${name} at ${address}`;
}
