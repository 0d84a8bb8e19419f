import { holdsCheckpoint } from '../images/image-names.ts';
import { directoryPath } from '../options/kinds.ts';
import type { CriuOpts } from '../options/types.ts';
import { type DescribeImages, DirectImages, type DumpImages } from './direct-images.ts';
import type { ResolvedOptions } from './resolve.ts';
import { holdsAlready, StagedImages } from './staged-images.ts';

/**
 * Makes the directory that a dump is written to until it is complete. CRIU has to write into the images
 * directory itself for a pre-dump, which later rounds refer to; for images that a page server or a
 * streamer shares; for a parent that is named relative to them; if the directory is given as a
 * descriptor, which has to refer to the images afterwards; and for a process that dumps itself, which is
 * frozen when they would be moved.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the directory holds a checkpoint, unless `overwrite` is true
 */
export async function stageImages(
  operation: string,
  resolved: ResolvedOptions,
  isSelfDump: boolean,
  describe?: DescribeImages,
): Promise<DumpImages | undefined> {
  const { effective } = resolved;
  const { imagesDirectory, overwrite, durable, keepFailed } = effective;
  const { pageServer, lazyPages, stream, parentImage } = effective;
  // With lazy pages, the page server is this criu.
  const isShared = (pageServer && !lazyPages) || stream || parentImage !== undefined;
  const isFixed = typeof imagesDirectory !== 'string' || isSelfDump;
  if (operation !== 'dump' || isShared || isFixed) {
    await assertNoCheckpoint(operation, effective);
    // A process that dumps itself can complete them only if it runs on.
    const isNeverCompleted = isSelfDump && !effective.leaveRunning;
    return isNeverCompleted ? undefined : await openDirectImages(operation, resolved, describe);
  }
  return await StagedImages.open(operation, imagesDirectory, {
    overwrite: overwrite === true,
    // Without the pages, which are still in the processes, they are of no use after a crash.
    durable: durable !== false && !lazyPages,
    keepFailed: keepFailed === true,
    // CRIU serves lazy pages after this moment, and a destination needs the other images before.
    survives: !lazyPages && survivesDump(effective),
    describe,
  });
}

/**
 * Opens the directory of images that CRIU writes into it itself. Undefined if they are not written to the
 * disk: with `durable: false`, and if they are complete only together with the memory that a destination
 * or a streamer gets.
 */
export async function openDirectImages(
  operation: string,
  { effective }: ResolvedOptions,
  describe?: DescribeImages,
): Promise<DirectImages | undefined> {
  const { imagesDirectory, durable, lazyPages, stream } = effective;
  if (durable === false || lazyPages || stream) return undefined;
  if (imagesDirectory === undefined) return undefined;
  const survives = operation === 'preDump' || survivesDump(effective);
  return await DirectImages.open(operation, imagesDirectory, survives, describe);
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
