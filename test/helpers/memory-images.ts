import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeImage, type MmEntry, type PagemapEntry, type VmaEntry } from '../../src/images.ts';

export const PAGE = 4096;
export const PARENT = 1;
export const LAZY = 2;
export const PRESENT = 4;
export const ALIGNED = 8;

/** Runs of pages in a pagemap: address in pages, number of pages, flags, and the blocks of compressed ones. */
export type Run = [
  page: number,
  count: number,
  flags: number,
  blocks?: [pagesPerBlock: number, ...number[]],
];

/** Writes the memory of a process, by default 7, or shared memory, as one round has it. */
export async function writeLevel(
  directory: string,
  runs: readonly Run[],
  pages: Buffer,
  { memory = '7', pagesId = 3 }: { readonly memory?: string; readonly pagesId?: number } = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const entries = runs.map(([page, count, flags, blocks]) => {
    const [perBlock = 0, ...sizes] = blocks ?? [];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const message: PagemapEntry = {
      ...{ vaddr: BigInt(page * PAGE), compat_nr_pages: count, nr_pages: BigInt(count), flags },
      blocks: blocks && {
        ...{ block_sizes: sizes, pages_per_block: perBlock, total_payload_size: BigInt(total) },
      },
    };
    return { message };
  });
  const head = { message: { pages_id: pagesId } };
  await encodeImage(join(directory, `pagemap-${memory}.img`), 'PAGEMAP', [head, ...entries]);
  await writeFile(join(directory, `pages-${pagesId}.img`), pages);
}

/** Pages that consist of one letter each. */
export function filled(letters: string): Buffer {
  return Buffer.concat([...letters].map((letter) => Buffer.alloc(PAGE, letter)));
}

/** A mapping: the first page, the number of pages, and its status in the images. */
export function vma(
  page: number,
  count: number,
  status: number,
  others: Partial<VmaEntry> = {},
): VmaEntry {
  const [start, end] = [BigInt(page * PAGE), BigInt((page + count) * PAGE)];
  return { start, end, status, pgoff: 0n, shmid: 0n, prot: 3, flags: 2, fd: -1n, ...others };
}

/** Writes the address space of process 7. */
export async function writeMm(directory: string, vmas: VmaEntry[], others: Partial<MmEntry> = {}) {
  const addresses = [
    ...['start_code', 'end_code', 'start_data', 'end_data', 'start_stack', 'start_brk', 'brk'],
    ...['arg_start', 'arg_end', 'env_start', 'env_end'],
  ].map((name) => [`mm_${name}`, 0n]);
  const message = { ...Object.fromEntries(addresses), exe_file_id: 1, vmas, ...others } as MmEntry;
  await encodeImage(join(directory, 'mm-7.img'), 'MM', [{ message }]);
}
