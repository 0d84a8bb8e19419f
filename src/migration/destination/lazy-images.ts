import { findLazyChain } from '../../images/lazy-chain.ts';
import { countLazyPages, type LazyMemory } from '../../images/lazy-memory.ts';
import { CompressedPages } from '../../images/page-chain.ts';
import { native } from '../../native/index.ts';

/** Less memory than this is restored at once: a restore that is lazy takes longer to begin. */
const MIN_LAZY_BYTES = 16 << 20;

/**
 * Prepares images for a restore that fetches their memory after the copy runs.
 * @param isLazyDump true if the source has some of the memory
 * @returns where the memory is; undefined if all of it is here and is restored at once, because it is little or
 * compressed
 */
export async function prepareLazyImages(
  directory: string,
  isLazyDump: boolean,
): Promise<LazyMemory | undefined> {
  const chain = await findLazyChain(directory).catch((error: Error) => {
    if (isLazyDump || !(error.cause instanceof CompressedPages)) throw error;
  });
  if (!chain) return undefined;
  const { memory, mark } = chain;
  const isLittle = countLazyPages(memory) * native().pageSize < MIN_LAZY_BYTES;
  if (isLittle && !isLazyDump) return undefined;
  await mark();
  return memory;
}
