import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import { encodeImage } from '../encode-image.ts';
import { INVENTORY } from '../image-names.ts';
import { damaged } from '../memory/damage.ts';
import { MemoryChain } from '../memory/memory-chain.ts';
import { pageSizeOf } from '../memory/page-size.ts';
import { copyFiles } from './copied-files.ts';
import { writeMergedMemory } from './merged-memory.ts';

/** The versions of the format of images, of which the last one has compressed pages. */
const [WITHOUT_COMPRESSION, WITH_COMPRESSION] = [2, 3];

/** Images that were merged. */
export interface MergedImages {
  /** The bytes of memory in them. */
  readonly bytesOfMemory: number;
  /** The number of rounds that the memory came from, the last one included. */
  readonly rounds: number;
}

/**
 * Writes the images of a dump and of the rounds before it as one full set.
 * @param except names of files that are written in another way
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function writeMergedImages(
  operation: string,
  directory: string,
  target: string,
  signal: AbortSignal | undefined,
  except: (name: string) => boolean = () => false,
): Promise<MergedImages> {
  // First, so that a directory without images is refused at once.
  const inventory = await inventoryOf(directory);
  await copyFiles(directory, target, (name) => {
    return isMemory(name) || name === INVENTORY || except(name);
  });
  const merged = await mergeMemory(operation, directory, target, signal);
  await encodeImage(join(target, INVENTORY), 'INVENTORY', inventory);
  return merged;
}

/** Merges the memory of all processes, and shared memory. */
async function mergeMemory(
  operation: string,
  directory: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<MergedImages> {
  const pageSize = await pageSizeOf(operation, directory);
  const pagesIds = new Set<number>();
  let [bytesOfMemory, rounds] = [0, 1];
  for (const name of await readdir(directory)) {
    if (!/^pagemap-.*\.img$/.test(name)) continue;
    const path = join(directory, name);
    const pagesId = await pagesIdOf(operation, path);
    if (pagesIds.has(pagesId)) throw damaged(operation, path, 'has the pages of another pagemap');
    pagesIds.add(pagesId);
    const chain = new MemoryChain(operation, directory, name, pageSize);
    try {
      const merged = await writeMergedMemory(operation, chain, pagesId, name, target, signal);
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
    message.compress = undefined;
    message.compress_block_size = undefined;
    entries.push(entry);
  }
  return entries;
}

async function pagesIdOf(operation: string, pagemap: string): Promise<number> {
  for await (const { message } of decodeImage(pagemap, { kind: 'PAGEMAP' })) {
    if ('pages_id' in message) return message.pages_id;
  }
  throw damaged(operation, pagemap, 'has no entries', 0);
}

function isMemory(name: string): boolean {
  return /^(pagemap|pages)-.*\.img$/.test(name);
}
