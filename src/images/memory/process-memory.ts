import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../../errors.ts';
import type { MmEntry, VmaEntry } from '../../generated/images/types.ts';
import { decodeImage } from '../decode-image.ts';
import { pagemapFileOf } from '../pagemap.ts';
import { damaged } from './damage.ts';
import { hasFile } from './has-file.ts';
import { type MappedFile, readMappedFiles } from './mapped-files.ts';
import { fileIdOf, isMemfd, realMappings, sharedIdOf } from './mappings.ts';
import { MemoryChain, type MemoryExtent } from './memory-chain.ts';
import { pageSizeIn, pageSizeOf } from './page-size.ts';

/** A mapping of shared memory, whose pages are in images of their own. */
interface SharedPart {
  readonly start: bigint;
  readonly end: bigint;
  readonly chain: MemoryChain;
  /** What must be added to an offset in the shared memory to get the address. */
  readonly shift: bigint;
}

/** The memory of a process in the images of a dump, and of the rounds before it. */
export class ProcessMemory {
  readonly pid: number;
  readonly directory: string;
  readonly pageSize: number;
  /** The address space; undefined for a pre-dump, whose images do not have it. */
  readonly mm: MmEntry | undefined;
  /** The mappings in the order of addresses. */
  readonly vmas: readonly VmaEntry[];
  readonly #private: MemoryChain;
  readonly #shared: readonly SharedPart[];

  /** @throws CriuError ERR_CRIU_BAD_IMAGE; ERR_CRIU_INVALID_ARGUMENT for a pid that has no memory in the images */
  static async open(
    operation: string,
    directory: string,
    pid: number,
    pageSize?: number,
  ): Promise<ProcessMemory> {
    // Not by a list of all files, which are thousands where processes are.
    if (!(await hasFile(directory, pagemapFileOf(pid)))) {
      const known = (await pidsWithMemory(operation, directory)).join(', ') || 'none';
      throw invalid(operation, 'pid', `a process with memory in the images (${known})`, pid);
    }
    const hasMm = await hasFile(directory, `mm-${pid}.img`);
    const mm = hasMm ? await readMm(directory, pid) : undefined;
    const size = pageSize ?? (mm ? pageSizeIn(mm) : await pageSizeOf(operation, directory));
    const vmas = realMappings(mm?.vmas);
    const memfds = await readMappedFiles(directory, idsOf(vmas.filter(isMemfd)));
    const chains = new Map<number, MemoryChain>();
    for (const id of new Set(vmas.map((vma) => sharedIdOf(vma, memfds)))) {
      const pagemap = `pagemap-shmem-${id}.img`;
      if (id === undefined || !(await hasFile(directory, pagemap))) continue;
      chains.set(id, new MemoryChain(operation, directory, pagemap, size));
    }
    const shared = vmas.flatMap((vma) => {
      const chain = chains.get(sharedIdOf(vma, memfds) ?? Number.NaN);
      return chain ? { start: vma.start, end: vma.end, chain, shift: vma.start - vma.pgoff } : [];
    });
    return new ProcessMemory(operation, directory, pid, size, mm, vmas, shared);
  }

  private constructor(
    operation: string,
    directory: string,
    pid: number,
    pageSize: number,
    mm: MmEntry | undefined,
    vmas: readonly VmaEntry[],
    shared: readonly SharedPart[],
  ) {
    this.directory = directory;
    this.pid = pid;
    this.pageSize = pageSize;
    this.mm = mm;
    this.vmas = vmas;
    this.#private = new MemoryChain(operation, directory, pagemapFileOf(pid), pageSize);
    this.#shared = shared;
  }

  async close(): Promise<void> {
    await this.#private.close();
    for (const { chain } of this.#shared) await chain.close();
  }

  /** The files of the mappings, by their ids. @throws CriuError ERR_CRIU_BAD_IMAGE */
  async files(): Promise<ReadonlyMap<number, MappedFile>> {
    return await readMappedFiles(this.directory, idsOf(this.vmas));
  }

  /**
   * The pages with bytes between two addresses, in the order of addresses.
   * @throws CriuError ERR_CRIU_BAD_IMAGE
   */
  async *extents(start = 0n, end = 1n << 64n): AsyncIterable<MemoryExtent> {
    const unit = BigInt(this.pageSize);
    const last = end + ((unit - (end % unit)) % unit);
    let at = start - (start % unit);
    for (const part of this.#shared) {
      if (part.end <= at) continue;
      if (part.start >= last) break;
      if (part.start > at) yield* this.#private.extents(at, part.start);
      const from = part.start > at ? part.start : at;
      const to = part.end < last ? part.end : last;
      const { chain, shift } = part;
      for await (const extent of chain.extents(from - shift, to - shift)) {
        yield extent.movedBy(shift);
      }
      at = to;
    }
    if (at < last) yield* this.#private.extents(at, last);
  }

  /** Reads bytes; those that no image has are zeros. @throws CriuError ERR_CRIU_BAD_IMAGE */
  async read(start: bigint, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const end = start + BigInt(length);
    for await (const extent of this.extents(start, end)) {
      if (!extent.isPresent) continue;
      const from = extent.start > start ? extent.start : start;
      const to = extent.end < end ? extent.end : end;
      await extent.fill(bytes.subarray(Number(from - start), Number(to - start)), from);
    }
    return bytes;
  }
}

/** The pids of the processes whose memory a directory has. @throws CriuError ERR_CRIU_BAD_IMAGE */
export async function pidsWithMemory(operation: string, directory: string): Promise<number[]> {
  const names = await readdir(directory).catch((cause: Error) => {
    throw damaged(operation, directory, `cannot be read: ${cause.message}`, undefined, cause);
  });
  const pids = names.flatMap((name) => /^pagemap-(\d+)\.img$/.exec(name)?.[1] ?? []).map(Number);
  return pids.sort((one, other) => one - other);
}

async function readMm(directory: string, pid: number): Promise<MmEntry | undefined> {
  const path = join(directory, `mm-${pid}.img`);
  for await (const { message } of decodeImage(path, { kind: 'MM' })) return message;
  return undefined;
}

function idsOf(vmas: readonly VmaEntry[]): Set<number> {
  return new Set(vmas.flatMap((vma) => fileIdOf(vma) ?? []));
}
