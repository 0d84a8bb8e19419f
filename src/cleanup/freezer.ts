import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The files of cgroup v1 and v2 that freeze a cgroup, and their values. */
const kinds = [
  { file: 'freezer.state', thawed: 'THAWED', frozen: 'FROZEN' },
  { file: 'cgroup.freeze', thawed: '0', frozen: '1' },
] as const;

interface Values {
  readonly thawed: string;
  readonly frozen: string;
}

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
      }
      return [];
    } catch (error) {
      const state = this.wasFrozen ? 'frozen' : 'thawed';
      return [`the state of ${this.#path}, which was ${state} (${(error as Error).message})`];
    }
  }
}
