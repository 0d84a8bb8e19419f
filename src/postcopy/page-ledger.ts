import { pagemapsIn, readPagemap } from '../images/pagemap.ts';
import { native } from '../native/index.ts';

/** A range of addresses. */
interface Span {
  start: number;
  /** The first address after the range. */
  end: number;
}

/** Counts the pages of a lazy dump that the destination has not fetched yet. */
export class PageLedger {
  /** How many pages the dump left in the processes. */
  readonly total: number;
  #missing: number;
  /** The missing pages, by the pids in the images. */
  readonly #spans: Map<number, Span[]>;
  /** All pages, as the pagemaps have them. */
  readonly #all: ReadonlyMap<number, readonly Span[]>;

  /** Reads the pages from the pagemaps of the images. @throws BadImage */
  static async of(imagesDirectory: string): Promise<PageLedger> {
    const spans = new Map<number, Span[]>();
    for (const [pid, path] of await pagemapsIn(imagesDirectory)) {
      const { ranges } = await readPagemap(path);
      const kept = ranges.filter(({ lazy, present, inParent }) => lazy && !present && !inParent);
      spans.set(
        pid,
        kept.map(({ start, count }) => ({ start, end: start + count * native().pageSize })),
      );
    }
    return new PageLedger(spans);
  }

  /** @param spans sorted by address */
  constructor(spans: Map<number, Span[]>) {
    this.#spans = spans;
    this.#all = new Map([...spans].map(([pid, list]) => [pid, list.map((span) => ({ ...span }))]));
    const bytes = [...spans.values()].flat().reduce((sum, { start, end }) => sum + end - start, 0);
    this.total = bytes / native().pageSize;
    this.#missing = this.total;
  }

  /** How many pages are still missing. */
  get missing(): number {
    return this.#missing;
  }

  /** True if the pages are a part of one range of the pagemaps, as all that a destination may request. */
  has(pid: number, start: number, count: number): boolean {
    const spans = this.#all.get(pid) ?? [];
    const span = spans[firstEndingAfter(spans, start)];
    if (!span || count < 1 || start % native().pageSize !== 0) return false;
    return span.start <= start && start + count * native().pageSize <= span.end;
  }

  /**
   * Records that pages were sent. Pages that are sent again, to a child that the process has forked,
   * count once.
   */
  sent(pid: number, start: number, count: number): void {
    const spans = this.#spans.get(pid);
    if (!spans) return;
    const end = start + count * native().pageSize;
    let first = firstEndingAfter(spans, start);
    while (first < spans.length) {
      const span = spans[first] as Span;
      if (span.start >= end) return;
      const rest = [
        { start: span.start, end: Math.min(span.end, start) },
        { start: Math.max(span.start, end), end: span.end },
      ].filter((part) => part.start < part.end);
      const taken = Math.min(span.end, end) - Math.max(span.start, start);
      this.#missing -= taken / native().pageSize;
      spans.splice(first, 1, ...rest);
      first += rest.length;
    }
  }
}

/** The index of the first span that ends after an address. */
function firstEndingAfter(spans: readonly Span[], address: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).end > address) high = middle;
    else low = middle + 1;
  }
  return low;
}
