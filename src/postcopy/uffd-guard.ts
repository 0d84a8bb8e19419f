import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../native/index.ts';
import { descriptorPath, readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';
import type { CriuChild } from '../worker/child.ts';

const USERFAULTFD = 'anon_inode:[userfaultfd]';
const STDERR = 2;
/** How long the daemon may take to receive the userfaultfds from the restore, in milliseconds. */
const TIMEOUT_MS = 2000;
const POLL_MS = 5;
/** How often the copies are compared with the descriptors of the daemon, in milliseconds. */
const FOLLOW_INTERVAL_MS = 20;

/** The daemon lacks the userfaultfds of some processes. */
export class MissingUffdsError extends Error {
  constructor() {
    super('the lazy-pages daemon has not taken over the memory of every process');
  }
}

/**
 * Copies of the userfaultfds of a lazy-pages daemon, one per process that it serves. When the last
 * copy of a userfaultfd is closed, the kernel gives the process zeros for the pages that are still
 * missing. As long as one copy is open, the process waits for them.
 */
export class UffdGuard implements Disposable {
  readonly #daemon: CriuChild;
  /** The copies, by the numbers of the originals in the daemon. */
  readonly #copies = new Map<number, { readonly fd: number; readonly inode: number }>();
  #disposed = false;

  /**
   * Copies the userfaultfds of a daemon. The restore must wait for this, since the daemon may die later.
   * @param processes how many processes the daemon serves, each with one userfaultfd
   * @param onFork called when the daemon has one more because a process has forked; looks for the child, and
   * returns how many processes are known
   * @throws MissingUffdsError if the daemon has too few; the restore must then fail
   */
  static async of(daemon: CriuChild, processes: number, onFork: () => number): Promise<UffdGuard> {
    const guard = new UffdGuard(daemon);
    try {
      for (let waited = 0; ; waited += POLL_MS) {
        await guard.#update();
        if (guard.#copies.size >= processes) break;
        if (daemon.exit.status || waited >= TIMEOUT_MS) throw new MissingUffdsError();
        await sleep(POLL_MS);
      }
      guard.#follow(onFork);
      return guard;
    } catch (error) {
      guard[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(daemon: CriuChild) {
    this.#daemon = daemon;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const number of [...this.#copies.keys()]) this.#close(number);
  }

  /**
   * Follows the daemon: it gets another userfaultfd when a process forks, and closes one when a
   * process has all its pages. A copy kept open would make that process wait forever.
   */
  async #follow(onFork: () => number): Promise<void> {
    let isLooking = false;
    while (!this.#disposed) {
      await sleep(FOLLOW_INTERVAL_MS, undefined, { ref: false });
      if (await this.#update()) isLooking = true;
      // The kernel reports a fork before the child can be seen.
      if (isLooking) isLooking = onFork() < this.#copies.size;
    }
  }

  /** Updates the copies to the userfaultfds that the daemon has now. Resolves with true if there are more. */
  async #update(): Promise<boolean> {
    const links = await linksOf(this.#daemon.pid);
    // A daemon without stderr is ending: keep the copies of what the kernel closes for it.
    if (this.#disposed || !links.has(STDERR)) return false;
    let hasMore = false;
    for (const [number, copied] of this.#copies) {
      // A number may lead to another one by now. Nothing is known if the daemon has ended since.
      const inode = await this.#inodeOf(number);
      const isAnother = inode !== undefined && inode !== copied.inode;
      if (links.get(number) !== USERFAULTFD || isAnother) this.#close(number);
    }
    for (const [number, link] of links) {
      if (this.#disposed || link !== USERFAULTFD || this.#copies.has(number)) continue;
      try {
        const fd = this.#daemon.copyOf(number);
        this.#copies.set(number, { fd, inode: fstatSync(fd).ino });
        hasMore = true;
      } catch {
        // The descriptor was closed meanwhile, or the daemon has ended.
      }
    }
    return hasMore;
  }

  async #inodeOf(number: number): Promise<number | undefined> {
    return await stat(descriptorPath(this.#daemon.pid, number)).then(
      ({ ino }) => ino,
      () => undefined,
    );
  }

  #close(number: number): void {
    const copy = this.#copies.get(number);
    if (copy) native().close(copy.fd);
    this.#copies.delete(number);
  }
}

/** Reads the targets of the descriptors of a process, by number; none if the process is ending. */
async function linksOf(pid: number): Promise<Map<number, string>> {
  const descriptors = await readDescriptors(pid).catch(() => []);
  // The kernel closes the lowest numbers of a dying process first. If stderr, which is read last, is
  // still open, the kernel has closed none of the higher numbers.
  const numbers = descriptors.sort((a, b) => b - a);
  const links = new Map<number, string>();
  for (const number of numbers) {
    const link = await readDescriptorLink(pid, number).catch(() => undefined);
    if (link !== undefined) links.set(number, link);
  }
  return links;
}
