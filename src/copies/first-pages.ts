import type { LazyMemory, LazyRange } from '../images/lazy-memory.ts';
import { native } from '../native/index.ts';

/** How many numbers describe a run of pages that was waited for. */
const NUMBERS = 3;

/**
 * The memory of a template, in which the pages are marked that its copies have waited for: the next copy needs most of them
 * too, and has them before it runs.
 */
export class FirstPages {
  readonly #all: LazyMemory;
  /** The addresses of the pages, by pid in the images. */
  readonly #waited = new Map<number, Set<number>>();
  #marked: LazyMemory;

  constructor(memory: LazyMemory) {
    this.#all = memory;
    this.#marked = memory;
  }

  /** The memory with the marks. */
  get memory(): LazyMemory {
    return this.#marked;
  }

  /** Marks more pages: see {@link OwnLazyPagesOptions.onWaited}. */
  add(runs: BigUint64Array): void {
    const { pageSize } = native();
    for (let at = 0; at < runs.length; at += NUMBERS) {
      const [pid = 0, start = 0, count = 0] = Array.from(runs.subarray(at, at + NUMBERS), Number);
      const pages = this.#waited.get(pid) ?? new Set();
      this.#waited.set(pid, pages);
      for (let page = 0; page < count; page++) pages.add(start + page * pageSize);
    }
    if (runs.length > 0) this.#marked = this.#mark();
  }

  #mark(): LazyMemory {
    const marked = [...this.#all].map(([pid, ranges]) => {
      const pages = this.#waited.get(pid);
      return [pid, pages ? ranges.flatMap((range) => split(range, pages)) : ranges] as const;
    });
    return new Map(marked);
  }
}

/** Splits pages into runs of which all or none come first. */
function split(range: LazyRange, first: ReadonlySet<number>): LazyRange[] {
  const { pageSize } = native();
  const runs: LazyRange[] = [];
  const isFirst = (page: number) => first.has(range.start + page * pageSize);
  for (let page = 0, end: number; page < range.count; page = end) {
    for (end = page + 1; end < range.count && isFirst(end) === isFirst(page); ) end++;
    const place = { start: range.start + page * pageSize, count: end - page };
    const run = range.path === undefined ? {} : { offset: range.offset + page * pageSize };
    runs.push({ ...range, ...place, ...run, ...(isFirst(page) && { isFirst: true }) });
  }
  return runs;
}
