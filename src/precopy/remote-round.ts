import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PRESENT, pagemapFileOf, pagemapOf, pagesFileOf } from '../images/pagemap.ts';
import { native } from '../native/index.ts';
import { startTimeOf } from '../procfs/stat.ts';
import { processesOf } from './tree-processes.ts';

const ADDRESS_SPACE_BYTES = 2 ** 47;
/** CRIU before 4.2 counts the pages of an entry in 32 bits. */
const MAX_PAGES = 2 ** 31;
const PAGES_ID = 1;

/** The processes of a round whose pages a page server has, by their pids in their own pid namespace. */
export class RemoteRound {
  readonly #directory: string;
  readonly #startTimes: ReadonlyMap<number, string | undefined>;

  /** Call it before the round: a process that is forked later may not be in it. */
  static async begin(root: number, directory: string): Promise<RemoteRound> {
    const processes = [...(await processesOf(root))];
    return new RemoteRound(
      directory,
      new Map(processes.map(([id, pid]) => [id, startTimeOf(pid)] as const)),
    );
  }

  private constructor(directory: string, startTimes: ReadonlyMap<number, string | undefined>) {
    this.#directory = directory;
    this.#startTimes = startTimes;
  }

  /**
   * Writes pagemaps for a lazy dump, which looks for its parent on this host, and would leave all memory to be
   * sent again if there were none. They claim every page. So the dump takes each page that has not changed for
   * one of an earlier round; a restore fails if that is not true of a page.
   * @returns removes them when disposed of
   */
  async writePagemaps(root: number): Promise<AsyncDisposable> {
    const files = new Map<string, Uint8Array>([[pagesFileOf(PAGES_ID), Buffer.alloc(0)]]);
    for (const [id, pid] of await processesOf(root)) {
      const startTime = this.#startTimes.get(id);
      if (startTime === undefined || startTime !== startTimeOf(pid)) continue;
      files.set(pagemapFileOf(id), pagemapOf(PAGES_ID, [allPages()]));
    }
    const paths = [...files].map(
      ([name, content]) => [join(this.#directory, name), content] as const,
    );
    const remove = async () => {
      for (const [path] of paths) await rm(path, { force: true });
    };
    try {
      for (const [path, content] of paths)
        await writeFile(path, content, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      await remove();
      throw error;
    }
    return { [Symbol.asyncDispose]: remove };
  }
}

function allPages(): Float64Array {
  const step = MAX_PAGES * native().pageSize;
  const entries: number[] = [];
  for (let at = 0; at < ADDRESS_SPACE_BYTES; at += step) entries.push(at, MAX_PAGES, PRESENT);
  return Float64Array.from(entries);
}
