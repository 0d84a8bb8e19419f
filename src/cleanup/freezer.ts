import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The files of cgroup v1 and v2 that freeze a cgroup, their values, and where the kernel says that all is frozen. */
const kinds = [
  { file: 'freezer.state', thawed: 'THAWED', frozen: 'FROZEN', done: ['freezer.state', 'FROZEN'] },
  { file: 'cgroup.freeze', thawed: '0', frozen: '1', done: ['cgroup.events', 'frozen 1'] },
] as const;

interface Values {
  readonly thawed: string;
  readonly frozen: string;
  readonly done: readonly [file: string, text: string];
}

/** How long processes may take to freeze, in milliseconds. Each has to be given a processor for it. */
const FREEZE_LIMIT_MS = 5000;
const POLL_MS = 5;

/** A cgroup that CRIU freezes for a dump, with its state before. */
export class Freezer {
  readonly #path: string;
  readonly #values: Values;
  /** True if the cgroup was frozen before the dump. */
  readonly wasFrozen: boolean;

  /** Reads the state of a cgroup; undefined if it has no freezer, so that CRIU cannot freeze it either. */
  static async at(directory: string): Promise<Freezer | undefined> {
    for (const { file, ...values } of kinds) {
      const path = join(directory, file);
      const state = await readFile(path, 'latin1').catch(() => undefined);
      if (state !== undefined) return new Freezer(path, values, state.trim() !== values.thawed);
    }
    return undefined;
  }

  private constructor(path: string, values: Values, wasFrozen: boolean) {
    this.#path = path;
    this.#values = values;
    this.wasFrozen = wasFrozen;
  }

  /**
   * Brings the cgroup back to its state before the dump.
   * @returns one phrase if that fails
   */
  async restore(): Promise<string[]> {
    const { thawed, frozen } = this.#values;
    try {
      const isFrozen = (await readFile(this.#path, 'latin1')).trim() !== thawed;
      if (isFrozen !== this.wasFrozen) {
        await writeFile(this.#path, this.wasFrozen ? frozen : thawed);
        if (this.wasFrozen) await this.#untilFrozen();
      }
      return [];
    } catch (error) {
      const state = this.wasFrozen ? 'frozen' : 'thawed';
      return [`the state of ${this.#path}, which was ${state} (${(error as Error).message})`];
    }
  }

  async #untilFrozen(): Promise<void> {
    const [file, text] = this.#values.done;
    const path = join(dirname(this.#path), file);
    for (let waited = 0; waited < FREEZE_LIMIT_MS; waited += POLL_MS) {
      if ((await readFile(path, 'latin1')).includes(text)) return;
      await sleep(POLL_MS);
    }
  }
}
