import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../native/index.ts';
import { readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';
import type { CriuChild } from '../worker/child.ts';

const USERFAULTFD = 'anon_inode:[userfaultfd]';
/** How long the daemon may take to receive what the restore has sent it, in milliseconds. */
const PATIENCE_MS = 2000;
const PAUSE_MS = 5;
/** How often to look whether the daemon still has what is held, in milliseconds. */
const INTERVAL_MS = 20;

/** The daemon does not have what keeps processes waiting for their pages. */
export class NotHeld extends Error {
  constructor() {
    super('the lazy-pages daemon has not taken over the memory of every process');
  }
}

/**
 * Copies of the userfaultfds of a lazy-pages daemon: once the last copy is closed, the kernel gives
 * processes zeros for the pages that are still missing; as long as there is one, they wait.
 */
export class UffdGuard implements Disposable {
  readonly #daemon: CriuChild;
  /** Copies, by the numbers that the daemon has them at. */
  readonly #copies = new Map<number, number>();
  #released = false;

  /**
   * Copies those of a daemon. Its restore has to wait for that: later it may die.
   * @param processes how many processes there are, each with one
   * @param forked called when there is one more, since a process has forked
   * @throws NotHeld if the daemon does not have as many, so that the restore has to fail
   */
  static async of(daemon: CriuChild, processes: number, forked: () => void): Promise<UffdGuard> {
    const held = new UffdGuard(daemon);
    try {
      for (let waited = 0; ; waited += PAUSE_MS) {
        await held.#copy();
        if (held.#copies.size >= processes) break;
        if (daemon.exit.status || waited >= PATIENCE_MS) {
          throw new NotHeld();
        }
        await sleep(PAUSE_MS);
      }
      held.#follow(forked);
      return held;
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(daemon: CriuChild) {
    this.#daemon = daemon;
  }

  [Symbol.dispose](): void {
    this.#released = true;
    for (const number of [...this.#copies.keys()]) this.#close(number);
  }

  /**
   * Follows the daemon: a process forks, and there is one more; a process has all its pages, and the
   * daemon closes its own. A copy that was kept would make that process wait for an answer that
   * nobody gives.
   */
  async #follow(forked: () => void): Promise<void> {
    while (!this.#released) {
      await sleep(INTERVAL_MS, undefined, { ref: false });
      if (await this.#copy()) forked();
    }
  }

  /** Whether the daemon has got more of them. */
  async #copy(): Promise<boolean> {
    const links = await linksOf(this.#daemon.pid);
    // Without its standard error it is ending, and what it has not closed by itself has to be kept.
    if (this.#released || !links.has(2)) return false;
    let more = false;
    for (const number of [...this.#copies.keys()]) {
      if (links.get(number) !== USERFAULTFD) this.#close(number);
    }
    for (const [number, link] of links) {
      if (link !== USERFAULTFD || this.#copies.has(number)) continue;
      try {
        this.#copies.set(number, this.#daemon.copyOf(number));
        more = true;
      } catch {
        // It has been closed since, or the daemon has ended.
      }
    }
    return more;
  }

  #close(number: number): void {
    const copy = this.#copies.get(number);
    if (copy !== undefined) native().close(copy);
    this.#copies.delete(number);
  }
}

/** What the descriptors of a process lead to, by their numbers: none if it is ending. */
async function linksOf(pid: number): Promise<Map<number, string>> {
  const descriptors = await readDescriptors(pid).catch(() => []);
  // In order: if standard error is still there afterwards, none is missing for the process's end.
  const numbers = descriptors.sort((a, b) => b - a);
  const links = new Map<number, string>();
  for (const number of numbers) {
    const link = await readDescriptorLink(pid, number).catch(() => undefined);
    if (link !== undefined) links.set(number, link);
  }
  return links;
}
