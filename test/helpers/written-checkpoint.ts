import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CoreEntry,
  encodeImage,
  type ImageKind,
  type MmEntry,
  type NewImageEntry,
  type PagemapEntry,
  type VmaEntry,
} from '../../src/images.ts';

export const PAGE = 4096;

/** The images of a directory: the kind and the messages of each file. */
export type WrittenImages = Readonly<Record<string, readonly [ImageKind, ...object[]]>>;

/** Writes images, each with its messages; entries with a payload are objects of `message` and `payload`. */
export async function writeImages(directory: string, images: WrittenImages): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, [kind, ...messages]] of Object.entries(images)) {
    const entries = messages.map((message) => ('message' in message ? message : { message }));
    await encodeImage(join(directory, name), kind, entries as NewImageEntry[]);
  }
}

export const inventory = { img_version: 2, fdinfo_per_id: true };

/** A core of a process in a state, by default running. */
export function core(comm: string, changes: Partial<CoreEntry['tc']> = {}): CoreEntry {
  const tc = { task_state: 1, exit_code: 0, personality: 0, flags: 0, blk_sigset: 0n, comm };
  return { mtype: 'X86_64', tc: { ...tc, ...changes } };
}

/** The ids of a process whose descriptors are in `fdinfo-N.img`. */
export const ids = (files_id: number) => ({ vm_id: 1, files_id, fs_id: 1, sighand_id: 1 });

/** An address space with some mappings. */
export function mm(vmas: readonly VmaEntry[], changes: Partial<MmEntry> = {}): MmEntry {
  const zero = 0n;
  return {
    ...{ mm_start_code: zero, mm_end_code: zero, mm_start_data: zero, mm_end_data: zero },
    ...{ mm_start_stack: zero, mm_start_brk: zero, mm_brk: zero, mm_arg_start: zero },
    ...{ mm_arg_end: zero, mm_env_start: zero, mm_env_end: zero, exe_file_id: 1 },
    vmas: [...vmas],
    ...changes,
  };
}

/** A private mapping of pages that can be written. */
export function vma(first: number, count: number, changes: Partial<VmaEntry> = {}): VmaEntry {
  const [start, end] = [BigInt(first * PAGE), BigInt((first + count) * PAGE)];
  const anonymous = 1 | (1 << 9);
  const rest = { pgoff: 0n, shmid: 0n, prot: 3, flags: 0x22, status: anonymous, fd: -1n };
  return { start, end, ...rest, ...changes };
}

/** Runs of pages: the first one, their number, and flags (1 in the parent, 2 lazy, 4 present). */
export type WrittenRun = readonly [page: number, count: number, flags: number];

/** The messages of a pagemap. */
export function pagemap(pagesId: number, runs: readonly WrittenRun[]): ['PAGEMAP', ...object[]] {
  const entries = runs.map(([page, count, flags]): PagemapEntry => {
    const nr_pages = BigInt(count);
    return { vaddr: BigInt(page * PAGE), compat_nr_pages: count, nr_pages, flags };
  });
  return ['PAGEMAP', { pages_id: pagesId }, ...entries];
}

/** Writes a pages file. */
export async function writePages(directory: string, id: number, pages: Buffer): Promise<void> {
  await writeFile(join(directory, `pages-${id}.img`), pages);
}

/** Pages that begin with these texts. */
export function pagesOf(...texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.map((text) => Buffer.concat([Buffer.from(text), Buffer.alloc(PAGE)]).subarray(0, PAGE)),
  );
}
