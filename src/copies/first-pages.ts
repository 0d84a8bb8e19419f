import { type LazyMemory, type LazyRange, partOf } from '../images/lazy-memory.ts';
import { type Area, dividerBy } from '../images/page-areas.ts';
import { native } from '../native/index.ts';

/** How many numbers describe pages that were waited for. */
const NUMBERS = 3;
/** How many runs of pages of a process come first at most: what is there first delays the others. */
const MAX_RUNS = 16_384;

/**
 * The memory of a template, in which the pages are marked that its copies have waited for: the next copy needs most of them
 * too, and has them before it runs.
 */
export class FirstPages {
  /** The memory with the marks. */
  marked: LazyMemory;
  /** The runs of pages, in ascending order, by pid in the images. */
  readonly #runs = new Map<number, readonly Area[]>();

  constructor(memory: LazyMemory) {
    this.marked = memory;
  }

  /** Marks more pages: see {@link OwnLazyPagesOptions.onWaited}. */
  add(waited: BigUint64Array): void {
    const { pageSize } = native();
    const found = new Map<number, Area[]>();
    for (let at = 0; at < waited.length; at += NUMBERS) {
      const [pid = 0, start = 0, count = 0] = Array.from(waited.subarray(at, at + NUMBERS), Number);
      const runs = found.get(pid) ?? [];
      runs.push([start, start + count * pageSize]);
      found.set(pid, runs);
    }
    for (const [pid, runs] of found) {
      const known = this.#runs.get(pid) ?? [];
      this.#runs.set(pid, merge([...known, ...runs]).slice(0, MAX_RUNS));
    }
    if (found.size === 0) return;
    const processes = [...this.marked].map(([pid, ranges]) => {
      const runs = found.has(pid) ? this.#runs.get(pid) : undefined;
      return [pid, runs ? mark(ranges, runs) : ranges] as const;
    });
    this.marked = new Map(processes);
  }
}

/** Puts runs in ascending order, those together that overlap or adjoin. */
function merge(runs: Area[]): Area[] {
  const merged: Area[] = [];
  for (const [start, end] of runs.sort(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (!last || last[1] < start) merged.push([start, end]);
    else if (last[1] < end) merged[merged.length - 1] = [last[0], end];
  }
  return merged;
}

/** Marks the pages that are in runs. Both are in ascending order. */
function mark(ranges: readonly LazyRange[], runs: readonly Area[]): LazyRange[] {
  const divide = dividerBy(runs);
  return ranges.flatMap((range) =>
    divide(range).map(({ isInside, ...part }) => ({
      ...partOf(range, part),
      ...(isInside && { isFirst: true }),
    })),
  );
}
