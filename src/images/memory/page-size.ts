import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MmEntry } from '../../generated/images/types.ts';
import { decodeImage } from '../decode-image.ts';
import { damaged } from './damage.ts';

/** The number of the page size in a process's auxiliary vector: AT_PAGESZ. */
const AUX_PAGE_SIZE = 6n;
const DEFAULT_PAGE_SIZE = 4096;

export function isPageSize(size: number): boolean {
  return [4096, 8192, 16384, 32768, 65536].includes(size);
}

/** The size of a page on the host of the dump, which the kernel told each process. */
export async function pageSizeOf(operation: string, directory: string): Promise<number> {
  const names = await readdir(directory).catch((cause: Error) => {
    throw damaged(operation, directory, `cannot be read: ${cause.message}`, undefined, cause);
  });
  const mm = names.find((name) => /^mm-\d+\.img$/.test(name));
  // A pre-dump has no such image.
  if (mm === undefined) return DEFAULT_PAGE_SIZE;
  for await (const { message } of decodeImage(join(directory, mm), { kind: 'MM' })) {
    return pageSizeIn(message);
  }
  return DEFAULT_PAGE_SIZE;
}

/** The size of a page, as the process knew it. */
export function pageSizeIn({ mm_saved_auxv: auxv = [] }: MmEntry): number {
  const index = auxv.findIndex((key, at) => at % 2 === 0 && key === AUX_PAGE_SIZE);
  const size = Number(auxv[index + 1] ?? 0n);
  return index >= 0 && isPageSize(size) ? size : DEFAULT_PAGE_SIZE;
}
