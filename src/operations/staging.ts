import { holdsCheckpoint } from '../images/image-names.ts';
import { directoryPath } from '../options/kinds.ts';
import type { CriuOpts } from '../options/types.ts';
import type { ResolvedOptions } from './resolve.ts';
import { holdsAlready, StagedImages } from './staged-images.ts';

/**
 * Makes the directory that a dump is written to until it is complete. Undefined if CRIU has to write
 * into the images directory itself: a pre-dump, which later rounds refer to; images that a page server,
 * a destination or a streamer shares; a parent that is named relative to them; a directory that is given
 * as a descriptor or by a configuration file; and a process that dumps itself.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the directory holds a checkpoint, unless `overwrite` is true
 */
export async function stageImages(
  operation: string,
  { effective, configured }: ResolvedOptions,
  isSelfDump: boolean,
): Promise<StagedImages | undefined> {
  const { imagesDirectory, overwrite, durable, keepFailed } = effective;
  const { pageServer, lazyPages, stream, parentImage } = effective;
  const isShared = pageServer || lazyPages || stream || parentImage !== undefined;
  const isFixed = typeof imagesDirectory !== 'string' || configured.imagesDirectory !== undefined;
  if (operation !== 'dump' || isSelfDump || isShared || isFixed) {
    await assertNoCheckpoint(operation, effective);
    return undefined;
  }
  return await StagedImages.open(operation, imagesDirectory, {
    overwrite: overwrite === true,
    durable: durable !== false,
    keepFailed: keepFailed === true,
    survives: survivesDump(effective),
  });
}

/**
 * Refuses to dump into a directory that holds a checkpoint, unless `overwrite` is true.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
async function assertNoCheckpoint(
  operation: string,
  { imagesDirectory, overwrite }: CriuOpts,
): Promise<void> {
  if (overwrite || imagesDirectory === undefined) return;
  const path = directoryPath(imagesDirectory);
  // A directory that cannot be read is refused when it is opened.
  if (await holdsCheckpoint(path).catch(() => false)) throw holdsAlready(operation, path);
}

/** True if a dump does not end the processes. */
export function survivesDump({ leaveRunning, leaveStopped }: CriuOpts): boolean {
  return leaveRunning === true || leaveStopped === true;
}
