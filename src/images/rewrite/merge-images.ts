import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOptions, checkValue, type Shape } from '../../options/check.ts';
import { flag, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import { encodeImage } from '../encode-image.ts';
import { INVENTORY } from '../image-names.ts';
import { damaged } from '../memory/damage.ts';
import { MemoryChain } from '../memory/memory-chain.ts';
import { pageSizeOf } from '../memory/page-size.ts';
import { copyFiles } from './copied-files.ts';
import { writeMergedMemory } from './merged-memory.ts';
import { writeDirectory } from './new-directory.ts';

const operation = 'mergeImages';
/** The versions of the format of images, of which the last one has compressed pages. */
const [WITHOUT_COMPRESSION, WITH_COMPRESSION] = [2, 3];

/** Options of {@link mergeImages}. */
export interface MergeImagesOptions {
  /** Replace a checkpoint that the target holds; default false. */
  readonly overwrite?: boolean | undefined;
  /** Ends it with the reason of the signal; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** Images that were merged. */
export interface MergedImages {
  /** The bytes of memory in them. */
  readonly bytesOfMemory: number;
  /** The number of rounds that the memory came from, the last one included. */
  readonly rounds: number;
}

const shape: Shape<MergeImagesOptions> = { overwrite: flag, signal: abortSignal };

/**
 * Merges the images of a dump and of the rounds before it into one full set, which needs no parent images: in a new
 * directory, with access for its owner only. The memory of all rounds becomes one pagemap and one pages file for each
 * process and shared memory, without compression; everything else is copied. The directory appears when it is complete
 * and on the disk. Pages that a lazy dump left in the processes stay there.
 * @param directory the images directory of the dump, or of a pre-dump
 * @param target the directory to make, which may exist if it is empty
 * @throws CriuError ERR_CRIU_BAD_IMAGE, with `path` and `offset`; ERR_CRIU_INVALID_ARGUMENT, for `target` if it holds
 * a checkpoint or other files; ERR_CRIU_SYSTEM; the reason of the signal
 */
export async function mergeImages(
  directory: string,
  target: string,
  options: MergeImagesOptions = {},
): Promise<MergedImages> {
  checkValue(operation, 'directory', text, directory);
  checkValue(operation, 'target', text, target);
  const { overwrite = false, signal } = checkOptions(operation, options, shape);
  const inventory = await inventoryOf(directory);
  const place = { target, overwrite, sources: await chainOf(directory) };
  return await writeDirectory(operation, place, async (staging) => {
    await copyFiles(directory, staging, (name) => isMemory(name) || name === INVENTORY);
    const merged = await mergeMemory(directory, staging, signal);
    await encodeImage(join(staging, INVENTORY), 'INVENTORY', inventory);
    return merged;
  });
}

/** Merges the memory of all processes, and shared memory. */
async function mergeMemory(
  directory: string,
  staging: string,
  signal: AbortSignal | undefined,
): Promise<MergedImages> {
  const pageSize = await pageSizeOf(operation, directory);
  const pagesIds = new Set<number>();
  let [bytesOfMemory, rounds] = [0, 1];
  for (const name of await readdir(directory)) {
    if (!/^pagemap-.*\.img$/.test(name)) continue;
    const pagesId = await pagesIdOf(join(directory, name));
    if (pagesIds.has(pagesId)) {
      throw damaged(operation, join(directory, name), 'has the pages of another pagemap');
    }
    pagesIds.add(pagesId);
    const chain = new MemoryChain(operation, directory, name, pageSize);
    try {
      const merged = await writeMergedMemory(chain, pagesId, name, staging, signal);
      bytesOfMemory += merged.size;
      rounds = Math.max(rounds, merged.rounds);
    } finally {
      await chain.close();
    }
  }
  return { bytesOfMemory, rounds };
}

/** The inventory of images without compressed pages. */
async function inventoryOf(directory: string): Promise<ImageEntry<'INVENTORY'>[]> {
  const entries: ImageEntry<'INVENTORY'>[] = [];
  for await (const entry of decodeImage(join(directory, INVENTORY), { kind: 'INVENTORY' })) {
    const { message } = entry;
    if (message.img_version === WITH_COMPRESSION) message.img_version = WITHOUT_COMPRESSION;
    entries.push({
      ...entry,
      message: { ...message, compress: undefined, compress_block_size: undefined },
    });
  }
  return entries;
}

/** The real paths of a directory and of its parents, as far as they exist. */
async function chainOf(directory: string): Promise<string[]> {
  const chain: string[] = [];
  for (let at: string | undefined = directory; at !== undefined; ) {
    const path: string | undefined = await realpath(at).catch(() => undefined);
    if (path === undefined || chain.includes(path)) break;
    chain.push(path);
    at = join(path, 'parent');
  }
  return chain;
}

async function pagesIdOf(pagemap: string): Promise<number> {
  for await (const { message } of decodeImage(pagemap, { kind: 'PAGEMAP' })) {
    if ('pages_id' in message) return message.pages_id;
  }
  throw damaged(operation, pagemap, 'has no entries', 0);
}

function isMemory(name: string): boolean {
  return /^(pagemap|pages)-.*\.img$/.test(name);
}
