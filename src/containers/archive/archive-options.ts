import { check, checkOptions, either, type Shape } from '../../options/check.ts';
import { integer, oneOf, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';

/** Where a checkpoint archive is read from: a file, or a stream such as standard input. */
export type ArchiveSource = string | AsyncIterable<Uint8Array>;

/** Options of {@link readCheckpointArchive} and {@link inspectCheckpointArchive}. */
export interface ReadArchiveOptions {
  /**
   * The most bytes that the members may have in all, decompressed. Default: the free space of the file system
   * that they are unpacked into; without a limit if nothing is unpacked.
   */
  maxBytes?: number;
  /** The most entries that the archive may have. Default 100 000. */
  maxEntries?: number;
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

const MAX_ENTRIES = 100_000;

/** How an archive is compressed. */
export const archiveCompression = oneOf({ none: 'none', gzip: 'gzip', zstd: 'zstd' });

/** Paths that are not empty. */
export const pathList = check(
  'a list of paths',
  (value) => Array.isArray(value) && value.every(text.accepts),
);

const isStream = (value: unknown) =>
  typeof (value as Partial<AsyncIterable<Uint8Array>> | null)?.[Symbol.asyncIterator] ===
  'function';

/** A file, or a stream of its bytes. */
export const archiveSource = either(text, check('a stream of bytes', isStream));

/** The checks of the options that limit what is read. */
export const readArchiveShape: Shape<ReadArchiveOptions> = {
  maxBytes: integer(0, Number.MAX_SAFE_INTEGER),
  maxEntries: integer(1, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
};

/** Checks the options. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function readArchiveOptions(operation: string, given: ReadArchiveOptions) {
  return withLimits(checkOptions(operation, given, readArchiveShape));
}

/** The options, with the default of the limit that has one. */
export function withLimits<T extends ReadArchiveOptions>(options: T) {
  return { ...options, maxEntries: options.maxEntries ?? MAX_ENTRIES };
}
