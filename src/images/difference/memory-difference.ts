import type { CheckpointDescription } from '../description/checkpoint-description.ts';
import type { DescribedMapping } from '../description/described-process.ts';
import { MemoryChain, type MemoryExtent } from '../memory/memory-chain.ts';
import { pagemapFileOf } from '../pagemap.ts';
import type { MemoryDifference, PageCounts, RangeDifference } from './checkpoint-difference.ts';
import { comparePages, type PageOutcome } from './page-comparison.ts';

type Counts = { -readonly [Name in keyof PageCounts]: number };

/** The pages of one range so far. */
interface Tally extends Counts {
  readonly mapping: DescribedMapping | undefined;
}

const zero = (): Counts => ({ pagesChanged: 0, pagesAdded: 0, pagesRemoved: 0, pagesEqual: 0 });

/**
 * Compares the memory of the processes and the shared memory that both checkpoints have.
 * @param throwIfAborted called often
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function diffMemory(
  operation: string,
  before: CheckpointDescription,
  after: CheckpointDescription,
  throwIfAborted: () => void,
): Promise<MemoryDifference> {
  const { pageSize } = after;
  const nameOf = ({ pid, shared }: { pid: number | undefined; shared: number | undefined }) =>
    pid === undefined ? `shared ${shared}` : `${pid}`;
  const known = new Set(before.memory.map(nameOf));
  const ranges: RangeDifference[] = [];
  const total = zero();
  for (const memory of after.memory.filter((one) => known.has(nameOf(one)))) {
    const { pid, shared } = memory;
    const tallies = new Tallies(mappingsOf(before, pid), mappingsOf(after, pid), pageSize);
    const name = pid === undefined ? `pagemap-shmem-${shared}.img` : pagemapFileOf(pid);
    const chains = [before, after].map(
      ({ directory }) => new MemoryChain(operation, directory, name, pageSize),
    ) as [MemoryChain, MemoryChain];
    try {
      const [old, now] = chains.map((chain) => chain.extents(0n, 1n << 64n)) as [
        ...[AsyncIterable<MemoryExtent>, AsyncIterable<MemoryExtent>],
      ];
      await comparePages(old, now, pageSize, (outcome, start, pages) => {
        throwIfAborted();
        total[outcome] += pages;
        tallies.add(outcome, start, pages);
      });
    } finally {
      for (const chain of chains) await chain.close();
    }
    for (const tally of tallies.differing()) ranges.push({ pid, shared, ...tally });
  }
  return { pageSize, ...total, ranges };
}

function mappingsOf(
  { processes }: CheckpointDescription,
  pid: number | undefined,
): readonly DescribedMapping[] {
  return processes.find((one) => one.pid === pid)?.mappings ?? [];
}

/** Counts pages by mapping. Pages come in the order of addresses. */
class Tallies {
  readonly #before: MappingFinder;
  readonly #after: MappingFinder;
  readonly #pageSize: bigint;
  /** By the first address of the mapping. */
  readonly #tallies = new Map<string, Tally>();

  constructor(
    before: readonly DescribedMapping[],
    after: readonly DescribedMapping[],
    pageSize: number,
  ) {
    this.#before = new MappingFinder(before);
    this.#after = new MappingFinder(after);
    this.#pageSize = BigInt(pageSize);
  }

  add(outcome: PageOutcome, start: bigint, pages: number): void {
    const end = start + BigInt(pages) * this.#pageSize;
    const mappings = outcome === 'pagesRemoved' ? this.#before : this.#after;
    for (let at = start; at < end; ) {
      const { mapping, until } = mappings.at(at);
      const last = until === undefined || until > end ? end : until;
      const tally = this.#of(mapping);
      tally[outcome] += Number((last - at) / this.#pageSize);
      at = last;
    }
  }

  /** The ranges in which pages differ. */
  differing(): Tally[] {
    return [...this.#tallies.values()].filter(
      ({ pagesChanged, pagesAdded, pagesRemoved }) => pagesChanged + pagesAdded + pagesRemoved > 0,
    );
  }

  /** Of a mapping that is in both checkpoints, the one of the second is kept. */
  #of(mapping: DescribedMapping | undefined): Tally {
    const key = mapping?.start ?? '';
    const known = this.#tallies.get(key);
    if (known) return known;
    const kept = (mapping && this.#after.withStart(mapping.start)) ?? mapping;
    const tally = { mapping: kept, ...zero() };
    this.#tallies.set(key, tally);
    return tally;
  }
}

/** Finds mappings for ascending addresses. */
class MappingFinder {
  readonly #mappings: readonly {
    readonly start: bigint;
    readonly end: bigint;
    readonly mapping: DescribedMapping;
  }[];
  readonly #byStart: ReadonlyMap<string, DescribedMapping>;
  #next = 0;

  constructor(mappings: readonly DescribedMapping[]) {
    this.#mappings = mappings
      .map((mapping) => ({ start: BigInt(mapping.start), end: BigInt(mapping.end), mapping }))
      .filter(({ start, end }) => start < end)
      .sort((one, other) => (one.start < other.start ? -1 : 1));
    this.#byStart = new Map(mappings.map((mapping) => [mapping.start, mapping]));
  }

  withStart(start: string): DescribedMapping | undefined {
    return this.#byStart.get(start);
  }

  /** The mapping at an address, if there is one, and where that changes. */
  at(address: bigint): { mapping: DescribedMapping | undefined; until: bigint | undefined } {
    let candidate = this.#mappings[this.#next];
    while (candidate && candidate.end <= address) candidate = this.#mappings[++this.#next];
    if (!candidate) return { mapping: undefined, until: undefined };
    if (candidate.start > address) return { mapping: undefined, until: candidate.start };
    return { mapping: candidate.mapping, until: candidate.end };
  }
}
