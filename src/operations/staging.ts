import { CriuError } from '../errors.ts';
import { holdsCheckpoint } from '../images/image-names.ts';
import { descriptorOf } from '../options/kinds.ts';
import type { CriuOpts } from '../options/types.ts';
import type { ResolvedOptions } from './resolve.ts';
import { StagedImages } from './staged-images.ts';

/**
 * Refuses to dump into a directory that holds a checkpoint, unless `overwrite` is true.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function assertNoCheckpoint(
  operation: string,
  { imagesDirectory, overwrite }: CriuOpts,
): Promise<void> {
  if (overwrite || imagesDirectory === undefined) return;
  const isPath = typeof imagesDirectory === 'string';
  const path = isPath ? imagesDirectory : `/proc/self/fd/${descriptorOf(imagesDirectory)}`;
  // A directory that cannot be read is refused when it is opened.
  if (!(await holdsCheckpoint(path).catch(() => false))) return;
  const message = `${operation}: imagesDirectory ${path} already holds a checkpoint: name another directory, or set overwrite: true`;
  const details = { operation, option: 'imagesDirectory' };
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, details);
}

/**
 * Makes the directory that a dump is written to until it is complete. Undefined if CRIU has to write
 * into the images directory itself: a pre-dump, which later rounds refer to; images that a page server,
 * a destination or a streamer shares; a parent that is named relative to them; and a directory that is
 * given as a descriptor or by a configuration file.
 */
export async function stageImages(
  operation: string,
  { effective, configured }: ResolvedOptions,
): Promise<StagedImages | undefined> {
  const { imagesDirectory, leaveRunning, leaveStopped, durable, keepFailed } = effective;
  const { pageServer, lazyPages, stream, parentImage } = effective;
  const isShared = pageServer || lazyPages || stream || parentImage !== undefined;
  const isFixed = typeof imagesDirectory !== 'string' || configured.imagesDirectory !== undefined;
  if (operation !== 'dump' || isShared || isFixed) return undefined;
  return await StagedImages.open(operation, imagesDirectory, {
    durable: durable !== false,
    keepFailed: keepFailed === true,
    survives: leaveRunning === true || leaveStopped === true,
  });
}
