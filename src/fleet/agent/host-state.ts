import type { HostState } from '../view.ts';
import { StateDirectory } from './state-directory.ts';

interface Facts {
  readonly state: HostState;
}

const FILE = 'host';

/** Whether a host takes workloads, as its operators have ordered it. It outlives the agent and Redis. */
export class HostStateFile {
  readonly #files: StateDirectory<Facts>;
  #state: HostState = 'ready';

  constructor(directory: string) {
    this.#files = new StateDirectory(directory);
  }

  get current(): HostState {
    return this.#state;
  }

  async load(): Promise<void> {
    this.#state = (await this.#files.load()).get(FILE)?.state ?? 'ready';
  }

  async set(state: HostState): Promise<void> {
    if (state === this.#state) return;
    await this.#files.write(FILE, { state });
    this.#state = state;
  }
}
