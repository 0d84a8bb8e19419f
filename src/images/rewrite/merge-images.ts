import { checkOptions, checkValue, type Shape } from '../../options/check.ts';
import { flag, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import { chainOf } from '../image-chain.ts';
import { type MergedImages, writeMergedImages } from './merged-images.ts';
import { writeDirectory } from './new-directory.ts';

const operation = 'mergeImages';
/** Options of {@link mergeImages}. */
export interface MergeImagesOptions {
  /** Replace a checkpoint that the target holds; default false. */
  readonly overwrite?: boolean | undefined;
  /** Ends it with the reason of the signal; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
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
  const place = { target, overwrite, sources: await chainOf(directory) };
  return await writeDirectory(operation, place, async (staging) => {
    return await writeMergedImages(operation, directory, staging, signal);
  });
}
