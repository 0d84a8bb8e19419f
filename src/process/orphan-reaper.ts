import { KnownProcesses } from '../procfs/known-processes.ts';
import { isZombie } from '../procfs/occupant.ts';
import { childrenOf } from '../procfs/tree.ts';
import { reapChild } from './reaping.ts';

/** More than Node and this library take to reap their own children, in milliseconds. */
const SCAN_MS = 1000;

/**
 * Reaps orphans while this process is the init process of a pid namespace, to which they fall: nobody
 * else can. Does nothing in any other process. Does not keep Node running.
 */
export class OrphanReaper implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;
  /** The zombies that the last scan found: those that are still there are nobody else's to reap. */
  #unclaimed = new KnownProcesses([]);

  constructor() {
    if (process.pid === 1) this.#timer = setInterval(() => this.#scan(), SCAN_MS).unref();
  }

  #scan(): void {
    for (const pid of this.#unclaimed.pids) reapChild(pid);
    this.#unclaimed = new KnownProcesses(childrenOf(process.pid).filter(isZombie));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
