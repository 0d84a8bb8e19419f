import { LAZY, pagemapsIn, readPagemap } from '../../images/pagemap.ts';
import { type MemoryCopy, native, type PageEntries } from '../../native/index.ts';
import { type Mapping, readMaps } from '../../procfs/maps.ts';
import { processesOf } from '../tree-processes.ts';
import { divide, entriesOf, merge, type PageCounts, type Span, spansOf } from './page-spans.ts';
import { loadPages, type ParentPages } from './parent-pages.ts';

/** What was found of one process in a round. */
export interface ProcessPages {
  /** Its pid in its own pid namespace, which the names of its images have. */
  readonly id: number;
  readonly copy: MemoryCopy;
  readonly entries: PageEntries;
}

/** The frozen processes, and what was compared of them before CRIU had dumped the rest. */
export interface FrozenTree {
  /** Their pids, by those in their own pid namespace. */
  readonly pids: ReadonlyMap<number, number>;
  readonly compared: ReadonlyMap<number, PageEntries>;
}

/** How memory is read while the processes run. */
export interface ReadingPace {
  /** Called before each part. */
  beforePart(bytes: number): Promise<void>;
  /** How large a part is at most, in bytes. */
  readonly partBytes: number;
  readonly isBackground: boolean;
}

/** Pages that are compared at most before the next part: 64 MiB of pages of 4 KiB. */
const PART_PAGES = 16_384;
/** Arguments of {@link MemoryCopy.compare}. */
const ALL = 1;
const BACKGROUND = 2;
/** The ring of io_setup(2): the kernel may write to the memory of a process that has it, frozen or not. */
const AIO_RING = '/[aio] (deleted)';

/** Copies of the memory of all processes of a tree, each compared with its process in every round. */
export class TreeCopy {
  readonly #copies = new Map<number, MemoryCopy>();
  readonly #keepsHashes: boolean;

  /** @param keepsHashes keep a keyed hash of each page instead of its contents, if this Node has OpenSSL */
  constructor(keepsHashes: boolean) {
    this.#keepsHashes = keepsHashes && native().hasOpenSsl;
  }

  /**
   * Keeps the memory that images have of the processes as if it was read in a round.
   * @throws CriuError ERR_CRIU_BAD_IMAGE
   */
  async load(
    operation: string,
    parentPages: ParentPages,
    throwIfCancelled: () => void,
  ): Promise<void> {
    for (const [id, stored] of parentPages) {
      await loadPages(operation, this.#copyOf(id), stored, throwIfCancelled);
    }
  }

  /**
   * Reads the private anonymous memory of running processes. Their other memory is left to the dump.
   * @param onPart takes what was found in each part, before the next one is read
   */
  async readRunning(
    root: number,
    { beforePart, partBytes, isBackground }: ReadingPace,
    onPart: (pages: ProcessPages) => Promise<void>,
  ): Promise<PageCounts> {
    const total = { changed: 0, same: 0 };
    const partPages = Math.max(1, Math.min(PART_PAGES, Math.floor(partBytes / pageSize())));
    const processes = await processesOf(root);
    for (const [id, pid] of processes) {
      const copy = this.#startRound(id);
      for (const part of partsOf((await readMaps(pid)).filter(isCompared), partPages)) {
        await beforePart(part.reduce((sum, [, count]) => sum + count, 0) * native().pageSize);
        const how = isBackground ? BACKGROUND : 0;
        const found = await copy.compare(pid, entriesOf(part), how).catch(unlessEnded);
        if (!found) break;
        total.changed += found.changedPages;
        total.same += found.samePages;
        await onPart({ id, copy, entries: found.entries });
      }
    }
    this.#forgetAllBut(processes);
    return total;
  }

  /**
   * Begins to compare the memory of frozen processes while CRIU still works on them. Code is left out: CRIU
   * has the processes execute system calls, for which it changes code and changes it back.
   */
  async beginFrozen(root: number): Promise<FrozenTree> {
    const pids = await processesOf(root);
    const compared = new Map<number, PageEntries>();
    for (const [id, pid] of pids) {
      const mappings = await readMaps(pid);
      if (mappings.some(({ path }) => path === AIO_RING)) continue;
      const data = mappings.filter((each) => isCompared(each) && each.permissions[2] === '-');
      const found = await this.#startRound(id).compare(pid, entriesOf(data.map(spanOf)), 0);
      compared.set(id, found.entries);
    }
    return { pids, compared };
  }

  /** Compares the rest of the memory that the images of frozen processes refer to. */
  async finishFrozen({ pids, compared }: FrozenTree, directory: string): Promise<ProcessPages[]> {
    const processes: ProcessPages[] = [];
    for (const [id, path] of await pagemapsIn(directory)) {
      const pid = pids.get(id);
      if (pid === undefined) throw new Error(`no process of the tree has the pid ${id}`);
      const { ranges } = await readPagemap(path);
      const copy = compared.has(id) ? this.#copyOf(id) : this.#startRound(id);
      const { known, rest } = divide(ranges, compared.get(id) ?? new Float64Array(), pageSize());
      const found = await copy.compare(pid, entriesOf(rest), ALL);
      processes.push({ id, copy, entries: merge(known, spansOf(found.entries)) });
    }
    return processes;
  }

  /** Frees the memory of the copies. */
  free(): void {
    this.#forgetAllBut(new Map());
  }

  #startRound(id: number): MemoryCopy {
    const copy = this.#copyOf(id);
    copy.startRound();
    return copy;
  }

  #copyOf(id: number): MemoryCopy {
    const known = this.#copies.get(id);
    if (known) return known;
    const copy = native().memoryCopy(this.#keepsHashes);
    this.#copies.set(id, copy);
    return copy;
  }

  #forgetAllBut(processes: ReadonlyMap<number, number>): void {
    for (const [id, copy] of this.#copies) {
      if (processes.has(id)) continue;
      copy.free();
      this.#copies.delete(id);
    }
  }
}

/** Divides mappings into parts of about the same size. */
function* partsOf(mappings: readonly Mapping[], partPages: number): Generator<Span[]> {
  let part: Span[] = [];
  let room = partPages;
  for (const mapping of mappings) {
    let [at, left] = spanOf(mapping);
    while (left > 0) {
      const count = Math.min(left, room);
      part.push([at, count, LAZY]);
      at += count * pageSize();
      left -= count;
      room -= count;
      if (room > 0) continue;
      yield part;
      part = [];
      room = partPages;
    }
  }
  if (part.length > 0) yield part;
}

function spanOf({ start, end }: Mapping): Span {
  return [start, (end - start) / pageSize(), LAZY];
}

/** True for private memory without a file, which a dump can leave in the processes. */
function isCompared({ permissions, inode, path }: Mapping): boolean {
  return /^r..p/.test(permissions) && inode === 0 && !/^\[(vdso|vvar|vsyscall|uprobes)/.test(path);
}

function pageSize(): number {
  return native().pageSize;
}

/** A process may end while its memory is read. */
function unlessEnded(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ESRCH' && error.code !== 'ENOENT') throw error;
}
