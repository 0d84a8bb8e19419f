import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readlinkSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { seesOwnProc } from '../procfs/proc-mount.ts';
import { readPids } from '../procfs/processes.ts';
import { eachOf, statOf } from '../procfs/read.ts';
import { readStatus } from '../procfs/status.ts';
import { mayRunParasite } from './parasite.ts';

/** CRIU's name of the directory, the same in every dump. */
const NAME = 'proc.crtools';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/** What has become of the directory. */
export type Removal =
  /** There is none. */
  | { readonly outcome: 'absent' | 'removed' }
  /** A dump may be using it. */
  | { readonly outcome: 'in-use' }
  | { readonly outcome: 'failed'; readonly reason: string };

/**
 * The directory `proc.crtools` in the working directory of the root process of a dump. If the /proc of that process is not
 * the one of its pid namespace, CRIU makes the process create the directory, mount the right /proc there for a moment, and
 * remove it again. It stays if the process is killed in between. CRIU then fails in every dump of a process with this working
 * directory, and so does one of two such dumps that meet.
 */
export class ProcDirectory implements Disposable {
  readonly #root: number;
  /** A descriptor of the working directory, which outlives the process; undefined if CRIU makes no directory there. */
  #parent: number | undefined;

  constructor(root: number) {
    this.#root = root;
  }

  /** Before CRIU needs the name: removes what an earlier dump has left, and stays able to do so after this one. */
  async prepare(): Promise<void> {
    if (seesOwnProc(this.#root) !== false) return;
    try {
      this.#parent = openSync(`/proc/${this.#root}/cwd`, OPEN_DIRECTORY);
    } catch {
      // The process is gone, or this process may not look into it.
      return;
    }
    // What cannot be removed may be in use, and be gone when CRIU needs the name.
    await this.remove();
  }

  /** True if CRIU makes the directory. */
  get isNeeded(): boolean {
    return this.#parent !== undefined;
  }

  /** The path of the directory, if it is needed. */
  get path(): string {
    return join(readlinkSync(this.#link), NAME);
  }

  /**
   * Removes the directory if it is empty and no process in its parent directory runs code of CRIU that may be using it.
   * Does not follow symbolic links.
   */
  async remove(): Promise<Removal> {
    if (this.#parent === undefined) return { outcome: 'absent' };
    try {
      const found = this.#look();
      if (!found) return { outcome: 'absent' };
      if (await this.#isInUse()) return { outcome: 'in-use' };
      const now = this.#look();
      if (now?.ino !== found.ino || now.ctimeNs !== found.ctimeNs) {
        return { outcome: now ? 'in-use' : 'absent' };
      }
      rmdirSync(join(this.#link, NAME));
      return { outcome: 'removed' };
    } catch (error) {
      return { outcome: 'failed', reason: (error as Error).message };
    }
  }

  [Symbol.dispose](): void {
    if (this.#parent !== undefined) closeSync(this.#parent);
    this.#parent = undefined;
  }

  get #link(): string {
    return `/proc/self/fd/${this.#parent}`;
  }

  #look() {
    return lstatSync(join(this.#link, NAME), { bigint: true, throwIfNoEntry: false });
  }

  async #isInUse(): Promise<boolean> {
    const { ino, dev } = statSync(this.#link);
    const users = await eachOf(await readPids(), async (pid) => {
      let cwd: Stats | undefined;
      try {
        cwd = await statOf(`/proc/${pid}/cwd`);
      } catch {
        // A process that this one may not look into: CRIU can run code in it only while it is traced.
        return (await readStatus(pid))?.tracer ? pid : undefined;
      }
      if (cwd?.ino !== ino || cwd.dev !== dev) return undefined;
      return (await mayRunParasite(pid)) ? pid : undefined;
    });
    return users.length > 0;
  }
}
