import { checkOptions, checkValue, type Shape } from '../../options/check.ts';
import { integer, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import type { MappedFile } from './mapped-files.ts';
import { type MemoryMapping, mappingOf } from './mappings.ts';
import { address, pidNumber } from './options.ts';
import { ProcessMemory, pidsWithMemory } from './process-memory.ts';
import { type Finder, finderOf, type MemoryPattern, patternShape } from './search-pattern.ts';
import { type SearchWindow, searchWindows } from './search-window.ts';

const operation = 'searchMemory';
const MAX_CONTEXT = 64 * 1024;

/** Options of {@link searchMemory}. */
export interface SearchMemoryOptions extends MemoryPattern {
  /** Search this process only, by the pid that it had in its own pid namespace; by default all. */
  readonly pid?: number | undefined;
  /** Leave out bytes before this address; by default none. */
  readonly start?: bigint | undefined;
  /** Leave out bytes from this address on; by default none. */
  readonly end?: bigint | undefined;
  /** How many bytes before and after a match to return with it; default 0, at most 64 KiB. */
  readonly context?: number | undefined;
  /** End after this many matches; by default after all. */
  readonly limit?: number | undefined;
  /** Ends the search with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

const shape: Shape<SearchMemoryOptions> = {
  ...patternShape,
  pid: pidNumber,
  start: address,
  end: address,
  context: integer(0, MAX_CONTEXT),
  limit: integer(1, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
};

/** A place in the memory of a process that has what is searched for. */
export interface MemoryMatch {
  /** The process, by the pid that it had in its own pid namespace. */
  readonly pid: number;
  /** The address of the first byte. */
  readonly address: bigint;
  /** The bytes that match. */
  readonly bytes: Buffer;
  /** At most as many bytes before the match as `context` says; fewer if the images have fewer. */
  readonly before: Buffer;
  /** At most as many bytes after the match as `context` says; fewer if the images have fewer. */
  readonly after: Buffer;
  /** The mapping of the first byte; undefined in the images of a pre-dump, which have no mappings. */
  readonly mapping: MemoryMapping | undefined;
}

/**
 * Searches the memory of the processes of a dump, in the order of pids and addresses. It finds all matches that do not
 * overlap with one before, also those that cross the borders of pages and mappings; shared memory is searched in each
 * process that has mapped it. Of a file that is mapped it searches the pages that the images have.
 * @param directory the images directory
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT; the reason of the signal
 */
export async function* searchMemory(
  directory: string,
  options: SearchMemoryOptions,
): AsyncGenerator<MemoryMatch, void, undefined> {
  checkValue(operation, 'directory', text, directory);
  const given = checkOptions(operation, options, shape);
  const { pid, start = 0n, end = 1n << 64n, context = 0, limit = Infinity, signal } = given;
  const finder = finderOf(operation, given);
  let left = limit;
  for (const each of pid === undefined ? await pidsWithMemory(operation, directory) : [pid]) {
    const memory = await ProcessMemory.open(operation, directory, each);
    try {
      const files = await memory.files();
      const wanted = {
        start,
        end,
        ahead: finder.maxLength + context,
        behind: context + finder.behind,
      };
      for await (const window of searchWindows(memory, wanted)) {
        signal?.throwIfAborted();
        for (const found of matchesIn(window, finder, context)) {
          const mapping = mappingAt(memory, found.address, files);
          yield { pid: each, ...found, mapping };
          if (--left <= 0) return;
        }
      }
    } finally {
      await memory.close();
    }
  }
}

/** The matches that begin in a part of a window, which they move past it. */
function* matchesIn(
  window: SearchWindow,
  finder: Finder,
  context: number,
): Iterable<Pick<MemoryMatch, 'address' | 'bytes' | 'before' | 'after'>> {
  const { bytes, address, last } = window;
  const find = finder.over(bytes);
  for (;;) {
    const found = window.next > last ? undefined : find(window.next);
    if (found === undefined || found.at > last) break;
    const { at, length } = found;
    window.next = at + length;
    yield {
      address: address + BigInt(at),
      // The window is read into again.
      bytes: Buffer.from(bytes.subarray(at, at + length)),
      before: Buffer.from(bytes.subarray(Math.max(0, at - context), at)),
      after: Buffer.from(bytes.subarray(at + length, at + length + context)),
    };
  }
  window.next = Math.max(window.next, last + 1);
}

function mappingAt(
  { vmas, mm }: ProcessMemory,
  address: bigint,
  files: ReadonlyMap<number, MappedFile>,
): MemoryMapping | undefined {
  const vma = vmas.find(({ start, end }) => start <= address && address < end);
  return vma && mappingOf(vma, files, mm);
}
